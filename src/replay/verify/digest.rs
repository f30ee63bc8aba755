//! What of an event is compared, as hashes: key, value, headers without evtap's own, and where and
//! when it was to be written, as far as the plan says. One key for both sides of a verification.

use std::hash::{BuildHasher, Hasher};

use foldhash::quality::{FoldHasher, RandomState};

use crate::broker::Address;
use crate::event::{EventRef, Position};
use crate::replay::others::Others;
use crate::replay::plan::{PartitionPolicy, Plan, TimestampPolicy};
use crate::text::{JsonText, push_value};

/// Hashes both sides of one verification alike.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each says of one part whether it is compared, and they combine freely"
)]
pub(super) struct Digester {
    /// Seeded, so that nobody plants an event that looks like another.
    state: RandomState,
    /// The plan says which partition an event goes to.
    placed: bool,
    /// The target keeps the topics that the events had.
    topics: bool,
    /// The original timestamps are written.
    timed: bool,
    /// The target is JSON lines, which keep what a JSON value means and not how it is spelled.
    spelled_anew: bool,
}

/// The parts of an event by which two are compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts {
    key: u64,
    value: u64,
    headers: u64,
    place: u64,
    time: u64,
}

impl Digester {
    pub(super) fn new(plan: &Plan) -> Self {
        Self {
            state: RandomState::default(),
            placed: plan.partitions != PartitionPolicy::Key,
            topics: plan.target.topic.is_none(),
            timed: plan.timestamps == TimestampPolicy::Keep,
            spelled_anew: is_lines(plan),
        }
    }

    /// `had_time`: the original had a timestamp, so that the copy must have the same where the
    /// plan keeps them.
    pub(super) fn parts(&self, event: &EventRef<'_>, had_time: bool) -> Parts {
        let hash = |put: &dyn Fn(&mut FoldHasher<'_>)| {
            let mut hasher = self.state.build_hasher();
            put(&mut hasher);
            hasher.finish()
        };
        Parts {
            key: self.bytes(event.key),
            value: hash(&|hasher| self.put_value(hasher, event.value)),
            headers: hash(&|hasher| put_headers(hasher, &Others::of(event.headers))),
            place: hash(&|hasher| self.put_place(hasher, event)),
            time: self.time(event, had_time),
        }
    }

    /// One number for all of the parts of an event whose original stands at this position. `others`
    /// are its headers.
    pub(super) fn at(
        &self,
        position: Position,
        event: &EventRef<'_>,
        others: &Others<'_>,
        had_time: bool,
    ) -> u64 {
        let mut hasher = self.state.build_hasher();
        hasher.write_u64(position.major);
        hasher.write_u64(position.minor);
        put(&mut hasher, event.key);
        self.put_value(&mut hasher, event.value);
        put_headers(&mut hasher, others);
        self.put_place(&mut hasher, event);
        hasher.write_u64(self.time(event, had_time));
        hasher.finish()
    }

    /// The same of an event as it is to be written, which has the position of its original.
    pub(super) fn of(&self, event: &EventRef<'_>) -> u64 {
        let others = Others::of(event.headers);
        self.at(event.position, event, &others, event.time().is_some())
    }

    /// Null and empty differ.
    pub(super) fn bytes(&self, bytes: Option<&[u8]>) -> u64 {
        let mut hasher = self.state.build_hasher();
        put(&mut hasher, bytes);
        hasher.finish()
    }

    fn put_value(&self, hasher: &mut impl Hasher, bytes: Option<&[u8]>) {
        let odd = |byte: &u8| !(b' '..=b'~').contains(byte);
        match bytes {
            // Most JSON is written as it is.
            Some(value)
                if self.spelled_anew && value.iter().any(odd) && JsonText::parse(value).is_ok() =>
            {
                let mut line = Vec::with_capacity(value.len());
                push_value(&mut line, value);
                put(hasher, Some(&line));
            }
            _ => put(hasher, bytes),
        }
    }

    fn put_place(&self, hasher: &mut impl Hasher, event: &EventRef<'_>) {
        if self.placed {
            hasher.write_u32(event.stream.partition);
        }
        if self.topics {
            put(hasher, Some(event.stream.topic.as_bytes()));
        }
    }

    fn time(&self, event: &EventRef<'_>, had_time: bool) -> u64 {
        match event.time() {
            Some(time) if self.timed && had_time => time.0.cast_unsigned(),
            _ => u64::from(self.timed && had_time),
        }
    }
}

fn put_headers(hasher: &mut impl Hasher, others: &Others<'_>) {
    others.put(|bytes| put(hasher, Some(bytes)));
}

/// True where the target is a file of JSON lines.
fn is_lines(plan: &Plan) -> bool {
    let Address::File { path } = &plan.target.address else {
        return false;
    };
    let name = path.to_string_lossy();
    name.ends_with(".jsonl") || name.ends_with(".jsonl.zst")
}

fn put(hasher: &mut impl Hasher, bytes: Option<&[u8]>) {
    match bytes {
        None => hasher.write_u64(u64::MAX),
        Some(bytes) => {
            hasher.write_u64(bytes.len() as u64);
            hasher.write(bytes);
        }
    }
}

impl Parts {
    /// Key, value and headers as one: what is left to compare without provenance.
    pub(super) fn content(&self) -> u64 {
        self.key
            .rotate_left(1)
            .wrapping_add(self.value.rotate_left(17))
            .wrapping_add(self.headers.rotate_left(33))
    }

    /// The names of the parts in which it differs from the other one.
    pub(super) fn differing(&self, other: &Self) -> String {
        let parts = [
            ("key", self.key == other.key),
            ("value", self.value == other.value),
            ("headers", self.headers == other.headers),
            ("partition", self.place == other.place),
            ("timestamp", self.time == other.time),
        ];
        let names: Vec<&str> = parts
            .iter()
            .filter(|(_, same)| !same)
            .map(|(name, _)| *name)
            .collect();
        names.join(", ")
    }
}
