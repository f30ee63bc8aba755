//! A schema's parsing canonical form and its fingerprint, as the Avro specification defines them
//! ("Parsing Canonical Form for Schemas", "Schema Fingerprints").

use std::collections::HashSet;

use super::node::{Id, Shape, Table};
use super::{Avro, SchemaError, Source};

/// Types inside each other; a bundle of texts can make chains that no single one can.
const DEEPEST_FORM: usize = 256;
/// The fingerprint of nothing.
const EMPTY: u64 = 0xc15d_213a_a4d7_a795;
const TABLE: [u64; 256] = rabin_table();

/// CRC-64-AVRO of the schema's parsing canonical form: what a single object (`C3 01`) carries,
/// little end first.
pub fn fingerprint(source: &Source) -> Result<u64, SchemaError> {
    Avro::compile(source)?.fingerprint()
}

pub(super) fn of(table: &Table) -> Result<u64, SchemaError> {
    form(table).map(|text| crc64(text.as_bytes()))
}

/// The canonical form.
fn form(table: &Table) -> Result<String, SchemaError> {
    let mut form = Form {
        table,
        defined: HashSet::new(),
        text: String::new(),
    };
    form.push(table.root, 0)?;
    Ok(form.text)
}

struct Form<'a> {
    table: &'a Table,
    defined: HashSet<Id>,
    text: String,
}

impl Form<'_> {
    fn push(&mut self, id: Id, depth: usize) -> Result<(), SchemaError> {
        if depth > DEEPEST_FORM {
            return Err(SchemaError(format!(
                "the schema is nested deeper than {DEEPEST_FORM} levels"
            )));
        }
        let table = self.table;
        let shape = &table.node(id).shape;
        if let Some(named) = shape.named() {
            if !self.defined.insert(id) {
                self.quote(&named.full);
                return Ok(());
            }
            self.text.push_str("{\"name\":");
            self.quote(&named.full);
            self.text.push_str(",\"type\":");
            self.quote(shape.word());
        }
        match shape {
            Shape::Record(record) => {
                self.text.push_str(",\"fields\":[");
                for (at, field) in record.fields.iter().enumerate() {
                    self.text
                        .push_str(if at > 0 { ",{\"name\":" } else { "{\"name\":" });
                    self.quote(&field.name);
                    self.text.push_str(",\"type\":");
                    self.push(field.id, depth + 1)?;
                    self.text.push('}');
                }
                self.text.push_str("]}");
            }
            Shape::Enum(one) => {
                self.text.push_str(",\"symbols\":[");
                for (at, symbol) in one.symbols.iter().enumerate() {
                    self.text.push_str(if at > 0 { "," } else { "" });
                    self.quote(&symbol.name);
                }
                self.text.push_str("]}");
            }
            Shape::Fixed(fixed) => {
                self.text.push_str(",\"size\":");
                self.text.push_str(itoa::Buffer::new().format(fixed.size));
                self.text.push('}');
            }
            Shape::Array(id) => {
                self.inside("{\"type\":\"array\",\"items\":", &[*id], "}", depth)?;
            }
            Shape::Map(id) => self.inside("{\"type\":\"map\",\"values\":", &[*id], "}", depth)?,
            Shape::Union(ids) => self.inside("[", ids, "]", depth)?,
            plain => self.quote(plain.word()),
        }
        Ok(())
    }

    fn inside(
        &mut self,
        open: &str,
        ids: &[Id],
        close: &str,
        depth: usize,
    ) -> Result<(), SchemaError> {
        self.text.push_str(open);
        for (at, id) in ids.iter().enumerate() {
            self.text.push_str(if at > 0 { "," } else { "" });
            self.push(*id, depth + 1)?;
        }
        self.text.push_str(close);
        Ok(())
    }

    /// Names stand as they are: the form has no escapes.
    fn quote(&mut self, name: &str) {
        self.text.push('"');
        self.text.push_str(name);
        self.text.push('"');
    }
}

fn crc64(bytes: &[u8]) -> u64 {
    bytes.iter().fold(EMPTY, |crc, byte| {
        let at = (crc ^ u64::from(*byte)) & 0xff;
        crc >> 8 ^ TABLE.get(at as usize).copied().unwrap_or(0)
    })
}

const fn rabin_table() -> [u64; 256] {
    let mut table = [0; 256];
    let mut at = 0;
    while at < table.len() {
        let mut crc = at as u64;
        let mut bit = 0;
        while bit < 8 {
            crc = crc >> 1 ^ (EMPTY & (crc & 1).wrapping_neg());
            bit += 1;
        }
        table[at] = crc;
        at += 1;
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::Language;

    /// Input, form and fingerprint from Avro's `share/test/data/schema-tests.txt`.
    const PUBLISHED: [(&str, &str, i64); 24] = [
        (r#""null""#, r#""null""#, 7_195_948_357_588_979_594),
        (r#"{"type":"null"}"#, r#""null""#, 7_195_948_357_588_979_594),
        (r#""boolean""#, r#""boolean""#, -6_970_731_678_124_411_036),
        (r#""int""#, r#""int""#, 8_247_732_601_305_521_295),
        (r#"{"type":"int"}"#, r#""int""#, 8_247_732_601_305_521_295),
        (r#""long""#, r#""long""#, -3_434_872_931_120_570_953),
        (r#""float""#, r#""float""#, 5_583_340_709_985_441_680),
        (r#""double""#, r#""double""#, -8_181_574_048_448_539_266),
        (r#""bytes""#, r#""bytes""#, 5_746_618_253_357_095_269),
        (r#""string""#, r#""string""#, -8_142_146_995_180_207_161),
        (r"[  ]", r"[]", -1_241_056_759_729_112_623),
        (r#"[ "int"  ]"#, r#"["int"]"#, -5_232_228_896_498_058_493),
        (
            r#"[ "int" , {"type":"boolean"} ]"#,
            r#"["int","boolean"]"#,
            5_392_556_393_470_105_090,
        ),
        (
            r#"{"fields":[], "type":"record", "name":"foo", "doc":"foo", "aliases":["foo","bar"]}"#,
            r#"{"name":"foo","type":"record","fields":[]}"#,
            -4_824_392_279_771_201_922,
        ),
        (
            r#"{"fields":[], "type":"record", "name":"foo", "namespace":"x.y"}"#,
            r#"{"name":"x.y.foo","type":"record","fields":[]}"#,
            5_916_914_534_497_305_771,
        ),
        (
            r#"{"fields":[], "type":"record", "name":"a.b.foo", "namespace":"x.y"}"#,
            r#"{"name":"a.b.foo","type":"record","fields":[]}"#,
            -4_616_218_487_480_524_110,
        ),
        (
            r#"{"fields":[{"type":{"type":"boolean"}, "name":"f1"}], "type":"record", "name":"foo"}"#,
            r#"{"name":"foo","type":"record","fields":[{"name":"f1","type":"boolean"}]}"#,
            7_843_277_075_252_814_651,
        ),
        (
            r#"{"fields":[{"type":"boolean", "aliases":[], "name":"f1", "default":"true"},
                {"order":"descending","name":"f2","doc":"Hello","type":"int"}],
                "type":"record", "name":"foo"}"#,
            r#"{"name":"foo","type":"record","fields":[{"name":"f1","type":"boolean"},{"name":"f2","type":"int"}]}"#,
            -4_860_222_112_080_293_046,
        ),
        (
            r#"{"type":"enum", "name":"foo", "symbols":["A1"]}"#,
            r#"{"name":"foo","type":"enum","symbols":["A1"]}"#,
            -6_342_190_197_741_309_591,
        ),
        (
            r#"{"namespace":"x.y.z", "type":"enum", "name":"foo", "doc":"foo bar", "symbols":["A1", "A2"]}"#,
            r#"{"name":"x.y.z.foo","type":"enum","symbols":["A1","A2"]}"#,
            -4_448_647_247_586_288_245,
        ),
        (
            r#"{"namespace":"x.y.z", "type":"fixed", "name":"foo", "doc":"foo bar", "size":32}"#,
            r#"{"name":"x.y.z.foo","type":"fixed","size":32}"#,
            -3_064_184_465_700_546_786,
        ),
        (
            r#"{ "items":{"type":"null"}, "type":"array"}"#,
            r#"{"type":"array","items":"null"}"#,
            -589_620_603_366_471_059,
        ),
        (
            r#"{ "values":"string", "type":"map"}"#,
            r#"{"type":"map","values":"string"}"#,
            -8_732_877_298_790_414_990,
        ),
        (
            r#"{"name":"PigValue","type":"record",
               "fields":[{"name":"value", "type":["null", "int", "long", "PigValue"]}]}"#,
            r#"{"name":"PigValue","type":"record","fields":[{"name":"value","type":["null","int","long","PigValue"]}]}"#,
            -1_759_257_747_318_642_341,
        ),
    ];

    #[test]
    fn forms_and_fingerprints_are_those_that_avro_publishes() {
        for (text, expected, print) in PUBLISHED {
            let source = Source {
                language: Language::Avro,
                text: text.to_owned(),
                references: Vec::new(),
            };
            let avro = Avro::compile(&source).unwrap();
            assert_eq!(form(&avro.table).unwrap(), expected, "{text}");
            assert_eq!(fingerprint(&source).unwrap().cast_signed(), print, "{text}");
        }
    }
}
