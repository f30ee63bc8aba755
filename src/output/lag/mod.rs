//! How far groups are behind, and why: as JSON and as tables.

mod json;
mod text;

pub use json::json;
pub use text::text;
