//! Verification: what the target holds against what the plan selected. By provenance each copy is
//! held against its original; without it counts and hashes by key are compared. Nothing is written.

mod compare;
mod count;
mod detail;
mod digest;
mod expected;
mod found;
mod keys;
mod ledger;
mod noted;
mod result;
mod sides;
mod sighting;
#[cfg(test)]
mod tests;
mod told;

pub use count::{TargetState, Verification, verify};
pub(in crate::replay) use noted::Noted;
pub use result::{Comparison, Difference, Kind, Manner, Verdict};
pub use sides::Sides;

use crate::broker::Result;
use crate::pipeline::{StopWhenBegun, Ticker};

/// Reads both sides once more, without writing, and tells how they differ; of the source only what
/// the run has not noted. `None` when it was interrupted. What cannot even be opened is an error;
/// what cannot be read to its end is a note.
pub(in crate::replay) async fn compare(
    sides: &Sides<'_>,
    noted: Option<Noted>,
    stop: StopWhenBegun<'_>,
    ticker: &mut dyn Ticker,
) -> Result<Option<Comparison>> {
    if sides.plan.provenance {
        Box::pin(compare::by_provenance(sides, noted, stop, ticker)).await
    } else {
        keys::by_key(sides, stop, ticker).await
    }
}
