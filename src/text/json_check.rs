//! Is this one JSON text (RFC 8259)? Answered without recursion and without building anything: a
//! parser that recurses or builds can be made to abort the process by one event.

use std::fmt;

use super::json;
use super::scan::{self, StringEnd};

/// Arrays and objects inside each other; what is nested deeper is treated as text, so that no
/// parser further on can run out of stack.
pub const MAX_DEPTH: usize = 512;

/// Bytes that were found to be one valid JSON text, UTF-8 included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct JsonText<'a> {
    bytes: &'a [u8],
    /// Printable ASCII throughout, so that it can be copied as it is.
    plain: bool,
}

/// Why bytes are no JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{what} at byte {at}")]
pub struct JsonFault {
    pub at: usize,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Value,
    Name,
    Colon,
    CommaOrBrace,
    CommaOrBracket,
    Digit,
    Escape,
    Control,
    Unfinished,
    After,
    Depth,
    Utf8,
}

impl fmt::Display for What {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Value => "expected a value",
            Self::Name => "expected a member name in quotes",
            Self::Colon => "expected ':'",
            Self::CommaOrBrace => "expected ',' or '}'",
            Self::CommaOrBracket => "expected ',' or ']'",
            Self::Digit => "expected a digit",
            Self::Escape => "not an escape sequence",
            Self::Control => "a raw control character in a string",
            Self::Unfinished => "the text ends early",
            Self::After => "something follows the value",
            Self::Depth => "nested deeper than 512 levels",
            Self::Utf8 => "not UTF-8",
        })
    }
}

impl<'a> JsonText<'a> {
    /// Checks the whole of `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, JsonFault> {
        let makeup = scan::makeup(bytes);
        if !makeup.ascii
            && let Err(error) = str::from_utf8(bytes)
        {
            return Err(JsonFault {
                at: error.valid_up_to(),
                what: What::Utf8,
            });
        }
        let mut scanner = Scanner { bytes, at: 0 };
        match scanner.document() {
            Ok(()) => Ok(Self {
                bytes,
                plain: makeup.plain,
            }),
            Err(what) => Err(JsonFault {
                at: scanner.at.min(bytes.len()),
                what: if scanner.at >= bytes.len() {
                    What::Unfinished
                } else {
                    what
                },
            }),
        }
    }

    /// True when the bytes can begin a JSON text: a cheap no for most other texts.
    pub fn may_be(bytes: &[u8]) -> bool {
        let first = bytes.iter().find(|b| !is_space(**b));
        first.is_some_and(|b| {
            matches!(
                b,
                b'{' | b'[' | b'"' | b'-' | b'0'..=b'9' | b't' | b'f' | b'n'
            )
        })
    }

    pub const fn as_bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// Appends the text as one line, safe to print; see [`super::push_value`].
    #[inline]
    pub fn write(&self, out: &mut Vec<u8>) {
        if self.plain {
            out.extend_from_slice(self.bytes);
        } else {
            json::push_value(out, self.bytes);
        }
    }
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\r' | b'\t')
}

/// One bit a level: set for an object, clear for an array.
struct Stack {
    bits: [u64; MAX_DEPTH / 64],
    depth: usize,
}

impl Stack {
    #[inline]
    fn push(&mut self, object: bool) -> Result<(), What> {
        let word = self.bits.get_mut(self.depth / 64).ok_or(What::Depth)?;
        let bit = 1 << (self.depth % 64);
        *word = if object { *word | bit } else { *word & !bit };
        self.depth += 1;
        Ok(())
    }

    /// Whether the innermost open one is an object; `None` when none is open.
    #[inline]
    fn object(&self) -> Option<bool> {
        let top = self.depth.checked_sub(1)?;
        let word = self.bits.get(top / 64)?;
        Some(word >> (top % 64) & 1 == 1)
    }
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn document(&mut self) -> Result<(), What> {
        let mut stack = Stack {
            bits: [0; MAX_DEPTH / 64],
            depth: 0,
        };
        loop {
            if self.value(&mut stack)? && self.close(&mut stack)? {
                break;
            }
        }
        if self.at < self.bytes.len() {
            return Err(What::After);
        }
        Ok(())
    }

    /// Reads a value up to its end (true), or an opening bracket and what must follow it before
    /// the first value inside (false).
    #[inline]
    fn value(&mut self, stack: &mut Stack) -> Result<bool, What> {
        match self.after_space() {
            b'"' => self.string()?,
            b'{' => {
                stack.push(true)?;
                self.at += 1;
                if self.after_space() != b'}' {
                    self.name()?;
                    return Ok(false);
                }
                stack.depth -= 1;
                self.at += 1;
            }
            b'[' => {
                stack.push(false)?;
                self.at += 1;
                if self.after_space() != b']' {
                    return Ok(false);
                }
                stack.depth -= 1;
                self.at += 1;
            }
            b'-' | b'0'..=b'9' => self.number()?,
            b't' => self.literal(b"true")?,
            b'f' => self.literal(b"false")?,
            b'n' => self.literal(b"null")?,
            _ => return Err(What::Value),
        }
        Ok(true)
    }

    /// Reads what may follow a value: closing brackets, then a comma (and a name). True when the
    /// text is complete.
    #[inline]
    fn close(&mut self, stack: &mut Stack) -> Result<bool, What> {
        loop {
            let byte = self.after_space();
            match (stack.object(), byte) {
                (None, _) => return Ok(true),
                (Some(true), b',') => {
                    self.at += 1;
                    self.after_space();
                    self.name()?;
                    return Ok(false);
                }
                (Some(false), b',') => {
                    self.at += 1;
                    return Ok(false);
                }
                (Some(true), b'}') | (Some(false), b']') => {
                    self.at += 1;
                    stack.depth -= 1;
                }
                (Some(true), _) => return Err(What::CommaOrBrace),
                (Some(false), _) => return Err(What::CommaOrBracket),
            }
        }
    }

    /// The byte here; 0, which is valid nowhere outside a string, beyond the end.
    #[inline]
    fn byte(&self) -> u8 {
        self.bytes.get(self.at).copied().unwrap_or(0)
    }

    /// Skips white space and returns the byte after it.
    #[inline]
    fn after_space(&mut self) -> u8 {
        let mut byte = self.byte();
        while is_space(byte) {
            self.at += 1;
            byte = self.byte();
        }
        byte
    }

    /// A member name and its colon.
    #[inline]
    fn name(&mut self) -> Result<(), What> {
        if self.byte() != b'"' {
            return Err(What::Name);
        }
        self.string()?;
        if self.after_space() != b':' {
            return Err(What::Colon);
        }
        self.at += 1;
        Ok(())
    }

    /// From the opening quote to after the closing one.
    #[inline]
    fn string(&mut self) -> Result<(), What> {
        self.at += 1;
        loop {
            self.at += scan::run::<StringEnd>(self.bytes.get(self.at..).unwrap_or_default());
            match self.bytes.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(());
                }
                Some(b'\\') => self.escape()?,
                Some(_) => return Err(What::Control),
                None => return Err(What::Unfinished),
            }
        }
    }

    fn escape(&mut self) -> Result<(), What> {
        self.at += 1;
        match self.byte() {
            b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => self.at += 1,
            b'u' => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.byte().is_ascii_hexdigit() {
                        return Err(What::Escape);
                    }
                    self.at += 1;
                }
            }
            _ => return Err(What::Escape),
        }
        Ok(())
    }

    #[inline]
    fn number(&mut self) -> Result<(), What> {
        if self.byte() == b'-' {
            self.at += 1;
        }
        if self.byte() == b'0' {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == b'.' {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.byte(), b'e' | b'E') {
            self.at += 1;
            if matches!(self.byte(), b'+' | b'-') {
                self.at += 1;
            }
            self.digits()?;
        }
        Ok(())
    }

    #[inline]
    fn digits(&mut self) -> Result<(), What> {
        let start = self.at;
        while self.byte().is_ascii_digit() {
            self.at += 1;
        }
        if self.at == start {
            return Err(What::Digit);
        }
        Ok(())
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), What> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        if !rest.starts_with(word) {
            return Err(What::Value);
        }
        self.at += word.len();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The oracle: `serde_json`'s own iterative check, which knows no limit of depth.
    fn serde_says(bytes: &[u8]) -> bool {
        serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok()
            && str::from_utf8(bytes).is_ok()
    }

    fn agrees(bytes: &[u8]) {
        assert_eq!(
            JsonText::parse(bytes).is_ok(),
            serde_says(bytes),
            "{:?}",
            String::from_utf8_lossy(bytes)
        );
        if JsonText::parse(bytes).is_ok() {
            assert!(JsonText::may_be(bytes));
        }
    }

    const SEEDS: &[&str] = &[
        r#"{"eventId":"ord-456","data":{"n":[1,-2.5e+3,0.10,1E400,{}],"ok":true,"no":null},"x":""}"#,
        r#"[[],[[]],{"a":{"b":[]}},"é\u00e9\ud83d\ude00\ud800",false,"\"\\\/\b\f\n\r\t"]"#,
        " {\n\t\"a\" : 1 ,\r\n \"b\":[ 1 , 2 ] } ",
        "12345678901234567890",
        "-0",
        "\"long enough for several words of eight bytes, with a quote \\\" inside\"",
    ];

    #[test]
    fn known_texts_are_judged_as_the_rfc_has_it() {
        for good in SEEDS {
            agrees(good.as_bytes());
            assert!(JsonText::parse(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in [
            "",
            " ",
            "01",
            "-",
            "1.",
            ".5",
            "1e",
            "1e+",
            "+1",
            "nul",
            "truee",
            "True",
            "[1,]",
            "[,1]",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "[1 2]",
            "[1}",
            "{\"a\":1]",
            "\"",
            "\"a",
            "\"\\",
            "\"\\x\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"a\nb\"",
            "\"\0\"",
            "1 2",
            "{} []",
            "\u{feff}1",
            "'a'",
            "NaN",
            "Infinity",
            "//",
            "[",
            "{",
            "]",
            "}",
            "\0",
            "1\0",
        ] {
            agrees(bad.as_bytes());
            assert!(JsonText::parse(bad.as_bytes()).is_err(), "{bad}");
        }
        for bytes in [
            &b"\"\xff\""[..],
            b"\"\xed\xa0\x80\"",
            b"\"\xc0\x80\"",
            b"[1]\x80",
        ] {
            assert!(JsonText::parse(bytes).is_err());
        }
    }

    #[test]
    fn the_depth_is_bounded_and_the_stack_is_not_used() {
        for depth in [1, 63, 64, 65, MAX_DEPTH] {
            let text = "[".repeat(depth) + &"]".repeat(depth);
            assert!(JsonText::parse(text.as_bytes()).is_ok(), "{depth}");
            let objects = "{\"a\":".repeat(depth) + "1" + &"}".repeat(depth);
            assert!(JsonText::parse(objects.as_bytes()).is_ok(), "{depth}");
        }
        for depth in [MAX_DEPTH + 1, 1_000_000] {
            let text = "[".repeat(depth) + &"]".repeat(depth);
            let fault = JsonText::parse(text.as_bytes()).unwrap_err();
            assert_eq!(fault.at, MAX_DEPTH);
            assert!(fault.to_string().contains("512"));
        }
    }

    #[test]
    fn a_fault_says_what_and_where() {
        for (text, message) in [
            (r#"{"eventId":"pay-436","#, "the text ends early at byte 21"),
            (r#"{"a":x}"#, "expected a value at byte 5"),
            ("{1:2}", "expected a member name in quotes at byte 1"),
            ("[1 2]", "expected ',' or ']' at byte 3"),
            ("1 2", "something follows the value at byte 2"),
            (
                "[\"a\tb\"]",
                "a raw control character in a string at byte 3",
            ),
        ] {
            let fault = JsonText::parse(text.as_bytes()).unwrap_err();
            assert_eq!(fault.to_string(), message);
        }
    }

    #[test]
    fn plain_texts_are_copied_and_others_become_one_line() {
        for (text, line) in [
            (r#"{"a": 1e400}"#, r#"{"a": 1e400}"#),
            ("{\n\"a\": 1}", r#"{"a":1}"#),
            ("[\"\u{202e}\x7f\"]", r#"["\u202e\u007f"]"#),
        ] {
            let mut out = Vec::new();
            JsonText::parse(text.as_bytes()).unwrap().write(&mut out);
            assert_eq!(String::from_utf8(out).unwrap(), line);
        }
    }

    /// Characters that the grammar cares about, so that mutations often stay close to valid.
    const ALPHABET: &[u8] =
        b"{}[]\",:\\/ \n\t0123456789-+.eEtrufalsn\x00\x1f\x7f\x80\xc3\xa9\xe2\xff";

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn mutated_documents_are_judged_as_serde_json_judges_them(
            seed in 0..SEEDS.len(),
            edits in prop::collection::vec((any::<prop::sample::Index>(), 0..3u8, 0..ALPHABET.len()), 1..4),
        ) {
            let mut bytes = SEEDS[seed].as_bytes().to_vec();
            for (place, kind, letter) in edits {
                let at = place.index(bytes.len().max(1)).min(bytes.len());
                match kind {
                    0 => bytes.insert(at, ALPHABET[letter]),
                    1 if at < bytes.len() => bytes[at] = ALPHABET[letter],
                    _ if at < bytes.len() => { bytes.remove(at); }
                    _ => {}
                }
            }
            agrees(&bytes);
        }

        #[test]
        fn random_bytes_are_judged_as_serde_json_judges_them(
            picks in prop::collection::vec(0..ALPHABET.len(), 0..12),
        ) {
            let bytes: Vec<u8> = picks.into_iter().map(|i| ALPHABET[i]).collect();
            agrees(&bytes);
        }
    }
}
