//! The search through a whole record batch against a test of each of its events: none may be
//! passed over that is kept, or on which an expression fails.

use proptest::prelude::*;
use proptest::sample::select;

use super::generate::{PATTERNS, TEXTS, decoding, expression, sample};
use crate::event::codec::{BatchOptions, Decoder, Encoder, Record, Records};
use crate::event::{EventRef, Position, Select as _, SelectWorker, TimestampType, Verdict};
use crate::query::samples::Sample;
use crate::query::{Query, QuerySpec};

fn encoded(samples: &[Sample]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    encoder.begin(0, &BatchOptions::default());
    for (offset, sample) in samples.iter().enumerate() {
        let event = sample.event();
        let record = Record {
            offset: offset as u64,
            timestamp: event.timestamp,
            timestamp_type: TimestampType::Create,
            key: event.key,
            value: event.value,
            headers: event.headers,
        };
        encoder.push(&record).unwrap();
    }
    let mut bytes = Vec::new();
    encoder.finish(None, &mut bytes).unwrap();
    bytes
}

fn test(worker: &mut dyn SelectWorker, samples: &[Sample], record: &Record<'_>) -> Verdict {
    let event = EventRef {
        position: Position::offset(record.offset),
        key: record.key,
        value: record.value,
        headers: record.headers,
        ..samples[record.offset as usize].event()
    };
    worker.test(&event).unwrap()
}

fn each(query: &Query, samples: &[Sample], records: Records<'_>) -> Vec<(u64, Verdict)> {
    let mut worker = query.worker();
    let all = records.map(Result::unwrap);
    let all = all.map(|record| (record.offset, test(&mut *worker, samples, &record)));
    all.filter(|(_, verdict)| *verdict != Verdict::Drop)
        .collect()
}

/// As a source does it. Tells how many events were tested, too.
fn sought(
    worker: &mut dyn SelectWorker,
    samples: &[Sample],
    mut records: Records<'_>,
) -> (Vec<(u64, Verdict)>, usize) {
    let (mut found, mut tests) = (Vec::new(), 0);
    let body = records.body();
    worker.begin();
    let mut next = worker.seek(body, 0);
    while let Some(record) = records.next() {
        let record = record.unwrap();
        if next.is_none_or(|hit| records.at() <= hit) {
            continue;
        }
        tests += 1;
        let verdict = test(worker, samples, &record);
        if verdict != Verdict::Drop {
            found.push((record.offset, verdict));
        }
        next = worker.seek(body, records.at());
        assert!(next.is_none_or(|hit| hit >= records.at()));
    }
    (found, tests)
}

/// A filter of one or two terms, or of an expression.
fn filter() -> impl Strategy<Value = String> {
    let quoted = |text: &str| format!("{text:?}");
    let term = (
        select(&["", "-"][..]),
        select(&["", "key:", "topic:"][..]),
        select(&TEXTS[..]).prop_map(quoted),
    );
    let term = term.prop_map(|(not, field, text)| format!("{not}{field}{text}"));
    prop_oneof![
        prop::collection::vec(term, 1..3).prop_map(|terms| terms.join(" ")),
        expression(),
    ]
}

fn spec() -> impl Strategy<Value = QuerySpec> {
    let text = || select(&TEXTS[..]).prop_map(str::to_owned);
    let pattern = select(&PATTERNS[..]).prop_map(str::to_owned);
    (
        prop::collection::vec(expression(), 0..3),
        prop::collection::vec(prop_oneof![text(), pattern], 0..2),
        prop::collection::vec(filter(), 0..2),
        prop::collection::vec(text().prop_map(String::into_bytes), 0..3),
        any::<bool>(),
        prop::bool::weighted(0.2),
        decoding(),
    )
        .prop_map(
            |(where_, grep, filters, keys, fixed, ignore_case, decoding)| QuerySpec {
                where_,
                filters,
                grep,
                ignore_case,
                fixed,
                keys,
                decoder: decoding.into(),
            },
        )
        .prop_filter("no regular expression", |spec| Query::compile(spec).is_ok())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_search_finds_what_testing_each_event_finds(
        spec in spec(),
        batches in prop::collection::vec(prop::collection::vec(sample(), 0..24), 3),
    ) {
        let query = Query::compile(&spec).unwrap();
        // One worker for all: what it remembers of one batch must not reach the next.
        let mut worker = query.worker();
        for samples in &batches {
            let bytes = encoded(samples);
            let mut decoder = Decoder::new(1 << 20);
            let records = decoder.decode(&bytes).unwrap();
            let expected = each(&query, samples, records.clone());
            let (found, _) = sought(&mut *worker, samples, records);
            prop_assert_eq!(found, expected, "{:?}", spec);
        }
    }
}

#[test]
fn only_events_around_a_hit_are_tested() {
    let samples: Vec<Sample> = (0..2000)
        .map(|i| match i {
            700 => Sample::of(r#"{"type":"Paid","n":700}"#),
            // Maybe: an escape could spell it.
            1300 => Sample::of(r#"{"type":"\u0050aid","n":1300}"#),
            _ => Sample::of(format!(r#"{{"type":"Sent","n":{i}}}"#)),
        })
        .collect();
    let query = Query::compile(&QuerySpec {
        where_: vec![r#".value.type == "Paid""#.to_owned()],
        ..QuerySpec::default()
    });
    let bytes = encoded(&samples);
    let mut decoder = Decoder::new(1 << 20);
    let records = decoder.decode(&bytes).unwrap();
    let mut worker = query.unwrap().worker();
    let (found, tests) = sought(&mut *worker, &samples, records);
    assert_eq!(found, [(700, Verdict::Keep), (1300, Verdict::Keep)]);
    assert_eq!(tests, 2);
}
