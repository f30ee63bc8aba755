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
    text: &'a str,
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

impl JsonFault {
    /// Whatever was expected at the end, the text being cut is what matters.
    fn at_the_end_of(self, bytes: &[u8]) -> Self {
        let cut = self.at >= bytes.len();
        Self {
            at: self.at.min(bytes.len()),
            what: if cut { What::Unfinished } else { self.what },
        }
    }
}

/// What is shown the parts of a JSON text while it is checked, in their order. The text may still
/// turn out to be none.
pub(crate) trait Visit {
    /// The name of the member that follows, as it is written between its quotes.
    fn name(&mut self, name: &[u8]);
    /// A bracket that opens an array or an object.
    fn open(&mut self, at: usize, object: bool);
    /// The end of what was opened last.
    fn close(&mut self, end: usize);
    /// A string, number or literal.
    fn scalar(&mut self, start: usize, end: usize);
}

/// Nobody looks.
struct Unseen;

impl Visit for Unseen {
    #[inline]
    fn name(&mut self, _: &[u8]) {}
    #[inline]
    fn open(&mut self, _: usize, _: bool) {}
    #[inline]
    fn close(&mut self, _: usize) {}
    #[inline]
    fn scalar(&mut self, _: usize, _: usize) {}
}

impl<'a> JsonText<'a> {
    /// Checks the whole of `bytes` and shows its parts; [`JsonText::parse`] otherwise.
    #[inline]
    pub(crate) fn walk(bytes: &'a [u8], visit: &mut impl Visit) -> Option<Self> {
        let text = str::from_utf8(bytes).ok()?;
        let mut fault = JsonFault {
            at: 0,
            what: What::Unfinished,
        };
        document(bytes, &mut fault, visit)?;
        Some(Self { text })
    }

    /// Checks the whole of `bytes`.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, JsonFault> {
        let text = str::from_utf8(bytes).map_err(|error| JsonFault {
            at: error.valid_up_to(),
            what: What::Utf8,
        })?;
        let mut fault = JsonFault {
            at: 0,
            what: What::Unfinished,
        };
        match document(bytes, &mut fault, &mut Unseen) {
            Some(_) => Ok(Self { text }),
            None => Err(fault.at_the_end_of(bytes)),
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
        self.text.as_bytes()
    }

    pub const fn as_str(&self) -> &'a str {
        self.text
    }

    /// Appends the text as one line, safe to print; see [`super::push_value`].
    pub fn write(&self, out: &mut Vec<u8>) {
        json::push_text(out, self.text);
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
    /// False when it is full.
    #[inline]
    fn push(&mut self, object: bool) -> bool {
        let Some(word) = self.bits.get_mut(self.depth / 64) else {
            return false;
        };
        let bit = 1 << (self.depth % 64);
        *word = if object { *word | bit } else { *word & !bit };
        self.depth += 1;
        true
    }

    /// Whether the innermost open one is an object; `None` when none is open.
    #[inline]
    fn object(&self) -> Option<bool> {
        let top = self.depth.checked_sub(1)?;
        let word = self.bits.get(top / 64)?;
        Some(word >> (top % 64) & 1 == 1)
    }
}

// The functions below take the place where they begin and give the place after what they read, so
// that it stays in a register. Where they give nothing, they have noted the fault.

#[cold]
fn fail(fault: &mut JsonFault, at: usize, what: What) -> Option<usize> {
    *fault = JsonFault { at, what };
    None
}

#[inline]
fn document(bytes: &[u8], fault: &mut JsonFault, visit: &mut impl Visit) -> Option<usize> {
    let mut stack = Stack {
        bits: [0; MAX_DEPTH / 64],
        depth: 0,
    };
    let mut at = 0;
    loop {
        // A value, or an opening bracket and what stands before the first value inside.
        at = space(bytes, at);
        let start = at;
        match byte(bytes, at) {
            b'"' => at = string(bytes, at + 1, fault)?,
            open @ (b'{' | b'[') => {
                if !stack.push(open == b'{') {
                    return fail(fault, at, What::Depth);
                }
                visit.open(at, open == b'{');
                at = space(bytes, at + 1);
                // The closing bracket is two after the opening one in ASCII.
                if byte(bytes, at) != open + 2 {
                    if open == b'{' {
                        at = name(bytes, at, fault, visit)?;
                    }
                    continue;
                }
                stack.depth -= 1;
                at += 1;
                visit.close(at);
            }
            b'-' | b'0'..=b'9' => at = number(bytes, at, fault)?,
            b't' => at = literal(bytes, at, b"true", fault)?,
            b'f' => at = literal(bytes, at, b"false", fault)?,
            b'n' => at = literal(bytes, at, b"null", fault)?,
            _ => return fail(fault, at, What::Value),
        }
        if !matches!(byte(bytes, start), b'{' | b'[') {
            visit.scalar(start, at);
        }
        // What may follow a value: closing brackets, then a comma (and a name), or the end.
        loop {
            at = space(bytes, at);
            match (stack.object(), byte(bytes, at)) {
                (Some(true), b',') => {
                    at = name(bytes, space(bytes, at + 1), fault, visit)?;
                    break;
                }
                (Some(false), b',') => {
                    at += 1;
                    break;
                }
                (Some(true), b'}') | (Some(false), b']') => {
                    at += 1;
                    stack.depth -= 1;
                    visit.close(at);
                }
                (None, _) if at == bytes.len() => return Some(at),
                (None, _) => return fail(fault, at, What::After),
                (Some(true), _) => return fail(fault, at, What::CommaOrBrace),
                (Some(false), _) => return fail(fault, at, What::CommaOrBracket),
            }
        }
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

/// A member name, its colon.
#[inline]
fn name(
    bytes: &[u8],
    start: usize,
    fault: &mut JsonFault,
    visit: &mut impl Visit,
) -> Option<usize> {
    if byte(bytes, start) != b'"' {
        return fail(fault, start, What::Name);
    }
    let end = string(bytes, start + 1, fault)?;
    visit.name(bytes.get(start + 1..end - 1).unwrap_or_default());
    let at = space(bytes, end);
    if byte(bytes, at) != b':' {
        return fail(fault, at, What::Colon);
    }
    Some(at + 1)
}

/// From after the opening quote to after the closing one.
#[inline]
fn string(bytes: &[u8], mut at: usize, fault: &mut JsonFault) -> Option<usize> {
    loop {
        at += scan::run::<StringEnd>(bytes.get(at..).unwrap_or_default());
        match bytes.get(at) {
            Some(b'"') => return Some(at + 1),
            Some(b'\\') => at = escape(bytes, at + 1, fault)?,
            Some(_) => return fail(fault, at, What::Control),
            None => return fail(fault, at, What::Unfinished),
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
