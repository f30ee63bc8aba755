//! The tab of the schema: how key and value are encoded, and what the record batch says of itself.

use super::value::Value;
use crate::event::{
    BatchMeta, Compression, Content, Decoded, EventRef, Marker, TimestampType, Visibility,
};
use crate::schema::Decoder;
use crate::text::{human, width};
use crate::tui::widgets::{Line, Tone};

/// Columns of the names.
const NAMES: usize = 18;

/// What is known of an event. The value was read before.
pub fn lines(event: &EventRef<'_>, decoder: &Decoder, value: &Value) -> Vec<Line> {
    let size = |bytes: Option<&[u8]>| match bytes {
        None => "null".to_owned(),
        Some(bytes) => human::size(bytes.len() as u64),
    };
    let mut reader = decoder.reader();
    let seen = reader.see(event);
    let mut lines = vec![
        row("schema", "none known"),
        row("key", &kind(&seen.key)),
        row("value", &kind_of_value(event, value)),
    ];
    if let Some(note) = registry(event.value) {
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
    lines
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
