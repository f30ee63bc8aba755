//! Replaces places in a JSON text and leaves every other byte as it is: the digits of numbers, the
//! white space, the order and repeats of members.

use super::disguise::{Disguise, push_json};
use super::hmac::Hmac;
use super::path::Step;
use crate::text::{JsonText, Visit};

/// A mask of one part of an event.
#[derive(Debug, Clone)]
pub(super) struct Aim {
    pub steps: Vec<Step>,
    pub how: Disguise,
    /// Its place in the plan's list.
    pub mask: usize,
}

/// A container that is open.
#[derive(Clone, Copy)]
struct Frame {
    object: bool,
    /// The element that comes next.
    index: usize,
    /// Where in `live` the aims stand that lead into it.
    from: usize,
    to: usize,
}

/// A value that is replaced.
#[derive(Clone, Copy)]
struct Hit {
    start: usize,
    end: usize,
    aim: usize,
}

/// Finds and replaces; keeps its buffers.
#[derive(Default)]
pub(super) struct Editor {
    /// An aim, and how many of its steps were taken.
    live: Vec<(usize, usize)>,
    frames: Vec<Frame>,
    hits: Vec<Hit>,
}

impl Editor {
    /// Appends the text with what the aims name disguised, each place by the first that names it.
    /// Gives whether there was any such place; `seen` counts them by mask.
    pub(super) fn edit(
        &mut self,
        json: &[u8],
        aims: &[Aim],
        key: &Hmac,
        seen: &mut [u64],
        out: &mut Vec<u8>,
    ) -> bool {
        self.live.clear();
        self.frames.clear();
        self.hits.clear();
        let mut walk = Walk {
            editor: self,
            aims,
            named: (0, 0),
            whole: None,
        };
        if JsonText::walk(json, &mut walk).is_none() {
            return false;
        }
        let mut copied = 0;
        for hit in &self.hits {
            let Some(aim) = aims.get(hit.aim) else {
                continue;
            };
            out.extend_from_slice(json.get(copied..hit.start).unwrap_or_default());
            push_json(
                aim.how,
                key,
                json.get(hit.start..hit.end).unwrap_or_default(),
                out,
            );
            copied = hit.end;
            if let Some(count) = seen.get_mut(aim.mask) {
                *count += 1;
            }
        }
        out.extend_from_slice(json.get(copied..).unwrap_or_default());
        !self.hits.is_empty()
    }
}

/// One walk over a text.
struct Walk<'e> {
    editor: &'e mut Editor,
    aims: &'e [Aim],
    /// Where in `live` the aims stand that lead into the member whose name was read last.
    named: (usize, usize),
    /// The container that is replaced as a whole, or leaf by leaf: how many were open outside of
    /// it, where it begins, and by which aim.
    whole: Option<(usize, usize, usize)>,
}

impl Walk<'_> {
    fn how(&self, aim: usize) -> Disguise {
        self.aims.get(aim).map_or(Disguise::Redact, |aim| aim.how)
    }

    /// Puts those aims on `live` that go on by a step into this place.
    fn advance(&mut self, fits: impl Fn(&Step) -> bool) -> (usize, usize) {
        let start = self.editor.live.len();
        let (from, to) = self
            .editor
            .frames
            .last()
            .map_or((0, 0), |frame| (frame.from, frame.to));
        for at in from..to {
            let Some(&(aim, taken)) = self.editor.live.get(at) else {
                continue;
            };
            let step = self.aims.get(aim).and_then(|a| a.steps.get(taken));
            if step.is_some_and(&fits) {
                self.editor.live.push((aim, taken + 1));
            }
        }
        (start, self.editor.live.len())
    }

    /// The aims that lead into the value that begins now.
    fn value_begins(&mut self) -> (usize, usize) {
        let Some(frame) = self.editor.frames.last_mut() else {
            let all = (0..self.aims.len()).map(|aim| (aim, 0));
            self.editor.live.extend(all);
            return (0, self.editor.live.len());
        };
        if frame.object {
            return self.named;
        }
        let index = frame.index;
        frame.index += 1;
        self.advance(|step| match step {
            Step::Index(wanted) => *wanted == index,
            Step::Each => true,
            Step::Member(_) => false,
        })
    }

    /// The first of the aims that ends here.
    fn ending(&self, (from, to): (usize, usize)) -> Option<usize> {
        let live = self.editor.live.get(from..to)?;
        let ends = |(aim, taken): &&(usize, usize)| {
            self.aims.get(*aim).is_some_and(|a| a.steps.len() == *taken)
        };
        // Aims are put on in their order.
        live.iter().find(ends).map(|(aim, _)| *aim)
    }

    fn forget(&mut self, (from, _): (usize, usize)) {
        self.editor.live.truncate(from);
        self.named = (from, from);
    }
}

impl Visit for Walk<'_> {
    fn name(&mut self, name: &[u8]) {
        if self.whole.is_some() {
            return;
        }
        let is = |wanted: &str| {
            if memchr::memchr(b'\\', name).is_none() {
                return name == wanted.as_bytes();
            }
            let mut quoted = Vec::with_capacity(name.len() + 2);
            quoted.push(b'"');
            quoted.extend_from_slice(name);
            quoted.push(b'"');
            serde_json::from_slice::<String>(&quoted).is_ok_and(|name| name == wanted)
        };
        self.named = self.advance(|step| match step {
            Step::Member(wanted) => is(wanted),
            Step::Each => true,
            Step::Index(_) => false,
        });
    }

    fn open(&mut self, at: usize, object: bool) {
        let mut into = (0, 0);
        if self.whole.is_none() {
            into = self.value_begins();
            if let Some(aim) = self.ending(into) {
                self.whole = Some((self.editor.frames.len(), at, aim));
            }
        }
        self.editor.frames.push(Frame {
            object,
            index: 0,
            from: into.0,
            to: into.1,
        });
    }

    fn close(&mut self, end: usize) {
        let Some(frame) = self.editor.frames.pop() else {
            return;
        };
        if let Some((outside, start, aim)) = self.whole {
            if self.editor.frames.len() > outside {
                return;
            }
            self.whole = None;
            if self.how(aim) != Disguise::Fake {
                self.editor.hits.push(Hit { start, end, aim });
            }
        }
        self.forget((frame.from, frame.to));
    }

    fn scalar(&mut self, start: usize, end: usize) {
        if let Some((_, _, aim)) = self.whole {
            if self.how(aim) == Disguise::Fake {
                self.editor.hits.push(Hit { start, end, aim });
            }
            return;
        }
        let into = self.value_begins();
        if let Some(aim) = self.ending(into) {
            self.editor.hits.push(Hit { start, end, aim });
        }
        self.forget(into);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::alter::path::MaskPath;
    use proptest::prelude::*;

    fn aims(paths: &[(&str, Disguise)]) -> Vec<Aim> {
        let aim = |(mask, (path, how)): (usize, &(&str, Disguise))| Aim {
            steps: path.parse::<MaskPath>().unwrap().steps,
            how: *how,
            mask,
        };
        paths.iter().enumerate().map(aim).collect()
    }

    fn edit(json: &str, paths: &[(&str, Disguise)]) -> (String, Vec<u64>) {
        let (mut out, mut seen) = (Vec::new(), vec![0; paths.len()]);
        let key = Hmac::new(b"a key");
        Editor::default().edit(json.as_bytes(), &aims(paths), &key, &mut seen, &mut out);
        (String::from_utf8(out).unwrap(), seen)
    }

    fn redacted(json: &str, paths: &[&str]) -> String {
        let paths: Vec<_> = paths.iter().map(|p| (*p, Disguise::Redact)).collect();
        edit(json, &paths).0
    }

    #[test]
    fn only_the_named_places_change() {
        let json = " {\"a\" : 1.10,\"b\":{\"c\":\"x\", \"a\":[1e400,\"\\u00e9\"]},\"a\":null}\n";
        assert_eq!(
            redacted(json, &[".value.x", ".value.b.x", ".value.a.b"]),
            json
        );
        assert_eq!(
            redacted(json, &[".value.b.c"]),
            json.replace("\"x\"", "\"***\"")
        );
        assert_eq!(
            redacted(json, &[".value.b.a[1]"]),
            json.replace("\"\\u00e9\"", "\"***\"")
        );
        // A repeated member is no way around; null has nothing to hide.
        assert_eq!(
            redacted(json, &[".value.a"]),
            json.replace("1.10", "\"***\"")
        );
    }

    #[test]
    fn elements_members_and_whole_containers_are_named() {
        let json = r#"{"items":[{"n":"a","q":1},{"n":"b"},3],"m":{"x":{"n":1},"y":[2]}}"#;
        assert_eq!(
            redacted(json, &[".value.items[].n", ".value.m[].n"]),
            r#"{"items":[{"n":"***","q":1},{"n":"***"},3],"m":{"x":{"n":"***"},"y":[2]}}"#
        );
        assert_eq!(
            redacted(json, &[".value.m", ".value.items[0]"]),
            r#"{"items":["***",{"n":"b"},3],"m":"***"}"#
        );
        assert_eq!(redacted("[1,[2,3]]", &[".value[][1]"]), "[1,[2,\"***\"]]");
        assert_eq!(redacted("\"all\"", &[".value"]), "\"***\"");
        assert_eq!(
            redacted(r#"{"e\u006dail":"a"}"#, &[".value.email"]),
            r#"{"e\u006dail":"***"}"#
        );
    }

    #[test]
    fn a_faked_container_keeps_its_shape() {
        let json = r#"{"p":{"name":"Ada Byron","age":36,"ok":true,"no":null},"q":1}"#;
        let (made, seen) = edit(json, &[(".value.p", Disguise::Fake)]);
        let made: serde_json::Value = serde_json::from_str(&made).unwrap();
        assert_ne!(made["p"]["name"], "Ada Byron");
        assert!(
            made["p"]["age"]
                .as_u64()
                .is_some_and(|n| (10..100).contains(&n))
        );
        assert!(made["p"]["ok"].is_boolean() && made["p"]["no"].is_null());
        assert_eq!(made["q"], 1);
        assert!(seen[0] > 0);
    }

    #[test]
    fn the_first_mask_of_a_place_counts() {
        let paths = [(".value.a", Disguise::Redact), (".value.a", Disguise::Hash)];
        assert_eq!(
            edit(r#"{"a":1}"#, &paths),
            (r#"{"a":"***"}"#.to_owned(), vec![1, 0])
        );
        let outer = [
            (".value.a.b", Disguise::Hash),
            (".value.a", Disguise::Redact),
        ];
        assert_eq!(edit(r#"{"a":{"b":1}}"#, &outer).0, r#"{"a":"***"}"#);
    }

    proptest! {
        /// The same places as a walk over the parsed value finds them.
        #[test]
        fn it_agrees_with_a_walk_over_the_parsed_value(
            json in any_json(), path in "\\.value(\\.[ab]|\\[\\]|\\[[01]\\]){1,3}"
        ) {
            let steps = path.parse::<MaskPath>().unwrap().steps;
            let mut expected: serde_json::Value = serde_json::from_str(&json).unwrap();
            redact(&mut expected, &steps);
            let made = redacted(&json, &[&path]);
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&made).unwrap(), expected);
        }
    }

    fn redact(value: &mut serde_json::Value, steps: &[Step]) {
        use serde_json::Value;
        let Some((step, rest)) = steps.split_first() else {
            if !value.is_null() {
                *value = "***".into();
            }
            return;
        };
        match (step, value) {
            (Step::Member(name), Value::Object(members)) => {
                members
                    .get_mut(name)
                    .into_iter()
                    .for_each(|v| redact(v, rest));
            }
            (Step::Index(index), Value::Array(all)) => {
                all.get_mut(*index)
                    .into_iter()
                    .for_each(|v| redact(v, rest));
            }
            (Step::Each, Value::Array(all)) => all.iter_mut().for_each(|v| redact(v, rest)),
            (Step::Each, Value::Object(all)) => all.values_mut().for_each(|v| redact(v, rest)),
            _ => {}
        }
    }

    fn any_json() -> impl Strategy<Value = String> {
        let leaf = prop_oneof![
            Just("1".to_owned()),
            Just("null".into()),
            Just("\"s\"".into())
        ];
        leaf.prop_recursive(4, 24, 3, |inner| {
            let members = prop::collection::btree_map("[abc]", inner.clone(), 0..3);
            prop_oneof![
                prop::collection::vec(inner, 0..3)
                    .prop_map(|all| format!("[ {} ]", all.join(", "))),
                members.prop_map(|all| {
                    let all: Vec<_> = all.iter().map(|(k, v)| format!("\"{k}\": {v}")).collect();
                    format!("{{{}}}", all.join(","))
                }),
            ]
        })
    }
}
