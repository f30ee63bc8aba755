//! The coordinate of one event, and the text by which people and tools name it.

use std::fmt;
use std::sync::Arc;

use crate::event::{Batch, EventRef, Position, PositionStyle};
use crate::text::Visible;

/// Where an event stands; written `orders/0@15`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct At {
    /// Which of the sources that are read together; see [`Batch::origin`].
    pub origin: u16,
    pub topic: Arc<str>,
    pub partition: u32,
    pub position: Position,
    pub style: PositionStyle,
}

impl At {
    /// The coordinate of an event of this batch.
    pub fn of(batch: &Batch, event: &EventRef<'_>) -> Self {
        Self {
            origin: batch.origin(event.stream_index),
            topic: Arc::clone(&event.stream.topic),
            partition: event.stream.partition,
            position: event.position,
            style: event.stream.style,
        }
    }

    /// True for the event that stands there.
    pub fn names(&self, batch: &Batch, event: &EventRef<'_>) -> bool {
        self.position == event.position
            && self.partition == event.stream.partition
            && self.topic == event.stream.topic
            && self.origin == batch.origin(event.stream_index)
    }

    /// What orders coordinates as people list them.
    pub(super) fn rank(&self) -> (&str, u32, u16, Position) {
        (&self.topic, self.partition, self.origin, self.position)
    }
}

impl fmt::Display for At {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let position = self.position.display(self.style);
        write!(f, "{}/{}@{position}", Visible(&self.topic), self.partition)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hostile_topic_does_not_reach_the_screen() {
        let at = At {
            origin: 0,
            topic: "or\u{1b}[2Jders".into(),
            partition: 0,
            position: Position::offset(15),
            style: PositionStyle::Offset,
        };
        let text = at.to_string();
        assert!(
            !text.contains('\u{1b}') && text.ends_with("ders/0@15"),
            "{text}"
        );
    }
}
