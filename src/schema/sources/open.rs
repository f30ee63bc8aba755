//! x
pub struct Listed;
pub struct Sources;
