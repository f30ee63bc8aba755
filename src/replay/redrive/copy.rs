//! The copies that are written of dead letters: of those that go back, and of those that are
//! parked. Which of the two, and where to, is `judge`'s.

use super::judge::Past;
use super::plan::Plan;
use super::tally::Fate;
use crate::broker::{Error, ErrorKind, Result};
use crate::event::{
    Batch, EventRef, HeaderBuf, Headers, Position, Stream, Timestamp, TimestampType, object,
};
use crate::replay::provenance::{SOURCE, Stamp};

/// Why a copy was parked.
const PARKED: &str = "evtap-parked";

/// Where and as what a copy is written.
#[derive(Clone, Copy)]
pub(super) struct To<'t> {
    pub stream: &'t Stream,
    pub stream_index: u32,
    pub position: Position,
    /// The copy has the time of the dead letter; else that of its writing.
    pub keeps_time: bool,
}

/// Makes them, one after the other, in buffers that it keeps.
pub(super) struct Copier {
    /// Copies keep the headers that tell of the failure.
    keeps_headers: bool,
    headers: HeaderBuf,
    stamp: Stamp,
    source: Vec<u8>,
}

impl Copier {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            keeps_headers: plan.rules.keep_headers,
            headers: HeaderBuf::default(),
            stamp: Stamp::new(&plan.id()),
            source: Vec::new(),
        }
    }

    /// Appends the copy that goes back: what the event was before it failed, with provenance. Gives
    /// its bytes.
    pub(super) fn copy(
        &mut self,
        event: &EventRef<'_>,
        place: &[u8],
        past: Past,
        to: To<'_>,
        out: &mut Batch,
    ) -> Result<u64> {
        self.headers.clear();
        for (name, value) in event.headers {
            let begins = |prefix: &&str| name.starts_with(prefix.as_bytes());
            let of_failure = !self.keeps_headers && past.told_by.iter().any(begins);
            if !of_failure && name != PARKED.as_bytes() {
                self.headers.push(name, value);
            }
        }
        let event = EventRef {
            headers: self.headers.as_headers(),
            ..*event
        };
        let headers = self.stamp.headers(&event, past.prior, place);
        write(&event, headers, to, out)
    }

    /// Appends the copy that is parked: the event with all its headers, where it stood and why.
    /// Gives its bytes.
    pub(super) fn park(
        &mut self,
        event: &EventRef<'_>,
        place: &[u8],
        fate: Fate,
        to: To<'_>,
        out: &mut Batch,
    ) -> Result<u64> {
        self.headers.clear();
        for (name, value) in event.headers {
            if name != PARKED.as_bytes() && name != SOURCE.as_bytes() {
                self.headers.push(name, value);
            }
        }
        self.source.clear();
        self.source.extend_from_slice(place);
        object::push_position(&mut self.source, event);
        self.headers.push(SOURCE.as_bytes(), Some(&self.source));
        let why = fate.word().as_bytes();
        self.headers.push(PARKED.as_bytes(), Some(why));
        write(event, self.headers.as_headers(), to, out)
    }
}

fn write(event: &EventRef<'_>, headers: Headers<'_>, to: To<'_>, out: &mut Batch) -> Result<u64> {
    let (timestamp, timestamp_type) = match event.time().filter(|_| to.keeps_time) {
        Some(time) => (time, event.timestamp_type),
        None => (Timestamp::default(), TimestampType::None),
    };
    let copy = EventRef {
        stream: to.stream,
        stream_index: to.stream_index,
        position: to.position,
        timestamp,
        timestamp_type,
        key: event.key,
        value: event.value,
        headers,
        meta: None,
    };
    out.push(&copy)
        .map_err(|e| Error::new(ErrorKind::Broker, format!("cannot copy an event: {e}")))?;
    Ok(copy.size() as u64)
}
