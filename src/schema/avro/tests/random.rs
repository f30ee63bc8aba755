//! Random schemas and values: what `apache_avro` encodes is decoded to what was meant.

use std::collections::HashMap;

use apache_avro::types::Value as Theirs;
use apache_avro::writer::datum::GenericDatumWriter;
use apache_avro::{Days, Decimal, Duration, Millis, Months, Schema};
use base64::Engine;
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::{compile, json as decoded};

const CASES: u32 = 2_000;

/// A type, in a form of this test's own.
#[derive(Debug)]
enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Date,
    TimeMillis,
    TimeMicros,
    /// Digits of a second, and whether it is local.
    Stamp(u32, bool),
    /// With its scale, in bytes or in a fixed of 9 bytes.
    Decimal(u32, Option<String>),
    Duration(String),
    Array(Box<Kind>),
    Map(Box<Kind>),
    Union(Vec<Kind>),
    Record(String, Vec<Kind>),
    Enum(String, usize),
    Fixed(String, usize),
}

/// Bytes that decide; when they are used up, everything is the first choice.
struct Choices<'a> {
    bytes: std::slice::Iter<'a, u8>,
    names: usize,
}

impl Choices<'_> {
    fn byte(&mut self) -> u8 {
        self.bytes.next().copied().unwrap_or(0)
    }

    fn below(&mut self, end: usize) -> usize {
        usize::from(self.byte()) % end
    }

    fn wide(&mut self) -> i64 {
        // Small numbers as often as large ones.
        let len = self.below(9);
        let bytes = std::array::from_fn(|at| if at < len { self.byte() } else { 0 });
        i64::from_le_bytes(bytes).wrapping_mul(if self.below(2) == 0 { 1 } else { -1 })
    }

    fn some(&mut self) -> Vec<u8> {
        (0..self.below(6)).map(|_| self.byte()).collect()
    }

    fn text(&mut self) -> String {
        (0..self.below(5))
            .map(|_| ['a', '"', '\\', '\n', 'é', '\u{202e}', '😀'][self.below(7)])
            .collect()
    }

    fn name(&mut self) -> String {
        self.names += 1;
        format!("T{}", self.names)
    }

    fn kind(&mut self, depth: usize) -> Kind {
        match self.below(if depth < 4 { 20 } else { 15 }) {
            0 => Kind::Null,
            1 => Kind::Boolean,
            2 => Kind::Int,
            3 => Kind::Long,
            4 => Kind::Float,
            5 => Kind::Double,
            6 => Kind::Bytes,
            7 => Kind::String,
            8 => Kind::Date,
            9 => Kind::TimeMillis,
            10 => Kind::TimeMicros,
            11 => Kind::Stamp([3, 6, 9][self.below(3)], self.below(2) == 1),
            12 => {
                let scale = self.below(19) as u32;
                let fixed = self.below(2) == 1;
                Kind::Decimal(scale, fixed.then(|| self.name()))
            }
            13 => Kind::Duration(self.name()),
            14 => match self.below(2) {
                0 => Kind::Enum(self.name(), 1 + self.below(70)),
                _ => Kind::Fixed(self.name(), self.below(20)),
            },
            15 => Kind::Array(Box::new(self.kind(depth + 1))),
            16 => Kind::Map(Box::new(self.kind(depth + 1))),
            17 => {
                let (mut branches, mut seen) = (Vec::new(), Vec::new());
                for _ in 0..=self.below(5) {
                    let branch = self.kind(depth + 1);
                    let base = base(&branch);
                    if base != "union" && (base == "named" || !seen.contains(&base)) {
                        seen.push(base);
                        branches.push(branch);
                    }
                }
                if branches.is_empty() {
                    branches.push(Kind::Null);
                }
                Kind::Union(branches)
            }
            _ => {
                let name = self.name();
                let fields = (0..self.below(6)).map(|_| self.kind(depth + 1)).collect();
                Kind::Record(name, fields)
            }
        }
    }

    /// A value for them and what it should be for us.
    fn value(&mut self, kind: &Kind) -> (Theirs, Value) {
        match kind {
            Kind::Null => (Theirs::Null, Value::Null),
            Kind::Boolean => {
                let yes = self.below(2) == 1;
                (Theirs::Boolean(yes), json!(yes))
            }
            Kind::Int => {
                let int = self.wide() as i32;
                (Theirs::Int(int), json!(int))
            }
            Kind::Long => {
                let long = self.wide();
                (Theirs::Long(long), json!(long))
            }
            Kind::Float => {
                let float = f32::from_bits((self.wide() as i32).cast_unsigned());
                (
                    Theirs::Float(float),
                    number(&shortest(float, &float.to_string())),
                )
            }
            Kind::Double => {
                let double = f64::from_bits(self.wide().cast_unsigned());
                (
                    Theirs::Double(double),
                    number(&shortest(double, &double.to_string())),
                )
            }
            Kind::Bytes => {
                let bytes = self.some();
                (Theirs::Bytes(bytes.clone()), base64(&bytes))
            }
            Kind::String => {
                let text = self.text();
                (Theirs::String(text.clone()), json!(text))
            }
            Kind::Date | Kind::TimeMillis | Kind::TimeMicros | Kind::Stamp(..) => self.time(kind),
            Kind::Decimal(..) => self.decimal(kind),
            Kind::Duration(_) => {
                let [months, days, millis] =
                    std::array::from_fn(|_| (self.wide() as i32).cast_unsigned());
                let duration =
                    Duration::new(Months::new(months), Days::new(days), Millis::new(millis));
                let value = json!({"months": months, "days": days, "millis": millis});
                (Theirs::Duration(duration), value)
            }
            Kind::Enum(_, symbols) => {
                let index = self.below(*symbols);
                let symbol = format!("S{index}");
                (Theirs::Enum(index as u32, symbol.clone()), json!(symbol))
            }
            Kind::Fixed(_, size) => {
                let bytes: Vec<u8> = (0..*size).map(|_| self.byte()).collect();
                (Theirs::Fixed(*size, bytes.clone()), base64(&bytes))
            }
            _ => self.several(kind),
        }
    }

    fn several(&mut self, kind: &Kind) -> (Theirs, Value) {
        match kind {
            Kind::Array(item) => {
                let items = (0..self.below(4)).map(|_| self.value(item));
                let (theirs, ours): (Vec<Theirs>, Vec<Value>) = items.unzip();
                (Theirs::Array(theirs), json!(ours))
            }
            Kind::Map(value) => {
                let (mut theirs, mut ours) = (HashMap::new(), Map::new());
                for at in 0..self.below(4) {
                    let (key, (their, our)) = (format!("{}{at}", self.text()), self.value(value));
                    theirs.insert(key.clone(), their);
                    ours.insert(key, our);
                }
                (Theirs::Map(theirs), Value::Object(ours))
            }
            Kind::Union(branches) => {
                let at = self.below(branches.len());
                let (theirs, ours) = self.value(&branches[at]);
                (Theirs::Union(at as u32, Box::new(theirs)), ours)
            }
            Kind::Record(_, fields) => {
                let (mut theirs, mut ours) = (Vec::new(), Map::new());
                for (at, field) in fields.iter().enumerate() {
                    let (their, our) = self.value(field);
                    theirs.push((format!("f{at}"), their));
                    ours.insert(format!("f{at}"), our);
                }
                (Theirs::Record(theirs), Value::Object(ours))
            }
            other => unreachable!("{other:?}"),
        }
    }

    /// Times by jiff, which knows nothing of ours.
    fn time(&mut self, kind: &Kind) -> (Theirs, Value) {
        let day = jiff::civil::date(1970, 1, 1);
        let midnight = jiff::civil::Time::midnight();
        match kind {
            Kind::Date => {
                let days = (self.wide() % 700_000) as i32;
                let date = day.checked_add(jiff::Span::new().days(days)).unwrap();
                let value = if date.year() < 0 {
                    json!(days)
                } else {
                    json!(date.to_string())
                };
                (Theirs::Date(days), value)
            }
            Kind::TimeMillis => {
                let ms = self.wide().rem_euclid(86_400_000);
                let time = midnight
                    .checked_add(jiff::Span::new().milliseconds(ms))
                    .unwrap();
                (Theirs::TimeMillis(ms as i32), json!(format!("{time:.3}")))
            }
            Kind::TimeMicros => {
                let us = self.wide().rem_euclid(86_400_000_000);
                let time = midnight
                    .checked_add(jiff::Span::new().microseconds(us))
                    .unwrap();
                (Theirs::TimeMicros(us), json!(format!("{time:.6}")))
            }
            Kind::Stamp(digits, local) => {
                // From the year 1 to the year 9999 in milliseconds.
                let ms = self.wide() % 250_000_000_000_000;
                let ms = ms.max(-62_000_000_000_000);
                let below = i64::from(self.byte()) % 10_i64.pow(digits - 3);
                let value = if *digits == 9 {
                    ms % 9_000_000_000_000
                } else {
                    ms
                };
                let value = value * 10_i64.pow(digits - 3) + below;
                let nanos = i128::from(value) * 10_i128.pow(9 - digits);
                let at = jiff::Timestamp::from_nanosecond(nanos).unwrap();
                let text = format!("{at:.*}", *digits as usize);
                let text = if *local {
                    text.trim_end_matches('Z')
                } else {
                    &text
                };
                let theirs = match (digits, local) {
                    (3, false) => Theirs::TimestampMillis(value),
                    (6, false) => Theirs::TimestampMicros(value),
                    (_, false) => Theirs::TimestampNanos(value),
                    (3, true) => Theirs::LocalTimestampMillis(value),
                    (6, true) => Theirs::LocalTimestampMicros(value),
                    (_, true) => Theirs::LocalTimestampNanos(value),
                };
                (theirs, json!(text))
            }
            other => unreachable!("{other:?}"),
        }
    }

    fn decimal(&mut self, kind: &Kind) -> (Theirs, Value) {
        let Kind::Decimal(scale, _) = kind else {
            unreachable!("{kind:?}")
        };
        let value = self.wide();
        let bytes = match kind {
            Kind::Decimal(_, Some(_)) => {
                let sign = if value < 0 { 0xff } else { 0 };
                [&[sign][..], &value.to_be_bytes()].concat()
            }
            _ => value.to_be_bytes().to_vec(),
        };
        let digits = format!(
            "{:0>width$}",
            value.unsigned_abs(),
            width = *scale as usize + 1
        );
        let (whole, below) = digits.split_at(digits.len() - *scale as usize);
        let sign = if value < 0 { "-" } else { "" };
        let point = if *scale > 0 { "." } else { "" };
        (
            Theirs::Decimal(Decimal::from(bytes)),
            number(&format!("{sign}{whole}{point}{below}")),
        )
    }
}

/// What may be in a union once.
fn base(kind: &Kind) -> &'static str {
    match kind {
        Kind::Null => "null",
        Kind::Boolean => "boolean",
        Kind::Int | Kind::Date | Kind::TimeMillis => "int",
        Kind::Long | Kind::TimeMicros | Kind::Stamp(..) => "long",
        Kind::Float => "float",
        Kind::Double => "double",
        Kind::Bytes | Kind::Decimal(_, None) => "bytes",
        Kind::String => "string",
        Kind::Array(_) => "array",
        Kind::Map(_) => "map",
        Kind::Union(_) => "union",
        _ => "named",
    }
}

/// The shortest digits as `serde_json` has them: between two that are as near, `std` takes the
/// other one. What is not finite is no number there.
fn shortest(float: impl serde::Serialize, text: &str) -> String {
    match serde_json::to_string(&float).unwrap().as_str() {
        "null" => text.to_owned(),
        digits => digits.to_owned(),
    }
}

fn number(text: &str) -> Value {
    let special = ["NaN", "inf", "-inf"]
        .iter()
        .position(|special| *special == text);
    match special {
        Some(at) => json!(["NaN", "Infinity", "-Infinity"][at]),
        None => serde_json::from_str(text).unwrap(),
    }
}

fn base64(bytes: &[u8]) -> Value {
    json!(base64::engine::general_purpose::STANDARD.encode(bytes))
}

fn schema(kind: &Kind) -> Value {
    let logical = |kind: &str, logical: &str| json!({"type": kind, "logicalType": logical});
    match kind {
        Kind::Date => logical("int", "date"),
        Kind::TimeMillis => logical("int", "time-millis"),
        Kind::TimeMicros => logical("long", "time-micros"),
        Kind::Stamp(digits, local) => {
            let unit = ["millis", "micros", "nanos"][*digits as usize / 3 - 1];
            let local = if *local { "local-" } else { "" };
            logical("long", &format!("{local}timestamp-{unit}"))
        }
        Kind::Decimal(scale, None) => {
            json!({"type": "bytes", "logicalType": "decimal", "precision": 20, "scale": scale})
        }
        Kind::Decimal(scale, Some(name)) => json!({"type": "fixed", "size": 9, "name": name,
            "logicalType": "decimal", "precision": 20, "scale": scale}),
        Kind::Duration(name) => {
            json!({"type": "fixed", "size": 12, "name": name, "logicalType": "duration"})
        }
        Kind::Array(item) => json!({"type": "array", "items": schema(item)}),
        Kind::Map(value) => json!({"type": "map", "values": schema(value)}),
        Kind::Union(branches) => branches.iter().map(schema).collect(),
        Kind::Record(name, fields) => {
            let field = |(at, kind)| json!({"name": format!("f{at}"), "type": schema(kind)});
            let fields: Vec<Value> = fields.iter().enumerate().map(field).collect();
            json!({"type": "record", "name": name, "fields": fields})
        }
        Kind::Enum(name, symbols) => {
            let symbols: Vec<String> = (0..*symbols).map(|at| format!("S{at}")).collect();
            json!({"type": "enum", "name": name, "symbols": symbols})
        }
        Kind::Fixed(name, size) => json!({"type": "fixed", "name": name, "size": size}),
        plain => json!(base(plain)),
    }
}

/// Equal, where numbers may be written in two ways; whole ones and decimals may not.
fn same(ours: &Value, expected: &Value) -> bool {
    match (ours, expected) {
        (Value::Number(a), Value::Number(b)) => {
            let (a, b) = (a.to_string(), b.to_string());
            let float = |text: &str| text.parse::<f64>().unwrap();
            let written = |text: &str| text.contains(['e', 'E']) || text.ends_with(".0");
            a == b || written(&a) && float(&a).total_cmp(&float(&b)).is_eq()
        }
        (Value::Array(a), Value::Array(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| same(a, b))
        }
        (Value::Object(a), Value::Object(b)) => {
            a.len() == b.len()
                && a.iter()
                    .all(|(key, a)| b.get(key).is_some_and(|b| same(a, b)))
        }
        (a, b) => a == b,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(CASES))]

    #[test]
    fn what_apache_avro_writes_is_read_as_it_was_meant(
        bytes in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        let mut choices = Choices { bytes: bytes.iter(), names: 0 };
        let kind = choices.kind(0);
        let (theirs, expected) = choices.value(&kind);
        let text = schema(&kind).to_string();
        let parsed = Schema::parse_str(&text).unwrap();
        let writer = GenericDatumWriter::builder(&parsed);
        let data = writer.build().unwrap().write_value_to_vec(theirs).unwrap();
        let ours: Value = serde_json::from_str(&decoded(&compile(&text), &data).unwrap()).unwrap();
        prop_assert!(same(&ours, &expected), "{text}\n{ours}\n{expected}");
    }
}
