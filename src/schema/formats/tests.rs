//! What holds for `MessagePack` and CBOR alike: values come back as they went in, hostile bytes are
//! refused in time and in bounds, and the JSON text is always JSON. `tests/fuzz` damages them.

mod encode;

use std::time::Duration;

use cpu_time::ThreadTime;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use serde_json::{Map, Value};

use super::{cbor, msgpack};
use crate::schema::{DEEPEST, Refusal};
use crate::text::JsonText;
use encode::{cbor as to_cbor, msgpack as to_msgpack};

type Decode = fn(&[u8], &mut Vec<u8>) -> Result<(), Refusal>;
type Encode = fn(&Value, bool, &mut Vec<u8>);
const FORMATS: [(Decode, Encode); 2] = [
    (msgpack::write_json, to_msgpack),
    (cbor::write_json, to_cbor),
];

const ROUND_TRIPS: u32 = 2_000;
const RANDOM: u32 = 20_000;

/// Numbers are compared by their digits.
fn float(number: f64) -> Value {
    serde_json::from_str(&format!("{number:?}")).unwrap()
}

fn any_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-300i64..300).prop_map(Value::from),
        prop::num::f64::NORMAL.prop_map(float),
        any::<String>().prop_map(Value::from),
        "[a-z\\n\"\u{202e}]{0,40}".prop_map(Value::from),
    ];
    leaf.prop_recursive(5, 64, 20, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::from),
            prop::collection::vec((any::<String>(), inner), 0..20)
                .prop_map(|members| Value::from(Map::from_iter(members))),
        ]
    })
}

#[test]
fn values_come_back_as_they_went_in() {
    let mut runner = TestRunner::new(Config::with_cases(ROUND_TRIPS));
    let ran = runner.run(&(any_value(), any::<bool>()), |(value, wide)| {
        for (decode, encode) in FORMATS {
            let mut bytes = Vec::new();
            encode(&value, wide, &mut bytes);
            let mut out = Vec::new();
            prop_assert_eq!(decode(&bytes, &mut out), Ok(()));
            let back: Value = serde_json::from_slice(&out).unwrap();
            prop_assert_eq!(&back, &value);
        }
        Ok(())
    });
    ran.unwrap();
}

/// Whatever comes of the bytes, the text of a success is JSON of a bounded size.
fn check(decode: Decode, bytes: &[u8], out: &mut Vec<u8>) -> Result<bool, TestCaseError> {
    out.clear();
    let taken = decode(bytes, out).is_ok();
    if taken {
        let json = JsonText::parse(out);
        prop_assert!(json.is_ok(), "{:?}: {:?}", bytes, json);
    }
    prop_assert!(out.len() <= 64 * bytes.len() + 64, "{} bytes", out.len());
    Ok(taken)
}

#[test]
fn random_bytes_that_were_pinned_are_taken_only_as_a_whole() {
    let mut runner = TestRunner::new(Config::with_cases(RANDOM));
    let random = prop::collection::vec(any::<u8>(), 0..64);
    let scratch = std::cell::RefCell::new(Vec::new());
    let ran = runner.run(&random, |bytes| {
        for (decode, _) in FORMATS {
            let mut out = scratch.borrow_mut();
            if check(decode, &bytes, &mut out)? {
                let cut = &bytes[..bytes.len() - 1];
                prop_assert!(!check(decode, cut, &mut out)?, "{:?}", bytes);
            }
        }
        Ok(())
    });
    ran.unwrap();
}

/// Bytes that are made to cost as much as they can.
fn bombs() -> Vec<(&'static str, Vec<u8>)> {
    let mut bombs = Vec::new();
    for levels in [100_000, 1_000_000] {
        for (name, opening) in [
            ("arrays", &b"\x91"[..]),
            ("maps of MessagePack", b"\x81\xa0"),
            ("keys of MessagePack", b"\x81"),
            ("CBOR arrays", b"\x81"),
            ("CBOR arrays without an end", b"\x9f"),
            ("CBOR maps", b"\xa1\x60"),
            ("CBOR keys", b"\xbf"),
            ("CBOR tags", b"\xc1"),
            ("CBOR big numbers", b"\xc2\x59\x01\0"),
            ("CBOR in CBOR", b"\xd8\x18\x5a\0\x0f\0\0"),
        ] {
            bombs.push((name, opening.repeat(levels)));
        }
    }
    for head in [
        &b"\xdd\xff\xff\xff\xff"[..],
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff",
        b"\x9a\xff\xff\xff\xff",
        b"\xba\xff\xff\xff\xff",
        b"\x7a\xff\xff\xff\xff",
        b"\x5a\xff\xff\xff\xff",
        b"\x9b\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xbb\x7f\xff\xff\xff\xff\xff\xff\xff",
    ] {
        let mut bytes = head.to_vec();
        bytes.resize(1000, 0xc0);
        bombs.push(("a length of 4 GiB and more", bytes));
    }
    let mut wide = vec![0x9f];
    for _ in 0..4000 {
        wide.extend_from_slice(b"\xc3\x59\x01\0");
        wide.resize(wide.len() + 256, 0xff);
    }
    wide.push(0xff);
    bombs.push(("a megabyte of big numbers", wide));
    bombs
}

#[test]
fn bombs_end_in_time_and_do_not_grow() {
    // 100 ms with optimisation: here there is little, and other tests run beside this one.
    let most = Duration::from_secs(2);
    for (name, bytes) in bombs() {
        for (decode, _) in FORMATS {
            let mut out = Vec::new();
            let started = ThreadTime::now();
            let taken = check(decode, &bytes, &mut out);
            assert!(started.elapsed() < most, "{name}: {:?}", started.elapsed());
            assert!(taken.is_ok(), "{name}");
            assert!(out.capacity() <= 16 * bytes.len() + 4096, "{name}");
        }
    }
}

#[test]
fn tiny_values_are_counted() {
    for (decode, head) in FORMATS.iter().map(|(decode, _)| *decode).zip([0xdd, 0x9a]) {
        for (count, is_taken) in [(1_000_000u32, true), (10_000_000, false)] {
            let mut bytes = vec![head];
            bytes.extend(count.to_be_bytes());
            bytes.resize(5 + count as usize, 1);
            let read = decode(&bytes, &mut Vec::new());
            assert_eq!(read.is_ok(), is_taken, "{read:?}");
        }
    }
}

#[test]
fn the_deepest_value_leaves_room_on_a_small_stack() {
    let ran = std::thread::Builder::new()
        .stack_size(512 * 1024)
        .spawn(|| {
            for (name, opening) in [
                ("maps", &b"\x81\xa0"[..]),
                ("tags", b"\xc6"),
                ("lists", b"\x9f"),
            ] {
                let mut bytes = opening.repeat(DEEPEST + 10);
                bytes.push(0xc0);
                for (decode, _) in FORMATS {
                    let mut out = Vec::new();
                    assert!(decode(&bytes, &mut out).is_err(), "{name}");
                }
            }
        })
        .unwrap()
        .join();
    assert!(ran.is_ok());
}
