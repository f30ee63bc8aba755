//! The figures of `evtap lag` beside those of Kafka's own `kafka-consumer-groups`, which
//! `tests/brokers/kafka.sh groups` runs: a thousand pairs of a group and a partition, at rest.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use evtap::broker::{History, NewTopic};
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::Value;

use crate::shared;
use crate::support::{kafka, producer, with_topic};

const WAIT: Duration = Duration::from_secs(20);
const GROUPS: u32 = 10;
/// Partitions of the plain topic, of the one with transactions, and of the one whose front is
/// deleted: a hundred.
const PLAIN: u32 = 40;
const SPUN: u32 = 30;
const TRIMMED: u32 = 30;

/// Group, topic and partition.
type Place = (String, String, u32);

/// What a client tells of a place: where the group stands, the log's end, the lag. `None` is "-".
type Told = [Option<i64>; 3];

fn send(producer: &BaseProducer, topic: &str, partition: u32, events: u32) {
    for _ in 0..events {
        let record = BaseRecord::<str, str>::to(topic)
            .partition(partition.cast_signed())
            .payload("{}");
        producer.send(record).map_err(|(e, _)| e).unwrap();
    }
}

/// Transactions over all partitions, every second one aborted: each leaves a marker in each.
fn spin(host: &str, topic: &str) {
    let writer = producer(host, &[("transactional.id", &format!("{topic}-tx"))]);
    writer.init_transactions(WAIT).unwrap();
    for number in 0..6 {
        writer.begin_transaction().unwrap();
        for partition in 0..SPUN {
            send(&writer, topic, partition, 1 + (partition + number) % 3);
        }
        writer.flush(WAIT).unwrap();
        if number % 2 == 0 {
            writer.commit_transaction(WAIT).unwrap();
        } else {
            writer.abort_transaction(WAIT).unwrap();
        }
    }
}

/// Deletes the front of each partition: nothing of some, all of others.
async fn trim(host: &str, topic: &str) {
    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", host)
        .create()
        .unwrap();
    let mut before = TopicPartitionList::new();
    for partition in 0..TRIMMED.cast_signed() {
        let offset = Offset::Offset(i64::from(partition % 11));
        before
            .add_partition_offset(topic, partition, offset)
            .unwrap();
    }
    let deleted = admin.delete_records(&before, &AdminOptions::new()).await;
    let deleted = deleted.unwrap();
    assert!(deleted.elements().iter().all(|e| e.error().is_ok()));
}

/// By the names of the columns, what the table of Kafka's tool tells.
fn by_java(host: &str, groups: &[String]) -> BTreeMap<Place, Told> {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/brokers/kafka.sh");
    let mut tool = Command::new("bash");
    tool.arg(script)
        .args(["groups", "--bootstrap-server", host, "--describe"]);
    for group in groups {
        tool.args(["--group", group]);
    }
    let output = tool.output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "kafka.sh groups: {said}");
    let table = String::from_utf8(output.stdout).unwrap();
    let mut columns = Vec::new();
    let mut told = BTreeMap::new();
    for line in table.lines() {
        let cells: Vec<&str> = line.split_whitespace().collect();
        if cells.first() == Some(&"GROUP") {
            columns = cells;
            continue;
        }
        if !groups.iter().any(|group| cells.first() == Some(&&**group)) {
            continue;
        }
        let cell = |name: &str| {
            let column = columns.iter().position(|c| *c == name);
            assert!(column.is_some(), "no column {name}:\n{table}");
            cells[column.unwrap()]
        };
        let number = |name: &str| match cell(name) {
            "-" => None,
            digits => Some(digits.parse().unwrap()),
        };
        let place = (
            cell("GROUP").to_owned(),
            cell("TOPIC").to_owned(),
            cell("PARTITION").parse().unwrap(),
        );
        let figures = ["CURRENT-OFFSET", "LOG-END-OFFSET", "LAG"].map(number);
        assert!(told.insert(place, figures).is_none(), "{line} comes twice");
    }
    told
}

/// What evtap tells; and the events that wait by its count, which Kafka's tool does not have.
fn by_evtap(host: &str, topics: &[&String]) -> (BTreeMap<Place, Told>, BTreeMap<Place, i64>) {
    let topics: Vec<&str> = topics.iter().map(|t| t.as_str()).collect();
    let url = format!("kafka://{host}/{}", topics.join(","));
    let output = shared::evtap()
        .args(["lag", &url, "--still", "1h", "-o", "json"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    let document: Value = serde_json::from_slice(&output.stdout).unwrap();
    let (mut told, mut visible) = (BTreeMap::new(), BTreeMap::new());
    for group in document["groups"].as_array().unwrap() {
        for row in group["partitions"].as_array().unwrap() {
            let place = (
                group["group"].as_str().unwrap().to_owned(),
                row["topic"].as_str().unwrap().to_owned(),
                u32::try_from(row["partition"].as_u64().unwrap()).unwrap(),
            );
            let figures = ["committed", "hw", "raw"].map(|name| row[name].as_i64());
            visible.insert(place.clone(), row["visible"].as_i64().unwrap());
            told.insert(place, figures);
        }
    }
    (told, visible)
}

#[tokio::test]
async fn lag_at_rest_is_that_of_kafka_consumer_groups() {
    let Some(host) = kafka() else { return };
    let (broker, plain) = with_topic(&host, "java-plain", PLAIN, &[]).await;
    let [spun, trimmed] = ["spun", "trimmed"].map(|name| plain.replace("plain", name));
    for (name, partitions) in [(&spun, SPUN), (&trimmed, TRIMMED)] {
        let topic = NewTopic {
            name: name.clone(),
            partitions,
            config: Vec::new(),
        };
        broker.create_topic(&topic).await.unwrap();
    }
    let writer = producer(&host, &[]);
    for partition in 0..PLAIN {
        send(&writer, &plain, partition, partition * partition % 37);
    }
    for partition in 0..TRIMMED {
        send(&writer, &trimmed, partition, 10);
    }
    writer.flush(WAIT).unwrap();
    spin(&host, &spun);
    trim(&host, &trimmed).await;

    let groups: Vec<String> = (0..GROUPS).map(|n| format!("{plain}-g{n}")).collect();
    let mut commits = Vec::new();
    for (number, group) in (0..).zip(&groups) {
        for (topic, partitions) in [(&plain, PLAIN), (&spun, SPUN), (&trimmed, TRIMMED)] {
            for partition in 0..partitions {
                // Before the log, in it, and beyond its end, where a topic was made anew.
                let offset = u64::from(partition * number % 13);
                commits.push((group.clone(), topic.clone(), partition, offset));
            }
        }
    }
    let history = History {
        commits,
        ..History::default()
    };
    broker.load_history(&history).await.unwrap();

    let theirs = by_java(&host, &groups);
    let (ours, visible) = by_evtap(&host, &[&plain, &spun, &trimmed]);
    assert_eq!(theirs.len(), 1_000);
    assert!(ours.keys().eq(theirs.keys()));
    let (mut beyond, mut markers, mut lost) = (0, 0, 0);
    for (place, [commit, end, lag]) in theirs {
        // A commit beyond the end is a negative lag there; here nothing waits, and the reason
        // says that the offset is lost.
        beyond += u32::from(lag < Some(0));
        let expected = [commit, end, lag.map(|lag| lag.max(0))];
        assert_eq!(ours[&place], expected, "{place:?}");
        // Both count positions. Those of transaction markers, of aborted events and of what was
        // deleted are no events that wait, which the tool cannot tell and `visible` does.
        let fewer = lag.is_some_and(|lag| visible[&place] < lag);
        markers += u32::from(place.1 == spun && fewer);
        lost += u32::from(place.1 == trimmed && fewer);
        assert!(place.1 != plain || !fewer, "{place:?}");
    }
    assert!(
        beyond > 0 && markers > 200 && lost > 50,
        "{beyond} {markers} {lost}"
    );
}
