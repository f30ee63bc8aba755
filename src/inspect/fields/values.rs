//! The strings that a field has, as long as they are few: then a new one is news.

use super::tree::{Seen, Sight};

/// Strings that are told apart; a field with more is free text.
const VALUES: usize = 12;
/// Bytes of a string; longer ones are free text.
const VALUE_BYTES: usize = 48;

/// One string of a field.
#[derive(Debug)]
pub(super) struct OneValue {
    /// As it is written, with its quotes.
    pub(super) text: Box<[u8]>,
    /// Events that have it.
    pub(super) count: u64,
    pub(super) first: Seen,
    /// Events by the number of the producer.
    pub(super) by: Vec<(u16, u64)>,
    event: u64,
}

/// The strings of a field; none once there were too many.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) all: Vec<OneValue>,
    is_text: bool,
}

impl Values {
    pub(super) fn note(&mut self, text: &[u8], sight: &Sight<'_>) {
        if self.is_text {
            return;
        }
        let known = self.all.iter_mut().find(|value| *value.text == *text);
        let Some(value) = known else {
            if self.all.len() >= VALUES || text.len() > VALUE_BYTES {
                *self = Self {
                    all: Vec::new(),
                    is_text: true,
                };
                return;
            }
            self.all.push(OneValue {
                text: text.into(),
                count: 1,
                first: sight.seen(),
                by: sight.producer.map(|p| (p, 1)).into_iter().collect(),
                event: sight.event,
            });
            return;
        };
        if value.event == sight.event {
            return;
        }
        value.event = sight.event;
        value.count += 1;
        if sight.time < value.first.time {
            value.first = sight.seen();
        }
        sight.count_producer(&mut value.by);
    }
}
