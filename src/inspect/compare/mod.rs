//! Two streams of events compared: a sketch of each tells in one pass and little memory where they
//! may differ; a second pass over those parts alone tells what differs. Who reads them twice lives
//! elsewhere.

mod align;
mod canon;
mod lanes;
mod look;
mod matching;
mod rules;
mod sketch;
#[cfg(test)]
mod tests;

pub use lanes::{Lane, Lanes};
pub use look::{Look, Seen};
pub use matching::{COST, Difference, Differences, Matching, Side, Spot, What};
pub use rules::{Ignored, Rules};
pub use sketch::{SLOTS, Sketch, unequal};
