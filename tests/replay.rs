//! A replay from end to end through the library: into the embedded broker always, into a real
//! Kafka where there is one (`EVTAP_TEST_KAFKA=host:port cargo test --test replay`).

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

mod support;

use std::sync::Arc;

use evtap::broker::{Address, Bound, Broker, Range, Settings, Subscription, Target, registry};
use evtap::pipeline::{End, Limits, Stop, Unwatched, run};
use evtap::replay::{
    Create, From, How, Plan, Preview, PreviewRun, Report, Runner, TargetState, TimestampPolicy, To,
    Verification, create_target, freeze, guard, verify,
};

struct Side {
    address: Address,
    broker: Arc<dyn Broker>,
}

fn open(text: &str) -> Side {
    let address = Address::parse(text).unwrap();
    let broker = registry::open(&address, &Settings::default()).unwrap();
    Side { address, broker }
}

fn reading(side: &Side, range: Range) -> Subscription {
    Subscription {
        range,
        ..Subscription::all_of(side.address.topics(), 64 << 20)
    }
}

struct Replayed {
    plan: Plan,
    preview: Preview,
    report: Report,
    verified: Verification,
}

/// The whole flow, as the command does it.
async fn replay(from: &Side, to: &Side, how: How) -> evtap::broker::Result<Replayed> {
    let bounds = reading(from, Range::default());
    let ranges = from.broker.resolve(&bounds).await?;
    let source = From {
        address: &from.address,
        shown: &from.address.to_string(),
        broker: &*from.broker,
        ranges: ranges.clone(),
    };
    let target = To {
        address: &to.address,
        shown: &to.address.to_string(),
        broker: &*to.broker,
        create: Create::LikeSource,
        overwrite: false,
    };
    let plan = freeze(&[source], &target, how).await?;
    let frozen = reading(from, Range::Frozen(ranges));

    let mut preview = PreviewRun::new(&plan);
    let mut source = from.broker.source(&frozen).await?;
    let (_handle, stop) = Stop::new();
    let limits = Limits::default();
    let seen = run(
        &mut *source,
        &mut preview,
        limits,
        stop.clone(),
        &mut Unwatched,
    )
    .await;
    assert!(matches!(seen.end, End::Complete), "{:?}", seen.end);
    let preview = preview.finish(seen.scanned);
    guard::after_preview(&plan, &preview)?;

    create_target(&plan, &*to.broker).await?;
    let before = TargetState::look(&plan, &*to.broker).await?;
    let target = Target {
        topic: plan.target.topic.clone().unwrap(),
        overwrite: false,
    };
    let mut runner = Runner::new(&plan, to.broker.sink(&target).await?);
    runner.shift_from(preview.earliest);
    let mut source = from.broker.source(&frozen).await?;
    let done = run(&mut *source, &mut runner, limits, stop, &mut Unwatched).await;
    assert!(matches!(done.end, End::Complete), "{:?}", done.end);
    let report = runner.finish().await;
    let after = TargetState::look(&plan, &*to.broker).await?;
    let verified = verify(&plan, &report, before.as_ref(), after.as_ref());
    Ok(Replayed {
        plan,
        preview,
        report,
        verified,
    })
}

/// Everything of an event but its position, as comparable text.
async fn contents(side: &Side) -> Vec<(u32, String)> {
    let bounds = Range::Bounds {
        from: Bound::Start,
        until: Bound::End,
    };
    let mut source = side.broker.source(&reading(side, bounds)).await.unwrap();
    let mut all = Vec::new();
    while let Some(batch) = source.next_batch().await.unwrap() {
        for e in batch.iter() {
            let own: Vec<_> = e
                .headers
                .iter()
                .filter(|(name, _)| !name.starts_with(b"evtap-"))
                .collect();
            let text = format!("{:?} {:?} {:?} {own:?}", e.timestamp, e.key, e.value);
            all.push((e.stream.partition, text));
        }
    }
    // Only the order within a partition is promised.
    all.sort_by_key(|(partition, _)| *partition);
    all
}

fn keeping() -> How {
    How {
        timestamps: TimestampPolicy::Keep,
        provenance: true,
        ..How::default()
    }
}

/// Copies the demo's orders to the target, and the copy on to another topic.
async fn there_and_on(copy: &Side, further: &Side) {
    let orders = open("demo:orders");
    let done = Box::pin(replay(&orders, copy, keeping())).await.unwrap();
    assert_eq!(done.verified.problems, Vec::<String>::new());
    assert_eq!(done.preview.tally, done.report.tally);
    assert_eq!(done.report.sent, done.report.acknowledged);
    assert_eq!(done.verified.grown, Some(done.report.sent));
    assert_eq!(contents(&orders).await, contents(copy).await);

    // A copy is not copied again, unless it is asked for.
    let none = Box::pin(replay(copy, further, keeping())).await.unwrap();
    assert_eq!(
        (none.report.sent, none.preview.matched),
        (0, done.report.sent)
    );
    let mut again = keeping();
    again.guards.max_replays = 2;
    let again = Box::pin(replay(copy, further, again)).await.unwrap();
    assert_eq!(again.report.sent, done.report.sent);
    assert_ne!(again.plan.id(), done.plan.id());
    assert_eq!(contents(&orders).await, contents(further).await);
}

#[tokio::test]
async fn a_replay_into_the_embedded_broker_copies_every_byte() {
    let copy = open("demo:copy");
    let further = Side {
        address: Address::parse("demo:further").unwrap(),
        broker: copy.broker.clone(),
    };
    Box::pin(there_and_on(&copy, &further)).await;
}

#[cfg(feature = "kafka")]
#[tokio::test]
async fn a_replay_into_kafka_copies_every_byte() {
    let Some(host) = support::server("EVTAP_TEST_KAFKA") else {
        return;
    };
    let run = std::process::id();
    let copy = open(&format!("kafka://{host}/replay-copy-{run}"));
    let further = open(&format!("kafka://{host}/replay-further-{run}"));
    // The guards know the cluster by its own name, whatever the address.
    let cluster = copy.broker.cluster().await.unwrap();
    assert!(cluster.is_some_and(|name| !name.is_empty()));
    Box::pin(there_and_on(&copy, &further)).await;
}

#[cfg(feature = "redis")]
#[tokio::test]
async fn a_replay_into_redis_copies_all_but_the_timestamps() {
    let Some(url) = support::server("EVTAP_TEST_REDIS") else {
        return;
    };
    let copy = open(&format!("{url}/replay-copy-{}", std::process::id()));
    let orders = open("demo:orders");
    let how = How {
        provenance: true,
        ..How::default()
    };
    let done = Box::pin(replay(&orders, &copy, how)).await.unwrap();
    assert_eq!(done.verified.problems, Vec::<String>::new());
    assert_eq!(done.verified.grown, Some(done.report.sent));
    assert_eq!(contents(&copy).await.len() as u64, done.report.sent);
}

#[test]
fn several_sources_of_one_command_are_all_copied() {
    let flow = "replay demo:orders demo:payments --to demo:copy --create-topic --yes";
    for more in [&[][..], &["--speed", "1000000x"], &["--last", "200"]] {
        let mut evtap = support::evtap();
        let output = evtap.args(flow.split(' ')).args(more).output().unwrap();
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(
            said.contains("replayed 121 of 121 events"),
            "{more:?}: {said}"
        );
        assert!(said.contains("verified: good"), "{more:?}: {said}");
    }
}
