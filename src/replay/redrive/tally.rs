//! What becomes of dead letters, counted in all and by reason.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::origin::Origin;
use crate::event::{EventRef, Timestamp};

/// Reasons that are told apart; further ones are one group.
const GROUPS: usize = 1_000;
/// The name of that group.
const OTHERS: &str = "other reasons";
/// Origins that a group names.
const ORIGINS: usize = 8;

/// What becomes of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// It goes back to where it came from.
    Redriven,
    // What follows is parked.
    /// It was redriven as often as is allowed.
    Capped,
    /// Nothing tells where it came from.
    NoOrigin,
    /// It names the dead letters themselves.
    OwnOrigin,
    /// The topic that it came from is not there.
    MissingTopic,
    /// It does not fit the schema of the topic that it came from: it would fail the same way.
    Invalid,
    // What follows is left alone.
    /// Its reason was not asked for.
    NotPicked,
    /// It was redriven or parked before: the copy is there.
    Done,
}

impl Fate {
    pub const ALL: [Self; 8] = [
        Self::Redriven,
        Self::Capped,
        Self::NoOrigin,
        Self::OwnOrigin,
        Self::MissingTopic,
        Self::Invalid,
        Self::NotPicked,
        Self::Done,
    ];

    pub const fn is_parked(self) -> bool {
        matches!(
            self,
            Self::Capped | Self::NoOrigin | Self::OwnOrigin | Self::MissingTopic | Self::Invalid
        )
    }

    /// What is done with it.
    pub(super) const fn verb(self) -> &'static str {
        match self {
            Self::Redriven => "redrive",
            Self::NotPicked | Self::Done => "leave",
            _ => "park",
        }
    }

    /// One word for tools and for the header of what is parked.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Redriven => "redriven",
            Self::Capped => "capped",
            Self::NoOrigin => "no_origin",
            Self::OwnOrigin => "own_origin",
            Self::MissingTopic => "missing_topic",
            Self::Invalid => "invalid",
            Self::NotPicked => "not_picked",
            Self::Done => "done",
        }
    }

    pub const fn reason(self) -> &'static str {
        match self {
            Self::Redriven => "to where they came from",
            Self::Capped => "redriven as often as is allowed (--max-redrives)",
            Self::NoOrigin => {
                "nothing tells where they came from (--origin-header, --origin, --to)"
            }
            Self::OwnOrigin => "they name the dead letters themselves as their origin",
            Self::MissingTopic => "the topic that they came from is not there",
            Self::Invalid => "they do not fit the schema of their topic, and would fail again",
            Self::NotPicked => "of another reason (--reason)",
            Self::Done => "redriven or parked before: their copies are there (--again)",
        }
    }
}

/// The dead letters of one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// In its normal form.
    pub reason: String,
    pub count: u64,
    pub first: Option<Timestamp>,
    pub last: Option<Timestamp>,
    /// Where the first stands, with its origin where that is known; no payload.
    pub sample: String,
    /// Topics that they came from, up to eight of them.
    pub origins: BTreeSet<Arc<str>>,
    fates: [u64; Fate::ALL.len()],
}

/// All counts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    pub found: u64,
    /// Bytes of those that are written, as they are written.
    pub bytes: u64,
    pub groups: Vec<Group>,
    numbers: HashMap<String, usize>,
    fates: [u64; Fate::ALL.len()],
}

impl Tally {
    pub(super) fn note(
        &mut self,
        reason: &str,
        fate: Fate,
        event: &EventRef<'_>,
        origin: Option<&Origin<'_>>,
    ) {
        self.found += 1;
        if let Some(count) = self.fates.get_mut(fate as usize) {
            *count += 1;
        }
        let full = self.groups.len() >= GROUPS;
        let reason = if full && !self.numbers.contains_key(reason) {
            OTHERS
        } else {
            reason
        };
        let number = self.numbers.get(reason).copied().unwrap_or_else(|| {
            self.numbers.insert(reason.to_owned(), self.groups.len());
            self.groups.push(Group::new(reason, event, origin));
            self.groups.len() - 1
        });
        if let Some(group) = self.groups.get_mut(number) {
            group.note(fate, event, origin);
        }
    }

    pub fn count(&self, fate: Fate) -> u64 {
        self.fates.get(fate as usize).copied().unwrap_or_default()
    }

    pub fn redriven(&self) -> u64 {
        self.count(Fate::Redriven)
    }

    pub fn parked(&self) -> u64 {
        let parked = Fate::ALL.into_iter().filter(|fate| fate.is_parked());
        parked.map(|fate| self.count(fate)).sum()
    }

    /// Neither redriven nor parked.
    pub fn left(&self) -> u64 {
        self.found - self.redriven() - self.parked()
    }
}

impl Group {
    fn new(reason: &str, event: &EventRef<'_>, origin: Option<&Origin<'_>>) -> Self {
        let stream = event.stream;
        let position = event.position.display(stream.style);
        let mut sample = format!("{}/{}@{position}", stream.topic, stream.partition);
        if let Some(origin) = origin {
            sample.push_str(" from ");
            sample.push_str(&origin.to_string());
        }
        Self {
            reason: reason.to_owned(),
            count: 0,
            first: None,
            last: None,
            sample,
            origins: BTreeSet::new(),
            fates: [0; Fate::ALL.len()],
        }
    }

    fn note(&mut self, fate: Fate, event: &EventRef<'_>, origin: Option<&Origin<'_>>) {
        self.count += 1;
        if let Some(count) = self.fates.get_mut(fate as usize) {
            *count += 1;
        }
        if let Some(time) = event.time() {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = Some(self.last.map_or(time, |last| last.max(time)));
        }
        if let Some(origin) = origin
            && self.origins.len() < ORIGINS
            && !self.origins.contains(&*origin.topic)
        {
            self.origins.insert((&*origin.topic).into());
        }
    }

    pub fn count_of(&self, fate: Fate) -> u64 {
        self.fates.get(fate as usize).copied().unwrap_or_default()
    }
}
