//! `evtap expect` on the demo, which goes on by itself, and what a user can get wrong. What needs
//! a broker that others write to is in `tests/kafka`.

use serde_json::Value;

use super::evtap;

#[test]
fn an_event_that_comes_meets_the_expectation() {
    let ran = evtap(&[
        "expect",
        "demo:orders",
        "-w",
        ".value.eventType == \"OrderPlaced\"",
        "--within",
        "20s",
        "-o",
        "json",
        "--",
        "true",
    ]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(
        (&report["verdict"], &report["matched"]),
        (&"met".into(), &1.into())
    );
    assert_eq!(report["events"][0]["event"]["topic"], "orders");
    assert_eq!(report["command"]["exit"], 0);
}

#[test]
fn what_was_there_before_does_not_count() {
    // The history of the demo has this order; only what comes after the start may match.
    for (args, code) in [
        (&["-k", "order-456"][..], 1),
        (&["-k", "order-456", "--none"], 0),
    ] {
        let ran = evtap(&[&["expect", "demo:orders", "--within", "500ms"], args].concat());
        assert_eq!(ran.code, Some(code), "{args:?}: {}", ran.err);
    }
}

#[test]
fn a_command_that_fails_ends_the_wait() {
    let ran = evtap(&[
        "expect",
        "demo:orders",
        "-k",
        "nobody",
        "--",
        "sh",
        "-c",
        "echo no; exit 3",
    ]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.err.contains("the command ended with 3") && ran.err.contains("no\n"),
        "{}",
        ran.err
    );
    assert!(ran.out.is_empty());
    let none = evtap(&[
        "expect",
        "demo:orders",
        "-k",
        "nobody",
        "--",
        "/no/such/program",
    ]);
    assert_eq!(none.code, Some(2));
    assert!(none.err.contains("cannot run"), "{}", none.err);
}

#[test]
fn a_failure_is_told_as_junit() {
    let ran = evtap(&[
        "expect",
        "demo:orders",
        "-w",
        ".key == \"<no&body>\"",
        "--within",
        "200ms",
        "-o",
        "junit",
    ]);
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.out.contains("failures=\"1\"") && ran.out.contains("&lt;no&amp;body&gt;"),
        "{}",
        ran.out
    );
    let opened = ran.out.matches("<testcase").count();
    assert_eq!((opened, ran.out.matches("</testcase>").count()), (1, 1));
}

#[test]
fn what_makes_no_sense_is_refused() {
    for (args, says) in [
        (&["demo:orders"][..], "which event?"),
        (&["demo:orders", "-k", "a", "--until", "end"], "--within"),
        (&["demo:orders", "-k", "a", "--last", "3"], "--within"),
        (
            &["demo:orders", "-k", "a", "--none", "--exactly", "2"],
            "--none",
        ),
        (&["demo:orders", "-w", ".a("], ".a("),
    ] {
        let ran = evtap(&[&["expect"], args].concat());
        assert_eq!(ran.code, Some(2), "{args:?}");
        assert!(ran.err.contains(says), "{args:?}: {}", ran.err);
    }
}
