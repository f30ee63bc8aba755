//! What is written is what is read, byte for byte, by the adapter's sink and by another producer.

use std::sync::Arc;
use std::time::Duration;

use evtap::broker::{ErrorKind, Target};
use evtap::event::{
    ANY_PARTITION, Batch, EventRef, HeaderBuf, Position, PositionStyle, Stream, Streams, Timestamp,
    TimestampType,
};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer};

use crate::support::{Owned, all_of, kafka, open, producer, read, values, with_topic};

/// Events in all the shapes that a log can hold.
fn shapes() -> Vec<Owned> {
    let event =
        |key: Option<&[u8]>, value: Option<&[u8]>, headers: &[(&str, Option<&[u8]>)]| Owned {
            partition: 0,
            offset: 0,
            timestamp: Some(1_723_717_843_000),
            key: key.map(<[u8]>::to_vec),
            value: value.map(<[u8]>::to_vec),
            headers: headers
                .iter()
                .map(|(k, v)| (k.as_bytes().to_vec(), v.map(<[u8]>::to_vec)))
                .collect(),
        };
    let binary: Vec<u8> = (0..=255).collect();
    // Hard to compress, so that it is as large on the wire.
    let mut state = 1u64;
    let large: Vec<u8> = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state as u8
    })
    .take(1 << 20)
    .collect();
    vec![
        event(Some(b"k"), Some(b"v"), &[]),
        event(None, Some(b"null key"), &[]),
        event(Some(b""), Some(b"empty key"), &[]),
        event(Some(b"tombstone"), None, &[]),
        event(Some(b"empty value"), Some(b""), &[]),
        event(None, None, &[("only", Some(b"a header"))]),
        event(Some(&binary), Some(&binary), &[("binary", Some(&binary))]),
        event(
            Some(b"headers"),
            Some(b"v"),
            &[
                ("twice", Some(b"1")),
                ("null", None),
                ("twice", Some(b"2")),
                ("empty", Some(b"")),
                ("", Some(b"no name")),
                ("näme", Some("wört".as_bytes())),
            ],
        ),
        event(Some(b"large"), Some(&large), &[]),
    ]
}

fn batch_of(events: &[Owned], partition: impl Fn(usize) -> u32) -> Batch {
    let numbers = [0, 1, 2, ANY_PARTITION];
    let streams: Streams = numbers
        .iter()
        .map(|&partition| Stream {
            topic: "elsewhere".into(),
            partition,
            style: PositionStyle::Offset,
        })
        .collect();
    let mut batch = Batch::new(Arc::clone(&streams));
    for (i, event) in events.iter().enumerate() {
        let index = numbers.iter().position(|n| *n == partition(i)).unwrap();
        let mut headers = HeaderBuf::default();
        for (key, value) in &event.headers {
            headers.push(key, value.as_deref());
        }
        batch
            .push(&EventRef {
                stream: &streams[index],
                stream_index: index as u32,
                position: Position::ZERO,
                timestamp: Timestamp(event.timestamp.unwrap_or_default()),
                timestamp_type: match event.timestamp {
                    Some(_) => TimestampType::Create,
                    None => TimestampType::None,
                },
                key: event.key.as_deref(),
                value: event.value.as_deref(),
                headers: headers.as_headers(),
                meta: None,
            })
            .unwrap();
    }
    batch
}

fn without_offsets(mut events: Vec<Owned>) -> Vec<Owned> {
    for event in &mut events {
        event.offset = 0;
        event.partition = 0;
    }
    events
}

fn target(topic: &str) -> Target {
    Target {
        topic: topic.into(),
        overwrite: false,
    }
}

const LARGE: (&str, &str) = ("max.message.bytes", "4000000");

#[tokio::test]
async fn what_the_sink_writes_is_what_the_source_reads() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "sink", 1, &[LARGE]).await;
    let sent = shapes();
    let mut sink = broker.sink(&target(&topic)).await.unwrap();
    sink.send(&batch_of(&sent, |_| 0)).await.unwrap();
    let written = sink.flush().await.unwrap();
    assert_eq!(written.events, sent.len() as u64);
    let got = read(&*broker, &all_of(&topic)).await;
    assert_eq!(without_offsets(got), sent);
}

#[tokio::test]
async fn what_another_producer_writes_is_read_whatever_the_compression() {
    let Some(host) = kafka() else { return };
    for codec in ["none", "gzip", "snappy", "lz4", "zstd"] {
        let (broker, topic) = with_topic(&host, codec, 1, &[LARGE]).await;
        let sent = shapes();
        let producer = producer(&host, &[("compression.type", codec)]);
        for event in &sent {
            let mut record = BaseRecord::<[u8], [u8]>::to(&topic)
                .partition(0)
                .timestamp(event.timestamp.unwrap());
            record.key = event.key.as_deref();
            record.payload = event.value.as_deref();
            if !event.headers.is_empty() {
                let mut headers = OwnedHeaders::new();
                for (key, value) in &event.headers {
                    headers = headers.insert(Header {
                        key: std::str::from_utf8(key).unwrap(),
                        value: value.as_deref(),
                    });
                }
                record = record.headers(headers);
            }
            producer.send(record).map_err(|(e, _)| e).unwrap();
        }
        producer.flush(Duration::from_secs(20)).unwrap();
        let got = read(&*broker, &all_of(&topic)).await;
        assert_eq!(without_offsets(got), sent, "{codec}");
    }
}

#[tokio::test]
async fn an_event_goes_to_its_partition_or_where_java_would_put_its_key() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "partition", 3, &[]).await;
    let event = |key: &str, value: &str| Owned {
        partition: 0,
        offset: 0,
        timestamp: None,
        key: Some(key.into()),
        value: Some(value.into()),
        headers: Vec::new(),
    };
    let mut sink = broker.sink(&target(&topic)).await.unwrap();
    let kept = [event("k", "to 2"), event("k", "to 0")];
    sink.send(&batch_of(&kept, |i| [2, 0][i])).await.unwrap();
    // (toPositive(murmur2(key)) % 3) of Kafka's own DefaultPartitioner.
    let chosen = ["order-1", "order-2", "order-3", "order-4", "21"];
    let by_key: Vec<Owned> = chosen.iter().map(|key| event(key, key)).collect();
    sink.send(&batch_of(&by_key, |_| ANY_PARTITION))
        .await
        .unwrap();
    assert_eq!(sink.flush().await.unwrap().events, 7);

    let got = read(&*broker, &all_of(&topic)).await;
    let place = |value: &str| {
        let found = got
            .iter()
            .find(|e| e.value.as_deref() == Some(value.as_bytes()));
        found.unwrap().partition
    };
    assert_eq!((place("to 2"), place("to 0")), (2, 0));
    for key in chosen {
        assert_eq!(place(key), murmur2(key.as_bytes()) % 3, "{key}");
    }
    assert!(
        got.iter().all(|e| e.timestamp.unwrap() > 1_700_000_000_000),
        "no time is now"
    );

    let error = sink.send(&batch_of(&[event("k", "v")], |_| 1)).await.err();
    assert!(error.is_none());
}

/// Kafka's `Utils.murmur2`, made positive as its partitioner does.
fn murmur2(data: &[u8]) -> u32 {
    const M: u32 = 0x5bd1_e995;
    let mut h: u32 = 0x9747_b28c ^ data.len() as u32;
    let mut chunks = data.chunks_exact(4);
    for chunk in &mut chunks {
        let mut k = u32::from_le_bytes(chunk.try_into().unwrap()).wrapping_mul(M);
        k ^= k >> 24;
        h = h.wrapping_mul(M) ^ k.wrapping_mul(M);
    }
    let rest = chunks.remainder();
    for (i, byte) in rest.iter().enumerate().rev() {
        h ^= u32::from(*byte) << (8 * i);
    }
    if !rest.is_empty() {
        h = h.wrapping_mul(M);
    }
    h ^= h >> 13;
    h = h.wrapping_mul(M);
    (h ^ (h >> 15)) & 0x7fff_ffff
}

#[tokio::test]
async fn an_event_that_the_broker_refuses_is_an_error_of_the_sink() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "toolarge", 1, &[("max.message.bytes", "10000")]).await;
    let mut sink = broker.sink(&target(&topic)).await.unwrap();
    let large = shapes().pop().unwrap();
    sink.send(&batch_of(&[large], |_| 0)).await.unwrap();
    let error = sink.flush().await.unwrap_err();
    assert!(error.message.contains(&topic), "{error}");
    assert!(error.hint.unwrap().contains("max.message.bytes"));
    assert_eq!(read(&*broker, &all_of(&topic)).await, []);
}

#[tokio::test]
async fn a_partition_that_the_target_lacks_is_refused_before_anything_is_sent() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "lacking", 1, &[]).await;
    let mut sink = broker.sink(&target(&topic)).await.unwrap();
    let batch = batch_of(&shapes()[..1], |_| 2);
    let error = sink.send(&batch).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
}

#[tokio::test]
async fn many_events_come_back_in_order_and_the_queue_s_bound_is_waited_out() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "many", 3, &[]).await;
    // A queue far smaller than what is sent.
    let broker = open(&format!("kafka://{host}?queue.buffering.max.messages=500"));
    let sent: Vec<Owned> = (0..20_000)
        .map(|i| Owned {
            partition: 0,
            offset: 0,
            timestamp: Some(1_700_000_000_000 + i),
            key: None,
            value: Some(format!("{i}").into_bytes()),
            headers: vec![(b"n".to_vec(), Some(format!("{i}").into_bytes()))],
        })
        .collect();
    let mut sink = broker.sink(&target(&topic)).await.unwrap();
    for some in sent.chunks(1000) {
        sink.send(&batch_of(some, |i| (i % 3) as u32))
            .await
            .unwrap();
    }
    assert_eq!(sink.flush().await.unwrap().events, 20_000);
    let got = read(&*broker, &all_of(&topic)).await;
    let mut expected: Vec<(i32, i32)> = (0..20_000).map(|i| (i % 1000 % 3, i)).collect();
    expected.sort_unstable();
    let numbers: Vec<String> = expected.iter().map(|(_, i)| i.to_string()).collect();
    assert_eq!(values(&got), numbers);
}

/// A leader that does not know yet that it leads refuses a producer's first request, and may take
/// the second, which is on its way already. A few topics at a time keep the broker busy enough.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn the_first_events_of_a_topic_that_was_just_made_keep_their_order() {
    let Some(host) = kafka() else { return };
    let expected = ["0", "1", "2", "3"].map(|n| Some(n.as_bytes().to_vec()));
    for round in 0..4 {
        let writes: Vec<_> = (0..4)
            .map(|i| tokio::spawn(write_at_once(host.clone(), format!("young{round}-{i}"))))
            .collect();
        for write in writes {
            assert_eq!(write.await.unwrap(), expected);
        }
    }
}

/// Makes a topic, and writes four events at once, each in a request of its own. The keys as they
/// are read.
async fn write_at_once(host: String, name: String) -> Vec<Option<Vec<u8>>> {
    let (broker, topic) = with_topic(&host, &name, 3, &[]).await;
    let sent = ["0", "1", "2", "3"].map(|n| Owned {
        partition: 0,
        offset: 0,
        timestamp: Some(1_700_000_000_000),
        key: Some(n.as_bytes().to_vec()),
        value: Some(n.repeat(600_000).into_bytes()),
        headers: Vec::new(),
    });
    let mut sink = broker.sink(&target(&topic)).await.unwrap();
    sink.send(&batch_of(&sent, |_| 0)).await.unwrap();
    assert_eq!(sink.flush().await.unwrap().events, 4);
    let got = read(&*broker, &all_of(&topic)).await;
    got.into_iter().map(|e| e.key).collect()
}
