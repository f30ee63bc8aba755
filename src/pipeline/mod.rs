//! Runs a read: one or several sources, limits, and one consumer that takes the batches.
//! Knows nothing of formats, flags or screens.

mod behind;
mod crew;
mod export;
#[cfg(test)]
mod fake;
mod last;
mod merge;
mod reading;
mod run;
mod spool;
mod stop;
mod tag;
mod timeline;

pub use behind::{Looked, Pass, Watcher, look_behind};
pub use crew::{Crew, Fold, Look};
pub use export::{Export, Pick, export};
pub use last::{LastEvents, Window};
pub use merge::merge;
pub use reading::{Input, Reading, StopWhenBegun};
pub use run::{Consumer, End, Flow, Limits, Outcome, Ticker, Unwatched, run};
pub use spool::{Spool, SpoolError, Spooled};
pub use stop::{Stop, StopHandle};
pub use tag::tag;
pub use timeline::split_by_partition;
