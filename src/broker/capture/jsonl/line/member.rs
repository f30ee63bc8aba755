//! A member of a JSON object as its text, told apart from one that is not there.

use serde::Deserialize;
use serde::de::Deserializer;
use serde_json::value::RawValue;

/// A member of a JSON object: `Some` when it is there, if only as `null`, which serde's own
/// `Option` takes for not there. Its struct needs `serde(default)`, and `serde(borrow)` on one of
/// its members: that holds for all.
#[derive(Debug, Clone, Copy, Default)]
pub struct Member<'a>(pub Option<&'a RawValue>);

impl<'a> Member<'a> {
    /// The JSON text of its value.
    pub fn text(self) -> Option<&'a str> {
        self.0.map(RawValue::get)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Member<'a> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(from).map(|raw| Self(Some(raw)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize, Default)]
    #[serde(default)]
    struct Two<'a> {
        #[serde(borrow)]
        first: Member<'a>,
        second: Member<'a>,
    }

    #[test]
    fn a_member_that_is_null_is_there() {
        let read = |json| {
            let two: Two<'_> = serde_json::from_str(json).unwrap();
            [two.first, two.second].map(Member::text)
        };
        assert_eq!(read(r#"{"second":null}"#), [None, Some("null")]);
        assert_eq!(read(r#"{"first":{"a": 1}}"#), [Some(r#"{"a": 1}"#), None]);
    }
}
