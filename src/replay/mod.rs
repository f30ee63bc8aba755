//! Replay: a plan is frozen, previewed, confirmed elsewhere, run and verified. Knows nothing of
//! flags, prompts or screens.

pub mod alter;
mod clock;
mod command;
mod control;
mod copies;
mod describe;
mod exact;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod fake_broker;
mod feasible;
mod freeze;
pub mod guard;
mod histogram;
mod holds;
mod id;
mod job;
mod journal;
mod keep;
mod lag_watch;
mod lock;
mod others;
mod outlet;
mod outlook;
mod pace;
mod place;
mod plan;
mod preview;
pub mod provenance;
pub mod redrive;
mod rejects;
mod reopen;
mod run;
pub mod runs;
mod sample;
mod tally;
mod transform;
mod verify;
mod whole_file;

pub use command::quoted;
pub use control::{Control, Figures, RunState};
pub use exact::{Overall, Part};
pub use freeze::{Create, From, How, To, create_target, freeze};
pub use histogram::Histogram;
pub use holds::{Holds, PauseIf};
pub use job::{Destination, Job, Ran};
pub use outlook::Outlook;
pub use pace::{Pace, Pacer};
pub use place::Place;
pub use plan::{
    Guards, PartitionEnd, PartitionPolicy, Plan, PlanError, PlanSchema, PlanSelection, PlanSource,
    PlanTarget, TimestampPolicy,
};
pub use preview::{Preview, PreviewRun};
pub use rejects::Rejects;
pub use reopen::{Accept, Manner as ReopenManner, Reopened};
pub use run::{Report, Runner};
pub use sample::Sample;
pub use tally::{Counts, PartitionTally, Skip, Tally};
pub use verify::{
    Comparison, Difference, Kind, Manner, Sides, TargetState, Verdict, Verification, verify,
};
