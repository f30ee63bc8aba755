//! A whole topic, and one that holds what must not be copied.

use std::time::Duration;

use rdkafka::producer::Producer as _;

use crate::copies::{are_equal, committed, end_offsets};
use crate::made::{numbered, produce, send, shaped};
use crate::program::{Desk, asked};
use crate::support::{COMPACTED, kafka, producer, with_topic};

const PARTITIONS: u64 = 12;
/// Of the events of a log that the broker cleans.
const KEYS: u64 = 310;

#[tokio::test(flavor = "multi_thread")]
async fn every_event_is_copied_once_in_order_and_byte_for_byte() {
    let Some(host) = kafka() else { return };
    let events = asked("EVTAP_TEST_REPLAY_EVENTS", 100_000);
    let (_, source) = with_topic(&host, "whole", 12, &[]).await;
    let target = format!("{source}.copy");
    let how = [("linger.ms", "20"), ("compression.type", "lz4")];
    produce(
        &host,
        &source,
        &how,
        (0..events).map(|n| shaped(n, PARTITIONS)),
    );
    let desk = Desk::new();
    let more = ["--create-topic", "--timestamps", "keep"];
    let plan = desk.plan_copy(&host, [&source, &target], &more);
    let told = desk.apply(&plan);
    assert!(told.contains("exactly once"), "{told}");
    assert_eq!(are_equal(&host, &source, &target).await as u64, events);
    // Again: nothing is left to do.
    let ends = end_offsets(&host, &target).await;
    let again = desk.apply(&plan);
    assert!(again.contains("replayed 0 of 0"), "{again}");
    assert_eq!(end_offsets(&host, &target).await, ends);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_that_was_aborted_or_is_not_decided_is_copied() {
    let Some(host) = kafka() else { return };
    let (_, source) = with_topic(&host, "decided", 2, &COMPACTED).await;
    let target = format!("{source}.copy");
    let transactional = |id: &str| {
        let id = format!("{source}-{id}");
        let producer = producer(&host, &[("transactional.id", &id)]);
        producer.init_transactions(Duration::from_secs(30)).unwrap();
        producer
    };
    let writer = transactional("writer");
    for round in 0..40 {
        writer.begin_transaction().unwrap();
        for n in round * 50..(round + 1) * 50 {
            let mut event = numbered(n, 2, 200);
            // Each key some six times: the cleaner leaves holes.
            event.key = Some(format!("k{}", n % KEYS).into_bytes());
            send(&writer, &source, &event);
        }
        writer.flush(Duration::from_secs(30)).unwrap();
        let wait = Duration::from_secs(30);
        if round % 3 == 1 {
            writer.abort_transaction(wait).unwrap();
        } else {
            writer.commit_transaction(wait).unwrap();
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    let open = transactional("open");
    open.begin_transaction().unwrap();
    send(&open, &source, &numbered(9_000_000, 1, 100));
    open.flush(Duration::from_secs(30)).unwrap();
    // Behind the open transaction: not readable before that is decided.
    produce(&host, &source, &[], (0..10).map(|n| numbered(n, 1, 100)));
    let before = committed(&host, &source).await;
    // However far the cleaner is, the newest of each key stays.
    assert!(before.len() > 300, "{}", before.len());

    let desk = Desk::new();
    let more = ["--timestamps", "keep", "--create-topic"];
    let plan = desk.plan_copy(&host, [&source, &target], &more);
    desk.apply(&plan);
    let copies = committed(&host, &target).await;
    // The cleaner may have taken some since the plan was made; what was copied was there.
    assert!(!copies.is_empty() && copies.len() <= before.len());
    for copy in &copies {
        let mut bare = copy.event.clone();
        bare.headers
            .retain(|(name, _)| !name.starts_with(b"evtap-"));
        let is_it = |o: &&crate::copies::Logged| o.event == bare && o.partition == copy.partition;
        assert_eq!(before.iter().filter(is_it).count(), 1, "{copy:?}");
    }
    open.abort_transaction(Duration::from_secs(30)).unwrap();
}
