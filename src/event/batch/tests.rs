//! Events that go into a batch come out as they were, and buffers come back.

use super::*;
use crate::event::{HeaderBuf, PositionStyle, Stream};

fn streams() -> Streams {
    [Stream {
        topic: "orders".into(),
        partition: 0,
        style: PositionStyle::Offset,
    }]
    .into()
}

fn event<'a>(
    stream: &'a Stream,
    offset: u64,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    headers: Headers<'a>,
) -> EventRef<'a> {
    EventRef {
        stream,
        stream_index: 0,
        position: Position::offset(offset),
        timestamp: Timestamp(7),
        timestamp_type: TimestampType::Create,
        key,
        value,
        headers,
        meta: None,
    }
}

#[test]
fn an_entry_is_plain_data_of_64_bytes() {
    assert_eq!(size_of::<Entry>(), 64);
}

#[test]
fn null_and_empty_are_kept_apart() {
    let table = streams();
    let mut headers = HeaderBuf::default();
    headers.push(b"h", None);
    let mut batch = Batch::new(table.clone());
    batch
        .push(&event(&table[0], 0, None, Some(b""), headers.as_headers()))
        .unwrap();
    batch
        .push(&event(&table[0], 1, Some(b""), None, Headers::default()))
        .unwrap();
    let first = batch.get(0);
    assert_eq!((first.key, first.value), (None, Some(&b""[..])));
    assert_eq!(first.headers, headers.as_headers());
    let second = batch.get(1);
    assert_eq!((second.key, second.value), (Some(&b""[..]), None));
    assert!(second.headers.is_empty());
}

#[test]
fn buffers_are_recycled_but_not_the_events() {
    let table = streams();
    let pool = BatchPool::default();
    let mut batch = pool.batch(table.clone());
    batch
        .push(&event(
            &table[0],
            0,
            None,
            Some(&[1; 1000]),
            Headers::default(),
        ))
        .unwrap();
    drop(batch);
    let again = pool.batch(table);
    assert!(again.is_empty() && again.bytes() == 0);
    assert!(again.arena.capacity() >= 1000);
}

#[test]
fn retain_keeps_order() {
    let table = streams();
    let mut batch = Batch::new(table.clone());
    for offset in 0..6 {
        batch
            .push(&event(&table[0], offset, None, None, Headers::default()))
            .unwrap();
    }
    batch.retain(|e| e.position.major % 2 == 1);
    let left: Vec<u64> = batch.iter().map(|e| e.position.major).collect();
    assert_eq!(left, [1, 3, 5]);
}
