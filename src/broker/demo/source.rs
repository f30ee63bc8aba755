//! Reading from the embedded broker: first what is stored, and then, for a source that follows,
//! what is written and what happens live, at its pace.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::futures::Notified;
use tokio::time::Instant;

use super::broker::Shared;
use super::history::{Entry, Transaction};
use super::live::Live;
use super::log::{Store, damaged};
use super::merge::Merge;
use super::orders::{PARTITIONS, Topic};
use crate::broker::{BoxFuture, PartitionRange, Result, Source, Subscription};
use crate::event::codec::BatchHeader;
use crate::event::{Batch, EventRef, Marker, Position, TimestampType, Visibility};

/// Live events are gathered so long before they are handed on.
const GATHER: Duration = Duration::from_millis(10);
/// So many live events are made at a time where nobody reads them.
const UNREAD: usize = 16 * 1024;

pub(super) struct DemoSource {
    shared: Arc<Shared>,
    stored: Merge,
    follow: bool,
    live: Option<Live>,
    /// Index of each partition in the table of streams, where it is read.
    streams: Streams,
    /// When to look again for live events.
    next_look: Option<Instant>,
}

type Streams = [[Option<usize>; PARTITIONS as usize]; Topic::ALL.len()];

impl DemoSource {
    /// `live` is given only to a source that follows topics of the pipeline.
    pub(super) fn new(
        shared: Arc<Shared>,
        ranges: &[PartitionRange],
        sub: &Subscription,
        committed: bool,
        live: Option<Live>,
    ) -> Self {
        Self {
            stored: Merge::new(ranges, sub, committed),
            follow: sub.follow,
            live,
            next_look: None,
            streams: pipeline_streams(ranges),
            shared,
        }
    }

    /// The next batch; `None` when there is nothing at the moment.
    fn fill(&mut self) -> Result<Option<Batch>> {
        let shared = Arc::clone(&self.shared);
        let store = shared.read();
        let mut out = self.stored.batch();
        self.stored.fill(&store, self.live.as_ref(), &mut out)?;
        if let Some(live) = &mut self.live {
            for _ in 0..UNREAD {
                if self.stored.filter.is_done(&out) {
                    break;
                }
                let Some(entry) = live.next(&store) else {
                    self.next_look = Some(Instant::now() + GATHER);
                    break;
                };
                let stream = self.streams[entry.topic as usize][entry.partition as usize];
                match stream.filter(|&stream| entry.offset >= self.stored.start(stream)) {
                    Some(stream) => {
                        append(&entry, stream, live, &mut self.stored, &store, &mut out)?;
                    }
                    None => live.appender.pass(&entry),
                }
            }
        }
        let empty = out.scanned.events == 0 && out.metas().is_empty();
        Ok((!empty).then_some(out))
    }

    /// Waits until there may be more.
    async fn wait(&mut self, changed: Notified<'_>) {
        match &self.live {
            None => changed.await,
            Some(live) if live.is_unpaced() => {}
            Some(live) => {
                let next = live.wait();
                tokio::select! {
                    () = changed => {}
                    () = tokio::time::sleep(next) => {}
                }
            }
        }
    }
}

/// Hands on one live event, in the record batch that its producer sends.
fn append(
    entry: &Entry,
    stream: usize,
    live: &mut Live,
    stored: &mut Merge,
    store: &Store,
    out: &mut Batch,
) -> Result<()> {
    stored.release(stream, entry.offset, store, out)?;
    let (visibility, marker) = match entry.transaction {
        Transaction::None => (Visibility::Visible, None),
        Transaction::Committed => (Visibility::Visible, Some(Marker::Commit)),
        Transaction::Aborted => (Visibility::Aborted, Some(Marker::Abort)),
    };
    let header = BatchHeader::parse(live.appender.record(entry)?).map_err(damaged)?;
    let meta = header.meta(stream as u32, visibility);
    let at = out.push_meta(meta);
    if visibility == Visibility::Visible || !stored.reader.committed {
        let wire = live.appender.wire();
        let event = EventRef {
            stream: &stored.reader.streams[stream],
            stream_index: stream as u32,
            position: Position::offset(entry.offset),
            timestamp: entry.timestamp,
            timestamp_type: TimestampType::Create,
            key: Some(wire.key()),
            value: wire.value(),
            headers: wire.headers(),
            meta: Some(&meta),
        };
        stored.filter.offer(&event, Some(at), out)?;
    }
    if let Some(marker) = marker {
        let header = BatchHeader::parse(live.appender.marker(entry, marker)).map_err(damaged)?;
        out.push_meta(header.meta(stream as u32, Visibility::Control(marker)));
    }
    Ok(())
}

impl Source for DemoSource {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Batch>>> {
        Box::pin(async move {
            let shared = Arc::clone(&self.shared);
            loop {
                if let Some(at) = self.next_look.take() {
                    tokio::time::sleep_until(at).await;
                }
                // It may never be out of events, and others must run too: who waits for Ctrl-C.
                tokio::task::yield_now().await;
                // Listens before it looks, so that no write falls between the two.
                let changed = shared.changed.notified();
                let batch = self.fill()?;
                if batch.is_some() || !self.follow {
                    return Ok(batch);
                }
                self.wait(changed).await;
            }
        })
    }

    fn progress(&self) -> Option<(u64, u64)> {
        (!self.follow).then(|| self.stored.progress())
    }

    fn undisturbed(&self) -> bool {
        true
    }
}

fn pipeline_streams(ranges: &[PartitionRange]) -> Streams {
    let mut streams = Streams::default();
    for (index, range) in ranges.iter().enumerate() {
        if let Some(topic) = Topic::named(&range.topic) {
            let row = &mut streams[topic as usize];
            if let Some(place) = row.get_mut(range.partition as usize) {
                *place = Some(index);
            }
        }
    }
    streams
}
