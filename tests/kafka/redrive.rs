//! `evtap redrive` on a real Kafka: into the partitions that events came from, in their order, once;
//! what is parked is parked once; what is refused writes nothing.

use std::path::Path;
use std::time::Duration;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseRecord, Producer};
use serde_json::{Value, json};

use crate::support::{Owned, all_of, kafka, producer, read, with_topic};

/// Exit code, the report, and what was said.
fn redrive(args: &[&str]) -> (Option<i32>, Value, String) {
    redrive_in(None, args)
}

/// The same with a state folder of its own.
fn redrive_in(state: Option<&Path>, args: &[&str]) -> (Option<i32>, Value, String) {
    let mut command = crate::shared::evtap();
    if let Some(state) = state {
        command.env("EVTAP_STATE", state);
    }
    let ran = command
        .arg("redrive")
        .args(args)
        .args(["-o", "json"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr).into_owned();
    let report = serde_json::from_slice(&ran.stdout).unwrap_or(Value::Null);
    (ran.status.code(), report, said)
}

fn counts(report: &Value) -> [u64; 4] {
    ["found", "redriven", "parked", "left"].map(|name| report[name].as_u64().unwrap_or(u64::MAX))
}

/// Dead letters as Spring Kafka writes them: of each event its partition there, `None` for one that
/// says nothing of where it came from.
fn die(host: &str, letters: &str, origin: &str, partitions: &[Option<i32>]) {
    let producer = producer(host, &[]);
    for (n, partition) in partitions.iter().enumerate() {
        let (n, key) = (i64::try_from(n).unwrap(), format!("k{}", n % 5));
        let mut headers = OwnedHeaders::new().insert(Header {
            key: "own",
            value: Some("kept"),
        });
        if let Some(partition) = partition {
            headers = headers
                .insert(Header {
                    key: "kafka_dlt-original-topic",
                    value: Some(origin),
                })
                .insert(Header {
                    key: "kafka_dlt-original-partition",
                    value: Some(&partition.to_be_bytes()),
                })
                .insert(Header {
                    key: "kafka_dlt-original-offset",
                    value: Some(&n.to_be_bytes()),
                });
        }
        let value = n.to_string();
        let record = BaseRecord::to(letters)
            .partition(0)
            .key(&key)
            .payload(&value)
            .headers(headers);
        producer.send(record).map_err(|(e, _)| e).unwrap();
    }
    producer.flush(Duration::from_secs(10)).unwrap();
}

fn values(events: &[Owned], partition: u32) -> Vec<u64> {
    let of = events.iter().filter(|e| e.partition == partition);
    of.map(|e| {
        String::from_utf8_lossy(e.value.as_deref().unwrap())
            .parse()
            .unwrap()
    })
    .collect()
}

#[tokio::test]
async fn dead_letters_go_back_in_order_and_once() {
    let Some(host) = kafka() else { return };
    let (broker, origin) = with_topic(&host, "redrive", 3, &[]).await;
    let (_, letters) = with_topic(&host, "redrive-dlq", 1, &[]).await;
    let (_, parked) = with_topic(&host, "redrive-parked", 2, &[]).await;
    let partitions: Vec<Option<i32>> = (0..300).map(|n| (n % 50 != 7).then_some(n % 3)).collect();
    die(&host, &letters, &origin, &partitions);
    let source = format!("kafka://{host}/{letters}");

    for (args, guard) in [
        (&[&*source][..], "guard confirm"),
        (&[&source, "--yes", "--read-only"], "guard read-only"),
        (&[&source, "--yes", "--to", &source], "guard same topic"),
        (
            &[&source, "--yes", "--parked", &letters],
            "guard same topic",
        ),
        (
            &[&source, "--yes", "--max-events", "10"],
            "guard max-events",
        ),
    ] {
        let (code, _, said) = redrive(args);
        assert_eq!(code, Some(5), "{args:?} {said}");
        assert!(said.contains(guard), "{args:?} {said}");
    }
    let (code, report, said) = redrive(&[&source, "--dry-run"]);
    assert_eq!(
        (code, counts(&report)),
        (Some(0), [300, 294, 6, 0]),
        "{said}"
    );
    for topic in [&origin, &parked] {
        assert_eq!(read(&*broker, &all_of(topic)).await, [], "{topic}");
    }

    let args = [&*source, "--yes", "--parked", &parked];
    let (code, report, said) = redrive(&args);
    assert_eq!(
        (code, counts(&report)),
        (Some(0), [300, 294, 6, 0]),
        "{said}"
    );
    assert!(said.contains("verified: good"), "{said}");
    let copies = read(&*broker, &all_of(&origin)).await;
    assert_eq!(copies.len(), 294);
    for partition in 0..3 {
        let expected = (0..300).filter(|n| n % 50 != 7 && n % 3 == u64::from(partition));
        assert_eq!(values(&copies, partition), expected.collect::<Vec<_>>());
    }
    let names = |event: &Owned| -> Vec<String> {
        let names = event
            .headers
            .iter()
            .map(|(name, _)| String::from_utf8_lossy(name).into_owned());
        names.collect()
    };
    let expected = [
        "own",
        "evtap-replay",
        "evtap-source",
        "evtap-time",
        "evtap-count",
    ];
    assert!(copies.iter().all(|copy| names(copy) == expected));
    let aside = read(&*broker, &all_of(&parked)).await;
    assert_eq!(aside.len(), 6);
    assert!(
        aside
            .iter()
            .all(|copy| names(copy) == ["own", "evtap-source", "evtap-parked"])
    );

    // The copies are found, so that a second time does nothing; nor does one that is asked for less.
    for more in [&[][..], &["--from", "100"]] {
        let (code, report, said) = redrive(&[&args[..], more].concat());
        assert_eq!(code, Some(0), "{said}");
        assert_eq!(
            (&report["redriven"], &report["parked"]),
            (&0.into(), &0.into()),
            "{said}"
        );
    }
    assert_eq!(read(&*broker, &all_of(&origin)).await.len(), 294);
    assert_eq!(read(&*broker, &all_of(&parked)).await.len(), 6);

    // They fail again, and come back as they were sent: redriven as often as is allowed.
    let (code, report, said) = redrive(&[
        &format!("kafka://{host}/{origin}"),
        "--yes",
        "--origin-header",
        "own",
    ]);
    assert_eq!(
        (code, counts(&report)),
        (Some(0), [294, 0, 294, 0]),
        "{said}"
    );
    assert_eq!(report["fates"]["capped"], 294);

    let (code, report, said) = redrive(&[&source, "--yes", "--again", "-n", "4"]);
    assert_eq!((code, counts(&report)), (Some(0), [4, 4, 0, 0]), "{said}");
    assert_eq!(read(&*broker, &all_of(&origin)).await.len(), 298);
}

/// The lines of an audit log.
fn audit(state: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(state.join("audit.jsonl")).unwrap_or_default();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

#[tokio::test]
async fn each_redrive_that_writes_is_one_line_in_the_audit_log() {
    let Some(host) = kafka() else { return };
    let (broker, origin) = with_topic(&host, "redrive-audit", 2, &[]).await;
    let (_, letters) = with_topic(&host, "redrive-audit-dlq", 1, &[]).await;
    let (_, parked) = with_topic(&host, "redrive-audit-parked", 1, &[]).await;
    let partitions: Vec<Option<i32>> = (0..40).map(|n| (n % 10 != 7).then_some(n % 2)).collect();
    die(&host, &letters, &origin, &partitions);
    let source = format!("kafka://{host}/{letters}");
    let dir = tempfile::tempdir().unwrap();
    let state = dir.path().join("state");
    let run = |args: &[&str]| redrive_in(Some(&state), args);

    for args in [&[&*source, "--dry-run"][..], &[&source]] {
        run(args);
        assert!(!state.exists(), "{args:?}");
    }
    let args = [&*source, "--yes", "--parked", &parked];
    let (code, _, said) = run(&args);
    assert_eq!(code, Some(0), "{said}");
    // There is nothing left to write: that is no run.
    let (code, _, said) = run(&args);
    assert_eq!(code, Some(0), "{said}");
    let lines = audit(&state);
    assert_eq!(lines.len(), 1, "{lines:?}");
    let line = &lines[0];
    for (name, expected) in [
        ("kind", json!("redrive")),
        ("result", json!("complete")),
        ("exit", json!(0)),
        ("verified", json!(true)),
    ] {
        assert_eq!(line[name], expected, "{name}");
    }
    let id = line["run"].as_str().unwrap();
    assert!(line["plan"].as_str().unwrap().starts_with(id));
    let copies = read(&*broker, &all_of(&origin)).await;
    let told = copies[0]
        .headers
        .iter()
        .find(|(name, _)| name == b"evtap-replay");
    assert_eq!(told.unwrap().1.as_deref(), Some(id.as_bytes()));
    let cluster = broker.cluster().await.unwrap();
    let from = &line["sources"][0];
    assert_eq!(
        (&from["address"], &from["cluster"]),
        (&json!(source), &json!(cluster))
    );
    assert_eq!(
        from["ranges"],
        json!([{"topic": letters, "partition": 0, "start": "0", "end": "40"}])
    );
    for (side, topic) in [(&line["targets"][0], &origin), (&line["parked"], &parked)] {
        let address = format!("kafka://{host}/{topic}");
        assert_eq!(
            (&side["address"], &side["topic"]),
            (&json!(address), &json!(topic))
        );
        assert_eq!(side["cluster"], json!(cluster));
    }
    assert_eq!(line["targets"].as_array().map(Vec::len), Some(1));
    let mut counts = line["counts"].clone();
    assert!(counts["bytes"].as_u64() > Some(0));
    counts["bytes"] = json!(0);
    assert_eq!(
        counts,
        json!({"read": 40, "sent": 40, "acknowledged": 40, "in_doubt": 0, "bytes": 0,
            "redriven": 36, "parked": 4, "skipped": {}})
    );
}

#[tokio::test]
async fn a_partition_that_is_not_there_any_more_is_chosen_by_the_key() {
    let Some(host) = kafka() else { return };
    let (broker, origin) = with_topic(&host, "redrive-less", 2, &[]).await;
    let (_, letters) = with_topic(&host, "redrive-less-dlq", 1, &[]).await;
    die(&host, &letters, &origin, &[Some(9); 20]);
    let (code, report, said) = redrive(&[&format!("kafka://{host}/{letters}"), "--yes"]);
    assert_eq!((code, counts(&report)), (Some(0), [20, 20, 0, 0]), "{said}");
    let copies = read(&*broker, &all_of(&origin)).await;
    let mut of_key = std::collections::BTreeMap::new();
    for copy in &copies {
        let partitions: &mut std::collections::BTreeSet<u32> =
            of_key.entry(copy.key.clone()).or_default();
        partitions.insert(copy.partition);
    }
    assert_eq!((copies.len(), of_key.len()), (20, 5));
    assert!(of_key.values().all(|partitions| partitions.len() == 1));
}
