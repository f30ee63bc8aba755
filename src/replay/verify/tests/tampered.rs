//! A target that was tampered with at random, held against a naive count of what was done to it.

use proptest::prelude::*;

use super::*;
use crate::replay::Part;

/// What is done to a target, at a place in it.
#[derive(Debug, Clone, Copy)]
enum Tamper {
    Remove(usize),
    Repeat(usize, usize),
    Change(usize),
    Swap(usize, usize),
    Strange(usize),
}

fn tampers() -> impl Strategy<Value = Vec<(usize, Tamper)>> {
    let place = 0usize..1000;
    let tamper = prop_oneof![
        place.clone().prop_map(Tamper::Remove),
        (place.clone(), place.clone()).prop_map(|(a, b)| Tamper::Repeat(a, b)),
        place.clone().prop_map(Tamper::Change),
        (place.clone(), place.clone()).prop_map(|(a, b)| Tamper::Swap(a, b)),
        place.prop_map(Tamper::Strange),
    ];
    prop::collection::vec((0usize..2, tamper), 0..8)
}

fn tamper(events: &mut Vec<Stored>, what: Tamper) {
    let len = events.len();
    if len == 0 {
        return;
    }
    match what {
        Tamper::Remove(at) => {
            events.remove(at % len);
        }
        Tamper::Repeat(from, to) => {
            let again = events[from % len].clone();
            events.insert(to % (len + 1), again);
        }
        Tamper::Change(at) => events[at % len].value = Some(b"changed".to_vec()),
        Tamper::Swap(one, two) => events.swap(one % len, two % len),
        Tamper::Strange(at) => {
            let mut strange = events[at % len].clone();
            for (name, value) in &mut strange.headers {
                if name == "evtap-source" {
                    *value = Some("kafka://h:9092/orders/0/9999999999999".into());
                }
            }
            events.insert(at % len, strange);
        }
    }
}

/// The same counts by plain maps over everything.
fn naive(bench: &Bench, original: &Held) -> [u64; 5] {
    let header = |event: &Stored, name: &str| {
        let found = event.headers.iter().find(|(n, _)| n == name);
        found.and_then(|(_, value)| value.clone())
    };
    let all = original.partitions.iter().flatten();
    let originals: HashMap<String, &Stored> = all
        .map(|event| (header(event, "evtap-source").unwrap(), event))
        .collect();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut counts = [0; 5];
    for (partition, events) in bench.target.partitions.iter().enumerate() {
        let mut furthest: HashMap<String, Position> = HashMap::new();
        for event in events {
            let at = header(event, "evtap-source").unwrap();
            let Some(wanted) = originals.get(&at) else {
                counts[1] += 1;
                continue;
            };
            if seen.insert(at.clone(), partition).is_some() {
                counts[2] += 1;
                continue;
            }
            counts[4] += u64::from(wanted.value != event.value);
            let lane = at.rsplit_once('/').unwrap().0.to_owned();
            let furthest = furthest.entry(lane).or_default();
            counts[3] += u64::from(wanted.position < *furthest);
            *furthest = wanted.position.max(*furthest);
        }
    }
    counts[0] = (originals.len() - seen.len()) as u64;
    counts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn whatever_was_done_to_a_target_is_counted(
        what in tampers(),
        events in 1u64..60,
        entries in any::<bool>(),
        memory in prop_oneof![Just(1usize), Just(1 << 20)],
        // Partitions of which the run's own notes are taken, where there are any.
        known in 0usize..3,
    ) {
        let style = if entries { PositionStyle::Entry } else { PositionStyle::Offset };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut bench = Bench::new(style, events, |_| {}).await;
            bench.memory = memory;
            let original = bench.target.clone();
            for (partition, what) in &what {
                tamper(&mut bench.target.partitions[*partition], *what);
            }
            bench.number();
            let known: Vec<Part> = (0..known).map(|partition| bench.part(partition)).collect();
            let noted = bench.noted.take().and_then(|noted| noted.of_parts(Some(&known)));
            let found = bench.compare_by(noted).await;
            let expected = naive(&bench, &original);
            prop_assert_eq!(counts(&found), expected, "{:#?}", found.describe());
            let clean = expected.iter().all(|count| *count == 0);
            prop_assert_eq!(found.verdict() == Verdict::Clean, clean);
            Ok(())
        })?;
    }
}
