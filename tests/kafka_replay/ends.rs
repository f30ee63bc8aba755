//! Refusals, which write nothing, and runs that something ends: each is clean, tells why with its
//! exit code, and can be resumed.

use std::thread::sleep;
use std::time::Duration;

use crate::copies::{are_equal, committed, end_offsets};
use crate::made::{numbered, produce, shaped};
use crate::program::Desk;
use crate::support::{kafka, with_topic};

const PATIENCE: Duration = Duration::from_mins(1);

/// A source of so many events in 3 partitions and a target that is there.
async fn topics(host: &str, name: &str, events: u64) -> (String, String) {
    let (_, source) = with_topic(host, name, 3, &[]).await;
    let (_, target) = with_topic(host, &format!("{name}-copy"), 3, &[]).await;
    produce(host, &source, &[], (0..events).map(|n| shaped(n, 3)));
    (source, target)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_guard_refuses_writes_nothing() {
    let Some(host) = kafka() else { return };
    let (source, target) = topics(&host, "guarded", 300).await;
    let before = (
        end_offsets(&host, &source).await,
        end_offsets(&host, &target).await,
    );
    let from = format!("kafka://{host}/{source}");
    let to = format!("kafka://{host}/{target}");
    let desk = Desk::new();
    let cases: [(&str, Vec<&str>); 7] = [
        ("guard confirm", vec![&from, "--to", &to]),
        ("guard same topic", vec![&from, "--to", &from, "--yes"]),
        (
            "guard read-only",
            vec![&from, "--to", &to, "--yes", "--read-only"],
        ),
        (
            "guard max-events",
            vec![&from, "--to", &to, "--yes", "--max-events", "299"],
        ),
        (
            "guard max-duration",
            vec![
                &from,
                "--to",
                &to,
                "--yes",
                "--rate",
                "10",
                "--max-duration",
                "5s",
            ],
        ),
        ("dry run", vec![&from, "--to", &to, "--dry-run"]),
        (
            "plan",
            vec![&from, "--to", &to, "--dry-run", "--speed", "2x"],
        ),
    ];
    for (guard, args) in cases {
        let ended = desk.run(&[&["replay"], &args[..]].concat());
        let wanted = if guard.starts_with("guard") { 5 } else { 0 };
        assert_eq!(ended.code, Some(wanted), "{guard}: {}", ended.told);
        assert!(ended.told.contains(guard), "{guard}: {}", ended.told);
    }
    // A plan that somebody changed.
    let plan = desk.plan(&[&from, "--to", &to]);
    let text = std::fs::read_to_string(&plan).unwrap();
    let changed = text.replace(&target, &source);
    assert_ne!(text, changed);
    std::fs::write(&plan, changed).unwrap();
    let ended = desk.run(&["apply", &plan, "--yes"]);
    assert_eq!(ended.code, Some(5), "{}", ended.told);
    let after = (
        end_offsets(&host, &source).await,
        end_offsets(&host, &target).await,
    );
    assert_eq!(after, before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_signal_ends_a_run_cleanly_and_it_goes_on_later() {
    const EVENTS: u64 = 6000;
    let Some(host) = kafka() else { return };
    let (source, target) = topics(&host, "signalled", EVENTS).await;
    let desk = Desk::new();
    let more = ["--timestamps", "keep", "--rate", "1500"];
    let plan = desk.plan_copy(&host, [&source, &target], &more);
    for signal in ["INT", "TERM"] {
        let run = desk.start("state", &plan);
        sleep(Duration::from_millis(1500));
        run.signal(signal);
        let ended = run.end(PATIENCE);
        let told = &ended.told;
        assert!(
            matches!(ended.code, Some(130 | 143 | 6)),
            "{signal}: {ended:?}"
        );
        assert!(told.contains("evtap apply"), "how to go on: {told}");
    }
    let part = committed(&host, &target).await.len() as u64;
    assert!((1..EVENTS).contains(&part), "{part}");
    desk.apply(&plan);
    assert_eq!(are_equal(&host, &source, &target).await as u64, EVENTS);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_deleted_ends_the_run() {
    let Some(host) = kafka() else { return };
    let (source, target) = topics(&host, "deleted", 20_000).await;
    let desk = Desk::new();
    let plan = desk.plan_copy(&host, [&source, &target], &["--rate", "2000"]);
    let run = desk.start("state", &plan);
    sleep(Duration::from_secs(2));
    delete(&host, &target);
    let ended = run.end(PATIENCE * 3);
    assert!(matches!(ended.code, Some(4 | 6)), "{ended:?}");
    assert!(ended.told.contains(&target), "{}", ended.told);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_copy_that_was_deleted_is_made_again_by_the_same_command() {
    let Some(host) = kafka() else { return };
    let (_, source) = with_topic(&host, "anew", 3, &[]).await;
    produce(&host, &source, &[], (0..300).map(|n| shaped(n, 3)));
    let target = format!("{source}.copy");
    let desk = Desk::new();
    let from = format!("kafka://{host}/{source}");
    let to = format!("kafka://{host}/{target}");
    for round in 0..2 {
        let ended = desk.run(&["replay", &from, "--to", &to, "--create-topic", "--yes"]);
        assert_eq!(ended.code, Some(0), "{round}: {}", ended.told);
        assert_eq!(committed(&host, &target).await.len(), 300, "{round}");
        delete(&host, &target);
        sleep(Duration::from_secs(1));
    }
}

fn delete(host: &str, topic: &str) {
    use rdkafka::ClientConfig;
    use rdkafka::admin::{AdminClient, AdminOptions};
    use rdkafka::client::DefaultClientContext;

    let admin: AdminClient<DefaultClientContext> = ClientConfig::new()
        .set("bootstrap.servers", host)
        .create()
        .unwrap();
    let options = AdminOptions::new();
    let deleted = admin.delete_topics(&[topic], &options);
    let done = waited_for(deleted);
    assert!(done.unwrap().iter().all(Result::is_ok));
}

/// The answer of an admin call, waited for on this thread.
fn waited_for<T>(future: impl Future<Output = T>) -> T {
    tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(future))
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_that_the_target_does_not_take_ends_the_run_before_it() {
    let Some(host) = kafka() else { return };
    let (_, source) = with_topic(&host, "large", 1, &[]).await;
    let config = [("max.message.bytes", "20000")];
    let (_, target) = with_topic(&host, "small", 1, &config).await;
    let made = (0..500).map(|n| numbered(n, 1, if n == 400 { 60_000 } else { 200 }));
    produce(&host, &source, &[], made);
    let desk = Desk::new();
    let plan = desk.plan_copy(&host, [&source, &target], &[]);
    let ended = desk.run(&["apply", &plan, "--yes"]);
    assert!(matches!(ended.code, Some(4 | 6)), "{ended:?}");
    assert!(
        ended.told.to_lowercase().contains("large"),
        "{}",
        ended.told
    );
    let there = committed(&host, &target).await;
    assert!(there.len() <= 400, "{}", there.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_place_for_runs_that_is_full_is_told_before_anything_is_written() {
    let Some(host) = kafka() else { return };
    let (source, target) = topics(&host, "full", 300).await;
    let desk = Desk::new();
    let plan = desk.plan_copy(&host, [&source, &target], &[]);
    // A file stands where the folder should be: nothing can be kept there.
    std::fs::write(desk.path("occupied"), "").unwrap();
    let ended = desk.start("occupied", &plan).end(PATIENCE);
    assert!(matches!(ended.code, Some(2 | 4)), "{ended:?}");
    assert!(ended.told.contains("occupied"), "{}", ended.told);
    let ends = end_offsets(&host, &target).await;
    assert!(ends.iter().all(|end| *end == 0), "{ends:?}");
}
