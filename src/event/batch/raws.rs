//! Whole record batches in a batch, as they came, in the place of their events: for who writes them
//! somewhere else. What their bytes mean is `codec`'s.

use super::{ArenaFull, Batch};
use crate::event::codec::BatchHeader;
use crate::event::{BatchMeta, Visibility};

impl Batch {
    /// Copies in a whole encoded record batch. `meta` is what the header of these bytes says: of an
    /// aborted batch that was emptied, that it has no records. A batch holds events or record
    /// batches, never both: what is there of the one is handed on before the other comes in.
    pub fn push_raw(&mut self, meta: BatchMeta, bytes: &[u8]) -> Result<(), ArenaFull> {
        debug_assert!(
            self.entries.is_empty() && self.metas.len() == self.raws.len(),
            "a batch holds events or record batches"
        );
        debug_assert!(
            BatchHeader::parse(bytes).is_ok_and(|header| {
                let own = (meta.base_offset, meta.last_offset_delta, meta.records);
                header.size() == bytes.len()
                    && own == (header.base_offset, header.last_offset_delta, header.records)
            }),
            "the bytes are one batch, that of the meta"
        );
        self.room_for(bytes.len())?;
        let span = self.store(Some(bytes));
        self.metas.push(meta);
        self.raws.push(span);
        Ok(())
    }

    /// True when it holds record batches.
    pub fn is_raw(&self) -> bool {
        !self.raws.is_empty()
    }

    /// The record batches in their order, each with its bytes.
    pub fn raws(&self) -> impl ExactSizeIterator<Item = (&BatchMeta, &[u8])> {
        let bytes = |span: &super::Span| &self.arena[span.range()];
        self.metas.iter().zip(self.raws.iter().map(bytes))
    }

    /// Events that it holds, those of record batches included.
    pub fn events(&self) -> u64 {
        let of_raws: u64 = self.raws().map(|(meta, _)| meta.events()).sum();
        of_raws + self.entries.len() as u64
    }
}

impl BatchMeta {
    /// Events among its records: those of a control batch are none.
    pub const fn events(&self) -> u64 {
        match self.visibility {
            Visibility::Visible | Visibility::Aborted => self.records as u64,
            Visibility::Control(_) => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::event::codec::{BatchHeader, BatchOptions, Encoder, Record, control_batch};
    use crate::event::{
        BATCH_BYTES, Batch, BatchPool, Headers, Marker, PositionStyle, Stream, Streams, Timestamp,
        TimestampType, Visibility,
    };

    fn streams() -> Streams {
        let stream = |partition| Stream {
            topic: "orders".into(),
            partition,
            style: PositionStyle::Offset,
        };
        [stream(0), stream(1)].into()
    }

    fn encoded(base: u64, values: &[&[u8]]) -> Vec<u8> {
        let mut encoder = Encoder::new();
        encoder.begin(base, &BatchOptions::default());
        for (offset, value) in (base..).zip(values) {
            let record = Record {
                offset,
                timestamp: Timestamp(7),
                timestamp_type: TimestampType::Create,
                key: None,
                value: Some(value),
                headers: Headers::default(),
            };
            encoder.push(&record).unwrap();
        }
        let mut bytes = Vec::new();
        encoder.finish(None, &mut bytes).unwrap();
        bytes
    }

    fn push(batch: &mut Batch, stream: u32, bytes: &[u8], visibility: Visibility) {
        let meta = BatchHeader::parse(bytes).unwrap().meta(stream, visibility);
        batch.push_raw(meta, bytes).unwrap();
    }

    #[test]
    fn record_batches_come_out_as_they_went_in() {
        let (first, second) = (encoded(0, &[b"a", b"b"]), encoded(5, &[b"c"]));
        let mut marker = Vec::new();
        control_batch(2, Timestamp(8), 1, 0, Marker::Commit, &mut marker);
        let mut batch = Batch::new(streams());
        assert!(batch.is_empty() && !batch.is_raw());
        push(&mut batch, 0, &first, Visibility::Visible);
        push(&mut batch, 0, &marker, Visibility::Control(Marker::Commit));
        push(&mut batch, 1, &second, Visibility::Visible);
        assert!(!batch.is_empty() && batch.is_raw() && !batch.is_full());
        assert_eq!((batch.len(), batch.events()), (0, 3));
        assert_eq!(batch.bytes(), first.len() + marker.len() + second.len());
        assert_eq!(batch.iter().count(), 0);
        let other: Streams = streams().iter().rev().cloned().collect();
        batch.remap(other, &[1, 0]);
        let out: Vec<_> = batch.raws().map(|(m, bytes)| (m.stream, bytes)).collect();
        assert_eq!(out, [(1, &first[..]), (1, &marker[..]), (0, &second[..])]);
    }

    #[test]
    fn a_recycled_buffer_holds_no_record_batches() {
        let pool = BatchPool::default();
        let mut batch = pool.batch(streams());
        let large = vec![0; BATCH_BYTES];
        push(&mut batch, 0, &encoded(0, &[&large]), Visibility::Visible);
        assert!(batch.is_full());
        drop(batch);
        let again = pool.batch(streams());
        assert!(again.is_empty() && !again.is_raw() && again.bytes() == 0);
        assert_eq!(again.events(), 0);
    }

    #[test]
    #[should_panic(expected = "a batch holds events or record batches")]
    #[cfg(debug_assertions)]
    fn events_and_record_batches_do_not_mix() {
        let bytes = encoded(0, &[b"a"]);
        let meta = BatchHeader::parse(&bytes)
            .unwrap()
            .meta(0, Visibility::Visible);
        let mut batch = Batch::new(streams());
        batch.push_raw(meta, &bytes).unwrap();
        batch.push_meta(meta);
    }
}
