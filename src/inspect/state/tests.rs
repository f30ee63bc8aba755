//! States of the demo's orders, exactly, and of made ones against a fold that keeps everything.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::inspect::tests::{Made, T0, by_partition, history};

fn of(topic: &str, key: &str, batches: &[Batch]) -> History {
    let (limits, names) = (Limits::default(), Names::default());
    let mut history = History::new(topic, key.as_bytes(), Fold::Merge, limits, names);
    for batch in batches {
        history.batch(batch);
    }
    history
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
            .starts_with("not JSON")
    );
    assert!(merged.steps()[2].fault.is_some());
    let mut last = History::new("t", b"k", Fold::Last, Limits::default(), Names::default());
    last.batch(&made.batch);
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
    let mut last = History::new("t", b"k", Fold::Last, Limits::default(), Names::default());
    last.batch(&made.batch);
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
        let mut small = History::new("t", b"k", fold, limits, Names::default());
        let mut then = Vec::new();
        for (offset, value) in values.iter().enumerate() {
            made.event((0, offset as u64, 0), "k", value.as_deref(), &[]);
        }
        let mut whole = History::new("t", b"k", fold, Limits::default(), Names::default());
        for event in made.batch.iter() {
            let mut one = Batch::new(made.batch.streams().clone());
            one.push(&event).unwrap();
            small.batch(&one);
            whole.batch(&one);
            then.push(whole.now());
        }
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
