//! Valid data of every format, small, with as many of its forms as fit.

use std::io::Write as _;

use evtap::event::codec::StreamKind;

/// A schema whose values have every type, and hold each other.
pub const AVRO: &str = r#"{"type":"record","name":"R","fields":[
    {"name":"i","type":"int"},{"name":"l","type":"long"},{"name":"s","type":"string"},
    {"name":"u","type":["null","string",{"type":"array","items":"R"}]},
    {"name":"m","type":{"type":"map","values":["null","double","bytes"]}},
    {"name":"d","type":{"type":"bytes","logicalType":"decimal","precision":20,"scale":3}},
    {"name":"t","type":{"type":"long","logicalType":"timestamp-micros"}},
    {"name":"e","type":{"type":"enum","name":"E","symbols":["A","B"]}},
    {"name":"f","type":{"type":"fixed","name":"F","size":12,"logicalType":"duration"}}]}"#;

pub const PROTOBUF: &str = "syntax = \"proto3\"; import \"google/protobuf/struct.proto\";
    import \"google/protobuf/timestamp.proto\"; import \"google/protobuf/any.proto\";
    message M { M m = 1; repeated M r = 2; repeated int32 p = 3; repeated E e = 4;
      map<string, M> s = 5; google.protobuf.Value v = 6; sint64 i = 7;
      oneof o { int32 x = 8; M y = 9; } map<int32, string> n = 10; double d = 11; string t = 12;
      bytes b = 13; google.protobuf.Timestamp ts = 14; google.protobuf.Any any = 15; fixed32 f = 16; }
    enum E { A = 0; B = 1; }";

/// A number as Avro writes it.
pub fn long(value: i64) -> Vec<u8> {
    varint((value << 1 ^ value >> 63).cast_unsigned())
}

pub fn varint(mut bits: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while bits >= 0x80 {
        bytes.push(bits as u8 | 0x80);
        bits >>= 7;
    }
    bytes.push(bits as u8);
    bytes
}

fn sized(bytes: &[u8]) -> Vec<u8> {
    [varint(2 * bytes.len() as u64), bytes.to_vec()].concat()
}

/// Values of [`AVRO`]: one, and one that holds it.
pub fn avro() -> Vec<Vec<u8>> {
    let ends = |union: &[u8]| {
        let mut bytes = [vec![1, 0x80, 0x20], sized("é\"".as_bytes()), union.to_vec()].concat();
        bytes.extend([
            4, 2, b'a', 0, 2, b'b', 4, 2, 0xff, 0, 6, 1, 2, 3, 0x8c, 0x91, 0x81, 4, 2,
        ]);
        bytes.extend([9; 12]);
        bytes
    };
    let inner = ends(&[2, 2, b'x']);
    let outer = ends(&[&[4, 2][..], &inner, &[0]].concat());
    vec![inner, outer]
}

/// Container files of such values, plain and compressed.
pub fn containers() -> Vec<Vec<u8>> {
    let data = avro().concat();
    let mut deflate = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    deflate.write_all(&data).unwrap();
    let deflated = deflate.finish().unwrap();
    let sync = [7; 16];
    let file = |codec: &[u8], block: &[u8]| {
        let mut bytes = b"Obj\x01".to_vec();
        bytes.extend(long(2));
        for (key, value) in [("avro.schema", AVRO.as_bytes()), ("avro.codec", codec)] {
            bytes.extend(sized(key.as_bytes()));
            bytes.extend(sized(value));
        }
        bytes.push(0);
        bytes.extend(sync);
        bytes.extend(long(2));
        bytes.extend(sized(block));
        bytes.extend(sync);
        bytes
    };
    vec![file(b"null", &data), file(b"deflate", &deflated)]
}

/// A field of Protobuf with a length.
fn field(number: u64, bytes: &[u8]) -> Vec<u8> {
    [
        varint(number << 3 | 2),
        varint(bytes.len() as u64),
        bytes.to_vec(),
    ]
    .concat()
}

/// Messages of [`PROTOBUF`].
pub fn protobuf() -> Vec<Vec<u8>> {
    let small = b"\x38\x05\x40\x07".to_vec();
    let text = field(12, "é\n".as_bytes());
    let value = field(6, &field(3, b"x"));
    let entry = |key: &[u8], value: &[u8]| [field(1, key), field(2, value)].concat();
    let map = [
        field(5, &entry(b"b", &small)),
        field(5, &entry(b"a", &text)),
    ]
    .concat();
    let numbers = field(10, b"\x08\x05\x12\x01x").repeat(2);
    let packed = field(
        3,
        &[1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1],
    );
    let time = field(14, b"\x08\x80\xa0\xbc\x81\x06\x10\x01");
    let any = field(15, &entry(b"x/M", &small));
    let fixed = b"\x59\0\0\0\0\0\0\xf0\x3f\x85\x01\x01\x02\x03\x04".to_vec();
    let unknown = b"\xfa\x06\x02\x08\x01\xa3\x06\x08\x01\xa4\x06".to_vec();
    let nested = field(1, &[field(2, &small), field(9, &text)].concat());
    vec![
        [small, text, value, map, numbers].concat(),
        [
            packed,
            time,
            any,
            fixed,
            unknown,
            nested,
            field(4, &[0, 1, 2]),
            field(13, &[0xff]),
        ]
        .concat(),
    ]
}

pub const MSGPACK: &[&[u8]] = &[
    b"\x86\xa2id\xa7ord-444\xa1n\x95\x01\xff\xce\0\x01\x11\x70\xcb\x40\x09\x21\xfb\x54\x44\x2d\x18\
      \xc0\xa1a\x81\xa1b\x93\x90\x80\xa0\xa1t\xc3\xa1s\xd9\x03abc\xa1l\xdc\0\x02\xd0\x80\xcf\xff\
      \xff\xff\xff\xff\xff\xff\xff",
    b"\x93\xd6\xff\x66\xbd\xd6\xb3\xc7\x03\x05abc\x81\xc4\x01\xff\x92\x01\xa1x",
];

pub const CBOR: &[&[u8]] = &[
    b"\xa4\x62id\x67ord-444\x61n\x84\x01\x20\x1a\0\x01\x11\x70\xf6\x61a\xa1\x61b\x83\x80\xa0\x60\
      \x61t\xf5",
    b"\x86\xc2\x49\x01\0\0\0\0\0\0\0\0\xd8\x18\x43\x82\x01\x02\x5f\x41a\x42bc\xff\
      \xbf\x7f\x61a\x61b\xff\x9f\xf6\xff\xff\xf9\x3c\x01\xf8\xff",
];

/// A JSON text with every kind of value, in few bytes.
pub const JSON: &str = r#" {"id":"ord-444","amount":12.50,"n":-1e3,"big":123456789012345678901234567890,
    "ok":true,"none":null,"tags":["a","é\u00e9\ud83d\ude00\n"],"nested":{"a":{"b":[[],{}]}}} "#;

pub const JSON_SCHEMA: &str = r##"{"type":"object","required":["id"],"properties":{
    "id":{"type":"string","pattern":"^ord-[0-9]+$","minLength":3},
    "amount":{"type":"number","multipleOf":0.01,"minimum":0},"n":{"type":"integer"},
    "tags":{"type":"array","items":{"type":"string"},"uniqueItems":true,"maxItems":8},
    "nested":{"$ref":"#/$defs/tree"},"none":{"enum":[null,1,"x"]}},
    "additionalProperties":{"not":{"type":"string"}},
    "$defs":{"tree":{"type":"object","additionalProperties":{"anyOf":[
        {"$ref":"#/$defs/tree"},{"type":"array"}]}}}}"##;

/// Streams of every compression, and what each holds.
pub fn streams(data: &[u8]) -> Vec<(StreamKind, Vec<u8>)> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(data).unwrap();
    let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    zlib.write_all(data).unwrap();
    let mut lz4 = lz4_flex::frame::FrameEncoder::new(Vec::new());
    lz4.write_all(data).unwrap();
    let mut zstd = Vec::new();
    ruzstd::encoding::compress(data, &mut zstd, ruzstd::encoding::CompressionLevel::Fastest);
    vec![
        (StreamKind::Gzip, gzip.finish().unwrap()),
        (StreamKind::Zlib, zlib.finish().unwrap()),
        (StreamKind::Lz4, lz4.finish().unwrap()),
        (StreamKind::Zstd, zstd),
        (StreamKind::Snappy, snappy(data)),
        (StreamKind::SnappyJava, xerial(data)),
    ]
}

/// A block of nothing but a literal.
fn literal(data: &[u8]) -> Vec<u8> {
    assert!(data.len() <= 60);
    [&[data.len() as u8, (data.len() as u8 - 1) << 2], data].concat()
}

fn snappy(data: &[u8]) -> Vec<u8> {
    let mut out = StreamKind::Snappy.magic().to_vec();
    for piece in data.chunks(60) {
        let body = literal(piece);
        let masked = crc32c(piece).rotate_right(15).wrapping_add(0xa282_ead8);
        out.push(0);
        out.extend_from_slice(&(body.len() as u32 + 4).to_le_bytes()[..3]);
        out.extend_from_slice(&masked.to_le_bytes());
        out.extend_from_slice(&body);
    }
    out
}

fn xerial(data: &[u8]) -> Vec<u8> {
    let mut out = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
    for piece in data.chunks(60) {
        let block = literal(piece);
        out.extend_from_slice(&(block.len() as u32).to_be_bytes());
        out.extend_from_slice(&block);
    }
    out
}

/// CRC-32C bit by bit, so that nothing is checked against its own.
pub fn crc32c(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            sum >> 1 ^ if sum & 1 == 1 { 0x82f6_3b78 } else { 0 }
        })
    })
}
