//! The grammar of JSON, read from front to back without recursion. What ends a string is found
//! ahead, 64 bytes at a time, so that no step has to wait for the end of the string before it.

use super::{JsonFault, MAX_DEPTH, Visit, What, is_space};
use crate::text::scan;

/// What the innermost open bracket is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    Nothing,
    Array,
    Object,
}

/// What was open outside the innermost: one bit a level, set for an object.
struct Outside {
    bits: [u64; MAX_DEPTH / 64],
    depth: usize,
}

impl Outside {
    /// False when it is full.
    #[inline]
    fn push(&mut self, outer: Inside) -> bool {
        let Some(word) = self.bits.get_mut(self.depth / 64) else {
            return false;
        };
        let bit = 1 << (self.depth % 64);
        *word = match outer {
            Inside::Object => *word | bit,
            Inside::Array | Inside::Nothing => *word & !bit,
        };
        self.depth += 1;
        true
    }

    #[inline]
    fn pop(&mut self) -> Inside {
        // The outermost bracket stands in nothing.
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0 {
            return Inside::Nothing;
        }
        let word = self.bits.get(self.depth / 64).copied().unwrap_or(0);
        if word >> (self.depth % 64) & 1 == 1 {
            Inside::Object
        } else {
            Inside::Array
        }
    }
}

// The functions below take the place where they begin and give the place after what they read, so
// that it stays in a register. Where they give nothing, they have noted the fault.

#[cold]
fn fail(fault: &mut JsonFault, at: usize, what: What) -> Option<usize> {
    *fault = JsonFault { at, what };
    None
}

/// Reads the whole text, and shows its parts in their order.
#[inline]
pub(super) fn document(
    bytes: &[u8],
    fault: &mut JsonFault,
    visit: &mut impl Visit,
) -> Option<usize> {
    let mut outside = Outside {
        bits: [0; MAX_DEPTH / 64],
        depth: 0,
    };
    let mut marks = Marks::new(bytes);
    let controls = scan::has_control(bytes);
    let (mut inside, mut name) = (Inside::Nothing, false);
    let mut at = 0;
    loop {
        at = space(bytes, at);
        let first = byte(bytes, at);
        if first == b'"' {
            let end = string(bytes, &mut marks, fault)?;
            if controls {
                no_control(bytes, at, end, fault)?;
            }
            let start = std::mem::replace(&mut at, end);
            if name {
                visit.name(bytes.get(start + 1..end - 1).unwrap_or_default());
                at = space(bytes, at);
                if byte(bytes, at) != b':' {
                    return fail(fault, at, What::Colon);
                }
                at += 1;
                name = false;
                continue;
            }
            visit.scalar(start, end);
        } else if name {
            return fail(fault, at, What::Name);
        } else if first == b'{' || first == b'[' {
            if !outside.push(inside) {
                return fail(fault, at, What::Depth);
            }
            visit.open(at, first == b'{');
            at = space(bytes, at + 1);
            // A closing bracket is two after its opening one in ASCII.
            let empty = byte(bytes, at) == first + 2;
            inside = if first == b'{' {
                Inside::Object
            } else {
                Inside::Array
            };
            if !empty {
                name = first == b'{';
                continue;
            }
        } else {
            let end = scalar(bytes, at, fault)?;
            visit.scalar(at, end);
            at = end;
        }
        // What may follow a value: closing brackets, then a comma, or the end.
        loop {
            at = space(bytes, at);
            let after = byte(bytes, at);
            if after == b',' && inside != Inside::Nothing {
                at += 1;
                name = inside == Inside::Object;
                break;
            }
            match (inside, after) {
                (Inside::Object, b'}') | (Inside::Array, b']') => {
                    at += 1;
                    inside = outside.pop();
                    visit.close(at);
                }
                (Inside::Nothing, _) if at == bytes.len() => return Some(at),
                (Inside::Nothing, _) => return fail(fault, at, What::After),
                (Inside::Object, _) => return fail(fault, at, What::CommaOrBrace),
                (Inside::Array, _) => return fail(fault, at, What::CommaOrBracket),
            }
        }
    }
}

fn scalar(bytes: &[u8], at: usize, fault: &mut JsonFault) -> Option<usize> {
    match byte(bytes, at) {
        b'-' | b'0'..=b'9' => number(bytes, at, fault),
        b't' => literal(bytes, at, b"true", fault),
        b'f' => literal(bytes, at, b"false", fault),
        b'n' => literal(bytes, at, b"null", fault),
        _ => fail(fault, at, What::Value),
    }
}

fn no_control(bytes: &[u8], start: usize, end: usize, fault: &mut JsonFault) -> Option<usize> {
    let text = bytes.get(start..end).unwrap_or_default();
    match text.iter().position(|b| *b < 0x20) {
        Some(place) => fail(fault, start + place, What::Control),
        None => Some(end),
    }
}

/// The places of quotes and backslashes, in order.
struct Marks<'a> {
    bytes: &'a [u8],
    /// Where the block begins whose marks are in `bits`.
    base: usize,
    bits: u64,
}

impl<'a> Marks<'a> {
    #[inline]
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            base: 0,
            bits: scan::marks(bytes),
        }
    }

    /// The next place; the end when there is none.
    #[inline]
    fn next(&mut self) -> usize {
        while self.bits == 0 {
            self.base += 64;
            match self.bytes.get(self.base..) {
                Some(rest) if !rest.is_empty() => self.bits = scan::marks(rest),
                _ => {
                    self.base = self.bytes.len();
                    return self.base;
                }
            }
        }
        let place = self.base + self.bits.trailing_zeros() as usize;
        self.bits &= self.bits - 1;
        place
    }
}

/// The byte there; beyond the end 0, which is valid nowhere.
#[inline]
fn byte(bytes: &[u8], at: usize) -> u8 {
    bytes.get(at).copied().unwrap_or(0)
}

#[inline]
fn space(bytes: &[u8], mut at: usize) -> usize {
    while bytes.get(at).is_some_and(|&b| b <= b' ' && is_space(b)) {
        at += 1;
    }
    at
}

/// From the opening quote, which is the next mark, to after the closing one.
#[inline]
fn string(bytes: &[u8], marks: &mut Marks<'_>, fault: &mut JsonFault) -> Option<usize> {
    marks.next();
    loop {
        let mark = marks.next();
        match bytes.get(mark) {
            Some(b'"') => return Some(mark + 1),
            Some(_) => {
                escape(bytes, mark + 1, fault)?;
                // An escaped quote or backslash is a mark of its own.
                if matches!(byte(bytes, mark + 1), b'"' | b'\\') {
                    marks.next();
                }
            }
            None => return fail(fault, mark, What::Unfinished),
        }
    }
}

/// What follows a backslash.
fn escape(bytes: &[u8], at: usize, fault: &mut JsonFault) -> Option<usize> {
    match byte(bytes, at) {
        b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => Some(at + 1),
        b'u' => {
            for at in at + 1..at + 5 {
                if !byte(bytes, at).is_ascii_hexdigit() {
                    return fail(fault, at, What::Escape);
                }
            }
            Some(at + 5)
        }
        _ => fail(fault, at, What::Escape),
    }
}

#[inline]
fn number(bytes: &[u8], mut at: usize, fault: &mut JsonFault) -> Option<usize> {
    if byte(bytes, at) == b'-' {
        at += 1;
    }
    if byte(bytes, at) == b'0' {
        at += 1;
    } else {
        at = digits(bytes, at, fault)?;
    }
    if byte(bytes, at) == b'.' {
        at = digits(bytes, at + 1, fault)?;
    }
    if matches!(byte(bytes, at), b'e' | b'E') {
        at += 1;
        if matches!(byte(bytes, at), b'+' | b'-') {
            at += 1;
        }
        at = digits(bytes, at, fault)?;
    }
    Some(at)
}

#[inline]
fn digits(bytes: &[u8], start: usize, fault: &mut JsonFault) -> Option<usize> {
    let mut at = start;
    while byte(bytes, at).is_ascii_digit() {
        at += 1;
    }
    if at == start {
        return fail(fault, at, What::Digit);
    }
    Some(at)
}

fn literal(bytes: &[u8], at: usize, word: &[u8], fault: &mut JsonFault) -> Option<usize> {
    if !bytes.get(at..).is_some_and(|rest| rest.starts_with(word)) {
        return fail(fault, at, What::Value);
    }
    Some(at + word.len())
}
