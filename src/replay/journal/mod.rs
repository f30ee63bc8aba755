//! At least once, with the window closed: for targets that cannot store progress together with
//! events. How far a plan is stands in a journal in the run's folder; what was written after its
//! last line is found by reading the target's tail back, and is not written again.

mod file;
mod intervals;
mod sink;
#[cfg(test)]
mod tests;

pub(super) use sink::Journaled;
