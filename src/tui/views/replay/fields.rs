//! The fields of a plan that a person can change. Each change makes the plan anew.

use super::{Stage, steps};
use crate::replay::{Pace, PartitionPolicy, TimestampPolicy};
use crate::tui::model::Model;
use crate::tui::msg::{Effect, Say};

/// One line of the form.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Field {
    Target,
    Create,
    Partitions,
    Timestamps,
    Pace,
    Provenance,
}

pub const FIELDS: &[Field] = &[
    Field::Target,
    Field::Create,
    Field::Partitions,
    Field::Timestamps,
    Field::Pace,
    Field::Provenance,
];

impl Field {
    pub const fn name(self) -> &'static str {
        match self {
            Self::Target => "target",
            Self::Create => "missing topic",
            Self::Partitions => "partitions",
            Self::Timestamps => "timestamps",
            Self::Pace => "pace",
            Self::Provenance => "provenance",
        }
    }

    pub fn value(self, model: &Model) -> String {
        let state = &model.replay;
        match self {
            Self::Target => state.target.clone(),
            Self::Create if state.create => "create it, with the source's partitions".to_owned(),
            Self::Create => "stop".to_owned(),
            Self::Partitions => match state.how.partitions {
                None => "the same where both have as many, else by key".to_owned(),
                Some(PartitionPolicy::Same) => "the same".to_owned(),
                Some(PartitionPolicy::Key) => "by key".to_owned(),
                Some(PartitionPolicy::Fixed(n)) => format!("all into {n}"),
            },
            Self::Timestamps => match state.how.timestamps {
                TimestampPolicy::Now => "the moment of writing".to_owned(),
                TimestampPolicy::Keep => "kept".to_owned(),
                TimestampPolicy::Shift => "shifted: the first is now, distances kept".to_owned(),
            },
            Self::Pace => pace_text(state.how.pace),
            Self::Provenance if state.how.provenance => {
                "headers say where each event came from".to_owned()
            }
            Self::Provenance => "no headers are added".to_owned(),
        }
    }
}

pub fn pace_text(pace: Pace) -> String {
    match pace {
        Pace::Max => "as fast as the target takes it".to_owned(),
        Pace::Rate(rate) if rate < 10.0 => format!("{rate:.1} events/s"),
        Pace::Rate(rate) => format!("{rate:.0} events/s"),
        Pace::Speed { factor, .. } => format!("as it happened, {factor} times as fast"),
    }
}

/// The paces that a person steps through; others are for the command line, and `+` and `-`.
const PACES: &[Pace] = &[
    Pace::Max,
    Pace::Rate(10.0),
    Pace::Rate(100.0),
    Pace::Rate(1000.0),
    Pace::Speed {
        factor: 1.0,
        max_gap: None,
    },
    Pace::Speed {
        factor: 10.0,
        max_gap: None,
    },
];

/// Changes the field under the cursor.
pub(super) fn change(model: &mut Model) -> Vec<Effect> {
    if model.replay.again.is_some() {
        model.say(Say::info("a plan that is kept is run as it was made"));
        return Vec::new();
    }
    if matches!(model.replay.stage, Stage::Empty) && model.replay.selection.is_none() {
        return super::plan_selection(model);
    }
    let state = &mut model.replay;
    match FIELDS.get(state.at) {
        Some(Field::Target) | None => return steps::ask_target(model),
        Some(Field::Create) => state.create = !state.create,
        Some(Field::Partitions) => {
            state.how.partitions = match state.how.partitions {
                None => Some(PartitionPolicy::Same),
                Some(PartitionPolicy::Same) => Some(PartitionPolicy::Key),
                Some(PartitionPolicy::Key | PartitionPolicy::Fixed(_)) => None,
            };
        }
        Some(Field::Timestamps) => {
            state.how.timestamps = match state.how.timestamps {
                TimestampPolicy::Now => TimestampPolicy::Keep,
                TimestampPolicy::Keep => TimestampPolicy::Shift,
                TimestampPolicy::Shift => TimestampPolicy::Now,
            };
        }
        Some(Field::Pace) => {
            let now = PACES.iter().position(|p| *p == state.how.pace);
            let next = now.map_or(0, |at| (at + 1) % PACES.len());
            state.how.pace = PACES.get(next).copied().unwrap_or_default();
        }
        Some(Field::Provenance) => state.how.provenance = !state.how.provenance,
    }
    steps::plan(model)
}
