//! What a verification found, in words and as JSON.

use serde_json::{Value, json};

use super::result::{Comparison, EXAMPLES, Kind, Means, Verdict};
use crate::text::{Visible, human};

impl Comparison {
    /// For people; no line holds a control character.
    pub fn describe(&self) -> Vec<String> {
        let means = match self.means {
            Means::Provenance => "each copy with its original, by provenance",
            Means::Keys => "counts and contents of each key, without provenance",
        };
        let counts = format!(
            "{} selected, {} in the target",
            human::count(self.expected),
            human::count(self.copies)
        );
        let verdict = match self.verdict() {
            Verdict::Clean => "verified: good",
            Verdict::Violation => "verified: NOT good",
            Verdict::Inconclusive => "verified: inconclusive",
        };
        let mut lines = vec![format!("{verdict} ({means}): {counts}")];
        for kind in Kind::ALL.into_iter().filter(|kind| self.count(*kind) > 0) {
            lines.extend(self.of_kind(kind));
        }
        lines.extend(
            self.notes
                .iter()
                .map(|n| format!("  cannot say  {}", Visible(n))),
        );
        lines.extend(self.remarks.iter().map(|n| format!("  {n}")));
        lines
    }

    fn of_kind(&self, kind: Kind) -> Vec<String> {
        let count = self.count(kind);
        let mut lines = vec![format!("  {:<10}  {}", kind.name(), human::count(count))];
        let of_kind = self.differences.iter().filter(|d| d.kind == kind);
        let mut told = 0;
        for difference in of_kind {
            told += 1;
            let source = difference.source.as_deref().unwrap_or("?");
            let mut line = format!("    {}", Visible(source));
            if let Some(target) = &difference.target {
                line.push_str(&format!(" as {}", Visible(target)));
            }
            if let Some(detail) = &difference.detail {
                line.push_str(&format!(": {}", Visible(detail)));
            }
            lines.push(line);
        }
        if told >= EXAMPLES && count > told as u64 {
            let rest = human::count(count - told as u64);
            lines.push(format!("    and {rest} more"));
        }
        lines
    }

    pub fn json(&self) -> Value {
        let mut counts = json!({"expected": self.expected, "copies": self.copies});
        for kind in Kind::ALL {
            counts[kind.name()] = self.count(kind).into();
        }
        let notes: Vec<&String> = self.notes.iter().chain(&self.remarks).collect();
        json!({
            "verdict": self.verdict(),
            "plan": self.plan,
            "compared": self.means,
            "counts": counts,
            "differences": self.differences,
            "notes": notes,
        })
    }
}
