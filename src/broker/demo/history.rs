//! The fixed history: every record that the services appended in the first two minutes, in the
//! order of appending, with its offset; and where the consumer groups stood then. Data only: `log`
//! keeps it as record batches.

use super::orders::{Event, NOW, PARTITIONS, Topic};
use super::steps::{FIRST_LIVE_ORDER, FIRST_ORDER, Outcome, STEPS, placed_in_history};
use super::wire::Wire;
use crate::broker::{self, HistoryRecord, NewTopic};
use crate::event::{HeaderBuf, Timestamp};

/// How a record was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Transaction {
    None,
    Committed,
    Aborted,
}

/// Where a dead letter came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Letter {
    pub(super) partition: u32,
    pub(super) offset: u64,
    /// It was put there for the second time.
    pub(super) parked: bool,
}

/// One appended record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) topic: Topic,
    pub(super) partition: u32,
    pub(super) offset: u64,
    /// The record's timestamp (`CreateTime`).
    pub(super) timestamp: Timestamp,
    pub(super) event: Event,
    pub(super) transaction: Transaction,
    pub(super) letter: Option<Letter>,
}

impl Entry {
    /// The record's bytes.
    pub(super) fn write(&self, wire: &mut Wire) {
        wire.write(&self.event);
        if let Some(letter) = self.letter {
            letter.write_headers(self.event.time, wire);
        }
    }
}

impl Letter {
    /// As Spring Kafka's recoverer writes them: the origin's numbers are big-endian.
    pub(super) fn write_headers(self, timestamp: Timestamp, wire: &mut Wire) {
        let headers: [(&str, &[u8]); 8] = [
            (
                "kafka_dlt-original-topic",
                Topic::Payments.name().as_bytes(),
            ),
            (
                "kafka_dlt-original-partition",
                &self.partition.to_be_bytes(),
            ),
            ("kafka_dlt-original-offset", &self.offset.to_be_bytes()),
            ("kafka_dlt-original-timestamp", &timestamp.0.to_be_bytes()),
            ("kafka_dlt-original-timestamp-type", b"CreateTime"),
            ("kafka_dlt-original-consumer-group", b"ledger-svc"),
            (
                "kafka_dlt-exception-fqcn",
                b"java.net.SocketTimeoutException",
            ),
            ("kafka_dlt-exception-message", b"ledger: read timed out"),
        ];
        for (name, value) in headers {
            wire.add_header(name, value);
        }
        if self.parked {
            wire.add_header("evtap-count", b"1");
        }
    }
}

/// The history and what the live part must go on from.
#[derive(Debug, Clone)]
pub(super) struct Past {
    /// In the order of appending.
    pub(super) entries: Vec<Entry>,
    /// The number of the notifier's last notification, sent or lost.
    pub(super) notifications: u64,
}

impl Past {
    pub(super) fn new() -> Self {
        let mut appended = Vec::new();
        for order in FIRST_ORDER..FIRST_LIVE_ORDER {
            let placed = placed_in_history(order);
            for step in STEPS {
                let at = Timestamp(placed.0 + step.delay);
                if at > NOW {
                    continue;
                }
                if let Some(outcome) = step.take(order, placed) {
                    appended.push((at, order, outcome));
                }
            }
        }
        // Ties go by the order's number; the sort is stable.
        appended.sort_by_key(|(at, order, _)| (*at, *order));
        let mut past = Self {
            entries: Vec::with_capacity(appended.len()),
            notifications: 0,
        };
        let mut ends = [[0u64; PARTITIONS as usize]; Topic::ALL.len()];
        for (at, _, outcome) in appended {
            past.append(at, outcome, &mut ends);
        }
        past
    }

    fn append(&mut self, at: Timestamp, outcome: Outcome, ends: &mut Ends) {
        let (event, transaction) = match outcome {
            Outcome::Record(event) => (event, Transaction::None),
            Outcome::Committed(event) => (event, Transaction::Committed),
            Outcome::Aborted(event) => (event, Transaction::Aborted),
            Outcome::DeadLetter { payment, parked } => return self.bury(at, payment, parked, ends),
            Outcome::Lost => {
                self.notifications += 1;
                return;
            }
        };
        let mut event = event;
        let topic = event.kind.topic();
        if topic == Topic::Notifications {
            self.notifications += 1;
            event.sequence = self.notifications;
        }
        let partition = event.partition();
        let end = &mut ends[topic as usize][partition as usize];
        self.entries.push(Entry {
            topic,
            partition,
            offset: *end,
            timestamp: event.time,
            event,
            transaction,
            letter: None,
        });
        // A transaction's marker takes the next offset.
        *end += if transaction == Transaction::None {
            1
        } else {
            2
        };
    }

    fn bury(&mut self, at: Timestamp, payment: Event, parked: bool, ends: &mut Ends) {
        let origin = self
            .entries
            .iter()
            .find(|e| e.topic == Topic::Payments && e.event.order == payment.order);
        let Some(origin) = origin else { return };
        let letter = Letter {
            partition: origin.partition,
            offset: origin.offset,
            parked,
        };
        let end = &mut ends[Topic::DeadLetters as usize][0];
        self.entries.push(Entry {
            topic: Topic::DeadLetters,
            partition: 0,
            offset: *end,
            timestamp: at,
            event: payment,
            transaction: Transaction::None,
            letter: Some(letter),
        });
        *end += 1;
    }
}

/// The next offset of each partition.
type Ends = [[u64; PARTITIONS as usize]; Topic::ALL.len()];

/// The log cleaner ran over the order's state once: `[0, end)` of each partition, in which only the
/// last record of each key is left.
pub(super) const CLEANED: [u64; PARTITIONS as usize] = [6, 7, 11];

/// A consumer group as the history leaves it.
#[derive(Debug)]
pub(super) struct GroupState {
    pub(super) name: &'static str,
    pub(super) topics: &'static [Topic],
    /// The members, and what each owns.
    pub(super) members: &'static [(&'static str, &'static [u32])],
    /// Next offset to read of each partition, where it is not simply after the last record.
    pub(super) stands_at: Option<[u64; PARTITIONS as usize]>,
}

const ALONE: &[(&str, &[u32])] = &[("m1", &[0, 1, 2])];

pub(super) const GROUPS: &[GroupState] = &[
    // Its five first records of each partition, then nobody came back.
    group("billing-svc", &[Topic::Orders], &[], Some([5, 5, 5])),
    group(
        "notifier-svc",
        &[Topic::OrderValidation, Topic::Orders, Topic::Shipments],
        ALONE,
        None,
    ),
    group("order-svc", &[Topic::Payments], ALONE, None),
    group("payment-svc", &[Topic::OrderValidation], ALONE, None),
    // On partition 1 it stands before the poisoned record.
    group(
        "shipping-svc",
        &[Topic::Payments],
        &[("m1", &[0, 1]), ("m2", &[2])],
        Some([37, 24, 39]),
    ),
    group("validation-svc", &[Topic::Orders], ALONE, None),
];

const fn group(
    name: &'static str,
    topics: &'static [Topic],
    members: &'static [(&'static str, &'static [u32])],
    stands_at: Option<[u64; PARTITIONS as usize]>,
) -> GroupState {
    GroupState {
        name,
        topics,
        members,
        stands_at,
    }
}

impl GroupState {
    /// The commit on a partition, given the offset after its last visible record.
    pub(super) fn committed(&self, partition: u32, after_last: u64) -> u64 {
        match self.stands_at {
            Some(offsets) => offsets[partition as usize],
            None => after_last,
        }
    }

    /// The broker's word for it.
    pub(super) const fn state(&self) -> &'static str {
        if self.members.is_empty() {
            "Empty"
        } else {
            "Stable"
        }
    }

    /// Who owns the partition.
    pub(super) fn owner(&self, partition: u32) -> Option<&'static str> {
        self.members
            .iter()
            .find(|(_, owned)| owned.contains(&partition))
            .map(|(name, _)| *name)
    }
}

impl Past {
    /// The offset after the last record of a partition that a committed reader sees.
    pub(super) fn after_last(&self, topic: Topic, partition: u32) -> u64 {
        self.entries
            .iter()
            .rev()
            .find(|e| {
                e.topic == topic
                    && e.partition == partition
                    && e.transaction != Transaction::Aborted
            })
            .map_or(0, |e| e.offset + 1)
    }
}

/// The history for another broker: topics, all records with their transactions, group commits.
/// Records that the cleaner took out here are there, since no broker compacts on demand.
pub fn history() -> broker::History {
    let past = Past::new();
    let mut wire = Wire::default();
    let records = past
        .entries
        .iter()
        .map(|entry| {
            entry.write(&mut wire);
            let mut headers = HeaderBuf::default();
            headers.extend(wire.headers());
            HistoryRecord {
                topic: entry.topic.name().into(),
                partition: entry.partition,
                timestamp: entry.timestamp,
                key: Some(wire.key().to_vec()),
                value: wire.value().map(<[u8]>::to_vec),
                headers,
                transaction: match entry.transaction {
                    Transaction::None => None,
                    Transaction::Committed => Some(true),
                    Transaction::Aborted => Some(false),
                },
            }
        })
        .collect();
    let mut commits = Vec::new();
    for group in GROUPS {
        for &topic in group.topics {
            for partition in 0..topic.partitions() {
                let offset = group.committed(partition, past.after_last(topic, partition));
                commits.push((
                    group.name.to_owned(),
                    topic.name().to_owned(),
                    partition,
                    offset,
                ));
            }
        }
    }
    broker::History {
        topics: Topic::ALL.into_iter().map(new_topic).collect(),
        records,
        commits,
    }
}

fn new_topic(topic: Topic) -> NewTopic {
    // The timestamps are of 2024: any retention by time would delete the records at once.
    let mut config = vec![("retention.ms".to_owned(), "-1".to_owned())];
    if topic == Topic::OrderEvents {
        config.push(("cleanup.policy".to_owned(), "compact".to_owned()));
        // Nothing is ever old enough to be cleaned.
        config.push(("min.compaction.lag.ms".to_owned(), i64::MAX.to_string()));
    }
    NewTopic {
        name: topic.name().to_owned(),
        partitions: topic.partitions(),
        config,
    }
}
