//! What becomes of whole events: bytes that stay, values that go, and what is refused.

use proptest::prelude::*;

use super::*;
use crate::event::{Batch, EventRef, HeaderBuf, Position, Streams, Timestamp, TimestampType};
use crate::replay::Skip;
use crate::replay::fake::streams;
use crate::schema::sources::{Settings, Sources};
use crate::schema::{Catalog, Decoder, Schemas};

/// An event as the tests write it down.
#[derive(Clone, Debug, Default, PartialEq)]
struct Plain {
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl Plain {
    fn new(key: &str, value: &str) -> Self {
        Self {
            key: Some(key.into()),
            value: Some(value.into()),
            headers: Vec::new(),
        }
    }

    fn with(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.into(), Some(value.into())));
        self
    }

    fn of(event: &EventRef<'_>) -> Self {
        let headers = event.headers.iter();
        Self {
            key: event.key.map(<[u8]>::to_vec),
            value: event.value.map(<[u8]>::to_vec),
            headers: headers
                .map(|(n, v)| (n.to_vec(), v.map(<[u8]>::to_vec)))
                .collect(),
        }
    }

    fn value(&self) -> &str {
        str::from_utf8(self.value.as_deref().unwrap()).unwrap()
    }
}

fn batch(table: &Streams, plain: &Plain) -> Batch {
    let mut headers = HeaderBuf::default();
    for (name, value) in &plain.headers {
        headers.push(name, value.as_deref());
    }
    let mut batch = Batch::new(table.clone());
    let event = EventRef {
        stream: &table[0],
        stream_index: 0,
        position: Position::offset(7),
        timestamp: Timestamp(1_723_717_843_000),
        timestamp_type: TimestampType::Create,
        key: plain.key.as_deref(),
        value: plain.value.as_deref(),
        headers: headers.as_headers(),
        meta: None,
    };
    batch.push(&event).unwrap();
    batch
}

/// What became of the event: the copy, or why there is none and what of it is kept.
type Outcome = std::result::Result<Plain, (Option<Skip>, String, Option<Plain>)>;

fn altered_by(alterations: &Alterations, means: &Means, plain: &Plain) -> Outcome {
    let mut alterer = Alterer::new(alterations, means).unwrap().unwrap();
    let table = streams();
    alterer.begin(&table);
    let batch = batch(&table, plain);
    match alterer.apply(&batch.get(0), &table[0]).unwrap() {
        Altered::Write(event) => Ok(Plain::of(&event)),
        Altered::Drop => Err((None, String::new(), None)),
        Altered::Reject(rejected) => Err((
            Some(rejected.skip),
            rejected.reason,
            rejected.event.as_ref().map(Plain::of),
        )),
    }
}

fn altered(alterations: &Alterations, plain: &Plain) -> Outcome {
    altered_by(alterations, &Means::default(), plain)
}

fn mapping(map: &str) -> Alterations {
    Alterations {
        map: Some(map.to_owned()),
        ..Alterations::default()
    }
}

fn masking(masks: &[&str]) -> Alterations {
    let masks = masks.iter().map(|m| Mask::parse(m, None).unwrap());
    Alterations {
        masks: masks.collect(),
        mask_key: Some(key()),
        ..Alterations::default()
    }
}

/// The same for all tests of a process.
fn key() -> MaskKey {
    static KEY: std::sync::OnceLock<MaskKey> = std::sync::OnceLock::new();
    KEY.get_or_init(|| MaskKey::random().unwrap()).clone()
}

/// The schema of `orders` in a folder.
fn schemas(name: &str, text: &str) -> (tempfile::TempDir, Decoder) {
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join(name), text).unwrap();
    let settings = Settings::default();
    let sources = Sources::open(dir.path().to_str().unwrap(), &settings).unwrap();
    let schemas = Schemas::new(Catalog::Sources(sources), false);
    let decoder = Decoder::new(crate::schema::Pins::default(), Vec::new(), Some(schemas));
    (dir, decoder)
}

#[test]
fn a_pseudonym_joins_key_value_and_header() {
    let masks = masking(&["key=hash", ".value.customer.id=hash", "header:user=hash"]);
    let plain = Plain::new("ada", r#"{"customer":{"id":"ada"},"n":1.10}"#).with("user", "ada");
    let made = altered(&masks, &plain).unwrap();
    let name = String::from_utf8(made.key.clone().unwrap()).unwrap();
    assert_eq!(name.len(), 32);
    assert_eq!(
        made.value(),
        format!(r#"{{"customer":{{"id":"{name}"}},"n":1.10}}"#)
    );
    assert_eq!(made.headers[0].1, Some(name.into_bytes()));
}

#[test]
fn what_cannot_be_looked_into_is_refused_and_not_kept() {
    let masks = masking(&[".value.email"]);
    for value in [
        &b"{\"email\":\"a@b.example\""[..],
        b"plain text",
        b"\xff\x00\x01",
    ] {
        let plain = Plain {
            value: Some(value.to_vec()),
            ..Plain::default()
        };
        let (skip, reason, kept) = altered(&masks, &plain).unwrap_err();
        assert_eq!((skip, kept), (Some(Skip::Unmasked), None));
        assert!(reason.starts_with("the value: "), "{reason}");
    }
    // There is nothing in them to be masked.
    for value in [
        None,
        Some(b"".to_vec()),
        Some(b"[1]".to_vec()),
        Some(b"{}".to_vec()),
    ] {
        let plain = Plain {
            value,
            ..Plain::default()
        };
        assert_eq!(altered(&masks, &plain).unwrap(), plain);
    }
    let whole = altered(&masking(&[".value"]), &Plain::new("k", "plain text")).unwrap();
    assert_eq!(whole.value(), "***");
}

#[test]
fn a_mask_is_for_its_topics_only() {
    let mut masks = masking(&[]);
    masks
        .masks
        .push(Mask::parse(".value.a", Some("pay*")).unwrap());
    let plain = Plain::new("k", r#"{"a":1}"#);
    assert_eq!(altered(&masks, &plain).unwrap(), plain);
    masks
        .masks
        .push(Mask::parse(".value.a", Some("ord*")).unwrap());
    assert_eq!(altered(&masks, &plain).unwrap().value(), r#"{"a":"***"}"#);
}

#[test]
fn a_map_writes_key_value_and_headers() {
    let plain = Plain::new("k", r#"{"a": 1.10, "b": 1e400}"#).with("h", "1");
    let made = altered(
        &mapping(".key = \"x\" | .value.a = 2 | .headers.h = [\"1\", null]"),
        &plain,
    );
    let made = made.unwrap();
    assert_eq!(made.key.as_deref(), Some(&b"x"[..]));
    assert_eq!(made.value(), r#"{"a":2,"b":1e400}"#);
    let expected = [(b"h".to_vec(), Some(b"1".to_vec())), (b"h".to_vec(), None)];
    assert_eq!(made.headers, expected);
    // A part that the map leaves keeps its bytes, white space and all.
    let made = altered(&mapping(".headers.h = \"2\""), &plain).unwrap();
    assert_eq!(made.value, plain.value);
    let tombstone = altered(
        &mapping(".value = null | .encoding.value = \"tombstone\""),
        &plain,
    );
    assert_eq!(tombstone.unwrap().value, None);
}

#[test]
fn a_map_that_makes_no_event_is_refused() {
    let plain = Plain::new("k", r#"{"a":1}"#);
    for (map, said) in [
        (".value", "no 'value'"),
        (".key", "no event object"),
        ("., .", "2 outputs"),
        ("error(\"no\")", "no"),
        (".topic = \"other\"", "changed .topic"),
        (".offset += 1", "changed .offset"),
        (".encoding.value = \"avro\"", "encoding avro"),
        (".headers = 1", "'headers' make no sense"),
        ("del(.value)", "no 'value'"),
    ] {
        let (skip, reason, kept) = altered(&mapping(map), &plain).unwrap_err();
        assert_eq!(skip, Some(Skip::Unmapped), "{map}");
        assert!(
            reason.starts_with("--map: ") && reason.contains(said),
            "{map}: {reason}"
        );
        assert_eq!(kept.as_ref(), Some(&plain));
    }
    assert_eq!(
        altered(&mapping("empty"), &plain),
        Err((None, String::new(), None))
    );
    let made = altered(&mapping("{value}"), &plain).unwrap();
    assert_eq!((made.key, made.value), (None, plain.value));
}

#[test]
fn a_map_without_end_ends_the_command() {
    let endless = mapping("def f: f; f");
    let mut alterer = Alterer::new(&endless, &Means::default()).unwrap().unwrap();
    let table = streams();
    alterer.begin(&table);
    let batch = batch(&table, &Plain::new("k", "{}"));
    let error = alterer.apply(&batch.get(0), &table[0]).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Query);
    assert!(error.message.contains("orders/0@7"), "{error}");
}

#[test]
fn a_map_sees_what_is_masked_only_masked() {
    let mut both = masking(&[".value.email"]);
    both.map = Some(".key = .value.email".to_owned());
    let made = altered(&both, &Plain::new("k", r#"{"email":"a@b.example"}"#)).unwrap();
    assert_eq!(made.key.as_deref(), Some(&b"***"[..]));
}

#[test]
fn what_does_not_fit_the_targets_schema_is_refused() {
    let schema = r#"{"type":"object","properties":{"n":{"type":"integer"}},"required":["n"]}"#;
    let (_dir, decoder) = schemas("orders.json", schema);
    let means = Means {
        source: Decoder::default(),
        target: Some(decoder),
    };
    let mut checked = mapping(".value.n = (.value.n | tostring)");
    checked.validate = true;
    let plain = Plain::new("k", r#"{"n":1}"#);
    let (skip, reason, kept) = altered_by(&checked, &means, &plain).unwrap_err();
    assert_eq!(skip, Some(Skip::Invalid));
    assert!(reason.contains("/n"), "{reason}");
    assert_eq!(kept.unwrap().value(), r#"{"n":"1"}"#);
    checked.map = None;
    assert_eq!(altered_by(&checked, &means, &plain).unwrap(), plain);
    let (skip, ..) = altered_by(&checked, &means, &Plain::new("k", "no json")).unwrap_err();
    assert_eq!(skip, Some(Skip::Invalid));
}

#[test]
fn decoded_values_are_refused_only_where_something_in_them_is_masked() {
    let schema = r#"{"type":"record","name":"O","fields":[{"name":"email","type":"string"},{"name":"n","type":"int"}]}"#;
    let (_dir, source) = schemas("orders.avsc", schema);
    let means = Means {
        source,
        target: None,
    };
    // "ab", 3
    let plain = Plain {
        value: Some(vec![4, b'a', b'b', 6]),
        ..Plain::default()
    };
    let other = altered_by(&masking(&[".value.phone"]), &means, &plain);
    assert_eq!(other.unwrap(), plain);
    let (skip, reason, kept) = altered_by(&masking(&[".value.email"]), &means, &plain).unwrap_err();
    assert_eq!((skip, kept), (Some(Skip::Unmasked), None));
    assert!(reason.contains("avro"), "{reason}");
    // A map may say that it becomes JSON.
    let json = mapping(".encoding.value = \"json\"");
    let made = altered_by(&json, &means, &plain).unwrap();
    assert_eq!(made.value(), r#"{"email":"ab","n":3}"#);
    let (_, reason, _) = altered_by(&mapping(".value.n = 4"), &means, &plain).unwrap_err();
    assert!(reason.contains("encoding avro"), "{reason}");
}

#[test]
fn the_plan_reads_back_what_it_writes_and_tells_all_of_it_apart() {
    let mut all = masking(&[".value.a=hash", "key=fake"]);
    all.masks
        .push(Mask::parse(".value.b", Some("orders*")).unwrap());
    all.map = Some(".value |= .a\n".to_owned());
    all.drop_headers = vec!["x-*".to_owned()];
    all.set_headers = vec![SetHeader::parse("a=b=c").unwrap()];
    all.validate = true;
    let text = toml::to_string(&all).unwrap();
    let again: Alterations = toml::from_str(&text).unwrap();
    assert_eq!(again, all);
    assert_eq!(toml::to_string(&again).unwrap(), text);
    assert_eq!(toml::to_string(&Alterations::default()).unwrap(), "");
    let secret: toml::Value = toml::from_str(&text).unwrap();
    let secret = secret["mask_key"]["secret"].as_str().unwrap().to_owned();
    let told = format!("{all:?} {:?}", all.describe());
    assert!(!told.contains(&secret), "{told}");
}

#[test]
fn masks_without_a_key_are_refused_before_anything_is_read() {
    let mut masks = masking(&[".value.a=hash"]);
    masks.mask_key = None;
    assert!(masks.check().is_err());
    assert!(Alterer::new(&masks, &Means::default()).is_err());
    masks.masks = vec![Mask::parse(".value.a", None).unwrap()];
    assert!(masks.check().is_ok());
    for text in ["email", ".value.a=shred", "=hash"] {
        assert!(Mask::parse(text, None).is_err(), "{text}");
    }
    for text in ["a", "=b", "evtap-count=0"] {
        assert!(SetHeader::parse(text).is_err(), "{text}");
    }
}

fn bytes() -> impl Strategy<Value = Option<Vec<u8>>> {
    let json = "[ ]?\\{\"[ab]\": ?[0-9]{1,3}\\.[0-9]{2}(,\"b\":\"x\")?\\}";
    prop_oneof![
        Just(None),
        prop::collection::vec(any::<u8>(), 0..12).prop_map(Some),
        json.prop_map(|text| Some(text.into_bytes())),
    ]
}

fn plain() -> impl Strategy<Value = Plain> {
    let header = ("[a-c]{1,2}".prop_map(String::into_bytes), bytes());
    let headers = prop::collection::vec(header, 0..4);
    (bytes(), bytes(), headers).prop_map(|(key, value, headers)| Plain {
        key,
        value,
        headers,
    })
}

proptest! {
    #[test]
    fn an_event_that_nothing_is_done_to_keeps_every_byte(plain in plain()) {
        let mut nothing = mapping(".");
        prop_assert_eq!(altered(&nothing, &plain).unwrap(), plain.clone());
        nothing.map = Some(".key = .key | .value |= .".to_owned());
        nothing.drop_headers = vec!["z*".to_owned()];
        nothing.masks = vec![Mask::parse("header:zz", None).unwrap()];
        prop_assert_eq!(altered(&nothing, &plain).unwrap(), plain);
    }

    #[test]
    fn equal_values_stay_equal_and_others_do_not(a in "[a-c]{1,3}", b in "[a-c]{1,3}") {
        let masks = masking(&[".value.v=hash"]);
        let of = |text: &str| {
            let plain = Plain::new("k", &format!("{{\"v\":\"{text}\"}}"));
            altered(&masks, &plain).unwrap().value
        };
        prop_assert_eq!(of(&a) == of(&b), a == b);
    }
}
