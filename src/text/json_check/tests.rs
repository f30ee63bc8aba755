//! The check against the RFC, `serde_json`, and its own limits.

use super::*;
use proptest::prelude::*;

/// The oracle: `serde_json`'s own iterative check, which knows no limit of depth.
fn serde_says(bytes: &[u8]) -> bool {
    serde_json::from_slice::<serde::de::IgnoredAny>(bytes).is_ok() && str::from_utf8(bytes).is_ok()
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
const ALPHABET: &[u8] = b"{}[]\",:\\/ \n\t0123456789-+.eEtrufalsn\x00\x1f\x7f\x80\xc3\xa9\xe2\xff";

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
