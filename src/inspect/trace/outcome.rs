//! How a trace ended, as far as it can be told from what usually follows and from where the
//! consumer groups stand.

use std::fmt;

use super::Hop;
use super::flow::{Flow, Follows, Usual};
use crate::broker::Group;
use crate::event::Timestamp;
use crate::inspect::At;
use crate::text::{Visible, human};

/// Of fewer others nothing is learnt.
const OTHERS: u64 = 5;

/// How a trace ended. All of it is learnt from other traces: no model says what must follow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// What came last is what usually comes last.
    Complete,
    /// What usually follows has not taken longer than it may.
    Open,
    /// What usually follows is missing, and a group has not passed the event before it.
    Blocked,
    /// What usually follows is missing, and it is overdue.
    Lost,
    /// With the reason.
    Unknown(String),
}

impl Outcome {
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Complete => "COMPLETE",
            Self::Open => "OPEN",
            Self::Blocked => "BLOCKED",
            // A guess from what is usual, until a model says that it must follow.
            Self::Lost => "LOST?",
            Self::Unknown(_) => "UNKNOWN",
        }
    }
}

/// A group that has not passed an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blocker {
    /// Safe to show.
    pub group: String,
    /// Where it stands.
    pub committed: At,
}

/// Something that usually follows and did not.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The number of the hop that it ought to follow.
    pub after: usize,
    /// The usual next step; safe to show.
    pub next: String,
    /// Events like that hop had it, of so many.
    pub followed: u64,
    pub of: u64,
    /// How long it usually takes.
    pub usual_ms: Option<i64>,
    pub waited_ms: Option<i64>,
    /// It has not taken longer than it may.
    pub in_time: bool,
    /// The group that stands before the hop, the one farthest behind.
    pub blocker: Option<Blocker>,
    /// Groups that have passed it; safe to show.
    pub passed_by: Vec<String>,
}

impl fmt::Display for Missing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (followed, of) = (human::count(self.followed), human::count(self.of));
        write!(
            f,
            "usual next {} missing ({followed} of {of} others had it)",
            self.next
        )?;
        match &self.blocker {
            Some(Blocker { group, committed }) => {
                write!(f, "; {group} stands at {committed} and has not passed it")
            }
            None if self.passed_by.is_empty() => Ok(()),
            None => write!(f, "; passed by {}", self.passed_by.join(", ")),
        }
    }
}

/// Judges a trace by the hops that nothing followed.
pub(super) fn judge(
    hops: &[Hop],
    flow: &Flow,
    groups: &[Group],
    now: Timestamp,
) -> (Outcome, Vec<Missing>) {
    if !hops.iter().any(|h| h.id.is_some() && !h.dead_letter) {
        let why = if hops.is_empty() {
            "nothing is tied to it"
        } else {
            "its events carry no ids that tie effects to causes"
        };
        return (Outcome::Unknown(why.to_owned()), Vec::new());
    }
    let usual = flow.usual(now);
    let mut missing = Vec::new();
    let (mut unsure, mut ends) = (None, 0);
    for (number, hop) in hops.iter().enumerate().filter(|(i, _)| is_last(hops, *i)) {
        match follows(hop, &usual) {
            Ended::Usually => ends += 1,
            Ended::Early(follows) => {
                let (next, _) = usual.next(&follows).unwrap_or_default();
                missing.push(tell(number, hop, &follows, next, groups, now));
            }
            Ended::Unsure(why) => unsure = Some(why),
        }
    }
    let outcome = if missing.iter().any(|m| !m.in_time && m.blocker.is_some()) {
        Outcome::Blocked
    } else if missing.iter().any(|m| !m.in_time) {
        Outcome::Lost
    } else if !missing.is_empty() {
        Outcome::Open
    } else if let Some(why) = unsure {
        Outcome::Unknown(why)
    } else if ends > 0 {
        Outcome::Complete
    } else {
        Outcome::Unknown("every event of it was caused by another one of it".to_owned())
    };
    (outcome, missing)
}

/// True for a hop that has an id and that nothing followed; not for copies, and not for the second
/// of two like effects when the first was followed.
fn is_last(hops: &[Hop], number: usize) -> bool {
    let Some(hop) = hops.get(number) else {
        return false;
    };
    if hop.id.is_none() || hop.copy_of.is_some() || hop.dead_letter {
        return false;
    }
    let followed = |i: usize| hops.iter().any(|h| h.parent == Some(i) && !h.dead_letter);
    let twin = |(i, other): (usize, &Hop)| {
        i != number
            && hop.parent.is_some()
            && (other.parent, &other.kind, &other.at.topic)
                == (hop.parent, &hop.kind, &hop.at.topic)
            && followed(i)
    };
    !followed(number) && !hops.iter().enumerate().any(twin)
}

enum Ended {
    /// Here traces usually end.
    Usually,
    Early(Follows),
    Unsure(String),
}

fn follows(hop: &Hop, usual: &Usual) -> Ended {
    // What cannot be decoded does not say what it is.
    let mut follows = if hop.fault.is_some() && hop.kind.is_none() {
        usual.of_topic(&hop.at.topic)
    } else {
        let known = usual.of(&hop.at.topic, hop.kind.as_deref());
        known.cloned().unwrap_or_default()
    };
    // It was counted itself, unless it is young.
    follows.events = follows.events.saturating_sub(1).max(follows.followed());
    if follows.events < OTHERS {
        let (others, next) = (follows.events, usual.next(&follows));
        let next = next.map(|(next, n)| format!(", {n} of them before {next}"));
        return Ended::Unsure(format!(
            "what follows {} is not known: {others} others were seen{}",
            hop.name(),
            next.unwrap_or_default()
        ));
    }
    if follows.followed() * 2 > follows.events {
        Ended::Early(follows)
    } else {
        Ended::Usually
    }
}

fn tell(
    number: usize,
    hop: &Hop,
    follows: &Follows,
    next: String,
    groups: &[Group],
    now: Timestamp,
) -> Missing {
    let waited_ms = hop.time.map(|t| now.0.saturating_sub(t.0));
    let mut passed_by = Vec::new();
    let mut blockers = Vec::new();
    for group in groups {
        let own = |o: &&crate::broker::GroupOffset| {
            (&o.topic, o.partition) == (&hop.at.topic, hop.at.partition)
        };
        let Some(committed) = group.offsets.iter().find(own).and_then(|o| o.committed) else {
            continue;
        };
        let name = Visible(&group.name).to_string();
        if committed > hop.at.position {
            passed_by.push(name);
        } else {
            blockers.push((committed, name));
        }
    }
    blockers.sort();
    Missing {
        after: number,
        next,
        followed: follows.followed(),
        of: follows.events,
        usual_ms: follows.median_ms(),
        waited_ms,
        in_time: waited_ms.is_some_and(|ms| ms <= follows.patience_ms()),
        blocker: blockers
            .into_iter()
            .next()
            .map(|(position, group)| Blocker {
                group,
                committed: At {
                    position,
                    ..hop.at.clone()
                },
            }),
        passed_by,
    }
}
