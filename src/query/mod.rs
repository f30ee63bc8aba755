//! Which events a command looks at, and what it makes of them: keys, regular expressions and jq
//! expressions, compiled once and shared by threads. Where events come from and where they go is
//! decided elsewhere.

#[cfg(test)]
mod agreement;
#[cfg(test)]
mod cost;
mod error;
mod escape;
mod filter_text;
mod grep;
mod jq;
mod json;
mod map;
mod native;
mod prefilter;
#[cfg(test)]
mod samples;
mod selection;
mod sweep;
mod terms;

pub use error::QueryError;
pub use filter_text::FilterText;
pub use map::{JqMap, JqMapWorker, JqOut, MapOutcome};
pub use selection::{Query, QuerySpec};
