//! Targets that differ from what a run writes in one way each; `tampered` in all ways at random.

use std::collections::HashMap;

use self::bench::*;
use super::*;
use crate::event::{Position, PositionStyle};
use crate::replay::{Plan, TimestampPolicy};

mod bench;
mod tampered;

fn counts(found: &Comparison) -> [u64; 5] {
    Kind::ALL.map(|kind| found.count(kind))
}

const STYLES: [PositionStyle; 2] = [PositionStyle::Offset, PositionStyle::Entry];

#[tokio::test]
async fn what_other_hosts_did_is_left_to_them() {
    for style in STYLES {
        let mut bench = Bench::new(style, 50, |_| ()).await;
        bench.elsewhere = vec![bench.part(1)];
        // Of that partition nothing is missed, and nothing of it is too much.
        bench.target.partitions[1].truncate(20);
        let again = bench.target.partitions[1][3].clone();
        bench.target.partitions[1].push(again);
        bench.number();
        let found = bench.compare().await;
        assert_eq!(found.verdict(), Verdict::Clean, "{:?}", found.describe());
        assert_eq!((found.expected, found.copies), (50, 50));
        let said = found.describe().join("\n");
        assert!(said.contains("of 1 of the 2 partitions"), "{said}");
        // One that strayed is seen by whoever reads that partition.
        let stray = bench.target.partitions[1][5].clone();
        bench.target.partitions[0].truncate(20);
        bench.target.partitions[0].push(stray);
        bench.number();
        let found = bench.compare().await;
        assert_eq!(counts(&found), [30, 1, 0, 0, 0]);
    }
}

#[tokio::test]
async fn what_a_run_wrote_is_what_the_plan_selects() {
    for style in STYLES {
        for timestamps in [TimestampPolicy::Now, TimestampPolicy::Keep] {
            let mut bench = Bench::new(style, 50, |plan| plan.timestamps = timestamps).await;
            let found = bench.compare().await;
            assert_eq!(found.verdict(), Verdict::Clean, "{:?}", found.describe());
            assert_eq!((found.expected, found.copies), (100, 100));
            // Others write there too.
            bench.target.partitions[0].insert(7, stored(style, 3));
            bench.number();
            assert_eq!(bench.compare().await.verdict(), Verdict::Clean);
        }
    }
}

#[tokio::test]
async fn what_the_run_noted_is_not_read_again() {
    let mut bench = Bench::new(PositionStyle::Offset, 50, |_| {}).await;
    // Nothing can be read of the source any more, and retention has passed all of it.
    bench.source.breaks = Some(0);
    bench.source.first = 1000;
    assert_ne!(bench.compare().await.verdict(), Verdict::Clean);
    let noted = bench.noted.take();
    assert!(noted.as_ref().unwrap().is_all(&[]));
    let found = bench.compare_by(noted).await;
    assert_eq!(found.verdict(), Verdict::Clean, "{:?}", found.describe());
    assert_eq!((found.expected, found.copies), (100, 100));
}

#[tokio::test]
async fn what_is_known_of_one_partition_only_is_read_of_the_others() {
    let mut bench = Bench::new(PositionStyle::Offset, 50, |_| {}).await;
    let first = bench.part(0);
    let noted = bench
        .noted
        .take()
        .unwrap()
        .of_parts(Some(&[first]))
        .unwrap();
    assert!(!noted.is_all(&[]));
    assert!(noted.is_all(&[bench.part(1)]));
    // Of the first partition nothing is left in the source, and nobody minds.
    bench.source.partitions[0].clear();
    bench.target.partitions[1].remove(7);
    bench.number();
    let found = bench.compare_by(Some(noted)).await;
    assert_eq!(counts(&found), [1, 0, 0, 0, 0], "{:?}", found.describe());
    assert_eq!(found.expected, 100);
}

#[tokio::test]
async fn what_was_not_noted_whole_is_nothing_to_go_by() {
    let bench = Bench::new(PositionStyle::Entry, 50, |_| {}).await;
    assert!(bench.noted.is_none(), "positions are not dense");
    let bench = Bench::new(PositionStyle::Offset, 50, |plan| plan.provenance = false).await;
    assert!(bench.noted.is_none(), "copies cannot be told from others");
    let mut bench = Bench::new(PositionStyle::Offset, 50, |_| {}).await;
    let mut noted = bench.noted.take().unwrap();
    noted.fail();
    assert!(noted.of_parts(None).is_none());
    // More than there is room for.
    let mut noted = Noted::of(&bench.plan, 1).unwrap();
    let batch = bench.source.all();
    noted.begin(&batch);
    noted.note(&batch);
    noted.keep();
    assert!(noted.of_parts(None).is_none());
    // The same a second time.
    let mut noted = Noted::of(&bench.plan, 1 << 20).unwrap();
    noted.begin(&batch);
    noted.note(&batch);
    noted.take_back();
    noted.note(&batch);
    noted.keep();
    noted.note(&batch);
    noted.keep();
    assert!(noted.of_parts(None).is_none());
}

#[tokio::test]
async fn each_kind_of_difference_is_named_with_its_coordinates() {
    let mut bench = Bench::new(PositionStyle::Offset, 20, |_| {}).await;
    let target = &mut bench.target.partitions[0];
    target[3].value = Some(b"else".to_vec());
    target[4].key = None;
    let again = target[6].clone();
    target.push(again);
    target.swap(10, 11);
    target.remove(8);
    let mut foreign = target[0].clone();
    for (name, value) in &mut foreign.headers {
        if name == "evtap-source" {
            *value = Some("kafka://h:9092/orders/1/2".into());
        }
    }
    target.push(foreign);
    bench.number();
    let found = bench.compare().await;
    assert_eq!(counts(&found), [1, 1, 1, 1, 2]);
    let told: Vec<String> = found.describe().into_iter().skip(1).collect();
    let expected = [
        "  missing     1",
        "    orders/0@12",
        "  extra       1",
        "    orders/1@2 as copy/0@20",
        "  duplicated  1",
        "    orders/0@9 as copy/0@19",
        "  reordered   1",
        "    orders/0@15 as copy/0@10",
        "  changed     2",
        "    orders/0@4 as copy/0@3: value",
        "    orders/0@6 as copy/0@4: key",
    ];
    assert_eq!(told, expected);
    assert_eq!(found.json()["verdict"], "violation");
    assert_eq!(found.json()["counts"]["changed"], 2);
}

#[tokio::test]
async fn a_copy_in_another_partition_or_of_another_time_is_changed() {
    let keep = |plan: &mut Plan| plan.timestamps = TimestampPolicy::Keep;
    let mut bench = Bench::new(PositionStyle::Offset, 20, keep).await;
    let moved = bench.target.partitions[0].pop().unwrap();
    bench.target.partitions[1].push(moved);
    bench.target.partitions[0][5].time += 1;
    let found = bench.compare().await;
    assert_eq!(counts(&found), [0, 0, 0, 0, 2]);
    let told = found.differences.iter().filter_map(|d| d.detail.clone());
    let told: std::collections::BTreeSet<_> = told.collect();
    assert!(told.iter().eq(&["partition", "timestamp"]), "{told:?}");
}

#[tokio::test]
async fn a_side_that_cannot_be_read_to_its_end_is_inconclusive_and_accuses_nobody() {
    let mut bench = Bench::new(PositionStyle::Offset, 40, |_| {}).await;
    bench.target.breaks = Some(4);
    let found = bench.compare().await;
    assert_eq!(found.verdict(), Verdict::Inconclusive);
    assert!(
        found.notes[0].contains("target could not be read"),
        "{found:?}"
    );
    bench.target.breaks = None;
    bench.source.breaks = Some(4);
    let found = bench.compare().await;
    assert_eq!(
        found.verdict(),
        Verdict::Inconclusive,
        "{:?}",
        found.describe()
    );
    assert!(
        found.notes[0].contains("source could not be read"),
        "{found:?}"
    );
}

#[tokio::test]
async fn what_retention_took_is_told_and_is_no_difference() {
    let mut bench = Bench::new(PositionStyle::Offset, 40, |_| {}).await;
    bench.source.first = 30;
    for partition in &mut bench.source.partitions {
        partition.retain(|event| event.position.major >= 30);
    }
    let found = bench.compare().await;
    assert_eq!(
        found.verdict(),
        Verdict::Inconclusive,
        "{:?}",
        found.describe()
    );
    assert!(
        found.notes[0].contains("orders/0 begins at 30"),
        "{found:?}"
    );
    let mut bench = Bench::new(PositionStyle::Offset, 40, |_| {}).await;
    bench.target.first = 1;
    let found = bench.compare().await;
    assert!(found.notes[0].contains("part of the target"), "{found:?}");
}

#[tokio::test]
async fn with_a_limit_each_partition_is_looked_at_up_to_its_last_copy() {
    let mut bench = Bench::new(PositionStyle::Offset, 20, |_| {}).await;
    bench.limit = Some(12);
    bench.target.partitions[0].truncate(9);
    bench.target.partitions[1].truncate(3);
    assert_eq!(bench.compare().await.verdict(), Verdict::Clean);
    bench.target.partitions[0].pop();
    assert_eq!(counts(&bench.compare().await), [1, 0, 0, 0, 0]);
    bench.target.partitions[0].remove(2);
    assert_eq!(counts(&bench.compare().await), [2, 0, 0, 0, 0]);
}

#[tokio::test]
async fn a_source_that_holds_a_position_twice_is_not_called_clean() {
    let mut bench = Bench::new(PositionStyle::Offset, 20, |_| {}).await;
    let again = bench.source.partitions[0][4].clone();
    bench.source.partitions[0].insert(9, again);
    let found = bench.compare().await;
    assert_eq!(found.verdict(), Verdict::Inconclusive);
}

#[tokio::test]
async fn without_provenance_counts_and_contents_of_keys_are_compared() {
    let bare = |plan: &mut Plan| plan.provenance = false;
    let mut bench = Bench::new(PositionStyle::Offset, 40, bare).await;
    let found = bench.compare().await;
    assert_eq!(found.verdict(), Verdict::Clean, "{:?}", found.describe());
    assert_eq!(
        (found.means, found.expected, found.copies),
        (Manner::Keys, 80, 80)
    );
    assert!(
        found
            .describe()
            .last()
            .unwrap()
            .contains("order is not compared")
    );
    bench.target.partitions[0].remove(1);
    bench.target.partitions[1][2].value = Some(b"else".to_vec());
    bench.number();
    let found = bench.compare().await;
    assert_eq!(counts(&found), [1, 0, 0, 0, 1]);
    let lost = found.differences.iter().find(|d| d.kind == Kind::Missing);
    assert_eq!(
        lost.unwrap().detail.as_deref(),
        Some("16 selected, 15 in the target")
    );
}
