//! What is told of a copy by the thread that reads it: where it says that it comes from, and a hash
//! of all that is compared. Only that is handed on, in the place of key, value and headers, so that
//! the one thread that goes by order has little to do.

use std::sync::Arc;

use super::digest::Digester;
use crate::event::{EventRef, Headers, Position, Select, SelectError, SelectWorker, Verdict};
use crate::replay::copies::{Origin, Places, Reader, Search};

/// A copy of the plan.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Sighting {
    pub origin: Origin,
    pub hash: u64,
}

/// Lane, position, hash.
const WORDS: usize = 4;
const BYTES: usize = WORDS * size_of::<u64>();
/// In the place of the lane.
const UNKNOWN: u64 = u64::MAX;

impl Sighting {
    fn encode(&self) -> [u8; BYTES] {
        let (lane, position) = match self.origin {
            Origin::At(lane, position) => (lane as u64, position),
            Origin::Unknown => (UNKNOWN, Position::ZERO),
        };
        let mut bytes = [0; BYTES];
        let words = [lane, position.major, position.minor, self.hash];
        for (place, word) in bytes.chunks_exact_mut(size_of::<u64>()).zip(words) {
            place.copy_from_slice(&word.to_le_bytes());
        }
        bytes
    }

    /// What [`Sightings`] made of an event.
    pub(super) fn of(event: &EventRef<'_>) -> Option<Self> {
        let mut words = [0; WORDS];
        let bytes = event.key.filter(|key| key.len() == BYTES)?;
        for (word, bytes) in words.iter_mut().zip(bytes.chunks_exact(size_of::<u64>())) {
            *word = u64::from_le_bytes(bytes.try_into().ok()?);
        }
        let [lane, major, minor, hash] = words;
        let origin = if lane == UNKNOWN {
            Origin::Unknown
        } else {
            Origin::At(usize::try_from(lane).ok()?, Position { major, minor })
        };
        Some(Self { origin, hash })
    }
}

/// Keeps the copies of a plan, and of each its [`Sighting`].
pub(super) struct Sightings {
    plan: Arc<str>,
    places: Arc<Places>,
    digester: Digester,
}

impl Sightings {
    pub(super) fn of(plan: &str, places: &Arc<Places>, digester: &Digester) -> Arc<Self> {
        Arc::new(Self {
            plan: plan.into(),
            places: places.clone(),
            digester: digester.clone(),
        })
    }
}

impl Select for Sightings {
    fn worker(&self) -> Box<dyn SelectWorker> {
        Box::new(Looking {
            search: Search::of(&self.plan),
            places: self.places.clone(),
            digester: self.digester.clone(),
            reader: Reader::default(),
            told: [0; BYTES],
        })
    }
}

struct Looking {
    search: Search,
    places: Arc<Places>,
    digester: Digester,
    reader: Reader,
    told: [u8; BYTES],
}

impl SelectWorker for Looking {
    /// Keeps copies only, and makes up at once what is told of them.
    fn test(&mut self, event: &EventRef<'_>) -> Result<Verdict, SelectError> {
        let Some(marks) = self.search.look(event) else {
            return Ok(Verdict::Drop);
        };
        let origin = self.reader.origin_by(&self.places, &marks);
        let hash = match origin {
            Origin::At(_, position) => {
                let others = &marks.others;
                self.digester.at(position, event, others, marks.timed)
            }
            Origin::Unknown => 0,
        };
        self.told = Sighting { origin, hash }.encode();
        Ok(Verdict::Keep)
    }

    fn reduce<'e>(&'e mut self, event: &EventRef<'e>) -> EventRef<'e> {
        EventRef {
            key: Some(&self.told),
            value: None,
            headers: Headers::default(),
            ..*event
        }
    }

    fn seek(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        self.search.seek(bytes, from)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{PositionStyle, Stream, Timestamp, TimestampType};

    #[test]
    fn a_sighting_is_what_was_told() {
        let stream = Stream {
            topic: "copy".into(),
            partition: 0,
            style: PositionStyle::Offset,
        };
        let at = Position {
            major: u64::MAX,
            minor: 7,
        };
        for origin in [Origin::At(3, at), Origin::Unknown] {
            let told = Sighting { origin, hash: 99 };
            let bytes = told.encode();
            let event = EventRef {
                stream: &stream,
                stream_index: 0,
                position: Position::ZERO,
                timestamp: Timestamp::default(),
                timestamp_type: TimestampType::None,
                key: Some(&bytes),
                value: None,
                headers: Headers::default(),
                meta: None,
            };
            assert_eq!(Sighting::of(&event), Some(told));
        }
    }
}
