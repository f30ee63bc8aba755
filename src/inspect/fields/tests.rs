//! Fields of the demo, exactly, and of made values.

use super::*;
use crate::inspect::tests::{Made, by_partition, history};

fn report(made: &Made) -> FieldsReport {
    let mut fields = Fields::default();
    fields.batch(&made.batch);
    fields.batch(&made.batch);
    fields.report()
}

fn by_partition_of(batch: &Batch) -> Vec<Batch> {
    by_partition(std::slice::from_ref(batch), 7)
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
    // Every event had it: who reads it cannot do without.
    let breaks = report.profiles[0].drifts.iter().filter(|d| d.is_break());
    assert_eq!(breaks.map(|d| &*d.path).collect::<Vec<_>>(), [".b"]);
}

#[test]
fn a_field_that_fewer_events_have_is_told_with_who_leaves_it_out() {
    let mut made = Made::new("t", 2);
    for n in 0..400u64 {
        // Since 300, two of three leave it out.
        let out = n >= 300 && n % 3 != 0;
        let value = if out {
            "{\"a\":1}"
        } else {
            "{\"a\":1,\"b\":{\"c\":2}}"
        };
        let by = if out { "new" } else { "old" };
        let place = ((n % 2) as u32, n / 2, n.cast_signed() * 1_000);
        made.event(
            place,
            "k",
            Some(value),
            &[("producer", by), ("schema-version", by)],
        );
    }
    for batches in [
        vec![&made.batch],
        by_partition_of(&made.batch).iter().collect(),
    ] {
        let mut fields = Fields::default();
        for batch in batches {
            fields.batch(batch);
        }
        let report = fields.report();
        let drifts: Vec<String> = report
            .drifts()
            .map(|(_, d)| format!("{} {d}", d.version.as_deref().unwrap_or("-")))
            .collect();
        // To the block of time, of 16 seconds here: five events too early.
        assert_eq!(
            drifts,
            ["old .b is in 39 of 105 events since, in 295 of 295 before; 66 without by new"]
        );
    }
}

#[test]
fn a_new_one_of_few_strings_is_told_when_chance_does_not_explain_it() {
    let mut made = Made::new("t", 1);
    for n in 0..200u64 {
        let currency = if n >= 100 && n % 2 == 0 { "USD" } else { "EUR" };
        let rare = if n % 90 == 89 { "rare" } else { "usual" };
        let value = format!("{{\"c\":\"{currency}\",\"r\":\"{rare}\",\"id\":\"n{n}\"}}");
        let place = (0, n, n.cast_signed() * 1_000);
        made.event(place, "k", Some(&value), &[("producer", "p")]);
    }
    let report = report(&made);
    let drifts: Vec<String> = report
        .drifts()
        .map(|(_, d)| format!("{} {d}", d.since))
        .collect();
    assert_eq!(drifts.len(), 1, "{drifts:?}");
    assert!(
        drifts[0].starts_with("t/0@100 .c is \"USD\" in 50 of 1"),
        "{drifts:?}"
    );
    assert!(!report.profiles[0].drifts[0].is_break());
}

#[test]
fn values_are_looked_at_as_they_decode() {
    use crate::schema::Decoder;
    let pins = crate::schema::Pins::parse("value=msgpack").unwrap();
    let mut made = Made::new("t", 1);
    // {"a":1}, and what is refused.
    made.event((0, 0, 0), "k", Some("\u{81}\u{1}"), &[]);
    let mut fields = Fields::decoded(Decoder::pinned(pins).looker());
    fields.batch(&made.batch);
    assert_eq!(fields.report().profiles.len(), 0);
    let mut made = Made::new("t", 1);
    made.event_bytes((0, 1, 0), Some(b"\x81\xa1a\x01"));
    fields.batch(&made.batch);
    let report = fields.report();
    assert_eq!(report.profiles[0].fields[0].path, ".a");
    assert_eq!(report.profiles[0].undecodable, 1);
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
