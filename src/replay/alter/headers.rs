//! Headers that are left out and headers that are set.

use serde::{Deserialize, Serialize};

use crate::broker::subscription::glob_matches;
use crate::event::{HeaderBuf, Headers};

/// A header with the value that it gets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SetHeader {
    pub name: String,
    pub value: String,
}

/// What is done to headers.
#[derive(Default)]
pub(super) struct HeaderEdit {
    drop: Vec<String>,
    set: Vec<SetHeader>,
    out: HeaderBuf,
    /// Which of `set` were written in the place of the first that was there.
    placed: Vec<bool>,
}

impl HeaderEdit {
    pub(super) fn new(drop: &[String], set: &[SetHeader]) -> Self {
        Self {
            drop: drop.to_vec(),
            set: set.to_vec(),
            ..Self::default()
        }
    }

    pub(super) const fn is_nothing(&self) -> bool {
        self.drop.is_empty() && self.set.is_empty()
    }

    fn is_dropped(&self, name: &[u8]) -> bool {
        let matches = |pattern: &String| {
            pattern.as_bytes() == name
                || str::from_utf8(name).is_ok_and(|name| glob_matches(pattern, name))
        };
        self.drop.iter().any(matches)
    }

    /// The headers as they are to be. What is dropped is dropped first: a header that is also set
    /// has the new value alone. It stands where the first of its name stood, else at the end.
    pub(super) fn apply<'a>(&'a mut self, headers: Headers<'a>) -> Headers<'a> {
        if self.is_nothing() {
            return headers;
        }
        let mut out = std::mem::take(&mut self.out);
        out.clear();
        self.placed.clear();
        self.placed.resize(self.set.len(), false);
        for (name, value) in headers {
            match self.set.iter().position(|set| set.name.as_bytes() == name) {
                Some(index) if self.placed[index] => {}
                Some(index) => {
                    self.placed[index] = true;
                    out.push(name, Some(self.set[index].value.as_bytes()));
                }
                None if self.is_dropped(name) => {}
                None => out.push(name, value),
            }
        }
        for (set, _) in self
            .set
            .iter()
            .zip(&self.placed)
            .filter(|(_, placed)| !**placed)
        {
            out.push(set.name.as_bytes(), Some(set.value.as_bytes()));
        }
        self.out = out;
        self.out.as_headers()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn applied(drop: &[&str], set: &[(&str, &str)], headers: &[(&str, Option<&str>)]) -> String {
        let drop: Vec<String> = drop.iter().map(|d| (*d).to_owned()).collect();
        let set = set.iter().map(|(name, value)| SetHeader {
            name: (*name).to_owned(),
            value: (*value).to_owned(),
        });
        let mut buf = HeaderBuf::default();
        for (name, value) in headers {
            buf.push(name.as_bytes(), value.map(str::as_bytes));
        }
        let mut edit = HeaderEdit::new(&drop, &set.collect::<Vec<_>>());
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let all = edit
            .apply(buf.as_headers())
            .iter()
            .map(|(name, value)| format!("{}={}", text(name), value.map_or("null".into(), text)));
        all.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_set_header_replaces_all_of_its_name() {
        let headers = [
            ("a", Some("1")),
            ("b", None),
            ("a", Some("2")),
            ("c", Some("")),
        ];
        assert_eq!(
            applied(&[], &[("a", "x"), ("d", "y")], &headers),
            "a=x b=null c= d=y"
        );
        assert_eq!(applied(&["a", "c"], &[("c", "z")], &headers), "b=null c=z");
        assert_eq!(applied(&["*"], &[], &headers), "");
        assert_eq!(
            applied(&["x-*"], &[], &[("x-a", None), ("y", None)]),
            "y=null"
        );
        assert_eq!(applied(&["none"], &[], &headers), "a=1 b=null a=2 c=");
    }
}
