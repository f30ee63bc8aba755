//! One partition of a recording: which events go together into a record batch. Batches that came
//! from the source with their headers are kept apart, so that producers, sequences and
//! transactions survive; all others are cut by size and time.

use std::io::Write as _;
use std::time::{Duration, Instant};

use super::layout::{BATCH_LIMIT, EVENT_LIMIT, POSITION_HEADER};
use crate::broker::{Error, ErrorKind, Result};
use crate::event::codec::{BatchOptions, CodecError, Encoder, Record, control_batch};
use crate::event::{
    BATCH_BYTES, BATCH_EVENTS, BatchMeta, Compression, EventRef, HeaderBuf, Position,
    PositionStyle, TimestampType, Visibility,
};

/// A batch closes when it is older.
const AGE: Duration = Duration::from_secs(1);

/// A batch of the source is kept whole up to this many bytes.
const WHOLE: usize = 8 * 1024 * 1024;

/// The longest position: two 64-bit numbers and a dash.
const POSITION_TEXT: usize = 41;

const COMPRESSION: Compression = if cfg!(feature = "zstd") {
    Compression::Zstd
} else {
    Compression::Lz4
};

/// A record batch that is done.
pub(super) struct Done<'a> {
    pub(super) bytes: &'a [u8],
    /// It stands on the channel of broker timestamps that differ from event to event.
    pub(super) appended: bool,
    /// The batch of the source that it is (a part of).
    pub(super) meta: Option<BatchMeta>,
    /// First position and the one after the last, where they are no offsets.
    pub(super) positions: Option<(Position, Position)>,
}

/// What takes the batches; `None` of its own.
pub(super) type Write<'w> = &'w mut dyn FnMut(Done<'_>) -> Result<()>;

/// The batch that is being filled.
pub(super) struct Group {
    style: PositionStyle,
    encoder: Encoder,
    /// Its source's batch; the events of one source batch may come in parts.
    meta: Option<BatchMeta>,
    appended: bool,
    base: u64,
    last: Option<u64>,
    positions: Option<(Position, Position)>,
    opened: Instant,
    /// The number of the next event, where positions are no offsets.
    running: u64,
    bytes: Vec<u8>,
    headers: HeaderBuf,
}

impl Group {
    pub(super) fn new(style: PositionStyle) -> Self {
        Self {
            style,
            encoder: Encoder::new(),
            meta: None,
            appended: false,
            base: 0,
            last: None,
            positions: None,
            opened: Instant::now(),
            running: 0,
            bytes: Vec::new(),
            headers: HeaderBuf::default(),
        }
    }

    /// Bytes that wait here.
    pub(super) const fn waiting(&self) -> usize {
        self.encoder.bytes()
    }

    pub(super) fn is_old(&self, now: Instant) -> bool {
        self.last.is_some() && now.duration_since(self.opened) >= AGE
    }

    /// A batch of the source begins: its events follow, or there are none.
    pub(super) fn source_batch(&mut self, meta: &BatchMeta, write: Write<'_>) -> Result<()> {
        if self.style == PositionStyle::Entry || self.is_of(meta) {
            return Ok(());
        }
        self.end(write)?;
        if let Visibility::Control(marker) = meta.visibility {
            self.bytes.clear();
            let (id, epoch) = (meta.producer_id, meta.producer_epoch);
            let (offset, time) = (meta.base_offset, meta.max_timestamp);
            control_batch(offset, time, id, epoch, marker, &mut self.bytes);
            return write(Done {
                bytes: &self.bytes,
                appended: false,
                meta: Some(*meta),
                positions: None,
            });
        }
        self.meta = Some(*meta);
        self.base = meta.base_offset;
        self.begin();
        Ok(())
    }

    /// Writes a batch of the source as it came. What waits here came before it.
    pub(super) fn whole(&mut self, meta: &BatchMeta, bytes: &[u8], write: Write<'_>) -> Result<()> {
        debug_assert!(self.style == PositionStyle::Offset);
        self.end(write)?;
        if bytes.len() > BATCH_LIMIT {
            return Err(Error::new(
                ErrorKind::Unsupported,
                format!(
                    "the record batch at offset {} is larger than 258 MiB",
                    meta.base_offset
                ),
            )
            .hint("a capture takes no larger ones"));
        }
        write(Done {
            bytes,
            appended: false,
            meta: Some(*meta),
            positions: None,
        })
    }

    fn is_of(&self, meta: &BatchMeta) -> bool {
        self.meta.is_some_and(|own| {
            BatchMeta {
                stream: meta.stream,
                ..own
            } == *meta
        })
    }

    /// Adds an event. Events of a source batch come after `source_batch` said so.
    pub(super) fn push(&mut self, event: &EventRef<'_>, write: Write<'_>) -> Result<()> {
        if event.size() > EVENT_LIMIT {
            return Err(too_large(event));
        }
        let offset = match self.style {
            PositionStyle::Offset => event.position.major,
            PositionStyle::Entry => self.running,
        };
        if !self.encoder.is_empty() && self.encoder.bytes() + event.size() > self.limit() {
            self.cut(write)?;
        }
        if !self.takes(event, offset) {
            self.end(write)?;
            self.meta = None;
            self.base = offset;
            self.appended = event.timestamp_type == TimestampType::Append;
            self.begin();
        }
        self.add(event, offset)?;
        self.running = self.running.wrapping_add(1);
        let full = self.meta.is_none() && self.encoder.len() >= BATCH_EVENTS;
        if full || self.encoder.bytes() >= self.limit() {
            self.cut(write)?;
        }
        Ok(())
    }

    const fn limit(&self) -> usize {
        match self.meta {
            Some(_) => WHOLE,
            None => BATCH_BYTES,
        }
    }

    /// Whether the event belongs into the open batch.
    fn takes(&self, event: &EventRef<'_>, offset: u64) -> bool {
        let after = self.last.map_or(offset >= self.base, |last| offset > last);
        let reach = offset.checked_sub(self.base);
        let fits = after && reach.is_some_and(|delta| delta < i32::MAX as u64);
        match (&self.meta, event.meta) {
            (Some(own), Some(_)) => {
                let same_time = own.timestamp_type != TimestampType::Append
                    || event.timestamp == own.max_timestamp;
                fits && same_time && offset < own.next_offset()
            }
            (None, _) => {
                let appended = event.timestamp_type == TimestampType::Append;
                fits && self.last.is_some() && appended == self.appended
            }
            (Some(_), None) => false,
        }
    }

    fn begin(&mut self) {
        let options = match &self.meta {
            Some(meta) => {
                self.appended = false;
                BatchOptions {
                    compression: COMPRESSION,
                    timestamp_type: meta.timestamp_type,
                    transactional: meta.transactional,
                    producer_id: meta.producer_id,
                    producer_epoch: meta.producer_epoch,
                    base_sequence: sequence(meta, self.base),
                    leader_epoch: meta.leader_epoch,
                }
            }
            None => BatchOptions {
                compression: COMPRESSION,
                ..BatchOptions::default()
            },
        };
        self.encoder.begin(self.base, &options);
        self.last = None;
        self.positions = None;
    }

    fn add(&mut self, event: &EventRef<'_>, offset: u64) -> Result<()> {
        let headers = match self.style {
            PositionStyle::Offset => event.headers,
            PositionStyle::Entry => {
                let mut text = [0; POSITION_TEXT];
                let mut rest = &mut text[..];
                let written = write!(rest, "{}", event.position.display(self.style));
                debug_assert!(written.is_ok());
                let left = rest.len();
                self.headers.clear();
                self.headers.extend(event.headers);
                self.headers
                    .push(POSITION_HEADER, Some(&text[..POSITION_TEXT - left]));
                self.headers.as_headers()
            }
        };
        let record = Record {
            offset,
            timestamp: event.timestamp,
            timestamp_type: event.timestamp_type,
            key: event.key,
            value: event.value,
            headers,
        };
        self.encoder
            .push(&record)
            .map_err(|error| unfit(event, &error))?;
        if self.last.is_none() {
            self.opened = Instant::now();
        }
        self.last = Some(offset);
        if self.style == PositionStyle::Entry {
            let (first, _) = self.positions.unwrap_or((event.position, event.position));
            self.positions = Some((first, event.position.next(self.style)));
        }
        Ok(())
    }

    /// Writes what is there; more events of the same source batch may follow.
    pub(super) fn cut(&mut self, write: Write<'_>) -> Result<()> {
        let Some(last) = self.last else {
            return Ok(());
        };
        self.write(last, write)?;
        self.base = last.saturating_add(1);
        self.begin();
        Ok(())
    }

    /// Writes what is there, and what the source's batch covers beyond it.
    pub(super) fn end(&mut self, write: Write<'_>) -> Result<()> {
        let covered = match &self.meta {
            Some(meta) => meta
                .next_offset()
                .checked_sub(1)
                .filter(|l| *l >= self.base),
            None => None,
        };
        if let Some(last) = covered.or(self.last) {
            self.write(last, write)?;
        }
        self.meta = None;
        self.last = None;
        Ok(())
    }

    fn write(&mut self, last: u64, write: Write<'_>) -> Result<()> {
        self.bytes.clear();
        self.encoder
            .finish(Some(last), &mut self.bytes)
            .map_err(|error| Error::new(ErrorKind::Unsupported, error.to_string()))?;
        write(Done {
            bytes: &self.bytes,
            appended: self.appended,
            meta: self.meta,
            positions: self.positions,
        })
    }
}

/// The sequence number that the event at `offset` had, in the batch or a part of it: they count
/// with the offsets, and wrap at 2^31.
fn sequence(meta: &BatchMeta, offset: u64) -> i32 {
    if meta.base_sequence < 0 {
        return meta.base_sequence;
    }
    let ahead = offset.wrapping_sub(meta.base_offset) as u32;
    let sum = meta.base_sequence.cast_unsigned().wrapping_add(ahead);
    (sum & i32::MAX.cast_unsigned()).cast_signed()
}

fn place(event: &EventRef<'_>) -> String {
    let position = event.position.display(event.stream.style);
    format!(
        "{}/{}@{position}",
        event.stream.topic, event.stream.partition
    )
}

fn too_large(event: &EventRef<'_>) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("the event {} is larger than 256 MiB", place(event)),
    )
    .hint("a capture takes no larger ones: leave it out")
}

fn unfit(event: &EventRef<'_>, error: &CodecError) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!(
            "the event {} does not fit into a capture: {error}",
            place(event)
        ),
    )
}
