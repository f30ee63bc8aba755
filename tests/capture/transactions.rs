//! Batches of a source keep what they say of themselves.

use evtap::broker::TopicSelector;
use evtap::event::{Batch, BatchMeta, Compression, Marker, Timestamp, TimestampType, Visibility};

use crate::mcap::place;
use crate::support::{Owned, batch, event, open, push, read, sink, wait};

fn meta(base: u64, delta: u32, visibility: Visibility) -> BatchMeta {
    BatchMeta {
        stream: 0,
        base_offset: base,
        last_offset_delta: delta,
        leader_epoch: 4,
        crc: 0xdead_beef,
        compression: Compression::Gzip,
        timestamp_type: TimestampType::Create,
        transactional: true,
        max_timestamp: Timestamp(2000 + base.cast_signed()),
        producer_id: 77,
        producer_epoch: 2,
        base_sequence: 100,
        records: 0,
        visibility,
    }
}

/// A transaction in two parts, its marker, an aborted batch without events, its marker.
fn transactions() -> Vec<Batch> {
    let first: Vec<Owned> = (10..13).map(|o| event(o, 1500, "v")).collect();
    let second: Vec<Owned> = (13..15).map(|o| event(o, 1500, "w")).collect();
    let whole = meta(10, 5, Visibility::Visible);
    let mut one = Batch::new(batch(&first).streams().clone());
    one.push_meta(meta(0, 9, Visibility::Visible));
    let number = one.push_meta(whole);
    for event in &first {
        push(&mut one, event, Some(number));
    }
    let mut two = Batch::new(one.streams().clone());
    let number = two.push_meta(whole);
    for event in &second {
        push(&mut two, event, Some(number));
    }
    two.push_meta(meta(16, 0, Visibility::Control(Marker::Commit)));
    two.push_meta(meta(17, 2, Visibility::Aborted));
    two.push_meta(meta(20, 0, Visibility::Control(Marker::Abort)));
    vec![one, two]
}

#[test]
fn producers_sequences_and_transactions_survive() {
    for flush_between in [false, true] {
        let (_dir, path) = place();
        let parts = transactions();
        let mut sink = sink(&path);
        wait(sink.send(&parts[0])).unwrap();
        if flush_between {
            wait(sink.flush()).unwrap();
        }
        wait(sink.send(&parts[1])).unwrap();
        wait(sink.finish()).unwrap();

        let read = read(&path);
        assert!(read.error.is_none(), "{:?}", read.error);
        let offsets: Vec<u64> = read.events.iter().map(|e| e.position.major).collect();
        assert_eq!(offsets, [10, 11, 12, 13, 14]);
        let seen: Vec<_> = read
            .metas
            .iter()
            .map(|m| {
                (
                    m.base_offset,
                    m.next_offset(),
                    m.base_sequence,
                    m.records,
                    m.visibility,
                )
            })
            .collect();
        let visible = Visibility::Visible;
        let parts: &[_] = if flush_between {
            &[(10, 13, 100, 3, visible), (13, 16, 103, 2, visible)]
        } else {
            &[(10, 16, 100, 5, visible)]
        };
        let mut expected = vec![(0, 10, 100, 0, visible)];
        expected.extend_from_slice(parts);
        expected.extend([
            (16, 17, -1, 1, Visibility::Control(Marker::Commit)),
            (17, 20, 100, 0, Visibility::Aborted),
            (20, 21, -1, 1, Visibility::Control(Marker::Abort)),
        ]);
        assert_eq!(seen, expected);
        for meta in &read.metas {
            assert_eq!((meta.producer_id, meta.producer_epoch), (77, 2));
            assert!(meta.transactional);
        }
        assert_eq!(
            read.metas[0].max_timestamp,
            Timestamp(2000),
            "of an empty batch"
        );
        let topics = wait(open(&path).topics(&TopicSelector::all())).unwrap();
        let part = &topics[0].partitions[0];
        assert_eq!(
            (part.first.major, part.end.major, part.events),
            (0, 21, Some(5))
        );
    }
}
