//! How a saga stands: what is missing, whether it is overdue, and who has passed the event before
//! it. Where what is missing may only not have been read, nobody is accused.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::commits::Commits;
use super::model::{Model, StepNumber, Steps};
use crate::event::Timestamp;
use crate::inspect::At;
use crate::text::Visible;

/// How far the reading came.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Reach {
    /// The topics that are read, and whether all partitions of each were read to their end.
    pub topics: BTreeMap<Arc<str>, bool>,
    /// Why nothing can be said of what is missing, where that is so: a filter leaves events out.
    pub blind: Option<&'static str>,
}

/// What is known beside the events.
#[derive(Debug, Clone, Copy)]
pub struct World<'a> {
    /// Where the consumers stand; `None` where nobody knows.
    pub commits: Option<&'a Commits>,
    pub reach: &'a Reach,
    pub now: Timestamp,
}

/// How a saga stands. The first of these that holds is told; what cannot be told comes last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Something happened that must not happen after what did.
    Violation,
    /// A step of it cannot be decoded.
    Poison,
    Rejected,
    Compensated,
    Completed,
    /// What must follow has time left.
    Open,
    /// The group that must act has not come to the event.
    Blocked,
    /// The group has passed the event, and nothing followed.
    Lost,
    /// Overdue, and nobody knows where the group stands.
    Overdue,
    /// What is missing may stand where was not read: right-censored.
    Unread,
    /// It began before what was read: left-censored.
    Headless,
}

impl Outcome {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Violation => "VIOLATION",
            Self::Poison => "POISON",
            Self::Rejected => "REJECTED",
            Self::Compensated => "COMPENSATED",
            Self::Completed => "COMPLETED",
            Self::Open | Self::Unread => "OPEN",
            Self::Blocked => "BLOCKED",
            Self::Lost => "LOST",
            Self::Overdue => "OVERDUE",
            Self::Headless => "UNKNOWN",
        }
    }

    /// It ended as it may end.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Rejected | Self::Compensated | Self::Completed)
    }

    /// Somebody ought to look at it.
    pub const fn is_bad(self) -> bool {
        matches!(
            self,
            Self::Violation | Self::Poison | Self::Blocked | Self::Lost | Self::Overdue
        )
    }
}

/// A step that must follow and did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lack {
    /// The event that it must follow.
    pub after: At,
    /// The type of that event, and the types of which one must follow; safe to show.
    pub cause: String,
    pub next: Vec<String>,
    /// The group that must act, and its commit in the partition of the event.
    pub group: Option<String>,
    pub committed: Option<At>,
    pub sla_ms: i64,
    /// Since the time was up; negative while it is not.
    pub overdue_ms: Option<i64>,
}

/// What is told of one saga.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judged {
    pub outcome: Outcome,
    /// The event that it is told at: the last that was seen, or the one that is wrong.
    pub at: At,
    pub time: Option<Timestamp>,
    /// The event that it is held against.
    pub other: Option<At>,
    pub lack: Option<Lack>,
    /// For a violation: what happened although what must come before it did not. Safe to show.
    pub breach: Option<(String, String)>,
}

/// A step that happened; without a number where it could not be decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Happened {
    pub(super) step: Option<StepNumber>,
    pub(super) at: At,
    pub(super) time: Option<i64>,
}

/// What the whole reading tells of the topics of the steps.
#[derive(Debug)]
pub(super) struct Judge<'a> {
    pub(super) model: &'a Model,
    pub(super) world: World<'a>,
    /// For each step, the topics that it is in.
    pub(super) topics: Vec<Vec<Arc<str>>>,
    /// Everything of a topic up to this time was read; not there for one that is not read.
    pub(super) read_up_to: BTreeMap<Arc<str>, i64>,
    /// The first event of a topic.
    pub(super) begins: BTreeMap<Arc<str>, i64>,
}

impl Judge<'_> {
    /// True when every topic that has a step was read to its end.
    fn whole(&self) -> bool {
        let mut all = self.topics.iter().flatten();
        all.all(|topic| self.world.reach.topics.get(topic) == Some(&true))
    }

    /// How a saga stands of which these steps happened, most of them at known places. `None` where
    /// it is none.
    pub(super) fn judge(&self, seen: Steps, happened: &[Happened]) -> Option<Judged> {
        let last = happened.iter().max_by_key(|h| (h.time, h.step.is_none()))?;
        let told = |outcome| Judged {
            outcome,
            at: last.at.clone(),
            time: last.time.map(Timestamp),
            other: None,
            lack: None,
            breach: None,
        };
        let poison = happened.iter().find(|h| self.is_poison(h));
        if let Some(violation) = self.violation(happened, seen, poison.is_some()) {
            return Some(violation);
        }
        if let Some(poison) = poison {
            return Some(Judged {
                at: poison.at.clone(),
                time: poison.time.map(Timestamp),
                ..told(Outcome::Poison)
            });
        }
        if seen.is_empty() {
            // Only what is of no step, and cannot be decoded.
            return None;
        }
        if self.model.is_whole(seen) {
            return Some(told(self.model.ended(seen)));
        }
        if !seen.has(self.model.start) {
            return Some(told(Outcome::Headless));
        }
        let lacks = self.lacks(happened, seen);
        let worst = lacks
            .into_iter()
            .min_by_key(|(outcome, lack)| (*outcome, std::cmp::Reverse(lack.overdue_ms)));
        Some(match worst {
            Some((outcome, lack)) => Judged {
                other: (lack.after != last.at).then(|| lack.after.clone()),
                lack: Some(lack),
                ..told(outcome)
            },
            None => told(Outcome::Unread),
        })
    }

    /// Undecodable, in a topic of the saga.
    fn is_poison(&self, happened: &Happened) -> bool {
        let mut topics = self.topics.iter().flatten();
        happened.step.is_none() && topics.any(|topic| *topic == happened.at.topic)
    }

    /// A step that happened although none did that it may follow, and cannot have.
    fn violation(&self, happened: &[Happened], seen: Steps, poisoned: bool) -> Option<Judged> {
        let find = |step: StepNumber| happened.iter().find(|h| h.step == Some(step));
        self.model.unfounded(seen).iter().find_map(|step| {
            let wrong = find(step)?;
            let name = |step: StepNumber| Visible(&self.model.get(step).name).to_string();
            let (other, before) = match self.model.instead(step, seen) {
                Some(instead) if !poisoned => (find(instead), format!("after {}", name(instead))),
                None if !poisoned && self.skipped(happened, seen, step) => {
                    let after = self.model.get(step).after.iter();
                    let causes: Vec<String> = after.map(name).collect();
                    (None, format!("without {}", causes.join(" or ")))
                }
                _ => return None,
            };
            Some(Judged {
                outcome: Outcome::Violation,
                at: wrong.at.clone(),
                time: wrong.time.map(Timestamp),
                other: other.map(|h| h.at.clone()),
                lack: None,
                breach: Some((name(step), before)),
            })
        })
    }

    /// What must come before a step is not there, and all of it was read from before the saga
    /// began to the end.
    fn skipped(&self, happened: &[Happened], seen: Steps, step: StepNumber) -> bool {
        let start = happened.iter().find(|h| h.step == Some(self.model.start));
        let Some(began) = start.and_then(|h| h.time) else {
            return false;
        };
        let mut causes = self.model.get(step).after.iter();
        seen.has(self.model.start)
            && self.whole()
            && causes.all(|cause| {
                let topics = self.topics.get(usize::from(cause));
                let covers = |t: &Arc<str>| self.begins.get(t).is_some_and(|t| *t < began);
                topics.is_some_and(|topics| !topics.is_empty() && topics.iter().all(covers))
            })
    }

    /// What must follow and did not.
    fn lacks(&self, happened: &[Happened], seen: Steps) -> Vec<(Outcome, Lack)> {
        // What a step must follow that happened has happened, too, where nobody read it.
        let mut implied = Steps::default();
        for step in self.model.unfounded(seen).iter() {
            implied.0 |= self.model.get(step).after.0;
        }
        let causes = self.model.unfollowed(seen).iter();
        let lack = |cause: StepNumber| {
            let step = self.model.get(cause);
            if step.then.meets(implied) {
                return None;
            }
            let event = happened.iter().find(|h| h.step == Some(cause))?;
            Some(self.lack(cause, event))
        };
        causes.filter_map(lack).collect()
    }

    fn lack(&self, cause: StepNumber, event: &Happened) -> (Outcome, Lack) {
        let step = self.model.get(cause);
        let safe = |name: &str| Visible(name).to_string();
        let due = event.time.map(|t| t.saturating_add(step.sla_ms));
        let mut lack = Lack {
            after: event.at.clone(),
            cause: safe(&step.name),
            next: step
                .then
                .iter()
                .map(|n| safe(&self.model.get(n).name))
                .collect(),
            group: step.by.as_deref().map(safe),
            committed: None,
            sla_ms: step.sla_ms,
            overdue_ms: due.map(|due| self.world.now.0.saturating_sub(due)),
        };
        let outcome = match due {
            Some(due) if self.world.now.0 < due => Outcome::Open,
            Some(due) if self.read_up_to(step.then).is_some_and(|time| time >= due) => {
                self.stands(step.by.as_deref(), event, due, &mut lack)
            }
            _ => Outcome::Unread,
        };
        (outcome, lack)
    }

    /// The time up to which every topic of these steps was read; `None` where one is not known.
    fn read_up_to(&self, steps: Steps) -> Option<i64> {
        let mut least = i64::MAX;
        for step in steps.iter() {
            let topics = self.topics.get(usize::from(step))?;
            if topics.is_empty() {
                return None;
            }
            for topic in topics {
                least = least.min(*self.read_up_to.get(topic)?);
            }
        }
        Some(least)
    }

    /// Overdue: has the group that must act come to the event?
    fn stands(&self, by: Option<&str>, event: &Happened, due: i64, lack: &mut Lack) -> Outcome {
        let commits = self.world.commits;
        let found = commits.and_then(|all| Some((all, all.slowest(by, &event.at)?)));
        let Some((commits, (group, committed))) = found else {
            return Outcome::Overdue;
        };
        lack.group = Some(Visible(group).to_string());
        lack.committed = committed.map(|position| At {
            position,
            ..event.at.clone()
        });
        match committed {
            Some(committed) if committed > event.at.position && self.whole() => Outcome::Lost,
            Some(committed) if committed > event.at.position => Outcome::Unread,
            // The group may have come to the event since.
            _ if !commits.are_from(due) => Outcome::Unread,
            _ => Outcome::Blocked,
        }
    }
}
