//! `evtap expect` where others write: what was there before does not match, what comes after the
//! command's end does, and what nearly matched is named.

use std::process::Output;

use rdkafka::producer::{BaseRecord, Producer};
use serde_json::Value;

use crate::support::{kafka, producer, with_topic};

fn write(host: &str, topic: &str, key: &str, value: &str) {
    let producer = producer(host, &[]);
    let record = BaseRecord::to(topic).key(key).payload(value);
    producer.send(record).unwrap();
    producer.flush(std::time::Duration::from_secs(10)).unwrap();
}

fn expect(source: &str, args: &[&str]) -> Output {
    let mut evtap = crate::shared::evtap();
    evtap.args(["expect", source, "-o", "json"]).args(args);
    evtap.output().unwrap()
}

fn report(output: &Output) -> Value {
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(!output.stdout.is_empty(), "{said}");
    serde_json::from_slice(&output.stdout).unwrap()
}

#[tokio::test]
async fn only_what_comes_after_the_start_counts() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "expect", 2, &[]).await;
    let source = format!("kafka://{host}/{topic}");
    write(
        &host,
        &topic,
        "order-456",
        "{\"type\":\"PaymentSucceeded\",\"amount\":1}",
    );
    let paid = [
        "-w",
        ".value.type == \"PaymentSucceeded\"",
        "-w",
        ".key == \"order-456\"",
    ];
    let before = expect(&source, &[&paid[..], &["--within", "300ms"]].concat());
    assert_eq!(before.status.code(), Some(1));
    assert_eq!(report(&before)["seen"], 0);

    // A trigger whose effect comes after its own end.
    let line = "{\"key\":\"order-456\",\"value\":{\"type\":\"PaymentSucceeded\"}}";
    let evtap = env!("CARGO_BIN_EXE_evtap");
    let trigger = format!(
        "(sleep 0.3; echo '{line}' | {evtap} replay - --to {source} --yes -q) > /dev/null 2>&1 &"
    );
    let command = ["--within", "20s", "--", "sh", "-c", &trigger];
    let after = expect(&source, &[&paid[..], &command].concat());
    assert_eq!(
        after.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&after.stderr)
    );
    assert_eq!(report(&after)["events"][0]["event"]["key"], "order-456");
}

#[tokio::test]
async fn what_nearly_matched_is_named_with_what_it_fails() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "expect-near", 1, &[]).await;
    let source = format!("kafka://{host}/{topic}");
    let lines = "{\"key\":\"a\",\"value\":{\"type\":\"X\"}}\n{\"key\":\"order-456\",\"value\":{\"type\":\"PaymentFailed\"}}";
    let evtap = env!("CARGO_BIN_EXE_evtap");
    let trigger = format!("echo '{lines}' | {evtap} replay - --to {source} --yes -q");
    let came = expect(
        &source,
        &[
            "-w",
            ".value.type == \"PaymentSucceeded\"",
            "-w",
            ".key == \"order-456\"",
            "--within",
            "500ms",
            "--",
            "sh",
            "-c",
            &trigger,
        ],
    );
    let told = report(&came);
    assert_eq!(
        (came.status.code(), &told["seen"]),
        (Some(1), &2.into()),
        "{told}"
    );
    assert_eq!(told["nearest"]["at"], format!("{topic}/0@1"));
    assert_eq!(
        told["nearest"]["fails"][0],
        "--where '.value.type == \"PaymentSucceeded\"'"
    );

    let exactly = |n: &str| {
        let command = ["--within", "300ms", "--", "sh", "-c", &trigger];
        let args = [&["-k", "a", "--exactly", n][..], &command].concat();
        expect(&source, &args).status.code()
    };
    assert_eq!((exactly("1"), exactly("2")), (Some(0), Some(1)));
}
