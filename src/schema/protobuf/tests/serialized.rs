//! Schemas that come as serialized descriptors.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::{FileDescriptorProto, FileDescriptorSet};
use protox::file::File;

use super::*;

fn parsed(name: &str, text: &str) -> FileDescriptorProto {
    File::from_source(name, text).unwrap().into()
}

#[test]
fn a_file_in_base64_is_what_its_text_is() {
    let text = "syntax = \"proto3\"; package p; import \"b.proto\";
        message M { b.B b = 1; map<string, int32> m = 2; optional int32 n = 3; }";
    let reference = "syntax = \"proto3\"; package b; message B { int32 x = 1; }";
    let mut given = source(&STANDARD.encode(parsed("a.proto", text).encode_to_vec()));
    for reference in [
        reference.to_owned(),
        STANDARD.encode(parsed("else.proto", reference).encode_to_vec()),
    ] {
        given.references = vec![Reference {
            name: "b.proto".to_owned(),
            text: reference,
        }];
        let schema = Protobuf::compile(&given).unwrap();
        let json = decode(&schema, b"\x0a\x02\x08\x01").unwrap();
        assert_eq!(json, r#"{"b":{"x":1},"m":{}}"#);
    }
}

#[test]
fn of_a_set_what_is_not_imported_is_the_schema() {
    let set = FileDescriptorSet {
        file: vec![
            parsed("b.proto", "syntax = \"proto3\"; package b; message B {}"),
            parsed(
                "a.proto",
                "syntax = \"proto3\"; import \"b.proto\"; message A { b.B b = 1; }",
            ),
        ],
    };
    let schema = Protobuf::descriptors(&set.encode_to_vec()).unwrap();
    assert_eq!(schema.messages().collect::<Vec<_>>(), ["A"]);
    assert_eq!(decode(&schema, b"\x0a\x00").unwrap(), r#"{"b":{}}"#);
    assert!(Protobuf::descriptors(b"\x0a\x03abc").is_err());
    assert!(Protobuf::descriptors(b"").is_err());
}

#[test]
fn features_of_a_serialized_edition_are_read() {
    // As protoc writes, but for JSON names: edition = "2023";
    // option features.field_presence = IMPLICIT;
    // message M { int32 a = 1; int32 b = 2 [features.field_presence = LEGACY_REQUIRED];
    // M m = 3 [features.message_encoding = DELIMITED]; }
    let field = |name: &str, number: u8, rest: &[u8]| {
        let field = [b"\x0a\x01", name.as_bytes(), &[0x18, number, 0x20, 1], rest].concat();
        [&[0x12, field.len() as u8][..], &field].concat()
    };
    let message = [
        b"\x0a\x01M".to_vec(),
        field("a", 1, b"\x28\x05"),
        field("b", 2, b"\x28\x05\x42\x05\xaa\x01\x02\x08\x03"),
        field("m", 3, b"\x28\x0b\x32\x02.M\x42\x05\xaa\x01\x02\x28\x02"),
    ]
    .concat();
    let file = [
        b"\x0a\x07a.proto\x22".to_vec(),
        vec![message.len() as u8],
        message,
        b"\x42\x05\x92\x03\x02\x08\x02\x62\x08editions\x70\xe8\x07".to_vec(),
    ]
    .concat();
    let schema = Protobuf::descriptors(&file).unwrap();
    assert_eq!(
        decode(&schema, b"\x10\x05\x1b\x10\x06\x1c").unwrap(),
        r#"{"a":0,"b":5,"m":{"a":0,"b":6}}"#
    );
}

#[test]
fn a_map_that_no_compiler_made_is_a_list() {
    let mut file = parsed(
        "a.proto",
        "syntax = \"proto3\"; message M { map<string, M> m = 1; }",
    );
    // The key becomes a message of its own type: comparing keys would never end.
    let entry = &mut file.message_type[0].nested_type[0];
    entry.field[0].r#type = Some(11);
    entry.field[0].type_name = Some(".M".to_owned());
    let schema = Protobuf::descriptors(&file.encode_to_vec()).unwrap();
    assert_eq!(
        decode(&schema, b"\x0a\x02\x0a\x00").unwrap(),
        r#"{"m":[{"key":{"m":[]}}]}"#
    );
}
