//! What is told of all sagas: how many stand how, those that somebody ought to look at, how long
//! each hop takes, and what could not be told.

use super::judge::{Judged, Outcome, World};
use super::model::{Model, Steps};
use super::{Monitor, hops};
use crate::event::Timestamp;
use crate::inspect::{At, Verdict};
use crate::text::{Visible, human};

/// How many sagas stand how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub completed: u64,
    pub rejected: u64,
    pub compensated: u64,
    pub lost: u64,
    pub blocked: u64,
    pub poison: u64,
    pub violation: u64,
    /// Those whose time is not up, and those of which what is missing was not read.
    pub open: u64,
    /// Overdue, and it is not known where the group stands. Not among the others.
    pub overdue: u64,
    /// Of `open`, those whose time is up: what is missing may stand where was not read.
    pub unread: u64,
    /// Began before what was read. Not among the others.
    pub headless: u64,
}

impl Counts {
    pub(super) fn add(&mut self, outcome: Outcome, number: u64) {
        if outcome == Outcome::Unread {
            self.unread += number;
        }
        *self.of(outcome) += number;
    }

    pub(super) fn remove(&mut self, outcome: Outcome) {
        let number = self.of(outcome);
        *number = number.saturating_sub(1);
    }

    fn of(&mut self, outcome: Outcome) -> &mut u64 {
        match outcome {
            Outcome::Violation => &mut self.violation,
            Outcome::Poison => &mut self.poison,
            Outcome::Rejected => &mut self.rejected,
            Outcome::Compensated => &mut self.compensated,
            Outcome::Completed => &mut self.completed,
            Outcome::Open | Outcome::Unread => &mut self.open,
            Outcome::Blocked => &mut self.blocked,
            Outcome::Lost => &mut self.lost,
            Outcome::Overdue => &mut self.overdue,
            Outcome::Headless => &mut self.headless,
        }
    }

    /// Those that somebody ought to look at.
    pub const fn bad(&self) -> u64 {
        self.lost + self.blocked + self.poison + self.violation + self.overdue
    }
}

/// One saga that somebody ought to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Case {
    /// The front of its id.
    pub id: Box<[u8]>,
    pub judged: Judged,
}

/// How long one hop takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HopReport {
    /// The types of the events; safe to show.
    pub cause: String,
    pub effect: String,
    pub number: u64,
    pub median_ms: i64,
    /// What takes longer is an outlier.
    pub bound_ms: i64,
    pub outliers: Vec<Outlier>,
}

/// An effect that took far longer than the others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outlier {
    pub id: Box<[u8]>,
    pub at: At,
    pub cause: At,
    pub time: Timestamp,
    pub ms: i64,
}

/// The report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SagaReport {
    /// The model's name; safe to show.
    pub name: String,
    pub verdict: Verdict,
    pub counts: Counts,
    /// By their place.
    pub cases: Vec<Case>,
    pub hops: Vec<HopReport>,
    /// Cases that there was no room for.
    pub unkept: u64,
    /// Sagas under way that were forgotten.
    pub forgotten: u64,
    /// What could not be told, each a sentence fragment.
    pub notes: Vec<String>,
}

impl SagaReport {
    /// The counts, where there was anything to count.
    pub const fn told(&self) -> Option<Counts> {
        match self.verdict {
            Verdict::Idle(_) => None,
            _ => Some(self.counts),
        }
    }
}

impl Model {
    /// How a saga ended of which all happened that had to.
    pub(super) const fn ended(&self, seen: Steps) -> Outcome {
        if seen.meets(self.rejecting) {
            Outcome::Rejected
        } else if seen.meets(self.undoing) {
            Outcome::Compensated
        } else {
            Outcome::Completed
        }
    }
}

impl Monitor {
    /// How all sagas stand now.
    pub fn report(&self, world: World<'_>) -> SagaReport {
        let name = Visible(&self.model.name).to_string();
        if let Some(why) = self.nothing_to_tell(&world) {
            return SagaReport {
                name,
                verdict: Verdict::Idle(why.into()),
                counts: Counts::default(),
                cases: Vec::new(),
                hops: Vec::new(),
                unkept: 0,
                forgotten: 0,
                notes: Vec::new(),
            };
        }
        let judge = self.judge(world);
        let (mut counts, mut cases, mut unkept) = (self.counts, Vec::new(), 0);
        for open in self.store.iter() {
            let happened = self.happened_of(open);
            let Some(judged) = judge.judge(open.steps, &happened) else {
                continue;
            };
            counts.add(judged.outcome, 1);
            if !judged.outcome.is_bad() {
                continue;
            }
            if cases.len() < self.limits.listed {
                let id = open.id.bytes().into();
                cases.push(Case { id, judged });
            } else {
                unkept += 1;
            }
        }
        cases.sort_by(|a, b| a.judged.at.rank().cmp(&b.judged.at.rank()));
        let hops = self
            .hops
            .told()
            .map(|(cause, effect, told)| self.hop(cause, effect, &told));
        let forgotten = self.store.forgotten();
        let notes = notes(&counts, forgotten, self.nameless);
        SagaReport {
            name,
            verdict: verdict(&counts, &notes),
            counts,
            cases,
            hops: hops.collect(),
            unkept,
            forgotten,
            notes,
        }
    }

    /// Why sagas cannot be judged at all, if so.
    pub(super) fn nothing_to_tell(&self, world: &World<'_>) -> Option<String> {
        if let Some(why) = world.reach.blind {
            return Some(why.to_owned());
        }
        let read = |topic: &str| world.reach.topics.contains_key(topic);
        let steps = self.model.steps.iter();
        let missing = steps
            .flat_map(|step| &step.topics)
            .find(|topic| !read(topic));
        if let Some(topic) = missing {
            return Some(format!("the topic {} is not read", Visible(topic)));
        }
        let start = self.model.get(self.model.start);
        (!self.met.has(self.model.start)).then(|| {
            format!(
                "no {} was read, with which one begins",
                Visible(&start.name)
            )
        })
    }

    fn hop(&self, cause: u8, effect: u8, told: &hops::Told) -> HopReport {
        let name = |step: u8| Visible(&self.model.get(step).name).to_string();
        let outlier = |slow: &hops::Slow| Outlier {
            id: slow.id.bytes().into(),
            at: self.lanes.at(slow.effect),
            cause: self.lanes.at(slow.cause),
            time: Timestamp(slow.time),
            ms: slow.ms,
        };
        HopReport {
            cause: name(cause),
            effect: name(effect),
            number: told.number,
            median_ms: told.median_ms,
            bound_ms: told.bound_ms,
            outliers: told.outliers.iter().map(outlier).collect(),
        }
    }
}

fn verdict(counts: &Counts, notes: &[String]) -> Verdict {
    if counts.bad() > 0 {
        return Verdict::Violation;
    }
    match notes.first() {
        Some(why) => Verdict::Inconclusive(why.clone().into()),
        None => Verdict::Clean,
    }
}

fn notes(counts: &Counts, forgotten: u64, nameless: u64) -> Vec<String> {
    let told = [
        (forgotten, "were forgotten while they were under way"),
        (
            counts.overdue,
            "are overdue, lost or blocked: nobody knows where the groups stand",
        ),
        (
            counts.unread,
            "are overdue, but what is missing may stand where was not read",
        ),
        (counts.headless, "began before what was read"),
    ];
    let said = told.into_iter().filter(|(number, _)| *number > 0);
    let mut notes: Vec<String> = said
        .map(|(number, what)| format!("{} {what}", human::count(number)))
        .collect();
    if nameless > 0 {
        let number = human::count(nameless);
        notes.push(format!("{number} events of a step have no id"));
    }
    notes
}
