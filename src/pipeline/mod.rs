//! Runs a read: one or several sources, limits, and one consumer that takes the batches.
//! Knows nothing of formats, flags or screens.

#[cfg(test)]
mod fake;
mod last;
mod merge;
mod run;
mod stop;
mod tag;

pub use last::{LastEvents, Window};
pub use merge::merge;
pub use run::{Consumer, End, Flow, Limits, Outcome, Ticker, run};
pub use stop::{Stop, StopHandle};
pub use tag::tag;
