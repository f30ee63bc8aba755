//! Framings, schemas and verdicts together, by a folder of schemas.

mod declared;

use std::io::Write;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use serde_json::json;

use super::super::sources::registry::Registry;
use super::super::sources::registry::mock::{Hands, Mock};
use super::super::sources::{Settings, Sources};
use super::super::{Catalog, Decoder, Pins, Schemas};
use super::Reader;
use crate::event::{
    Decoded, EventRef, HeaderBuf, Position, PositionStyle, SchemaId, Seen, Stream, Timestamp,
    TimestampType,
};

const ORDER: &str = r#"{"type":"record","name":"Order","fields":[
    {"name":"id","type":"long"},{"name":"state","type":"string"}]}"#;
const MESSAGE: &str = "syntax = \"proto3\"; message First { int32 n = 1; message In { string s = 1; } } \
     message Second { string t = 1; }";
const SCHEMA: &str =
    r#"{"type":"object","required":["id"],"properties":{"id":{"type":"integer"}}}"#;

/// `{"id":1,"state":"NEW"}` as Avro.
const DATUM: &[u8] = b"\x02\x06NEW";

fn decoder(pins: &str) -> (tempfile::TempDir, Decoder) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["ids", "typed"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    for (name, text) in [
        ("ids/7.avsc", ORDER),
        ("ids/8.json", SCHEMA),
        ("ids/9.proto", MESSAGE),
        ("orders.json", SCHEMA),
        ("bare.avsc", ORDER),
        ("bare.json", r#"{"properties":{"id":{"maximum":0}}}"#),
        ("shop.proto", MESSAGE),
        ("ids/order-placed.json", SCHEMA),
        (
            "envelopes.json",
            r#"{"properties":{"data":{"properties":{"id":{"maximum":0}}}}}"#,
        ),
        (
            "typed/c.json",
            r#"{"properties":{"before":{"type":"null"}}}"#,
        ),
        (
            "typed/u.json",
            r#"{"properties":{"before":{"type":"object"}}}"#,
        ),
        ("typed/order.placed.json", SCHEMA),
    ] {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    let place = folder.path().to_str().unwrap();
    let sources = Sources::open(place, &Settings::default()).unwrap();
    let schemas = Schemas::new(Catalog::Sources(sources), false);
    let pins = Pins::parse(pins).unwrap();
    (folder, Decoder::new(pins, Vec::new(), Some(schemas)))
}

fn frame(id: u32, payload: &[u8]) -> Vec<u8> {
    [&[0][..], &id.to_be_bytes(), payload].concat()
}

/// What was seen of a value, as texts: JSON or a word, the format, the verdict, the id, the reason.
type Told = (
    String,
    Option<&'static str>,
    &'static str,
    Option<u64>,
    String,
);

fn told(seen: &Seen<'_>) -> Told {
    let data = match seen.value.data {
        Decoded::Null => "null".to_owned(),
        Decoded::Json(json) => json.as_str().to_owned(),
        Decoded::Text(text) => format!("text {text}"),
        Decoded::Binary(bytes) => format!("{} bytes", bytes.len()),
    };
    let checked = seen.schema.unwrap();
    let id = checked.id.map(|id| match id {
        SchemaId::Number(id) => id,
        SchemaId::Text(_) => u64::MAX,
    });
    let why = seen.value.refused.map(|r| r.to_string());
    let faults = checked.faults.iter();
    let faults: Vec<String> = faults
        .map(|f| format!("{} {}", f.path, f.keyword))
        .collect();
    let why = why.unwrap_or_else(|| faults.join(","));
    (data, seen.value.from, checked.verdict.name(), id, why)
}

fn see(reader: &mut Reader, topic: &str, headers: &[(&str, &[u8])], value: Option<&[u8]>) -> Told {
    with_event(topic, headers, value, |event| told(&reader.see(event)))
}

fn with_event<T>(
    topic: &str,
    headers: &[(&str, &[u8])],
    value: Option<&[u8]>,
    then: impl FnOnce(&EventRef<'_>) -> T,
) -> T {
    let stream = Stream {
        topic: topic.into(),
        partition: 0,
        style: PositionStyle::Offset,
    };
    let mut buf = HeaderBuf::default();
    for (name, value) in headers {
        buf.push(name.as_bytes(), Some(value));
    }
    let event = EventRef {
        stream: &stream,
        stream_index: 0,
        position: Position { major: 0, minor: 0 },
        timestamp: Timestamp(0),
        timestamp_type: TimestampType::Create,
        key: None,
        value,
        headers: buf.as_headers(),
        meta: None,
    };
    then(&event)
}

fn expect(got: &Told, data: &str, from: Option<&str>, verdict: &str, id: Option<u64>) {
    assert_eq!(
        (&*got.0, got.1, got.2, got.3),
        (data, from, verdict, id),
        "{got:?}"
    );
}

#[test]
fn a_frame_counts_when_its_id_is_known_and_its_payload_decodes_to_the_end() {
    let (_folder, decoder) = decoder("value=auto");
    let mut reader = decoder.reader();
    let mut of = |value: &[u8]| see(&mut reader, "t", &[], Some(value));
    let order = r#"{"id":1,"state":"NEW"}"#;
    expect(&of(&frame(7, DATUM)), order, Some("avro"), "valid", Some(7));
    expect(
        &of(&frame(8, b"{\"id\":1}")),
        "{\"id\":1}",
        None,
        "valid",
        Some(8),
    );
    let invalid = of(&frame(8, b"{\"id\":\"x\"}"));
    expect(&invalid, "{\"id\":\"x\"}", None, "invalid", Some(8));
    assert_eq!(invalid.4, "/id type");
    let first = of(&frame(9, b"\0\x08\x2a"));
    expect(&first, "{\"n\":42}", Some("protobuf"), "valid", Some(9));
    // Indexes [0, 0], and [1] as old producers wrote it.
    let nested = of(&frame(9, b"\x04\0\0\x0a\x01x"));
    expect(&nested, "{\"s\":\"x\"}", Some("protobuf"), "valid", Some(9));
    let old = of(&frame(9, b"\x01\x01\x0a\x01y"));
    expect(&old, "{\"t\":\"y\"}", Some("protobuf"), "valid", Some(9));

    let cut = of(&frame(7, b"\x02\x06NE"));
    expect(
        &cut,
        "text \0\0\0\0\u{7}\u{2}\u{6}NE",
        None,
        "undecodable",
        Some(7),
    );
    let more = of(&frame(7, b"\x02\x06NEW!"));
    assert!(more.4.contains("1 bytes are left over"), "{more:?}");
    let unknown = of(&frame(77, DATUM));
    expect(
        &unknown,
        "text \0\0\0\0M\u{2}\u{6}NEW",
        None,
        "unknown_id",
        Some(77),
    );
    assert!(unknown.4.contains("77, which is not known"), "{unknown:?}");
    expect(&of(b"{\"a\":1}"), "{\"a\":1}", None, "none", None);
    let mut reader = decoder.reader();
    expect(
        &see(&mut reader, "t", &[], None),
        "null",
        None,
        "none",
        None,
    );
}

#[test]
fn headers_name_schemas_too() {
    let (_folder, decoder) = decoder("value=auto");
    let mut reader = decoder.reader();
    let id = [("__value_schema_id", &[0, 0, 0, 0, 7][..])];
    let got = see(&mut reader, "t", &id, Some(DATUM));
    expect(
        &got,
        r#"{"id":1,"state":"NEW"}"#,
        Some("avro"),
        "valid",
        Some(7),
    );
    let other = [("__key_schema_id", &[0, 0, 0, 0, 7][..])];
    let got = see(&mut reader, "t", &other, Some(DATUM));
    assert_eq!(got.2, "none");
}

#[test]
fn the_topic_s_own_schema_decodes_and_judges_what_names_none() {
    let (_folder, decoder) = decoder("value=auto");
    let mut reader = decoder.reader();
    let got = see(&mut reader, "orders", &[], Some(b"{\"id\":1.5}"));
    expect(&got, "{\"id\":1.5}", None, "invalid", None);
    let got = see(&mut reader, "orders", &[], Some(b"{\"id\":"));
    expect(&got, "text {\"id\":", None, "undecodable", None);
    let got = see(&mut reader, "shop", &[], Some(b"\x08\x2a"));
    expect(&got, "{\"n\":42}", Some("protobuf"), "valid", None);
    assert_eq!(see(&mut reader, "orders", &[], None).2, "none");
}

#[test]
fn what_is_compressed_or_says_what_it_is_is_shown_as_what_is_inside() {
    let (_folder, decoder) = decoder("value=auto");
    let mut reader = decoder.reader();
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(b"{\"a\":1}").unwrap();
    let gzip = gzip.finish().unwrap();
    let got = see(&mut reader, "t", &[], Some(&gzip));
    expect(&got, "{\"a\":1}", Some("gzip"), "none", None);
    let got = see(&mut reader, "t", &[], Some(b"\xd9\xd9\xf7\xa1\x61a\x01"));
    expect(&got, "{\"a\":1}", Some("cbor"), "none", None);
    // The sign alone is not enough.
    let got = see(&mut reader, "t", &[], Some(&gzip[..8]));
    expect(&got, "8 bytes", None, "none", None);
}

#[test]
fn a_pinned_language_does_not_take_another() {
    let (_folder, decoder) = decoder("value=avro");
    let mut reader = decoder.reader();
    let got = see(&mut reader, "bare", &[], Some(DATUM));
    expect(
        &got,
        r#"{"id":1,"state":"NEW"}"#,
        Some("avro"),
        "invalid",
        None,
    );
    assert_eq!(got.4, "/id maximum");
    let got = see(&mut reader, "t", &[], Some(&frame(8, b"{}")));
    assert_ne!(got.2, "valid");
}

/// Looks until the verdict is that.
fn see_until(reader: &mut Reader, verdict: &str) -> Told {
    let start = Instant::now();
    loop {
        let got = see(reader, "orders", &[], Some(b"{\"id\":1.5}"));
        if got.2 == verdict {
            return got;
        }
        assert!(start.elapsed() < Duration::from_secs(20), "{got:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn a_schema_that_is_registered_later_is_seen_and_so_is_its_next_version() {
    let (mock, hands) = (Mock::start(), Hands::default());
    let registry = Registry::with_hands(&mock.url, &hands);
    let catalog = Catalog::Sources(Sources::of_registry(registry));
    let schemas = Schemas::new(catalog, false).ask_again_after(Duration::from_millis(20));
    let decoder = Decoder::new(Pins::default(), Vec::new(), Some(schemas));
    let mut reader = decoder.reader();
    assert_eq!(see_until(&mut reader, "none").0, "{\"id\":1.5}");
    let latest = "/subjects/orders-value/versions/latest";
    let version = |number: u32, text: &str| {
        let told = json!({"subject": "orders-value", "version": number, "id": number,
                          "schemaType": "JSON", "schema": text});
        mock.json(latest, &told);
    };
    version(1, SCHEMA);
    std::thread::sleep(Duration::from_millis(50));
    assert_eq!(see_until(&mut reader, "none").2, "none");
    assert_eq!(mock.count(latest), 1, "asked again before its time");

    let minute = Duration::from_secs(61);
    hands.advance(minute);
    assert_eq!(see_until(&mut reader, "invalid").4, "/id type");
    version(2, "{}");
    hands.advance(minute);
    see_until(&mut reader, "valid");
    assert_eq!(mock.count(latest), 3);
}

#[test]
fn who_cannot_wait_goes_on_while_a_large_schema_is_compiled() {
    let folder = tempfile::tempdir().unwrap();
    let members: Vec<String> = (0..50_000)
        .map(|n| format!(r#""p{n}":{{"type":"string","maxLength":9}}"#))
        .collect();
    let schema = format!(
        r#"{{"properties":{{"id":{{"type":"integer"}},{}}}}}"#,
        members.join(",")
    );
    std::fs::write(folder.path().join("orders.json"), schema).unwrap();
    let place = folder.path().to_str().unwrap();
    for (pins, why) in [
        ("value=auto", "the schema is being compiled"),
        ("value=json", " "),
    ] {
        let sources = Sources::open(place, &Settings::default()).unwrap();
        let schemas = Schemas::new(Catalog::Sources(sources), false);
        let decoder = Decoder::new(Pins::parse(pins).unwrap(), Vec::new(), Some(schemas));
        let mut hurried = decoder.impatient().reader();
        let start = Instant::now();
        let got = see(&mut hurried, "orders", &[], Some(b"{\"id\":1.5}"));
        let took = start.elapsed();
        expect(&got, "{\"id\":1.5}", None, "unknown_id", None);
        assert_eq!(got.4, why);
        assert!(took < Duration::from_secs(2), "{took:?}");

        // Who can wait does, for the one that compiles it, and for both it is the same then.
        let mut patient = decoder.reader();
        assert_eq!(see_until(&mut patient, "invalid").4, "/id type");
        assert_eq!(see_until(&mut hurried, "invalid").4, "/id type");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn no_bytes_are_taken_for_a_frame_by_chance(
        values in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 64),
        known in any::<bool>(),
    ) {
        let (_folder, decoder) = decoder("value=auto");
        let mut reader = decoder.reader();
        for value in &values {
            let value = if known { frame(7, value) } else { value.clone() };
            let got = see(&mut reader, "t", &[], Some(&value));
            // A short datum may be one by chance behind a known id; nothing else is accepted.
            let accepted = got.1.is_some() && got.2 != "valid";
            prop_assert!(!accepted, "{:?} of {:?}", got, value);
            prop_assert!(known || got.2 != "valid" || value.starts_with(&[0, 0, 0, 0]));
        }
    }
}
