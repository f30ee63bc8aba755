//! Logs of every kind: codecs, shapes and sizes of events, many partitions, holes.

use std::sync::Arc;
use std::time::{Duration, Instant};

use evtap::event::TimestampType;
use evtap::query::{Query, QuerySpec};
use rdkafka::producer::Producer as _;

use crate::both::{Event, Reader, agreed, read};
use crate::made::{Dice, Made, WAIT, numbered, produce, send, shaped};
use crate::support::{COMPACTED, all_of, kafka, producer, with_topic};

const CODECS: [&str; 5] = ["none", "gzip", "snappy", "lz4", "zstd"];

#[tokio::test]
async fn each_codec_of_librdkafkas_producer() {
    let Some(host) = kafka() else { return };
    for codec in CODECS {
        let (_, topic) = with_topic(&host, &format!("codec-{codec}"), 3, &[]).await;
        let how = [("compression.type", codec), ("linger.ms", "20")];
        produce(&host, &topic, &how, (0..6000).map(|n| shaped(n, 3)));
        let seen = agreed(&host, "", &all_of(&topic)).await;
        are_as_made(&seen.events, 6000, 3);
    }
}

/// What the broker compresses is compressed by the Java libraries: Snappy in blocks, LZ4 and
/// Zstandard in frames of other kinds.
#[tokio::test]
async fn each_codec_as_the_broker_itself_compresses() {
    let Some(host) = kafka() else { return };
    for codec in &CODECS[1..] {
        let config = [("compression.type", *codec)];
        let (_, topic) = with_topic(&host, &format!("java-{codec}"), 3, &config).await;
        let how = [("linger.ms", "20"), ("batch.size", "400000")];
        produce(&host, &topic, &how, (0..6000).map(|n| shaped(n, 3)));
        let seen = agreed(&host, "", &all_of(&topic)).await;
        are_as_made(&seen.events, 6000, 3);
    }
}

/// The reference itself: both could be wrong in the same way.
#[track_caller]
fn are_as_made(events: &[Event], count: u64, partitions: u64) {
    assert_eq!(events.len() as u64, count);
    for event in events {
        let made = shaped(
            event.offset * partitions + u64::from(event.partition),
            partitions,
        );
        let headers = made.headers.iter();
        let headers: Vec<_> = headers
            .map(|(k, v)| (k.as_bytes().to_vec(), v.clone()))
            .collect();
        assert_eq!(
            (&event.key, &event.value, &event.headers),
            (&made.key, &made.value, &headers),
            "{event:?}"
        );
        let time = (TimestampType::Create, made.timestamp.unwrap());
        assert_eq!(event.time, time, "{event:?}");
    }
}

#[tokio::test]
async fn every_codec_in_one_partition() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "mixed", 1, &[]).await;
    for (i, codec) in CODECS.iter().cycle().take(10).enumerate() {
        let how = [("compression.type", *codec), ("linger.ms", "20")];
        let first = i as u64 * 100;
        produce(
            &host,
            &topic,
            &how,
            (first..first + 100).map(|n| shaped(n, 1)),
        );
    }
    let seen = agreed(&host, "", &all_of(&topic)).await;
    are_as_made(&seen.events, 1000, 1);
}

#[tokio::test]
async fn timestamps_that_the_broker_gave() {
    let Some(host) = kafka() else { return };
    let config = [("message.timestamp.type", "LogAppendTime")];
    let (_, topic) = with_topic(&host, "append", 2, &config).await;
    for codec in ["none", "lz4"] {
        let how = [("compression.type", codec), ("linger.ms", "20")];
        produce(&host, &topic, &how, (0..1000).map(|n| shaped(n, 2)));
    }
    let seen = agreed(&host, "", &all_of(&topic)).await;
    assert_eq!(seen.events.len(), 2000);
    for event in &seen.events {
        assert_eq!(event.time.0, TimestampType::Append);
        assert!(event.time.1 > 1_750_000_000_000, "{event:?}");
    }
}

#[tokio::test]
async fn timestamps_of_all_ages_in_one_batch() {
    let Some(host) = kafka() else { return };
    let config = [("message.timestamp.after.max.ms", "9223372036854775807")];
    let (_, topic) = with_topic(&host, "ages", 1, &config).await;
    let times = [
        253_402_300_799_999,
        1,
        i64::from(i32::MAX),
        1_700_000_000_000,
    ];
    let events = times.map(|time| Made {
        timestamp: Some(time),
        value: Some(time.to_string().into_bytes()),
        ..Made::default()
    });
    produce(&host, &topic, &[("linger.ms", "100")], events.into_iter());
    let seen = agreed(&host, "", &all_of(&topic)).await;
    let found: Vec<i64> = seen.events.iter().map(|e| e.time.1).collect();
    assert_eq!(found, times);
}

#[tokio::test]
async fn many_tiny_batches() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "tiny", 2, &[]).await;
    let how = [("linger.ms", "0"), ("batch.num.messages", "1")];
    produce(&host, &topic, &how, (0..5000).map(|n| shaped(n, 2)));
    let seen = agreed(&host, "", &all_of(&topic)).await;
    are_as_made(&seen.events, 5000, 2);
}

#[tokio::test]
async fn events_of_megabytes() {
    let Some(host) = kafka() else { return };
    let config = [("max.message.bytes", "20000000")];
    let (_, topic) = with_topic(&host, "large", 2, &config).await;
    let sizes = [10, 1 << 20, 10, 10 << 20, 10, 1 << 20, 10_000_000, 0];
    for codec in ["none", "lz4", "zstd"] {
        let events = sizes.iter().enumerate().map(|(i, size)| Made {
            partition: i32::from(i % 3 == 2),
            key: Some(i.to_string().into_bytes()),
            value: Some(if i % 2 == 0 {
                Dice(i as u64).bytes(*size)
            } else {
                b"compresses well ".repeat(size / 16)
            }),
            ..Made::default()
        });
        produce(&host, &topic, &[("compression.type", codec)], events);
    }
    for memory in [64 << 20, 4 << 20] {
        let mut sub = all_of(&topic);
        sub.memory = memory;
        let seen = agreed(&host, "", &sub).await;
        assert_eq!(seen.events.len(), 3 * sizes.len());
    }
}

#[tokio::test]
async fn a_hundred_partitions_and_several_topics() {
    let Some(host) = kafka() else { return };
    let (_, many) = with_topic(&host, "hundred", 100, &[]).await;
    let (_, few) = with_topic(&host, "hundred", 2, &[]).await;
    let how = [("linger.ms", "20")];
    // Every fifth partition stays empty.
    let some = (0..10_000).filter(|n| n % 5 != 0);
    produce(&host, &many, &how, some.map(|n| shaped(n, 100)));
    produce(&host, &few, &how, (0..500).map(|n| shaped(n, 2)));
    let seen = agreed(&host, "", &all_of(&format!("{many},{few}"))).await;
    assert_eq!((seen.ranges.len(), seen.events.len()), (102, 8500));
}

#[tokio::test]
async fn what_compaction_left() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "holes", 1, &COMPACTED).await;
    let producer = producer(&host, &[("linger.ms", "20"), ("compression.type", "lz4")]);
    // Of the keys of the first rounds some are never written again: holes within batches.
    for round in 0..8_u64 {
        for n in 0..200_u64 {
            let event = Made {
                key: Some(format!("k{}", n * (round + 1) % 700).into_bytes()),
                value: (n % 50 != 0).then(|| format!("{round} {n}").into_bytes()),
                ..Made::default()
            };
            send(&producer, &topic, &event);
        }
        producer.flush(WAIT).unwrap();
        tokio::time::sleep(Duration::from_millis(120)).await;
    }
    let broker = Reader::Rdkafka.open(&host, "");
    let started = Instant::now();
    while read(&*broker, &all_of(&topic)).await.events.len() > 1400 {
        assert!(started.elapsed() < WAIT, "the broker does not compact");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    // The cleaner may be at work between the two reads.
    let mut before = read(&*broker, &all_of(&topic)).await;
    let seen = loop {
        let got = read(&*Reader::Direct.open(&host, ""), &all_of(&topic)).await;
        let after = read(&*broker, &all_of(&topic)).await;
        if before == after {
            crate::both::equal(&got, &after);
            break after;
        }
        before = after;
    };
    assert_eq!(seen.ranges[0].end.major, 1600);
    let hole = |pair: &[Event]| pair[1].offset > pair[0].offset + 1;
    assert!(seen.events.windows(2).filter(|pair| hole(pair)).count() > 10);
}

fn query(change: impl FnOnce(&mut QuerySpec)) -> Arc<Query> {
    let mut spec = QuerySpec::default();
    change(&mut spec);
    Arc::new(Query::compile(&spec).unwrap())
}

#[tokio::test]
async fn selections_keep_the_same_and_count_the_same() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "select", 3, &[]).await;
    for codec in ["lz4", "none"] {
        let how = [("compression.type", codec), ("linger.ms", "20")];
        produce(&host, &topic, &how, (0..6000).map(|n| shaped(n, 3)));
    }
    let all = agreed(&host, "", &all_of(&topic)).await.scanned;
    assert_eq!(all.events, 12_000);
    let where_ = |text: &str| query(|spec| spec.where_ = vec![text.to_owned()]);
    let grep = |text: &str| query(|spec| spec.grep = vec![text.to_owned()]);
    let select = [
        (
            where_(r#".value.kind == "failed" and .value.amount > 900"#),
            true,
        ),
        (where_(".value.n == 4444"), true),
        (where_(".value.n + 1 > 5990"), true),
        (where_(r#".headers.trace | test("^00")"#), true),
        (where_(r#".value.kind == "never""#), false),
        (where_(".key == null"), true),
        (where_(r#".encoding.value == "tombstone""#), true),
        (grep("\"n\":12[0-9]*7,"), true),
        (grep("^key-7$"), true),
        (grep("no such text anywhere"), false),
        (
            query(|spec| spec.keys = vec![b"key-99".to_vec(), b"key-5".to_vec()]),
            true,
        ),
        (
            query(|spec| {
                spec.keys = vec![Vec::new()];
                spec.grep = vec!["PAID".to_owned()];
                spec.ignore_case = true;
            }),
            true,
        ),
    ];
    for (query, some) in select {
        let explained = query.explain();
        let mut sub = all_of(&topic);
        sub.select = query;
        let seen = agreed(&host, "", &sub).await;
        let looked = (seen.scanned.events, seen.scanned.bytes);
        assert_eq!(looked, (all.events, all.bytes), "{explained:?}");
        assert_eq!(!seen.events.is_empty(), some, "{explained:?}");
    }
}

/// Larger than what is in flight at once.
#[tokio::test]
async fn a_log_of_sixty_megabytes() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "long", 4, &[]).await;
    let how = [("linger.ms", "20"), ("batch.size", "300000")];
    produce(
        &host,
        &topic,
        &how,
        (0..60_000).map(|n| numbered(n, 4, 1000)),
    );
    for memory in [64 << 20, 2 << 20] {
        let mut sub = all_of(&topic);
        sub.memory = memory;
        let seen = agreed(&host, "", &sub).await;
        assert_eq!(seen.events.len(), 60_000);
    }
}
