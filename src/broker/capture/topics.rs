//! How the topics of a capture were kept by their broker, as an attachment: whether a cleaner took
//! all but the newest event of a key. Without it, what the cleaner took looks like a gap.

use serde::{Deserialize, Serialize};

use super::document::Kind;
use crate::broker::{Result, TopicSettings};

/// The name of the attachment.
pub(super) const NAME: &str = "evtap.topics.json";

const DOCUMENT: Kind = Kind {
    list: "topics",
    what: "how topics were kept",
};

#[derive(Serialize, Deserialize)]
struct Row {
    name: String,
    compacted: bool,
}

/// The document.
pub(super) fn to_json(topics: &[TopicSettings]) -> Result<Vec<u8>> {
    let row = |kept: &TopicSettings| {
        let name = kept.topic.to_string();
        kept.compacts.map(|compacted| Row { name, compacted })
    };
    DOCUMENT.write(&topics.iter().filter_map(row).collect::<Vec<_>>())
}

/// Reads a document; `place` is named when it is none.
pub(super) fn from_json(json: &[u8], place: &str) -> Result<Vec<TopicSettings>> {
    let rows: Vec<Row> = DOCUMENT.read(json, place)?;
    let rows = rows.into_iter();
    let kept = |row: Row| TopicSettings {
        compacts: Some(row.compacted),
        ..TopicSettings::of(row.name.into())
    };
    Ok(rows.map(kept).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_back_as_they_were_written() {
        let kept = |name: &str, compacts| TopicSettings {
            compacts,
            ..TopicSettings::of(name.into())
        };
        let mut all = vec![
            kept("a\u{1b}", Some(true)),
            kept("b", Some(false)),
            kept("untold", None),
        ];
        let json = to_json(&all).unwrap();
        all.pop();
        assert_eq!(from_json(&json, "x.mcap").unwrap(), all);
    }
}
