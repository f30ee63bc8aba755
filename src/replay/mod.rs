//! Replay: a plan is frozen, previewed, confirmed elsewhere, run and verified. Knows nothing of
//! flags, prompts or screens.

mod clock;
mod control;
mod describe;
#[cfg(test)]
mod fake;
#[cfg(test)]
mod fake_broker;
mod feasible;
mod freeze;
pub mod guard;
mod histogram;
mod pace;
mod place;
mod plan;
mod preview;
pub mod provenance;
mod run;
mod tally;
mod timeline;
mod transform;
mod verify;

pub use control::{Control, Figures, RunState};
pub use freeze::{Create, From, How, To, create_target, freeze};
pub use histogram::Histogram;
pub use pace::{Pace, Pacer};
pub use place::Place;
pub use plan::{Guards, PartitionPolicy, Plan, PlanSource, PlanTarget, TimestampPolicy};
pub use preview::{Preview, PreviewRun, Sample};
pub use run::{Report, Runner};
pub use tally::{PartitionTally, Skip, Tally};
pub use timeline::split_by_partition;
pub use verify::{TargetState, Verification, verify};
