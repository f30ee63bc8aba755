//! Every framing by bytes that its own description gives, and random bytes against all of them.

use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};

use super::*;
use crate::event::HeaderBuf;
use crate::schema::formats::inflate::{Inflater, most};

fn found<'a>(side: Side, headers: &'a HeaderBuf, bytes: &'a [u8]) -> Vec<Frame<'a>> {
    candidates(side, headers.as_headers(), bytes).collect()
}

fn bare(bytes: &[u8]) -> Vec<Frame<'_>> {
    candidates(Side::Value, Headers::default(), bytes).collect()
}

fn headers(all: &[(&str, &[u8])]) -> HeaderBuf {
    let mut buf = HeaderBuf::default();
    for (name, value) in all {
        buf.push(name.as_bytes(), Some(value));
    }
    buf
}

const GUID: [u8; 16] = *b"0123456789abcdef";

#[test]
fn an_id_in_front_is_confluents_or_apicurios() {
    let bytes = b"\0\0\0\0\x01\x02\x02ab";
    assert_eq!(
        bare(bytes),
        [
            Frame::Confluent {
                id: 1,
                payload: b"\x02\x02ab"
            },
            Frame::ApicurioLong {
                id: 0x01_0202_6162,
                payload: b""
            },
        ]
    );
    let long = b"\0\0\0\0\0\0\0\0\x07ab";
    assert_eq!(
        bare(long),
        [Frame::ApicurioLong {
            id: 7,
            payload: b"ab"
        }]
    );
    let empty = [Frame::Confluent {
        id: 258,
        payload: b"",
    }];
    assert_eq!(bare(b"\0\0\0\x01\x02"), empty);
    for none in [&b""[..], b"\0", b"\0\0\0\x01", b"\0\x80\0\0\0", &[0; 9]] {
        assert_eq!(bare(none), [], "{none:?}");
    }
}

#[test]
fn headers_come_first_and_are_each_sides_own() {
    let guid = [&[1][..], &GUID, &[2, 2]].concat();
    let all = headers(&[("__key_schema_id", &guid), ("x", b"y")]);
    let value = b"\0\0\0\0\x09";
    assert_eq!(
        found(Side::Key, &all, value),
        [
            Frame::Guid {
                guid: GUID,
                indexes: &[2, 2],
                payload: value
            },
            Frame::Confluent {
                id: 9,
                payload: b""
            },
        ]
    );
    assert_eq!(found(Side::Value, &all, value).len(), 1);

    let all = headers(&[("__value_schema_id", b"\0\0\0\0\x05\0")]);
    assert_eq!(
        found(Side::Value, &all, b"x"),
        [Frame::HeaderId {
            id: 5,
            indexes: &[0],
            payload: b"x"
        }]
    );
    for broken in [&b""[..], b"\x02abcd", b"\0\0\0\x05", &guid[..16]] {
        let all = headers(&[("__value_schema_id", broken)]);
        assert_eq!(found(Side::Value, &all, b"x"), [], "{broken:?}");
    }
}

#[test]
fn the_last_of_a_repeated_header_holds() {
    let mut all = headers(&[("__value_schema_id", b"\0\0\0\0\x05")]);
    all.push(b"__value_schema_id", Some(b"\0\0\0\0\x06"));
    let frames = found(Side::Value, &all, b"x");
    assert!(matches!(frames[..], [Frame::HeaderId { id: 6, .. }]));
    all.push(b"__value_schema_id", None);
    assert_eq!(found(Side::Value, &all, b"x"), []);
}

#[test]
fn apicurios_headers_hold_eight_bytes() {
    let (global, content) = (7u64.to_be_bytes(), 9u64.to_be_bytes());
    let all = headers(&[
        ("apicurio.value.globalId", &global),
        ("apicurio.value.contentId", &content),
        ("apicurio.key.contentId", &global),
        ("apicurio.key.globalId", b"short"),
    ]);
    let frame = |global, content| Frame::ApicurioHeader {
        global,
        content,
        payload: b"x",
    };
    assert_eq!(found(Side::Value, &all, b"x"), [frame(Some(7), Some(9))]);
    assert_eq!(found(Side::Key, &all, b"x"), [frame(None, Some(7))]);
}

#[test]
fn azure_is_found_by_its_content_type_and_by_its_older_prefix() {
    let id = "0123456789abcdef0123456789ABCDEF";
    for (name, kind, json) in [
        ("content-type", "avro/binary", false),
        ("Content-Type", "application/json;serialization=Json", true),
    ] {
        let kind = format!("{kind}+{id}");
        let all = headers(&[(name, kind.as_bytes())]);
        let expected = Frame::Azure {
            id,
            json,
            payload: b"x",
        };
        assert_eq!(found(Side::Value, &all, b"x"), [expected]);
        assert_eq!(found(Side::Key, &all, b"x"), []);
    }
    for other in [
        "avro/binary",
        "avro/binary+",
        "avro/binary+../../etc",
        "text/plain+0123456789abcdef0123456789abcdef",
        "application/cloudevents+json",
    ] {
        let all = headers(&[("content-type", other.as_bytes())]);
        assert_eq!(found(Side::Value, &all, b"x"), [], "{other}");
    }
    let old = [&[0; 4], id.as_bytes(), b"\x02a"].concat();
    let first = bare(&old)[0];
    assert_eq!(
        first,
        Frame::Azure {
            id,
            json: false,
            payload: b"\x02a"
        }
    );
}

#[test]
fn the_others_are_told_by_their_first_bytes() {
    let glue = |compression| [&[3, compression][..], &GUID, b"x"].concat();
    for (compression, zlib) in [(0, false), (5, true)] {
        assert_eq!(
            bare(&glue(compression)),
            [Frame::Glue {
                version: GUID,
                zlib,
                payload: b"x"
            }]
        );
    }
    assert_eq!(bare(&glue(1)), []);
    assert_eq!(bare(&glue(0)[..17]), []);

    // The single object of Avro's own documentation for a fingerprint, little end first.
    assert_eq!(
        bare(b"\xc3\x01\x08\x07\x06\x05\x04\x03\x02\x01x"),
        [Frame::SingleObject {
            fingerprint: 0x0102_0304_0506_0708,
            payload: b"x"
        }]
    );
    assert_eq!(bare(b"\xc3\x01\x08\x07\x06"), []);
    assert_eq!(bare(b"Obj\x01x"), [Frame::Container(b"Obj\x01x")]);
    assert_eq!(bare(b"Obj\x02"), []);
    assert_eq!(bare(b"\xd9\xd9\xf7\x01"), [Frame::CborTagged]);
    let gzip = Frame::Compressed(StreamKind::Gzip);
    assert_eq!(bare(b"\x1f\x8b\x08\0"), [gzip]);
    for plain in [&b"{\"a\":1}"[..], b"[1]", b"text", b"\x1b[0m", b"\xff\xfe"] {
        assert_eq!(bare(plain), [], "{plain:?}");
    }
}

/// Random byte strings a property.
const CASES: u32 = 100_000;

/// Random bytes behind one of the signs that framings have, or behind none.
fn behind_a_sign() -> impl Strategy<Value = Vec<u8>> {
    let signs: [&[u8]; 12] = [
        b"",
        b"\0",
        b"\0\0\0\0",
        b"\x03\0",
        b"\xc3\x01",
        b"Obj\x01",
        b"\xd9\xd9\xf7",
        StreamKind::Gzip.magic(),
        StreamKind::Zstd.magic(),
        StreamKind::Lz4.magic(),
        StreamKind::Snappy.magic(),
        StreamKind::SnappyJava.magic(),
    ];
    let rest = prop::collection::vec(any::<u8>(), 0..64);
    (0..signs.len(), rest).prop_map(move |(sign, rest)| [signs[sign], &rest].concat())
}

#[test]
fn random_bytes_are_only_candidates_by_their_first_bytes() {
    let mut runner = TestRunner::new(Config::with_cases(CASES));
    let random = prop::collection::vec(any::<u8>(), 0..64);
    let ran = runner.run(&random, |bytes| {
        for frame in bare(&bytes) {
            let expected: &[u8] = match frame {
                Frame::Confluent { .. } | Frame::ApicurioLong { .. } => b"\0",
                Frame::Azure { .. } => b"\0\0\0\0",
                Frame::Glue { .. } => b"\x03",
                Frame::SingleObject { .. } => b"\xc3\x01",
                Frame::Container(_) => b"Obj\x01",
                Frame::CborTagged => b"\xd9\xd9\xf7",
                Frame::Compressed(kind) => kind.magic(),
                Frame::Guid { .. } | Frame::HeaderId { .. } | Frame::ApicurioHeader { .. } => {
                    return Err(TestCaseError::fail("there are no headers"));
                }
            };
            prop_assert!(bytes.starts_with(expected));
        }
        Ok(())
    });
    ran.unwrap();
}

#[test]
fn what_is_random_behind_a_magic_hardly_ever_inflates() {
    let mut runner = TestRunner::new(Config::with_cases(CASES));
    let inflater = std::cell::RefCell::new(Inflater::default());
    let (seen, taken) = (std::cell::Cell::new(0), std::cell::Cell::new(0));
    let ran = runner.run(&behind_a_sign(), |bytes| {
        for frame in bare(&bytes) {
            if let Frame::Compressed(kind) = frame {
                seen.set(seen.get() + 1);
                match inflater
                    .borrow_mut()
                    .inflate(kind, &bytes, most(bytes.len()))
                {
                    // A frame of zstd with one block of one repeated byte has few bits to be wrong.
                    Ok(_) if kind == StreamKind::Zstd => taken.set(taken.get() + 1),
                    // A snappy stream may hold nothing, with padding at most.
                    Ok(nothing) => prop_assert!(nothing.is_empty(), "{:?}", bytes),
                    Err(_) => {}
                }
            }
        }
        Ok(())
    });
    ran.unwrap();
    assert!(seen.get() > CASES / 4, "{seen:?}");
    // One of 10,000 behind a magic that one of 4 billion has.
    assert!(taken.get() < CASES / 1000, "{taken:?}");
}
