//! What changed between two JSON values, as commands print it.

use serde_json::{Value, json};

use crate::inspect::state::{Change, ChangeKind};
use crate::text;

/// On one line: `~ /path before -> after`, safe to print.
pub fn change_line(change: &Change) -> String {
    let path = match change.path.as_str() {
        "" => "the whole",
        path => path,
    };
    let text = |value: &Option<Value>| value.as_ref().map(compact).unwrap_or_default();
    let (before, after) = (text(&change.before), text(&change.after));
    match change.kind {
        ChangeKind::Added => format!("+ {path} {after}"),
        ChangeKind::Removed => format!("- {path} {before}"),
        ChangeKind::Changed => format!("~ {path} {before} -> {after}"),
    }
}

/// On one line, safe to print.
pub fn compact(value: &Value) -> String {
    let mut out = Vec::new();
    text::push_value(&mut out, value.to_string().as_bytes());
    String::from_utf8_lossy(&out).into_owned()
}

pub fn changes_json(changes: &[Change]) -> Value {
    let change = |change: &Change| {
        json!({
            "path": change.path,
            "kind": match change.kind {
                ChangeKind::Added => "added",
                ChangeKind::Removed => "removed",
                ChangeKind::Changed => "changed",
            },
            "before": change.before,
            "after": change.after,
        })
    };
    changes.iter().map(change).collect()
}
