//! Tests of the forms of a line.

use super::*;

fn parse(line: &str) -> Result<Line, Reason> {
    let mut parsed = Line::default();
    parsed.parse(line.as_bytes()).map(|()| parsed)
}

fn text(bytes: Option<&[u8]>) -> Option<String> {
    bytes.map(|b| String::from_utf8_lossy(b).into_owned())
}

/// Key and value of a line that is an event.
fn data(line: &str) -> (Option<String>, Option<String>) {
    let line = parse(line).unwrap();
    (text(line.key()), text(line.value()))
}

#[test]
fn the_encoding_says_how_bytes_are_made() {
    let some = |s: &str| Some(s.to_owned());
    for (key, value, encoding, expected) in [
        (
            "\"k\"",
            "{\"a\": 1.0}",
            "\"key\":\"text\",\"value\":\"json\"",
            (some("k"), some("{\"a\": 1.0}")),
        ),
        (
            "\"k\"",
            "\"v\"",
            "\"key\":\"json\",\"value\":\"json\"",
            (some("\"k\""), some("\"v\"")),
        ),
        (
            "null",
            "null",
            "\"key\":\"null\",\"value\":\"json\"",
            (None, some("null")),
        ),
        (
            "null",
            "null",
            "\"key\":\"json\",\"value\":\"tombstone\"",
            (some("null"), None),
        ),
        (
            "\"\"",
            "\"a\\u0000\\n\"",
            "\"key\":\"text\",\"value\":\"text\"",
            (some(""), some("a\0\n")),
        ),
        (
            "{\"base64\":\"AP8=\"}",
            "{\"base64\":\"\"}",
            "\"key\":\"binary\",\"value\":\"binary\"",
            (some("\0\u{fffd}"), some("")),
        ),
        // Without one.
        ("\"k\"", "\"v\"", "", (some("k"), some("v"))),
        ("null", "null", "", (None, None)),
        (
            "7",
            "12345678901234567890",
            "",
            (some("7"), some("12345678901234567890")),
        ),
        (
            "true",
            "[1e400,0.10]",
            "",
            (some("true"), some("[1e400,0.10]")),
        ),
    ] {
        let line = format!("{{\"key\":{key},\"value\":{value},\"encoding\":{{{encoding}}}}}");
        assert_eq!(data(&line), expected, "{line}");
    }
    assert_eq!(
        data("{\"key\":\"k\",\"value\":[ 1 ]}"),
        (some("k"), some("[ 1 ]"))
    );
}

#[test]
fn a_bare_value_is_its_own_bytes() {
    for value in [
        "{\"orderId\": 1}",
        "[1, 2]",
        "\"text\"",
        "1.50",
        "null",
        "{}",
    ] {
        let line = parse(&format!("  {value}\r")).unwrap();
        assert_eq!(text(line.value()).as_deref(), Some(value));
        assert_eq!(line.key(), None);
        assert_eq!(
            (line.topic(), line.position(), line.partition()),
            (None, None, 0)
        );
        assert_eq!(line.time().1, TimestampType::None);
    }
}

#[test]
fn place_and_time_are_read() {
    let line = parse(
        "{\"topic\":\"orders\",\"partition\":3,\"offset\":15,\"timestamp\":1723717843000,\
         \"time\":\"ignored\",\"timestamp_type\":\"append\",\"value\":1}",
    )
    .unwrap();
    assert_eq!(line.topic(), Some("orders"));
    assert_eq!(line.partition(), 3);
    assert_eq!(
        line.position(),
        Some((Position::offset(15), PositionStyle::Offset))
    );
    assert_eq!(
        line.time(),
        (Timestamp(1_723_717_843_000), TimestampType::Append)
    );
    let entry = parse("{\"offset\":\"5-7\",\"timestamp\":null,\"value\":1}").unwrap();
    let (position, style) = entry.position().unwrap();
    assert_eq!(
        (position.major, position.minor, style),
        (5, 7, PositionStyle::Entry)
    );
    assert_eq!(entry.time().1, TimestampType::None);
}

type Header = (String, Option<Vec<u8>>);

fn headers(line: &str) -> Vec<Header> {
    let line = parse(line).unwrap();
    let all = line.headers();
    all.iter()
        .map(|(k, v)| {
            (
                String::from_utf8_lossy(k).into_owned(),
                v.map(<[u8]>::to_vec),
            )
        })
        .collect()
}

#[test]
fn headers_keep_order_repeats_nulls_and_bytes() {
    let read = headers(
        "{\"value\":1,\"headers\":{\"b\":\"x\",\"a\":[\"1\",null,{\"base64\":\"/w==\"}],\
         \"n\":null,\"e\":\"\",\"\\u00e9\":\"\\\"\",\"i\":5}}",
    );
    let some = |b: &[u8]| Some(b.to_vec());
    let expected = [
        ("b", some(b"x")),
        ("a", some(b"1")),
        ("a", None),
        ("a", some(b"\xff")),
        ("n", None),
        ("e", some(b"")),
        ("é", some(b"\"")),
        ("i", some(b"5")),
    ];
    assert_eq!(read, expected.map(|(k, v)| (k.to_owned(), v)));
}

#[test]
fn the_form_of_kcat_is_told_apart() {
    let line = "{\"topic\":\"t\",\"partition\":2,\"offset\":9,\"tstype\":\"create\",\"ts\":123,\
                \"broker\":1,\"headers\":[\"a\",\"1\",\"b\",null,\"a\",\"2\"],\"key\":\"k\",\
                \"payload\":\"{\\\"x\\\":1}\"}";
    let parsed = parse(line).unwrap();
    assert_eq!(
        (text(parsed.key()), text(parsed.value())),
        (Some("k".into()), Some("{\"x\":1}".into()))
    );
    assert_eq!(parsed.time(), (Timestamp(123), TimestampType::Create));
    assert_eq!(parsed.topic(), Some("t"));
    let names: Vec<String> = headers(line).into_iter().map(|(name, _)| name).collect();
    assert_eq!(names, ["a", "b", "a"]);
    let tombstone = "{\"topic\":\"t\",\"tstype\":\"unknown\",\"key\":null,\"payload\":null}";
    assert_eq!(data(tombstone), (None, None));
}

#[test]
fn what_is_no_event_says_why() {
    for (line, reason) in [
        ("{\"a\":", "not JSON"),
        ("nonsense", "not JSON"),
        ("{\"value\":1} {}", "not JSON"),
        ("{\"value\":1,\"value\":2}", "not JSON"),
        ("{\"key\":\"k\"}", "no 'value'"),
        ("{\"value\":1,\"partition\":-1}", "'partition'"),
        ("{\"value\":1,\"partition\":4294967295}", "'partition'"),
        ("{\"value\":1,\"offset\":1.5}", "'offset'"),
        ("{\"value\":1,\"offset\":\"x\"}", "'offset'"),
        ("{\"value\":1,\"offset\":-1}", "'offset'"),
        ("{\"value\":1,\"topic\":5}", "'topic'"),
        ("{\"value\":1,\"timestamp\":\"now\"}", "'timestamp'"),
        (
            "{\"value\":1,\"timestamp\":1,\"timestamp_type\":\"x\"}",
            "timestamp type",
        ),
        ("{\"value\":1,\"encoding\":7}", "'encoding'"),
        (
            "{\"value\":1,\"encoding\":{\"value\":\"text\"}}",
            "'value' is no string",
        ),
        (
            "{\"value\":\"x\",\"encoding\":{\"value\":\"binary\"}}",
            "base64",
        ),
        (
            "{\"value\":{\"base64\":\"*\"},\"encoding\":{\"value\":\"binary\"}}",
            "base64",
        ),
        (
            "{\"value\":1,\"encoding\":{\"value\":\"tombstone\"}}",
            "not null",
        ),
        ("{\"value\":1,\"encoding\":{\"value\":\"avro\"}}", "avro"),
        ("{\"value\":\"\\ud800\"}", "no text"),
        ("{\"value\":1,\"headers\":[1]}", "'headers'"),
        ("{\"value\":1,\"headers\":{\"a\":{}}}", "'headers'"),
        ("{\"payload\":\"x\",\"headers\":[\"a\"]}", "'headers'"),
    ] {
        let error = parse(line).err().unwrap_or_else(|| panic!("{line}"));
        assert!(error.contains(reason), "{line}: {error}");
    }
    assert!(Line::default().parse(b"\"\xff\"").is_err());
    assert!(Line::default().parse(b"{\"value\":\"\xff\"}").is_err());
}

#[test]
fn deep_nesting_does_no_harm() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert_eq!(text(parse(&deep).unwrap().value()), Some(deep.clone()));
    assert_eq!(data(&format!("{{\"value\":{deep}}}")).1, Some(deep));
}

#[test]
fn nothing_of_the_line_before_is_left() {
    let mut line = Line::default();
    line.parse(b"{\"topic\":\"t\",\"partition\":1,\"offset\":2,\"timestamp\":3,\"key\":\"k\",\"value\":\"v\",\"headers\":{\"a\":\"b\"}}").unwrap();
    line.parse(b"5").unwrap();
    assert_eq!(
        (line.topic(), line.partition(), line.position()),
        (None, 0, None)
    );
    assert_eq!(line.time(), (Timestamp(0), TimestampType::None));
    assert_eq!((line.key(), line.value()), (None, Some(&b"5"[..])));
    assert!(line.headers().is_empty());
}
