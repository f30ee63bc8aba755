//! Dead letters back to where they came from: origins by the headers of who set them aside, what is
//! sent, parked or left and why, the run and its verification. Built on the parts of a replay; it
//! differs by its many targets, which only the events name.

mod aim;
mod copy;
mod done;
mod job;
mod judge;
mod keep;
mod lanes;
mod origin;
mod outlet;
mod plan;
mod reason;
mod report;
mod run;
mod tally;

pub use job::{Asked, Endpoint, Job, Parked, Ran};
pub use judge::{Custom, Rules};
pub use outlet::Sent;
pub use reason::Picks;
pub use tally::{Fate, Group, Tally};
