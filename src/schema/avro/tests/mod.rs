//! What the parser takes, what values look like, what is refused, and that nothing hostile hurts.

mod containers;
mod hostile;
mod random;
mod schemas;
mod values;

use super::Avro;
use crate::schema::{Language, Reference, Refusal, SchemaError, Source};

pub(in crate::schema) fn compile(text: &str) -> Avro {
    bundle(text, &[]).unwrap()
}

pub(in crate::schema) fn bundle(text: &str, others: &[&str]) -> Result<Avro, SchemaError> {
    let reference = |text: &&str| Reference {
        name: "other".to_owned(),
        text: (*text).to_owned(),
    };
    Avro::compile(&Source {
        language: Language::Avro,
        text: text.to_owned(),
        references: others.iter().map(reference).collect(),
    })
}

/// All of the bytes as one value.
fn json(avro: &Avro, bytes: &[u8]) -> Result<String, Refusal> {
    let mut out = b"kept".to_vec();
    let read = avro.write_json(bytes, &mut out);
    if read.is_err() {
        assert_eq!(out, b"kept");
    }
    assert_eq!(read?, bytes.len());
    let text = String::from_utf8(out.split_off(4)).unwrap();
    assert!(
        crate::text::JsonText::parse(text.as_bytes()).is_ok(),
        "{text}"
    );
    Ok(text)
}

/// A number as Avro writes it.
fn long(value: i64) -> Vec<u8> {
    let mut bits = (value << 1 ^ value >> 63).cast_unsigned();
    let mut bytes = Vec::new();
    while bits >= 0x80 {
        bytes.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    bytes.push(bits as u8);
    bytes
}

/// Bytes with their length in front.
fn sized(bytes: &[u8]) -> Vec<u8> {
    [long(bytes.len().try_into().unwrap()), bytes.to_vec()].concat()
}
