//! The file: lines of text, each with its CRC-32C, stored before the next event is sent. Whatever
//! a crash makes of its end, the lines before that hold. Kept small by writing it anew.

use std::fmt::Write as _;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use crate::broker::exact::Progress;
use crate::broker::{Error, ErrorKind, Result};
use crate::event::codec::checksum;
use crate::event::{Position, PositionStyle};
use crate::replay::PartitionEnd;
use crate::replay::lock::{locked, open};

const NAME: &str = "journal";
/// Written anew when it is longer than this and most of it is outdated.
const REWRITE_BYTES: u64 = 1 << 20;
/// A longer file is none of ours.
const MOST_BYTES: u64 = 1 << 30;

/// What a journal says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct State {
    /// One a partition of the sources.
    pub progress: Vec<Option<Progress>>,
    /// Where the target's partitions ended when that was stored.
    pub ends: Option<Vec<PartitionEnd>>,
}

pub(super) struct Journal {
    path: PathBuf,
    file: File,
    /// Held as long as this lives: two processes must not write one plan's copies.
    _lock: File,
    head: String,
    state: State,
    bytes: u64,
    /// What the last rewriting came to.
    compact: u64,
}

impl Journal {
    /// Opens the journal of a plan in the folder of its runs, or begins one. A torn end is cut.
    pub(super) fn open(folder: &Path, plan: &str, units: usize) -> Result<Self> {
        let path = folder.join(NAME);
        let failed = |error: &std::io::Error| cannot("open", &path, error);
        let lock = locked(&folder.join("journal.lock")).map_err(|error| failed(&error))?;
        let lock = lock.ok_or_else(taken)?;
        let mut file = open(&path).map_err(|error| failed(&error))?;
        let mut text = Vec::new();
        let read = (&file).take(MOST_BYTES).read_to_end(&mut text);
        read.map_err(|error| failed(&error))?;
        let head = format!("evtap-journal 1 {plan} {units}");
        let (state, kept) = replayed(&text, &head, units, &path)?;
        let mut journal = Self {
            head,
            state,
            bytes: kept,
            compact: 0,
            _lock: lock,
            path: path.clone(),
            file: {
                let cut = file.set_len(kept);
                cut.and_then(|()| file.seek(SeekFrom::Start(kept)))
                    .map_err(|error| failed(&error))?;
                file
            },
        };
        if kept == 0 {
            let head = line(&journal.head);
            journal.store(&head)?;
        }
        Ok(journal)
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// Stores how far these partitions are, and where the target ends now.
    pub(super) fn append(
        &mut self,
        moved: &[(usize, Progress)],
        ends: Vec<PartitionEnd>,
    ) -> Result<()> {
        let mut state = self.state.clone();
        for (unit, progress) in moved {
            if let Some(place) = state.progress.get_mut(*unit) {
                *place = Some(progress.clone());
            }
        }
        let moved = moved.iter().map(|(unit, progress)| (*unit, progress));
        let text = line(&record(moved, &ends));
        state.ends = Some(ends);
        self.store(&text)?;
        self.state = state;
        if self.bytes > REWRITE_BYTES.max(2 * self.compact) {
            self.rewrite()?;
        }
        Ok(())
    }

    /// In full, or not at all as far as the next start is concerned.
    fn store(&mut self, text: &str) -> Result<()> {
        let written = self.file.write_all(text.as_bytes());
        let stored = written.and_then(|()| self.file.sync_data());
        if let Err(error) = stored {
            // Half a line is passed over when it is read, too.
            if let Err(error) = self.file.set_len(self.bytes) {
                tracing::warn!("cannot cut the journal: {error}");
            }
            return Err(cannot("write", &self.path, &error));
        }
        self.bytes += text.len() as u64;
        Ok(())
    }

    fn rewrite(&mut self) -> Result<()> {
        let units = self.state.progress.iter().enumerate();
        let known = units.filter_map(|(unit, progress)| Some((unit, progress.as_ref()?)));
        let ends = self.state.ends.clone().unwrap_or_default();
        let text = line(&self.head) + &line(&record(known, &ends));
        let path = self.path.with_extension("new");
        let written = || {
            let mut file = open(&path)?;
            file.set_len(0)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&path, &self.path)?;
            if let Some(folder) = self.path.parent() {
                File::open(folder)?.sync_all()?;
            }
            Ok(file)
        };
        self.file = written().map_err(|error| cannot("write", &self.path, &error))?;
        self.bytes = text.len() as u64;
        self.compact = self.bytes;
        Ok(())
    }
}

fn line(text: &str) -> String {
    format!("{:08x} {text}\n", checksum(text.as_bytes()))
}

/// Five words each: `u UNIT MAJOR MINOR =NOTE` and `e PARTITION STYLE MAJOR MINOR`.
fn record<'a>(units: impl Iterator<Item = (usize, &'a Progress)>, ends: &[PartitionEnd]) -> String {
    let mut text = String::new();
    for (unit, Progress { next, note }) in units {
        let written = write!(text, "u {unit} {} {} ={note} ", next.major, next.minor);
        debug_assert!(written.is_ok(), "writing into a String does not fail");
    }
    for PartitionEnd {
        partition,
        style,
        end,
    } in ends
    {
        let style = match style {
            PositionStyle::Offset => "offset",
            PositionStyle::Entry => "entry",
        };
        let written = write!(text, "e {partition} {style} {} {} ", end.major, end.minor);
        debug_assert!(written.is_ok(), "writing into a String does not fail");
    }
    text.truncate(text.trim_end().len());
    text
}

/// What the lines add up to, and how many bytes of them hold.
fn replayed(text: &[u8], head: &str, units: usize, path: &Path) -> Result<(State, u64)> {
    let mut state = State {
        progress: vec![None; units],
        ends: None,
    };
    let mut kept = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let Some(body) = checked(line) else { break };
        if kept == 0 {
            if body != head {
                return Err(Error::new(
                    ErrorKind::File,
                    format!("{} is the journal of something else", path.display()),
                )
                .hint("move it away; then the whole target is read back"));
            }
        } else if take(&mut state, body).is_none() {
            break;
        }
        kept += line.len() as u64;
    }
    Ok((state, kept))
}

/// The text of a whole line, if it is what was written.
fn checked(line: &[u8]) -> Option<&str> {
    let text = str::from_utf8(line).ok()?.strip_suffix('\n')?;
    let (crc, body) = text.split_once(' ')?;
    let crc = u32::from_str_radix(crc, 16).ok()?;
    (crc == checksum(body.as_bytes())).then_some(body)
}

fn take(state: &mut State, body: &str) -> Option<()> {
    let mut words = body.split(' ');
    let mut ends = Vec::new();
    while let Some(kind) = words.next().filter(|word| !word.is_empty()) {
        let mut next = || words.next();
        let (one, two, three, four) = (next()?, next()?, next()?, next()?);
        match kind {
            "u" => {
                let place = state.progress.get_mut(one.parse::<usize>().ok()?)?;
                *place = Some(Progress {
                    next: position(two, three)?,
                    note: four.strip_prefix('=')?.to_owned(),
                });
            }
            "e" => ends.push(PartitionEnd {
                partition: one.parse().ok()?,
                style: match two {
                    "offset" => PositionStyle::Offset,
                    "entry" => PositionStyle::Entry,
                    _ => return None,
                },
                end: position(three, four)?,
            }),
            _ => return None,
        }
    }
    state.ends = Some(ends);
    Some(())
}

fn position(major: &str, minor: &str) -> Option<Position> {
    Some(Position {
        major: major.parse().ok()?,
        minor: minor.parse().ok()?,
    })
}

fn cannot(what: &str, path: &Path, error: &std::io::Error) -> Error {
    Error::new(
        ErrorKind::File,
        format!("cannot {what} the journal {}: {error}", path.display()),
    )
    .hint("see to it, and apply the plan again: it goes on, and writes nothing twice")
}

fn taken() -> Error {
    Error::new(
        ErrorKind::Refused,
        "guard journal: another process of this host runs the plan, and only a target with \
         transactions can be shared",
    )
    .hint("wait for it, or end it")
}
