//! Whole events, with headers and a folder of schemas: every framing, and what is made of it.

use evtap::event::{
    EventRef, HeaderBuf, Position, PositionStyle, SchemaVerdict, Stream, Timestamp, TimestampType,
    object,
};
use evtap::schema::sources::{Settings, Sources};
use evtap::schema::{Catalog, Decoder, Pins, Schemas};

use crate::damage::{self, Dice};
use crate::{fuzz, is_json, seeds};

const GUID: [u8; 16] = [0x11; 16];
const NAME: &str = "11111111111111111111111111111111";

fn decoder(folder: &std::path::Path) -> Decoder {
    std::fs::create_dir(folder.join("ids")).unwrap();
    for (name, text) in [
        ("ids/7.avsc", seeds::AVRO),
        ("ids/8.json", seeds::JSON_SCHEMA),
        ("ids/9.proto", seeds::PROTOBUF),
        ("ids/11111111-1111-1111-1111-111111111111.avsc", seeds::AVRO),
        ("ids/11111111111111111111111111111111.avsc", seeds::AVRO),
        ("orders.json", seeds::JSON_SCHEMA),
    ] {
        std::fs::write(folder.join(name), text).unwrap();
    }
    let sources = Sources::open(folder.to_str().unwrap(), &Settings::default()).unwrap();
    let schemas = Schemas::new(Catalog::Sources(sources), true);
    Decoder::new(Pins::default(), Vec::new(), Some(schemas))
}

/// Headers that say how a value is framed; each is tried with each value.
fn headers() -> Vec<Vec<(&'static str, Vec<u8>)>> {
    let azure = format!("avro/binary+{NAME}").into_bytes();
    vec![
        Vec::new(),
        vec![("__value_schema_id", vec![0, 0, 0, 0, 7])],
        vec![("__value_schema_id", [&[1][..], &GUID].concat())],
        vec![("apicurio.value.globalId", vec![0, 0, 0, 0, 0, 0, 0, 7])],
        vec![("content-type", azure)],
        vec![("content-type", b"application/cloudevents+json".to_vec())],
        vec![
            ("content-type", b"application/avro".to_vec()),
            ("ce_dataschema", b"urn:x:7".to_vec()),
        ],
        vec![("content-type", b"application/cbor".to_vec())],
    ]
}

/// Values in every framing that stands in their bytes.
fn values() -> Vec<Vec<u8>> {
    let avro = &seeds::avro()[0];
    let with = |front: &[u8], payload: &[u8]| [front, payload].concat();
    let mut values = vec![
        with(&[0, 0, 0, 0, 7], avro),
        with(&[0, 0, 0, 0, 8], b"{\"id\":\"ord-1\"}"),
        with(&[0, 0, 0, 0, 9, 0], &seeds::protobuf()[0]),
        with(&[0, 0, 0, 0, 0, 0, 0, 0, 7], avro),
        with(&[&[3, 0][..], &GUID].concat(), avro),
        with(&[&[0; 4][..], NAME.as_bytes()].concat(), avro),
        with(b"\xc3\x01\x11\x11\x11\x11\x11\x11\x11\x11", avro),
        with(b"\xd9\xd9\xf7", seeds::CBOR[0]),
        seeds::JSON.as_bytes().to_vec(),
        br#"{"specversion":"1.0","type":"a","source":"/s","id":"1","data_base64":"oWFhAQ==",
            "datacontenttype":"application/cbor"}"#
            .to_vec(),
        br#"{"schema":{"type":"int64"},"payload":{"op":"c","after":{},"source":{}}}"#.to_vec(),
    ];
    let streams = seeds::streams(b"{\"id\":\"ord-1\"}");
    let zlib = [&[3, 5][..], &GUID, &streams[1].1].concat();
    values.extend(streams.into_iter().map(|(_, stream)| stream));
    values.push(zlib);
    values
}

#[test]
fn framings_and_headers() {
    let folder = tempfile::tempdir().unwrap();
    let mut reader = decoder(folder.path()).reader();
    let headers = headers();
    let streams = ["orders", "t"].map(|topic| Stream {
        topic: topic.into(),
        partition: 0,
        style: PositionStyle::Offset,
    });
    let mut out = Vec::new();
    let mut bent = Vec::new();
    let mut decoded = 0;
    fuzz("framings", 0, &values(), |value, dice: &mut Dice| {
        let mut block = HeaderBuf::default();
        for (name, value) in dice.of(&headers) {
            if dice.below(2) == 0 {
                block.push(name.as_bytes(), Some(value));
            } else {
                damage::damage(dice, std::slice::from_ref(value), &mut bent);
                block.push(name.as_bytes(), Some(&bent));
            }
        }
        let event = EventRef {
            stream: dice.of(&streams),
            stream_index: 0,
            position: Position::offset(0),
            timestamp: Timestamp(0),
            timestamp_type: TimestampType::Create,
            key: Some(value),
            value: Some(value),
            headers: block.as_headers(),
            meta: None,
        };
        let seen = reader.see(&event);
        let verdict = seen.schema.unwrap().verdict;
        decoded += u64::from(seen.value.from.is_some());
        if seen.value.refused.is_none() {
            assert_ne!(verdict, SchemaVerdict::Undecodable);
        }
        out.clear();
        object::write(&mut out, &event, &seen);
        is_json(&out);
        true
    });
    assert!(decoded > 0);
}
