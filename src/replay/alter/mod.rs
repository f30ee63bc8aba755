//! What happens to an event between source and target: masks, a map, headers, and the check
//! against the target's schema, in this order. The data of it is [`Alterations`], a part of the
//! plan; [`Alterer`] does the work, one and the same for a preview and a run.

mod alterer;
mod disguise;
mod edit;
mod headers;
mod hmac;
mod key;
mod mapper;
mod masker;
mod path;
mod plausible;
mod record;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

pub use alterer::{Altered, Alterer, Means, Rejected};
pub use disguise::Disguise;
pub use headers::SetHeader;
pub use key::MaskKey;
pub use path::{MaskPath, PathError};
pub(super) use record::Record;

use super::provenance::Own;
use crate::broker::subscription::glob_matches;
use crate::broker::{Error, ErrorKind, Result};
use crate::query::JqMap;

/// Everything that changes events on their way, or keeps them from it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Alterations {
    /// A jq program: the event object in, an event object or nothing out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub map: Option<String>,
    /// Names and globs of headers that are left out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub drop_headers: Vec<String>,
    /// What is written is held against the schemas of the target.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub validate: bool,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub set_headers: Vec<SetHeader>,
    /// Of two for one place the first counts.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub masks: Vec<Mask>,
    /// There is one where there are masks that need it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mask_key: Option<MaskKey>,
}

/// A place whose values are disguised.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mask {
    pub path: MaskPath,
    pub how: Disguise,
    /// The topics of the source that it is for, a name or glob; `None` for all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
}

impl Mask {
    /// `PATH=hash|redact|fake`; without the second it is redacted.
    pub fn parse(text: &str, topic: Option<&str>) -> Result<Self, String> {
        // A name in a path can hold an equals sign, in quotes.
        let (path, how) = match text.rsplit_once('=') {
            Some((path, how)) if !how.contains(['"', ']']) => (path, how.parse()?),
            _ => (text, Disguise::default()),
        };
        Ok(Self {
            path: path.parse().map_err(|e: PathError| e.to_string())?,
            how,
            topic: topic.map(str::to_owned),
        })
    }

    pub(super) fn takes(&self, topic: &str) -> bool {
        let named = |pattern: &String| pattern == topic || glob_matches(pattern, topic);
        self.topic.as_ref().is_none_or(named)
    }
}

/// As `--mask` takes it, and for which topic.
impl fmt::Display for Mask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.path, self.how)?;
        match &self.topic {
            Some(topic) => write!(f, " of {topic}"),
            None => Ok(()),
        }
    }
}

impl SetHeader {
    /// `NAME=VALUE`; provenance is not for setting.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| format!("'{text}' has no =: write NAME=VALUE"))?;
        if name.is_empty() {
            return Err(format!("'{text}' has no name: write NAME=VALUE"));
        }
        if Own::of(name.as_bytes()).is_some() {
            return Err(format!(
                "{name} tells where an event came from and is written by evtap"
            ));
        }
        Ok(Self {
            name: name.to_owned(),
            value: value.to_owned(),
        })
    }
}

impl Alterations {
    /// Nothing is altered and nothing is checked.
    pub fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it has masks whose values come from a key.
    pub fn needs_key(&self) -> bool {
        self.masks.iter().any(|mask| mask.how != Disguise::Redact)
    }

    /// What cannot work, before anything is read.
    pub fn check(&self) -> Result<()> {
        if let Some(map) = &self.map {
            JqMap::compile("--map", map).map_err(of_query)?;
        }
        match &self.mask_key {
            Some(key) => drop(key.load()?),
            None if self.needs_key() => {
                return Err(Error::new(
                    ErrorKind::Usage,
                    "the masks have no key to make pseudonyms with",
                )
                .hint("name one: --mask-key FILE"));
            }
            None => {}
        }
        Ok(())
    }

    /// For a person, each with what it is about.
    pub fn describe(&self) -> Vec<(&'static str, String)> {
        let mut lines = Vec::new();
        lines.extend(self.masks.iter().map(|mask| ("mask", mask.to_string())));
        if let Some(key) = &self.mask_key {
            let who = if key.is_in_plan() {
                "random, kept in the plan: who has the plan's file can tell who is who"
            } else {
                "every host that applies the plan needs it"
            };
            lines.push(("key", format!("{key} · {who}")));
        }
        lines.extend(self.map.iter().map(|map| ("map", map.clone())));
        let dropped = self.drop_headers.iter();
        lines.extend(dropped.map(|name| ("header", format!("{name} is left out"))));
        let set = self.set_headers.iter();
        lines.extend(set.map(|set| ("header", format!("{}={}", set.name, set.value))));
        if self.validate {
            let what = "what is written must fit the target's schemas; the rest is rejected";
            lines.push(("check", what.to_owned()));
        }
        lines
    }
}

fn of_query(error: crate::query::QueryError) -> Error {
    let made = Error::new(ErrorKind::Query, error.to_string());
    match error.hint {
        Some(hint) => made.hint(hint),
        None => made,
    }
}

/// Why an event cannot be altered as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Refusal(Cow<'static, str>);

impl Refusal {
    fn new(why: impl Into<Cow<'static, str>>) -> Self {
        Self(why.into())
    }

    /// Says of which part.
    fn on(self, part: &str) -> Self {
        Self(format!("the {part}: {}", self.0).into())
    }
}
