//! The sequence numbers that idempotent producers give their record batches, per partition. A
//! broker that knows a producer takes only the next number (`ProducerAppendInfo.checkSequence` of
//! Apache Kafka), so a hole means that it had forgotten the producer, or that batches are gone.

use std::cmp::Ordering;
use std::fmt;

use super::Spot;
use crate::event::{BatchMeta, EventRef, Position, Visibility};
use crate::inspect::window::Window;

/// Producers of a partition that are followed; about 100 bytes each.
pub(super) const PRODUCERS: usize = 100_000;

/// By which producer an event was sent, and as its which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sent {
    pub producer: i64,
    pub epoch: i16,
    pub sequence: i32,
}

impl Sent {
    /// How an event came to be there twice, as far as the numbers of its senders tell.
    pub fn how([first, again]: [Option<Self>; 2]) -> Option<&'static str> {
        let (first, again) = first.zip(again)?;
        Some(if first.producer != again.producer {
            "sent again by another producer, as after a restart"
        } else if first == again {
            "written twice by the broker, or the log was copied"
        } else {
            "sent twice by the application"
        })
    }

    /// `None` where the producer was not idempotent, or nothing is known of its record batch.
    pub(crate) fn of(event: &EventRef<'_>) -> Option<Self> {
        let meta = event.meta.filter(|meta| is_numbered(meta))?;
        let delta = event.position.major.checked_sub(meta.base_offset)?;
        Some(Self {
            producer: meta.producer_id,
            epoch: meta.producer_epoch,
            sequence: after(meta.base_sequence, u32::try_from(delta).ok()?),
        })
    }
}

impl fmt::Display for Sent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (number, producer, epoch) = (self.sequence, self.producer, self.epoch);
        write!(f, "number {number} of producer {producer} (epoch {epoch})")
    }
}

/// The number that many after this one; they wrap after the greatest.
const fn after(sequence: i32, steps: u32) -> i32 {
    // Both are below 2^32, so the sum is.
    ((sequence as i64 + steps as i64) % (1 << 31)) as i32
}

const fn is_numbered(meta: &BatchMeta) -> bool {
    meta.producer_id >= 0
        && meta.base_sequence >= 0
        && !matches!(meta.visibility, Visibility::Control(_))
}

/// What one producer did in one partition.
#[derive(Debug, Clone, Copy)]
struct State {
    epoch: i16,
    /// The number that comes next.
    next: i32,
}

/// What is wrong with the number of a record batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Odd {
    /// The numbers `from..=to` did not come; they may wrap.
    Hole { from: i32, to: i32 },
    /// Numbers that were there before, from this one on.
    Again { from: i32 },
}

/// All producers of all partitions.
#[derive(Debug)]
pub(super) struct Producers {
    states: Window<State>,
    /// Batches that have numbers.
    pub(super) numbered: u64,
    /// Times that a producer began anew: another epoch, counted from 0.
    pub(super) resets: u64,
    /// Batches of producers that cannot be told apart in the room that there is.
    pub(super) unfollowed: u64,
}

impl Default for Producers {
    fn default() -> Self {
        Self::new(PRODUCERS)
    }
}

impl Producers {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            states: Window::new(limit),
            numbered: 0,
            resets: 0,
            unfollowed: 0,
        }
    }

    /// Producers that were forgotten.
    pub(super) const fn forgotten(&self) -> u64 {
        self.states.forgotten() + self.unfollowed
    }

    /// Takes the next record batch of a partition.
    pub(super) fn batch(&mut self, lane: u32, meta: &BatchMeta) -> Option<(Sent, Odd)> {
        if !is_numbered(meta) {
            return None;
        }
        self.numbered += 1;
        let Some(key) = key(lane, meta.producer_id) else {
            self.unfollowed += 1;
            return None;
        };
        let first = meta.base_sequence;
        let next = after(first, meta.last_offset_delta.saturating_add(1));
        let now = State {
            epoch: meta.producer_epoch,
            next,
        };
        let (state, known) = self.states.entry(key, || now);
        let before = std::mem::replace(state, now);
        if !known {
            // Where it began was not seen.
            return None;
        }
        let odd = match now.epoch.cmp(&before.epoch) {
            Ordering::Equal => odd(before.next, first),
            Ordering::Greater => {
                self.resets += u64::from(first == 0);
                odd(0, first)
            }
            Ordering::Less => Some(Odd::Again { from: first }),
        };
        if let Some(Odd::Again { .. }) = odd {
            if first == 0 && now.epoch == before.epoch {
                // A producer whose state the broker had lost begins anew in the same epoch.
                self.resets += 1;
                return None;
            }
            // A copy of old batches must not hide what comes after it.
            *state = before;
        }
        let sent = Sent {
            producer: meta.producer_id,
            epoch: meta.producer_epoch,
            sequence: first,
        };
        odd.map(|odd| (sent, odd))
    }
}

/// What a number says where another was expected.
const fn odd(expected: i32, first: i32) -> Option<Odd> {
    if first == expected {
        return None;
    }
    // How far ahead it is, round the end.
    let ahead = (first as i64 - expected as i64).rem_euclid(1 << 31);
    if ahead < 1 << 30 {
        let to = (first as i64 - 1).rem_euclid(1 << 31) as i32;
        Some(Odd::Hole { from: expected, to })
    } else {
        Some(Odd::Again { from: first })
    }
}

/// One number for a producer of a partition, another for every other one.
fn key(lane: u32, producer: i64) -> Option<u64> {
    let producer = u64::try_from(producer).ok().filter(|id| *id < 1 << 44)?;
    let lane = u64::from(lane);
    // Multiplying by an odd number keeps them apart, and spreads them.
    (lane < 1 << 20).then(|| (lane << 44 | producer).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// Where a finding about a record batch stands: at its first record.
pub(super) const fn spot(lane: u32, meta: &BatchMeta) -> Spot {
    Spot {
        lane,
        position: Position::offset(meta.base_offset),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Compression, Timestamp, TimestampType};

    fn meta(producer: (i64, i16), sequence: i32, records: u32) -> BatchMeta {
        BatchMeta {
            stream: 0,
            base_offset: 0,
            last_offset_delta: records - 1,
            leader_epoch: 0,
            crc: 0,
            compression: Compression::None,
            timestamp_type: TimestampType::Create,
            transactional: false,
            max_timestamp: Timestamp(0),
            producer_id: producer.0,
            producer_epoch: producer.1,
            base_sequence: sequence,
            records,
            visibility: Visibility::Visible,
        }
    }

    fn odds(batches: &[((i64, i16), i32, u32)]) -> Vec<Option<Odd>> {
        let mut producers = Producers::default();
        let batches = batches.iter();
        batches
            .map(|(producer, sequence, records)| {
                let odd = producers.batch(0, &meta(*producer, *sequence, *records));
                odd.map(|(_, odd)| odd)
            })
            .collect()
    }

    #[test]
    fn numbers_go_on_wrap_and_begin_anew_with_an_epoch() {
        let p = |epoch| (7, epoch);
        let fine = [
            // Its beginning was not seen.
            (p(0), 41, 3),
            (p(0), 44, 1),
            ((8, 0), 0, 2),
            ((8, 0), 2, 1),
            (p(0), 45, (i32::MAX - 45).cast_unsigned()),
            (p(0), i32::MAX, 2),
            (p(0), 1, 1),
            (p(1), 0, 5),
            (p(1), 5, 1),
            // A broker that had forgotten it.
            (p(1), 0, 1),
            (p(1), 1, 1),
            // Who is not idempotent has no numbers.
            ((-1, -1), -1, 9),
            ((-1, -1), -1, 9),
        ];
        assert!(odds(&fine).iter().all(Option::is_none));
    }

    #[test]
    fn a_hole_and_a_copy_are_told() {
        let p = (7, 0);
        assert_eq!(
            odds(&[(p, 0, 2), (p, 5, 1), (p, 6, 1), (p, 2, 1), (p, 7, 1)]),
            [
                None,
                Some(Odd::Hole { from: 2, to: 4 }),
                None,
                Some(Odd::Again { from: 2 }),
                None
            ]
        );
        assert_eq!(
            odds(&[(p, 0, 1), ((7, 3), 2, 1)])[1],
            Some(Odd::Hole { from: 0, to: 1 })
        );
        assert_eq!(
            odds(&[(p, i32::MAX, 1), (p, 3, 1)])[1],
            Some(Odd::Hole { from: 0, to: 2 })
        );
    }

    #[test]
    fn who_was_forgotten_is_counted_and_not_accused() {
        let mut producers = Producers::new(4);
        for id in 0..100 {
            producers.batch(0, &meta((id, 0), 0, 1));
        }
        assert!(producers.forgotten() > 90);
        assert_eq!(producers.batch(0, &meta((0, 0), 50, 1)), None);
        assert_eq!(producers.batch(0, &meta((1 << 50, 0), 5, 1)), None);
        assert_eq!(producers.unfollowed, 1);
    }
}
