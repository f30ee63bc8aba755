//! Lays one JSON text over the tree of places.

use super::formats::Formats;
use super::shape::{Scalars, Shapes};
use crate::text::Visit;

/// Levels that are described; a schema has two levels for each, and those who use it have limits.
const LEVELS: usize = 40;

/// What is kept from event to event.
#[derive(Debug, Default)]
pub(super) struct Walker {
    /// The containers that are open, and whether they are objects; `None` where there is no place.
    open: Vec<(Option<usize>, bool)>,
}

impl Walker {
    /// `room`: so many places at most.
    pub(super) fn lay<'a>(
        &'a mut self,
        shapes: &'a mut Shapes,
        text: &'a [u8],
        room: usize,
    ) -> Laying<'a> {
        self.open.clear();
        Laying {
            open: &mut self.open,
            shapes,
            text,
            room,
            next: None,
        }
    }
}

/// One text on its way.
pub(super) struct Laying<'a> {
    open: &'a mut Vec<(Option<usize>, bool)>,
    shapes: &'a mut Shapes,
    text: &'a [u8],
    room: usize,
    /// The member whose value comes next.
    next: Option<usize>,
}

impl Laying<'_> {
    /// The place of the value that begins.
    fn begin(&mut self) -> Option<usize> {
        let place = match *self.open.last().unwrap_or(&(None, false)) {
            _ if self.open.is_empty() => self.shapes.root(self.room),
            (_, true) => self.next.take(),
            (container, false) => container.and_then(|c| self.shapes.items(c, self.room)),
        };
        if place.is_none() {
            self.shapes.lose();
        }
        place
    }
}

impl Visit for Laying<'_> {
    fn name(&mut self, name: &[u8]) {
        self.next = None;
        let Some((Some(object), _)) = self.open.last().copied() else {
            return;
        };
        let name = str::from_utf8(name).unwrap_or_default();
        self.next = if name.contains('\\') {
            self.shapes.member(object, &unescaped(name), self.room)
        } else {
            self.shapes.member(object, name, self.room)
        };
    }

    fn open(&mut self, _: usize, object: bool) {
        let mut place = self.begin();
        if let Some(shape) = place.and_then(|place| self.shapes.get_mut(place)) {
            if self.open.len() >= LEVELS {
                shape.anything = true;
                place = None;
            } else if object {
                shape.objects += 1;
            } else {
                shape.is_array = true;
            }
        }
        self.open.push((place, object));
    }

    fn close(&mut self, _: usize) {
        self.open.pop();
    }

    fn scalar(&mut self, start: usize, end: usize) {
        let Some(place) = self.begin() else { return };
        let Some(shape) = self.shapes.get_mut(place) else {
            return;
        };
        let text = self.text.get(start..end).unwrap_or_default();
        let scalar = match text {
            [b'n', ..] => Scalars::NULL,
            [b't' | b'f', ..] => Scalars::BOOLEAN,
            [b'"', inner @ .., _] => {
                let fit = if shape.scalars.has(Scalars::STRING) {
                    shape.formats
                } else {
                    Formats::ALL
                };
                shape.formats = fit.of(inner);
                Scalars::STRING
            }
            number if number.iter().any(|b| matches!(b, b'.' | b'e' | b'E')) => Scalars::NUMBER,
            _ => Scalars::INTEGER,
        };
        shape.scalars.0 |= scalar;
    }
}

/// What a name with escapes means; half of a surrogate pair is U+FFFD, as when it is validated.
pub(super) fn unescaped(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((plain, escape)) = rest.split_once('\\') {
        out.push_str(plain);
        let letter = escape.chars().next().unwrap_or('\\');
        rest = escape.get(letter.len_utf8()..).unwrap_or_default();
        match letter {
            'n' => out.push('\n'),
            'r' => out.push('\r'),
            't' => out.push('\t'),
            'b' => out.push('\u{8}'),
            'f' => out.push('\u{c}'),
            'u' => {
                let (c, after) = unicode(rest);
                out.push(c);
                rest = after;
            }
            other => out.push(other),
        }
    }
    out + rest
}

/// The character whose four digits begin the text, maybe with the other half of a pair behind.
fn unicode(text: &str) -> (char, &str) {
    let unit = |text: &str| u32::from_str_radix(text.get(..4)?, 16).ok();
    let first = unit(text).unwrap_or(0xFFFD);
    let after = text.get(4..).unwrap_or_default();
    if (0xD800..0xDC00).contains(&first)
        && let Some(second) = after.strip_prefix("\\u").and_then(unit)
        && (0xDC00..0xE000).contains(&second)
    {
        let both = 0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00);
        let c = char::from_u32(both).unwrap_or(char::REPLACEMENT_CHARACTER);
        return (c, after.get(6..).unwrap_or_default());
    }
    (
        char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER),
        after,
    )
}
