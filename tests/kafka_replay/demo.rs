//! The demo's events on a real Kafka, with the figures that are known of them: what a preview
//! tells is what the run does, a second run does nothing, and all of it comes back.

use crate::copies::{committed, end_offsets};
use crate::program::Desk;
use crate::support::{kafka, unique};

/// What a preview or a report says of events.
#[derive(Debug, PartialEq, Eq)]
struct Figures {
    read: u64,
    matched: u64,
    written: u64,
    size: String,
    parts: Vec<String>,
}

fn number(word: &str) -> u64 {
    word.replace(',', "")
        .parse()
        .unwrap_or_else(|_| panic!("no number: {word}"))
}

/// The `part` lines from here on, and what stands in the first parentheses of the head.
fn of_head(told: &str, from: usize) -> (String, Vec<String>) {
    let text = &told[from..];
    let size = text.split(['(', ')']).nth(1).unwrap().to_owned();
    let parts = text
        .lines()
        .skip(1)
        .take_while(|l| l.starts_with("  part "));
    (size, parts.map(str::to_owned).collect())
}

/// `preview: 8 of 9 events match, 8 would be written (3.5 KiB)`
fn previewed(told: &str) -> Figures {
    let from = told.rfind("preview: ").expect(told);
    let words: Vec<&str> = told[from..].split_whitespace().collect();
    let (size, parts) = of_head(told, from);
    Figures {
        matched: number(words[1]),
        read: number(words[3]),
        written: number(words[6]),
        size,
        parts,
    }
}

/// `replayed 8 of 8 events (3.5 KiB) in …` and `scanned 9 · matched 8 · …`
fn reported(told: &str) -> Figures {
    let from = told.rfind("\nreplayed ").expect(told) + 1;
    let written = told[from..].split_whitespace().nth(1).unwrap();
    let scanned = told.rfind("\nscanned ").expect(told);
    let scanned: Vec<&str> = told[scanned..].split_whitespace().collect();
    let (size, parts) = of_head(told, from);
    Figures {
        read: number(scanned[1]),
        matched: number(scanned[4]),
        written: number(written),
        size,
        parts,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_known_of_the_demo_is_read_skipped_and_written_once() {
    let Some(host) = kafka() else { return };
    let target = unique("known");
    let to = format!("kafka://{host}/{target}");
    let json = r#".encoding.value=="json""#;
    let what = [
        &["demo:payments", "-p", "1", "--from", "24", "-w", json][..],
        &["--to", &to, "--create-topic"],
    ]
    .concat();
    let desk = Desk::new();
    let dry = desk.run(&[&["replay"], &what[..], &["--dry-run"]].concat());
    assert_eq!(dry.code, Some(0), "{}", dry.told);
    let preview = previewed(&dry.told);
    assert_eq!(
        (preview.read, preview.matched, preview.written),
        (9, 8, 8),
        "{}",
        dry.told
    );
    let plan = desk.plan(&what);
    let told = desk.apply(&plan);
    assert_eq!(reported(&told), preview, "{told}");
    assert!(told.contains("8 selected, 8 in the target"), "{told}");
    let copies = committed(&host, &target).await;
    assert_eq!(copies.len(), 8);
    assert!(copies.iter().all(|copy| copy.partition == 1));
    // Again: the broker's own end offsets tell that nothing came.
    let ends = end_offsets(&host, &target).await;
    let again = reported(&desk.apply(&plan));
    assert_eq!((again.read, again.written), (0, 0), "{again:?}");
    assert_eq!(end_offsets(&host, &target).await, ends);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_figures_of_a_preview_are_those_of_the_run() {
    let Some(host) = kafka() else { return };
    let desk = Desk::new();
    let map = r#"select(.value.eventType != "PaymentFailed")"#;
    let cases: [(&str, &[&str]); 4] = [
        ("demo:orders", &[]),
        ("demo:payments", &["-w", ".value.data.amount > 50"]),
        ("demo:payments", &["-p", "1", "--limit", "17"]),
        ("demo:payments", &["--map", map, "--mask", "key=hash"]),
    ];
    for (source, more) in cases {
        let target = unique("figures");
        let to = format!("kafka://{host}/{target}");
        let what = [&["replay", source, "--to", &to, "--create-topic"], more].concat();
        let dry = desk.run(&[&what[..], &["--dry-run"]].concat());
        let ran = desk.run(&[&what[..], &["--yes"]].concat());
        assert!(matches!(ran.code, Some(0 | 1)), "{more:?}: {}", ran.told);
        assert_eq!(ran.code, dry.code, "{more:?}: {}", ran.told);
        let (preview, report) = (previewed(&dry.told), reported(&ran.told));
        assert_eq!(preview.written, report.written, "{more:?}: {}", ran.told);
        assert_eq!(preview.matched, report.matched, "{more:?}: {}", ran.told);
        assert_eq!(preview.parts, report.parts, "{more:?}: {}", ran.told);
        assert_eq!(preview.size, report.size, "{more:?}: {}", ran.told);
        let there = committed(&host, &target).await.len() as u64;
        assert!(there > 0, "{more:?}");
        assert_eq!(there, preview.written, "{more:?}");
    }
}

/// The demo's topics have fixed names: whoever wrote them before wrote the same.
#[tokio::test(flavor = "multi_thread")]
async fn the_demo_goes_into_kafka_and_comes_back_the_same() {
    // Without the one that Kafka compacts when it likes.
    const TOPICS: &str = "orders,order-validation,payments,shipments,notifications,payments.dlq";
    let Some(host) = kafka() else { return };
    let desk = Desk::new();
    let url = format!("kafka://{host}");
    let loaded = desk.run(&["demo", "--to", &url, "--yes"]);
    assert!(matches!(loaded.code, Some(0 | 5)), "{}", loaded.told);
    let back = desk.path("back.mcap").display().to_string();
    let from = format!("{url}/{TOPICS}");
    // One of the dead letters was redriven before.
    let how = ["--timestamps", "keep", "--max-replays", "2", "--yes"];
    let ran = desk.run(&[&["replay", &from, "--to", &back], &how[..]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.told);
    let differ = desk.run(&["diff", &format!("demo:{TOPICS}"), &back, "--timestamps"]);
    assert_eq!(differ.code, Some(0), "{}", differ.told);
}
