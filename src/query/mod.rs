//! Which events a command looks at: keys, regular expressions and jq expressions, compiled into
//! one selection. Where events come from and where they go is decided elsewhere.

mod error;
mod jq;
mod nesting;

pub use error::QueryError;
