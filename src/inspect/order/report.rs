//! What the fold of the order tells: lanes, and anomalies in the order of their coordinates. The
//! verdicts are in `verdicts`.

use std::borrow::Cow;
use std::ops::Range;

use super::ids::Twice;
use super::sequence::After;
use super::{Found, GapRun, Offsets, Order, Sent, verdicts};
use crate::event::Timestamp;
use crate::inspect::lanes::Lanes;
use crate::inspect::{At, Verdict};

/// What is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Check {
    Time,
    Ids,
    Offsets,
    Versions,
    Sequences,
    Producers,
}

impl Check {
    pub const ALL: [Self; 6] = [
        Self::Time,
        Self::Ids,
        Self::Offsets,
        Self::Versions,
        Self::Sequences,
        Self::Producers,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Time => "event time",
            Self::Ids => "event ids",
            Self::Offsets => "offsets",
            Self::Versions => "versions",
            Self::Sequences => "sequences",
            Self::Producers => "producers",
        }
    }
}

/// What is wrong at an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// Its time lies before that of an event before it in the partition (`other`: the newest).
    Disorder {
        behind_ms: i64,
        /// By more than the bound.
        late: bool,
        /// Its own key has a newer event, too.
        same_key: bool,
    },
    /// Its id was there before (`other`: the first).
    Duplicate {
        id: Box<[u8]>,
        /// How the first and this one were sent, where it is known.
        sent: [Option<Sent>; 2],
    },
    /// Offsets `from..to` before it carry no event, and nothing explains it.
    Gap {
        from: u64,
        to: u64,
        class: super::Gap,
    },
    /// A version of its key that ought to have come before the one at `other`.
    Version { version: u64 },
    /// A version of its key that was there already.
    VersionAgain { version: u64 },
    /// The numbers `from..=to` of this producer did not come before it or anywhere.
    SequenceHole {
        producer: Box<[u8]>,
        from: u64,
        to: u64,
    },
    /// The record batch that begins here comes after others of its producer that are not there:
    /// their numbers `from..=to`, which wrap after the greatest.
    ProducerHole { sent: Sent, from: i32, to: i32 },
    /// The record batch that begins here has numbers that its producer had used.
    ProducerAgain { sent: Sent },
}

/// One thing that is wrong, at the event where it shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Anomaly {
    pub kind: Kind,
    pub at: At,
    /// The event that it is wrong against.
    pub other: Option<At>,
    /// The front of its key.
    pub key: Option<Box<[u8]>>,
    pub time: Option<Timestamp>,
}

/// One partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LaneReport {
    /// The first and the last event that were seen.
    pub first: At,
    pub last: At,
    pub events: u64,
    pub first_time: Option<Timestamp>,
    pub newest_time: Option<Timestamp>,
    /// The broker set the times, not the producers.
    pub append_time: bool,
    pub offsets: Offsets,
    /// The runs of offsets without an event, as many as were kept.
    pub gaps: Vec<GapRun>,
    pub gaps_unkept: u64,
    /// Those of [`OrderReport::anomalies`] that are in this partition.
    pub anomalies: Range<usize>,
}

/// What the verdicts rest on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Coverage {
    pub events: u64,
    /// With a time; with an id; with a version.
    pub timed: u64,
    pub ids: u64,
    pub versioned: u64,
    /// With an id that was there before.
    pub duplicates: u64,
    /// Record batches with a producer's number; times that a producer began anew.
    pub numbered_batches: u64,
    pub producer_resets: u64,
    /// Keys whose first version is not 1: their beginning was not seen.
    pub left_censored: u64,
    /// Aborted events, which a careless reader sees.
    pub ghosts: u64,
    /// Events of dead-letter topics, not looked at.
    pub dead_letters: u64,
    /// Events that a filter left out.
    pub filtered: u64,
    /// Events that came once more from the same place, not looked at.
    pub again: u64,
    /// Anomalies that there was no room for.
    pub unkept: u64,
    /// The reader jumped ahead.
    pub skipped: bool,
}

/// The whole report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderReport {
    /// By topic and partition.
    pub lanes: Vec<LaneReport>,
    /// By topic, partition and position.
    pub anomalies: Vec<Anomaly>,
    pub checks: Vec<(Check, Verdict)>,
    pub coverage: Coverage,
}

impl OrderReport {
    /// The anomalies of a partition.
    pub fn of_lane(&self, lane: &LaneReport) -> &[Anomaly] {
        self.anomalies
            .get(lane.anomalies.clone())
            .unwrap_or_default()
    }

    /// The anomalies of one key of a topic, in the order of their coordinates.
    pub fn of_key<'a>(
        &'a self,
        topic: &'a str,
        key: &'a [u8],
    ) -> impl Iterator<Item = &'a Anomaly> + 'a {
        let same = move |a: &&Anomaly| &*a.at.topic == topic && a.key.as_deref() == Some(key);
        self.anomalies.iter().filter(same)
    }

    /// What a check concludes.
    pub fn verdict(&self, check: Check) -> Option<&Verdict> {
        let found = self.checks.iter().find(|(known, _)| *known == check);
        found.map(|(_, verdict)| verdict)
    }
}

pub(super) fn build(order: &Order, ended: bool) -> OrderReport {
    let mut anomalies: Vec<Anomaly> = order
        .found
        .iter()
        .filter(|found| stands(order, found))
        .map(|found| told(found, &order.lanes))
        .collect();
    let holes = holes(order, ended);
    anomalies.extend(holes.found.iter().map(|found| told(found, &order.lanes)));
    let proven = order.proven.iter().flat_map(|proven| &proven.twice);
    anomalies.extend(proven.map(again));
    anomalies.sort_by(|a, b| a.at.rank().cmp(&b.at.rank()));
    let checks = Check::ALL
        .into_iter()
        .map(|check| (check, verdicts::of(order, check, &holes)))
        .collect();
    OrderReport {
        lanes: lanes(order, &anomalies),
        anomalies,
        checks,
        coverage: Coverage {
            numbered_batches: order.producers.numbered,
            producer_resets: order.producers.resets,
            ..order.coverage
        },
    }
}

/// False for versions of a topic of which it was learnt since that they number no events, and for
/// a gap that was explained since.
fn stands(order: &Order, found: &Found) -> bool {
    if let Kind::Gap { from, class, .. } = found.kind {
        let account = &order.states[found.spot.lane as usize].account;
        return account.class_of(from).is_none_or(|now| now == class);
    }
    let version = matches!(found.kind, Kind::Version { .. } | Kind::VersionAgain { .. });
    let topic = order.lanes.get(found.spot.lane).topic_number;
    !version || order.versioned[topic as usize].counts_events()
}

fn told(found: &Found, lanes: &Lanes) -> Anomaly {
    Anomaly {
        kind: found.kind.clone(),
        at: lanes.at(found.spot),
        other: found.other.map(|spot| lanes.at(spot)),
        key: found.key.clone(),
        time: found.time.map(Timestamp),
    }
}

fn again(twice: &Twice) -> Anomaly {
    Anomaly {
        kind: Kind::Duplicate {
            id: twice.id.clone(),
            sent: twice.sent,
        },
        at: twice.at.clone(),
        other: Some(twice.first.clone()),
        key: twice.key.clone(),
        time: twice.time.map(Timestamp),
    }
}

fn lanes(order: &Order, anomalies: &[Anomaly]) -> Vec<LaneReport> {
    let mut lanes: Vec<LaneReport> = Vec::new();
    for (number, lane) in order.lanes.iter() {
        let state = &order.states[number as usize];
        let (Some(first), Some(last)) = (state.first, state.last) else {
            continue;
        };
        let (first, last) = (lane.at(first), lane.at(last));
        let own = (&*first.topic, first.partition, first.origin);
        let against = |a: &Anomaly| (&*a.at.topic, a.at.partition, a.at.origin).cmp(&own);
        let from = anomalies.partition_point(|a| against(a).is_lt());
        let to = anomalies.partition_point(|a| against(a).is_le());
        lanes.push(LaneReport {
            first,
            last,
            events: state.events,
            first_time: state.first_time.map(Timestamp),
            newest_time: state.newest.map(|(time, _)| Timestamp(time)),
            append_time: state.append_time,
            offsets: state.account.offsets(),
            gaps: state.account.runs.clone(),
            gaps_unkept: state.account.runs_dropped,
            anomalies: from..to,
        });
    }
    lanes.sort_by(|a, b| a.first.rank().cmp(&b.first.rank()));
    lanes
}

/// The numbers that producers left out.
pub(super) struct Holes {
    pub(super) found: Vec<Found>,
    /// One that may still come, or numbers that do not count this topic.
    pub(super) doubt: Option<Cow<'static, str>>,
}

fn holes(order: &Order, ended: bool) -> Holes {
    let mut holes = Holes {
        found: Vec::new(),
        doubt: None,
    };
    let settled = slowest(order);
    for (topic, producer, sequence) in order.sequences.iter() {
        if !sequence.is_dense() {
            let why = "a producer's numbers have more holes than events: they do not count the \
                       events of this topic";
            holes.doubt.get_or_insert(why.into());
            continue;
        }
        for hole in sequence.holes() {
            let After { spot, time, key } = hole.after;
            let passed = settled.get(topic as usize).copied().flatten();
            if !ended && time.zip(passed).is_none_or(|(t, passed)| t >= passed) {
                let why = "a missing number may still be on its way";
                holes.doubt.get_or_insert(why.into());
                continue;
            }
            if holes.found.len() < order.limits.anomalies {
                holes.found.push(Found {
                    kind: Kind::SequenceHole {
                        producer: producer.into(),
                        from: hole.from,
                        to: hole.to,
                    },
                    spot,
                    other: None,
                    key,
                    time,
                });
            }
        }
    }
    holes
}

/// For each topic, the time that all its partitions with events have reached.
fn slowest(order: &Order) -> Vec<Option<i64>> {
    let mut slowest: Vec<Option<i64>> = vec![None; order.lanes.topics()];
    for (number, lane) in order.lanes.iter() {
        let newest = order.states[number as usize].newest.map(|(time, _)| time);
        if let (Some(slot), Some(time)) = (slowest.get_mut(lane.topic_number as usize), newest) {
            *slot = Some(slot.map_or(time, |least| least.min(time)));
        }
    }
    slowest
}
