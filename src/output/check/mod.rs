//! The report of `check` for people, for tools and for CI servers.

mod json;
mod junit;
mod text;

pub use json::json;
pub use junit::junit;
pub use text::text;
