//! Which batches belong to aborted transactions, by the list that came with them. The algorithm is
//! that of Kafka's own consumer (`CompletedFetch`): a transaction counts from its first offset until
//! its abort marker.

use crate::event::Marker;
use crate::event::codec::BatchHeader;

/// The aborted transactions of one answer.
#[derive(Debug, Default)]
pub(super) struct Aborted {
    /// Producer and first offset; the latest first.
    ahead: Vec<(i64, u64)>,
    /// Producers that are inside an aborted transaction.
    inside: Vec<i64>,
}

impl Aborted {
    pub(super) fn new(mut listed: Vec<(i64, u64)>) -> Self {
        listed.sort_unstable_by_key(|&(_, first)| std::cmp::Reverse(first));
        Self {
            ahead: listed,
            inside: Vec::new(),
        }
    }

    /// Whether the records of a batch were aborted. Batches come in the order of the log.
    pub(super) fn holds(&mut self, batch: &BatchHeader) -> bool {
        let last = batch.next_offset() - 1;
        while let Some(&(producer, first)) = self.ahead.last()
            && first <= last
        {
            self.ahead.pop();
            if !self.inside.contains(&producer) {
                self.inside.push(producer);
            }
        }
        batch.transactional && !batch.control && self.inside.contains(&batch.producer_id)
    }

    /// Takes a marker in: an abort ends its producer's transaction.
    pub(super) fn marker(&mut self, batch: &BatchHeader, marker: Marker) {
        if marker == Marker::Abort {
            self.inside
                .retain(|&producer| producer != batch.producer_id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::codec::{BatchOptions, Encoder, Record};
    use crate::event::{Headers, Timestamp, TimestampType};

    fn batch(producer: i64, base: u64, transactional: bool) -> BatchHeader {
        let mut encoder = Encoder::new();
        let options = BatchOptions {
            producer_id: producer,
            producer_epoch: 0,
            base_sequence: 0,
            transactional,
            ..BatchOptions::default()
        };
        encoder.begin(base, &options);
        encoder
            .push(&Record {
                offset: base,
                timestamp: Timestamp(1),
                timestamp_type: TimestampType::Create,
                key: None,
                value: None,
                headers: Headers::default(),
            })
            .unwrap();
        let mut bytes = Vec::new();
        encoder.finish(None, &mut bytes).unwrap();
        BatchHeader::parse(&bytes).unwrap()
    }

    #[test]
    fn a_transaction_is_aborted_from_its_first_offset_to_its_marker() {
        let mut aborted = Aborted::new(vec![(7, 10), (7, 30), (8, 12)]);
        assert!(!aborted.holds(&batch(7, 5, true)), "an earlier transaction");
        assert!(aborted.holds(&batch(7, 10, true)));
        assert!(!aborted.holds(&batch(7, 11, false)), "not in a transaction");
        assert!(aborted.holds(&batch(8, 12, true)));
        aborted.marker(&batch(7, 13, true), Marker::Abort);
        assert!(
            !aborted.holds(&batch(7, 14, true)),
            "the next one, committed"
        );
        assert!(aborted.holds(&batch(8, 15, true)));
        aborted.marker(&batch(8, 16, true), Marker::Commit);
        assert!(aborted.holds(&batch(7, 30, true)));
    }
}
