//! Writes into the embedded broker.

use std::time::Duration;

use super::{Seen, demo, drain, open, read, subscription};
use crate::broker::{Bound, Broker, ErrorKind, NewTopic, Range, Settings, Target};
use crate::event::{
    ANY_PARTITION, Batch, EventRef, HeaderBuf, Position, PositionStyle, Stream, Streams, Timestamp,
    TimestampType,
};

fn target(topic: &str) -> Target {
    Target {
        topic: topic.into(),
        overwrite: false,
    }
}

fn table(partition: u32) -> Streams {
    [Stream {
        topic: "elsewhere".into(),
        partition,
        style: PositionStyle::Offset,
    }]
    .into()
}

fn batch(partition: u32, keys: &[Option<&str>]) -> Batch {
    let streams = table(partition);
    let mut headers = HeaderBuf::default();
    headers.push(b"twice", Some(b"1"));
    headers.push(b"twice", None);
    let mut batch = Batch::new(streams.clone());
    for (offset, key) in (0..).zip(keys) {
        batch
            .push(&EventRef {
                stream: &streams[0],
                stream_index: 0,
                position: Position::offset(offset),
                timestamp: Timestamp(offset.cast_signed() + 5),
                timestamp_type: TimestampType::Create,
                key: key.map(str::as_bytes),
                value: key.is_some().then_some(b""),
                headers: headers.as_headers(),
                meta: None,
            })
            .unwrap();
    }
    batch
}

async fn create(broker: &dyn Broker, name: &str, partitions: u32) {
    let topic = NewTopic {
        name: name.into(),
        partitions,
        config: vec![("retention.ms".into(), "1".into())],
    };
    broker.create_topic(&topic).await.unwrap();
}

#[tokio::test]
async fn what_was_written_is_read_back_as_it_was() {
    let broker = demo();
    create(&*broker, "copy", 2).await;
    let mut sink = broker.sink(&target("copy")).await.unwrap();
    let sent = batch(1, &[Some("a"), None, Some("")]);
    sink.send(&sent).await.unwrap();
    sink.send(&sent).await.unwrap();
    let written = sink.flush().await.unwrap();
    assert_eq!(written.events, 6);
    assert_eq!(
        written.bytes,
        2 * sent.iter().map(|e| e.size() as u64).sum::<u64>()
    );
    let back = read(&*broker, &subscription("copy")).await;
    let first: Vec<Seen> = sent.iter().map(|e| Seen::new(&e)).collect();
    assert_eq!(back.len(), 6);
    for (index, seen) in back.iter().enumerate() {
        let mut expected = first[index % 3].clone();
        expected.topic = "copy".into();
        expected.offset = index as u64;
        expected.meta = seen.meta;
        assert_eq!(*seen, expected);
        assert!(seen.meta.is_some());
    }
    // Another broker knows nothing of it.
    assert!(demo().sink(&target("copy")).await.is_err());
}

#[tokio::test]
async fn writes_into_a_topic_of_the_pipeline_get_the_next_offsets() {
    let broker = demo();
    let mut sink = broker.sink(&target("orders")).await.unwrap();
    let keys = [Some("order-456"), Some("order-457"), Some("order-462")];
    sink.send(&batch(ANY_PARTITION, &keys)).await.unwrap();
    let mut sub = subscription("orders");
    sub.range = Range::Bounds {
        from: Bound::Last(1),
        until: Bound::End,
    };
    let at: Vec<(String, Option<Vec<u8>>)> = read(&*broker, &sub)
        .await
        .into_iter()
        .map(|e| (e.at(), e.key))
        .collect();
    assert!(at.contains(&("orders/0@22".into(), Some(b"order-462".to_vec()))));
    assert!(at.contains(&("orders/1@21".into(), Some(b"order-457".to_vec()))));
    let lag = broker.groups().await.unwrap();
    let validation = lag.iter().find(|g| g.name == "validation-svc").unwrap();
    assert_eq!(validation.offsets[0].raw_lag, Some(2));
}

#[tokio::test]
async fn keys_choose_the_partition_as_kafkas_clients_do() {
    let broker = demo();
    create(&*broker, "hashed", 1000).await;
    let mut sink = broker.sink(&target("hashed")).await.unwrap();
    // Values of org.apache.kafka.common.utils.Utils.murmur2, made positive.
    let known = [
        ("21", -973_932_308),
        ("foobar", -790_332_482),
        ("a-little-bit-long-string", -985_981_536),
    ];
    for (key, _) in known {
        sink.send(&batch(ANY_PARTITION, &[Some(key)]))
            .await
            .unwrap();
    }
    let back = read(&*broker, &subscription("hashed")).await;
    for (key, hash) in known {
        let hash: i32 = hash;
        let seen = back.iter().find(|e| e.key() == key).unwrap();
        assert_eq!(
            seen.partition,
            (hash.cast_unsigned() & 0x7fff_ffff) % 1000,
            "{key}"
        );
    }
    sink.send(&batch(ANY_PARTITION, &[None, None, None]))
        .await
        .unwrap();
    let keyless = read(&*broker, &subscription("hashed")).await;
    let places: std::collections::BTreeSet<u32> = keyless
        .iter()
        .filter(|e| e.key.is_none())
        .map(|e| e.partition)
        .collect();
    assert_eq!(places.len(), 3);
}

#[tokio::test]
async fn what_cannot_be_written_is_refused() {
    let broker = demo();
    let error = broker.sink(&target("nowhere")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::MissingTopic);
    let mut sink = broker.sink(&target("orders")).await.unwrap();
    let error = sink.send(&batch(3, &[None])).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    let read_only = open(&Settings {
        read_only: true,
        ..Settings::default()
    });
    let error = read_only.sink(&target("orders")).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert_eq!(read(&*broker, &subscription("orders")).await.len(), 62);
}

#[tokio::test]
async fn an_event_without_a_time_gets_the_demos() {
    let broker = demo();
    create(&*broker, "now", 1).await;
    let streams = table(0);
    let mut events = Batch::new(streams.clone());
    events
        .push(&EventRef {
            timestamp_type: TimestampType::None,
            ..EventRef {
                stream: &streams[0],
                ..batch(0, &[None]).get(0)
            }
        })
        .unwrap();
    let mut sink = broker.sink(&target("now")).await.unwrap();
    sink.send(&events).await.unwrap();
    let seen = &read(&*broker, &subscription("now")).await[0];
    assert_eq!(
        Timestamp(seen.timestamp).to_string(),
        "2024-08-15T10:32:00.000Z"
    );
}

#[tokio::test]
async fn a_frozen_follower_waits_and_sees_what_is_written() {
    let broker = open(&Settings {
        frozen: true,
        ..Settings::default()
    });
    let mut sub = subscription("orders");
    sub.follow = true;
    sub.range = Range::Bounds {
        from: Bound::Last(1),
        until: Bound::End,
    };
    let mut source = broker.source(&sub).await.unwrap();
    assert_eq!(source.progress(), None);
    let batch_of_last = source.next_batch().await.unwrap().unwrap();
    assert_eq!(batch_of_last.len(), 3);
    let silence = Duration::from_millis(80);
    assert!(
        tokio::time::timeout(silence, source.next_batch())
            .await
            .is_err()
    );
    let mut sink = broker.sink(&target("orders")).await.unwrap();
    let written = batch(2, &[Some("order-999")]);
    let (came, sent) = tokio::join!(source.next_batch(), sink.send(&written));
    sent.unwrap();
    let came = came.unwrap().unwrap();
    assert_eq!(Seen::new(&came.get(0)).at(), "orders/2@20");
    assert_eq!(
        broker.clock().await.unwrap(),
        Some(Timestamp(super::T0 + 120_000))
    );
}

#[tokio::test]
async fn a_large_topic_is_read_in_several_batches() {
    let broker = demo();
    create(&*broker, "large", 1).await;
    let mut sink = broker.sink(&target("large")).await.unwrap();
    let sent = batch(0, &vec![Some("k"); 5000]);
    sink.send(&sent).await.unwrap();
    let mut source = broker.source(&subscription("large")).await.unwrap();
    let (events, metas) = drain(source.as_mut()).await;
    assert_eq!(events.len(), 5000);
    assert!(events.iter().zip(0..).all(|(e, o)| e.offset == o));
    // One record batch that runs over into the second batch, and is noted in both.
    assert_eq!(metas.len(), 2);
    assert!(events.iter().all(|e| e.meta == Some(metas[0].1)));
}
