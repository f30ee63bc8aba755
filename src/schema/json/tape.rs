//! A JSON text as a flat list of its parts, so that it can be looked at again and again without a
//! tree. Judges nothing.

use crate::text::{JsonText, Visit};

/// Longer texts are not taken: places are kept in 32 bits, counts in 29.
const LONGEST: usize = 1 << 28;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Null,
    True,
    False,
    Number,
    String,
    Array,
    Object,
    /// The name of the member whose value is the next part.
    Name,
}

/// A part of the text. Those inside it stand between it and `next`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Part {
    /// The first byte; in names the one after the quote.
    pub start: u32,
    /// After the last byte; in names the closing quote.
    pub end: u32,
    /// The index of the first part that is not inside this one.
    pub next: u32,
    /// Kind in the lowest three bits, above them how many elements or members there are.
    word: u32,
}

impl Part {
    #[inline]
    pub fn kind(self) -> Kind {
        match self.word & 7 {
            0 => Kind::Null,
            1 => Kind::True,
            2 => Kind::False,
            3 => Kind::Number,
            4 => Kind::String,
            5 => Kind::Array,
            6 => Kind::Object,
            _ => Kind::Name,
        }
    }

    /// Elements of an array, members of an object with those that come twice; else 0.
    #[inline]
    pub fn count(self) -> u32 {
        self.word >> 3
    }

    /// What a string has between its quotes.
    #[inline]
    pub fn inside(self, text: &str) -> &str {
        text.get(self.start as usize + 1..(self.end as usize).saturating_sub(1))
            .unwrap_or_default()
    }

    /// As [`Part::of`], which has to look where characters begin.
    #[inline]
    pub fn bytes(self, text: &[u8]) -> &[u8] {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }

    /// The bytes of the part.
    #[inline]
    pub fn of(self, text: &str) -> &str {
        text.get(self.start as usize..self.end as usize)
            .unwrap_or_default()
    }
}

/// The parts of one text; the memory is kept for the next one.
#[derive(Debug, Default)]
pub(super) struct Tape {
    parts: Vec<Part>,
    open: Vec<Open>,
    deepest: usize,
    escapes: bool,
}

/// An open bracket: its part, and the count of what it stands in, itself included.
#[derive(Debug, Clone, Copy)]
struct Open {
    part: u32,
    outside: u32,
}

impl Tape {
    /// Takes the parts of a text in place of those that were here, and says whether it is JSON at
    /// all; `None` also when it is too long, and there are no parts then.
    pub fn read<'a>(&mut self, bytes: &'a [u8]) -> Option<JsonText<'a>> {
        self.parts.clear();
        self.open.clear();
        self.deepest = 0;
        if bytes.len() > LONGEST {
            return None;
        }
        self.escapes = memchr::memchr(b'\\', bytes).is_some();
        let mut filler = Filler {
            tape: self,
            bytes,
            count: 0,
        };
        let text = JsonText::walk(bytes, &mut filler);
        if text.is_none() {
            self.parts.clear();
        }
        text
    }

    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// False when surely no name or string is escaped.
    pub fn has_escapes(&self) -> bool {
        self.escapes
    }

    /// How many arrays and objects are inside each other at most.
    pub fn deepest(&self) -> usize {
        self.deepest
    }
}

/// Fills a tape while the text is walked.
struct Filler<'a> {
    tape: &'a mut Tape,
    bytes: &'a [u8],
    /// What was counted in the innermost open bracket.
    count: u32,
}

impl Filler<'_> {
    #[inline]
    fn push(&mut self, start: usize, end: usize, kind: Kind) {
        let next = self.tape.parts.len() as u32 + 1;
        self.tape.parts.push(Part {
            start: start as u32,
            end: end as u32,
            next,
            word: kind as u32,
        });
    }
}

impl Visit for Filler<'_> {
    #[inline]
    fn name(&mut self, name: &[u8]) {
        // A name is a piece of the text: where it is tells its address.
        let start = name
            .as_ptr()
            .addr()
            .wrapping_sub(self.bytes.as_ptr().addr());
        self.push(start, start + name.len(), Kind::Name);
    }

    #[inline]
    fn open(&mut self, at: usize, object: bool) {
        let kind = if object { Kind::Object } else { Kind::Array };
        self.tape.open.push(Open {
            part: self.tape.parts.len() as u32,
            outside: self.count + 1,
        });
        self.tape.deepest = self.tape.deepest.max(self.tape.open.len());
        self.count = 0;
        self.push(at, at, kind);
    }

    #[inline]
    fn close(&mut self, end: usize) {
        let next = self.tape.parts.len() as u32;
        let Some(open) = self.tape.open.pop() else {
            return;
        };
        if let Some(part) = self.tape.parts.get_mut(open.part as usize) {
            part.end = end as u32;
            part.next = next;
            part.word |= self.count << 3;
        }
        self.count = open.outside;
    }

    #[inline]
    fn scalar(&mut self, start: usize, end: usize) {
        self.count += 1;
        let kind = match self.bytes.get(start) {
            Some(b'"') => Kind::String,
            Some(b't') => Kind::True,
            Some(b'f') => Kind::False,
            Some(b'n') => Kind::Null,
            _ => Kind::Number,
        };
        self.push(start, end, kind);
    }
}
