//! `evtap check` on a real Kafka: what is missing is explained, and nobody is accused who did
//! nothing.

use std::time::Duration;

use evtap::broker::Bound;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer};
use serde_json::{Value, json};

use crate::bounds::delete_before;
use crate::support::{COMPACTED, all_of, between, kafka, produce_at, producer, read, with_topic};

const WAIT: Duration = Duration::from_secs(20);

fn check(args: &[&str]) -> (Value, Option<i32>) {
    let mut command = crate::shared::evtap();
    let ran = command
        .arg("check")
        .args(args)
        .args(["-o", "json"])
        .output();
    let ran = ran.unwrap();
    let report = serde_json::from_slice(&ran.stdout);
    assert!(report.is_ok(), "{}", String::from_utf8_lossy(&ran.stderr));
    (report.unwrap(), ran.status.code())
}

fn codes(report: &Value) -> Vec<&str> {
    let findings = report["findings"].as_array().unwrap().iter();
    findings.map(|f| f["code"].as_str().unwrap()).collect()
}

fn transactional(host: &str, name: &str) -> BaseProducer {
    let producer = producer(host, &[("transactional.id", name)]);
    producer.init_transactions(WAIT).unwrap();
    producer
}

/// One transaction of up to three events; every fifth is aborted.
fn transaction(producer: &BaseProducer, topic: &str, number: u32) {
    producer.begin_transaction().unwrap();
    for event in 0..=number % 3 {
        let value = format!("{{\"n\":{number},\"e\":{event}}}");
        let record = BaseRecord::<(), str>::to(topic)
            .partition((number % 2).cast_signed())
            .payload(&value);
        producer.send(record).map_err(|(e, _)| e).unwrap();
    }
    if number % 5 == 2 {
        producer.flush(WAIT).unwrap();
        producer.abort_transaction(WAIT).unwrap();
    } else {
        producer.commit_transaction(WAIT).unwrap();
    }
}

/// `EVTAP_TEST_TRANSACTIONS=10000` is the long form.
#[tokio::test]
async fn transactions_and_aborts_leave_no_gap_that_is_not_explained() {
    let Some(host) = kafka() else { return };
    let number = std::env::var("EVTAP_TEST_TRANSACTIONS");
    let number: u32 = number.map_or(200, |n| n.parse().unwrap());
    let (_broker, topic) = with_topic(&host, "check-txn", 2, &[("retention.ms", "-1")]).await;
    let name = topic.clone();
    let address = host.clone();
    tokio::task::spawn_blocking(move || {
        let producers = [0, 1].map(|n| transactional(&address, &format!("{name}-{n}")));
        for n in 0..number {
            transaction(&producers[(n % 7 % 2) as usize], &name, n);
        }
    })
    .await
    .unwrap();
    for only in [&[][..], &["--only", "order"][..]] {
        let url = format!("kafka://{host}/{topic}");
        let (report, code) = check(&[&[&*url], only].concat());
        assert_eq!(code, Some(0), "{report:#}");
        let counts = &report["counts"];
        assert_eq!(counts["gaps_unexplained"], 0);
        assert!(counts["txn_markers"].as_u64().unwrap() >= u64::from(number * 4 / 5));
        assert!(counts["aborted"].as_u64().unwrap() > 0);
        assert_eq!(codes(&report), [""; 0]);
    }
    // Through librdkafka nothing is known of record batches: no gap is explained, and none accused.
    let url = format!("kafka://{host}/{topic}?evtap.reader=rdkafka");
    let (report, code) = check(&[&url]);
    assert_eq!(code, Some(3), "{report:#}");
    assert_eq!(report["counts"]["gaps_unexplained"], Value::Null);
    assert!(report["verdict"] == "inconclusive" && report.to_string().contains("read directly"));
}

#[tokio::test]
async fn an_open_transaction_is_told_and_is_no_gap() {
    let Some(host) = kafka() else { return };
    let (_broker, topic) = with_topic(&host, "check-open", 1, &[]).await;
    produce_at(&host, &topic, &[1, 2, 3]);
    let producer = transactional(&host, &topic);
    producer.begin_transaction().unwrap();
    let record = BaseRecord::<(), str>::to(&topic)
        .partition(0)
        .payload("open");
    producer.send(record).map_err(|(e, _)| e).unwrap();
    producer.flush(WAIT).unwrap();
    produce_at(&host, &topic, &[4]);
    let (report, code) = check(&[&format!("kafka://{host}/{topic}")]);
    assert_eq!(code, Some(3), "{report:#}");
    assert_eq!(report["counts"]["gaps_unexplained"], 0);
    let notes = report["coverage"]["notes"].to_string();
    assert!(
        notes.contains("2 offsets are of a transaction that is open"),
        "{notes}"
    );
    producer.abort_transaction(WAIT).unwrap();
}

#[tokio::test]
async fn what_the_cleaner_took_is_no_gap() {
    let Some(host) = kafka() else { return };
    let more = [("segment.bytes", "1048576"), ("delete.retention.ms", "0")];
    let config = [&COMPACTED[..], &more].concat();
    let (broker, topic) = with_topic(&host, "check-compact", 1, &config).await;
    let producer = producer(&host, &[("enable.idempotence", "true")]);
    for n in 0..40 {
        let (key, value) = (format!("k{}", n % 3), format!("{{\"n\":{n}}}"));
        let record = BaseRecord::<str, str>::to(&topic)
            .partition(0)
            .key(&key)
            .payload(&value);
        producer.send(record).map_err(|(e, _)| e).unwrap();
        producer.flush(WAIT).unwrap();
        tokio::time::sleep(Duration::from_millis(15)).await;
    }
    // The cleaner looks every 15 s, if nobody made it look oftener.
    let mut left = 40;
    for _ in 0..80 {
        left = read(&*broker, &all_of(&topic)).await.len();
        if left < 40 {
            break;
        }
        // A segment is rolled by the next event.
        let record = BaseRecord::<str, str>::to(&topic)
            .partition(0)
            .key("k0")
            .payload("{}");
        producer.send(record).map_err(|(e, _)| e).unwrap();
        producer.flush(WAIT).unwrap();
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
    assert!(left < 40, "the cleaner never came");
    let (report, code) = check(&[&format!("kafka://{host}/{topic}"), "--only", "order"]);
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(report["counts"]["gaps_unexplained"], 0);
    assert!(report["counts"]["compacted"].as_u64().unwrap() > 0);
}

#[tokio::test]
async fn offsets_before_the_start_of_the_log_are_told() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "check-trim", 1, &[]).await;
    produce_at(&host, &topic, &[1, 2, 3, 4, 5]);
    delete_before(&host, &topic, 3).await;
    let whole = between(&topic, Bound::Start, Bound::End);
    assert_eq!(broker.resolve(&whole).await.unwrap()[0].start.major, 3);
    let url = format!("kafka://{host}/{topic}");
    let (report, code) = check(&[&url, "--from", "1", "--only", "order"]);
    assert_eq!(code, Some(3), "{report:#}");
    assert_eq!(report["counts"]["gaps_unexplained"], 0);
    let notes = report["coverage"]["notes"].to_string();
    assert!(
        notes.contains("2 offsets are gone from before the log's start"),
        "{notes}"
    );
    assert_eq!(check(&[&url, "--only", "order"]).1, Some(0));
}

/// The demo's topics have fixed names: whoever wrote them before wrote the same.
#[tokio::test]
async fn the_demo_on_a_real_kafka_has_the_counts_of_the_embedded_one() {
    let Some(host) = kafka() else { return };
    let mut command = crate::shared::evtap();
    let url = format!("kafka://{host}");
    let written = command.args(["demo", "--to", &url, "--yes"]).output();
    let code = written.unwrap().status.code();
    assert!(matches!(code, Some(0 | 5)), "{code:?}");
    let topics =
        "orders,order-validation,payments,shipments,notifications,order-events,payments.dlq";
    let source = format!("{url}/{topics}");
    let known = ["--saga", "demo:", "--schemas", "demo:"];
    let clock = ["--now", "2024-08-15T10:32:00Z"];
    let (report, code) = check(&[&[&*source][..], &known, &clock].concat());
    assert_eq!(code, Some(1));
    let counts = &report["counts"];
    // Nobody is a member of the groups here; what a group has not reached waits for it all the same.
    assert_eq!(
        counts["sagas"],
        json!({"completed":42,"rejected":2,"compensated":2,"lost":3,"blocked":7,"poison":1,
            "violation":1,"open":2})
    );
    for (name, number) in [
        ("records", 497),
        ("dlq_records", 3),
        ("ids", 273),
        ("distinct_ids", 272),
        ("duplicates", 1),
        ("duplicate_effects", 1),
        ("gaps_unexplained", 0),
        ("txn_markers", 60),
        ("aborted", 1),
        ("compacted", 0),
        ("out_of_order", 3),
        ("late", 1),
        ("version_inversions", 1),
        ("sequence_holes", 1),
        ("undecodable", 1),
        ("pii", 4),
        ("control_sequences", 1),
        ("schema_violations", 5),
        ("groups_not_ok", 2),
    ] {
        assert_eq!(counts[name], json!(number), "{name}");
    }
    let duplicate = report["findings"].as_array().unwrap().iter();
    let duplicate: Vec<&Value> = duplicate.filter(|f| f["code"] == "id.duplicate").collect();
    assert_eq!(duplicate.len(), 1);
    assert_eq!(duplicate[0]["at"], "payments/1@12");
    assert_eq!(duplicate[0]["evidence"]["other"], "payments/1@6");
    let wrong: Vec<&str> = codes(&report)
        .into_iter()
        .filter(|code| code.starts_with("producer.") || *code == "offset.gap")
        .collect();
    assert_eq!(wrong, [""; 0]);
}

#[tokio::test]
async fn an_event_that_was_sent_twice_says_how() {
    let Some(host) = kafka() else { return };
    let (_broker, topic) = with_topic(&host, "check-twice", 2, &[]).await;
    let send = |producer: &BaseProducer, partition: i32, id: &str| {
        let headers = rdkafka::message::OwnedHeaders::new().insert(rdkafka::message::Header {
            key: "ce_id",
            value: Some(id),
        });
        let record = BaseRecord::<(), str>::to(&topic)
            .partition(partition)
            .headers(headers)
            .payload("{}");
        producer.send(record).map_err(|(e, _)| e).unwrap();
        producer.flush(WAIT).unwrap();
    };
    let idempotent = [("enable.idempotence", "true")];
    let first = producer(&host, &idempotent);
    for id in ["a", "b", "a", "c"] {
        send(&first, 0, id);
    }
    send(&producer(&host, &idempotent), 1, "c");
    let (report, code) = check(&[&format!("kafka://{host}/{topic}")]);
    assert_eq!(code, Some(1));
    let messages = report["findings"].as_array().unwrap().iter();
    let mut messages: Vec<&str> = messages.map(|f| f["message"].as_str().unwrap()).collect();
    messages.sort_unstable();
    assert_eq!(
        messages,
        [
            format!("id a was already at {topic}/0@0: sent twice by the application"),
            format!(
                "id c was already at {topic}/0@3: sent again by another producer, as after a restart"
            ),
        ]
    );
}
