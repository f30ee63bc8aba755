//! The findings of the demo: every planted fault that these detectors look for, and no other.

use super::{Made, NOW, broker, by_partition, history};
use crate::event::Batch;
use crate::inspect::Verdict;
use crate::inspect::fields::Fields;
use crate::inspect::findings::{Findings, FindingsReport, Parts};
use crate::inspect::lag::{LagReport, Limits, Probe, Trend};
use crate::pipeline::Watcher as _;

async fn report(batches: &[Batch]) -> FindingsReport {
    let groups = broker("read_committed").groups().await.unwrap();
    let (mut findings, mut fields) = (Findings::default(), Fields::default());
    let mut probe = Probe::new(&groups);
    for batch in batches {
        findings.batch(batch);
        fields.batch(batch);
        probe.batch(batch);
    }
    let lag = LagReport::new(&groups, &probe, &Trend::default(), NOW, Limits::default());
    let fields = fields.report();
    let parts = Parts {
        lag: Some(&lag),
        fields: Some(&fields),
        misfits: None,
        sagas: None,
    };
    findings.report(true, parts)
}

#[tokio::test]
async fn the_planted_faults_are_found_and_nothing_else() {
    let history = history().await;
    for batches in [&history, &by_partition(&history, 11)] {
        let report = report(batches).await;
        let mut found: Vec<String> = report
            .findings
            .iter()
            .map(|f| {
                let key = String::from_utf8_lossy(f.key.as_deref().unwrap_or_default());
                let cause = f
                    .cause
                    .as_ref()
                    .map(|(code, at)| format!(" <- {code} {at}"));
                let name = f.severity.name();
                format!(
                    "{name} {} {} {key}{}",
                    f.code,
                    f.at,
                    cause.unwrap_or_default()
                )
            })
            .collect();
        found.sort();
        assert_eq!(
            found,
            [
                "P1 lag.poison payments/1@24 order-436 <- payload.undecodable payments/1@24",
                "P2 effect.duplicate shipments/1@5 order-412",
                "P2 id.duplicate payments/1@12 order-412",
                "P2 lag.no_members orders/0@5 order-417",
                "P2 order.version order-events/0@19 order-417",
                "P2 payload.undecodable payments/1@24 order-436",
                "P2 schema.drift orders/0@15 order-444",
                "P2 sequence.hole notifications/2@14 order-449",
                "P2 text.control orders/0@7 order-423",
                "P3 pii.card orders/2@9 order-428",
                "P3 pii.email notifications/2@9 order-431",
                "P3 pii.email orders/2@9 order-428",
                "P3 pii.phone orders/2@9 order-428",
                "P3 time.disorder order-events/0@19 order-417 <- order.version order-events/0@19",
                "P3 time.late payments/0@10 order-420",
                "P3 time.skew notifications/2@2 order-410",
                "P4 time.disorder payments/0@10 order-420 <- time.late payments/0@10",
                "P4 time.disorder payments/1@12 order-412 <- id.duplicate payments/1@12",
            ]
        );
        assert_eq!((report.events, report.unkept), (483, 0));
        assert!(report.findings.is_sorted_by_key(|f| f.severity));
        let told = format!("{report:?}");
        // Neither what is personal nor what is hostile gets into the report.
        assert!(!told.contains("example.com") && !told.contains('\u{1b}'));
    }
}

#[tokio::test]
async fn the_messages_say_what_is_wrong_on_one_line() {
    let report = report(&history().await).await;
    let message = |code: &str| {
        let found = report.findings.iter().find(|f| f.code.as_str() == code);
        found.unwrap().message.clone()
    };
    for (code, expected) in [
        (
            "lag.poison",
            "shipping-svc POISON, 9 waiting, the oldest for 1 min 24 s: not JSON: the text ends \
             early at byte 21",
        ),
        (
            "schema.drift",
            ".data.totalAmount is string, not number, in 5 events since, all by checkout-b",
        ),
        ("time.late", "comes 42.0 s after its time"),
        (
            "sequence.hole",
            "number 41 of notifier-1 before it never came",
        ),
        (
            "order.version",
            "version 2 comes after the later one at order-events/0@18",
        ),
        (
            "id.duplicate",
            "id pay-412 was already at payments/1@6: sent again by another producer, as after a \
             restart",
        ),
        (
            "time.skew",
            "its time is 1.5 s before that of its cause at shipments/2@2",
        ),
        ("pii.card", "1 card number in the value: 411111******1111"),
    ] {
        assert_eq!(message(code), expected, "{code}");
    }
}

#[tokio::test]
async fn without_events_nothing_is_clean() {
    let report = Findings::default().report(true, Parts::default());
    assert!(report.findings.is_empty());
    assert!(
        report
            .checks
            .iter()
            .all(|(_, verdict)| matches!(verdict, Verdict::Idle(_)))
    );
    let mut hostile = Made::new("t\u{1b}[2J", 1);
    for n in 0..20 {
        let headers = [("ce_id", "\u{1b}]0;x\u{7}"), ("type", "\u{202e}")];
        hostile.event(
            (0, n, n.cast_signed() * -20_000),
            "\u{9b}2J",
            Some("\r\n"),
            &headers,
        );
    }
    let mut findings = Findings::default();
    findings.batch(&hostile.batch);
    let report = findings.report(true, Parts::default());
    assert!(report.findings.len() > 20);
    for finding in &report.findings {
        let line = format!("{} {} {}", finding.code, finding.at, finding.message);
        assert!(!line.chars().any(crate::text::is_hostile), "{line:?}");
    }
}
