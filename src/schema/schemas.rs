//! The schemas that are known, compiled once each.
/// placeholder
pub struct Schemas {}
