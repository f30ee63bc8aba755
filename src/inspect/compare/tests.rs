//! Streams that are alike, that differ in known places, and random edits that are found exactly.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::event::Batch;
use crate::inspect::tests::Made;
use crate::schema::Decoder;

/// What differs between two streams, as one runs it: sketches, then matching what is unequal. And
/// how many parts were unequal.
fn compared(rules: Rules, sides: [&Batch; 2], ordered: bool) -> (Differences, usize) {
    let mut lanes = Lanes::new((0..4).map(|partition| (None, partition)).collect(), false);
    let mut look = Look::new(rules, Decoder::default().looker());
    let mut sketches = [Sketch::new(lanes.len()), Sketch::new(lanes.len())];
    for (sketch, batch) in sketches.iter_mut().zip(sides) {
        lanes.begin(batch);
        for event in batch.iter() {
            sketch.event(look.see(&event), lanes.number(event.stream_index));
        }
    }
    let slots = unequal(&sketches[0], &sketches[1], ordered);
    let mut matching = Matching::new(&slots);
    let mut look = look.twin(Decoder::default().looker());
    for (side, batch) in [Side::Left, Side::Right].into_iter().zip(sides) {
        lanes.begin(batch);
        for event in batch.iter() {
            let spot = Spot {
                lane: lanes.number(event.stream_index),
                position: event.position,
            };
            matching.event(side, &look.see(&event), spot);
        }
    }
    let mut differences = Differences::default();
    matching.compare(ordered, &mut differences);
    differences.sort();
    (differences, slots.len())
}

fn told(differences: &Differences) -> Vec<String> {
    let place = |spot: Option<Spot>| {
        spot.map_or_else(
            || "-".to_owned(),
            |s| format!("{}@{}", s.lane, s.position.major),
        )
    };
    let mut all: Vec<String> = differences
        .listed
        .iter()
        .map(|d| format!("{} {} {}", d.what.word(), place(d.left), place(d.right)))
        .collect();
    all.sort();
    all
}

/// Id, key and value.
type One<'a> = (&'a str, &'a str, &'a str);

fn push(made: &mut Made, place: (u32, u64), (id, key, value): One<'_>) {
    let headers = [("ce_id", id)];
    let headers = if id.is_empty() { &[][..] } else { &headers[..] };
    let (partition, offset) = place;
    made.event(
        (partition, offset, offset.cast_signed()),
        key,
        Some(value),
        headers,
    );
}

fn stream(events: &[One<'_>]) -> Made {
    let mut made = Made::new("t", 1);
    for (offset, event) in events.iter().enumerate() {
        push(&mut made, (0, offset as u64), *event);
    }
    made
}

#[test]
fn what_is_missing_new_changed_and_moved_is_told_apart() {
    let left = stream(&[
        ("a", "k", "{\"n\":1,\"m\":2}"),
        ("b", "k", "{\"n\":2}"),
        ("c", "k", "{\"n\":3}"),
        ("d", "l", "{\"n\":4}"),
        ("e", "l", "{\"n\":5}"),
    ]);
    let right = stream(&[
        ("b", "k", "{\"n\":20}"),
        ("c", "k", "{\"n\":3}"),
        ("a", "k", "{\"m\":2, \"n\":1}"),
        ("e", "l", "{\"n\":5}"),
        ("f", "l", "{\"n\":6}"),
    ]);
    let (differences, _) = compared(Rules::default(), [&left.batch, &right.batch], true);
    let expected = [
        "changed 0@1 0@0",
        "only_left 0@3 -",
        "only_right - 0@4",
        "reordered 0@0 0@2",
    ];
    assert_eq!(told(&differences), expected);
    // Where partitions differ, the order says nothing.
    let (differences, _) = compared(Rules::default(), [&left.batch, &right.batch], false);
    assert_eq!(differences.count(What::Reordered), 0);
}

#[test]
fn partitions_that_interleave_otherwise_are_the_same() {
    let events: Vec<(u32, String)> = (0..40).map(|n| (n % 3, format!("id-{n}"))).collect();
    let mut sides = [Made::new("a", 3), Made::new("b", 3)];
    let mut sorted = events.clone();
    sorted.sort_by_key(|(partition, _)| *partition);
    for (made, events) in sides.iter_mut().zip([&events, &sorted]) {
        let mut next = [0; 3];
        for (partition, id) in events {
            let key = format!("k{partition}");
            push(
                made,
                (*partition, next[*partition as usize]),
                (id, &key, "1"),
            );
            next[*partition as usize] += 1;
        }
    }
    let [left, right] = &sides;
    let (differences, unequal) = compared(Rules::default(), [&left.batch, &right.batch], true);
    assert_eq!((told(&differences).len(), unequal), (0, 0));
}

#[test]
fn what_is_ignored_makes_no_difference() {
    let left = stream(&[("x", "k", "{\"id\":1,\"at\":{\"x\":1},\"n\":[1,2]}")]);
    let right = stream(&[("y", "k", "{\"id\":2,\"at\":{\"x\":9},\"n\":[1,2]}")]);
    let rules = |paths: &[&str]| {
        let mut ignored = Ignored::default();
        for path in paths {
            ignored.add(path).unwrap();
        }
        Rules {
            ignored,
            by_key: true,
            ..Rules::default()
        }
    };
    let sides = [&left.batch, &right.batch];
    for paths in [&[][..], &[".value.id"], &["/value/at/x"]] {
        let found = compared(rules(paths), sides, true).0;
        assert_eq!(told(&found), ["changed 0@0 0@0"], "{paths:?}");
    }
    assert_eq!(
        compared(rules(&[".value.id", "/value/at"]), sides, true).1,
        0
    );
    // By id they are two events.
    let found = compared(Rules::default(), sides, true).0;
    assert_eq!(told(&found), ["only_left 0@0 -", "only_right - 0@0"]);
}

#[test]
fn an_event_that_is_missing_does_not_shift_the_others_of_its_key() {
    let left = stream(&[
        ("", "k", "1"),
        ("", "k", "2"),
        ("", "k", "3"),
        ("", "k", "4"),
    ]);
    let right = stream(&[("", "k", "1"), ("", "k", "3"), ("", "k", "9")]);
    let (differences, _) = compared(Rules::default(), [&left.batch, &right.batch], true);
    assert_eq!(told(&differences), ["changed 0@3 0@2", "only_left 0@1 -"]);
}

#[test]
fn the_order_of_events_without_a_key_is_not_compared() {
    let mut sides = [Made::new("t", 1), Made::new("t", 1)];
    for (made, values) in sides.iter_mut().zip([["1", "2", "2"], ["2", "1", "2"]]) {
        for (offset, value) in (0..).zip(values) {
            made.event_bytes((0, offset, 0), Some(value.as_bytes()));
        }
    }
    let [left, right] = &sides;
    let (differences, unequal) = compared(Rules::default(), [&left.batch, &right.batch], true);
    assert_eq!((told(&differences).len(), unequal), (0, 0));
}

proptest! {
    #[test]
    fn random_edits_are_found_exactly(
        events in prop::collection::vec((0u8..6, 0u8..5), 0..200),
        dropped in prop::collection::btree_set(0usize..200, 0..6),
        changed in prop::collection::btree_set(0usize..200, 0..6),
        added in prop::collection::btree_set(0usize..200, 0..6),
        ids in any::<bool>(),
    ) {
        // Without ids what an event says must tell it from others of its key; what is changed is
        // then not to stand beside what is missing or new.
        let near = |set: &BTreeSet<usize>, n: usize| (n.saturating_sub(40)..n + 40).any(|m| set.contains(&m));
        let changed: BTreeSet<usize> = changed
            .into_iter()
            .filter(|n| *n < events.len() && !dropped.contains(n))
            .filter(|n| ids || !(near(&dropped, *n) || near(&added, *n)))
            .collect();
        let dropped: BTreeSet<usize> = dropped.into_iter().filter(|n| *n < events.len()).collect();
        let added: BTreeSet<usize> = added
            .into_iter()
            .filter(|n| *n < events.len() && (ids || !near(&dropped, *n)))
            .collect();
        let (mut left, mut right) = (Made::new("t", 1), Made::new("t", 1));
        let mut next = (0, 0);
        let mut expected = Vec::new();
        for (n, (key, value)) in events.iter().enumerate() {
            let key = if ids { usize::from(*key) } else { n % 6 };
            let (key, value) = (format!("k{key}"), format!("{{\"v\":[{value},{n}]}}"));
            let id = if ids { format!("id-{n}") } else { String::new() };
            push(&mut left, (0, next.0), (&id, &key, &value));
            if added.contains(&n) {
                let id = if ids { format!("new-{n}") } else { String::new() };
                push(&mut right, (0, next.1), (&id, &key, &format!("{{\"new\":{n}}}")));
                expected.push(format!("only_right - 0@{}", next.1));
                next.1 += 1;
            }
            if dropped.contains(&n) {
                expected.push(format!("only_left 0@{} -", next.0));
            } else {
                let edited = if changed.contains(&n) { "{\"v\":\"x\"}" } else { &value };
                push(&mut right, (0, next.1), (&id, &key, edited));
                if changed.contains(&n) {
                    expected.push(format!("changed 0@{} 0@{}", next.0, next.1));
                }
                next.1 += 1;
            }
            next.0 += 1;
        }
        let (differences, _) = compared(Rules::default(), [&left.batch, &right.batch], true);
        expected.sort();
        prop_assert_eq!(told(&differences), expected);
    }
}
