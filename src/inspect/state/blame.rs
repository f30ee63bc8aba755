//! Which event set which part of a state: `git blame` for the value of a key.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::inspect::At;

/// The events that set a value and what is inside of it. What has none of its own was set with
/// what it is in.
#[derive(Debug, Clone, Default)]
pub(super) struct Tags {
    own: Option<Arc<At>>,
    members: BTreeMap<String, Tags>,
}

impl Tags {
    pub(super) const fn of(at: Arc<At>) -> Self {
        Self {
            own: Some(at),
            members: BTreeMap::new(),
        }
    }

    pub(super) const fn is_set(&self) -> bool {
        self.own.is_some()
    }

    pub(super) fn child(&mut self, name: &str) -> &mut Self {
        let own = self.own.clone();
        let new = || Self {
            own,
            members: BTreeMap::new(),
        };
        self.members.entry(name.to_owned()).or_insert_with(new)
    }

    pub(super) fn remove(&mut self, name: &str) {
        self.members.remove(name);
    }

    pub(super) fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        self.members.retain(|name, _| keep(name));
    }
}

/// For each path of a state that has no members of its own, the event that last set it. Paths are
/// JSON pointers (RFC 6901), in the order of the value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Blame {
    pub paths: Vec<(String, At)>,
    /// The event that deleted the key, when it is deleted.
    pub deleted: Option<At>,
}

impl Blame {
    /// The event that set the value at this pointer, or what it is in.
    pub fn at(&self, pointer: &str) -> Option<&At> {
        let found = self.paths.iter().find(|(path, _)| {
            path == pointer
                || (pointer.starts_with(path.as_str())
                    && pointer.as_bytes().get(path.len()) == Some(&b'/'))
        });
        found.map(|(_, at)| at)
    }

    pub(super) fn of(value: &Value, tags: &Tags) -> Self {
        let mut paths = Vec::new();
        collect(value, tags, None, &mut String::new(), &mut paths);
        Self {
            paths,
            deleted: None,
        }
    }

    pub(super) fn deleted(tags: &Tags) -> Self {
        Self {
            paths: Vec::new(),
            deleted: tags.own.as_deref().cloned(),
        }
    }
}

/// Appends a member's name as a step of a JSON pointer.
pub(super) fn push_step(path: &mut String, name: &str) {
    path.push('/');
    for c in name.chars() {
        match c {
            '~' => path.push_str("~0"),
            '/' => path.push_str("~1"),
            c => path.push(c),
        }
    }
}

fn collect(
    value: &Value,
    tags: &Tags,
    outer: Option<&Arc<At>>,
    path: &mut String,
    paths: &mut Vec<(String, At)>,
) {
    let own = tags.own.as_ref().or(outer);
    let members = match value {
        Value::Object(members) if !members.is_empty() => members,
        _ => {
            if let Some(at) = own {
                paths.push((path.clone(), (**at).clone()));
            }
            return;
        }
    };
    let none = Tags::default();
    for (name, member) in members {
        let len = path.len();
        push_step(path, name);
        let tags = tags.members.get(name).unwrap_or(&none);
        collect(member, tags, own, path, paths);
        path.truncate(len);
    }
}
