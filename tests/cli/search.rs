//! `evtap bisect` and `evtap minimize`: the demo's planted faults found by a command, and what a
//! command can do wrong.

use serde_json::Value;

use super::{Ran, evtap};

/// Fails where an order has a total that is text.
const TEXT_TOTAL: &str = r#"! grep -q '"totalAmount":"'"#;

/// Fails where one order was paid twice.
const PAID_TWICE: &str = r#"test -z "$(grep -o '"eventType":"PaymentSucceeded".*"orderId":"[a-z0-9-]*"' | grep -o '"orderId":"[a-z0-9-]*"' | sort | uniq -d)""#;

fn bisect(args: &[&str], command: &str) -> (Value, Ran) {
    let ran = evtap(
        &[
            &["bisect"],
            args,
            &["-o", "json", "--", "sh", "-c", command],
        ]
        .concat(),
    );
    let report = serde_json::from_str(&ran.out).unwrap_or(Value::Null);
    (report, ran)
}

#[test]
fn the_first_bad_order_is_found_in_six_runs_and_two_to_verify() {
    let (report, ran) = bisect(&["demo:orders"], TEXT_TOTAL);
    assert_eq!(
        (&report["at"], ran.code),
        (&"orders/0@15".into(), Some(0)),
        "{}",
        ran.err
    );
    assert_eq!(
        (&report["events"], &report["runs"]),
        (&62.into(), &8.into())
    );
    assert_eq!(report["event"]["key"], "order-444");
    let marked = evtap(&[
        "bisect",
        "demo:orders",
        "-w",
        ".value.data.totalAmount|type==\"string\"",
    ]);
    assert!(
        marked.out.starts_with("orders/0@15  {\"topic\":\"orders\""),
        "{}",
        marked.out
    );
    assert_eq!(marked.code, Some(0));
}

#[test]
fn two_payments_of_one_order_are_all_that_is_left() {
    let ran = evtap(&["minimize", "demo:payments", "--", "sh", "-c", PAID_TWICE]);
    assert_eq!(
        (&*ran.out, ran.code),
        ("payments/1@6\npayments/1@12\n", Some(0)),
        "{}",
        ran.err
    );
    let lines = evtap(&[
        "minimize",
        "demo:payments",
        "-o",
        "jsonl",
        "--",
        "sh",
        "-c",
        PAID_TWICE,
    ]);
    let offsets: Vec<u64> = lines
        .out
        .lines()
        .map(|line| {
            serde_json::from_str::<Value>(line).unwrap()["offset"]
                .as_u64()
                .unwrap()
        })
        .collect();
    assert_eq!(offsets, [6, 12]);
}

#[test]
fn what_is_good_or_bad_as_a_whole_is_told() {
    for (command, verdict, code) in [
        ("cat > /dev/null", "good", 1),
        ("exit 1", "bad", 1),
        ("kill -9 $$", "bad", 1),
        ("exit 125", "between", 3),
    ] {
        let (report, ran) = bisect(&["demo:orders"], command);
        assert_eq!(
            (&report["verdict"], ran.code),
            (&verdict.into(), Some(code)),
            "{command}"
        );
    }
    for (command, says) in [
        ("true", "does not fail with all"),
        ("false", "fails without any"),
    ] {
        let ran = evtap(&["minimize", "demo:orders", "--", command]);
        assert_eq!((ran.code, &*ran.out), (Some(1), ""));
        assert!(ran.err.contains(says), "{}", ran.err);
    }
}

#[test]
fn a_command_that_cannot_run_is_no_verdict() {
    for command in [
        &["/no/such/program"][..],
        &["sh", "-c", "exit 127"],
        &["sh", "-c", "exit 126"],
    ] {
        for search in ["bisect", "minimize"] {
            let ran = evtap(&[&[search, "demo:orders", "--"], command].concat());
            assert_eq!((ran.code, &*ran.out), (Some(2), ""), "{command:?}");
            assert!(ran.err.contains("cannot run"), "{}", ran.err);
        }
    }
    let nothing = evtap(&["bisect", "demo:orders"]);
    assert_eq!(nothing.code, Some(2));
    assert!(
        nothing.err.contains("what is a bad event?"),
        "{}",
        nothing.err
    );
}

#[test]
fn a_command_need_not_read_and_what_it_says_is_no_data() {
    let (report, ran) = bisect(&["demo:"], "echo talk; exec <&-; exit 0");
    assert_eq!(report["verdict"], "good");
    assert!(ran.err.contains("talk") && !ran.out.contains("talk"));
}
