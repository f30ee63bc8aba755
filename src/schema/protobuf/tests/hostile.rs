//! Bytes and schemas that are made to do harm.

use std::time::Instant;

use super::*;

const SCHEMA: &str = "syntax = \"proto3\"; import \"google/protobuf/struct.proto\";
  message M { M m = 1; repeated M r = 2; repeated bool b = 3; repeated E e = 4;
    map<string, M> s = 5; google.protobuf.Value v = 6; int32 i = 7; oneof o { int32 x = 8; M y = 9; }
    map<int64, int32> n = 10; }
  enum E { A_VALUE_WITH_A_NAME_THAT_IS_RATHER_LONG_FOR_ONE_BYTE = 0; }";

fn varint(mut value: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 0x80 {
        bytes.push(value as u8 | 0x80);
        value >>= 7;
    }
    bytes.push(value as u8);
    bytes
}

/// Messages in messages by way of these fields in turn.
fn nested(levels: usize, tags: &[u8]) -> Vec<u8> {
    let mut reversed = Vec::new();
    for level in 0..levels {
        let length = varint(reversed.len());
        reversed.extend(length.iter().rev());
        reversed.push(tags[level % tags.len()]);
    }
    reversed.reverse();
    reversed
}

#[test]
fn deep_messages_are_refused_without_deep_recursion() {
    let schema = compile(SCHEMA);
    for tags in [&b"\x0a"[..], b"\x12", b"\x4a", b"\x0a\x12"] {
        for levels in [200, 10_000, 1_000_000] {
            let refused = decode(&schema, &nested(levels, tags)).unwrap_err();
            assert!(refused.contains("128 levels"), "{levels}");
        }
        assert!(decode(&schema, &nested(20, b"\x0a")).is_ok());
    }
    // A value that is a list of a value that is a list ….
    let list = nested(20_000, b"\x0a\x32");
    let value = [&b"\x32"[..], &varint(list.len()), &list].concat();
    let refused = decode(&schema, &value).unwrap_err();
    assert!(refused.contains("128 levels"), "{refused:.200}");
}

#[test]
fn deep_groups_are_refused_without_deep_recursion() {
    let schema = compile(
        "syntax = \"proto2\"; message M { repeated group G = 1 { repeated group H = 1 {
           repeated group I = 1 { optional M m = 2; } } } }",
    );
    for levels in [200, 1_000_000] {
        let groups = [b"\x0b".repeat(levels), b"\x0c".repeat(levels)].concat();
        assert!(decode(&schema, &groups).unwrap_err().contains("128 levels"));
    }
    // Each level is walked again by those within it: the work is bounded all the same.
    let inner = b"\x18\x01".repeat(2 << 20);
    let groups = [b"\x0b".repeat(120), inner, b"\x0c".repeat(120)].concat();
    let begin = Instant::now();
    assert!(decode(&schema, &groups).is_err());
    assert!(begin.elapsed().as_secs() < 20);
}

#[test]
fn lengths_that_lie_reserve_nothing() {
    let schema = compile(SCHEMA);
    for tag in [0x0a, 0x12, 0x1a, 0x22, 0x2a, 0x32, 0x7a] {
        for length in [1, 0x7fff_ffff, 0xffff_ffff, u64::MAX >> 1, u64::MAX] {
            let mut bytes = vec![tag];
            bytes.extend(varint(length as usize));
            let refused = decode(&schema, &bytes).unwrap_err();
            assert!(refused.contains("announced"), "{refused}");
        }
    }
}

const SIZE: usize = 10 << 20;

/// Entries of the map of numbers whose keys are in no order.
fn unordered() -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut key = 1usize;
    while bytes.len() < SIZE {
        key = key.wrapping_mul(0x5851_f42d_4c95_7f2d) % (1 << 27) + 1;
        let entry = [&b"\x08"[..], &varint(key), b"\x10\x01"].concat();
        bytes.extend([&b"\x52"[..], &varint(entry.len()), &entry].concat());
    }
    bytes
}

#[test]
fn ten_megabytes_of_small_items_take_bounded_steps_and_memory() {
    let schema = compile(SCHEMA);
    let message = schema.message_at(&[0]).unwrap();
    let packed = |tag: u8, size: usize| [&[tag][..], &varint(size), &vec![1; size]].concat();
    let fourth = SIZE / 4;
    let cases: [(Vec<u8>, Option<&str>); 13] = [
        (packed(0x1a, SIZE / 2), None),
        (packed(0x1a, SIZE), Some("too large")),
        (b"\x18\x01".repeat(fourth), None),
        (b"\x18\x01".repeat(SIZE / 2), Some("too long")),
        // Two fields in turn: every one is a run of its own.
        (b"\x18\x01\x38\x01".repeat(SIZE / 4), Some("too long")),
        (b"\x40\x01\x4a\x00".repeat(fourth / 2), None),
        (b"\x0a\x00".repeat(fourth / 2), None),
        (b"\x0a\x00".repeat(SIZE / 2), Some("too long")),
        (b"\x12\x00".repeat(SIZE / 2), Some("too long")),
        // All entries of the map have the same key.
        (b"\x2a\x00".repeat(fourth / 8), None),
        (b"\x2a\x00".repeat(SIZE / 2), Some("too long")),
        (unordered(), Some("too long")),
        // Each item becomes 50 bytes and more.
        (b"\x20\x00".repeat(SIZE / 2), Some("too large")),
    ];
    for (bytes, why) in cases {
        let mut scratch = Scratch::default();
        let mut out = Vec::new();
        let done = schema.write_json(message, &bytes, &mut scratch, &mut out);
        let refused = done.err().map(|refusal| refusal.to_string());
        let tag = &bytes[..4];
        assert_eq!(
            refused.is_some(),
            why.is_some(),
            "{tag:x?} {}: {refused:?}",
            bytes.len()
        );
        let said = refused.unwrap_or_default();
        assert!(said.contains(why.unwrap_or_default()), "{tag:x?}: {said}");
        let stacks = 12 * (scratch.runs.capacity() + scratch.slots.capacity())
            + 16 * scratch.entries.capacity()
            + 8 * scratch.raw.capacity();
        assert!(stacks <= 16 * SIZE, "{stacks}");
        assert!(
            out.capacity() <= 2 * (walk::most_out(SIZE) + 100),
            "{}",
            out.capacity()
        );
        // What one event took is given back with the next.
        schema
            .write_json(message, b"", &mut scratch, &mut out)
            .unwrap();
        assert!(scratch.runs.capacity() <= 1 << 14);
    }
    let raw = b"\x10\x01\x08\x01".repeat(SIZE / 4);
    let refused = write_raw(&raw, &mut Scratch::default(), &mut Vec::new());
    assert!(refused.unwrap_err().to_string().contains("too long"));
}

#[test]
fn empty_messages_with_many_defaults_cannot_fill_the_memory() {
    let fields = (1..5000).map(|i| format!("int32 f{i} = {i};"));
    let fields: String = fields.collect();
    let schema = compile(&format!(
        "syntax = \"proto3\"; message M {{ repeated N n = 1; }} message N {{ {fields} }}"
    ));
    let refused = decode(&schema, &b"\x0a\x00".repeat(1 << 20)).unwrap_err();
    assert!(refused.contains("too large"), "{refused}");
    let optional = fields.replace("int32", "optional int32");
    let schema = compile(&format!(
        "syntax = \"proto3\"; message M {{ repeated N n = 1; }} message N {{ {optional} }}"
    ));
    let refused = decode(&schema, &b"\x0a\x00".repeat(1 << 20)).unwrap_err();
    assert!(refused.contains("too long"), "{refused}");
}

#[test]
fn schemas_nested_too_deep_are_refused() {
    let many = 100_000;
    for text in [
        "message M {".repeat(many) + &"}".repeat(many),
        "message M {".repeat(many),
        "{".repeat(many),
        "syntax = \"proto3\"; option (x) = ".to_owned() + &"{a:".repeat(many),
        "syntax = \"proto3\"; option (x) = {a: ".to_owned() + &"[".repeat(many),
        "syntax = \"proto3\"; message M { int32 a = 1 [(x) = {".to_owned() + &"a <".repeat(many),
        "syntax = \"proto2\"; message M {".to_owned() + &"optional group G = 1 {".repeat(many),
    ] {
        let why = refused(&text);
        assert!(why.contains("nested deeper"), "{why:.200}");
    }
    let deep = format!("{}{}", "message M {".repeat(40), "}".repeat(40));
    assert!(refused(&deep).contains("nest"), "protoc refuses it too");
}

#[test]
fn schemas_of_all_sizes_take_bounded_time() {
    let begin = Instant::now();
    let fields = |count: usize| -> String {
        let fields = (1..count).map(|i| format!("int32 f{i} = {i};\n"));
        fields.collect()
    };
    let large = format!("syntax = \"proto3\"; message M {{ {} }}", fields(15_000));
    assert!(Protobuf::compile(&source(&large)).is_ok());
    let why = refused(&format!("{large}{}", " ".repeat(10 << 20)));
    assert_eq!(why, "schema.proto: the schema has more than 4 MiB");
    let many = (0..33_334).map(|n| format!("message M{n}{{message I{{}}enum E{{V=0;}}}}"));
    let many: String = many.collect();
    let why = refused(&format!("syntax = \"proto3\"; {many}"));
    assert!(why.contains("more than 100,000 messages"), "{why}");
    for text in [
        "x".repeat(1 << 20),
        "\"".repeat(1 << 20),
        "a.".repeat(1 << 19),
        "syntax = \"proto3\"; message M { a".to_owned() + &".a".repeat(1 << 19) + " b = 1; }",
        "syntax = \"proto3\"; package a".to_owned() + &".a".repeat(3000) + ";",
    ] {
        drop(Protobuf::compile(&source(&text)));
    }
    assert!(begin.elapsed().as_secs() < 60);
}

#[test]
fn short_texts_cannot_make_long_names() {
    let fields = (1..1500).map(|i| format!("int32 f{i} = {i};"));
    let fields: String = fields.collect();
    let values = (0..1500).map(|i| format!("V{i} = {i};"));
    let values: String = values.collect();
    let long = "a".repeat(100_000);
    for text in [
        format!("package {long}; message M {{ {fields} }}"),
        format!("message {long} {{ {fields} }}"),
        format!("message {long} {{ enum E {{ {values} }} }}"),
        format!("package a{}; message M {{}}", ".a".repeat(100)),
    ] {
        let why = refused(&format!("syntax = \"proto3\"; {text}"));
        assert_eq!(why, "schema.proto: its names are too long");
    }
}

#[test]
fn many_files_that_import_each_other_are_linked_without_recursion() {
    let file = |i: usize| {
        let text = format!(
            "syntax = \"proto3\"; import \"{}.proto\"; message M{i} {{}}",
            i + 1
        );
        (format!("{i}.proto"), text)
    };
    let files: Vec<_> = (0..1500).map(file).collect();
    let schema = Protobuf::folder(&files).unwrap();
    assert_eq!(schema.messages().count(), 1500);
    let files: Vec<_> = (0..2500).map(file).collect();
    let why = Protobuf::folder(&files).unwrap_err().to_string();
    assert_eq!(why, "2000.proto: the schema has more than 2,000 files");
}

#[test]
fn mutated_schemas_are_taken_or_refused() {
    let texts = [
        SCHEMA,
        "edition = \"2023\"; package p; import option \"x\"; message M { reserved 1, a;
           int32 b = 2 [default = 3, features.field_presence = IMPLICIT]; oneof o { E e = 4; } }
         enum E { option features.enum_type = CLOSED; X = 1; }",
        "syntax = \"proto2\"; message M { optional group G = 1 { optional float f = 1
           [default = -1.5e3]; } extensions 2 to max; } extend M { optional string s = 2; }",
    ];
    let mut state = 1u64;
    let mut roll = |sides: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as usize % sides
    };
    let mut taken = 0;
    for case in 0..6000 {
        let mut bytes = texts[case % texts.len()].as_bytes().to_vec();
        for _ in 0..=roll(3) {
            let (at, other) = (roll(bytes.len()), roll(bytes.len()));
            match roll(4) {
                0 => bytes[at] = bytes[other],
                1 => bytes[at] = b"{}[]();\"'.,=-0x\n/*"[roll(18)],
                2 => bytes.truncate(at.max(1)),
                _ => drop(bytes.drain(at.min(other)..at.max(other).min(at.min(other) + 9))),
            }
            if bytes.is_empty() {
                bytes.push(b';');
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        taken += usize::from(Protobuf::compile(&source(&text)).is_ok());
    }
    assert!(taken > 100, "{taken}");
}
