//! What happens after the history: the same services go on. Events are made when they are asked
//! for and kept nowhere; the same ones for every source of a broker, offset by offset.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::append::Appender;
use super::broker::Shared;
use super::history::{Entry, Letter, Past, Transaction};
use super::log::{Log, Store};
use super::orders::{Event, NOW, PARTITIONS, Topic};
use super::steps::{CYCLE, FIRST_LIVE_ORDER, FIRST_ORDER, Fate, Outcome, STEPS, placed_in_history};
use crate::broker::{Error, ErrorKind, Result};
use crate::event::Timestamp;

/// Events a second where nothing else is asked for.
const OWN_RATE: f64 = 20.0;

/// How fast the live part goes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Virtual time from one order to the next, in nanoseconds.
    interval: u64,
    /// Virtual time is real time; else an event is due when it is asked for.
    waits: bool,
}

impl Pace {
    /// `rate` is in events a second; infinity is as fast as it can, at the density of the own
    /// pace: then only the clock runs faster.
    pub(super) fn new(rate: Option<f64>) -> Result<Self> {
        let rate = rate.unwrap_or(OWN_RATE);
        // From one an hour to more than can be made.
        if rate.is_nan() || rate < 1.0 / 3600.0 {
            return Err(
                Error::new(ErrorKind::Usage, format!("{rate} is no rate for demo:"))
                    .hint("give events a second, or max"),
            );
        }
        let waits = rate <= 1e9;
        let density = if waits { rate } else { OWN_RATE };
        Ok(Self {
            interval: Duration::from_secs_f64(events_per_order() / density).as_nanos() as u64,
            waits,
        })
    }

    /// When an order is placed, in microseconds after the end of the history.
    fn placed(self, order: u64) -> i64 {
        if order < FIRST_LIVE_ORDER {
            (placed_in_history(order).0 - NOW.0) * 1000
        } else {
            // The history ends before the first one.
            let after = (order - FIRST_LIVE_ORDER + 1).saturating_mul(self.interval);
            (after / 1000).cast_signed()
        }
    }
}

/// The average over all fates.
fn events_per_order() -> f64 {
    let events = (FIRST_LIVE_ORDER..FIRST_LIVE_ORDER + CYCLE)
        .flat_map(|order| STEPS.iter().map(move |step| step.take(order, NOW)))
        .flatten()
        .filter(|outcome| !matches!(outcome, Outcome::Lost | Outcome::Aborted(_)))
        .count();
    f64::from(events as u32) / f64::from(CYCLE as u32)
}

/// When a step is taken next: microseconds after the end of the history, and the order.
/// `i64::MAX` when no order takes it any more, or when nobody looks.
type Due = (i64, u64);

const NEVER: Due = (i64::MAX, 0);

/// A payment that is put into the dead letters a little later.
#[derive(Debug, Clone, Copy)]
struct Failing {
    order: u64,
    partition: u32,
    offset: u64,
}

/// The live part, as one source sees it.
pub(super) struct Live {
    pace: Pace,
    began: Instant,
    /// One for each of the steps, and what it will do then.
    due: [Due; STEPS.len()],
    outcomes: [Option<Outcome>; STEPS.len()],
    pub(super) appender: Appender,
    notifications: u64,
    /// The next offset of each partition.
    ends: [[u64; PARTITIONS as usize]; Topic::ALL.len()],
    failing: VecDeque<Failing>,
}

impl Live {
    /// Makes the events of these topics only.
    pub(super) fn new(shared: &Shared, pace: Pace, began: Instant, topics: &[Topic]) -> Self {
        let mut live = Self {
            pace,
            began,
            due: [NEVER; STEPS.len()],
            outcomes: [None; STEPS.len()],
            appender: shared.appender.successor(),
            notifications: shared.past.notifications,
            ends: ends(&shared.past),
            failing: VecDeque::new(),
        };
        for step in 0..STEPS.len() {
            live.go_on(step, FIRST_ORDER);
            while live.due[step].0 <= 0 {
                live.go_on(step, live.due[step].1 + 1);
            }
            let needed = live.outcomes[step].is_some_and(|o| is_needed(topic_of(&o), topics));
            if !needed {
                live.due[step] = NEVER;
            }
        }
        live
    }

    /// Virtual time, in microseconds after the end of the history.
    fn now(&self) -> i64 {
        if self.pace.waits {
            self.at(Instant::now())
        } else {
            i64::MAX - 1
        }
    }

    /// The virtual time at a moment, where it is real time.
    fn at(&self, moment: Instant) -> i64 {
        let since = moment.saturating_duration_since(self.began);
        i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
    }

    /// How long until the next event.
    pub(super) fn wait(&self) -> Duration {
        let (due, _) = self.due.iter().min().copied().unwrap_or(NEVER);
        Duration::from_micros(u64::try_from(due.saturating_sub(self.now())).unwrap_or(0))
    }

    /// Does not wait for anything: whoever asks must let others run in between.
    pub(super) const fn is_unpaced(&self) -> bool {
        !self.pace.waits
    }

    /// The offset that the next live event of a partition gets, if nothing is written before.
    pub(super) const fn end(&self, topic: Topic, partition: u32) -> u64 {
        self.ends[topic as usize][partition as usize]
    }

    /// Passes over what has happened before a moment.
    pub(super) fn skip_to(&mut self, moment: Instant, store: &Store) {
        if self.pace.waits {
            let now = self.at(moment);
            while let Some(entry) = self.next_before(now, store) {
                self.appender.pass(&entry);
            }
        }
    }

    /// The next event, when it has happened by now.
    pub(super) fn next(&mut self, store: &Store) -> Option<Entry> {
        self.next_before(self.now(), store)
    }

    fn next_before(&mut self, now: i64, store: &Store) -> Option<Entry> {
        loop {
            let (step, due) = self.earliest();
            if due > now {
                return None;
            }
            let outcome = self.outcomes[step];
            self.go_on(step, self.due[step].1 + 1);
            if let Some(entry) = outcome.and_then(|o| self.entry(o, due, store)) {
                return Some(entry);
            }
        }
    }

    /// The step that is taken next, and when. Of several at once it is that of the first order.
    fn earliest(&self) -> (usize, i64) {
        let mut earliest = 0;
        for step in 1..STEPS.len() {
            if self.due[step] < self.due[earliest] {
                earliest = step;
            }
        }
        (earliest, self.due[earliest].0)
    }

    /// Finds the first order from `order` on that takes the step.
    fn go_on(&mut self, step: usize, order: u64) {
        self.due[step] = NEVER;
        self.outcomes[step] = None;
        // The fates repeat, so a step that a whole cycle leaves out is never taken again.
        let last = order.max(FIRST_LIVE_ORDER) + CYCLE;
        for order in order..last {
            let placed = self.pace.placed(order);
            let outcome = STEPS[step].take(order, Timestamp(NOW.0 + placed.div_euclid(1000)));
            if outcome.is_some() {
                let due = placed.saturating_add(STEPS[step].delay * 1000);
                self.due[step] = (due, order);
                self.outcomes[step] = outcome;
                return;
            }
        }
    }

    /// Gives the outcome its place in the log; `None` when it leaves no record.
    fn entry(&mut self, outcome: Outcome, due: i64, store: &Store) -> Option<Entry> {
        let (mut event, transaction) = match outcome {
            Outcome::Record(event) => (event, Transaction::None),
            Outcome::Committed(event) => (event, Transaction::Committed),
            Outcome::Aborted(event) => (event, Transaction::Aborted),
            Outcome::DeadLetter { payment, parked } => {
                return self.bury(payment, parked, due, store);
            }
            Outcome::Lost => {
                self.notifications += 1;
                return None;
            }
        };
        let topic = event.kind.topic();
        if topic == Topic::Notifications {
            self.notifications += 1;
            event.sequence = self.notifications;
        }
        let partition = event.partition();
        let records = if transaction == Transaction::None {
            1
        } else {
            2
        };
        let offset = self.take_offsets(topic, partition, records, store);
        if Fate::of(event.order).is_buried() && topic == Topic::Payments {
            self.failing.push_back(Failing {
                order: event.order,
                partition,
                offset,
            });
        }
        Some(Entry {
            topic,
            partition,
            offset,
            timestamp: event.time,
            event,
            transaction,
            letter: None,
        })
    }

    fn bury(&mut self, payment: Event, parked: bool, due: i64, store: &Store) -> Option<Entry> {
        let at = self.failing.iter().position(|f| f.order == payment.order)?;
        let origin = self.failing.remove(at)?;
        Some(Entry {
            topic: Topic::DeadLetters,
            partition: 0,
            offset: self.take_offsets(Topic::DeadLetters, 0, 1, store),
            timestamp: Timestamp(NOW.0 + due.div_euclid(1000)),
            event: payment,
            transaction: Transaction::None,
            letter: Some(Letter {
                partition: origin.partition,
                offset: origin.offset,
                parked,
            }),
        })
    }

    /// Offsets in a row that no write has taken.
    fn take_offsets(&mut self, topic: Topic, partition: u32, count: u64, store: &Store) -> u64 {
        let end = &mut self.ends[topic as usize][partition as usize];
        if let Some(log) = store.log_of(topic, partition) {
            *end = free_offset(log, *end, count);
            log.reach(*end + count);
        }
        let offset = *end;
        *end += count;
        offset
    }
}

const fn topic_of(outcome: &Outcome) -> Topic {
    match outcome {
        Outcome::Record(event) | Outcome::Committed(event) | Outcome::Aborted(event) => {
            event.kind.topic()
        }
        Outcome::DeadLetter { .. } => Topic::DeadLetters,
        Outcome::Lost => Topic::Notifications,
    }
}

/// Dead letters tell the offsets of their payments.
fn is_needed(topic: Topic, wanted: &[Topic]) -> bool {
    wanted.contains(&topic) || (topic == Topic::Payments && wanted.contains(&Topic::DeadLetters))
}

/// The first offset from `offset` on with so many free ones in a row.
fn free_offset(log: &Log, mut offset: u64, count: u64) -> u64 {
    if offset >= log.end() {
        return offset;
    }
    for written in &log.batches()[log.batch_at(offset)..] {
        if offset + count <= written.meta.base_offset {
            break;
        }
        offset = written.meta.next_offset();
    }
    offset
}

/// Where the history ends in each partition.
fn ends(past: &Past) -> [[u64; PARTITIONS as usize]; Topic::ALL.len()] {
    let mut ends = [[0; PARTITIONS as usize]; Topic::ALL.len()];
    for entry in &past.entries {
        let records = if entry.transaction == Transaction::None {
            1
        } else {
            2
        };
        ends[entry.topic as usize][entry.partition as usize] = entry.offset + records;
    }
    ends
}
