//! What all tasks of a source share, and how records get from a connection into chunks.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use kafka_protocol::protocol::StrBytes;
use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::sync::mpsc;

use super::super::super::error::Failure;
use super::super::connection::Connection;
use super::super::settings::Settings;
use super::super::wire::garbled;
use super::aborted::Aborted;
use super::answer::PartitionHead;
use super::chunk::{Buffers, CHUNK, Chunk, Piece};
use super::gate::{Gate, Gone, Item};
use super::lane::{Lane, Orphan, Why};
use crate::event::codec::{BatchHeader, CodecError, Decoder};
use crate::event::{Streams, Visibility};

/// A control batch holds one small record.
const CONTROL: usize = 64 * 1024;

/// How the brokers are to be asked, as far as the user says it.
pub(super) struct Wishes {
    pub(super) committed_only: bool,
    /// How long a broker waits for something new.
    pub(super) wait: Duration,
    pub(super) min_bytes: i32,
    /// Of one partition; `None` finds its own measure.
    pub(super) partition_bytes: Option<usize>,
    /// Of one answer.
    pub(super) max_bytes: Option<usize>,
    pub(super) rack: Option<StrBytes>,
}

/// How long a broker waits for something new, unless the user says otherwise.
const WAIT: Duration = Duration::from_millis(500);

impl Wishes {
    pub(super) fn of(settings: &Settings) -> Self {
        let bytes = |bytes: Option<u32>| bytes.map(|b| b.min(i32::MAX as u32) as usize);
        let fetch = &settings.fetch;
        Self {
            committed_only: settings.committed_only,
            wait: fetch.wait.unwrap_or(WAIT),
            min_bytes: fetch
                .min_bytes
                .map_or(1, |b| i32::try_from(b).unwrap_or(i32::MAX)),
            partition_bytes: bytes(fetch.partition_bytes),
            max_bytes: bytes(fetch.max_bytes),
            rack: settings.rack.clone().map(StrBytes::from_string),
        }
    }
}

/// One source's tasks meet here.
pub(super) struct Shared {
    pub(super) wishes: Wishes,
    pub(super) gate: Gate,
    pub(super) buffers: Arc<Buffers>,
    pub(super) streams: RwLock<Streams>,
    /// Lanes that are still read.
    pub(super) open: AtomicUsize,
    /// A lane had to be mended.
    pub(super) disturbed: Arc<AtomicBool>,
    pub(super) orphans: mpsc::Sender<Orphan>,
}

impl Shared {
    /// Gives a lane to the steward.
    pub(super) async fn orphan(&self, lane: Lane, why: Why) {
        // When the steward is gone the whole source is.
        drop(self.orphans.send(Orphan { lane, why }).await);
    }

    /// A lane is at its end; with the last one the source is.
    pub(super) async fn done(&self) {
        if self.open.fetch_sub(1, Ordering::AcqRel) == 1 {
            self.gate.close(Item::End).await;
        }
    }

    pub(super) fn streams(&self) -> Streams {
        let streams = self.streams.read();
        Arc::clone(&streams.unwrap_or_else(PoisonError::into_inner))
    }

    /// Takes the records of one partition off the connection, and hands them on in chunks. The lane
    /// stands after the last batch that was handed on, also after a failure.
    pub(super) async fn take(
        &self,
        connection: &mut Connection,
        lane: &mut Lane,
        head: PartitionHead,
    ) -> Result<(), Failure> {
        let mut loader = Loader {
            shared: self,
            aborted: Aborted::new(head.aborted),
            chunk: None,
            reached: lane.next,
            epoch: lane.last_epoch,
        };
        let taken = loader.records(connection, lane, head.records).await;
        let passed = loader.hand_on(lane).await;
        taken.and(passed.map_err(|Gone| Failure::new(Code::Fail, "the source is gone")))
    }
}

/// Fills chunks with the batches of one answer.
struct Loader<'s> {
    shared: &'s Shared,
    aborted: Aborted,
    chunk: Option<Chunk>,
    /// After the last batch in the chunk.
    reached: u64,
    epoch: i32,
}

impl Loader<'_> {
    async fn records(
        &mut self,
        connection: &mut Connection,
        lane: &mut Lane,
        mut left: usize,
    ) -> Result<(), Failure> {
        while left > 0 && lane.end.is_none_or(|end| self.reached < end) {
            let most = left.min(BatchHeader::LEN);
            let seen = connection.peek(most).await?;
            if most < BatchHeader::LEN {
                break;
            }
            let header = BatchHeader::parse(&seen[..most]).map_err(|e| unreadable(&e))?;
            if header.size() > left {
                // The answer was cut at the bytes that were asked for.
                break;
            }
            left -= header.size();
            if header.next_offset() <= self.reached {
                connection.drop_bytes(header.size()).await?;
                continue;
            }
            if lane.end.is_some_and(|end| header.base_offset >= end) {
                // Nothing of the range is left: what stood there the cleaner took.
                self.reached = header.base_offset;
                connection.drop_bytes(header.size()).await?;
                break;
            }
            self.batch(connection, lane, header).await?;
            self.reached = header.next_offset();
            self.epoch = header.leader_epoch;
        }
        connection.drop_bytes(left).await
    }

    async fn batch(
        &mut self,
        connection: &mut Connection,
        lane: &mut Lane,
        header: BatchHeader,
    ) -> Result<(), Failure> {
        let size = header.size();
        if header.control && size > CONTROL {
            return Err(garbled("a control batch of that size"));
        }
        let aborted = self.shared.wishes.committed_only && self.aborted.holds(&header);
        let full = |chunk: &Chunk| chunk.bytes.len() + size > CHUNK;
        if self.chunk.as_ref().is_some_and(full) {
            let passed = self.hand_on(lane).await;
            passed.map_err(|Gone| Failure::new(Code::Fail, "the source is gone"))?;
        }
        if self.chunk.is_none() {
            let chunk = self.shared.buffers.chunk(size).await;
            self.chunk = Some(chunk.ok_or_else(|| Failure::new(Code::Fail, "the source is gone"))?);
        }
        let Some(chunk) = &mut self.chunk else {
            return Ok(());
        };
        let at = chunk.bytes.len();
        connection.take(&mut chunk.bytes, size).await?;
        let batch = &chunk.bytes[at..];
        if let Err(error) = BatchHeader::check(batch) {
            chunk.bytes.truncate(at);
            return Err(unreadable(&error));
        }
        let visibility = if header.control {
            let marker = Decoder::new(CONTROL)
                .records(&header, batch)
                .ok()
                .and_then(|records| records.marker());
            if let Some(marker) = marker {
                self.aborted.marker(&header, marker);
            }
            // A marker that the cleaner emptied says nothing any more.
            Visibility::Control(marker.unwrap_or(crate::event::Marker::Other(-1)))
        } else if aborted {
            chunk.bytes.truncate(at + BatchHeader::LEN);
            Visibility::Aborted
        } else {
            Visibility::Visible
        };
        let len = chunk.bytes.len() - at;
        chunk.batches.push(Piece {
            header,
            at,
            len,
            visibility,
        });
        Ok(())
    }

    /// Hands the chunk to the workers, and moves the lane.
    async fn hand_on(&mut self, lane: &mut Lane) -> Result<(), Gone> {
        let before = lane.next;
        let chunk = self.chunk.take();
        if self.reached == before {
            // Nothing whole came. The lane did not move, so its failures go on being counted.
            return Ok(());
        }
        let Some(mut chunk) = chunk else {
            lane.advance(self.reached);
            return Ok(());
        };
        lane.last_epoch = self.epoch;
        chunk.stream = lane.stream;
        chunk.from = before;
        chunk.until = lane.end.unwrap_or(u64::MAX);
        lane.advance(self.reached);
        chunk.passed = self.reached.min(chunk.until).saturating_sub(before);
        self.shared.gate.pass(chunk, self.shared.streams()).await
    }
}

/// A batch that is no batch: it may have been damaged on the way, so it is asked for again.
fn unreadable(error: &CodecError) -> Failure {
    match error {
        CodecError::OldFormat { .. } => {
            Failure::new(Code::UnsupportedForMessageFormat, error.to_string())
        }
        CodecError::Checksum { .. } => Failure::new(Code::BadMessage, error.to_string()),
        _ => garbled(&error.to_string()),
    }
}
