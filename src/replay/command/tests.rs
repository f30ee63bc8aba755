//! Command lines of plans, and words that a shell must not take for anything else.

use super::*;
use crate::replay::job::tests::{destination, how, reading_of};
use crate::replay::{Create, Guards, How, PlanSelection};

async fn line(source: &str, to: &str, how: How, adjust: impl FnOnce(&mut Range)) -> Option<String> {
    let mut reading = reading_of(source, None);
    adjust(&mut reading.inputs[0].sub.range);
    let job = Job::plan(reading, destination(to), how).await.unwrap();
    job.command_line()
}

#[tokio::test]
async fn the_line_says_all_that_the_plan_says() {
    let mut all = how(Pace::speed(10.0, Some(Duration::from_secs(5))));
    all.selection = PlanSelection {
        filters: vec!["-it's \"x\" $HOME".to_owned()],
        ignore_case: true,
        last: Some(5),
        ..PlanSelection::default()
    };
    all.provenance = false;
    all.timestamps = TimestampPolicy::Shift;
    all.guards = Guards {
        allow_self: true,
        max_replays: 3,
        max_events: Some(1000),
        max_duration: Some(Duration::from_millis(90_500)),
    };
    let line = line("demo:orders", "demo:copy", all, |range| {
        *range = Range::Bounds {
            from: Bound::Last(10),
            until: Bound::End,
        };
    });
    assert_eq!(
        line.await.unwrap(),
        "evtap replay demo:orders --to demo:copy --from=-10 \
         --filter='-it'\\''s \"x\" $HOME' --ignore-case --last 5 --partitions same \
         --timestamps shift --create-topic 3 --no-provenance --speed 10x --max-gap 5000ms \
         --allow-self --max-replays 3 --max-events 1000 --max-duration 90500ms"
    );
}

#[tokio::test]
async fn a_frozen_range_stands_in_it_where_flags_can_say_it() {
    let of = |partition: u32, end: u64| PartitionRange {
        topic: "orders".into(),
        partition,
        style: PositionStyle::Offset,
        start: Position::offset(3),
        end: Position::offset(end),
    };
    let frozen = |ranges: Vec<PartitionRange>| async {
        let set = |range: &mut Range| *range = Range::Frozen(ranges);
        line("demo:orders", "demo:copy", how(Pace::Rate(2.5)), set).await
    };
    assert_eq!(
        frozen(vec![of(1, 9)]).await.unwrap(),
        "evtap replay demo:orders --to demo:copy --partition 1 --from 3 --until 9 \
         --partitions same --create-topic 3 --rate 2.5"
    );
    let both = frozen(vec![of(0, 9), of(1, 9)]).await.unwrap();
    assert!(
        both.contains("--partition 0 --partition 1 --from 3 --until 9"),
        "{both}"
    );
    assert_eq!(frozen(vec![of(0, 9), of(1, 8)]).await, None);
}

#[tokio::test]
async fn no_secret_is_in_it() {
    let mut reading = reading_of("demo:orders", None);
    // As every front end writes an address down.
    let typed = "redis://me:hush@h/orders?sasl.password=hush";
    reading.inputs[0].shown = crate::broker::Address::parse(typed).unwrap().to_string();
    let mut to = destination("demo:copy");
    to.create = Create::Partitions(3);
    let job = Job::plan(reading, to, how(Pace::Max)).await.unwrap();
    let line = job.command_line().unwrap();
    assert!(
        line.starts_with("evtap replay 'redis://me:***@h/orders' --to demo:copy "),
        "{line}"
    );
    assert!(!line.contains("hush"), "{line}");
}

#[test]
fn what_a_shell_would_take_for_something_else_is_quoted() {
    for (word, expected) in [
        ("kafka://h:9092/a.b-c_d", "kafka://h:9092/a.b-c_d"),
        ("", "''"),
        ("a b", "'a b'"),
        ("it's", "'it'\\''s'"),
        ("$(rm -rf /)", "'$(rm -rf /)'"),
        ("~", "'~'"),
        ("=ls", "'=ls'"),
        ("a*", "'a*'"),
        ("Zürich", "'Zürich'"),
        ("a\nb'\\", "$'a\\x0ab\\'\\\\'"),
        ("\u{1b}[2J", "$'\\x1b[2J'"),
        ("\u{202e}x", "$'\\xe2\\x80\\xaex'"),
    ] {
        let quoted = quoted(word);
        assert_eq!(quoted, expected);
        assert!(!quoted.contains(crate::text::is_hostile));
    }
}

#[cfg(unix)]
#[test]
fn bash_reads_back_what_was_quoted() {
    let words = [
        "a b",
        "it's",
        "a\nb'\\",
        "\u{1b}[2J\u{202e}5",
        "=x",
        "-n",
        "\u{7f}f",
    ];
    for word in words {
        let script = format!("printf %s {}", quoted(word));
        // Where there is no bash, there is nothing to ask.
        let Ok(said) = std::process::Command::new("bash")
            .args(["-c", &script])
            .output()
        else {
            return;
        };
        assert_eq!(String::from_utf8(said.stdout).unwrap(), word, "{script}");
    }
}
