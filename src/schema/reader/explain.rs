//! How one event was understood, for a person who asks: the framing of its key and value, and the
//! schema that was used. Events on their way are not looked at like this.

use std::sync::Arc;

use super::Reader;
use crate::event::{Decoded, EventRef, Seen};
use crate::schema::formats::debezium;
use crate::schema::formats::frame::Frame;
use crate::schema::sources::Known;

/// What the bytes of one side were taken for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Trail {
    /// How the bytes, or a header, name their schema or format.
    pub framing: Option<&'static str>,
    /// The schema that they were decoded by, or that refused them.
    pub known: Option<Arc<Known>>,
    /// The JSON Schema that the data was held against, where it was decoded by another schema.
    pub held_to: Option<Arc<Known>>,
    /// A framing that they may be in, of a schema that nobody knows.
    looks_like: Option<&'static str>,
    /// The first framing whose schema did not take them, and that schema.
    refused: Option<(&'static str, Option<Arc<Known>>)>,
}

impl Trail {
    pub(super) fn uses(&mut self, known: &Arc<Known>) {
        self.known = Some(Arc::clone(known));
    }

    /// The data that was decoded is held against a schema besides.
    pub(super) fn holds(&mut self, to: Option<&Arc<Known>>, decoded_by: Option<Arc<Known>>) {
        self.held_to = to.cloned();
        self.known = decoded_by;
    }

    pub(super) fn looks_like(&mut self, framing: &'static str) {
        self.looks_like.get_or_insert(framing);
    }

    pub(super) fn refused(&mut self, framing: &'static str) {
        let known = self.known.take();
        self.refused.get_or_insert((framing, known));
    }

    /// No framing held, and this is the one that is told of.
    pub(super) fn was_refused(&mut self) {
        if let Some((framing, known)) = self.refused.take() {
            (self.framing, self.known) = (Some(framing), known);
        }
    }

    /// Nothing came of it but what the bytes look like.
    pub(super) fn only_looks(&mut self) {
        self.framing = self.looks_like.take();
        self.known = None;
    }
}

/// An event as it was understood, and how.
#[derive(Debug, Clone)]
pub struct Explained<'a> {
    pub seen: Seen<'a>,
    pub key: Trail,
    pub value: Trail,
    /// What was done to a row, in words, where the value is a change that Debezium captured.
    pub change: Option<&'static str>,
}

impl Reader {
    /// What the event says, and how that was found out.
    pub fn explain<'a>(&'a mut self, event: &EventRef<'a>) -> Explained<'a> {
        let (mut key, mut value) = (Trail::default(), Trail::default());
        let seen = self.look_along(event, Some((&mut key, &mut value)));
        let change = match seen.value.data {
            Decoded::Json(json) => debezium::change(json.as_bytes()),
            Decoded::Null | Decoded::Text(_) | Decoded::Binary(_) => None,
        };
        Explained {
            seen,
            key,
            value,
            change,
        }
    }
}

/// The name of a framing.
pub(super) const fn framing(frame: &Frame<'_>) -> &'static str {
    match frame {
        Frame::Confluent { .. } => "Confluent: 00, the id in 4 bytes",
        Frame::HeaderId { .. } => "Confluent: the id in a header",
        Frame::Guid { .. } => "Confluent: the GUID in a header",
        Frame::Glue { zlib: false, .. } => "AWS Glue: 03, the UUID of the version",
        Frame::Glue { zlib: true, .. } => "AWS Glue: 03, the UUID of the version, zlib",
        Frame::ApicurioHeader { .. } => "Apicurio: ids in headers",
        Frame::ApicurioLong { .. } => "Apicurio: 00, the id in 8 bytes",
        Frame::Azure { .. } => "Azure Schema Registry",
        Frame::SingleObject { .. } => "Avro single object: c3 01, the fingerprint",
        Frame::Container(_) => "Avro object container, which holds its schema",
        Frame::Compressed(_) => "compressed",
        Frame::CborTagged => "CBOR, which says so by its tag",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{
        Headers, Position, PositionStyle, SchemaVerdict, Stream, Timestamp, TimestampType,
    };
    use crate::schema::sources::{Settings, Sources};
    use crate::schema::{Catalog, Decoder, Pins, Schemas};

    fn event<'a>(stream: &'a Stream, value: &'a [u8]) -> EventRef<'a> {
        EventRef {
            stream,
            stream_index: 0,
            position: Position::offset(0),
            timestamp: Timestamp(0),
            timestamp_type: TimestampType::Create,
            key: Some(b"k"),
            value: Some(value),
            headers: Headers::default(),
            meta: None,
        }
    }

    fn decoder(folder: &std::path::Path) -> Decoder {
        let place = folder.display().to_string();
        let sources = Sources::open(&place, &Settings::default()).unwrap();
        let schemas = Schemas::new(Catalog::Sources(sources), false);
        Decoder::new(Pins::default(), Vec::new(), Some(schemas))
    }

    #[test]
    fn it_is_told_by_which_schema_and_framing_a_value_was_read() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        write(
            "orders.avsc",
            r#"{"type":"record","name":"Order","fields":[{"name":"n","type":"long"}]}"#,
        );
        let stream = Stream {
            topic: "orders".into(),
            partition: 0,
            style: PositionStyle::Offset,
        };
        let decoder = decoder(folder.path());
        let mut reader = decoder.reader();
        let told = reader.explain(&event(&stream, &[14]));
        assert_eq!(told.value.framing, None);
        let known = told.value.known.unwrap();
        assert!(known.origin.ends_with("orders.avsc"), "{known:?}");
        assert_eq!(told.key, Trail::default());
        assert_eq!(told.seen.schema.unwrap().verdict, SchemaVerdict::Valid);
        // Two bytes too many: the schema that refused is told, too.
        let told = reader.explain(&event(&stream, &[14, 0, 0]));
        assert!(told.value.known.is_some());
        assert_eq!(
            told.seen.schema.unwrap().verdict,
            SchemaVerdict::Undecodable
        );
        // An id that nobody knows.
        let told = reader.explain(&event(&stream, &[0, 0, 0, 0, 7, 14]));
        assert_eq!(told.value.framing, Some("Confluent: 00, the id in 4 bytes"));
        assert_eq!(told.value.known, None);
        assert_eq!(told.seen.schema.unwrap().verdict, SchemaVerdict::UnknownId);
    }

    #[test]
    fn data_that_is_held_against_another_schema_tells_both() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        write(
            "orders.avsc",
            r#"{"type":"record","name":"Order","fields":[{"name":"n","type":"long"}]}"#,
        );
        write("orders.json", r#"{"properties":{"n":{"maximum":6}}}"#);
        let place = folder.path().display().to_string();
        let sources = Sources::open(&place, &Settings::default()).unwrap();
        let schemas = Schemas::new(Catalog::Sources(sources), false);
        let pins = Pins::parse("value=avro").unwrap();
        let decoder = Decoder::new(pins, Vec::new(), Some(schemas));
        let stream = Stream {
            topic: "orders".into(),
            partition: 0,
            style: PositionStyle::Offset,
        };
        let mut reader = decoder.reader();
        let told = reader.explain(&event(&stream, &[14]));
        let ends =
            |known: Option<Arc<Known>>, ending: &str| known.unwrap().origin.ends_with(ending);
        assert!(ends(told.value.known, ".avsc"));
        assert!(ends(told.value.held_to, ".json"));
        let checked = told.seen.schema.unwrap();
        assert_eq!(checked.verdict, SchemaVerdict::Invalid);
        assert_eq!(checked.faults[0].path, "/n");
    }

    #[test]
    fn a_change_that_debezium_captured_is_told() {
        let stream = Stream {
            topic: "orders".into(),
            partition: 0,
            style: PositionStyle::Offset,
        };
        let mut reader = Decoder::default().reader();
        let change = br#"{"before":null,"after":{"id":1},"source":{"db":"shop"},"op":"c"}"#;
        assert_eq!(
            reader.explain(&event(&stream, change)).change,
            Some("created")
        );
        assert_eq!(
            reader.explain(&event(&stream, b"{\"op\":\"c\"}")).change,
            None
        );
    }

    #[test]
    fn without_schemas_there_is_nothing_to_tell() {
        let stream = Stream {
            topic: "orders".into(),
            partition: 0,
            style: PositionStyle::Offset,
        };
        let mut reader = Decoder::default().reader();
        let told = reader.explain(&event(&stream, b"{\"a\":1}"));
        assert_eq!(told.value, Trail::default());
        assert!(told.seen.schema.is_none());
    }
}
