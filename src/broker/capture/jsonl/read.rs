//! Reading JSON lines: in the order of the lines, as they come. Runs on the thread of a `Feed`.

use std::time::Duration;

use super::events::{Events, Step};
use crate::broker::capture::feed::{Outlet, Sieve, Stop};
use crate::broker::capture::range::Window;
use crate::broker::{Error, ErrorKind, PartitionRange, Result, Subscription};
use crate::event::{Batch, BatchPool, EventRef, Scanned, Stream};

/// How often a file that is followed is looked at.
const LOOK: Duration = Duration::from_millis(100);

/// Which events are read.
pub(super) struct Part {
    /// `None`: all of them.
    pub(super) rows: Option<Vec<PartitionRange>>,
    pub(super) sub: Subscription,
}

impl Part {
    fn window(&self, stream: &Stream) -> Option<Window> {
        let sub = &self.sub;
        let taken = sub.topics.takes(&stream.topic, false)
            && (sub.partitions.is_empty() || sub.partitions.contains(&stream.partition));
        let Some(rows) = &self.rows else {
            return taken.then_some(Window::ALL);
        };
        let row = rows.iter().find(|row| {
            row.topic == stream.topic
                && row.partition == stream.partition
                && row.style == stream.style
        });
        match row {
            Some(row) => Some(Window {
                start: row.start,
                end: if sub.follow { Window::ALL.end } else { row.end },
            }),
            // A partition that was not there when the range was frozen.
            None => (sub.follow && taken).then_some(Window::ALL),
        }
    }
}

/// Reads to the end, or for as long as somebody listens.
pub(super) fn read(mut events: Events, part: &Part, outlet: &Outlet) -> Result<(), Stop> {
    let mut reader = Reader {
        sieve: Sieve::new(&part.sub),
        pool: BatchPool::default(),
        out: Batch::new(events.streams().clone()),
        windows: Vec::new(),
        outlet,
    };
    loop {
        // What is there is handed on before more must be waited for.
        if events.would_wait() || reader.out.is_full() {
            reader.hand_on(&events)?;
        }
        match events.step() {
            Step::Event => reader.take(&events, part)?,
            Step::Bad => {
                reader.out.scanned.events += 1;
                reader.out.scanned.failed += 1;
            }
            Step::End if part.sub.follow && events.grows() => {
                reader.hand_on(&events)?;
                if outlet.is_gone() {
                    return Err(Stop::Gone);
                }
                std::thread::sleep(LOOK);
            }
            Step::End => break,
        }
    }
    reader.hand_on(&events)?;
    events.damage.end().map_err(Stop::Failed)
}

struct Reader<'o> {
    sieve: Sieve,
    pool: BatchPool,
    out: Batch,
    /// For each stream seen, what is read of it.
    windows: Vec<Option<Window>>,
    outlet: &'o Outlet,
}

impl Reader<'_> {
    fn take(&mut self, events: &Events, part: &Part) -> Result<()> {
        let streams = events.streams();
        if self.windows.len() < streams.len() {
            for stream in &streams[self.windows.len()..] {
                self.windows.push(part.window(stream));
            }
            self.out.set_streams(streams.clone());
        }
        let event: EventRef<'_> = events.event();
        let window = self.windows[event.stream_index as usize];
        if !window.is_some_and(|window| window.holds(event.position)) {
            return Ok(());
        }
        if let Some(kept) = self.sieve.kept(&event, &mut self.out.scanned)? {
            self.out.push(&kept).map_err(|full| {
                Error::new(ErrorKind::Unsupported, format!("line too long: {full}"))
            })?;
        }
        Ok(())
    }

    fn hand_on(&mut self, events: &Events) -> Result<(), Stop> {
        if events.plain {
            self.outlet.way.set_done(events.bytes());
        }
        if self.out.is_empty() && self.out.scanned == Scanned::default() {
            return Ok(());
        }
        let next = self.pool.batch(events.streams().clone());
        self.outlet.send(std::mem::replace(&mut self.out, next))?;
        Ok(())
    }
}
