//! `evtap verify` against a Kafka topic whose copies are not what the plan wrote.

use std::time::Duration;

use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use serde_json::Value;

use crate::copies::{Event, committed};
use crate::made::{numbered, produce};
use crate::program::Desk;
use crate::shared;
use crate::support::{kafka, producer, with_topic};

/// Writes the event as it stands into partition 0.
fn write(producer: &BaseProducer, topic: &str, event: &Event) {
    let mut headers = OwnedHeaders::new();
    for (name, value) in &event.headers {
        headers = headers.insert(Header {
            key: std::str::from_utf8(name).unwrap(),
            value: value.as_deref(),
        });
    }
    let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).partition(0);
    record = record.headers(headers);
    record.key = event.key.as_deref();
    record.payload = event.value.as_deref();
    producer.send(record).map_err(|(error, _)| error).unwrap();
}

fn set(event: &mut Event, header: &str, value: &str) {
    for (name, there) in &mut event.headers {
        if name == header.as_bytes() {
            *there = Some(value.into());
        }
    }
}

/// The exit code of `evtap verify`, and its report.
fn verify(desk: &Desk, plan: &str) -> (Option<i32>, Value) {
    let mut command = shared::evtap();
    command.env("EVTAP_STATE", desk.path("state"));
    let ran = command
        .args(["verify", plan, "-o", "json"])
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    let report = serde_json::from_slice(&ran.stdout).unwrap_or_else(|e| panic!("{e}: {told}"));
    (ran.status.code(), report)
}

fn counts(report: &Value) -> [u64; 6] {
    let kinds = [
        "copies",
        "missing",
        "extra",
        "duplicated",
        "reordered",
        "changed",
    ];
    kinds.map(|kind| report["counts"][kind].as_u64().expect(kind))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_somebody_adds_is_found() {
    let Some(host) = kafka() else { return };
    let (_, source) = with_topic(&host, "added", 1, &[]).await;
    let (_, target) = with_topic(&host, "added-copy", 1, &[]).await;
    produce(&host, &source, &[], (0..50).map(|n| numbered(n, 1, 80)));
    let desk = Desk::new();
    let plan = desk.plan_copy(&host, [&source, &target], &["--until", "40"]);
    desk.apply(&plan);
    let (code, report) = verify(&desk, &plan);
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(counts(&report), [40, 0, 0, 0, 0, 0]);

    let copies = committed(&host, &target).await;
    let writer = producer(&host, &[]);
    // Events of others are none of its business.
    let mut foreign = copies[3].event.clone();
    foreign.headers.clear();
    write(&writer, &target, &foreign);
    writer.flush(Duration::from_secs(30)).unwrap();
    assert_eq!(verify(&desk, &plan).0, Some(0));
    // A second copy of the last one, and one of an event that was not selected.
    let last = &copies[39].event;
    write(&writer, &target, last);
    let mut stray = last.clone();
    let place = |offset: u64| {
        let (_, old) = last
            .headers
            .iter()
            .find(|(name, _)| name == b"evtap-source")
            .unwrap();
        let old = String::from_utf8(old.clone().unwrap()).unwrap();
        format!("{}/{offset}", old.rsplit_once('/').unwrap().0)
    };
    set(&mut stray, "evtap-source", &place(45));
    write(&writer, &target, &stray);
    writer.flush(Duration::from_secs(30)).unwrap();
    let (code, report) = verify(&desk, &plan);
    assert_eq!(code, Some(1), "{report}");
    let [copies, missing, extra, duplicated, ..] = counts(&report);
    assert_eq!(
        (copies, missing, extra, duplicated),
        (42, 0, 1, 1),
        "{report}"
    );
}

/// A log cannot be altered in place, so all copies are written by a producer that makes mistakes.
#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_is_lost_or_altered_is_found() {
    let Some(host) = kafka() else { return };
    let (_, source) = with_topic(&host, "altered", 1, &[]).await;
    let (_, right) = with_topic(&host, "altered-right", 1, &[]).await;
    let (_, wrong) = with_topic(&host, "altered-wrong", 1, &[]).await;
    produce(&host, &source, &[], (0..60).map(|n| numbered(n, 1, 80)));
    let desk = Desk::new();
    let plan = desk.plan_copy(&host, [&source, &right], &[]);
    desk.apply(&plan);
    std::fs::remove_file(&plan).unwrap();
    let plan = desk.plan_copy(&host, [&source, &wrong], &[]);
    let text = std::fs::read_to_string(&plan).unwrap();
    let line = text
        .lines()
        .find(|line| line.starts_with("id"))
        .expect("an id");
    let id = line.split('"').nth(1).unwrap()[..16].to_owned();

    let writer = producer(&host, &[]);
    for (n, copy) in committed(&host, &right).await.into_iter().enumerate() {
        let mut event = copy.event;
        set(&mut event, "evtap-replay", &id);
        match n {
            7 => continue,
            20 => event.value = Some(b"{}".to_vec()),
            30 => event.key = Some(b"other".to_vec()),
            40 => event.headers.push((b"more".to_vec(), None)),
            _ => {}
        }
        write(&writer, &wrong, &event);
    }
    writer.flush(Duration::from_secs(30)).unwrap();
    let (code, report) = verify(&desk, &plan);
    assert_eq!(code, Some(1), "{report}");
    assert_eq!(counts(&report), [59, 1, 0, 0, 0, 3], "{report}");
    let named = report["differences"].to_string();
    for offset in [7, 20, 30, 40] {
        let place = format!("{source}/0@{offset}\"");
        assert!(named.contains(&place), "{place} in {named}");
    }
}
