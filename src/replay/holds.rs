//! What makes a run wait while it is under way: the canary, and consumer groups that fall behind.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// When a run waits.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Holds {
    /// After so many events are written and stored, until somebody says to go on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub canary: Option<u64>,
    /// While any of these holds.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub pause_if: Vec<PauseIf>,
}

/// `lag(GROUP)>N`: a group of the target's broker has more than N positions before it, over all
/// its partitions.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PauseIf {
    pub group: String,
    pub most: u64,
}

impl FromStr for PauseIf {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("'{text}' is no condition: write lag(GROUP)>N");
        let inside = text.trim().strip_prefix("lag").map(str::trim_start);
        let inside = inside.and_then(|rest| rest.strip_prefix('('));
        // A group's name can hold brackets.
        let (inside, most) = inside.and_then(|r| r.rsplit_once('>')).ok_or_else(wrong)?;
        let group = inside.trim_end().strip_suffix(')').ok_or_else(wrong)?;
        let group = group.trim();
        if group.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            group: group.to_owned(),
            most: most.trim().parse().map_err(|_| wrong())?,
        })
    }
}

impl fmt::Display for PauseIf {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "lag({})>{}", self.group, self.most)
    }
}

impl TryFrom<String> for PauseIf {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        text.parse()
    }
}

impl From<PauseIf> for String {
    fn from(condition: PauseIf) -> Self {
        condition.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_are_read_as_they_are_written() {
        for text in ["lag(billing)>5000", " lag ( billing ) > 5000 "] {
            let condition: PauseIf = text.parse().unwrap();
            assert_eq!(
                (condition.group.as_str(), condition.most),
                ("billing", 5000)
            );
            assert_eq!(condition.to_string(), "lag(billing)>5000");
        }
        assert_eq!("lag(a)(b>c)>1".parse::<PauseIf>().unwrap().group, "a)(b>c");
        for text in [
            "",
            "lag",
            "lag(a)",
            "lag()>1",
            "lag(a)>x",
            "lag(a)<1",
            "lag(a)>-1",
            "x(a)>1",
        ] {
            let error = text.parse::<PauseIf>().unwrap_err();
            assert!(error.contains("lag(GROUP)>N"), "{text}: {error}");
        }
    }
}
