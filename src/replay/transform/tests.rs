//! Each policy and each skip, on copies of events made by hand.

use super::*;
use crate::replay::fake::{Event, Header, batch, event, place, plan, streams};

/// Copies the events by the plan; gives the copies and what was skipped.
fn copy(plan: &Plan, events: &[Event]) -> (Batch, Vec<(Skip, u64)>) {
    let mut transform = Transform::new(plan);
    let input = batch(&streams(), events);
    transform.begin(&input);
    let mut out = Batch::new(transform.streams().clone());
    for event in input.iter() {
        if let Some(prior) = transform.judge(&event) {
            transform.copy(&event, prior, &mut out).unwrap();
        }
    }
    (out, transform.tally.skipped().collect())
}

fn headers(out: &Batch, index: usize) -> Vec<(String, Option<String>)> {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let all = out.get(index).headers.iter();
    all.map(|(name, value)| (text(name), value.map(text)))
        .collect()
}

fn owned(headers: &[Header]) -> Vec<(String, Option<String>)> {
    headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.map(str::to_owned)))
        .collect()
}

#[test]
fn provenance_is_appended_and_the_rest_is_untouched() {
    let plan = plan();
    let mut original = event(1, 15);
    original.time = Some(1_723_717_843_000);
    original.headers = vec![("a", Some("1")), ("b", None), ("a", Some(""))];
    let (out, _) = copy(&plan, &[original]);
    let id = plan.id();
    let expected = [
        ("a", Some("1")),
        ("b", None),
        ("a", Some("")),
        ("evtap-replay", Some("ID")),
        ("evtap-source", Some("kafka://h:9092/orders/1/15")),
        ("evtap-time", Some("2024-08-15T10:30:43.000Z")),
        ("evtap-count", Some("1")),
    ];
    let mut expected = owned(&expected);
    expected[3].1 = Some(id);
    assert_eq!(headers(&out, 0), expected);
    let copy = out.get(0);
    assert_eq!((&*copy.stream.topic, copy.stream.partition), ("copy", 1));
}

#[test]
fn null_and_empty_stay_what_they_are() {
    let mut events = Vec::new();
    for key in [None, Some(&b""[..]), Some(b"\0\xff")] {
        for value in [None, Some(&b""[..]), Some(b"\xff\0")] {
            let mut one = event(0, events.len() as u64);
            (one.key, one.value) = (key, value);
            events.push(one);
        }
    }
    for provenance in [true, false] {
        let mut plan = plan();
        plan.provenance = provenance;
        let (out, _) = copy(&plan, &events);
        let got: Vec<_> = out.iter().map(|e| (e.key, e.value)).collect();
        let sent: Vec<_> = events.iter().map(|e| (e.key, e.value)).collect();
        assert_eq!(got, sent);
    }
}

#[test]
fn old_provenance_is_replaced_and_counted_on() {
    let mut plan = plan();
    plan.guards.max_replays = 9;
    let mut original = event(0, 3);
    original.time = None;
    original.headers = vec![
        ("evtap-count", Some("2")),
        ("evtap-replay", Some("other")),
        ("x", Some("y")),
        ("evtap-position", Some("kept")),
        ("evtap-source", Some("a/b/0/1")),
        ("evtap-time", Some("then")),
    ];
    let (out, _) = copy(&plan, &[original.clone()]);
    let expected = [
        ("x", Some("y")),
        ("evtap-position", Some("kept")),
        ("evtap-replay", Some("ID")),
        ("evtap-source", Some("kafka://h:9092/orders/0/3")),
        ("evtap-count", Some("3")),
    ];
    let mut expected = owned(&expected);
    expected[2].1 = Some(plan.id());
    assert_eq!(headers(&out, 0), expected);
    plan.provenance = false;
    let (out, _) = copy(&plan, &[original.clone()]);
    assert_eq!(headers(&out, 0), owned(&original.headers));
}

#[test]
fn events_that_would_go_round_are_skipped_with_their_reason() {
    let mut plan = plan();
    plan.target.place = place("redis://me:pw@t:9092/copy");
    let with = |offset, headers: &[Header]| Event {
        headers: headers.to_vec(),
        ..event(0, offset)
    };
    let id: &'static str = plan.id().leak();
    let events = [
        with(0, &[("evtap-count", Some("1"))]),
        with(1, &[("evtap-replay", Some(id))]),
        with(2, &[("evtap-source", Some("redis://t:9092/copy/0/5-0"))]),
        with(3, &[("evtap-source", Some("redis://t:9092/other/0/5-0"))]),
        with(1000, &[]),
        with(999, &[]),
    ];
    let (out, skipped) = copy(&plan, &events);
    assert_eq!(out.len(), 1);
    assert_eq!(
        skipped,
        [
            (Skip::OutsidePlan, 1),
            (Skip::MaxReplays, 2),
            (Skip::ThisPlan, 1),
            (Skip::FromTarget, 1)
        ]
    );
    // Another limit is another plan: the mark of the first says nothing to it.
    plan.guards.max_replays = 2;
    assert_eq!(copy(&plan, &events).0.len(), 4);
}

#[test]
fn the_partition_policy_is_followed() {
    let events = [event(0, 0), event(1, 0)];
    for (policy, expected) in [
        (PartitionPolicy::Same, [0, 1]),
        (PartitionPolicy::Key, [ANY_PARTITION; 2]),
        (PartitionPolicy::Fixed(1), [1, 1]),
    ] {
        let mut plan = plan();
        plan.partitions = policy;
        let (out, _) = copy(&plan, &events);
        let got: Vec<u32> = out.iter().map(|e| e.stream.partition).collect();
        assert_eq!(got, expected);
    }
}

#[test]
fn the_timestamp_policy_is_followed() {
    let mut events = [event(0, 0), event(0, 1), event(0, 2)];
    events[0].time = Some(5000);
    events[1].time = None;
    events[2].time = Some(4500);
    let times = |policy| {
        let mut plan = plan();
        plan.timestamps = policy;
        let (out, _) = copy(&plan, &events);
        out.iter()
            .map(|e| e.time().map(|t| t.0))
            .collect::<Vec<_>>()
    };
    assert_eq!(times(TimestampPolicy::Now), [None; 3]);
    assert_eq!(times(TimestampPolicy::Keep), [Some(5000), None, Some(4500)]);
    let shifted = times(TimestampPolicy::Shift);
    let now = Timestamp::wall_clock().0;
    assert!((now - shifted[0].unwrap()).abs() < 60_000);
    assert_eq!(shifted[0].unwrap() - shifted[2].unwrap(), 500);
}

#[test]
fn each_source_has_its_own_name_and_range() {
    let mut plan = plan();
    let mut second = plan.sources[0].clone();
    second.name = "b.mcap".into();
    second.ranges[0].end = Position::offset(1);
    plan.sources.push(second);
    let mut transform = Transform::new(&plan);
    let table: Streams = [streams(), streams()].concat().into();
    let mut input = batch(&table, &[event(0, 7), event(2, 7), event(2, 0)]);
    input.set_origins([0, 0, 1, 1].into());
    transform.begin(&input);
    let mut out = Batch::new(transform.streams().clone());
    for event in input.iter() {
        if let Some(prior) = transform.judge(&event) {
            transform.copy(&event, prior, &mut out).unwrap();
        }
    }
    let sources: Vec<_> = out.iter().map(|e| e.headers.last("evtap-source")).collect();
    assert_eq!(
        sources,
        [
            Some(Some(&b"kafka://h:9092/orders/0/7"[..])),
            Some(Some(&b"b.mcap/orders/0/0"[..]))
        ]
    );
}
