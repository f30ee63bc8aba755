//! The documents that a capture holds beside its events: JSON with a version and a list. What the
//! rows of a list mean is known by who asks for them.

use std::collections::BTreeMap;

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::value::RawValue;

use crate::broker::{Error, ErrorKind, Result};

const VERSION: u64 = 1;
/// A document of more bytes is none of ours.
pub(super) const LIMIT: usize = 16 * 1024 * 1024;

/// One kind of document.
#[derive(Clone, Copy)]
pub(super) struct Kind {
    /// The member that holds the list.
    pub(super) list: &'static str,
    /// What messages call it.
    pub(super) what: &'static str,
}

impl Kind {
    /// The document; [`Error`]s of kind [`ErrorKind::Unsupported`] say that it is too large.
    pub(super) fn write<T: Serialize>(self, rows: &[T]) -> Result<Vec<u8>> {
        let fail = |error: serde_json::Error| {
            Error::new(
                ErrorKind::File,
                format!("cannot write {}: {error}", self.what),
            )
        };
        let mut members = serde_json::Map::new();
        members.insert("version".to_owned(), VERSION.into());
        let rows = serde_json::to_value(rows).map_err(fail)?;
        members.insert(self.list.to_owned(), rows);
        let json = serde_json::to_vec_pretty(&members).map_err(fail)?;
        if json.len() > LIMIT {
            let said = format!("{} take more than 16 MiB: they are not kept", self.what);
            return Err(Error::new(ErrorKind::Unsupported, said));
        }
        Ok(json)
    }

    /// Reads a document; `place` is named when it is none.
    pub(super) fn read<T: DeserializeOwned>(self, json: &[u8], place: &str) -> Result<Vec<T>> {
        let damaged = |error: serde_json::Error| self.damaged(place, &error.to_string());
        // In two steps: what a later version holds in its list is its own business.
        let found: BTreeMap<String, &RawValue> = serde_json::from_slice(json).map_err(damaged)?;
        let member = |name: &str| {
            let found = found.get(name).map(|value| value.get());
            found.ok_or_else(|| self.damaged(place, &format!("there is no `{name}` in it")))
        };
        let version: u64 = serde_json::from_str(member("version")?).map_err(damaged)?;
        if version != VERSION {
            let why = format!("they are of version {version}");
            return Err(self.damaged(place, &why).hint("a newer evtap wrote them"));
        }
        serde_json::from_str(member(self.list)?).map_err(damaged)
    }

    /// Why a document cannot be read.
    pub(super) fn damaged(self, place: &str, why: &str) -> Error {
        Error::new(
            ErrorKind::Damaged,
            format!("{} of '{place}' cannot be read: {why}", self.what),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NUMBERS: Kind = Kind {
        list: "numbers",
        what: "the numbers",
    };

    #[test]
    fn a_list_is_read_back_and_what_is_none_is_told() {
        let json = NUMBERS.write(&[7, 8]).unwrap();
        let back: Vec<u8> = NUMBERS.read(&json, "x").unwrap();
        assert_eq!(back, [7, 8]);
        for (text, why) in [
            ("{", "EOF"),
            ("[]", "invalid type"),
            (r#"{"numbers":[]}"#, "no `version`"),
            (r#"{"version":1}"#, "no `numbers`"),
            (r#"{"version":9,"numbers":{"x":1}}"#, "of version 9"),
            (r#"{"version":1,"numbers":[300]}"#, "300"),
        ] {
            let error = NUMBERS.read::<u8>(text.as_bytes(), "x").unwrap_err();
            assert_eq!(error.kind, ErrorKind::Damaged);
            let said = error.to_string();
            assert!(
                said.starts_with("the numbers of 'x' cannot be read: "),
                "{said}"
            );
            assert!(said.contains(why), "{said}");
        }
    }
}
