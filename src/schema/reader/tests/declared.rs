//! Content types, `CloudEvents` and the envelopes of Kafka Connect and Debezium.

use super::*;

/// A `CloudEvent` in structured mode with these members besides those that every one has.
fn event(members: &str) -> Vec<u8> {
    let head = r#"{"specversion":"1.0","type":"order.placed","source":"/shop","id":"1""#;
    format!("{head}{members}}}").into_bytes()
}

/// What is seen of an event in structured mode: its members behind the four, and the rest.
fn structured(reader: &mut Reader, topic: &str, members: &str) -> Told {
    let kind = [("content-type", &b"application/cloudevents+json"[..])];
    let mut got = see(reader, topic, &kind, Some(&event(members)));
    let head = String::from_utf8(event("")).unwrap();
    let rest = got.0.strip_prefix(head.strip_suffix('}').unwrap()).unwrap();
    got.0 = rest.strip_suffix('}').unwrap().to_owned();
    got
}

#[test]
fn an_event_in_one_json_object_shows_its_data_decoded() {
    let (_folder, decoder) = decoder("value=auto");
    let mut reader = decoder.reader();
    let mut of = |topic: &str, members: &str| structured(&mut reader, topic, members);
    let plain = of("t", r#","data":{"id":1}"#);
    expect(
        &plain,
        r#","data":{"id":1}"#,
        Some("cloudevents"),
        "none",
        None,
    );
    for (topic, members, data, from, verdict) in [
        // {"id":1} in Base64, with white space around the name.
        (
            "t",
            r#", "data_base64" : "eyJpZCI6MX0=" "#,
            r#", "data":{"id":1} "#,
            "cloudevents",
            "none",
        ),
        (
            "t",
            r#","datacontenttype":"text/plain","data_base64":"aGVsbG8=","x":1"#,
            r#","datacontenttype":"text/plain","data":"hello","x":1"#,
            "cloudevents",
            "none",
        ),
        (
            "t",
            r#","datacontenttype":"application/cbor","data_base64":"oWFhAQ==""#,
            r#","datacontenttype":"application/cbor","data":{"a":1}"#,
            "cloudevents+cbor",
            "none",
        ),
        // The topic's Avro schema is that of the data; the JSON Schema beside it is of the whole.
        (
            "bare",
            r#","datacontenttype":"application/avro","data_base64":"AgZORVc=""#,
            r#","datacontenttype":"application/avro","data":{"id":1,"state":"NEW"}"#,
            "cloudevents+avro",
            "valid",
        ),
        // Nobody knows a schema, or the format: the bytes stay as they are.
        (
            "t",
            r#","datacontenttype":"application/avro","data_base64":"AgZORVc=""#,
            r#","datacontenttype":"application/avro","data_base64":"AgZORVc=""#,
            "cloudevents",
            "none",
        ),
        (
            "t",
            r#","datacontenttype":"image/png","data_base64":"AgZORVc=""#,
            r#","datacontenttype":"image/png","data_base64":"AgZORVc=""#,
            "cloudevents",
            "none",
        ),
    ] {
        expect(&of(topic, members), data, Some(from), verdict, None);
    }
    for (members, why) in [
        (r#","data_base64":"*""#, "not Base64"),
        (r#","data_base64":"eyJpZCI6""#, "not JSON"),
        (
            r#","datacontenttype":"application/cbor","data_base64":"oWFh""#,
            "",
        ),
    ] {
        let got = of("t", members);
        expect(&got, members, Some("cloudevents"), "undecodable", None);
        assert!(got.4.contains(why), "{got:?}");
    }
}

#[test]
fn the_schema_that_an_event_names_judges_its_data_and_that_of_the_topic_the_whole() {
    let (_folder, decoder) = decoder("value=auto");
    let mut reader = decoder.reader();
    let mut of = |topic: &str, members: &str| structured(&mut reader, topic, members);
    let named = r#","dataschema":"https://example.com/schemas/order-placed.json""#;
    for data in [
        r#""data":{"id":"x"}"#,
        r#""data_base64":"eyJpZCI6IngifQ==""#,
    ] {
        // The topic's schema would take it.
        let got = of("envelopes", &format!("{named},{data}"));
        let shown = format!(r#"{named},"data":{{"id":"x"}}"#);
        expect(&got, &shown, Some("cloudevents"), "invalid", Some(u64::MAX));
        assert_eq!(got.4, "/data/id type");
    }
    let got = of("t", &format!("{named},\"data\":{{\"id\":7}}"));
    assert_eq!(got.2, "valid");
    // A name that is of no schema here, or none.
    for named in ["", r#","dataschema":"https://example.com/others/v1""#] {
        let got = of("envelopes", &format!("{named},\"data\":{{\"id\":7}}"));
        assert_eq!((got.2, &*got.4), ("invalid", "/data/id maximum"));
    }
    // The type that the event names leads to a schema of its own.
    let kind = [("content-type", &b"application/cloudevents+json"[..])];
    let got = see(&mut reader, "typed", &kind, Some(&event(r#","data":7"#)));
    assert_eq!((got.2, &*got.4), ("invalid", "/id type"));
}

#[test]
fn an_event_is_known_by_its_form_too_and_what_only_says_so_is_refused() {
    let (_folder, decoder) = decoder("value=auto");
    let mut reader = decoder.reader();
    let whole = event(r#","data":1"#);
    let got = see(&mut reader, "t", &[], Some(&whole));
    assert_eq!((got.1, got.2), (Some("cloudevents"), "none"));
    let other = br#"{"specversion":"1.0","type":"a"}"#;
    assert_eq!(see(&mut reader, "t", &[], Some(other)).1, None);
    let kind = [("content-type", &b"application/cloudevents+json"[..])];
    let got = see(&mut reader, "t", &kind, Some(other));
    expect(
        &got,
        str::from_utf8(other).unwrap(),
        None,
        "undecodable",
        None,
    );
    assert!(got.4.contains("it has no string 'source'"), "{got:?}");
    assert_eq!(see(&mut reader, "t", &kind, None).2, "none");
    // Without schemas it is looked for where that is asked.
    let mut detects = Decoder::pinned(Pins::parse("value=detect").unwrap()).looker();
    assert_eq!(from(&mut detects, &whole), Some("cloudevents"));
    assert_eq!(from(&mut Decoder::default().looker(), &whole), None);
    assert_eq!(
        from(&mut Decoder::default().detecting().looker(), &whole),
        Some("cloudevents")
    );
}

fn from(reader: &mut Reader, value: &[u8]) -> Option<&'static str> {
    with_event("t", &[], Some(value), |event| reader.see(event).value.from)
}

#[test]
fn the_content_type_of_a_header_says_how_data_are_decoded() {
    let (_folder, decoder) = decoder("value=auto");
    let mut reader = decoder.reader();
    let mut of = |topic: &str, kind: &str, more: &[(&str, &[u8])], value: &[u8]| {
        let kind = [("Content-Type", kind.as_bytes())];
        see(&mut reader, topic, &[&kind[..], more].concat(), Some(value))
    };
    let order = r#"{"id":1,"state":"NEW"}"#;
    let got = of("bare", "application/avro", &[], DATUM);
    expect(&got, order, Some("avro"), "invalid", None);
    let got = of("bare", "application/json", &[], br#"{"id":0}"#);
    expect(&got, r#"{"id":0}"#, None, "valid", None);
    let got = of("t", "application/avro", &[], DATUM);
    assert!(got.4.contains("no schema to decode it by"), "{got:?}");
    assert_eq!(got.2, "none");
    let named = [("ce_dataschema", &b"urn:schemas:7"[..])];
    expect(
        &of("t", "application/avro", &named, DATUM),
        order,
        Some("avro"),
        "valid",
        Some(u64::MAX),
    );
    let named = [("ce_dataschema", &b"https://x/order-placed.json"[..])];
    let got = of("t", "application/json", &named, br#"{"id":"x"}"#);
    assert_eq!((got.2, &*got.4), ("invalid", "/id type"));
    let got = of("t", "application/cbor", &[], b"\xa1\x61a\x01");
    expect(&got, r#"{"a":1}"#, Some("cbor"), "none", None);
    let got = of("t", "application/msgpack", &[], b"\x91");
    assert!(got.1.is_none() && !got.4.is_empty(), "{got:?}");
    // A frame tells more than a content type that was never set right.
    let got = of("t", "application/json", &[], &frame(7, DATUM));
    expect(&got, order, Some("avro"), "valid", Some(7));
}

#[test]
fn the_envelope_of_kafka_connect_is_taken_off_and_a_change_has_its_type() {
    let (_folder, decoder) = decoder("value=auto");
    let mut reader = decoder.reader();
    let wrapped =
        |payload: &str| format!(r#"{{"schema":{{"type":"struct"}},"payload":{payload}}}"#);
    let got = see(
        &mut reader,
        "orders",
        &[],
        Some(wrapped(r#"{"id":"x"}"#).as_bytes()),
    );
    expect(&got, r#"{"id":"x"}"#, Some("connect"), "invalid", None);
    assert_eq!(got.4, "/id type");
    for (op, before, verdict) in [
        ("c", "null", "valid"),
        ("c", "{}", "invalid"),
        ("u", "{}", "valid"),
        ("u", "null", "invalid"),
    ] {
        let change = format!(r#"{{"before":{before},"after":{{}},"source":{{}},"op":"{op}"}}"#);
        for value in [wrapped(&change), change] {
            let got = see(&mut reader, "typed", &[], Some(value.as_bytes()));
            assert_eq!(got.2, verdict, "{value}");
        }
    }
}
