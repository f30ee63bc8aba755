//! A capture of the record batches as the broker keeps them says what a capture of the events says.

use std::path::Path;

use evtap::broker::{Bound, History, HistoryRecord, NewTopic, Subscription, Target, TopicSelector};
use evtap::event::{Batch, HeaderBuf, Position, Timestamp};

use crate::support::{all_of, between, kafka, open, read, unique, values};

/// Ten events, half of them in transactions, some of those aborted.
fn history(topic: &str) -> History {
    let record = |n: u8| HistoryRecord {
        topic: topic.into(),
        partition: u32::from(n % 2),
        timestamp: Timestamp(1_723_717_843_000 + i64::from(n)),
        key: None,
        value: Some(n.to_string().into_bytes()),
        headers: HeaderBuf::default(),
        transaction: [None, None, Some(true), Some(false), Some(false)][usize::from(n) / 2],
    };
    History {
        topics: vec![NewTopic {
            name: topic.to_owned(),
            partitions: 2,
            config: vec![("retention.ms".into(), "-1".into())],
        }],
        records: (0..10).map(record).collect(),
        commits: Vec::new(),
    }
}

/// Records what the subscription reads; tells how many record batches came as they were, and how
/// many events one by one.
async fn record(
    broker: &dyn evtap::broker::Broker,
    sub: &Subscription,
    path: &Path,
) -> (usize, usize) {
    let capture = open(path.to_str().unwrap());
    let target = Target {
        topic: "".into(),
        overwrite: false,
    };
    let mut sink = capture.sink(&target).await.unwrap();
    let mut source = broker.source(sub).await.unwrap();
    let (mut whole, mut single, mut scanned, mut events) = (0, 0, 0, 0);
    while let Some(batch) = source.next_batch().await.unwrap() {
        whole += batch.raws().len();
        single += batch.len();
        scanned += batch.scanned.events;
        events += Batch::events(&batch);
        sink.send(&batch).await.unwrap();
    }
    assert_eq!(scanned, events, "all is kept");
    assert_eq!(sink.flush().await.unwrap().events, events);
    sink.finish().await.unwrap();
    (whole, single)
}

#[tokio::test]
async fn a_capture_of_whole_batches_holds_the_committed_events() {
    let Some(host) = kafka() else { return };
    let broker = open(&format!("kafka://{host}"));
    let topic = unique("recording");
    broker.load_history(&history(&topic)).await.unwrap();
    let dir = tempfile::tempdir().unwrap();
    let at = |offset| Bound::At(Position::offset(offset));
    for (name, sub, one_by_one) in [
        ("all", all_of(&topic), false),
        ("cut", between(&topic, at(1), at(3)), true),
    ] {
        let raw = Subscription {
            raw: true,
            ..sub.clone()
        };
        let whole = dir.path().join(format!("{name}-whole.mcap"));
        let single = dir.path().join(format!("{name}-single.mcap"));
        let (batches, events) = record(&*broker, &raw, &whole).await;
        assert!(batches > 0 || one_by_one, "{name}");
        assert_eq!(events > 0, one_by_one, "{name}");
        assert_eq!(record(&*broker, &sub, &single).await.0, 0);
        let expected = read(&*broker, &sub).await;
        assert!(!expected.is_empty());
        let mut topics = Vec::new();
        for path in [whole, single] {
            let capture = open(path.to_str().unwrap());
            let found = read(&*capture, &all_of(&topic)).await;
            assert_eq!(values(&found), values(&expected), "{path:?}");
            assert_eq!(found, expected, "{path:?}");
            topics.push(capture.topics(&TopicSelector::all()).await.unwrap());
        }
        assert_eq!(topics[0], topics[1], "{name}");
    }
}
