//! States of the demo's orders, exactly, and of made ones against a fold that keeps everything.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::broker::PartitionRange;
use crate::event::{Batch, Position, PositionStyle};
use crate::inspect::Names;
use crate::inspect::tests::{Made, T0, by_partition, history};
use crate::query::JqMap;
use crate::schema::Decoder;

fn of(topic: &str, key: &str, batches: &[Batch]) -> History {
    fold(topic, key, Fold::Merge, Limits::default(), batches)
}

fn folding(topic: &str, key: &str, fold: Fold, limits: Limits) -> Folding {
    let reader = Decoder::default().looker();
    let history = History::new(topic, fold, limits);
    Folding::new(history, key.as_bytes(), reader, Names::default())
}

fn fold(topic: &str, key: &str, fold: Fold, limits: Limits, batches: &[Batch]) -> History {
    let mut folding = folding(topic, key, fold, limits);
    for batch in batches {
        folding.batch(batch).unwrap();
    }
    folding.done()
}

fn place(topic: &str, partition: u32, offset: u64) -> At {
    At {
        origin: 0,
        topic: topic.into(),
        partition,
        position: Position::offset(offset),
        style: PositionStyle::Offset,
    }
}

#[tokio::test]
async fn the_states_of_the_demo_are_exact() {
    let all = history().await;
    for batches in [&all, &by_partition(&all, 5)] {
        let order = of("order-events", "order-456", batches);
        let step = order.step_at(&place("order-events", 0, 69)).unwrap();
        let state = order.at(step).unwrap();
        let expected: Value = serde_json::from_str(
            r#"{"status":"PAID","customerId":"customer-789","totalAmount":59.98,"currency":"EUR","paymentId":"payment-456"}"#,
        )
        .unwrap();
        assert_eq!(state.value, Some(expected));
        let blame = |path: &str| state.blame.at(path).unwrap().position.major;
        let blamed = [
            "/status",
            "/paymentId",
            "/customerId",
            "/totalAmount",
            "/currency",
        ];
        assert_eq!(blamed.map(blame), [69, 69, 67, 67, 67]);
        assert!(order.start().is_whole());

        let cut = of("order-events", "order-402", batches);
        assert_eq!(
            cut.now().value,
            Some(json!({"status": "SHIPPED", "trackingNo": "TRK-402"}))
        );
        assert_eq!(*cut.start(), Start::Version(4));

        let deleted = of("order-events", "order-405", batches);
        let now = deleted.now();
        assert_eq!(now.value, None);
        assert_eq!(now.blame.deleted, Some(place("order-events", 0, 41)));
        assert!(deleted.at(0).unwrap().value.is_some());
    }
}

#[tokio::test]
async fn order_417_diverges_from_its_versions() {
    let order = of("order-events", "order-417", &history().await);
    let status = |state: &State| state.value.as_ref().unwrap()["status"].clone();
    let at = order.step_at(&place("order-events", 0, 19)).unwrap();
    assert_eq!(status(&order.at(at).unwrap()), "VALIDATED");
    assert_eq!(status(&order.by_version(at).unwrap()), "PAID");
    assert!(order.diverges(at) && !order.diverges(at + 1) && !order.diverges(0));
    assert_eq!(order.step_of_version(3), Some(1));
    let placed = Timestamp(T0 + 16_100);
    assert_eq!(order.step_at_time(placed), Some(0));
    let (before, after) = (order.at(0).unwrap(), order.at(1).unwrap());
    let changes = diff(before.value.as_ref(), after.value.as_ref());
    let told: Vec<(&str, ChangeKind)> = changes.iter().map(|c| (&*c.path, c.kind)).collect();
    assert_eq!(
        told,
        [
            ("/status", ChangeKind::Changed),
            ("/paymentId", ChangeKind::Added)
        ]
    );
}

#[test]
fn what_is_no_json_leaves_the_state_and_says_why() {
    let mut made = Made::new("t", 1);
    made.event((0, 0, 0), "k", Some("{\"a\":1}"), &[]);
    made.event((0, 1, 0), "k", Some("{\"a\":"), &[]);
    let deep = "[".repeat(100_000);
    made.event((0, 2, 0), "k", Some(&deep), &[]);
    made.event((0, 3, 0), "other", Some("{\"a\":2}"), &[]);
    let merged = of("t", "k", std::slice::from_ref(&made.batch));
    assert_eq!(merged.now().value, Some(json!({"a": 1})));
    assert_eq!(merged.steps().len(), 3);
    assert!(
        merged.steps()[1]
            .fault
            .as_ref()
            .unwrap()
            .starts_with("not JSON: ")
    );
    assert!(merged.steps()[2].fault.is_some());
    let batches = std::slice::from_ref(&made.batch);
    let last = fold("t", "k", Fold::Last, Limits::default(), batches);
    assert_eq!(last.at(1).unwrap().value, Some(json!("{\"a\":")));
}

#[test]
fn the_last_value_keeps_the_blame_of_what_stays_the_same() {
    let mut made = Made::new("t", 1);
    made.event(
        (0, 5, 0),
        "k",
        Some("{\"a\":1,\"b\":{\"c\":1,\"d\":1}}"),
        &[],
    );
    made.event(
        (0, 6, 0),
        "k",
        Some("{\"a\":1,\"b\":{\"c\":2,\"d\":1},\"e\":null}"),
        &[],
    );
    let batches = std::slice::from_ref(&made.batch);
    let last = fold("t", "k", Fold::Last, Limits::default(), batches);
    let told: Vec<(String, u64)> = last
        .now()
        .blame
        .paths
        .into_iter()
        .map(|(path, at)| (path, at.position.major))
        .collect();
    let expected = [("/a", 5), ("/b/c", 6), ("/b/d", 5), ("/e", 6)];
    assert_eq!(told, expected.map(|(path, at)| (path.to_owned(), at)));
    assert_eq!(*last.start(), Start::From(place("t", 0, 5)));
    assert_eq!(last.by_version(1), None);
}

#[test]
fn a_program_makes_each_state_of_the_one_before() {
    let mut made = Made::new("t", 1);
    for (offset, value) in [
        Some("{\"add\":5}"),
        Some("{\"add\":7}"),
        Some("{\"skip\":1}"),
        Some("{\"add\":\"x\"}"),
        Some("{\"reset\":1}"),
        Some("{\"add\":2}"),
    ]
    .into_iter()
    .enumerate()
    {
        made.event((0, offset as u64, 0), "k", value, &[]);
    }
    let text = "if .event.value.reset then null \
                elif .event.value.add then {sum: ((.state.sum // 0) + .event.value.add)} \
                else empty end";
    let program = JqMap::compile("--jq", text).unwrap();
    let mut folding = folding("t", "k", Fold::Merge, Limits::default()).with_program(&program);
    folding.batch(&made.batch).unwrap();
    let history = folding.done();
    let states: Vec<Option<Value>> = (0..6).map(|at| history.at(at).unwrap().value).collect();
    let sum = |n: u64| Some(json!({ "sum": n }));
    assert_eq!(states, [sum(5), sum(12), sum(12), sum(12), None, sum(2)]);
    let fault = history.steps()[3].fault.as_ref().unwrap();
    assert!(fault.starts_with("the program failed: "), "{fault}");
    assert_eq!(history.by_version(5), None);
}

#[test]
fn a_patch_that_fails_leaves_the_state_and_says_why() {
    let mut made = Made::new("t", 1);
    for (offset, value) in [
        r#"[{"op":"add","path":"","value":{"a":1,"b":2}}]"#,
        r#"[{"op":"replace","path":"/a","value":3}]"#,
        r#"[{"op":"remove","path":"/nothing"}]"#,
    ]
    .into_iter()
    .enumerate()
    {
        made.event((0, offset as u64, 0), "k", Some(value), &[]);
    }
    let batches = std::slice::from_ref(&made.batch);
    let history = fold("t", "k", Fold::Patch, Limits::default(), batches);
    let now = history.now();
    assert_eq!(now.value, Some(json!({"a": 3, "b": 2})));
    assert_eq!(now.blame.at("/a").unwrap().position.major, 1);
    assert_eq!(now.blame.at("/b").unwrap().position.major, 0);
    assert!(history.steps()[2].fault.is_some());
}

#[test]
fn what_a_selection_left_out_is_not_missing_where_the_range_is_known() {
    let mut made = Made::new("t", 1);
    made.event((0, 5, 0), "k", Some("{}"), &[]);
    let range = |start| PartitionRange {
        topic: "t".into(),
        partition: 0,
        style: PositionStyle::Offset,
        start: Position::offset(start),
        end: Position::offset(9),
    };
    for (start, expected) in [(0, Start::Whole), (3, Start::From(place("t", 0, 3)))] {
        let mut folding = folding("t", "k", Fold::Merge, Limits::default());
        folding.reads(&range(start));
        folding.batch(&made.batch).unwrap();
        assert_eq!(*folding.done().start(), expected);
    }
}

#[test]
fn names_with_slashes_become_pointers() {
    let (old, new) = (json!({"a/b": {"~": 1}}), json!({"a/b": {"~": 2}}));
    let changes = diff(Some(&old), Some(&new));
    assert_eq!(changes[0].path, "/a~1b/~0");
    assert_eq!(new.pointer(&changes[0].path), Some(&json!(2)));
    assert_eq!(diff(None, Some(&new))[0].kind, ChangeKind::Added);
    assert!(diff(Some(&new), Some(&new)).is_empty());
}

#[test]
fn the_examples_of_the_rfc_hold() {
    for (target, patch, result) in [
        (r#"{"a":"b"}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"b":"c"}"#, r#"{"a":"b","b":"c"}"#),
        (r#"{"a":"b"}"#, r#"{"a":null}"#, "{}"),
        (r#"{"a":"b","b":"c"}"#, r#"{"a":null}"#, r#"{"b":"c"}"#),
        (r#"{"a":["b"]}"#, r#"{"a":"c"}"#, r#"{"a":"c"}"#),
        (r#"{"a":"c"}"#, r#"{"a":["b"]}"#, r#"{"a":["b"]}"#),
        (
            r#"{"a":{"b":"c"}}"#,
            r#"{"a":{"b":"d","c":null}}"#,
            r#"{"a":{"b":"d"}}"#,
        ),
        (r#"{"a":[{"b":"c"}]}"#, r#"{"a":[1]}"#, r#"{"a":[1]}"#),
        (r#"["a","b"]"#, r#"["c","d"]"#, r#"["c","d"]"#),
        (r#"{"a":"b"}"#, r#"["c"]"#, r#"["c"]"#),
        (r#"{"a":"foo"}"#, "null", "null"),
        (r#"{"a":"foo"}"#, "\"bar\"", "\"bar\""),
        (r#"{"e":null}"#, r#"{"a":1}"#, r#"{"a":1}"#),
        ("[1,2]", r#"{"a":"b","c":null}"#, r#"{"a":"b"}"#),
        ("{}", r#"{"a":{"bb":{"ccc":null}}}"#, r#"{"a":{"bb":{}}}"#),
    ] {
        let mut made = Made::new("t", 1);
        made.event((0, 0, 0), "k", Some(target), &[]);
        made.event((0, 1, 0), "k", Some(patch), &[]);
        let expected: Value = serde_json::from_str(result).unwrap();
        let merged = of("t", "k", std::slice::from_ref(&made.batch)).now();
        assert_eq!(merged.value, Some(expected), "{target} {patch}");
    }
}

fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(json!(null)),
        (0..3).prop_map(|n| json!(n)),
        Just(json!([1]))
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop::collection::btree_map("[ab]", inner, 0..3)
            .prop_map(|members| Value::Object(members.into_iter().collect()))
    })
    .prop_map(|value| value.to_string())
}

proptest! {
    #[test]
    fn going_back_gives_what_was_there_whatever_is_kept(
        values in prop::collection::vec(prop::option::weighted(0.9, value()), 1..180),
        steps in 1usize..140,
        merge in any::<bool>(),
    ) {
        let fold = if merge { Fold::Merge } else { Fold::Last };
        let mut made = Made::new("t", 1);
        let limits = Limits { steps, ..Limits::default() };
        let mut small = folding("t", "k", fold, limits);
        let mut then = Vec::new();
        for (offset, value) in values.iter().enumerate() {
            made.event((0, offset as u64, 0), "k", value.as_deref(), &[]);
        }
        let mut whole = folding("t", "k", fold, Limits::default());
        for event in made.batch.iter() {
            let mut one = Batch::new(made.batch.streams().clone());
            one.push(&event).unwrap();
            small.batch(&one).unwrap();
            whole.batch(&one).unwrap();
            then.push(whole.history.now());
        }
        let (small, whole) = (small.done(), whole.done());
        prop_assert!((1..=steps).contains(&small.steps().len()));
        let folded = usize::try_from(small.folded()).unwrap();
        prop_assert_eq!(folded + small.steps().len(), values.len());
        for (number, state) in then.iter().enumerate() {
            prop_assert_eq!(whole.at(number), Some(state.clone()));
            if let Some(number) = number.checked_sub(folded) {
                prop_assert_eq!(small.at(number), Some(state.clone()));
            }
        }
        prop_assert_eq!(whole.at(values.len()), None);
    }
}
