//! Transactions: aborted events are hidden from committed readers and shown to the others, markers
//! and open transactions hold nothing up, compaction neither.

use std::time::Duration;

use evtap::broker::{
    ErrorKind, History, HistoryRecord, NewTopic, PartitionRange, Range, TopicSelector,
};
use evtap::event::{HeaderBuf, Position, Timestamp};
use rdkafka::producer::{BaseRecord, Producer};

use crate::support::{
    COMPACTED, all_of, drain, kafka, open, produce_at, producer, read, unique, values, with_topic,
};

const WAIT: Duration = Duration::from_secs(20);

fn record(topic: &str, value: &str, transaction: Option<bool>) -> HistoryRecord {
    let mut headers = HeaderBuf::default();
    headers.push(b"h", Some(b"1"));
    HistoryRecord {
        topic: topic.into(),
        partition: 0,
        timestamp: Timestamp(1_723_717_843_000),
        key: None,
        value: Some(value.into()),
        headers,
        transaction,
    }
}

fn history(topic: &str) -> History {
    History {
        topics: vec![NewTopic {
            name: topic.to_owned(),
            partitions: 2,
            config: vec![("retention.ms".into(), "-1".into())],
        }],
        records: vec![
            record(topic, "plain", None),
            record(topic, "committed", Some(true)),
            record(topic, "aborted", Some(false)),
            record(topic, "last", None),
            record(topic, "aborted at the end", Some(false)),
        ],
        commits: vec![(format!("{topic}-g"), topic.to_owned(), 0, 3)],
    }
}

#[tokio::test]
async fn a_loaded_history_has_its_transactions_at_their_offsets() {
    let Some(host) = kafka() else { return };
    let broker = open(&format!("kafka://{host}"));
    let topic = unique("history");
    broker.load_history(&history(&topic)).await.unwrap();

    let got = read(&*broker, &all_of(&topic)).await;
    assert_eq!(values(&got), ["plain", "committed", "last"]);
    let offsets: Vec<u64> = got.iter().map(|e| e.offset).collect();
    assert_eq!(offsets, [0, 1, 5], "2 and 4 are markers, 3 is aborted");
    assert_eq!(got[0].timestamp, Some(1_723_717_843_000));

    let dirty = open(&format!("kafka://{host}?isolation.level=read_uncommitted"));
    let got = read(&*dirty, &all_of(&topic)).await;
    assert_eq!(
        values(&got),
        [
            "plain",
            "committed",
            "aborted",
            "last",
            "aborted at the end"
        ]
    );
    let info = broker.topics(&TopicSelector::one(&topic)).await.unwrap();
    assert_eq!(info[0].partitions[0].end, Position::offset(8));
    assert_eq!(info[0].partitions[1].end, Position::ZERO);

    let error = broker.load_history(&history(&topic)).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused);
    assert!(error.message.contains(&topic), "{error}");
}

#[tokio::test]
async fn an_open_transaction_ends_a_committed_read_before_it() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "open", 1, &[]).await;
    produce_at(&host, &topic, &[1, 2, 3]);
    let producer = producer(&host, &[("transactional.id", &topic)]);
    producer.init_transactions(WAIT).unwrap();
    producer.begin_transaction().unwrap();
    let record = BaseRecord::<(), str>::to(&topic)
        .partition(0)
        .payload("open");
    producer.send(record).map_err(|(e, _)| e).unwrap();
    producer.flush(WAIT).unwrap();
    produce_at(&host, &topic, &[4]);

    let got = read(&*broker, &all_of(&topic)).await;
    assert_eq!(values(&got), ["0", "1", "2"]);
    let dirty = open(&format!("kafka://{host}?isolation.level=read_uncommitted"));
    let got = read(&*dirty, &all_of(&topic)).await;
    assert_eq!(values(&got), ["0", "1", "2", "open", "0"]);

    // A range that was frozen beyond the open transaction cannot be read to its end, and says so.
    let mut beyond = all_of(&topic);
    let ranges: Vec<PartitionRange> = dirty.resolve(&beyond).await.unwrap();
    assert_eq!(ranges[0].end, Position::offset(5));
    beyond.range = Range::Frozen(ranges);
    let mut source = broker.source(&beyond).await.unwrap();
    let error = drain(&mut *source).await.unwrap_err();
    assert!(
        error.hint.unwrap().contains("transaction"),
        "{}",
        error.message
    );

    producer.abort_transaction(WAIT).unwrap();
}

#[tokio::test]
async fn a_range_of_nothing_but_aborted_events_is_complete() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "aborted", 1, &[]).await;
    let producer = producer(&host, &[("transactional.id", &topic)]);
    producer.init_transactions(WAIT).unwrap();
    for _ in 0..5 {
        producer.begin_transaction().unwrap();
        for i in 0..200 {
            let value = i.to_string();
            let record = BaseRecord::<(), str>::to(&topic)
                .partition(0)
                .payload(&value);
            producer.send(record).map_err(|(e, _)| e).unwrap();
        }
        producer.flush(WAIT).unwrap();
        producer.abort_transaction(WAIT).unwrap();
    }
    assert_eq!(read(&*broker, &all_of(&topic)).await, []);
    // Cut in the middle of a transaction: the end is no event, and no marker either.
    let mut part = all_of(&topic);
    let mut ranges = broker.resolve(&part).await.unwrap();
    ranges[0].end = Position::offset(ranges[0].end.major - 100);
    part.range = Range::Frozen(ranges);
    assert_eq!(read(&*broker, &part).await, []);
}

#[tokio::test]
async fn a_compacted_topic_is_read_to_its_end() {
    let Some(host) = kafka() else { return };
    let more = [("segment.bytes", "1048576"), ("delete.retention.ms", "0")];
    let config = [&COMPACTED[..], &more].concat();
    let (broker, topic) = with_topic(&host, "compact", 1, &config).await;
    let send = |key: &str, value: Option<&str>| {
        let producer = producer(&host, &[]);
        let mut record = BaseRecord::<str, str>::to(&topic).partition(0).key(key);
        record.payload = value;
        producer.send(record).map_err(|(e, _)| e).unwrap();
        producer.flush(WAIT).unwrap();
    };
    for i in 0..5 {
        send("k", Some(&i.to_string()));
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    send("k", None);
    let ends = |offsets: &[u64]| offsets.last().copied();
    // With or without the cleaner's work done, the read ends, and its last event is there.
    let got = read(&*broker, &all_of(&topic)).await;
    let offsets: Vec<u64> = got.iter().map(|e| e.offset).collect();
    assert_eq!(ends(&offsets), Some(5));
    assert_eq!(got.last().unwrap().value, None);
}
