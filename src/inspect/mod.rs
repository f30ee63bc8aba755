//! What is wrong with a stream of events, and where: pure folds over batches, each with a report.
//! No I/O, no clock and no screen: what time it is, and what groups have committed, comes in as
//! data. A fold keeps bounded memory; one that had to forget says so and never says CLEAN.

mod at;
pub mod causes;
pub mod check;
pub mod compare;
pub mod fields;
pub mod findings;
pub mod infer;
pub mod lag;
mod lanes;
pub mod lint;
pub mod misfits;
mod names;
pub mod order;
pub mod payload;
mod ready;
pub mod saga;
pub mod search;
pub mod state;
#[cfg(test)]
mod tests;
mod top;
pub mod trace;
mod verdict;
mod window;

pub use at::At;
pub use lanes::is_dead_letter;
pub use names::{Heads, Names};
pub use verdict::Verdict;
