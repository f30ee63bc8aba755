//! Places in a recording that a person set apart, with a note on each.

use std::sync::Arc;

use crate::event::{Position, PositionStyle, Timestamp};

/// One place. Its texts are whatever was typed, or whatever a file of somebody else's says: they
/// reach a screen only through `text`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    pub topic: Arc<str>,
    pub partition: u32,
    pub style: PositionStyle,
    pub position: Position,
    /// The key by which it is gone to.
    pub letter: Option<char>,
    /// Empty when there is none.
    pub note: String,
    /// When it was made.
    pub time: Timestamp,
}
