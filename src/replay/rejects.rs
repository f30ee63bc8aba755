//! The file of what was not written to the target: JSON lines, made when the first event is
//! rejected. A run that goes on where another ended adds what is not in it yet.

use std::collections::HashMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::alter::Record;
use crate::broker::{Error, ErrorKind, Result};
use crate::event::{Position, PositionStyle};

/// A file that is written, or will be.
pub struct Rejects {
    path: PathBuf,
    file: Option<File>,
    /// By `PLACE/TOPIC/PARTITION/` the last that is in the file. One run takes the events of a
    /// partition in their order, so what is before it is there, too.
    last: HashMap<Vec<u8>, Position>,
    unstored: bool,
}

#[derive(Deserialize)]
struct Line {
    reject: Reject,
}

#[derive(Deserialize)]
struct Reject {
    plan: String,
    source: String,
}

impl Rejects {
    /// The name that a plan's file has where nobody names one.
    pub fn name_for(plan: &str) -> String {
        format!("rejects-{plan}.jsonl")
    }

    /// For the run of this plan. A file that is there must be one of the same plan: it is added
    /// to.
    pub fn open(path: &Path, plan: &str) -> Result<Self> {
        let mut rejects = Self {
            path: path.to_owned(),
            file: None,
            last: HashMap::new(),
            unstored: false,
        };
        if path.exists() {
            rejects.file = Some(rejects.resume(plan)?);
        } else if let Some(folder) = path.parent()
            && !folder.as_os_str().is_empty()
            && !folder.is_dir()
        {
            return Err(rejects.failed("write", &"its folder is not there"));
        }
        Ok(rejects)
    }

    fn failed(&self, what: &str, why: &dyn std::fmt::Display) -> Error {
        Error::new(
            ErrorKind::File,
            format!("cannot {what} the rejects {}: {why}", self.path.display()),
        )
        .hint("name another file: --rejects FILE")
    }

    /// Reads what is there, and cuts off a line that was not written to its end.
    fn resume(&mut self, plan: &str) -> Result<File> {
        let mut options = File::options();
        let file = options.read(true).write(true).open(&self.path);
        let mut file = file.map_err(|e| self.failed("open", &e))?;
        let mut lines = BufReader::new(&file);
        let (mut line, mut whole) = (Vec::new(), 0u64);
        loop {
            line.clear();
            let read = lines.read_until(b'\n', &mut line);
            let read = read.map_err(|e| self.failed("read", &e))?;
            if read == 0 || line.last() != Some(&b'\n') {
                break;
            }
            whole += read as u64;
            self.note(&line, plan)?;
        }
        let cut = file.set_len(whole);
        let cut = cut.and_then(|()| file.seek(SeekFrom::Start(whole)));
        cut.map_err(|e| self.failed("write", &e))?;
        Ok(file)
    }

    fn note(&mut self, line: &[u8], plan: &str) -> Result<()> {
        let Ok(Line { reject }) = serde_json::from_slice(line) else {
            return Err(self.failed("add to", &"it is there, and something else"));
        };
        if reject.plan != plan {
            let why = format!("it is there, and of the plan {}", reject.plan);
            return Err(self.failed("add to", &why));
        }
        let place = reject.source.rsplit_once('/');
        let position = place.and_then(|(_, text)| {
            Position::parse(text, PositionStyle::Offset)
                .or_else(|| Position::parse(text, PositionStyle::Entry))
        });
        if let (Some((place, _)), Some(position)) = (place, position) {
            let place = format!("{place}/").into_bytes();
            let last = self.last.entry(place).or_insert(position);
            *last = position.max(*last);
        }
        Ok(())
    }

    /// Writes what is in the record and not in the file, and empties the record.
    pub(super) fn keep(&mut self, record: &mut Record) -> Result<()> {
        let mut start = 0;
        for (end, place, position) in record.ends.drain(..) {
            let line = record.lines.get(start..end).unwrap_or_default();
            start = end;
            if self.last.get(&place).is_some_and(|last| position <= *last) {
                continue;
            }
            if self.file.is_none() {
                let made = File::create_new(&self.path);
                self.file = Some(made.map_err(|e| self.failed("write", &e))?);
            }
            if let Some(file) = &mut self.file {
                let written = file.write_all(line);
                written.map_err(|e| self.failed("write", &e))?;
            }
            self.unstored = true;
            self.last.insert(place, position);
        }
        record.clear();
        Ok(())
    }

    /// What was written survives a power cut.
    pub(super) fn store(&mut self) -> Result<()> {
        if let (true, Some(file)) = (self.unstored, &self.file) {
            file.sync_data().map_err(|e| self.failed("store", &e))?;
            self.unstored = false;
        }
        Ok(())
    }

    /// Where it is, if there is one.
    pub(super) fn file(self) -> Option<PathBuf> {
        self.file.is_some().then_some(self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::Skip;
    use crate::replay::alter::Rejected;
    use crate::replay::fake::{batch, event, streams};

    fn record(offsets: &[u64], partition: u32) -> Record {
        let events: Vec<_> = offsets.iter().map(|o| event(partition, *o)).collect();
        let input = batch(&streams(), &events);
        let mut record = Record::default();
        let place = format!("kafka://h/orders/{partition}/");
        for event in input.iter() {
            let rejected = Rejected {
                skip: Skip::Invalid,
                reason: "\u{1b} no".to_owned(),
                event: Some(event),
            };
            record.push("p1", place.as_bytes(), &event, &rejected);
        }
        record
    }

    fn lines(path: &Path) -> Vec<serde_json::Value> {
        let text = std::fs::read_to_string(path).unwrap();
        assert!(!text.contains(crate::text::is_hostile) || text.contains('\n'));
        let lines = text.lines().map(|l| serde_json::from_str(l).unwrap());
        lines.collect()
    }

    #[test]
    fn a_run_that_goes_on_repeats_no_reject() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rejects.jsonl");
        let mut first = Rejects::open(&path, "p1").unwrap();
        assert!(!path.exists(), "a file without a reject");
        first.keep(&mut record(&[3, 5], 0)).unwrap();
        first.keep(&mut record(&[4], 1)).unwrap();
        drop(first);
        // Killed while it wrote a line.
        let mut torn = File::options().append(true).open(&path).unwrap();
        torn.write_all(b"{\"topic\":\"ord").unwrap();
        let mut second = Rejects::open(&path, "p1").unwrap();
        second.keep(&mut record(&[5, 7], 0)).unwrap();
        second.keep(&mut record(&[4, 5], 1)).unwrap();
        second.store().unwrap();
        let sources: Vec<_> = lines(&path)
            .iter()
            .map(|l| l["reject"]["source"].as_str().unwrap().to_owned())
            .collect();
        assert_eq!(
            sources,
            ["0/3", "0/5", "1/4", "0/7", "1/5"].map(|s| format!("kafka://h/orders/{s}"))
        );
        let first = &lines(&path)[0];
        assert_eq!(
            (&first["value"], &first["reject"]["why"]),
            (&"v".into(), &"schema".into())
        );
    }

    #[test]
    fn a_file_of_something_else_is_left_alone() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("rejects.jsonl");
        Rejects::open(&path, "p1")
            .unwrap()
            .keep(&mut record(&[3], 0))
            .unwrap();
        let before = std::fs::read(&path).unwrap();
        let error = Rejects::open(&path, "p2").err().unwrap();
        assert!(error.message.contains("of the plan p1"), "{error}");
        assert_eq!(std::fs::read(&path).unwrap(), before);
        std::fs::write(&path, "a diary\n").unwrap();
        assert!(Rejects::open(&path, "p1").is_err());
        assert_eq!(std::fs::read(&path).unwrap(), b"a diary\n");
    }
}
