//! The lanes of a report, by partition or by key, and what each kind of anomaly is called.

use std::time::Duration;

use crate::inspect::order::{Anomaly, Kind, LaneReport, Sent};
use crate::text::human;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::views::findings::found::{Found, KeyLane};
use crate::tui::views::flow;

/// What is out of order, as a sign and a letter; the last weighs most.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sort {
    Inversion,
    Late,
    Sequence,
    Version,
    Duplicate,
    Gap,
}

impl Sort {
    pub const ALL: [Self; 6] = [
        Self::Inversion,
        Self::Late,
        Self::Duplicate,
        Self::Gap,
        Self::Version,
        Self::Sequence,
    ];

    pub fn of(anomaly: &Anomaly) -> Self {
        match anomaly.kind {
            Kind::Disorder { late: true, .. } => Self::Late,
            Kind::Disorder { .. } => Self::Inversion,
            Kind::Duplicate { .. } => Self::Duplicate,
            Kind::Gap { .. } => Self::Gap,
            Kind::Version { .. } | Kind::VersionAgain { .. } => Self::Version,
            Kind::SequenceHole { .. } | Kind::ProducerHole { .. } | Kind::ProducerAgain { .. } => {
                Self::Sequence
            }
        }
    }

    pub const fn letter(self) -> &'static str {
        match self {
            Self::Inversion => "I",
            Self::Late => "L",
            Self::Duplicate => "D",
            Self::Gap => "G",
            Self::Version => "V",
            Self::Sequence => "S",
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Inversion => "inversion",
            Self::Late => "late",
            Self::Duplicate => "duplicate",
            Self::Gap => "gap",
            Self::Version => "version",
            Self::Sequence => "sequence hole",
        }
    }

    pub const fn sign(self, glyphs: &'static Glyphs) -> &'static str {
        match self {
            Self::Inversion => glyphs.left,
            Self::Late => glyphs.undecodable,
            Self::Duplicate => "=",
            Self::Gap => glyphs.ellipsis,
            Self::Version => glyphs.down,
            Self::Sequence => glyphs.unknown,
        }
    }

    pub const fn role(self) -> Role {
        match self {
            Self::Inversion | Self::Late => Role::Warn,
            _ => Role::Bad,
        }
    }
}

/// By partition all lanes, by key those that have anomalies.
#[derive(Clone, Copy)]
pub struct Lanes<'a> {
    found: &'a Found,
    by_key: bool,
}

/// What one lane is told from others by: source, topic, partition or key.
#[derive(PartialEq, Eq)]
pub struct Name<'a>(u16, &'a str, u32, &'a [u8]);

impl<'a> Lanes<'a> {
    pub const fn of(found: &'a Found, by_key: bool) -> Self {
        Self { found, by_key }
    }

    pub fn len(&self) -> usize {
        if self.by_key {
            self.found.keys.len()
        } else {
            self.found.order.lanes.len()
        }
    }

    fn key(&self, lane: usize) -> Option<&'a KeyLane> {
        self.found.keys.get(lane).filter(|_| self.by_key)
    }

    /// The partition of a lane; of a key, that of its first anomaly.
    pub fn partition(&self, lane: usize) -> Option<&'a LaneReport> {
        let lanes = &self.found.order.lanes;
        if !self.by_key {
            return lanes.get(lane);
        }
        let at = &self.anomaly(lane, 0)?.at;
        let own = (&*at.topic, at.partition, at.origin);
        let place = |l: &LaneReport| (l.first.topic.clone(), l.first.partition, l.first.origin);
        let found = lanes.binary_search_by(|l| {
            let (topic, partition, origin) = place(l);
            (&*topic, partition, origin).cmp(&own)
        });
        lanes.get(found.ok()?)
    }

    pub fn anomalies(&self, lane: usize) -> usize {
        match self.key(lane) {
            Some(key) => key.anomalies.len(),
            None if self.by_key => 0,
            None => {
                let lane = self.found.order.lanes.get(lane);
                lane.map_or(0, |l| l.anomalies.len())
            }
        }
    }

    pub fn anomaly(&self, lane: usize, at: usize) -> Option<&'a Anomaly> {
        let index = if self.by_key {
            *self.key(lane)?.anomalies.get(at)?
        } else {
            let lane = self.found.order.lanes.get(lane)?;
            let index = lane.anomalies.start + at;
            lane.anomalies.contains(&index).then_some(index)?
        };
        self.found.order.anomalies.get(index)
    }

    pub fn all_of(&self, lane: usize) -> impl Iterator<Item = &'a Anomaly> + use<'a, '_> {
        (0..self.anomalies(lane)).filter_map(move |at| self.anomaly(lane, at))
    }

    pub fn name(&self, lane: usize) -> Option<Name<'a>> {
        if let Some(key) = self.key(lane) {
            return Some(Name(0, &key.topic, 0, &key.key));
        }
        let first = &self.partition(lane)?.first;
        Some(Name(first.origin, &first.topic, first.partition, &[]))
    }

    /// The lane of this name; most often it is still where it was.
    pub fn find(&self, near: usize, name: &Name<'_>) -> Option<usize> {
        let same = |lane: &usize| self.name(*lane).as_ref() == Some(name);
        Some(near)
            .filter(same)
            .or_else(|| (0..self.len()).find(same))
    }

    /// `payments/1`, or the topic and the key.
    pub fn title(&self, lane: usize) -> String {
        if let Some(key) = self.key(lane) {
            return format!("{} {}", key.topic, flow::bytes(Some(&key.key)));
        }
        self.partition(lane).map_or_else(String::new, |l| {
            format!("{}/{}", l.first.topic, l.first.partition)
        })
    }
}

fn span(ms: i64) -> String {
    human::duration(Duration::from_millis(ms.unsigned_abs()))
}

/// What is wrong, in a line.
pub fn told(anomaly: &Anomaly) -> String {
    let other = anomaly.other.as_ref().map(ToString::to_string);
    let other = other.unwrap_or_default();
    match &anomaly.kind {
        Kind::Disorder {
            behind_ms,
            same_key,
            ..
        } => {
            let whose = if *same_key { ", also of its key" } else { "" };
            format!("{} before the time of {other}{whose}", span(*behind_ms))
        }
        Kind::Duplicate { id, sent } => {
            let how = Sent::how(*sent).map_or_else(String::new, |how| format!("; {how}"));
            format!("id {} was already at {other}{how}", flow::bytes(Some(id)))
        }
        Kind::Gap { from, to, class } => {
            let why = match class {
                crate::inspect::order::Gap::Unexplained => "nothing explains it",
                _ => "the source tells nothing that could explain it",
            };
            let number = human::count(to.saturating_sub(*from));
            format!("{number} offsets from {from} on hold no event; {why}")
        }
        Kind::Version { version } => format!("version {version} comes after the later {other}"),
        Kind::VersionAgain { version } => format!("version {version} was there before"),
        Kind::SequenceHole { producer, from, to } => {
            let producer = flow::bytes(Some(producer));
            if from == to {
                format!("number {from} of {producer} never came")
            } else {
                format!("numbers {from} to {to} of {producer} never came")
            }
        }
        Kind::ProducerHole { sent, from, to } => {
            format!("{sent}, and not {from} to {to} before it")
        }
        Kind::ProducerAgain { sent } => format!("{sent}, which was there before"),
    }
}
