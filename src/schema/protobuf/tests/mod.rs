//! Schemas compiled and messages decoded, by example. Messages are written by hand, byte by byte.

use super::super::{Language, Reference};
use super::*;

pub(super) fn source(text: &str) -> Source {
    Source {
        language: Language::Protobuf,
        text: text.to_owned(),
        references: Vec::new(),
    }
}

pub(super) fn compile(text: &str) -> Protobuf {
    Protobuf::compile(&source(text)).unwrap()
}

/// What the first message of a schema makes of bytes, or why it does not.
pub(super) fn decode(schema: &Protobuf, bytes: &[u8]) -> Result<String, String> {
    let message = schema.message_at(&[0]).unwrap();
    let mut out = b"before".to_vec();
    let done = schema.write_json(message, bytes, &mut Scratch::default(), &mut out);
    let out = String::from_utf8(out).unwrap();
    match done {
        Ok(()) => Ok(out.strip_prefix("before").unwrap().to_owned()),
        Err(refusal) => {
            assert_eq!(out, "before");
            Err(refusal.to_string())
        }
    }
}

fn refused(text: &str) -> String {
    Protobuf::compile(&source(text)).unwrap_err().to_string()
}

#[test]
fn every_scalar_is_written_in_its_form() {
    let schema = compile(
        "syntax = \"proto3\"; message M {
           double d = 1; float f = 2; int32 i = 3; int64 l = 4; uint32 u = 5; uint64 ul = 6;
           sint32 s = 7; sint64 sl = 8; fixed32 x = 9; fixed64 xl = 10; sfixed32 y = 11;
           sfixed64 yl = 12; bool b = 13; string t = 14; bytes raw = 15; E e = 16; }
         enum E { ZERO = 0; ONE = 1; UNO = 1; option allow_alias = true; }",
    );
    assert_eq!(
        decode(&schema, b"").unwrap(),
        "{\"d\":0.0,\"f\":0.0,\"i\":0,\"l\":0,\"u\":0,\"ul\":0,\"s\":0,\"sl\":0,\"x\":0,\"xl\":0,\
         \"y\":0,\"yl\":0,\"b\":false,\"t\":\"\",\"raw\":\"\",\"e\":\"ZERO\"}"
    );
    let bytes = b"\x09\0\0\0\0\0\0\xf8\x3f\x15\0\0\x80\x7f\
        \x18\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x20\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01\
        \x28\xff\xff\xff\xff\x0f\x30\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x38\x03\
        \x40\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x4d\xff\xff\xff\xff\
        \x51\xff\xff\xff\xff\xff\xff\xff\xff\x5d\xff\xff\xff\xff\x61\xfe\xff\xff\xff\xff\xff\xff\xff\
        \x68\x02\x72\x04a\"\x1b\n\x7a\x02\xff\x00\x80\x01\x01";
    assert_eq!(
        decode(&schema, bytes).unwrap(),
        "{\"d\":1.5,\"f\":\"Infinity\",\"i\":-1,\"l\":-9223372036854775808,\"u\":4294967295,\
         \"ul\":18446744073709551615,\"s\":-2,\"sl\":-9223372036854775808,\"x\":4294967295,\
         \"xl\":18446744073709551615,\"y\":-1,\"yl\":-2,\"b\":true,\"t\":\"a\\\"\\u001b\\n\",\
         \"raw\":\"/wA=\",\"e\":\"ONE\"}"
    );
}

#[test]
fn fields_come_in_the_order_of_the_schema_and_the_last_counts() {
    let schema = compile(
        "syntax = \"proto3\"; message M { int32 b = 2; optional int32 a = 1; M m = 3;
           repeated int32 r = 4; oneof o { int32 x = 5; M y = 6; } }",
    );
    let none = r#"{"b":0,"r":[]}"#;
    assert_eq!(decode(&schema, b"").unwrap(), none);
    for (bytes, json) in [
        (&b"\x08\x00\x10\x07"[..], r#"{"b":7,"a":0,"r":[]}"#),
        (b"\x10\x07\x08\x01\x10\x08", r#"{"b":8,"a":1,"r":[]}"#),
        // A message given twice is merged; what repeats in it is put together.
        (
            b"\x1a\x04\x10\x01\x20\x05\x1a\x06\x08\x02\x10\x03\x20\x06",
            r#"{"b":0,"m":{"b":3,"a":2,"r":[5,6]},"r":[]}"#,
        ),
        // Packed, alone, and with others in between.
        (
            b"\x22\x02\x01\x02\x20\x03\x10\x09\x22\x00\x20\x04",
            r#"{"b":9,"r":[1,2,3,4]}"#,
        ),
        (b"\x28\x01\x32\x00", r#"{"b":0,"r":[],"y":{"b":0,"r":[]}}"#),
        (b"\x32\x02\x10\x05\x28\x00", r#"{"b":0,"r":[],"x":0}"#),
        // What a oneof held before another was set is gone, merged or not.
        (
            b"\x32\x02\x10\x05\x28\x01\x32\x02\x08\x01",
            r#"{"b":0,"r":[],"y":{"b":0,"a":1,"r":[]}}"#,
        ),
        (
            b"\x32\x02\x10\x05\x32\x02\x08\x01",
            r#"{"b":0,"r":[],"y":{"b":5,"a":1,"r":[]}}"#,
        ),
    ] {
        assert_eq!(decode(&schema, bytes).unwrap(), json, "{bytes:?}");
    }
}

#[test]
fn maps_are_objects_and_the_last_of_a_key_counts() {
    let schema = compile(
        "syntax = \"proto3\"; message M { map<string, int32> s = 1; map<bool, M> b = 2;
           map<sint32, E> n = 3; } enum E { ZERO = 0; ONE = 1; }",
    );
    for (bytes, json) in [
        (&b""[..], r#"{"s":{},"b":{},"n":{}}"#),
        (b"\x0a\x00", r#"{"s":{"":0},"b":{},"n":{}}"#),
        (
            b"\x0a\x05\x0a\x01z\x10\x01\x0a\x05\x10\x02\x0a\x01a\x0a\x05\x0a\x01z\x10\x03",
            r#"{"s":{"a":2,"z":3},"b":{},"n":{}}"#,
        ),
        // A key that is longer than it needs to be is the same key.
        (
            b"\x12\x02\x08\x01\x12\x05\x08\x82\x00\x12\x00\x1a\x02\x08\x03\x1a\x04\x10\x01\x08\x03",
            r#"{"s":{},"b":{"true":{"s":{},"b":{},"n":{}}},"n":{"-2":"ONE"}}"#,
        ),
        // The last key of an entry counts; a value twice is one.
        (
            b"\x0a\x0a\x0a\x01a\x10\x01\x0a\x01b\x10\x02",
            r#"{"s":{"b":2},"b":{},"n":{}}"#,
        ),
        (b"\x1a\x02\x10\x09", r#"{"s":{},"b":{},"n":{"0":9}}"#),
    ] {
        assert_eq!(decode(&schema, bytes).unwrap(), json, "{bytes:?}");
    }
}

#[test]
fn proto2_has_groups_required_fields_and_extensions() {
    let schema = compile(
        "syntax = \"proto2\"; package p; message M { required int32 id = 1;
           optional int32 n = 2 [default = 7]; repeated group G = 3 { optional string t = 4; }
           repeated int32 r = 5 [packed = true]; optional E e = 6; extensions 100 to 200; }
         enum E { FIVE = 5; } extend M { optional string note = 100; repeated int32 many = 101; }",
    );
    for (bytes, json) in [
        (&b"\x08\x01"[..], r#"{"id":1,"g":[],"r":[]}"#),
        (
            b"\x1b\x22\x01x\x1c\x08\x01\x1b\x1c\x28\x09\x30\x06",
            r#"{"id":1,"g":[{"t":"x"},{}],"r":[9],"e":6}"#,
        ),
        (
            b"\x08\x01\x10\x00\x30\x05\xa2\x06\x02hi\xa8\x06\x01",
            r#"{"id":1,"n":0,"g":[],"r":[],"e":"FIVE","[p.note]":"hi","[p.many]":[1]}"#,
        ),
    ] {
        assert_eq!(decode(&schema, bytes).unwrap(), json, "{bytes:?}");
    }
    assert_eq!(
        decode(&schema, b"\x10\x01").unwrap_err(),
        "id: is required and not there at byte 0"
    );
}

#[test]
fn what_the_schema_does_not_know_is_shown_raw() {
    let schema = compile("syntax = \"proto3\"; message M { int32 a = 1; M m = 2; }");
    for (bytes, json) in [
        (
            &b"\x18\x05\x08\x01\x22\x02hi\x18\x06"[..],
            r#"{"a":1,"@unknown":{"3":[5,6],"4":"hi"}}"#,
        ),
        (
            b"\x12\x05\x1d\x01\0\0\0\x2b\x08\x01\x2c",
            r#"{"a":0,"m":{"a":0,"@unknown":{"3":1}},"@unknown":{"5":{"1":1}}}"#,
        ),
    ] {
        assert_eq!(decode(&schema, bytes).unwrap(), json, "{bytes:?}");
    }
}

#[test]
fn what_does_not_fit_is_refused_with_path_and_place() {
    let schema = compile(
        "syntax = \"proto3\"; message M { int32 a = 1; string t = 2; M m = 3; repeated M r = 4;
           repeated fixed32 p = 5; bytes raw = 6; map<string, M> s = 7; }",
    );
    for (bytes, why) in [
        (
            &b"\x0a\x00"[..],
            "a: a length and bytes is no int32, at byte 0",
        ),
        (b"\x08\x01\x10\x01", "t: a varint is no string, at byte 2"),
        (
            b"\x1a\x03\x12\x01\xff",
            "m.t: its text is no UTF-8 at byte 4",
        ),
        (
            b"\x22\x00\x22\x02\x0d\x00",
            "r[1]: a value of 4 bytes is announced, 1 are left, at byte 5",
        ),
        (b"\x22\x02\x08\x80", "r[0]: a number is cut off at byte 3"),
        (
            b"\x2a\x05\x00\x00\x00\x00\x01",
            "p: 4 bytes of a number are cut off at byte 6",
        ),
        (
            b"\x3a\x04\x12\x02\x0a\x00",
            "s.a: a length and bytes is no int32, at byte 4",
        ),
        (
            b"\x08\x01\x09",
            "a value of 8 bytes is announced, 0 are left, at byte 3",
        ),
    ] {
        let found = decode(&schema, bytes);
        assert_eq!(found.unwrap_err(), why, "{bytes:?}");
    }
}

#[test]
fn well_known_types_have_their_forms() {
    let schema = compile(
        "syntax = \"proto3\"; import \"google/protobuf/any.proto\";
         import \"google/protobuf/duration.proto\"; import \"google/protobuf/empty.proto\";
         import \"google/protobuf/field_mask.proto\"; import \"google/protobuf/struct.proto\";
         import \"google/protobuf/timestamp.proto\"; import \"google/protobuf/wrappers.proto\";
         message M { google.protobuf.Timestamp t = 1; google.protobuf.Duration d = 2;
           google.protobuf.Struct s = 3; google.protobuf.Value v = 4;
           google.protobuf.ListValue l = 5; google.protobuf.FieldMask m = 6;
           google.protobuf.Int64Value i = 7; google.protobuf.Any a = 8;
           google.protobuf.Empty e = 9; }",
    );
    for (bytes, json) in [
        (&b""[..], "{}"),
        (b"\x0a\x00", r#"{"t":"1970-01-01T00:00:00Z"}"#),
        (
            b"\x0a\x0c\x08\xd3\xb1\xf7\xb5\x06\x10\x80\xca\xb5\xee\x01",
            r#"{"t":"2024-08-15T10:30:43.500Z"}"#,
        ),
        (b"\x0a\x02\x10\x7f\x0a\x02\x08\x01", r#"{"t":"1970-01-01T00:00:01.000000127Z"}"#),
        // Times that the form has not, and what it has no place for.
        (
            b"\x0a\x0b\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
            r#"{"t":{"seconds":0,"nanos":-1}}"#,
        ),
        (b"\x0a\x02\x18\x01", r#"{"t":{"seconds":0,"nanos":0,"@unknown":{"3":1}}}"#),
        (b"\x12\x08\x08\x01\x10\x80\xca\xb5\xee\x01", r#"{"d":"1.500s"}"#),
        (
            b"\x1a\x1b\x0a\x08\x0a\x01\x62\x12\x03\x1a\x01\x78\x0a\x0f\x0a\x01\x61\x12\x0a\x32\x08\x0a\x02\x20\x01\x0a\x02\x08\x00",
            r#"{"s":{"b":"x","a":[true,null]}}"#,
        ),
        (b"\x22\x00", r#"{"v":null}"#),
        (b"\x22\x09\x11\0\0\0\0\0\0\x04\x40", r#"{"v":2.5}"#),
        (b"\x2a\x00", r#"{"l":[]}"#),
        (b"\x32\x00", r#"{"m":""}"#),
        (
            b"\x32\x0c\x0a\x07\x61\x5f\x62\x2e\x63\x5f\x64\x0a\x01\x65\x32\x06\x0a\x04\x22\x5f\x31\x0a",
            r#"{"m":"aB.cD,e,\"_1\n"}"#,
        ),
        (b"\x3a\x00", r#"{"i":0}"#),
        (b"\x3a\x02\x08\x07", r#"{"i":7}"#),
        (b"\x42\x00", r#"{"a":{}}"#),
        (
            b"\x42\x0b\x0a\x03\x78\x2f\x4d\x12\x04\x3a\x02\x08\x07",
            r#"{"a":{"@type":"x/M","i":7}}"#,
        ),
        (
            b"\x42\x24\x0a\x1e\x78\x2f\x67\x6f\x6f\x67\x6c\x65\x2e\x70\x72\x6f\x74\x6f\x62\x75\x66\x2e\x53\x74\x72\x69\x6e\x67\x56\x61\x6c\x75\x65\x2e\x12\x02\x0a\x00",
            r#"{"a":{"@type":"x/google.protobuf.StringValue.","value":"CgA="}}"#,
        ),
        (b"\x4a\x00", r#"{"e":{}}"#),
    ] {
        let found = decode(&schema, bytes);
        assert_eq!(found.as_deref(), Ok(json), "{bytes:?}");
    }
    let url = b"x/google.protobuf.Duration";
    let any = [&[0x0a, url.len() as u8][..], url, b"\x12\x02\x08\x01"].concat();
    let bytes = [&[0x42, any.len() as u8][..], &any].concat();
    assert_eq!(
        decode(&schema, &bytes).unwrap(),
        r#"{"a":{"@type":"x/google.protobuf.Duration","value":"1s"}}"#
    );
}

#[test]
fn messages_are_found_by_index_and_by_name() {
    let schema = compile(
        "syntax = \"proto3\"; package shop.v1; message A { map<string, int32> m = 1;
           message Item { message Part {} } enum E { Z = 0; } message Other {} }
         enum Top { Y = 0; } message B { message Item {} }",
    );
    let at = |indexes: &[u32]| schema.message_at(indexes).map(|id| schema.name(id));
    let with_maps = |indexes: &[u32]| {
        schema
            .message_at_with_maps(indexes)
            .map(|id| schema.name(id))
    };
    for (indexes, java, python) in [
        (&[0][..], Some("shop.v1.A"), Some("shop.v1.A")),
        (&[1], Some("shop.v1.B"), Some("shop.v1.B")),
        (&[0, 0], Some("shop.v1.A.Item"), None),
        (&[0, 1], Some("shop.v1.A.Other"), Some("shop.v1.A.Item")),
        (&[0, 2], None, Some("shop.v1.A.Other")),
        (&[1, 0], Some("shop.v1.B.Item"), Some("shop.v1.B.Item")),
        (&[0, 0, 0], Some("shop.v1.A.Item.Part"), None),
        (&[2], None, None),
        (&[], None, None),
    ] {
        assert_eq!(at(indexes), java, "{indexes:?}");
        assert_eq!(with_maps(indexes), python, "{indexes:?}");
    }
    let named = |name: &str| schema.message_named(name).map(|id| schema.name(id));
    assert_eq!(named("shop.v1.A.Item"), Some("shop.v1.A.Item"));
    assert_eq!(named("A.Item"), Some("shop.v1.A.Item"));
    assert_eq!(named("Part"), Some("shop.v1.A.Item.Part"));
    assert_eq!(named("Item"), None, "there are two");
    assert_eq!(named("tem"), None);
    assert_eq!(named("MEntry"), None);
    let all: Vec<&str> = schema.messages().collect();
    assert_eq!(all.len(), 6, "{all:?}");
}

#[test]
fn references_are_imported_by_name_and_public_ones_pass_on() {
    let mut source = source(
        "syntax = \"proto3\"; import \"a.proto\"; import \"google/type/money.proto\";
         import \"confluent/meta.proto\"; import \"buf/validate.proto\";
         option (buf.file) = {a: {b: [1, 2]}};
         message M { option (confluent.message_meta).doc = \"x\";
           p.B b = 1 [(confluent.field_meta) = {tags: [\"PII\"]}, (buf.field).string.min_len = 3];
           google.type.Money price = 2; }",
    );
    source.references = [
        ("a.proto", "syntax = \"proto3\"; import public \"b.proto\";"),
        (
            "b.proto",
            "syntax = \"proto3\"; package p; message B { int32 n = 1; }",
        ),
    ]
    .map(|(name, text)| Reference {
        name: name.to_owned(),
        text: text.to_owned(),
    })
    .into();
    let schema = Protobuf::compile(&source).unwrap();
    assert_eq!(
        decode(&schema, b"\x0a\x02\x08\x01\x12\x00").unwrap(),
        r#"{"b":{"n":1},"price":{"currency_code":"","units":0,"nanos":0}}"#
    );
    assert_eq!(schema.messages().collect::<Vec<_>>(), ["M"]);
}

#[test]
fn schemas_that_cannot_be_used_say_why() {
    let why = refused("syntax = \"proto3\"; message M { int32 a = 1\n }");
    assert!(why.starts_with("schema.proto:2:2: expected"), "{why}");
    let why = refused("syntax = \"proto3\"; import \"gone.proto\"; message M { x.Y a = 1; }");
    assert!(
        why.contains("x.Y") && why.ends_with("not found: gone.proto"),
        "{why}"
    );
    let why = refused("aGVsbG8gd29ybGQh");
    assert!(why.contains("neither the text of a .proto"), "{why}");
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let cycle = [
        file("a.proto", "syntax = \"proto3\"; import \"b.proto\";"),
        file("b.proto", "syntax = \"proto3\"; import \"a.proto\";"),
    ];
    let why = Protobuf::folder(&cycle).unwrap_err().to_string();
    assert_eq!(why, "a.proto imports itself in the end");
}

#[test]
fn folders_know_messages_of_all_their_files() {
    let file = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let schema = Protobuf::folder(&[
        file(
            "x/b.proto",
            "syntax = \"proto3\"; package b; import \"a.proto\"; message B { a.A a = 1; }",
        ),
        file(
            "a.proto",
            "syntax = \"proto3\"; package a; message A { int32 n = 1; }",
        ),
    ])
    .unwrap();
    assert_eq!(schema.messages().collect::<Vec<_>>(), ["a.A", "b.B"]);
    assert_eq!(schema.message_at(&[0]), None);
    let message = schema.message_named("B").unwrap();
    let mut out = Vec::new();
    let scratch = &mut Scratch::default();
    schema
        .write_json(message, b"\x0a\x02\x08\x03", scratch, &mut out)
        .unwrap();
    assert_eq!(out, br#"{"a":{"n":3}}"#);
}

#[test]
fn editions_are_taken_with_their_features() {
    let schema = compile(
        "edition = \"2023\"; package p; option features.field_presence = IMPLICIT;
         import option \"x.proto\";
         message M { reserved 9, foo; int32 a = 1; string s = 2 [features.field_presence = EXPLICIT, default = \"x,]\"];
           int32 need = 3 [features.field_presence = LEGACY_REQUIRED];
           M m = 4 [features.message_encoding = DELIMITED]; map<string, M> by = 5;
           string reserved = 6; repeated int32 r = 7 [default = 1]; extensions 100 to 200; }
         local enum E { FIVE = 5; }",
    );
    assert_eq!(
        decode(&schema, b"\x18\x01\x23\x18\x02\x24").unwrap(),
        r#"{"a":0,"need":1,"m":{"a":0,"need":2,"by":{},"reserved":"","r":[]},"by":{},"reserved":"","r":[]}"#
    );
    assert_eq!(
        decode(&schema, b"").unwrap_err(),
        "need: is required and not there at byte 0"
    );
}

mod hostile;
mod random;
mod serialized;
