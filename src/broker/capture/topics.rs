//! How the topics of a capture were kept by their broker, as an attachment: whether a cleaner took
//! all but the newest event of a key. Without it, what the cleaner took looks like a gap.

use serde::{Deserialize, Serialize};

use super::document::Kind;
use crate::broker::{Compacted, Result};

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
pub(super) fn to_json(topics: &Compacted) -> Result<Vec<u8>> {
    let row = |(name, compacted): &(std::sync::Arc<str>, bool)| Row {
        name: name.to_string(),
        compacted: *compacted,
    };
    DOCUMENT.write(&topics.iter().map(row).collect::<Vec<_>>())
}

/// Reads a document; `place` is named when it is none.
pub(super) fn from_json(json: &[u8], place: &str) -> Result<Compacted> {
    let rows: Vec<Row> = DOCUMENT.read(json, place)?;
    let rows = rows.into_iter();
    Ok(rows.map(|row| (row.name.into(), row.compacted)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn topics_are_read_back_as_they_were_written() {
        let all: Compacted = vec![("a\u{1b}".into(), true), ("b".into(), false)];
        let json = to_json(&all).unwrap();
        assert_eq!(from_json(&json, "x.mcap").unwrap(), all);
    }
}
