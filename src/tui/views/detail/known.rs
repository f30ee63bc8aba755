//! The tab of the schema: which it is, what it says of the event, how key and value are encoded,
//! and what the record batch says of itself.

use std::time::Duration;

use super::rows::Rows;
use super::value::Value;
use crate::event::{
    BatchMeta, Checked, Compression, Content, Decoded, EventRef, Marker, SchemaFault, SchemaId,
    SchemaVerdict, TimestampType, Visibility,
};
use crate::schema::{Explained, Trail};
use crate::text::{human, width};
use crate::tui::theme;
use crate::tui::views::schemas::schema_name;
use crate::tui::widgets::{Line, Tone};

/// Columns of the names.
const NAMES: usize = 18;

/// A schema that was not known is asked for again after this time.
const AGAIN: Duration = Duration::from_millis(500);

/// What was found out about an event when its value was read.
#[derive(Debug, Default)]
pub struct Told {
    /// How key and value are encoded, in words.
    key: String,
    /// The format that the value was decoded from, where it is not what its bytes are.
    from: Option<&'static str>,
    trail: Trail,
    key_trail: Trail,
    /// What was done to a row, where the value is a captured change.
    change: Option<&'static str>,
    /// `None` where nobody can be asked for schemas.
    verdict: Option<SchemaVerdict>,
    /// What the bytes name as their schema.
    id: Option<String>,
    pub faults: Vec<SchemaFault>,
    pub made: Duration,
}

impl Told {
    pub fn of(explained: &Explained<'_>, now: Duration) -> Self {
        let Explained {
            seen,
            key,
            value,
            change,
        } = explained;
        Self {
            key: kind(&seen.key),
            from: seen.value.from,
            trail: value.clone(),
            key_trail: key.clone(),
            change: *change,
            verdict: seen.schema.map(|checked| checked.verdict),
            id: seen
                .schema
                .and_then(|checked| checked.id)
                .map(|id| match id {
                    SchemaId::Number(id) => id.to_string(),
                    SchemaId::Text(id) => id.to_owned(),
                }),
            faults: seen.schema.map_or_else(Vec::new, |c| c.faults.to_vec()),
            made: now,
        }
    }

    /// Whether its schema may have come meanwhile.
    pub fn is_old(&self, now: Duration) -> bool {
        let unknown = self.verdict == Some(SchemaVerdict::UnknownId);
        unknown && now.saturating_sub(self.made) >= AGAIN
    }

    /// Whether the schema still says the same, or is missing for the same reason.
    pub fn is_still(&self, checked: Option<Checked<'_>>) -> bool {
        checked.is_some_and(|c| Some(c.verdict) == self.verdict && *c.faults == *self.faults)
    }
}

/// What is known of an event. The value was read before.
pub fn rows(event: &EventRef<'_>, told: &Told, value: &Value) -> Rows {
    let mut lines = Vec::new();
    let mut places = Vec::new();
    schema(&mut lines, told);
    verdict(&mut lines, &mut places, told);
    let size = |bytes: Option<&[u8]>| match bytes {
        None => "null".to_owned(),
        Some(bytes) => human::size(bytes.len() as u64),
    };
    lines.push(row("key", &told.key));
    if let Some(known) = &told.key_trail.known {
        lines.push(row("key's schema", &schema_name(known)));
    }
    let kind = kind_of_value(event, value);
    lines.push(match told.from {
        Some(from) => row("value", &format!("{kind}, decoded from {from}")),
        None => row("value", &kind),
    });
    if let Some(change) = told.change {
        lines.push(row("change", &format!("{change}, as Debezium captured it")));
    }
    if told.verdict.is_none()
        && let Some(note) = registry(event.value)
    {
        lines.push(row("", &note));
    }
    lines.push(row(
        "size",
        &format!(
            "key {}, value {}, headers {} ({})",
            size(event.key),
            size(event.value),
            event.headers.count(),
            human::size(event.headers.encoded().len() as u64)
        ),
    ));
    lines.push(row("timestamp", timestamp(event.timestamp_type)));
    if let Some(meta) = event.meta {
        lines.push(Line::new());
        batch(&mut lines, meta);
    }
    Rows::linked(lines, places)
}

/// Which schema, from where, and how the event names it.
fn schema(lines: &mut Vec<Line>, told: &Told) {
    match (&told.trail.known, told.verdict) {
        (Some(known), _) => {
            lines.push(row("schema", &schema_name(known)));
            lines.push(row("from", &known.origin));
            if let Some(held_to) = &told.trail.held_to {
                lines.push(row("held against", &schema_name(held_to)));
            }
        }
        (None, Some(SchemaVerdict::UnknownId)) => lines.push(row("schema", "not known")),
        (None, Some(_)) => lines.push(row("schema", "none for this event")),
        (None, None) => lines.push(row("schema", "none known")),
    }
    let known_id = told
        .trail
        .known
        .as_ref()
        .and_then(|known| known.id.as_ref());
    if let Some(id) = told
        .id
        .clone()
        .or_else(|| known_id.map(ToString::to_string))
    {
        lines.push(row("id", &id));
    }
    match (told.trail.framing, &told.trail.known) {
        (Some(framing), _) => lines.push(row("framing", framing)),
        (None, Some(_)) => lines.push(row("framing", "none; the schema is its topic's")),
        (None, None) => {}
    }
}

/// The verdict, and two lines for each thing that is wrong: where, and what.
fn verdict(lines: &mut Vec<Line>, places: &mut Vec<(usize, String)>, told: &Told) {
    let Some(verdict) = told.verdict else {
        return;
    };
    let shown = theme::Verdict::from(verdict);
    let tone = if shown.is_trouble() {
        Tone::Bad
    } else {
        Tone::Text
    };
    let head = row("verdict", "").with(tone, shown.word());
    lines.push(match told.faults.len() {
        0 => head,
        _ if verdict == SchemaVerdict::Invalid => head.with(Tone::Dim, "; enter shows the place"),
        _ => head,
    });
    for fault in &told.faults {
        if fault.keyword.is_empty() {
            lines.push(Line::indented(2).with(Tone::Bad, &fault.message));
            continue;
        }
        let place = match fault.path.as_str() {
            "" => "the whole value",
            path => path,
        };
        places.extend([
            (lines.len(), fault.path.clone()),
            (lines.len() + 1, fault.path.clone()),
        ]);
        lines.push(
            Line::indented(2)
                .with(Tone::Bad, place)
                .with(Tone::Dim, "  ")
                .with(Tone::Key, &fault.keyword),
        );
        lines.push(Line::indented(4).with(Tone::Text, &fault.message));
    }
}

fn row(name: &str, text: &str) -> Line {
    let blank = " ".repeat(NAMES.saturating_sub(width::width(name)));
    Line::new()
        .with(Tone::Key, name)
        .with(Tone::Dim, &blank)
        .with(Tone::Text, text)
}

fn kind(content: &Content<'_>) -> String {
    let kind = match content.data {
        Decoded::Null => "null",
        Decoded::Json(_) => "JSON",
        Decoded::Text("") => "empty",
        Decoded::Text(_) => "text (UTF-8)",
        Decoded::Binary(_) => "binary",
    };
    match content.refused {
        Some(refused) => format!("{kind}; {refused}"),
        None => kind.to_owned(),
    }
}

fn kind_of_value(event: &EventRef<'_>, value: &Value) -> String {
    match (event.value, value) {
        (None, _) => "null: a tombstone".to_owned(),
        (Some([]), _) => "empty".to_owned(),
        (_, Value::Tree(_)) => "JSON".to_owned(),
        (_, Value::Text { note: None, .. }) => "text (UTF-8)".to_owned(),
        (
            _,
            Value::Text {
                note: Some(why), ..
            },
        ) => format!("text (UTF-8); {why}"),
        (_, Value::Bytes { note, .. }) => note.clone(),
        (_, Value::Working | Value::Words(_)) => "not read yet".to_owned(),
    }
}

/// The five bytes that serializers of a schema registry put in front of a value.
fn registry(value: Option<&[u8]>) -> Option<String> {
    let (head, rest) = value?.split_first_chunk::<5>()?;
    let [0, id @ ..] = head else {
        return None;
    };
    let id = u32::from_be_bytes(*id);
    // Ids count up from 1; other binary formats begin with 0, too.
    let likely = (1..1 << 24).contains(&id) && !rest.is_empty();
    likely.then(|| format!("begins as a schema registry's serializers write: schema id {id}"))
}

const fn timestamp(kind: TimestampType) -> &'static str {
    match kind {
        TimestampType::Create => "CreateTime: the producer set it",
        TimestampType::Append => "LogAppendTime: the broker set it",
        TimestampType::None => "none",
    }
}

fn batch(lines: &mut Vec<Line>, meta: &BatchMeta) {
    let last = meta.next_offset().saturating_sub(1);
    lines.push(Line::new().with(Tone::Title, "Record batch"));
    let records = if meta.records == 1 {
        "1 record".to_owned()
    } else {
        format!("{} records", human::count(meta.records.into()))
    };
    let offsets = format!("{} to {last}, {records}", meta.base_offset);
    lines.push(row("offsets", &offsets));
    lines.push(row("compression", compression(meta.compression)));
    if meta.producer_id >= 0 {
        lines.push(row("producer id", &meta.producer_id.to_string()));
        lines.push(row("producer epoch", &meta.producer_epoch.to_string()));
        lines.push(row("base sequence", &meta.base_sequence.to_string()));
    } else {
        lines.push(row("producer", "not idempotent"));
    }
    let transaction = match (meta.transactional, meta.visibility) {
        (_, Visibility::Control(Marker::Abort)) => "abort marker",
        (_, Visibility::Control(Marker::Commit)) => "commit marker",
        (_, Visibility::Control(Marker::Other(_))) => "control marker",
        (_, Visibility::Aborted) => "yes, aborted",
        (true, Visibility::Visible) => "yes",
        (false, Visibility::Visible) => "no",
    };
    lines.push(row("transactional", transaction));
    lines.push(row("leader epoch", &meta.leader_epoch.to_string()));
    lines.push(row("newest timestamp", &meta.max_timestamp.to_string()));
    lines.push(row("CRC-32C", &format!("{:08x}", meta.crc)));
}

const fn compression(kind: Compression) -> &'static str {
    match kind {
        Compression::None => "none",
        Compression::Gzip => "gzip",
        Compression::Snappy => "snappy",
        Compression::Lz4 => "lz4",
        Compression::Zstd => "zstd",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Timestamp;

    #[test]
    fn a_registry_id_is_told_where_it_is_likely() {
        for (value, id) in [
            (Some(&b"\0\0\0\0\x2aabc"[..]), Some("schema id 42")),
            (Some(b"\0\0\0\0\0abc"), None),
            (Some(b"\0\0\0\0\x2a"), None),
            (Some(b"\0\xff\0\0\x2aabc"), None),
            (Some(b"{}"), None),
            (None, None),
        ] {
            let told = registry(value);
            assert_eq!(told.is_some(), id.is_some(), "{value:?}");
            assert!(told.unwrap_or_default().ends_with(id.unwrap_or_default()));
        }
    }

    #[test]
    fn a_record_batch_tells_what_it_knows() {
        let meta = BatchMeta {
            stream: 0,
            base_offset: 40,
            last_offset_delta: 9,
            leader_epoch: 3,
            crc: 0xabc,
            compression: Compression::Zstd,
            timestamp_type: TimestampType::Create,
            transactional: true,
            max_timestamp: Timestamp(0),
            producer_id: 7,
            producer_epoch: 1,
            base_sequence: 30,
            records: 8,
            visibility: Visibility::Aborted,
        };
        let mut lines = Vec::new();
        batch(&mut lines, &meta);
        let text: Vec<String> = lines.iter().map(Line::text).collect();
        let text = text.join("\n");
        for part in [
            "40 to 49, 8 records",
            "zstd",
            "yes, aborted",
            "00000abc",
            "base sequence     30",
        ] {
            assert!(text.contains(part), "{part} in {text}");
        }
    }
}
