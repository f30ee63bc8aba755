//! Fields of the demo, exactly, and of made values.

use super::*;
use crate::inspect::tests::{Made, by_partition, history};

fn report(made: &Made) -> FieldsReport {
    let mut fields = Fields::default();
    fields.batch(&made.batch);
    fields.batch(&made.batch);
    fields.report()
}

fn field<'a>(profile: &'a Profile, path: &str) -> &'a Field {
    let mut fields = profile.fields.iter();
    fields.find(|f| f.path == path).unwrap()
}

#[tokio::test]
async fn the_demo_shows_who_sends_the_amount_as_text_and_since_when() {
    let history = history().await;
    for batches in [&history, &by_partition(&history, 9)] {
        let mut fields = Fields::default();
        for batch in batches {
            fields.batch(batch);
        }
        let report = fields.report();
        let drifts: Vec<String> = report
            .drifts()
            .map(|(p, d)| format!("{} {} {d}", d.since, p.kind.as_deref().unwrap_or("-")))
            .collect();
        assert_eq!(
            drifts,
            [
                "orders/2@13 OrderPlaced .data.currency is new, in 21 of 21 events since, 16 by \
                 checkout-a",
                "orders/0@15 OrderPlaced .data.totalAmount is string, not number, in 5 events \
                 since, all by checkout-b",
            ]
        );
        let of = |kind: &str| {
            let mut all = report.profiles.iter();
            all.find(|p| p.kind.as_deref() == Some(kind)).unwrap()
        };
        let placed = of("OrderPlaced");
        assert_eq!((&*placed.topic, placed.events), ("orders", 60));
        assert_eq!(field(placed, ".data.currency").count, 21);
        let amount = field(placed, ".data.totalAmount");
        let types: Vec<_> = amount.types.iter().map(|t| (t.value, t.count)).collect();
        assert_eq!(types, [(JsonType::Number, 55), (JsonType::String, 5)]);
        assert_eq!(amount.types[0].by, [("checkout-a".to_owned(), 55)]);
        assert_eq!(amount.types[1].last.to_string(), "orders/2@18");
        assert_eq!(field(placed, ".data.items[].sku").count, 60);
        assert_eq!(of("PaymentSucceeded").undecodable, 1);
        assert_eq!(report.unkept, 0);
        assert!(report.profiles.iter().all(|p| &*p.topic != "payments.dlq"));
    }
}

#[test]
fn a_field_that_goes_or_becomes_null_is_told() {
    let mut made = Made::new("t", 1);
    for n in 0..40u64 {
        let value = match n {
            0..15 => "{\"a\":1,\"b\":{\"c\":true}}",
            15..20 => "{\"a\":null,\"b\":{\"c\":true}}",
            _ => "{\"a\":2}",
        };
        made.event((0, n, n.cast_signed()), "k", Some(value), &[]);
    }
    let report = report(&made);
    let drifts: Vec<String> = report
        .drifts()
        .map(|(_, d)| format!("{} {d}", d.since))
        .collect();
    assert_eq!(
        drifts,
        [
            "t/0@15 .a is null in 5 events since",
            "t/0@19 .b is gone from 20 events since",
        ]
    );
    assert!(!report.profiles[0].drifts.iter().any(Drift::is_break));
}

#[test]
fn names_that_are_data_become_one_field() {
    let mut made = Made::new("t", 1);
    for n in 0..500u64 {
        let value = format!("{{\"id\":{n},\"stock\":{{\"sku-{n}\":{n},\"total\":1}}}}");
        made.event((0, n, 0), "k", Some(&value), &[]);
    }
    let report = report(&made);
    let paths: Vec<&str> = report.profiles[0].fields.iter().map(|f| &*f.path).collect();
    assert_eq!(paths, [".id", ".stock", ".stock.*", ".stock.total"]);
}

#[test]
fn hostile_values_stay_within_bounds_and_off_the_screen() {
    let mut made = Made::new("t", 1);
    let deep = format!("{}1{}", "[".repeat(500), "]".repeat(500));
    let mut nested = String::from("1");
    for level in 0..300 {
        nested = format!("{{\"k{level}\":{nested}}}");
    }
    let wide: Vec<String> = (0..5_000)
        .map(|n| {
            let members: Vec<String> = (0..10).map(|m| format!("\"m{m}\":{n}")).collect();
            format!("\"n{n}\":{{{}}}", members.join(","))
        })
        .collect();
    let wide = format!("{{{}}}", wide.join(","));
    let values = [&*deep, &nested, &wide, "7", "\"\\u001b[2J\"", "[]", "{}"];
    for (n, value) in values.into_iter().enumerate() {
        made.event((0, n as u64, 0), "k", Some(value), &[]);
    }
    let odd = "{\"a\u{202e}b\":\"\u{202e}x\",\"\":1}";
    made.event((0, 9, 0), "k", Some(odd), &[("type", "\u{1b}[2J")]);
    let report = report(&made);
    assert!(report.profiles.iter().all(|p| p.fields.len() <= PATHS));
    let text = format!("{report:?}");
    assert!(!text.contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn without_room_it_is_said() {
    let mut made = Made::new("t", 1);
    for n in 0..PROFILES as u64 + 7 {
        let kind = format!("k{n}");
        made.event((0, n, 0), "k", Some("{}"), &[("ce_type", &kind)]);
    }
    let report = report(&made);
    assert_eq!((report.profiles.len(), report.unkept), (PROFILES, 7));
}
