//! What the rows on the screen say, decoded once for each of them. Only schemas and formats that
//! were asked for need this; plain bytes are read where they are drawn.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use super::columns;
use crate::event::{Batch, Content, Decoded, SchemaId, SchemaVerdict};
use crate::schema::{Decoder, Reader};
use crate::tui::model::shown::Row;
use crate::tui::model::store::EventId;
use crate::tui::theme::Verdict;

/// Larger values are not decoded for a row.
const LARGEST: usize = 256 * 1024;
/// Bytes of values that one frame decodes; the other rows have their turn with the next one.
const FRAME: usize = 2 * 1024 * 1024;
/// What is kept of a key or value: the farthest that a person can move it to the left, and more
/// columns than a screen has.
const FRONT: usize = 32 * 1024;
/// Rows that are kept beside those on the screen.
const KEPT: usize = 512;
/// A row whose schema is not known is looked at again after this time.
const AGAIN: Duration = Duration::from_millis(500);

/// The rows that were decoded.
#[derive(Default)]
pub struct Looks {
    reader: Option<Box<Reader>>,
    rows: HashMap<EventId, Look>,
    /// The columns that the fields are of.
    columns: Vec<String>,
}

/// One row.
pub struct Look {
    /// What the schema says; `None` where there is nobody to ask.
    pub verdict: Option<Verdict>,
    /// The front of the key; `None` where it is null.
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    /// What is wrong, in front of a value that was not understood.
    pub lead: Option<String>,
    /// What the columns show that were made of fields, in their order.
    pub fields: Vec<String>,
    looked: Duration,
}

/// An event that has a row on the screen.
pub type OnScreen = (Row, Arc<Batch>, usize);

impl Looks {
    pub fn get(&self, id: EventId) -> Option<&Look> {
        self.rows.get(&id)
    }

    /// Another source: nothing of the last one holds.
    pub fn forget(&mut self) {
        *self = Self::default();
    }

    /// Decodes the rows that are not yet, as many as a frame has time for. Gives the verdicts of
    /// those that it decoded.
    pub fn settle(
        &mut self,
        decoder: &Decoder,
        rows: &[OnScreen],
        columns: &[String],
        now: Duration,
    ) -> Vec<(Row, Verdict)> {
        if self.columns != columns {
            self.rows.clear();
            self.columns = columns.to_vec();
        }
        if self.rows.len() > rows.len() + KEPT {
            let on_screen: HashSet<EventId> = rows.iter().map(|r| r.0.id()).collect();
            self.rows.retain(|id, _| on_screen.contains(id));
        }
        let reader = self
            .reader
            .get_or_insert_with(|| Box::new(decoder.impatient().reader()));
        let mut room = FRAME;
        let mut verdicts = Vec::new();
        for (row, batch, at) in rows {
            let id = row.id();
            if self.rows.get(&id).is_some_and(|look| !look.is_old(now)) {
                continue;
            }
            let event = batch.get(*at);
            let size = event.value.map_or(0, <[u8]>::len);
            if size > LARGEST || size > room {
                continue;
            }
            room -= size;
            let seen = reader.see(&event);
            let look = Look::of(&seen, columns, now);
            verdicts.extend(look.verdict.map(|verdict| (*row, verdict)));
            self.rows.insert(id, look);
        }
        verdicts
    }
}

impl Look {
    fn of(seen: &crate::event::Seen<'_>, columns: &[String], now: Duration) -> Self {
        let value = &seen.value;
        let json = match &value.data {
            Decoded::Json(json) => Some(json.as_bytes()),
            _ => None,
        };
        let verdict = match seen.schema {
            Some(checked) => match checked.verdict {
                // Whether it is broken JSON was seen when it came.
                SchemaVerdict::None => None,
                verdict => Some(Verdict::from(verdict)),
            },
            None => value.refused.map(|_| Verdict::Undecodable),
        };
        let lead = match verdict {
            Some(Verdict::Undecodable) => Some("undecodable: ".to_owned()),
            Some(Verdict::Unknown) => Some(match seen.schema.and_then(|s| s.id) {
                Some(SchemaId::Number(id)) => format!("schema {id} is not known: "),
                Some(SchemaId::Text(id)) => format!("schema {id} is not known: "),
                None => "its schema is not known: ".to_owned(),
            }),
            _ => None,
        };
        Self {
            verdict,
            key: front(&seen.key),
            value: front(value),
            lead,
            fields: columns
                .iter()
                .map(|path| columns::field(json, path))
                .collect(),
            looked: now,
        }
    }

    /// The field of one of the columns that it was decoded for.
    pub fn field(&self, columns: &[String], path: &str) -> String {
        let at = columns.iter().position(|column| column == path);
        at.and_then(|at| self.fields.get(at))
            .cloned()
            .unwrap_or_default()
    }

    /// Its schema may have come meanwhile.
    fn is_old(&self, now: Duration) -> bool {
        self.verdict == Some(Verdict::Unknown) && now.saturating_sub(self.looked) >= AGAIN
    }
}

fn front(content: &Content<'_>) -> Option<Vec<u8>> {
    let bytes = match content.data {
        Decoded::Null => return None,
        Decoded::Json(json) => json.as_bytes(),
        Decoded::Text(text) => text.as_bytes(),
        Decoded::Binary(bytes) => bytes,
    };
    Some(bytes.get(..FRONT).unwrap_or(bytes).to_vec())
}

impl From<SchemaVerdict> for Verdict {
    fn from(verdict: SchemaVerdict) -> Self {
        match verdict {
            SchemaVerdict::Valid => Self::Valid,
            SchemaVerdict::Invalid => Self::Invalid,
            SchemaVerdict::Undecodable => Self::Undecodable,
            SchemaVerdict::None => Self::None,
            SchemaVerdict::UnknownId => Self::Unknown,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::{Catalog, Pins, Schemas, sources};
    use crate::tui::fixture::batch_of;
    use crate::tui::model::shown::Clocks;
    use crate::tui::model::store::Store;

    fn id(index: u32) -> EventId {
        EventId { chunk: 0, index }
    }

    fn rows(values: &[&str]) -> Vec<OnScreen> {
        let events: Vec<_> = values.iter().map(|v| (0, 1, *v)).collect();
        let (chunk, _) = Store::new(1 << 30).push(&batch_of(&events));
        let rows = Clocks::default().rows(&chunk);
        let of = |(at, row)| (row, chunk.batch.clone(), at);
        rows.into_iter().enumerate().map(of).collect()
    }

    fn by_folder(schema: &str) -> (tempfile::TempDir, Decoder) {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("orders.json"), schema).unwrap();
        let place = folder.path().display().to_string();
        let sources = sources::Sources::open(&place, &sources::Settings::default()).unwrap();
        let schemas = Schemas::new(Catalog::Sources(sources), false);
        let decoder = Decoder::new(Pins::default(), Vec::new(), Some(schemas));
        (folder, decoder)
    }

    #[test]
    fn a_row_has_its_verdict_its_front_and_its_fields() {
        let (_folder, decoder) = by_folder(r#"{"properties":{"n":{"type":"number"}}}"#);
        let rows = rows(&[r#"{"n":1}"#, r#"{"n":"x"}"#, r#"{"n""#]);
        let mut looks = Looks::default();
        let columns = [".value.n".to_owned()];
        let verdicts = looks.settle(&decoder, &rows, &columns, Duration::ZERO);
        let expected = [Verdict::Valid, Verdict::Invalid, Verdict::Undecodable];
        let got: Vec<Verdict> = verdicts.iter().map(|v| v.1).collect();
        assert_eq!(got, expected);
        let look = looks.get(id(1)).unwrap();
        assert_eq!(look.fields, ["x"]);
        assert_eq!(look.value.as_deref(), Some(&br#"{"n":"x"}"#[..]));
        assert_eq!(look.lead, None);
        let broken = looks.get(id(2)).unwrap();
        assert_eq!(broken.lead.as_deref(), Some("undecodable: "));
        assert_eq!(broken.fields, [""]);
        // What was decoded is not decoded again, but with other columns.
        let again = looks.settle(&decoder, &rows, &columns, Duration::from_secs(9));
        assert!(again.is_empty());
        assert_eq!(looks.settle(&decoder, &rows, &[], Duration::ZERO).len(), 3);
    }

    #[test]
    fn other_formats_are_shown_as_json() {
        let decoder = Decoder::pinned(Pins::parse("value=msgpack").unwrap());
        // {"n": 7} as MessagePack, and a map that ends early.
        let rows = rows(&["\u{1}", "x"]);
        let mut looks = Looks::default();
        looks.settle(&decoder, &rows, &[], Duration::ZERO);
        let look = looks.get(id(0)).unwrap();
        assert_eq!(look.value.as_deref(), Some(&b"1"[..]));
        assert_eq!(look.verdict, None);
    }

    #[test]
    fn a_frame_decodes_no_more_than_it_has_time_for_and_the_next_goes_on() {
        let decoder = Decoder::pinned(Pins::parse("value=detect").unwrap());
        let large = format!("\"{}\"", "x".repeat(LARGEST - 2));
        let too_large = "x".repeat(LARGEST + 1);
        let mut values = vec![large.as_str(); 12];
        values.push(&too_large);
        let rows = rows(&values);
        let mut looks = Looks::default();
        looks.settle(&decoder, &rows, &[], Duration::ZERO);
        assert_eq!(looks.rows.len(), FRAME / LARGEST);
        looks.settle(&decoder, &rows, &[], Duration::ZERO);
        assert_eq!(looks.rows.len(), 12);
        assert_eq!(
            looks.get(id(0)).unwrap().value.as_ref().unwrap().len(),
            FRONT
        );
    }
}
