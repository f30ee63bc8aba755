//! Random messages, compared with what prost-reflect makes of the same bytes.

use proptest::test_runner::{Config, TestRunner};
use prost_reflect::prost::Message as _;
use prost_reflect::{
    DescriptorPool, DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor,
    ReflectMessage, SerializeOptions, Value,
};
use serde_json::Value as Json;

use super::*;

const SCHEMA: &str = "
  syntax = \"proto3\"; package t;
  import \"google/protobuf/duration.proto\"; import \"google/protobuf/struct.proto\";
  import \"google/protobuf/timestamp.proto\"; import \"google/protobuf/wrappers.proto\";
  import \"google/protobuf/any.proto\"; import \"google/protobuf/field_mask.proto\";
  message M {
    double d = 1; float f = 2; int32 i = 3; int64 l = 4; uint32 u = 5; uint64 ul = 6;
    sint32 s = 7; sint64 sl = 8; fixed32 x = 9; fixed64 xl = 10; sfixed32 y = 11;
    sfixed64 yl = 12; bool b = 13; string t_t = 14; bytes raw = 15; E e = 16;
    optional double od = 17; optional string ot = 18; optional E oe = 19; M m = 20;
    repeated int32 ri = 21; repeated sint64 rs = 22 [packed = false]; repeated string rt = 23;
    repeated M rm = 24; repeated E re = 25; repeated float rf = 26; repeated bool rb = 27;
    map<string, int32> ms = 28; map<int32, M> mi = 29; map<bool, string> mb = 30;
    map<sfixed64, E> mx = 31; map<sint32, bytes> mz = 32; map<uint64, double> mu = 33;
    oneof one { int32 oi = 34; string os = 35; M om = 36; bytes ob = 37; }
    google.protobuf.Timestamp ts = 38; google.protobuf.Duration du = 39;
    google.protobuf.Value va = 40; google.protobuf.Struct st = 41;
    google.protobuf.StringValue sv = 42; google.protobuf.Int64Value iv = 43;
    google.protobuf.BytesValue bv = 44; google.protobuf.ListValue li = 45;
    google.protobuf.FieldMask fm = 46; google.protobuf.Any any = 47;
    repeated google.protobuf.Timestamp rts = 300; map<string, google.protobuf.Duration> md = 5000;
    google.protobuf.NullValue nu = 48; P p = 536870911;
  }
  enum E { ZERO = 0; ONE = 1; MINUS = -1; MANY = 2147483647; }
  message P { int32 a = 1; P p = 2; string s = 3; }";

const SCHEMA_2: &str = "
  syntax = \"proto2\"; package t;
  message M { required int32 id = 1; optional string t = 2 [default = \"x\"]; optional E e = 3;
    repeated group G = 4 { optional int32 n = 1; optional M m = 2; optional group H = 3 {
      repeated string t = 1; } }
    repeated fixed32 r = 5 [packed = true]; oneof o { group I = 6 { required bool b = 1; }
      int32 j = 7; } map<string, E> m = 8; extensions 100 to max; }
  enum E { FIVE = 5; SIX = 6; }
  extend M { optional M ext = 100; repeated int64 exts = 101; }";

/// A small generator that anything can be drawn from, seeded by the test's runner.
struct Dice(u64);

impl Dice {
    fn roll(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, sides: u64) -> u64 {
        (self.roll() >> 11) % sides
    }

    /// Mostly small, sometimes at an end of the range.
    fn number(&mut self) -> u64 {
        match self.below(6) {
            0 => 0,
            1 => u64::MAX - self.below(3),
            2 => self.roll(),
            3 => 1 << self.below(64),
            _ => self.below(300),
        }
    }

    fn text(&mut self) -> String {
        let some = [
            "",
            "a",
            "größe",
            "\"\\\n\u{1b}",
            "\u{202e}x",
            "漢字 text",
            "k1",
            "k2",
        ];
        some[self.below(some.len() as u64) as usize].to_owned()
    }

    fn message(&mut self, message: &MessageDescriptor, depth: u64) -> DynamicMessage {
        let mut made = DynamicMessage::new(message.clone());
        match message.full_name() {
            "google.protobuf.Timestamp" => {
                let seconds = self.below(315_537_897_600).cast_signed() - 62_135_596_800;
                made.set_field_by_name("seconds", Value::I64(seconds));
                made.set_field_by_name("nanos", Value::I32(self.nanos()));
            }
            "google.protobuf.Duration" => {
                let sign = if self.below(2) == 0 { 1 } else { -1 };
                let seconds = sign * self.below(315_576_000_001).cast_signed();
                let seconds = if self.below(3) == 0 { 0 } else { seconds };
                made.set_field_by_name("seconds", Value::I64(seconds));
                made.set_field_by_name("nanos", Value::I32(sign as i32 * self.nanos()));
            }
            "google.protobuf.FieldMask" => {
                let some = ["a_b", "foo_bar.baz", "x", "a1.b_c_d"];
                let paths = (0..self.below(4)).map(|_| {
                    let path = some[self.below(4) as usize];
                    Value::String(path.to_owned())
                });
                made.set_field_by_name("paths", Value::List(paths.collect()));
            }
            "google.protobuf.Any" => {
                let inner = message.parent_pool().get_message_by_name("t.P").unwrap();
                let inner = self.message(&inner, depth + 1).encode_to_vec();
                let url = "type.googleapis.com/t.P".to_owned();
                made.set_field_by_name("type_url", Value::String(url));
                made.set_field_by_name("value", Value::Bytes(inner.into()));
            }
            _ => self.fields(&mut made, depth),
        }
        made
    }

    fn nanos(&mut self) -> i32 {
        let some = [
            0,
            500_000_000,
            1_000,
            999_999_999,
            self.below(1_000_000_000) as i32,
        ];
        some[self.below(5) as usize]
    }

    fn fields(&mut self, made: &mut DynamicMessage, depth: u64) {
        let message = made.descriptor();
        let of_json = message.full_name().starts_with("google.protobuf.");
        for field in message.fields() {
            let required = field.is_required();
            if !(required || of_json && depth < 9) && self.below(4 + 8 * depth) > 2 {
                continue;
            }
            let inner = field.kind().as_message().is_some();
            if inner && depth > 5 && !required {
                continue;
            }
            let value = self.value(&field, depth);
            made.set_field(&field, value);
        }
        let extensions: Vec<_> = message.extensions().collect();
        for extension in extensions {
            if self.below(4 + 8 * depth) < 2 {
                let value = match extension.kind() {
                    Kind::Message(message) => Value::Message(self.message(&message, depth + 1)),
                    _ => Value::List(vec![Value::I64(self.number().cast_signed())]),
                };
                made.set_extension(&extension, value);
            }
        }
    }

    fn value(&mut self, field: &FieldDescriptor, depth: u64) -> Value {
        let kind = field.kind();
        if field.is_map() {
            let entry = kind.as_message().unwrap();
            let (key, value) = (entry.map_entry_key_field(), entry.map_entry_value_field());
            let entries = (0..self.below(4)).map(|_| {
                let key = match self.scalar(&key.kind(), depth) {
                    Value::Bool(b) => MapKey::Bool(b),
                    Value::I32(i) => MapKey::I32(i),
                    Value::I64(i) => MapKey::I64(i),
                    Value::U32(i) => MapKey::U32(i),
                    Value::U64(i) => MapKey::U64(i),
                    Value::String(s) => MapKey::String(s),
                    other => panic!("{other:?} is no key"),
                };
                (key, self.scalar(&value.kind(), depth))
            });
            return Value::Map(entries.collect());
        }
        if field.is_list() {
            return Value::List(
                (0..self.below(4))
                    .map(|_| self.scalar(&kind, depth))
                    .collect(),
            );
        }
        self.scalar(&kind, depth)
    }

    fn scalar(&mut self, kind: &Kind, depth: u64) -> Value {
        let number = self.number();
        match kind {
            Kind::Double => Value::F64(finite(f64::from_bits(number))),
            Kind::Float => Value::F32(finite(f64::from(f32::from_bits(number as u32))) as f32),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => Value::I32(number as i32),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => Value::I64(number.cast_signed()),
            Kind::Uint32 | Kind::Fixed32 => Value::U32(number as u32),
            Kind::Uint64 | Kind::Fixed64 => Value::U64(number),
            Kind::Bool => Value::Bool(number % 2 == 1),
            Kind::String => Value::String(self.text()),
            Kind::Bytes => Value::Bytes(self.text().into_bytes().into()),
            Kind::Enum(e) if e.full_name() == "google.protobuf.NullValue" => Value::EnumNumber(0),
            Kind::Enum(_) => Value::EnumNumber(self.below(7) as i32),
            Kind::Message(message) => Value::Message(self.message(message, depth + 1)),
        }
    }
}

/// Numbers that the other writer has no form for are left out.
fn finite(number: f64) -> f64 {
    if number.is_finite() { number } else { -0.5 }
}

/// What both know of a schema.
struct Both {
    ours: Protobuf,
    theirs: MessageDescriptor,
}

fn both(text: &str) -> Both {
    let mut loader = Loader::default();
    let own = loader.open("t.proto", text).unwrap();
    let linked = loader.link(own).unwrap();
    let pool: &DescriptorPool = &linked.pool;
    Both {
        theirs: pool.get_message_by_name("t.M").unwrap(),
        ours: Protobuf::of(&linked),
    }
}

impl Both {
    fn theirs(&self, bytes: &[u8]) -> Option<Json> {
        let message = DynamicMessage::decode(self.theirs.clone(), bytes).ok()?;
        let mut out = Vec::new();
        let options = SerializeOptions::new()
            .use_proto_field_name(true)
            .stringify_64_bit_integers(false)
            .skip_default_fields(false);
        let mut serializer = serde_json::Serializer::new(&mut out);
        message
            .serialize_with_options(&mut serializer, &options)
            .ok()?;
        serde_json::from_slice(&out).ok()
    }

    fn difference(&self, bytes: &[u8]) -> Option<String> {
        difference(&self.ours(bytes).unwrap(), &self.theirs(bytes).unwrap())
    }

    fn ours(&self, bytes: &[u8]) -> Result<Json, String> {
        let text = decode(&self.ours, bytes)?;
        assert!(
            crate::text::JsonText::parse(text.as_bytes()).is_ok(),
            "{text}"
        );
        Ok(serde_json::from_str(&text).unwrap())
    }
}

/// Where two texts differ. Unknown fields are left out, which the other decoder does not write,
/// and times that the form has not, which it makes others of.
fn difference(ours: &Json, theirs: &Json) -> Option<String> {
    let is_well_known = |ours: &serde_json::Map<String, Json>| {
        ["fields", "type_url"]
            .iter()
            .any(|name| ours.contains_key(*name))
    };
    match (ours, theirs) {
        // Well-known types with more in them than their forms can show.
        (Json::Object(a), b)
            if a.contains_key("@unknown") && (is_well_known(a) || !b.is_object()) =>
        {
            None
        }
        (Json::Object(a), Json::Object(b)) => {
            let mut names = a.keys().chain(b.keys()).filter(|name| *name != "@unknown");
            names.find_map(|name| {
                let (Some(a), Some(b)) = (a.get(name), b.get(name)) else {
                    return Some(format!("{name} is there once"));
                };
                difference(a, b).map(|inner| format!("{name}.{inner}"))
            })
        }
        (Json::Array(a), Json::Array(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b);
            pairs.find_map(|(a, b)| difference(a, b).map(|inner| format!("[].{inner}")))
        }
        (Json::Object(time), Json::String(_)) if time.contains_key("nanos") => None,
        // Paths of field masks whose camel case would not lead back.
        (Json::String(path), Json::String(_)) if path.contains('_') => None,
        _ => (ours != theirs).then(|| format!(": {ours} {theirs}")),
    }
}

fn runner(cases: u32) -> TestRunner {
    TestRunner::new(Config {
        failure_persistence: None,
        ..Config::with_cases(cases)
    })
}

#[test]
fn random_messages_are_decoded_as_prost_reflect_decodes_them() {
    for text in [SCHEMA, SCHEMA_2] {
        let both = both(text);
        runner(300)
            .run(&proptest::num::u64::ANY, |seed| {
                let dice = &mut Dice(seed | 1);
                let bytes = dice.message(&both.theirs, 0).encode_to_vec();
                assert_eq!(both.difference(&bytes), None);
                // Two messages in a row are one, merged.
                let second = dice.message(&both.theirs, 0).encode_to_vec();
                let bytes = [bytes, second].concat();
                assert_eq!(both.difference(&bytes), None);
                Ok(())
            })
            .unwrap();
    }
}

/// Changes some bytes, takes some away, or doubles some.
fn mutate(bytes: &mut Vec<u8>, dice: &mut Dice) {
    for _ in 0..=dice.below(3) {
        let length = bytes.len() as u64;
        let at = dice.below(length.max(1)) as usize;
        let to = (at + dice.below(9) as usize).min(bytes.len());
        match dice.below(6) {
            0 if at < bytes.len() => bytes[at] ^= 1 << dice.below(8),
            1 if at < bytes.len() => bytes[at] = dice.roll() as u8,
            2 => bytes.truncate(at),
            3 => drop(bytes.drain(at..to)),
            4 => {
                let part = bytes[at..to].to_vec();
                bytes.splice(at..at, part);
            }
            _ => bytes.insert(at, dice.roll() as u8),
        }
    }
}

/// Inputs a schema; with two schemas 100,000, by which every kind of damage was met often.
const MUTATED: u32 = 50_000;

#[test]
fn mutated_messages_are_refused_or_decoded_and_never_otherwise_than_by_prost_reflect() {
    for text in [SCHEMA, SCHEMA_2] {
        let both = both(text);
        let dice = &mut Dice(0x9e37_79b9_7f4a_7c15);
        let (mut decoded, mut compared, mut lenient) = (0, 0, 0);
        let mut bytes = Vec::new();
        for case in 0..MUTATED {
            if case % 16 == 0 {
                bytes = dice.message(&both.theirs, 3).encode_to_vec();
            }
            let mut damaged = bytes.clone();
            mutate(&mut damaged, dice);
            let Ok(ours) = both.ours(&damaged) else {
                continue;
            };
            decoded += 1;
            // Comparing takes longer than decoding.
            if case % 8 == 0 {
                compared += 1;
                let decoded = DynamicMessage::decode(both.theirs.clone(), &*damaged);
                // What is overwritten later is not looked into here.
                lenient += u32::from(decoded.is_err());
                // The other writer refuses times that are out of range.
                if let Some(theirs) = both.theirs(&damaged) {
                    assert_eq!(difference(&ours, &theirs), None, "{damaged:?}");
                }
            }
        }
        assert!(lenient * 100 < compared, "{lenient} of {compared}");
        assert!(decoded > MUTATED / 20, "{decoded}");
        assert!(decoded < MUTATED * 19 / 20, "{decoded}");
    }
}

#[test]
fn random_bytes_are_seldom_taken_for_a_message() {
    let both = both(SCHEMA);
    let dice = &mut Dice(7);
    let (mut taken, mut out) = (0, Vec::new());
    let scratch = &mut Scratch::default();
    for _ in 0..50_000 {
        let length = 8 + dice.below(56);
        let bytes: Vec<u8> = (0..length).map(|_| dice.roll() as u8).collect();
        taken += u32::from(both.ours(&bytes).is_ok());
        out.clear();
        if write_raw(&bytes, scratch, &mut out).is_ok() {
            assert!(crate::text::JsonText::parse(&out).is_ok());
        }
    }
    // Short ones of a few unknown fields are possible messages of any type.
    assert!(taken < 300, "{taken}");
}
