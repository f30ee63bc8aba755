//! Effects that happen twice or too early, and those that are meant.

use super::*;
use crate::inspect::tests::Made;

fn effect(made: &mut Made, offset: u64, key: &str, id: &str, cause: &str) {
    made.event(
        (0, offset, 10_000),
        key,
        Some("{\"type\":\"Shipped\"}"),
        &[("ce_id", id), ("causation-id", cause)],
    );
}

fn report(made: &Made) -> CausesReport {
    let mut causes = Causes::default();
    causes.batch(&made.batch);
    causes.batch(&made.batch);
    causes.report()
}

#[test]
fn an_effect_that_happened_twice_is_told_unless_it_is_meant() {
    let mut made = Made::new("t", 1);
    for n in 0..10u64 {
        effect(&mut made, n, "k", &format!("s{n}"), &format!("p{n}"));
    }
    effect(&mut made, 10, "k", "s3-b", "p3");
    // The same event once more is a duplicate id, not a second effect.
    effect(&mut made, 11, "k", "s4", "p4");
    // Another key: one cause, many things.
    effect(&mut made, 12, "other", "s5-b", "p5");
    let found = report(&made);
    let places: Vec<String> = found.duplicates.iter().map(|t| t.at.to_string()).collect();
    assert_eq!(places, ["t/0@10"]);
    assert_eq!(found.duplicates[0].other.to_string(), "t/0@3");

    let mut meant = Made::new("t", 1);
    for n in 0..20u64 {
        effect(&mut meant, n, "k", &format!("s{n}"), &format!("p{}", n / 2));
    }
    assert!(report(&meant).duplicates.is_empty());
}

#[test]
fn an_effect_before_its_cause_is_told_in_either_order_of_arrival() {
    for order in [[0, 1], [1, 0]] {
        let mut made = Made::new("t", 2);
        for which in order {
            match which {
                0 => made.event((0, 0, 5_000), "k", None, &[("ce_id", "a")]),
                _ => made.event(
                    (1, 0, 3_500),
                    "k",
                    None,
                    &[("ce_id", "b"), ("causation-id", "a")],
                ),
            }
        }
        let skews = report(&made).skews;
        assert_eq!(skews.len(), 1);
        let skew = &skews[0];
        assert_eq!((skew.at.partition, skew.early_ms), (1, 1_500));
        assert_eq!(skew.other.to_string(), "t/0@0");
    }
}
