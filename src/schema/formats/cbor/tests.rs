//! CBOR against the examples of RFC 8949, appendix A, and against what is no CBOR.

use super::write_json;
use crate::schema::DEEPEST;

fn json(bytes: &[u8]) -> Result<String, String> {
    let mut out = Vec::new();
    write_json(bytes, &mut out).map_err(|refusal| refusal.to_string())?;
    Ok(String::from_utf8(out).unwrap())
}

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap())
        .collect()
}

fn check(cases: &[(&str, &str)]) {
    for (hex, text) in cases {
        assert_eq!(json(&bytes(hex)).as_deref(), Ok(*text), "{hex}");
    }
}

#[test]
fn the_numbers_of_the_appendix_are_read() {
    check(&[
        ("00", "0"),
        ("01", "1"),
        ("0a", "10"),
        ("17", "23"),
        ("1818", "24"),
        ("1819", "25"),
        ("1864", "100"),
        ("1903e8", "1000"),
        ("1a000f4240", "1000000"),
        ("1b000000e8d4a51000", "1000000000000"),
        ("1bffffffffffffffff", "18446744073709551615"),
        ("c249010000000000000000", "18446744073709551616"),
        ("3bffffffffffffffff", "-18446744073709551616"),
        ("c349010000000000000000", "-18446744073709551617"),
        ("20", "-1"),
        ("29", "-10"),
        ("3863", "-100"),
        ("3903e7", "-1000"),
        ("f90000", "0.0"),
        ("f98000", "-0.0"),
        ("f93c00", "1.0"),
        ("fb3ff199999999999a", "1.1"),
        ("f93e00", "1.5"),
        ("f97bff", "65504.0"),
        ("fa47c35000", "100000.0"),
        ("fa7f7fffff", "3.4028235e38"),
        ("fb7e37e43c8800759c", "1e300"),
        ("f90001", "5.9604645e-8"),
        ("f90400", "6.1035156e-5"),
        ("f9c400", "-4.0"),
        ("fbc010666666666666", "-4.1"),
        ("f97c00", "\"Infinity\""),
        ("f97e00", "\"NaN\""),
        ("f9fc00", "\"-Infinity\""),
        ("fa7f800000", "\"Infinity\""),
        ("fa7fc00000", "\"NaN\""),
        ("faff800000", "\"-Infinity\""),
        ("fb7ff0000000000000", "\"Infinity\""),
        ("fb7ff8000000000000", "\"NaN\""),
        ("fbfff0000000000000", "\"-Infinity\""),
    ]);
}

#[test]
fn the_simple_values_tags_and_strings_of_the_appendix_are_read() {
    check(&[
        ("f4", "false"),
        ("f5", "true"),
        ("f6", "null"),
        ("f7", "null"),
        ("f0", "{\"simple\":16}"),
        ("f8ff", "{\"simple\":255}"),
        (
            "c074323031332d30332d32315432303a30343a30305a",
            "\"2013-03-21T20:04:00Z\"",
        ),
        ("c11a514b67b0", "1363896240"),
        ("c1fb41d452d9ec200000", "1363896240.5"),
        ("d74401020304", "\"AQIDBA==\""),
        ("d818456449455446", "\"IETF\""),
        (
            "d82076687474703a2f2f7777772e6578616d706c652e636f6d",
            "\"http://www.example.com\"",
        ),
        ("40", "\"\""),
        ("4401020304", "\"AQIDBA==\""),
        ("60", "\"\""),
        ("6161", "\"a\""),
        ("6449455446", "\"IETF\""),
        ("62225c", "\"\\\"\\\\\""),
        ("62c3bc", "\"ü\""),
        ("63e6b0b4", "\"水\""),
        ("64f0908591", "\"𐅑\""),
    ]);
}

#[test]
fn the_containers_of_the_appendix_are_read() {
    let counted = "[1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25]";
    check(&[
        ("80", "[]"),
        ("83010203", "[1,2,3]"),
        ("8301820203820405", "[1,[2,3],[4,5]]"),
        (
            "98190102030405060708090a0b0c0d0e0f101112131415161718181819",
            counted,
        ),
        ("a0", "{}"),
        ("a201020304", r#"{"1":2,"3":4}"#),
        ("a26161016162820203", r#"{"a":1,"b":[2,3]}"#),
        ("826161a161626163", r#"["a",{"b":"c"}]"#),
        (
            "a56161614161626142616361436164614461656145",
            r#"{"a":"A","b":"B","c":"C","d":"D","e":"E"}"#,
        ),
        ("5f42010243030405ff", "\"AQIDBAU=\""),
        ("7f657374726561646d696e67ff", "\"streaming\""),
        ("9fff", "[]"),
        ("9f018202039f0405ffff", "[1,[2,3],[4,5]]"),
        ("9f01820203820405ff", "[1,[2,3],[4,5]]"),
        ("83018202039f0405ff", "[1,[2,3],[4,5]]"),
        ("83019f0203ff820405", "[1,[2,3],[4,5]]"),
        (
            "9f0102030405060708090a0b0c0d0e0f101112131415161718181819ff",
            counted,
        ),
        ("bf61610161629f0203ffff", r#"{"a":1,"b":[2,3]}"#),
        ("826161bf61626163ff", r#"["a",{"b":"c"}]"#),
        ("bf6346756ef563416d7421ff", r#"{"Fun":true,"Amt":-2}"#),
    ]);
}

#[test]
fn tags_that_change_nothing_are_dropped_and_others_say_what_they_mean() {
    check(&[
        ("d9d9f783010203", "[1,2,3]"),
        ("c48221196ab3", "[-2,27315]"),
        (
            "d82550f81d4fae7dec11d0a76500a0c91e6bf6",
            "\"f81d4fae-7dec-11d0-a765-00a0c91e6bf6\"",
        ),
        ("d8254101", "\"AQ==\""),
        ("d82501", "1"),
        ("d81843820102", "[1,2]"),
        // Not an item, so it stays bytes.
        ("d8184118", "\"GA==\""),
        ("d818420101", "\"AQE=\""),
        ("c240", "0"),
        ("c340", "-1"),
        ("c2430000ff", "255"),
        ("c25f4101420000ff", "65536"),
        ("c201", "1"),
        ("c24a02000000000000000001", "9444732965739290427393"),
    ]);
}

#[test]
fn big_numbers_are_decimal_up_to_256_bytes_and_hexadecimal_beyond() {
    let big = |negative: bool, raw: &[u8]| {
        let mut item = vec![0xc2 + u8::from(negative), 0x59];
        item.extend((raw.len() as u16).to_be_bytes());
        item.extend_from_slice(raw);
        json(&item).unwrap()
    };
    // 2^2048 and 2^2048 - 1, counted by doubling in decimal.
    let mut digits = vec![1u8];
    for _ in 0..2048 {
        let mut carry = 0;
        for digit in &mut digits {
            let sum = *digit * 2 + carry;
            *digit = sum % 10;
            carry = sum / 10;
        }
        if carry > 0 {
            digits.push(carry);
        }
    }
    let power: String = digits.iter().rev().map(|d| char::from(b'0' + d)).collect();
    assert_eq!(big(true, &[0xff; 256]), format!("-{power}"));
    let less = big(false, &[0xff; 256]);
    assert_eq!(less[..less.len() - 1], power[..power.len() - 1]);
    assert_eq!(less.as_bytes().last(), Some(&b'5'));

    let long = [[0x12u8; 256].as_slice(), &[0xff]].concat();
    assert_eq!(big(false, &long), format!("\"0x{}ff\"", "12".repeat(256)));
    assert_eq!(big(true, &long), format!("\"-0x{}1300\"", "12".repeat(255)));
    assert_eq!(
        big(true, &[0xff; 300]),
        format!("\"-0x01{}\"", "00".repeat(300))
    );
}

#[test]
fn big_numbers_beyond_256_kib_are_hexadecimal() {
    let mut item = vec![0x9f];
    for _ in 0..1025 {
        item.extend_from_slice(b"\xc2\x59\x01\0\x01");
        item.resize(item.len() + 255, 0);
    }
    item.push(0xff);
    let text = json(&item).unwrap();
    let decimal = text.split(',').filter(|number| !number.contains("0x"));
    assert_eq!(decimal.count(), 1024);
    assert!(text.ends_with(&format!(",\"0x01{}\"]", "00".repeat(255))));
}

#[test]
fn keys_of_any_kind_become_names_and_none_is_lost() {
    check(&[
        ("a201610101f5", r#"{"1":"\u0001","1":true}"#),
        ("a1f600", r#"{"null":0}"#),
        ("a141ff00", r#"{"/w==":0}"#),
        ("a1820161780a", r#"{"[1,\"x\"]":10}"#),
        (
            "a1c249010000000000000000f4",
            r#"{"18446744073709551616":false}"#,
        ),
    ]);
}

#[test]
fn what_is_no_item_is_refused_with_its_place() {
    for (hex, why) in [
        ("", "1 needed, 0 left (byte 0)"),
        ("0000", "1 bytes follow the value (byte 1)"),
        ("1c", "begins no item (byte 0)"),
        ("811f", "begins no item (byte 1)"),
        ("3f", "begins no item"),
        ("df00", "begins no item"),
        ("ff", "begins no item"),
        ("fc", "begins no item"),
        ("f818", "begins no item"),
        ("81ff", "begins no item (byte 1)"),
        ("bf00ff", "begins no item (byte 2)"),
        ("9f00", "1 needed, 0 left (byte 2)"),
        ("5f01ff", "is no such piece (byte 1)"),
        ("5f6161ff", "is no such piece"),
        ("7f7f6161ffff", "is no such piece"),
        ("7f61c3ff", "not UTF-8 (byte 2)"),
        ("61ff", "not UTF-8 (byte 1)"),
        ("5bffffffffffffffff", "18446744073709551615 needed, 0 left"),
        ("7affffffff6161", "4294967295 needed, 2 left"),
        (
            "9bffffffffffffffff00",
            "18446744073709551615 needed, 1 left",
        ),
        (
            "bbffffffffffffffff00",
            "18446744073709551615 needed, 1 left",
        ),
        ("ba8000000000", "4294967296 needed, 1 left"),
        ("c0", "1 needed, 0 left (byte 1)"),
        ("a1a1a1a1a100", "keys of maps, too deep"),
    ] {
        let refusal = json(&bytes(hex)).unwrap_err();
        assert!(refusal.starts_with("not CBOR: "), "{refusal}");
        assert!(refusal.contains(why), "{hex}: {refusal}");
    }
}

#[test]
fn nesting_ends_at_the_deepest_level_whatever_nests() {
    for opening in [0x81, 0x9f, 0xc6] {
        let nested = |levels: usize| {
            let mut item = vec![opening; levels];
            item.push(0xf6);
            if opening == 0x9f {
                item.resize(item.len() + levels, 0xff);
            }
            item
        };
        assert!(json(&nested(DEEPEST)).is_ok(), "{opening:x}");
        for levels in [DEEPEST + 1, 100_000, 1_000_000] {
            let refusal = json(&nested(levels)).unwrap_err();
            assert!(refusal.contains("nested deeper than 128"), "{refusal}");
        }
    }
}

#[test]
fn what_is_embedded_over_and_over_stays_bytes_in_the_end() {
    let mut item = vec![0x01];
    for _ in 0..200 {
        let mut outer = vec![0xd8, 0x18, 0x59];
        outer.extend((item.len() as u16).to_be_bytes());
        outer.append(&mut item);
        item = outer;
    }
    let text = json(&item).unwrap();
    assert!(text.starts_with("\"2Bh") && text.len() < 2 * item.len());
}
