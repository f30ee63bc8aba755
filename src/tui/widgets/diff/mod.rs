//! Two events side by side: where they stand, keys, headers, then values: JSON by structure, text
//! by lines, bytes by the first that differs. What is large is bounded; it belongs on a worker.

mod beside;
mod ignore;
mod json;
mod lines;
mod number;
mod report;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::collections::HashMap;
use std::time::Duration;

use json::Document;
use lines::Edit;
use report::lead;

use super::tree::{Index, push_index, push_name};
use crate::event::{Decoded, EventRef, Headers, PositionStyle};
use crate::schema::Decoder;
use crate::text::{human, push_string};

pub use beside::{Beside, beside};
pub use report::{Diff, Kind, MOST_ROWS, Piece, Row, Summary};

/// What is compared and told.
#[derive(Clone, Default)]
pub struct Options {
    /// Tell what is the same too.
    pub all: bool,
    /// Paths of the event object to pass over, with what is in them; a star is any text.
    pub ignore: Vec<String>,
    pub decoder: Decoder,
}

/// Compares two events.
pub fn diff(old: &EventRef<'_>, new: &EventRef<'_>, options: &Options) -> Diff {
    let mut to = Comparison {
        options,
        diff: Diff::default(),
    };
    to.places(old, new);
    let (mut before, mut after) = (options.decoder.looker(), options.decoder.looker());
    let (a, b) = (before.see(old), after.see(new));
    to.data(".key", a.key.data, b.key.data);
    to.headers(old.headers, new.headers);
    to.data(".value", a.value.data, b.value.data);
    to.diff
}

/// A comparison on its way.
struct Comparison<'a> {
    options: &'a Options,
    diff: Diff,
}

impl Comparison<'_> {
    fn all(&self) -> bool {
        self.options.all
    }

    fn is_ignored(&self, path: &str) -> bool {
        ignore::is_ignored(&self.options.ignore, path)
    }

    fn tell(&mut self, mut row: Row) {
        if row.kind != Kind::Same && self.is_ignored(&row.path) {
            row.kind = Kind::Ignored;
        }
        match row.kind {
            Kind::Same if !self.all() => {}
            Kind::Ignored if !self.all() => self.diff.pass_over(),
            _ => self.diff.push(row),
        }
    }

    /// Tells two values apart that have no parts.
    fn leaf(&mut self, path: &str, old: Option<&str>, new: Option<&str>, note: Cow<'static, str>) {
        let kind = match (old, new) {
            (Some(_), None) => Kind::Removed,
            (None, Some(_)) => Kind::Added,
            (old, new) if old == new => Kind::Same,
            _ => Kind::Changed,
        };
        let from = match (kind, old, new) {
            (Kind::Changed, Some(old), Some(new)) => lead(old.as_bytes(), new.as_bytes()),
            _ => 0,
        };
        let piece = |text: &str| Piece::plain(text.as_bytes(), from);
        self.tell(Row {
            kind,
            path: path.to_owned(),
            old: old.map(piece),
            new: new.filter(|_| kind != Kind::Same).map(piece),
            note,
        });
    }

    fn places(&mut self, old: &EventRef<'_>, new: &EventRef<'_>) {
        let topic = |event: &EventRef<'_>| quoted(&event.stream.topic);
        let partition = |event: &EventRef<'_>| event.stream.partition.to_string();
        let offset = |event: &EventRef<'_>| {
            let text = event.position.display(event.stream.style).to_string();
            match event.stream.style {
                PositionStyle::Offset => text,
                PositionStyle::Entry => quoted(&text),
            }
        };
        for (path, old, new) in [
            (".topic", topic(old), topic(new)),
            (".partition", partition(old), partition(new)),
            (".offset", offset(old), offset(new)),
        ] {
            self.leaf(path, Some(&old), Some(&new), Cow::Borrowed(""));
        }
        let (a, b) = (time(old), time(new));
        self.leaf(".time", Some(&a), Some(&b), later(old, new));
    }

    fn headers(&mut self, old: Headers<'_>, new: Headers<'_>) {
        let (olds, news) = (by_name(old), by_name(new));
        let mut differ = false;
        let only_new = news.iter().filter(|(name, _)| !olds.has(name));
        for (name, values) in olds.iter().chain(only_new) {
            let none = Vec::new();
            let (a, b) = if olds.has(name) {
                (values, news.get(name).unwrap_or(&none))
            } else {
                (&none, values)
            };
            let long = a.len().max(b.len());
            for i in 0..long {
                let mut path = ".headers".to_owned();
                push_name(&mut path, quoted(&String::from_utf8_lossy(name)).as_bytes());
                if long > 1 {
                    push_index(&mut path, i);
                }
                let (a, b) = (a.get(i), b.get(i));
                differ |= a != b;
                let (a, b) = (a.map(|v| header(*v)), b.map(|v| header(*v)));
                self.leaf(&path, a.as_deref(), b.as_deref(), Cow::Borrowed(""));
            }
        }
        if !differ && !old.iter().eq(new) {
            self.tell(Row {
                kind: Kind::Notation,
                path: ".headers".to_owned(),
                old: None,
                new: None,
                note: Cow::Borrowed("in another order"),
            });
        }
    }

    fn data(&mut self, path: &str, old: Decoded<'_>, new: Decoded<'_>) {
        match (old, new) {
            (Decoded::Json(a), Decoded::Json(b)) => self.json(path, a.as_bytes(), b.as_bytes()),
            (Decoded::Text(a), Decoded::Text(b)) if a.contains('\n') || b.contains('\n') => {
                self.text(path, a, b);
            }
            (Decoded::Binary(a), Decoded::Binary(b)) => self.binary(path, a, b),
            (a, b) => {
                let (a, b) = if same_kind(a, b) {
                    (plain(a), plain(b))
                } else {
                    (named(a), named(b))
                };
                self.leaf(path, Some(&a), Some(&b), Cow::Borrowed(""));
            }
        }
    }

    fn json(&mut self, path: &str, old: &[u8], new: &[u8]) {
        let document = |bytes| Index::new(bytes).map(|index| Document { bytes, index });
        match (document(old), document(new)) {
            (Ok(old), Ok(new)) => json::compare(self, path, &old, &new),
            _ => self.whole(path, old, new, "too large to compare by parts"),
        }
    }

    fn whole(&mut self, path: &str, old: &[u8], new: &[u8], note: &'static str) {
        let from = lead(old, new);
        self.tell(Row {
            kind: if old == new {
                Kind::Same
            } else {
                Kind::Changed
            },
            path: path.to_owned(),
            old: Some(Piece::plain(old, from)),
            new: (old != new).then(|| Piece::plain(new, from)),
            note: Cow::Borrowed(note),
        });
    }

    fn text(&mut self, path: &str, old: &str, new: &str) {
        if self.is_ignored(path) {
            self.leaf(path, Some(old), Some(new), Cow::Borrowed(""));
            return;
        }
        let olds: Vec<&str> = old.split('\n').collect();
        let news: Vec<&str> = new.split('\n').collect();
        let line = |lines: &[&str], i: usize| {
            let text = lines.get(i).copied().unwrap_or_default();
            Piece::plain(text.as_bytes(), 0)
        };
        for edit in lines::edits(&olds, &news) {
            let (kind, number, old, new) = match edit {
                Edit::Same(i, _) => (Kind::Same, i, Some(line(&olds, i)), None),
                Edit::Removed(i) => (Kind::Removed, i, Some(line(&olds, i)), None),
                Edit::Added(j) => (Kind::Added, j, None, Some(line(&news, j))),
            };
            self.tell(Row {
                kind,
                path: format!("{path} line {}", number + 1),
                old,
                new,
                note: Cow::Borrowed(""),
            });
        }
    }

    fn binary(&mut self, path: &str, old: &[u8], new: &[u8]) {
        let at = old.iter().zip(new).take_while(|(a, b)| a == b).count();
        let same = old == new;
        let note = if same {
            String::new()
        } else {
            format!("from byte {}", human::count(at as u64))
        };
        let around = |bytes: &[u8]| {
            let from = if same { 0 } else { at };
            let few = bytes.iter().skip(from).take(16);
            let digits: Vec<String> = few.map(|byte| format!("{byte:02x}")).collect();
            format!("{} ({})", digits.join(" "), human::size(bytes.len() as u64))
        };
        self.leaf(path, Some(&around(old)), Some(&around(new)), note.into());
    }
}

/// The values of one name, null told from empty.
type Values<'a> = Vec<Option<&'a [u8]>>;

/// The values of each name in their order, names in the order in which they come first.
#[derive(Default)]
struct ByName<'a> {
    names: Vec<(&'a [u8], Values<'a>)>,
    places: HashMap<&'a [u8], usize>,
}

impl<'a> ByName<'a> {
    fn iter(&self) -> impl Iterator<Item = &(&'a [u8], Values<'a>)> {
        self.names.iter()
    }

    fn has(&self, name: &[u8]) -> bool {
        self.places.contains_key(name)
    }

    fn get(&self, name: &[u8]) -> Option<&Values<'a>> {
        let place = self.places.get(name)?;
        self.names.get(*place).map(|(_, values)| values)
    }
}

fn by_name(headers: Headers<'_>) -> ByName<'_> {
    let mut all = ByName::default();
    for (name, value) in headers {
        let next = all.names.len();
        let place = *all.places.entry(name).or_insert(next);
        match all.names.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => all.names.push((name, vec![value])),
        }
    }
    all
}

/// A text as JSON writes it, which tells empty from absent.
fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    push_string(&mut out, text);
    String::from_utf8(out).unwrap_or_default()
}

fn bytes(bytes: &[u8]) -> String {
    let mut out = Vec::new();
    crate::text::write_visible(&mut out, bytes);
    String::from_utf8(out).unwrap_or_default()
}

fn header(value: Option<&[u8]>) -> String {
    match value.map(|value| (str::from_utf8(value), value)) {
        None => "null".to_owned(),
        Some((Ok(text), _)) => quoted(text),
        Some((Err(_), value)) => bytes(value),
    }
}

fn time(event: &EventRef<'_>) -> String {
    let Some(time) = event.time() else {
        return "null".to_owned();
    };
    let mut out = Vec::new();
    time.write_rfc3339(&mut out);
    String::from_utf8(out).unwrap_or_default()
}

/// How much later the new one is.
fn later(old: &EventRef<'_>, new: &EventRef<'_>) -> Cow<'static, str> {
    let (Some(a), Some(b)) = (old.time(), new.time()) else {
        return Cow::Borrowed("");
    };
    let apart = human::duration(Duration::from_millis(a.0.abs_diff(b.0)));
    match a.cmp(&b) {
        std::cmp::Ordering::Less => format!("{apart} later").into(),
        std::cmp::Ordering::Equal => Cow::Borrowed(""),
        std::cmp::Ordering::Greater => format!("{apart} earlier").into(),
    }
}

fn same_kind(a: Decoded<'_>, b: Decoded<'_>) -> bool {
    std::mem::discriminant(&a) == std::mem::discriminant(&b)
}

fn plain(data: Decoded<'_>) -> String {
    match data {
        Decoded::Null => "null".to_owned(),
        Decoded::Json(json) => bytes(json.as_bytes()),
        Decoded::Text(text) => quoted(text),
        Decoded::Binary(raw) => bytes(raw),
    }
}

/// With its kind in front: the two are of different kinds.
fn named(data: Decoded<'_>) -> String {
    let kind = match data {
        Decoded::Null => return "null".to_owned(),
        Decoded::Json(_) => "JSON",
        Decoded::Text(_) => "text",
        Decoded::Binary(_) => "bytes",
    };
    format!("{kind} {}", plain(data))
}
