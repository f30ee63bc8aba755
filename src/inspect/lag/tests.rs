//! Lag of the demo's groups, exactly, and the reasons on made groups.

use super::*;
use crate::broker::PartitionRange;
use crate::event::Batch;
use crate::inspect::tests::{Made, NOW, broker, by_partition, history};
use crate::pipeline::Watcher as _;

pub(super) fn offset(
    partition: u32,
    committed: u64,
    end: u64,
    member: Option<&str>,
) -> GroupOffset {
    GroupOffset {
        topic: "t".into(),
        partition,
        style: PositionStyle::Offset,
        committed: Some(Position::offset(committed)),
        first: Position::ZERO,
        end: Position::offset(end),
        raw_lag: Some(end.saturating_sub(committed)),
        member: member.map(str::to_owned),
        ..GroupOffset::default()
    }
}

pub(super) fn group(state: &str, members: &[&str], offsets: Vec<GroupOffset>) -> Group {
    Group {
        name: "g".to_owned(),
        state: state.to_owned(),
        kind: "consumer".to_owned(),
        members: members.iter().map(|m| Member::named(m)).collect(),
        offsets,
        ..Group::default()
    }
}

fn wanted(groups: &[Group]) -> Vec<PartitionRange> {
    let passes = plan(groups, Depth::ONCE);
    passes.into_iter().flat_map(|pass| pass.ranges).collect()
}

/// The reasons after looks at these groups, ten seconds apart, with what the probe saw.
pub(super) fn reasons_of(looks: &[Group], made: Option<&Made>) -> Vec<Why> {
    let report = report_of(looks, made);
    report.groups[0].rows.iter().map(|row| row.why).collect()
}

pub(super) fn report_of(looks: &[Group], made: Option<&Made>) -> LagReport {
    let mut trend = Trend::default();
    let mut now = 0;
    for look in looks {
        now += 10_000;
        trend.look(Timestamp(now), std::slice::from_ref(look));
    }
    let last = std::slice::from_ref(looks.last().unwrap());
    let mut probe = Probe::new(last);
    if let Some(made) = made {
        let wanted: Vec<PartitionRange> = wanted(last);
        for range in &wanted {
            probe.begins(range);
        }
        probe.batch(&made.batch);
        for range in &wanted {
            probe.ended(range);
        }
    }
    LagReport::new(last, &probe, &trend, Timestamp(now), Limits::default())
}

#[tokio::test]
async fn the_table_of_the_demo_is_exact() {
    let groups = broker("read_committed").groups().await.unwrap();
    let history = history().await;
    for batches in [&history, &by_partition(&history, 3)] {
        let mut probe = Probe::new(&groups);
        for batch in batches {
            probe.batch(batch);
        }
        let trend = Trend::default();
        let report = LagReport::new(&groups, &probe, &trend, NOW, Limits::default());
        let of = |name: &str| report.groups.iter().find(|g| g.name == name).unwrap();
        let shipping: Vec<_> = of("shipping-svc")
            .rows
            .iter()
            .map(|r| (r.raw, r.visible, r.time_lag_ms, r.why))
            .collect();
        assert_eq!(
            shipping,
            [
                (Some(1), Some(0), Some(0), Why::OkTail),
                (Some(18), Some(9), Some(84_300), Why::Poison),
                (Some(1), Some(0), Some(0), Why::OkTail),
            ]
        );
        let poison = of("shipping-svc").worst().unwrap();
        assert_eq!(poison.at().unwrap().to_string(), "payments/1@24");
        let waiting = poison.waiting.as_ref().unwrap();
        assert_eq!(
            waiting.fault.as_deref(),
            Some("not JSON: the text ends early at byte 21")
        );
        assert_eq!(waiting.key.as_deref(), Some(&b"order-436"[..]));
        let billing = of("billing-svc");
        assert_eq!((billing.why, billing.visible()), (Why::NoMembers, Some(47)));
        let visible: Vec<_> = billing.rows.iter().map(|r| r.visible.unwrap()).collect();
        assert_eq!(visible, [16, 16, 15]);
        assert_eq!(billing.time_lag_ms(), Some(105_000));
        assert_eq!(
            billing.worst().unwrap().at().unwrap().to_string(),
            "orders/0@5"
        );
        let troubled: Vec<&str> = report.troubled().map(|g| &*g.name).collect();
        assert_eq!(troubled, ["billing-svc", "shipping-svc"]);
    }
}

#[tokio::test]
async fn what_is_wanted_is_enough_to_know_all() {
    let groups = broker("read_committed").groups().await.unwrap();
    let mut probe = Probe::new(&groups);
    let wanted = wanted(&groups);
    let mut from = Vec::new();
    for whole in history().await {
        let mut batch = Batch::new(whole.streams().clone());
        for event in whole.iter() {
            let stream = event.stream;
            let asked = wanted.iter().any(|r| {
                (&r.topic, r.partition) == (&stream.topic, stream.partition)
                    && (r.start..r.end).contains(&event.position)
            });
            if asked {
                batch.push(&event).unwrap();
            }
        }
        from.push(batch);
    }
    for range in &wanted {
        probe.begins(range);
    }
    // A source that tells nothing of record batches.
    for batch in &from {
        probe.batch(batch);
    }
    let report =
        |probe: &Probe| LagReport::new(&groups, probe, &Trend::default(), NOW, Limits::default());
    let billing = |report: &LagReport| report.groups[0].visible();
    assert_eq!(billing(&report(&probe)), Some(47));
    // The tails of the payments are markers, which such a source does not show.
    let shipping = |report: &LagReport| {
        let row = &report.groups[4].rows[1];
        (row.visible, row.estimated)
    };
    assert_eq!(report(&probe).groups[4].name, "shipping-svc");
    assert_eq!(shipping(&report(&probe)), (Some(9), true));
    for range in &wanted {
        probe.ended(range);
    }
    assert_eq!(shipping(&report(&probe)), (Some(9), false));
}

#[test]
fn without_a_look_at_the_events_it_is_unknown() {
    let alone = group("Stable", &["m"], vec![offset(0, 5, 6, Some("m"))]);
    assert_eq!(reasons_of(&[alone], None), [Why::Unknown]);
    let done = group("Stable", &["m"], vec![offset(0, 6, 6, Some("m"))]);
    assert_eq!(reasons_of(&[done], None), [Why::Ok]);
}

#[test]
fn plain_reasons_come_first() {
    let lost = |committed, first, end| {
        let mut offset = offset(0, committed, end, Some("m"));
        offset.first = Position::offset(first);
        group("Stable", &["m"], vec![offset])
    };
    assert_eq!(
        reasons_of(&[lost(3, 10, 20)], None),
        [Why::OffsetLost { lost: 7 }]
    );
    assert_eq!(
        reasons_of(&[lost(30, 10, 20)], None),
        [Why::OffsetLost { lost: 0 }]
    );
    let busy = group(
        "PreparingRebalance",
        &["m"],
        vec![offset(0, 1, 9, Some("m"))],
    );
    assert_eq!(
        reasons_of(&[busy], None),
        [Why::Rebalancing { for_ms: Some(0) }]
    );
    let dead = group("Dead", &[], vec![offset(0, 1, 9, None)]);
    assert_eq!(reasons_of(&[dead], None), [Why::Dead]);
    let two = vec![offset(0, 1, 9, None), offset(1, 9, 9, Some("m"))];
    assert_eq!(
        reasons_of(&[group("Stable", &["m"], two)], None),
        [Why::Unassigned, Why::Ok]
    );
    let mut never = offset(0, 1, 9, None);
    never.committed = None;
    assert_eq!(
        reasons_of(&[group("Stable", &["m"], vec![never])], None),
        [Why::NoCommit]
    );
}

fn looks(moves: &[[u64; 4]]) -> Vec<Group> {
    let row = |&[a, a_end, b, b_end]: &[u64; 4]| {
        let offsets = vec![
            offset(0, a, a_end, Some("m")),
            offset(1, b, b_end, Some("m")),
        ];
        group("Stable", &["m"], offsets)
    };
    moves.iter().map(row).collect()
}

#[test]
fn looks_over_time_tell_how_a_group_moves() {
    let still = looks(&[[1, 9, 1, 9], [1, 19, 1, 19], [1, 29, 1, 29], [1, 39, 1, 39]]);
    assert_eq!(
        reasons_of(&still, None),
        [Why::MemberStuck, Why::MemberStuck]
    );
    let one = looks(&[[1, 9, 1, 9], [1, 9, 4, 9], [1, 9, 5, 9], [1, 9, 6, 9]]);
    assert_eq!(
        reasons_of(&one, None),
        [Why::PoisonSuspect, Why::CatchingUp]
    );
    let slow = looks(&[[1, 9, 1, 100], [2, 90, 50, 100]]);
    assert_eq!(
        reasons_of(&slow, None),
        [Why::FallingBehind, Why::CatchingUp]
    );
}

#[test]
fn an_event_that_cannot_be_decoded_is_suspected_until_the_member_moves_elsewhere() {
    let mut made = Made::new("t", 1);
    made.event((0, 0, -90_000), "k", Some("{\"a\":"), &[]);
    made.event((0, 1, -80_000), "k", Some("{}"), &[]);
    let alone = group("Stable", &["m"], vec![offset(0, 0, 2, Some("m"))]);
    assert_eq!(reasons_of(&[alone], Some(&made)), [Why::PoisonSuspect]);
    // One that is read at this moment is no poison yet.
    let mut fresh = Made::new("t", 1);
    fresh.event((0, 0, 9_900), "k", Some("{\"a\":"), &[]);
    let alone = group("Stable", &["m"], vec![offset(0, 0, 1, Some("m"))]);
    assert_eq!(reasons_of(&[alone], Some(&fresh)), [Why::Ok]);
}

#[test]
fn rates_and_the_end_of_a_lag() {
    let mut trend = Trend::default();
    let look = |committed, end| {
        vec![group(
            "Stable",
            &["m"],
            vec![offset(0, committed, end, None)],
        )]
    };
    trend.look(Timestamp(0), &look(0, 100));
    let topic: Arc<str> = "t".into();
    let rate = |trend: &Trend| trend.rate("g", &topic, 0, PositionStyle::Offset);
    assert_eq!((rate(&trend), trend.still_ms("g", &topic, 0)), (None, None));
    trend.look(Timestamp(10_000), &look(50, 110));
    let known = rate(&trend).unwrap();
    assert_eq!((known.written, known.passed), (1.0, 5.0));
    let seconds = Eta::Seconds {
        likely: 15.0,
        soonest: 15.0,
        latest: 15.0,
    };
    assert_eq!(trend::eta(Some(60), Some(known)), seconds);
    trend.look(Timestamp(20_000), &look(50, 1000));
    assert_eq!(trend.still_ms("g", &topic, 0), Some(10_000));
    assert_eq!(trend::eta(Some(60), rate(&trend)), Eta::Never);
    // A clock that goes back begins anew.
    trend.look(Timestamp(0), &look(50, 1000));
    assert_eq!(rate(&trend), None);
}
