//! What is decoded or judged by a schema.

use evtap::schema::avro::{self, Avro};
use evtap::schema::json::{Bench, Faults, Validator};
use evtap::schema::protobuf::{Protobuf, Scratch, write_raw};
use evtap::schema::{Language, Source};
use evtap::text::JsonText;

use crate::{fuzz, is_json, seeds};

pub fn source(language: Language, text: &str) -> Source {
    Source {
        language,
        text: text.to_owned(),
        references: Vec::new(),
    }
}

#[test]
fn avro_by_its_schema() {
    let avro = Avro::compile(&source(Language::Avro, seeds::AVRO)).unwrap();
    let mut out = Vec::new();
    fuzz("avro", 50, &seeds::avro(), |bytes, _| {
        out.clear();
        if let Ok(read) = avro.write_json(bytes, &mut out) {
            assert!(read <= bytes.len());
            is_json(&out);
            true
        } else {
            assert!(out.is_empty());
            false
        }
    });
}

#[test]
fn avro_containers() {
    let mut out = Vec::new();
    fuzz("avro container", 10, &seeds::containers(), |bytes, _| {
        out.clear();
        let taken = avro::container(bytes, &mut out).is_ok();
        if taken {
            is_json(&out);
        } else {
            assert!(out.is_empty());
        }
        taken
    });
}

#[test]
fn protobuf_by_its_schema() {
    let schema = Protobuf::compile(&source(Language::Protobuf, seeds::PROTOBUF)).unwrap();
    let message = schema.message_at(&[0]).unwrap();
    let (mut out, mut scratch) = (Vec::new(), Scratch::default());
    fuzz("protobuf", 50, &seeds::protobuf(), |bytes, _| {
        out.clear();
        let taken = schema.write_json(message, bytes, &mut scratch, &mut out);
        if taken.is_ok() {
            is_json(&out);
        } else {
            assert!(out.is_empty());
        }
        taken.is_ok()
    });
}

#[test]
fn protobuf_without_a_schema() {
    let (mut out, mut scratch) = (Vec::new(), Scratch::default());
    fuzz("protobuf raw", 50, &seeds::protobuf(), |bytes, _| {
        out.clear();
        let taken = write_raw(bytes, &mut scratch, &mut out).is_ok();
        if taken {
            is_json(&out);
        } else {
            assert!(out.is_empty());
        }
        taken
    });
}

#[test]
fn json_and_its_schema() {
    let validator = Validator::compile(&source(Language::Json, seeds::JSON_SCHEMA), true).unwrap();
    let (mut bench, mut faults) = (Bench::default(), Faults::default());
    let valid = r#"{"id":"ord-1","tags":[],"nested":{"a":{}}}"#;
    let seeds = [seeds::JSON, valid].map(|text| text.as_bytes().to_vec());
    fuzz("json", 50, &seeds, |bytes, _| {
        let parsed = JsonText::parse(bytes);
        let Ok(text) = bench.read(bytes) else {
            assert!(parsed.is_err());
            // What others take is not refused here.
            if let Ok(text) = str::from_utf8(bytes) {
                assert!(serde_json::from_str::<serde::de::IgnoredAny>(text).is_err());
            }
            return false;
        };
        assert_eq!(parsed, Ok(text));
        let is_valid = validator.check_read(text, &bench, &mut faults);
        assert_eq!(is_valid, faults.list().is_empty());
        // Read on its own it is judged the same.
        let mut alone = Faults::default();
        assert_eq!(
            validator.check(text, &mut Bench::default(), &mut alone),
            is_valid
        );
        true
    });
}
