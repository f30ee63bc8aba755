//! Searches among events by asking a judge, usually a person's own command: where it first goes
//! wrong, and which few events it takes. Pure: events are numbers here, and the judge is a function.

mod bisect;
mod minimize;

pub use bisect::{Bisected, bisect};
pub use minimize::{Minimized, minimize};

/// What a judge says of a set of events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Judgement {
    Good,
    Bad,
    /// It cannot tell.
    Skip,
}
