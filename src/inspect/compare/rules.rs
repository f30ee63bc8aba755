//! What of an event counts when two are compared, and the paths of what does not.

use serde_json::Value;

use crate::inspect::Names;

/// Paths that can be left out at once: each is a bit of a number.
const MOST: usize = 64;

/// What counts.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    /// Parts that do not, with all that is inside of them.
    pub ignored: Ignored,
    /// Match by key and place among the events of the key, even where events have ids; the header
    /// with the id does not count then.
    pub by_key: bool,
    /// Timestamps count.
    pub timestamps: bool,
    /// Events of two topics are never the same: there are several on a side.
    pub topics: bool,
}

impl Rules {
    pub(super) fn leaves_out(&self, header: &str, names: &Names) -> bool {
        self.ignored.header(header) || (self.by_key && names.is_id(header.as_bytes()))
    }

    /// Takes what does not count out of an event object.
    pub fn prune(&self, event: &mut Value) {
        let names = Names::default();
        if let Some(value) = event.get_mut("value") {
            let ignored = &self.ignored;
            ignored.prune(value, ignored.within(), 0);
        }
        if let Some(Value::Object(headers)) = event.get_mut("headers") {
            headers.retain(|name, _| !self.leaves_out(name, &names));
        }
    }
}

/// A step of a path.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Step {
    Named(String),
    /// Every member or element.
    Any,
}

impl Step {
    fn takes(&self, name: &str) -> bool {
        match self {
            Self::Named(own) => own == name,
            Self::Any => true,
        }
    }
}

/// Parts of values and headers that do not count. The headers that evtap writes never do.
#[derive(Debug, Clone, Default)]
pub struct Ignored {
    values: Vec<Vec<Step>>,
    headers: Vec<Step>,
}

/// Headers of this tool tell where a copy comes from: they differ by their nature.
const OWN: &str = "evtap-";

impl Ignored {
    /// Takes one more path: `.value.eventId`, `.value.items[].id`, `.headers.ce_id`, or the same as
    /// a JSON pointer (RFC 6901), `/value/eventId`. An error is a sentence about the path.
    pub fn add(&mut self, path: &str) -> Result<(), String> {
        let steps = match path.as_bytes().first() {
            Some(b'/') => pointer(path),
            Some(b'.') => dotted(path),
            _ => {
                return Err(format!(
                    "a path begins with .value or .headers: .value.{path}"
                ));
            }
        };
        let mut steps = steps.into_iter();
        match (steps.next(), steps.len()) {
            (Some(Step::Named(part)), 1..) if part == "value" && self.values.len() < MOST => {
                self.values.push(steps.collect());
            }
            (Some(Step::Named(part)), 1) if part == "headers" => self.headers.extend(steps),
            (Some(Step::Named(part)), 1..) if part == "value" => {
                return Err(format!("at most {MOST} paths can be left out"));
            }
            _ => {
                return Err(format!(
                    "'{path}' names no part of a value and no header: write .value.PATH or \
                     .headers.NAME"
                ));
            }
        }
        Ok(())
    }

    pub(super) fn header(&self, name: &str) -> bool {
        name.starts_with(OWN) || self.headers.iter().any(|step| step.takes(name))
    }

    /// Which paths lead into the value, as bits.
    pub(super) fn within(&self) -> u64 {
        match self.values.len() {
            0 => 0,
            paths => u64::MAX >> (MOST - paths.min(MOST)),
        }
    }

    /// Those of `alive` that go on with this step at this depth; `None` when one of them ends
    /// there.
    pub(super) fn below(&self, alive: u64, depth: usize, name: &str) -> Option<u64> {
        let mut on = 0;
        let mut rest = alive;
        while rest != 0 {
            let number = rest.trailing_zeros();
            rest &= rest - 1;
            let Some(path) = self.values.get(number as usize) else {
                break;
            };
            if path.get(depth).is_some_and(|step| step.takes(name)) {
                if path.len() == depth + 1 {
                    return None;
                }
                on |= 1 << number;
            }
        }
        Some(on)
    }

    /// The parser that made the value bounds its depth.
    fn prune(&self, value: &mut Value, alive: u64, depth: usize) {
        if alive == 0 {
            return;
        }
        match value {
            Value::Object(members) => members.retain(|name, value| {
                let on = self.below(alive, depth, name);
                if let Some(on) = on {
                    self.prune(value, on, depth + 1);
                }
                on.is_some()
            }),
            Value::Array(items) => {
                let mut index = 0;
                items.retain_mut(|item| {
                    let on = self.below(alive, depth, &index.to_string());
                    index += 1;
                    if let Some(on) = on {
                        self.prune(item, on, depth + 1);
                    }
                    on.is_some()
                });
            }
            _ => {}
        }
    }
}

fn pointer(path: &str) -> Vec<Step> {
    let steps = path.split('/').skip(1);
    steps
        .map(|step| match step {
            "*" => Step::Any,
            step => Step::Named(step.replace("~1", "/").replace("~0", "~")),
        })
        .collect()
}

/// `.a.b[].c[0]`; names with dots or brackets in them are written as a pointer.
fn dotted(path: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    for part in path.split('.').skip(1) {
        let (name, brackets) = part.split_at(part.find('[').unwrap_or(part.len()));
        if !name.is_empty() {
            steps.push(Step::Named(name.to_owned()));
        }
        for inside in brackets.split('[').skip(1) {
            let inside = inside.strip_suffix(']').unwrap_or(inside);
            steps.push(match inside.trim_matches('"') {
                "" | "*" => Step::Any,
                name => Step::Named(name.to_owned()),
            });
        }
    }
    steps
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn rules(paths: &[&str]) -> Rules {
        let mut rules = Rules::default();
        for path in paths {
            rules.ignored.add(path).unwrap();
        }
        rules
    }

    #[test]
    fn paths_are_written_as_jq_or_as_pointers() {
        let event = json!({
            "value": {"id": 1, "items": [{"id": 2, "n": 3}, {"id": 4}], "a/b": 5, "keep": 6},
            "headers": {"ce_id": "x", "evtap-count": "1", "h": "y"},
        });
        let left = json!({
            "value": {"items": [{"n": 3}, {}], "keep": 6},
            "headers": {"h": "y"},
        });
        for paths in [
            [
                ".value.id",
                ".value.items[].id",
                "/value/a~1b",
                ".headers.ce_id",
            ],
            [
                "/value/id",
                "/value/items/*/id",
                ".value[\"a/b\"]",
                "/headers/ce_id",
            ],
        ] {
            let mut pruned = event.clone();
            rules(&paths).prune(&mut pruned);
            assert_eq!(pruned, left, "{paths:?}");
        }
    }

    #[test]
    fn what_is_no_path_is_refused_with_what_to_write() {
        for (path, told) in [
            ("id", ".value.id"),
            (".value", ".value.PATH"),
            (".key", ".headers.NAME"),
            ("/headers/a/b", ".headers.NAME"),
            ("", ".value."),
        ] {
            let error = Ignored::default().add(path).unwrap_err();
            assert!(error.contains(told), "{path}: {error}");
        }
        let mut ignored = Ignored::default();
        for number in 0..MOST {
            ignored.add(&format!(".value.f{number}")).unwrap();
        }
        assert!(ignored.add(".value.more").is_err());
        assert_eq!(ignored.within(), u64::MAX);
    }
}
