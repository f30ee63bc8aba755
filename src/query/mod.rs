//! Which events a command looks at, and what it makes of them: keys, regular expressions and jq
//! expressions, compiled once and shared by threads. Where events come from and where they go is
//! decided elsewhere.

mod error;
mod grep;
mod jq;
mod map;
mod nesting;
#[cfg(test)]
mod samples;
mod selection;

pub use error::QueryError;
pub use map::{JqMap, JqMapWorker, JqOut, MapOutcome};
pub use selection::{Query, QuerySpec};
