//! Traces of the demo, and of made events: circles, skewed clocks, bounds.

use proptest::prelude::*;

use super::*;
use crate::inspect::tests::{Made, NOW, broker, by_partition, history};

fn told(report: &TraceReport) -> Vec<String> {
    let missing = report.missing.iter();
    missing
        .map(|m| format!("{} {m}", report.hops[m.after].at))
        .collect()
}

struct Demo {
    batches: Vec<Arc<Batch>>,
    groups: Vec<Group>,
    flow: Flow,
}

impl Demo {
    async fn new(split: bool) -> Self {
        let mut batches = history().await;
        if split {
            batches = by_partition(&batches, 6);
        }
        let mut flow = Flow::default();
        for batch in &batches {
            flow.batch(batch);
        }
        Self {
            batches: batches.into_iter().map(Arc::new).collect(),
            groups: broker("read_committed").groups().await.unwrap(),
            flow,
        }
    }

    fn trace(&self, seed: &str) -> TraceReport {
        let mut trace = Trace::new(seed.as_bytes(), Limits::default(), Names::default());
        trace.gather(&self.batches);
        trace.report(&self.flow, &self.groups, NOW)
    }
}

#[tokio::test]
async fn the_hops_of_an_order_come_in_causal_order_from_any_of_its_ids() {
    for split in [false, true] {
        let demo = Demo::new(split).await;
        let whole = demo.trace("order-456");
        let hops: Vec<String> = whole
            .hops
            .iter()
            .map(|h| {
                let parent = h.parent.map(|p| whole.hops[p].name());
                format!("{} {} {:?}", h.at, h.name(), parent.unwrap_or_default())
            })
            .collect();
        assert_eq!(
            hops,
            [
                "orders/0@19 OrderPlaced \"\"",
                "order-events/0@67 order-events \"\"",
                "order-validation/0@18 OrderValidated \"OrderPlaced\"",
                "order-events/0@68 order-events \"\"",
                "payments/0@34 PaymentSucceeded \"OrderValidated\"",
                "order-events/0@69 order-events \"\"",
                "shipments/0@15 ShipmentDispatched \"PaymentSucceeded\"",
                "order-events/0@72 order-events \"\"",
                "notifications/0@17 CustomerNotified \"ShipmentDispatched\"",
            ]
        );
        assert_eq!(whole.outcome, Outcome::Complete);
        assert_eq!((whole.span_ms, whole.quiet_ms), (Some(6_000), Some(59_000)));
        let gaps: Vec<Option<i64>> = whole.hops.iter().map(|h| h.gap_ms).collect();
        assert_eq!(gaps[2], Some(200));
        assert_eq!(gaps[6], Some(4_300));
        for seed in ["pay-456", "feed0456beeffeed0456beeffeed0456"] {
            assert_eq!(demo.trace(seed).hops.len(), 9, "{seed}");
        }
    }
}

#[tokio::test]
async fn what_is_missing_is_told_with_who_has_passed_it() {
    for split in [false, true] {
        let demo = Demo::new(split).await;
        let lost = demo.trace("order-434");
        assert_eq!(lost.outcome.word(), "LOST?");
        assert_eq!(
            told(&lost),
            [
                "payments/2@22 usual next ShipmentDispatched missing (43 of 50 others had it); \
              passed by order-svc, shipping-svc"
            ]
        );
        assert_eq!(lost.missing[0].usual_ms, Some(4_300));
        let behind = demo.trace("order-439");
        assert_eq!(behind.outcome, Outcome::Blocked);
        let blocker = behind.missing[0].blocker.as_ref().unwrap();
        assert_eq!(
            (&*blocker.group, blocker.committed.to_string()),
            ("shipping-svc", "payments/1@24".to_owned())
        );
        assert_eq!(demo.trace("order-436").outcome, Outcome::Blocked);
        let untold = demo.trace("order-447");
        assert_eq!(untold.outcome, Outcome::Lost);
        assert_eq!(untold.missing[0].next, "CustomerNotified");
        for open in ["order-459", "order-460"] {
            assert_eq!(demo.trace(open).outcome, Outcome::Open, "{open}");
        }
        for complete in [
            "order-405",
            "order-412",
            "order-415",
            "order-438",
            "order-409",
        ] {
            assert_eq!(
                demo.trace(complete).outcome,
                Outcome::Complete,
                "{complete}"
            );
        }
        // Of failed payments there are too few to learn from.
        let failed = demo.trace("order-407").outcome;
        assert!(
            matches!(&failed, Outcome::Unknown(why) if why.contains("PaymentFailed")),
            "{failed:?}"
        );
    }
}

#[tokio::test]
async fn copies_and_skewed_clocks_have_their_place() {
    let demo = Demo::new(false).await;
    let twice = demo.trace("order-412");
    let copy = twice.hops.iter().find(|h| h.copy_of.is_some()).unwrap();
    assert_eq!(copy.at.to_string(), "payments/1@12");
    // It is told after its cause, although its clock says before.
    let skewed = demo.trace("order-410");
    let notified = skewed
        .hops
        .iter()
        .find(|h| h.name() == "CustomerNotified")
        .unwrap();
    assert_eq!(notified.gap_ms, Some(-1_500));
    assert_eq!(
        skewed.hops[notified.parent.unwrap()].name(),
        "ShipmentDispatched"
    );
    let dead = demo.trace("order-409");
    assert_eq!(dead.hops.iter().filter(|h| h.dead_letter).count(), 1);
    let poisoned = demo.trace("order-436");
    let fault = poisoned.hops.iter().find_map(|h| h.fault.as_deref());
    assert_eq!(fault, Some("not JSON: the text ends early at byte 21"));
}

#[tokio::test]
async fn any_text_finds_the_events_that_mention_it() {
    let demo = Demo::new(false).await;
    let tracking = demo.trace("TRK-456");
    let at: Vec<String> = tracking.hops.iter().map(|h| h.at.to_string()).collect();
    assert_eq!(at, ["shipments/0@15", "order-events/0@72"]);
    assert!(tracking.hops.iter().all(|h| h.tie == Tie::Text));
    let nothing = demo.trace("no such thing");
    assert!(nothing.hops.is_empty());
    assert!(matches!(nothing.outcome, Outcome::Unknown(_)));
    assert!(demo.trace("").hops.is_empty());
}

#[test]
fn without_a_flow_the_hops_are_told_and_no_verdict() {
    let mut made = Made::new("t", 1);
    made.event((0, 0, 0), "k", None, &[("ce_id", "a")]);
    made.event(
        (0, 1, 5),
        "k",
        None,
        &[("ce_id", "b"), ("causation-id", "a")],
    );
    let mut trace = Trace::new(b"b", Limits::default(), Names::default());
    trace.gather(&[Arc::new(made.batch)]);
    let report = trace.report(&Flow::default(), &[], Timestamp(1_000));
    assert_eq!((report.hops.len(), report.quiet_ms), (2, Some(995)));
    assert!(matches!(report.outcome, Outcome::Unknown(_)));
}

#[test]
fn a_trace_without_end_is_cut_and_says_so() {
    let mut made = Made::new("t", 1);
    for n in 0..50 {
        made.event((0, n, 0), "k", None, &[("correlation-id", "all")]);
    }
    let limits = Limits { hops: 10, ids: 10 };
    let mut trace = Trace::new(b"all", limits, Names::default());
    trace.gather(&[Arc::new(made.batch)]);
    let report = trace.report(&Flow::default(), &[], Timestamp(0));
    assert_eq!((report.hops.len(), report.truncated), (10, true));
}

proptest! {
    #[test]
    fn causes_come_before_effects_but_in_circles(
        events in prop::collection::vec((0u8..12, 0u8..12, 0i64..50), 1..40),
    ) {
        let mut made = Made::new("t", 1);
        for (offset, (id, cause, time)) in events.iter().enumerate() {
            let (id, cause) = (format!("i{id}"), format!("i{cause}"));
            let headers = [("ce_id", &*id), ("causation-id", &*cause), ("correlation-id", "c")];
            made.event((0, offset as u64, *time), "k", None, &headers);
        }
        let mut trace = Trace::new(b"c", Limits::default(), Names::default());
        let mut flow = Flow::default();
        flow.batch(&made.batch);
        trace.gather(&[Arc::new(made.batch)]);
        let report = trace.report(&flow, &[], Timestamp(100));
        prop_assert_eq!(report.hops.len(), events.len());
        for (number, hop) in report.hops.iter().enumerate() {
            if let Some(parent) = hop.parent {
                prop_assert!(parent < number);
                prop_assert_eq!(&report.hops[parent].id, &hop.causation);
                prop_assert_eq!(report.hops[parent].depth + 1, hop.depth);
            }
        }
    }
}
