//! What values look like as JSON, and which bytes are refused.

use super::{compile, json, long, sized};

#[track_caller]
fn is(schema: &str, bytes: &[u8], expected: &str) {
    assert_eq!(
        json(&compile(schema), bytes).as_deref(),
        Ok(expected),
        "{schema}"
    );
}

fn logical(kind: &str, logical: &str) -> String {
    format!(r#"{{"type":"{kind}","logicalType":"{logical}"}}"#)
}

#[test]
fn plain_values() {
    is(r#""null""#, &[], "null");
    is(r#""boolean""#, &[1], "true");
    is(r#""boolean""#, &[0], "false");
    is(r#""int""#, &long(i64::from(i32::MIN)), "-2147483648");
    is(r#""long""#, &long(i64::MAX), "9223372036854775807");
    is(r#""long""#, &long(i64::MIN), "-9223372036854775808");
    is(
        r#""string""#,
        &sized("a\"é\u{1b}\u{202e}".as_bytes()),
        r#""a\"é\u001b\u202e""#,
    );
    is(r#""bytes""#, &sized(&[0xff, 0xfe, 0, 1]), r#""//4AAQ==""#);
    is(r#""bytes""#, &[0], r#""""#);
    is(
        r#"{"type":"fixed","name":"F","size":3}"#,
        b"abc",
        r#""YWJj""#,
    );
    is(r#"["null","int"]"#, &[0], "null");
    is(r#"["null","int"]"#, &[2, 1], "-1");
    is(
        r#"{"type":"enum","name":"E","symbols":["A","B\"x"]}"#,
        &[2],
        r#""B\"x""#,
    );
    is(r#"{"type":"record","name":"R","fields":[]}"#, &[], "{}");
    is(
        r#"{"type":"record","name":"R","fields":[{"name":"a\n","type":"int"},{"name":"b","type":"null"}]}"#,
        &[2],
        r#"{"a\n":1,"b":null}"#,
    );
}

#[test]
fn numbers_have_the_fewest_digits() {
    for (value, text) in [
        (0.1_f32, "0.1"),
        (-0.0, "-0.0"),
        (16_777_216.0, "16777216.0"),
        (f32::MAX, "3.4028235e+38"),
        (f32::NAN, "\"NaN\""),
        (f32::INFINITY, "\"Infinity\""),
        (f32::NEG_INFINITY, "\"-Infinity\""),
    ] {
        is(r#""float""#, &value.to_le_bytes(), text);
    }
    for (value, text) in [
        (0.1_f64, "0.1"),
        (5e-324, "5e-324"),
        (f64::NAN, "\"NaN\""),
        (1e15, "1000000000000000.0"),
    ] {
        is(r#""double""#, &value.to_le_bytes(), text);
    }
}

#[test]
fn arrays_and_maps_come_in_blocks_with_and_without_their_size() {
    let array = r#"{"type":"array","items":"int"}"#;
    is(array, &[0], "[]");
    is(array, &[4, 2, 4, 2, 6, 0], "[1,2,3]");
    // Two items in two bytes, then one.
    is(array, &[3, 4, 2, 4, 2, 6, 0], "[1,2,3]");
    let map = r#"{"type":"map","values":["null","long"]}"#;
    is(map, &[0], "{}");
    is(
        map,
        &[2, 2, b'a', 2, 2, 1, 6, 2, b'b', 0, 0],
        r#"{"a":1,"b":null}"#,
    );
}

#[test]
fn dates_and_times() {
    let days = long(19_950);
    is(&logical("int", "date"), &days, r#""2024-08-15""#);
    is(&logical("int", "date"), &long(-719_528), r#""0000-01-01""#);
    is(&logical("int", "date"), &long(-719_529), "-719529");
    is(&logical("int", "date"), &long(2_932_896), r#""9999-12-31""#);
    is(&logical("int", "date"), &long(2_932_897), "2932897");
    is(
        &logical("int", "time-millis"),
        &long(37_843_123),
        r#""10:30:43.123""#,
    );
    is(
        &logical("int", "time-millis"),
        &long(86_400_000),
        "86400000",
    );
    is(&logical("int", "time-millis"), &long(-1), "-1");
    is(
        &logical("long", "time-micros"),
        &long(37_843_123_045),
        r#""10:30:43.123045""#,
    );
    let at = 1_723_717_843_123_i64;
    is(
        &logical("long", "timestamp-millis"),
        &long(at),
        r#""2024-08-15T10:30:43.123Z""#,
    );
    is(
        &logical("long", "timestamp-micros"),
        &long(at * 1000 + 7),
        r#""2024-08-15T10:30:43.123007Z""#,
    );
    is(
        &logical("long", "timestamp-nanos"),
        &long(at * 1_000_000 + 12),
        r#""2024-08-15T10:30:43.123000012Z""#,
    );
    is(
        &logical("long", "local-timestamp-millis"),
        &long(at),
        r#""2024-08-15T10:30:43.123""#,
    );
    is(
        &logical("long", "local-timestamp-micros"),
        &long(at * 1000),
        r#""2024-08-15T10:30:43.123000""#,
    );
    is(
        &logical("long", "local-timestamp-nanos"),
        &long(at * 1_000_000),
        r#""2024-08-15T10:30:43.123000000""#,
    );
    is(
        &logical("long", "timestamp-micros"),
        &long(-1),
        r#""1969-12-31T23:59:59.999999Z""#,
    );
    is(
        &logical("long", "timestamp-millis"),
        &long(i64::MAX),
        "9223372036854775807",
    );
    is(
        &logical("long", "timestamp-micros"),
        &long(i64::MIN),
        "-9223372036854775808",
    );
    is(
        &logical("long", "timestamp-nanos"),
        &long(i64::MAX),
        r#""2262-04-11T23:47:16.854775807Z""#,
    );
}

#[test]
fn decimals_have_all_their_digits() {
    let decimal = |scale: usize| {
        format!(r#"{{"type":"bytes","logicalType":"decimal","precision":1000,"scale":{scale}}}"#)
    };
    for (bytes, scale, text) in [
        (&[][..], 2, "0.00"),
        (&[0], 2, "0.00"),
        (&[1], 0, "1"),
        (&[0xff], 2, "-0.01"),
        (&[0x30, 0x39], 2, "123.45"),
        (&[0x30, 0x39], 5, "0.12345"),
        (&[0x30, 0x39], 7, "0.0012345"),
        (&[0x80], 0, "-128"),
        (&[0x7f; 16], 3, "169473963133173273960190490760135540.607"),
        (&[0xff; 40], 0, "-1"),
        (&[0; 40], 1, "0.0"),
    ] {
        is(&decimal(scale), &sized(bytes), text);
    }
    let mut wide = vec![1];
    wide.resize(26, 0);
    is(
        &decimal(0),
        &sized(&wide),
        "1606938044258990275541962092341162602522202993782792835301376",
    );
    wide[0] = 0xff;
    is(
        &decimal(3),
        &sized(&wide),
        "-1606938044258990275541962092341162602522202993782792835301.376",
    );
    let mut widest = vec![0x80];
    widest.resize(256, 0);
    let text = json(&compile(&decimal(0)), &sized(&widest)).unwrap();
    assert_eq!(text.len(), 618);
    assert!(
        text.starts_with("-16158503035655503650357438344334975980"),
        "{text}"
    );
    widest.push(0);
    let text = json(&compile(&decimal(0)), &sized(&widest)).unwrap();
    assert!(text.starts_with("\"gAAA"), "{text}");
    let fixed =
        r#"{"type":"fixed","name":"F","size":4,"logicalType":"decimal","precision":9,"scale":2}"#;
    is(fixed, &[0xff, 0xff, 0xff, 0x85], "-1.23");
}

#[test]
fn uuids_and_durations() {
    let bytes: Vec<u8> = (0..16).collect();
    let fixed = r#"{"type":"fixed","name":"F","size":16,"logicalType":"uuid"}"#;
    is(fixed, &bytes, r#""00010203-0405-0607-0809-0a0b0c0d0e0f""#);
    is(
        &logical("string", "uuid"),
        &sized(b"any text"),
        r#""any text""#,
    );
    let duration = r#"{"type":"fixed","name":"F","size":12,"logicalType":"duration"}"#;
    is(
        duration,
        &[1, 0, 0, 0, 2, 1, 0, 0, 255, 255, 255, 255],
        r#"{"months":1,"days":258,"millis":4294967295}"#,
    );
}

#[test]
fn a_value_ends_where_it_ends() {
    let mut out = b"x".to_vec();
    assert_eq!(compile(r#""int""#).write_json(&[2, 9, 9], &mut out), Ok(1));
    assert_eq!(out, b"x1");
}

const RECORD: &str = r#"{"type":"record","name":"R","fields":[{"name":"a","type":"int"},{"name":"l","type":
        {"type":"array","items":{"type":"map","values":"string"}}}]}"#;

/// Schema, bytes, reason.
const REFUSED: [(&str, &[u8], &str); 21] = [
    (
        r#""boolean""#,
        &[2],
        "byte 0: 2 is no boolean, which are 0 and 1",
    ),
    (r#""boolean""#, &[], "byte 0: the data end within a boolean"),
    (r#""int""#, &[0x80], "byte 1: the data end within an int"),
    (
        r#""int""#,
        &[0x80, 0x80, 0x80, 0x80, 0x10],
        "byte 0: an int of more than 32 bits: 2147483648",
    ),
    (
        r#""long""#,
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2],
        "byte 0: a long of more than 64 bits",
    ),
    (
        r#""long""#,
        &[0x80; 20],
        "byte 0: a long of more than 64 bits",
    ),
    (
        r#""double""#,
        &[0; 7],
        "byte 0: the data end within a double",
    ),
    (
        r#""string""#,
        &[8, b'a'],
        "byte 1: a string of 4 bytes, but 1 are left",
    ),
    (
        r#""string""#,
        &[1],
        "byte 0: a string of a length below zero: -1",
    ),
    (
        r#""string""#,
        &[4, b'a', 0xff],
        "byte 2: a string that is not UTF-8",
    ),
    (
        r#""bytes""#,
        &[0xfe, 0xff, 0xff, 0xff, 0x0f],
        "byte 5: a value of type bytes of 2147483647 bytes, but 0 are left",
    ),
    (
        r#"["null","int"]"#,
        &[4],
        "byte 0: a union's branch is 2, and there are 2",
    ),
    (
        r#"["null","int"]"#,
        &[1],
        "byte 0: a union's branch is -1, and there are 2",
    ),
    (
        r"[]",
        &[0],
        "byte 0: a union's branch is 0, and there are 0",
    ),
    (
        r#"{"type":"enum","name":"E","symbols":["A"]}"#,
        &[2],
        "byte 0: an enum's symbol is 1, and there are 1",
    ),
    (
        r#"{"type":"fixed","name":"F","size":3}"#,
        b"ab",
        "byte 0: a fixed of 3 bytes, but 2 are left",
    ),
    (
        r#"{"type":"array","items":"int"}"#,
        &[3, 8, 2, 4, 0],
        "byte 1: a block of 4 bytes, but 3 are left",
    ),
    (
        r#"{"type":"array","items":"int"}"#,
        &[3, 2, 2, 4, 0],
        "byte 4: a block that should end at byte 3",
    ),
    (
        r#"{"type":"array","items":"int"}"#,
        &[3, 1, 2, 4, 0],
        "byte 1: a block of -1 bytes, but 3 are left",
    ),
    (
        r#"{"type":"array","items":"int"}"#,
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
        "byte 0: a count of items of more than 63 bits",
    ),
    (
        RECORD,
        &[2, 2, 4, 2, b'x', 0, 2, b'y', 9],
        "byte 8 (/l/0/y): a string of a length below zero: -5",
    ),
];

#[test]
fn what_nobody_writes_is_refused_with_its_byte() {
    for (schema, bytes, reason) in REFUSED {
        let refused = json(&compile(schema), bytes).unwrap_err();
        assert_eq!(refused.0, reason, "{schema}");
    }
}
