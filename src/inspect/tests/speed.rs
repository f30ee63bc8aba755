//! How long each fold takes for an event. Not a test that can fail: it prints what it measured.
//! `cargo test --config 'profile.dev.opt-level=3' --lib inspect::tests::speed -- --ignored --nocapture`

use std::sync::Arc;

use super::{Made, T0};
use crate::event::Batch;
use crate::inspect::Names;
use crate::inspect::causes::Causes;
use crate::inspect::fields::Fields;
use crate::inspect::findings::Findings;
use crate::inspect::order::Order;
use crate::inspect::payload::Payloads;
use crate::inspect::saga::{self, Model, Monitor};
use crate::inspect::trace::{Flow, Limits, Trace};

type Fold<'a> = (&'static str, u64, &'a mut dyn FnMut(&Batch));

const EVENTS: u64 = 2_000_000;
const BATCH: u64 = 4_000;

/// Orders as they come in the field: no two ids alike, 100,000 keys, half a kilobyte each.
fn batch(from: u64) -> Batch {
    let mut made = Made::new("orders", 6);
    let padding = "x".repeat(200);
    for n in from..from + BATCH {
        let (id, cause) = (format!("ord-{n}"), format!("chk-{n}"));
        let key = format!("order-{}", n % 100_000);
        let value = format!(
            "{{\"eventId\":\"{id}\",\"eventType\":\"OrderPlaced\",\"timestamp\":\
             \"2024-08-15T10:30:55.000Z\",\"data\":{{\"orderId\":\"{key}\",\"customerId\":\
             \"customer-{n}\",\"totalAmount\":59.98,\"items\":[{{\"sku\":\"SKU-1\",\"quantity\":1,\
             \"price\":29.99}}],\"note\":\"{padding}\"}}}}"
        );
        let headers = [
            ("ce_id", &*id),
            ("correlation-id", &key),
            ("causation-id", &cause),
            (
                "traceparent",
                "00-feed0456beeffeed0456beeffeed0456-fade0456cafe0003-01",
            ),
            ("producer", "checkout-a"),
            ("schema-version", "1"),
        ];
        let place = ((n % 6) as u32, n / 6, T0 + n.cast_signed());
        made.event(place, &key, Some(&value), &headers);
    }
    made.batch
}

/// Nanoseconds that this thread has run, whatever else the machine does.
fn on_cpu() -> u64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    text.split(' ').next().unwrap().parse().unwrap()
}

#[test]
#[ignore = "measures"]
fn each_fold_is_measured() {
    let (mut order, mut causes) = (Order::default(), Causes::default());
    let (mut payloads, mut fields) = (Payloads::default(), Fields::default());
    let (mut findings, mut flow) = (Findings::default(), Flow::default());
    let mut trace = Trace::new(b"order-77", Limits::default(), Names::default());
    let names = Names::default();
    let model = "{saga: s, id: [header correlation-id], start: Checked, steps: {Checked: {then: \
                 OrderPlaced}, OrderPlaced: {then: Paid}, Paid: {then: Shipped, end: true}}}";
    let model = Arc::new(Model::parse(model, false).unwrap());
    let mut sagas = Monitor::new(Arc::clone(&model), saga::Limits::default(), None);
    let monitor = Monitor::new(model, saga::Limits::default(), None);
    let mut with_sagas = Findings::default().with_sagas(Some(monitor));
    let mut with_id = 0;
    let mut folds: [Fold<'_>; 10] = [
        ("headers", 0, &mut |b| {
            let known = b.iter().filter(|e| names.heads(e.headers).id.is_some());
            with_id += known.count();
        }),
        ("order", 0, &mut |b| order.batch(b)),
        ("causes", 0, &mut |b| causes.batch(b)),
        ("payloads", 0, &mut |b| payloads.batch(b)),
        ("fields", 0, &mut |b| fields.batch(b)),
        ("findings", 0, &mut |b| findings.batch(b)),
        ("sagas", 0, &mut |b| sagas.batch(b)),
        ("findings and sagas", 0, &mut |b| with_sagas.batch(b)),
        ("flow", 0, &mut |b| flow.batch(b)),
        ("trace", 0, &mut |b| {
            trace.batch(b);
        }),
    ];
    for from in (0..EVENTS).step_by(BATCH as usize) {
        let batch = batch(from);
        for (_, spent, fold) in &mut folds {
            let began = on_cpu();
            fold(&batch);
            *spent += on_cpu() - began;
        }
    }
    for (name, spent, _) in folds {
        println!("{name:18} {:5} ns an event", spent / EVENTS);
    }
}
