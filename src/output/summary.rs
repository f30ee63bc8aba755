//! The closing line of a run, for people and for tools.

use std::time::Duration;

use crate::text::{self, Visible, human};

/// How far a run came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// Events looked at.
    pub scanned: u64,
    pub matched: u64,
    /// Events on which an expression failed.
    pub errors: u64,
    /// Payload bytes of the events looked at.
    pub bytes: u64,
    pub elapsed: Duration,
    /// The whole frozen range was looked at.
    pub complete: bool,
    /// Why not, when it was not.
    pub reason: Option<String>,
}

impl Summary {
    /// `scanned 2,000,000 · matched 20,431 · 1.2 s · complete`, without a line end.
    pub fn human_line(&self, ascii: bool) -> String {
        let mut parts = vec![
            format!("scanned {}", human::count(self.scanned)),
            format!("matched {}", human::count(self.matched)),
        ];
        if self.errors > 0 {
            parts.push(format!("errors {}", human::count(self.errors)));
        }
        parts.push(human::duration(self.elapsed));
        parts.push(match (self.complete, &self.reason) {
            (true, _) => "complete".to_owned(),
            (false, Some(reason)) => format!("partial: {}", Visible(reason)),
            (false, None) => "partial".to_owned(),
        });
        parts.join(if ascii { " - " } else { " · " })
    }

    /// The same as one JSON object on one line, without a line end.
    pub fn json(&self) -> String {
        let mut reason = Vec::new();
        match &self.reason {
            Some(text) => text::push_string(&mut reason, text),
            None => reason.extend_from_slice(b"null"),
        }
        format!(
            r#"{{"scanned":{},"matched":{},"errors":{},"bytes":{},"elapsed_ms":{},"complete":{},"reason":{}}}"#,
            self.scanned,
            self.matched,
            self.errors,
            self.bytes,
            self.elapsed.as_millis(),
            self.complete,
            String::from_utf8_lossy(&reason),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole() -> Summary {
        Summary {
            scanned: 2_000_000,
            matched: 20_431,
            bytes: 950_000_000,
            elapsed: Duration::from_millis(1234),
            complete: true,
            ..Summary::default()
        }
    }

    #[test]
    fn a_complete_run_says_so() {
        let summary = whole();
        assert_eq!(
            summary.human_line(false),
            "scanned 2,000,000 · matched 20,431 · 1.2 s · complete"
        );
        assert_eq!(
            summary.human_line(true),
            "scanned 2,000,000 - matched 20,431 - 1.2 s - complete"
        );
        assert_eq!(
            summary.json(),
            r#"{"scanned":2000000,"matched":20431,"errors":0,"bytes":950000000,"elapsed_ms":1234,"complete":true,"reason":null}"#
        );
    }

    #[test]
    fn a_partial_run_says_why_and_errors_are_counted() {
        let summary = Summary {
            errors: 1500,
            complete: false,
            reason: Some("limit \"5\" \x1b[2J".to_owned()),
            ..whole()
        };
        assert_eq!(
            summary.human_line(false),
            "scanned 2,000,000 · matched 20,431 · errors 1,500 · 1.2 s · \
             partial: limit \"5\" \\x1b[2J"
        );
        let json: serde_json::Value = serde_json::from_str(&summary.json()).unwrap();
        assert_eq!(json["reason"], "limit \"5\" \x1b[2J");
        assert_eq!(json["complete"], false);
        assert!(!summary.json().contains('\x1b'));
    }
}
