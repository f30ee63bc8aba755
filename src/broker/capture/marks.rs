//! Marks as a JSON document: an attachment of a capture that is being written, and a file beside
//! one that is there already.
//!
//! Marks that are added later go into `NAME.mcap.marks.json` and not into the capture itself. To
//! put an attachment into a finished MCAP file is to write its index anew, in place, where a kill
//! leaves a file without one, or into a copy of what may be many gigabytes, for a line of text.
//! The capture may also be evidence that must keep its checksum, lie on a disk that others only
//! read, or still be growing. The file beside it is small, is written aside and renamed, so that it
//! is the old one or the new one and never a part, and the capture is not touched at all. It holds
//! all marks and comes before the attachment. A new recording of the same name begins without it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::document::{Kind, LIMIT};
use super::file;
use crate::broker::{Mark, Result};
use crate::event::{Position, PositionStyle, Timestamp};

/// The name of the attachment, and how the name of the file beside a capture ends.
pub(super) const NAME: &str = "evtap.marks.json";
pub(super) const MEDIA_TYPE: &str = "application/json";
const BESIDE: &str = ".marks.json";

const DOCUMENT: Kind = Kind {
    list: "marks",
    what: "the marks",
};

#[derive(Serialize, Deserialize)]
struct Row {
    topic: String,
    partition: u32,
    position: String,
    /// `offset` or `entry`.
    style: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    letter: Option<char>,
    #[serde(default)]
    note: String,
    /// Milliseconds since the epoch.
    time: i64,
}

impl Row {
    fn of(mark: &Mark) -> Self {
        let style = match mark.style {
            PositionStyle::Offset => "offset",
            PositionStyle::Entry => "entry",
        };
        Self {
            topic: mark.topic.to_string(),
            partition: mark.partition,
            position: mark.position.display(mark.style).to_string(),
            style: style.to_owned(),
            letter: mark.letter,
            note: mark.note.clone(),
            time: mark.time.0,
        }
    }

    fn mark(self) -> Result<Mark, String> {
        let style = match self.style.as_str() {
            "offset" => PositionStyle::Offset,
            "entry" => PositionStyle::Entry,
            other => return Err(format!("'{other}' is no style of positions")),
        };
        let position = Position::parse(&self.position, style)
            .ok_or_else(|| format!("'{}' is no position", self.position))?;
        Ok(Mark {
            topic: self.topic.into(),
            partition: self.partition,
            style,
            position,
            letter: self.letter,
            note: self.note,
            time: Timestamp(self.time),
        })
    }
}

/// The document.
pub(super) fn to_json(marks: &[Mark]) -> Result<Vec<u8>> {
    DOCUMENT
        .write(&marks.iter().map(Row::of).collect::<Vec<_>>())
        .map_err(|error| error.hint("write shorter notes, or fewer"))
}

/// Reads a document; `place` is named when it is none.
pub(super) fn from_json(json: &[u8], place: &str) -> Result<Vec<Mark>> {
    let rows: Vec<Row> = DOCUMENT.read(json, place)?;
    rows.into_iter()
        .map(|row| row.mark().map_err(|why| DOCUMENT.damaged(place, &why)))
        .collect()
}

/// The file beside a capture.
pub(super) fn beside(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(BESIDE);
    PathBuf::from(name)
}

/// What the file beside a capture says; `None` when there is none.
pub(super) fn read(path: &Path) -> Result<Option<Vec<Mark>>> {
    let path = beside(path);
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(file::unreadable(&path, &error)),
    };
    let mut json = Vec::new();
    file.take(LIMIT as u64 + 1)
        .read_to_end(&mut json)
        .map_err(|error| file::unreadable(&path, &error))?;
    let place = path.display().to_string();
    if json.len() > LIMIT {
        return Err(DOCUMENT.damaged(&place, "they take more than 16 MiB"));
    }
    from_json(&json, &place).map(Some)
}

/// Writes the file beside a capture: all of it, or the old one stays.
pub(super) fn write(path: &Path, marks: &[Mark]) -> Result<()> {
    let json = to_json(marks)?;
    let path = beside(path);
    let fail = |error: io::Error| file::unwritable(&path, &error);
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    let mut builder = tempfile::Builder::new();
    // What others may read of a new file is the user's own choice (umask).
    #[cfg(unix)]
    let readable = std::os::unix::fs::PermissionsExt::from_mode(0o666);
    #[cfg(unix)]
    builder.permissions(readable);
    let mut aside = builder
        .prefix(".evtap-marks-")
        .tempfile_in(folder)
        .map_err(fail)?;
    aside.write_all(&json).map_err(fail)?;
    aside.as_file().sync_all().map_err(fail)?;
    aside.persist(&path).map_err(|error| fail(error.error))?;
    Ok(())
}

/// A new recording has nothing to do with the marks of one that had its name.
pub(super) fn forget(path: &Path) -> Result<()> {
    let path = beside(path);
    match std::fs::remove_file(&path) {
        Ok(()) => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(file::unwritable(&path, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::ErrorKind;

    fn mark(note: &str) -> Mark {
        Mark {
            topic: "orders/é\u{1b}[2J".into(),
            partition: 7,
            style: PositionStyle::Entry,
            position: Position {
                major: 1_692_100_000_000,
                minor: 3,
            },
            letter: Some('a'),
            note: note.to_owned(),
            time: Timestamp(-5),
        }
    }

    #[test]
    fn marks_are_read_as_they_were_written() {
        let hostile = "\u{1b}]0;x\u{7}\n\"\\\u{202e}\u{0} ]}";
        let mut marks = vec![mark(hostile), mark("")];
        marks[1].letter = None;
        marks[1].style = PositionStyle::Offset;
        marks[1].position = Position::offset(u64::MAX);
        let json = to_json(&marks).unwrap();
        assert_eq!(from_json(&json, "x").unwrap(), marks);
        assert_eq!(from_json(&to_json(&[]).unwrap(), "x").unwrap(), []);
    }

    #[test]
    fn a_document_that_makes_no_sense_is_an_error_with_its_place() {
        let deep = "[".repeat(100_000);
        for json in [
            "",
            "{}",
            "[]",
            "{\"version\":1}",
            "{\"version\":1,\"marks\":{}}",
            "{\"version\":1,\"marks\":[{}]}",
            "{\"version\":1,\"marks\":[{\"topic\":\"t\",\"partition\":0,\"position\":\"x\",\
             \"style\":\"offset\",\"time\":0}]}",
            "{\"version\":1,\"marks\":[{\"topic\":\"t\",\"partition\":0,\"position\":\"1\",\
             \"style\":\"other\",\"time\":0}]}",
            &deep,
        ] {
            let error = from_json(json.as_bytes(), "a.mcap").unwrap_err();
            assert_eq!(error.kind, ErrorKind::Damaged);
            assert!(error.message.contains("a.mcap"), "{error}");
        }
        let later = br#"{"version":2,"marks":{"other":1}}"#;
        let error = from_json(later, "a.mcap").unwrap_err();
        assert!(error.message.contains("version 2"), "{error}");
    }

    #[test]
    fn fields_that_a_later_version_adds_are_passed_over() {
        let json = br#"{"version":1,"made":"x","marks":[{"topic":"t","partition":0,"position":"5",
            "style":"offset","colour":[1,{}],"time":9}]}"#;
        let marks = from_json(json, "x").unwrap();
        assert_eq!((marks.len(), marks[0].position.major), (1, 5));
        assert_eq!((marks[0].letter, marks[0].note.as_str()), (None, ""));
    }

    #[test]
    fn the_file_beside_is_replaced_as_a_whole() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("a.mcap");
        assert_eq!(read(&path).unwrap(), None);
        write(&path, &[mark("one")]).unwrap();
        write(&path, &[mark("two"), mark("three")]).unwrap();
        assert_eq!(read(&path).unwrap().unwrap().len(), 2);
        let names: Vec<_> = std::fs::read_dir(dir.path()).unwrap().collect();
        assert_eq!(names.len(), 1, "nothing else is left behind");
        let too_long = [mark(&"x".repeat(LIMIT))];
        assert_eq!(
            write(&path, &too_long).unwrap_err().kind,
            ErrorKind::Unsupported
        );
        assert_eq!(read(&path).unwrap().unwrap().len(), 2);
        forget(&path).unwrap();
        forget(&path).unwrap();
        assert_eq!(read(&path).unwrap(), None);
        let nowhere = dir.path().join("no/a.mcap");
        assert_eq!(write(&nowhere, &[]).unwrap_err().kind, ErrorKind::File);
    }
}
