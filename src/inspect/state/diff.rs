//! What changed between two states, path by path.

use serde_json::Value;

use super::blame::push_step;

/// What happened to a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ChangeKind {
    Added,
    Removed,
    Changed,
}

/// One path that differs.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    /// A JSON pointer (RFC 6901); empty for the whole.
    pub path: String,
    pub kind: ChangeKind,
    pub before: Option<Value>,
    pub after: Option<Value>,
}

/// The paths in which two states differ, in the order of the values. Objects are compared by
/// member, arrays as a whole.
pub fn diff(before: Option<&Value>, after: Option<&Value>) -> Vec<Change> {
    let mut changes = Vec::new();
    compare(before, after, &mut String::new(), &mut changes);
    changes
}

fn compare(
    before: Option<&Value>,
    after: Option<&Value>,
    path: &mut String,
    changes: &mut Vec<Change>,
) {
    let kind = match (before, after) {
        (None, None) => return,
        (Some(Value::Object(old)), Some(Value::Object(new))) => {
            let gone = old.keys().filter(|name| !new.contains_key(*name));
            for name in new.keys().chain(gone) {
                let len = path.len();
                push_step(path, name);
                compare(old.get(name), new.get(name), path, changes);
                path.truncate(len);
            }
            return;
        }
        (Some(old), Some(new)) if old == new => return,
        (Some(_), Some(_)) => ChangeKind::Changed,
        (None, Some(_)) => ChangeKind::Added,
        (Some(_), None) => ChangeKind::Removed,
    };
    changes.push(Change {
        path: path.clone(),
        kind,
        before: before.cloned(),
        after: after.cloned(),
    });
}
