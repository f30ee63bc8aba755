//! What is kept of events that are not written: a line of JSON each, which can be read as an event
//! again, with the reason.

use super::alterer::Rejected;
use crate::event::{Decoding, EventRef, Position, object};
use crate::text::push_string;

/// Lines that wait to be written to a file.
#[derive(Debug, Default)]
pub(in crate::replay) struct Record {
    pub(in crate::replay) lines: Vec<u8>,
    /// For each line where it ends, and of which event it is.
    pub(in crate::replay) ends: Vec<(usize, Vec<u8>, Position)>,
}

impl Record {
    pub(in crate::replay) fn clear(&mut self) {
        self.lines.clear();
        self.ends.clear();
    }

    /// Appends the event, which came from `PLACE/TOPIC/PARTITION/` and its position.
    pub(in crate::replay) fn push(
        &mut self,
        plan: &str,
        place: &[u8],
        original: &EventRef<'_>,
        rejected: &Rejected<'_>,
    ) {
        let lines = &mut self.lines;
        if let Some(event) = &rejected.event {
            object::write(lines, event, &Decoding::default().see(event));
            // The closing brace comes behind the reason.
            lines.pop();
        } else {
            // Without a value it is never taken for an event.
            lines.extend_from_slice(b"{\"topic\":");
            push_string(lines, &original.stream.topic);
            lines.extend_from_slice(b",\"partition\":");
            object::push_integer(lines, original.stream.partition);
        }
        lines.extend_from_slice(b",\"reject\":{\"plan\":");
        push_string(lines, plan);
        lines.extend_from_slice(b",\"source\":");
        let mut source = place.to_vec();
        object::push_position(&mut source, original);
        push_string(lines, &String::from_utf8_lossy(&source));
        lines.extend_from_slice(b",\"why\":");
        push_string(lines, rejected.skip.word());
        lines.extend_from_slice(b",\"reason\":");
        push_string(lines, &rejected.reason);
        lines.extend_from_slice(b"}}\n");
        self.ends
            .push((lines.len(), place.to_vec(), original.position));
    }
}
