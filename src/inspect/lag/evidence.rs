//! Reasons that rest on what a broker tells of members, transactions and retention.

use super::tests::{group, offset, reasons_of, report_of};
use super::*;
use crate::broker::OpenTransaction;
use crate::inspect::tests::Made;

fn held(committed: u64, stable: u64, end: u64) -> GroupOffset {
    GroupOffset {
        stable: Some(Position::offset(stable)),
        transaction: Some(OpenTransaction {
            producer: 4001,
            id: Some("tx-a".to_owned()),
            first: Position::offset(stable),
            since: Some(Timestamp(-50_000)),
        }),
        ..offset(0, committed, end, Some("m"))
    }
}

#[test]
fn who_waits_behind_an_open_transaction_is_told_whose_it_is() {
    let one = group("Stable", &["m"], vec![held(7, 7, 9)]);
    let report = report_of(&[one], None);
    let row = &report.groups[0].rows[0];
    assert_eq!((row.visible, row.time_lag_ms), (Some(0), None));
    assert_eq!(
        row.why,
        Why::BlockedByTxn {
            for_ms: Some(60_000)
        }
    );
    assert!(row.why.is_trouble());
    let detail = row.detail.as_deref().unwrap();
    assert_eq!(
        detail,
        "producer 4001 (tx-a) has one open since offset 7, for 1 min 00 s"
    );
    // A marker between the commit and the transaction changes nothing.
    let mut made = Made::new("t", 1);
    made.event((0, 6, 0), "k", Some("{}"), &[]);
    let after = group("Stable", &["m"], vec![held(7, 8, 9)]);
    assert_eq!(
        reasons_of(&[after], Some(&made))[0].word(),
        "BLOCKED_BY_TXN"
    );
    // Who may read uncommitted events is not held up.
    let beyond = group("Stable", &["m"], vec![held(8, 7, 9)]);
    let row = &report_of(&[beyond], None).groups[0].rows[0];
    assert_eq!((row.visible, row.estimated), (Some(1), true));
    assert_ne!(row.why.word(), "BLOCKED_BY_TXN");
}

#[test]
fn a_partition_that_nobody_leads_is_told_before_all_else() {
    let silent = |partition| GroupOffset {
        end: Position::ZERO,
        raw_lag: None,
        silent: Some("no broker leads it".to_owned()),
        ..offset(partition, 7, 9, Some("m"))
    };
    let seen = |offsets| group("Stable", &["m"], offsets);
    let before = seen(vec![offset(0, 7, 9, Some("m")), offset(1, 9, 9, Some("m"))]);
    let now = seen(vec![silent(0), offset(1, 9, 9, Some("m"))]);
    let report = report_of(&[before, now], None);
    let one = &report.groups[0];
    // The commit lies beyond an end that is not known.
    assert_eq!(one.rows[0].why, Why::Offline);
    assert_eq!(one.rows[1].why, Why::Ok);
    assert_eq!((one.why, one.visible()), (Why::Offline, None));
    assert!(one.why.is_trouble());
    assert_eq!(one.detail.as_deref(), Some("no broker leads it"));
    let row = &one.rows[0];
    assert_eq!((row.visible, row.time_lag_ms, row.rate), (None, None, None));
    // Of a group that never committed, too.
    let never = GroupOffset {
        committed: None,
        ..silent(0)
    };
    let report = report_of(&[seen(vec![never])], None);
    let row = &report.groups[0].rows[0];
    assert_eq!(row.why, Why::Offline);
    // A finding needs a place.
    assert_eq!(row.at().unwrap().to_string(), "t/0@0");
}

#[test]
fn a_partition_that_nobody_leads_says_nothing_of_its_member() {
    let silent = GroupOffset {
        end: Position::ZERO,
        raw_lag: None,
        silent: Some("no broker leads it".to_owned()),
        ..offset(0, 90, 99, Some("m"))
    };
    let looked = |first| group("Stable", &["m"], vec![first, offset(1, 5, 9, Some("m"))]);
    let mut looks: Vec<Group> = (1..10)
        .map(|n| looked(offset(0, n * 10, 99, Some("m"))))
        .collect();
    let report = report_of(&looks, None);
    let rate = report.groups[0].rows[0].rate;
    assert!(rate.is_some_and(|rate| rate.passed > 0.0));
    looks.extend((0..3).map(|_| looked(silent.clone())));
    let report = report_of(&looks, None);
    let [gone, left] = report.groups[0].rows.as_slice() else {
        panic!("{report:?}")
    };
    assert_eq!((gone.why, gone.rate), (Why::Offline, None));
    assert_eq!(left.why, Why::MemberStuck);
}

#[test]
fn the_member_that_does_not_give_up_its_partition_is_named() {
    let place = |n| ("t".into(), n);
    let mut one = group("Reconciling", &["a", "b"], vec![offset(0, 1, 9, Some("a"))]);
    one.members[0] = Member {
        host: "10.0.0.1".to_owned(),
        owned: vec![place(0), place(1)],
        target: Some(vec![place(1)]),
        ..Member::named("a")
    };
    one.members[1].target = Some(vec![place(0)]);
    let report = report_of(&[one.clone()], None);
    assert_eq!(report.groups[0].why, Why::Reconciling { for_ms: Some(0) });
    assert_eq!(
        report.groups[0].detail.as_deref(),
        Some("a at 10.0.0.1 has not given up 1 partition")
    );
    // Nothing waits in its partitions: the group is still being put in order.
    one.offsets = vec![offset(0, 9, 9, Some("a"))];
    let report = report_of(&[one], None);
    assert_eq!(report.groups[0].rows[0].why, Why::Ok);
    assert_eq!(report.groups[0].why.word(), "RECONCILING");
}

#[test]
fn a_rebalance_is_a_trouble_once_it_lasts() {
    let busy = || group("PreparingRebalance", &["m"], vec![offset(0, 1, 9, None)]);
    let short = report_of(&[busy(), busy()], None).groups[0].why;
    assert_eq!((short.word(), short.is_trouble()), ("REBALANCING", false));
    let long = report_of(&[busy(), busy(), busy(), busy()], None).groups[0].why;
    assert_eq!(
        long,
        Why::Rebalancing {
            for_ms: Some(30_000)
        }
    );
    assert!(long.is_trouble());
}

#[test]
fn a_partition_without_a_member_depends_on_what_the_members_want() {
    let of = |topics: &[&str], by_pattern| {
        let mut one = group("Stable", &["m"], vec![offset(0, 1, 9, None)]);
        one.members[0].topics = topics.iter().map(|&t| t.into()).collect();
        one.members[0].by_pattern = by_pattern;
        reasons_of(&[one], None)[0]
    };
    assert_eq!(of(&["t"], false), Why::Unassigned);
    assert_eq!(of(&["other"], false), Why::NotSubscribed);
    assert_eq!(of(&["other"], true), Why::Unassigned);
}

#[test]
fn what_is_deleted_before_it_is_read_is_a_race() {
    let look = |committed, end| {
        let mut offset = offset(0, committed, end, Some("m"));
        offset.retention_ms = Some(100_000);
        group("Stable", &["m"], vec![offset])
    };
    let mut made = Made::new("t", 1);
    made.event((0, 20, -40_000), "k", Some("{}"), &[]);
    // 980 positions at 1 a second, and 40 seconds are left.
    let looks = [look(10, 1000), look(20, 1000)];
    let report = report_of(&looks, Some(&made));
    let row = &report.groups[0].rows[0];
    assert_eq!(
        (row.to_loss_ms, row.why),
        (Some(40_000), Why::RetentionRace)
    );
    assert_eq!(
        row.detail.as_deref(),
        Some("events are lost in 40.0 s at the earliest")
    );
    // With half of the time left, who falls behind is told so.
    let mut made = Made::new("t", 1);
    made.event((0, 20, -20_000), "k", Some("{}"), &[]);
    let looks = [look(10, 1000), look(20, 2000)];
    assert_eq!(reasons_of(&looks, Some(&made)), [Why::FallingBehind]);
}

#[test]
fn who_commits_seldom_is_not_stuck_between_two_commits() {
    let look = |committed| group("Stable", &["m"], vec![offset(0, committed, 90, Some("m"))]);
    let stuck = [5, 5, 5].map(look);
    assert_eq!(reasons_of(&stuck, None), [Why::MemberStuck]);
    // It was seen to take thirty seconds.
    let seldom = [1, 1, 1, 5, 5, 5].map(look);
    assert_ne!(reasons_of(&seldom, None), [Why::MemberStuck]);
}

#[test]
fn hot_keys_and_estimates_come_from_what_was_read() {
    let mut made = Made::new("t", 1);
    for n in 0..100 {
        let key = if n % 3 == 0 {
            "hot"
        } else {
            ["a", "b", "c"][n as usize % 3]
        };
        made.event((0, n, 0), key, Some("{}"), &[]);
    }
    let far = group("Stable", &["m"], vec![offset(0, 0, 1_000_000, Some("m"))]);
    let report = report_of_part(&far, &made);
    let row = &report.groups[0].rows[0];
    assert_eq!((row.visible, row.estimated), (Some(1_000_000), true));
    assert_eq!(&*row.hot[0].key, b"hot");
    assert_eq!((row.hot[0].count, row.hot[0].of), (34, 100));
}

fn report_of_part(group: &Group, made: &Made) -> LagReport {
    use crate::pipeline::Watcher as _;
    let groups = std::slice::from_ref(group);
    let mut probe = Probe::new(groups);
    let passes = plan(groups, Depth::ONCE);
    probe.begins(&passes[0].ranges[0]);
    probe.batch(&made.batch);
    LagReport::new(
        groups,
        &probe,
        &Trend::default(),
        Timestamp(0),
        Limits::default(),
    )
}
