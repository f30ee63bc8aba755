//! What an expression costs for each event. Prints figures; nothing is judged.

use std::time::{Duration, Instant};

use super::samples::Sample;
use super::{JqMap, Query, QuerySpec};
use crate::event::{Decoding, Select, object};
use crate::text::JsonText;

/// An event of the order pipeline, 470 bytes.
fn event(kind: &str, amount: &str) -> Sample {
    let mut sample = Sample::of(format!(
        r#"{{"eventId":"6f1c2a53-90ab-4cde-a123-0123456789ab","eventType":"{kind}","orderId":"ORD-00012345","timestamp":1760000012345,"sequence":4115,"customer":{{"id":"C000042","name":"Zoë Lovelace","email":"lovelace.42@example.com","tier":"gold","address":{{"city":"Zürich","zip":"08001"}}}},"items":[{{"sku":"SKU-00017","qty":2,"price":49.90}},{{"sku":"SKU-04711","qty":1,"price":120.00}}],"amount":{amount},"currency":"EUR","note":"","channel":"web","region":"eu-west-1"}}"#
    ));
    sample.key = Some(b"ORD-00012345".to_vec());
    sample.headers.push(
        b"traceparent",
        Some(b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"),
    );
    sample
}

/// The best of several rounds.
fn each(rounds: u32, mut f: impl FnMut()) -> Duration {
    let round = |f: &mut dyn FnMut()| {
        let started = Instant::now();
        for _ in 0..rounds {
            f();
        }
        started.elapsed() / rounds
    };
    (0..7).map(|_| round(&mut f)).min().unwrap_or_default()
}

#[test]
#[ignore = "prints figures; run it with --release --nocapture"]
fn cost_of_an_event() {
    let miss = event("OrderCreated", "812.55");
    let near = event("PaymentFailed", "12.55");
    let hit = event("PaymentFailed", "812.55");
    let value = hit.value.clone().unwrap();
    println!("value: {} bytes", value.len());
    let p1 = ".value.eventType==\"PaymentFailed\" and .value.amount>500";
    for (what, expression, sample) in [
        ("prefilter says no", p1, &miss),
        ("native, false", p1, &near),
        ("native, true", p1, &hit),
        ("native, no literal", ".value.amount > 1500", &hit),
        (
            "native, deep",
            ".value.customer.address.city != \"Oslo\"",
            &hit,
        ),
        ("native, key only", ".key | startswith(\"ORD-0001\")", &hit),
        ("jq", ".value.amount * 2 > 3000", &hit),
        ("jq, any", "any(.value.items[]; .qty > 2)", &hit),
    ] {
        let spec = QuerySpec {
            where_: vec![expression.to_owned()],
            ..QuerySpec::default()
        };
        let mut worker = Query::compile(&spec).unwrap().worker();
        let event = sample.event();
        let time = each(20_000, || {
            std::hint::black_box(worker.test(std::hint::black_box(&event)).unwrap());
        });
        println!("{what:22} {time:>10.1?}  {expression}");
    }
    for pattern in ["PaymentFailed", "(?i)payment(failed|declined)"] {
        let spec = QuerySpec {
            grep: vec![pattern.to_owned()],
            ..QuerySpec::default()
        };
        let mut worker = Query::compile(&spec).unwrap().worker();
        let event = miss.event();
        let time = each(20_000, || {
            std::hint::black_box(worker.test(std::hint::black_box(&event)).unwrap());
        });
        println!("{:22} {time:>10.1?}  {pattern}", "grep, no match");
    }
    let time = each(20_000, || {
        std::hint::black_box(JsonText::parse(std::hint::black_box(&value)).is_ok());
    });
    println!("{:22} {time:>10.1?}", "check of the JSON");
    let mut json = Vec::new();
    let event = hit.event();
    object::write(&mut json, &event, &Decoding::default().see(&event));
    let mut map = JqMap::compile(
        "--map",
        "{id: .value.eventId, total: ([.value.items[].price] | add)}",
    )
    .unwrap()
    .worker();
    let time = each(5_000, || {
        map.run(&json, &mut |out| {
            std::hint::black_box(out.json);
        })
        .unwrap();
    });
    println!("{:22} {time:>10.1?}", "map");
    let time = each(50, || {
        std::hint::black_box(JqMap::compile("--map", ".value.a").unwrap());
    });
    println!("{:22} {time:>10.1?}", "compile");
    let batch: Vec<u8> = std::iter::repeat_n(value, 2000).flatten().collect();
    let spec = QuerySpec {
        where_: vec![".value.eventType==\"PaymentLost\"".to_owned()],
        ..QuerySpec::default()
    };
    let mut worker = Query::compile(&spec).unwrap().worker();
    let time = each(20, || {
        worker.begin();
        std::hint::black_box(worker.seek(std::hint::black_box(&batch), 0));
    });
    println!("{:22} {:>10.1?}  for each event", "seek, none", time / 2000);
}
