//! What a plan selects of its ranges. The flags that say it are made from the fields, never read
//! back from text.

use crate::query::QuerySpec;
use crate::schema::Decoder;

/// Everything that decides which events of the frozen ranges are taken.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PlanSelection {
    pub where_: Vec<String>,
    pub filters: Vec<String>,
    pub grep: Vec<String>,
    pub ignore_case: bool,
    pub fixed: bool,
    /// Empty for all.
    pub keys: Vec<String>,
    pub limit: Option<u64>,
    pub last: Option<usize>,
    /// Pinned decoders, as `--decode` takes them.
    pub decode: Option<String>,
    /// Where schemas are, as `--schemas` takes it, without secrets. Without it what the contexts
    /// of the sources say counts.
    pub schemas: Option<String>,
    pub formats: bool,
}

impl PlanSelection {
    /// The version of what expressions mean; it goes up when one would select otherwise.
    pub const LANGUAGE: u32 = 1;

    /// The selection before it is compiled.
    pub fn spec(&self, decoder: Decoder) -> QuerySpec {
        QuerySpec {
            where_: self.where_.clone(),
            filters: self.filters.clone(),
            grep: self.grep.clone(),
            ignore_case: self.ignore_case,
            fixed: self.fixed,
            keys: self.keys.iter().map(|k| k.clone().into_bytes()).collect(),
            decoder,
        }
    }

    /// The flags that say the same, each with its value.
    pub fn flags(&self) -> Vec<(&'static str, Option<String>)> {
        fn each(
            flag: &'static str,
            values: &[String],
        ) -> impl Iterator<Item = (&'static str, Option<String>)> {
            values.iter().map(move |v| (flag, Some(v.clone())))
        }
        let mut all = Vec::new();
        all.extend(each("--where", &self.where_));
        all.extend(each("--filter", &self.filters));
        all.extend(each("--grep", &self.grep));
        all.extend(self.ignore_case.then_some(("--ignore-case", None)));
        all.extend(self.fixed.then_some(("--fixed-strings", None)));
        all.extend(each("--key", &self.keys));
        all.extend(self.limit.map(|n| ("--limit", Some(n.to_string()))));
        all.extend(self.last.map(|n| ("--last", Some(n.to_string()))));
        all.extend(self.decode.iter().map(|d| ("--decode", Some(d.clone()))));
        all.extend(self.schemas.iter().map(|s| ("--schemas", Some(s.clone()))));
        all.extend(self.formats.then_some(("--formats", None)));
        all
    }
}
