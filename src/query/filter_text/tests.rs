//! What filters take, what they say of errors, and what they let a source skip.

use super::*;
use crate::event::{Select, Verdict};
use crate::query::samples::Sample;

fn sample() -> Sample {
    let mut sample = Sample::of(r#"{"type":"PaymentFailed","why":"card Declined","n":7}"#);
    sample.key = Some(b"order-4711".to_vec());
    sample.headers.push(b"trace", Some(b"00-AA"));
    sample
}

fn verdict(text: &str, sample: &Sample) -> Verdict {
    let query = FilterText::parse(text).unwrap().query(Decoder::default());
    query.worker().test(&sample.event()).unwrap()
}

fn keeps(text: &str) -> bool {
    verdict(text, &sample()) == Verdict::Keep
}

fn error(text: &str) -> (String, Range<usize>) {
    let error = FilterText::parse(text).err().unwrap();
    assert_eq!(error.expression, text);
    (error.message, error.span.unwrap())
}

#[test]
fn every_word_must_occur_somewhere() {
    for (text, expected) in [
        ("", true),
        ("  ", true),
        ("failed", true),
        ("failed card", true),
        ("failed  visa", false),
        ("order-4711 00-aa", true),
        ("trace", true),
        ("\"card declined\"", true),
        ("\"declined card\"", false),
        ("\"\\\"n\\\":7\"", true),
        ("{\"type\":\"paymentfailed\"", true),
        ("zahlung", false),
    ] {
        assert_eq!(keeps(text), expected, "{text}");
    }
}

#[test]
fn a_capital_makes_a_word_exact() {
    for (text, expected) in [
        ("Failed", true),
        ("FAILED", false),
        ("declined", true),
        ("\"card Declined\"", true),
        ("\"Card declined\"", false),
        ("00-aa", true),
        ("00-Aa", false),
    ] {
        assert_eq!(keeps(text), expected, "{text}");
    }
    let mut umlaut = Sample::of("ZÜRICH");
    assert_eq!(verdict("zürich", &umlaut), Verdict::Keep);
    assert_eq!(verdict("Zürich", &umlaut), Verdict::Drop);
    umlaut.value = Some(b"\xff ORDER \xfe".to_vec());
    assert_eq!(verdict("order", &umlaut), Verdict::Keep);
}

#[test]
fn a_regex_stands_between_slashes() {
    for (text, expected) in [
        ("/Pay.*Failed/", true),
        ("/pay.*failed/", false),
        ("/pay.*failed/i", true),
        ("/card declined/i failed", true),
        ("/^order-\\d+$/", true),
        ("/a/b/", false),
        ("/\"n\":[6-8]/ -/visa/", true),
    ] {
        assert_eq!(keeps(text), expected, "{text}");
    }
}

#[test]
fn what_is_left_out_is_written_behind_a_minus() {
    for (text, expected) in [
        ("-visa", true),
        ("!visa", true),
        ("-card", false),
        ("failed -card", false),
        ("-\"card visa\"", true),
        ("-/visa|card/", false),
        ("-topic:payments", true),
        ("-topic:orders", false),
        ("-key:order-*", false),
    ] {
        assert_eq!(keeps(text), expected, "{text}");
    }
}

#[test]
fn a_field_is_compared_as_a_whole() {
    for (text, expected) in [
        ("topic:orders", true),
        ("topic:order", false),
        ("topic:ord*", true),
        ("key:order-4711", true),
        ("key:order-4", false),
        ("key:order-4*", true),
        ("key:order-47??", true),
        ("key:order-47?", false),
        ("key:\"order-4*\"", false),
        ("key:\"order-4711\"", true),
        ("partition:0 failed", true),
        ("partition:1", false),
        // Any other is a text.
        ("why:", false),
        ("x:y", false),
    ] {
        assert_eq!(keeps(text), expected, "{text}");
    }
    let mut odd = Sample::of("v");
    odd.key = Some(b"a\xff\nb".to_vec());
    assert_eq!(verdict("key:a*b", &odd), Verdict::Keep);
    odd.key = None;
    assert_eq!(verdict("key:*", &odd), Verdict::Drop);
    assert_eq!(verdict("key:\"\"", &odd), Verdict::Drop);
}

#[test]
fn a_text_that_begins_with_a_dot_or_bracket_is_jq() {
    for (text, expected) in [
        (".value.n == 7", true),
        ("  .value.n > 7", false),
        ("(.key | startswith(\"order\")) and .value.n == 7", true),
    ] {
        assert_eq!(keeps(text), expected, "{text}");
    }
    assert_eq!(verdict(".value.n.x", &sample()), Verdict::Failed);
}

#[test]
fn an_error_points_at_the_token_as_typed() {
    for (text, message, span) in [
        ("pay \"card", "the quote is not closed", 4..5),
        ("pay /a(b/", "unclosed group", 6..6),
        ("/api/orders", "the regular expression is not closed", 0..1),
        ("é /", "the regular expression is not closed", 3..4),
        ("a - b", "nothing to leave out", 2..3),
        ("a !", "nothing to leave out", 2..3),
        ("a topic:", "nothing after topic:", 2..8),
        ("-key: b", "nothing after key:", 1..5),
        ("partition:x", "a partition is a number", 10..11),
        ("a \"\"", "nothing between the quotes", 2..4),
        ("//", "nothing between the slashes", 0..2),
    ] {
        assert_eq!(error(text), (message.to_owned(), span), "{text}");
    }
    let (message, span) = error("  .value.n ==");
    assert_eq!(message, "unexpected end: expected term");
    assert_eq!(span, 13..13);
    let look = FilterText::parse("/a(?=b)/").err().unwrap();
    assert!(look.hint.unwrap().contains("several expressions"));
}

#[test]
fn a_filter_has_bounds() {
    assert!(error(&"a ".repeat(101)).0.contains("at most 100 terms"));
    assert!(error(&"a".repeat(65 * 1024)).0.contains("64 KiB"));
    assert!(FilterText::parse(&"a ".repeat(100)).is_ok());
}

#[test]
fn every_beginning_of_a_filter_is_read_or_refused() {
    for text in [
        "pay \"a\\\"b\" -/x y\\/z/i key:\"ö*\" topic:o* partition:12 !é",
        "(.value.äö | test(\"x\")) and .key",
    ] {
        for (end, _) in text.char_indices() {
            if let Err(error) = FilterText::parse(&text[..end]) {
                assert!(
                    error.span.as_ref().is_none_or(|s| s.end <= end),
                    "{}",
                    &text[..end]
                );
                assert!(!error.to_string().is_empty());
            }
        }
    }
}

#[test]
fn what_must_be_in_an_event_is_sought_in_whole_batches() {
    let seek = |text: &str, bytes: &[u8]| {
        let query = FilterText::parse(text).unwrap().query(Decoder::default());
        let mut worker = query.worker();
        worker.begin();
        worker.seek(bytes, 0)
    };
    assert_eq!(seek("Failed", b"..Failed"), Some(2));
    assert_eq!(seek("Failed", b"..failed"), None);
    assert_eq!(seek("key:k1", b"...k2"), None);
    assert_eq!(seek("-Failed", b".."), Some(0));
    assert_eq!(seek("failed", b".."), Some(0));
    assert_eq!(seek("order-4711", b"..order-99.."), None);
    assert_eq!(seek(".value.a == \"b!c\"", b"..b!d"), None);
}

#[test]
fn headers_are_wanted_where_a_text_may_be_in_them() {
    let query = |text| FilterText::parse(text).unwrap().query(Decoder::default());
    assert!(query("a").needs_headers());
    assert!(!query("topic:a key:b partition:0").needs_headers());
    assert!(!query(".value.a == 1").needs_headers());
    assert!(query("").keeps_all());
    assert!(!query("a").keeps_all());
}

#[test]
fn each_term_is_explained() {
    let query = FilterText::parse("pay Paid !/a/i key:k* ").unwrap();
    assert!(!query.is_empty());
    assert_eq!(
        query.query(Decoder::default()).explain(),
        [
            "filter pay: text in any case over key, value and headers",
            "filter Paid: text as it stands over key, value and headers",
            "filter !/a/i: regex in any case over key, value and headers, left out",
            "filter key:k*: glob",
        ]
    );
    let jq = FilterText::parse(".value.a == 1").unwrap();
    assert_eq!(
        jq.query(Decoder::default()).explain(),
        ["filter .value.a == 1: native; no byte prefilter"]
    );
}
