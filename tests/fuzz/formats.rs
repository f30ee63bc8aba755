//! What needs no schema.

use evtap::schema::formats::inflate::{Inflater, most};
use evtap::schema::formats::{cbor, cloud_events, debezium, msgpack, scalar};

use crate::{fuzz, is_json, seeds};

fn owned(seeds: &[&[u8]]) -> Vec<Vec<u8>> {
    seeds.iter().map(|seed| seed.to_vec()).collect()
}

#[test]
fn message_pack() {
    let mut out = Vec::new();
    fuzz("msgpack", 50, &owned(seeds::MSGPACK), |bytes, _| {
        out.clear();
        let taken = msgpack::write_json(bytes, &mut out).is_ok();
        assert!(out.len() <= 64 * bytes.len() + 64, "{} bytes", out.len());
        if taken {
            is_json(&out);
        }
        taken
    });
}

#[test]
fn cbor_items() {
    let mut out = Vec::new();
    fuzz("cbor", 50, &owned(seeds::CBOR), |bytes, _| {
        out.clear();
        let taken = cbor::write_json(bytes, &mut out).is_ok();
        assert!(out.len() <= 64 * bytes.len() + 64, "{} bytes", out.len());
        if taken {
            is_json(&out);
        }
        taken
    });
}

#[test]
fn compressed_values() {
    let data = b"{\"id\":\"ord-444\",\"n\":[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]}";
    let streams = seeds::streams(data);
    let mut inflater = Inflater::default();
    for (kind, stream) in streams {
        let mut is_whole = true;
        fuzz(kind.name(), 0, &[stream], |bytes, _| {
            let most = most(bytes.len());
            let whole = inflater.inflate(kind, bytes, most);
            if let Ok(inflated) = whole {
                assert!(inflated.len() <= most);
                assert!(!std::mem::take(&mut is_whole) || inflated == data);
            }
            whole.is_ok()
        });
    }
}

#[test]
fn cloud_events_and_changes() {
    let event = r#"{"specversion":"1.0","type":"a","source":"/s","id":"1","datacontenttype":"text/x+json"
        ,"dataschema":"urn:uuid:7", "data_base64" : "eyJhIjoxfQ==" ,"x":{"data":1}}"#;
    let change = r#"{"schema":{"type":"struct"},"payload":{"before":null,"after":{"id":1},
        "source":{"db":"x"},"op":"c","ts_ms":1}}"#;
    let seeds = [event, change].map(|text| text.as_bytes().to_vec());
    let (mut data, mut whole) = (Vec::new(), Vec::new());
    fuzz("cloud events", 50, &seeds, |bytes, _| {
        cloud_events::may_be(bytes);
        let payload = scalar::enveloped(bytes);
        debezium::change(payload.map_or(bytes, |payload| payload.as_bytes()));
        let Ok(event) = cloud_events::structured(bytes) else {
            return payload.is_some();
        };
        if let cloud_events::Data::Base64 {
            text,
            before,
            behind,
        } = &event.data
        {
            data.clear();
            if cloud_events::decode_base64(text, &mut data).is_ok() {
                assert!(data.len() <= bytes.len());
            }
            // What stands around the member is the rest of an object.
            whole.clear();
            for part in [before, "\"data\":[]", behind] {
                whole.extend_from_slice(part.as_bytes());
            }
            is_json(&whole);
        }
        true
    });
}
