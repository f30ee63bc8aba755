//! Regular expressions that mean the same to the regex crate as to jaq's own engine: that one
//! knows ASCII classes only. All others are left to jq.

use regex::bytes::{Regex, RegexBuilder};

/// Characters that stand for themselves in both.
const PLAIN: &[u8] = b" _,;:/@#%&=<>!\"'`~";
/// More repetitions than this, multiplied, and the engines may differ on what is too large.
const MAX_REPEATS: usize = 1000;

/// Translates a pattern; `None` when it has something that could differ.
pub(super) fn compile(pattern: &str, ignore_case: bool) -> Option<Regex> {
    if pattern.len() > MAX_REPEATS || !pattern.is_ascii() {
        return None;
    }
    let mut translation = Translation {
        rest: pattern.as_bytes(),
        out: String::new(),
        ignore_case,
        repeats: 1,
        groups: 0,
        after: After::Nothing,
    };
    translation.run()?;
    // Without Unicode's classes and case rules, but on characters, as jaq's.
    RegexBuilder::new(&translation.out).build().ok()
}

/// The text that a pattern is, where it is nothing but text.
pub(in crate::query) fn literal(pattern: &str) -> Option<&[u8]> {
    let plain = |b: &u8| b.is_ascii_alphanumeric() || *b == b'-' || PLAIN.contains(b);
    let text = pattern.as_bytes();
    text.iter().all(plain).then_some(text)
}

/// What stands before: whether a repetition may follow.
#[derive(Clone, Copy, PartialEq, Eq)]
enum After {
    Nothing,
    Atom,
    Repetition,
}

struct Translation<'p> {
    rest: &'p [u8],
    out: String,
    ignore_case: bool,
    repeats: usize,
    groups: usize,
    after: After,
}

impl Translation<'_> {
    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.rest.split_first()?;
        self.rest = rest;
        Some(*first)
    }

    fn run(&mut self) -> Option<()> {
        while let Some(byte) = self.next() {
            match byte {
                b'^' | b'$' => self.put(char::from(byte).encode_utf8(&mut [0; 4]), After::Nothing),
                b'|' => self.put("|", After::Nothing),
                b'(' => {
                    self.groups += 1;
                    if self.groups > 20 {
                        return None;
                    }
                    if let Some(rest) = self.rest.strip_prefix(b"?:") {
                        self.rest = rest;
                    } else if self.rest.first() == Some(&b'?') {
                        return None;
                    }
                    self.put("(?:", After::Nothing);
                }
                b')' => self.put(")", After::Atom),
                b'.' => self.put(".", After::Atom),
                b'*' | b'+' | b'?' | b'{' => self.repetition(byte)?,
                b'[' => self.class()?,
                b'\\' => {
                    let class = self.escape()?;
                    self.put(&class, After::Atom);
                }
                other if literal_byte(other) => {
                    let class = self.one(other);
                    self.put(&class, After::Atom);
                }
                _ => return None,
            }
        }
        Some(())
    }

    fn put(&mut self, text: &str, after: After) {
        self.out.push_str(text);
        self.after = after;
    }

    /// A character, in both cases if asked for.
    fn one(&self, byte: u8) -> String {
        let (lower, upper) = (byte.to_ascii_lowercase(), byte.to_ascii_uppercase());
        if self.ignore_case && lower != upper {
            format!("[{}{}]", char::from(lower), char::from(upper))
        } else {
            regex::escape(char::from(byte).encode_utf8(&mut [0; 4]))
        }
    }

    fn escape(&mut self) -> Option<String> {
        Some(match self.next()? {
            b'd' => "[0-9]".to_owned(),
            b'w' => "[0-9A-Za-z_]".to_owned(),
            b's' => r"[\t\n\x0B\x0C\r ]".to_owned(),
            b'n' => r"\n".to_owned(),
            b't' => r"\t".to_owned(),
            b'r' => r"\r".to_owned(),
            sign if b"\\.+*?()|[]{}^$#&-~/".contains(&sign) => {
                regex::escape(char::from(sign).encode_utf8(&mut [0; 4]))
            }
            _ => return None,
        })
    }

    fn repetition(&mut self, byte: u8) -> Option<()> {
        match (byte, self.after) {
            // Lazy: the same texts match.
            (b'?', After::Repetition) => {
                self.after = After::Nothing;
                return Some(());
            }
            (_, After::Atom) => {}
            _ => return None,
        }
        let mut text = char::from(byte).to_string();
        if byte == b'{' {
            let end = self.rest.iter().position(|&b| b == b'}')?;
            let (bounds, rest) = self.rest.split_at(end + 1);
            self.rest = rest;
            let bounds = str::from_utf8(bounds).ok()?;
            let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
            let (low, high) = match bounds[..end].split_once(',') {
                None => (&bounds[..end], None),
                Some((low, "")) => (low, None),
                Some((low, high)) => (low, Some(high)),
            };
            if !digits(low) || !high.is_none_or(digits) {
                return None;
            }
            let most: usize = high.unwrap_or(low).parse().ok()?;
            self.repeats = self.repeats.checked_mul(most.max(1))?;
            if self.repeats > MAX_REPEATS {
                return None;
            }
            text.push_str(bounds);
        }
        self.put(&text, After::Repetition);
        Some(())
    }

    /// A class of plain characters, ranges and known escapes.
    fn class(&mut self) -> Option<()> {
        let mut text = "[".to_owned();
        if let Some(rest) = self.rest.strip_prefix(b"^") {
            self.rest = rest;
            text.push('^');
        }
        let mut empty = true;
        loop {
            match self.next()? {
                b']' if !empty => break,
                b'\\' => {
                    let escape = self.escape()?;
                    text.push_str(&escape);
                }
                low if low.is_ascii_alphanumeric() => {
                    let high = match self.rest {
                        [b'-', high, ..] if high.is_ascii_alphanumeric() => {
                            self.rest = &self.rest[2..];
                            *high
                        }
                        [b'-', ..] => return None,
                        _ => low,
                    };
                    text.push_str(&self.range(low, high)?);
                }
                plain if PLAIN.contains(&plain) || plain == b'.' => {
                    text.push_str(&regex::escape(char::from(plain).encode_utf8(&mut [0; 4])));
                }
                _ => return None,
            }
            empty = false;
        }
        text.push(']');
        self.put(&text, After::Atom);
        Some(())
    }

    /// A range of letters or digits, in both cases if asked for.
    fn range(&self, low: u8, high: u8) -> Option<String> {
        let alike = (low.is_ascii_digit() && high.is_ascii_digit())
            || (low.is_ascii_lowercase() && high.is_ascii_lowercase())
            || (low.is_ascii_uppercase() && high.is_ascii_uppercase());
        if !alike || low > high {
            return None;
        }
        let written = |low: u8, high: u8| format!("{}-{}", char::from(low), char::from(high));
        let mut text = written(low, high);
        if self.ignore_case && low.is_ascii_alphabetic() {
            text = written(low.to_ascii_lowercase(), high.to_ascii_lowercase());
            text += &written(low.to_ascii_uppercase(), high.to_ascii_uppercase());
        }
        Some(text)
    }
}

fn literal_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-' || PLAIN.contains(&byte)
}
