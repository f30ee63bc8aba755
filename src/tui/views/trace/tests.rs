//! Traces of the demo on the screen, and of what is not there.

use super::*;
use crate::tui::fixture::batch_of;
use crate::tui::views::bench::{self, has};

async fn traced(topic: &str, partition: u32, offset: u64) -> Model {
    let mut model = bench::demo(View::Stream).await;
    bench::put_on(&mut model, topic, partition, offset);
    bench::press(&mut model, Action::TraceThis);
    assert_eq!(model.view, View::Trace);
    model
}

fn typed(model: &mut Model, id: &str) {
    let effects = follow(model, id).unwrap();
    bench::run(model, effects);
}

#[tokio::test]
async fn an_order_is_shown_hop_by_hop_with_its_gaps() {
    let mut model = traced("orders", 0, 19).await;
    let text = bench::text(&mut model, 140, 30);
    has(&text, &["order-456", "correlation id, 9 hops in 6.0 s"]);
    has(&text, &["✓ COMPLETE: it ended as such traces usually end"]);
    has(&text, &["OrderPlaced", "orders/0@19", "checkout-"]);
    has(
        &text,
        &[
            "      ShipmentDispatched",
            "shipments/0@15",
            "4.3 s",
            "████",
            "shipper-1",
        ],
    );
    has(&text, &["id ord-456"]);
    bench::press(&mut model, Action::Down);
    bench::press(&mut model, Action::Down);
    bench::press(&mut model, Action::Open);
    assert_eq!(model.view, View::Stream);
    let (batch, at) = model.stream.selected(&model.feed).unwrap();
    assert_eq!(&*batch.get(at).stream.topic, "order-validation");
    bench::press(&mut model, Action::Back);
    assert_eq!(model.view, View::Trace);
    assert!(bench::text(&mut model, 80, 24).contains("COMPLETE"));
    bench::any_size(&mut model);
}

#[tokio::test]
async fn what_is_missing_is_named_below_its_cause() {
    let mut model = bench::demo(View::Stream).await;
    typed(&mut model, "order-434");
    let text = bench::text(&mut model, 120, 30);
    has(
        &text,
        &["✗ LOST?: what usually follows is missing and overdue"],
    );
    has(
        &text,
        &["after payments/2@22: usual next ShipmentDispatched missing (43 of 50 others"],
    );
    has(
        &text,
        &["✗ missing: ShipmentDisp", "43 of 50 others", "waiting"],
    );
    bench::press(&mut model, Action::NextMatch);
    bench::press(&mut model, Action::Open);
    let (batch, at) = model.stream.selected(&model.feed).unwrap();
    let event = batch.get(at);
    assert_eq!(
        (&*event.stream.topic, event.position.major),
        ("payments", 22)
    );
    bench::any_size(&mut model);
}

#[tokio::test]
async fn a_poison_event_and_those_behind_it_are_told() {
    let mut model = bench::demo(View::Stream).await;
    typed(&mut model, "order-436");
    let text = bench::text(&mut model, 120, 30);
    has(&text, &["‖ BLOCKED"]);
    has(&text, &["(46 of 55 others had it); shipping-svc stands at"]);
    has(&text, &["payments/1@24 cannot be decoded: not JSON"]);
    has(&text, &["! payments not decodable", "payments/1@24"]);
    typed(&mut model, "order-439");
    has(
        &bench::text(&mut model, 120, 30),
        &["shipping-svc stands at"],
    );
    // Two failed payments are too few to learn from; it is not called complete.
    typed(&mut model, "order-407");
    let text = bench::text(&mut model, 120, 30);
    has(
        &text,
        &["? UNKNOWN: what follows PaymentFailed is not known"],
    );
    has(&text, &["PaymentFailed", "payments/2@4"]);
}

#[tokio::test]
async fn a_model_knows_what_others_cannot_tell() {
    let mut model = bench::demo(View::Stream).await;
    let sagas = saga::Model::parse(crate::broker::demo::SAGA, false);
    model.source.sagas = Some(Arc::new(sagas.unwrap()));
    typed(&mut model, "order-434");
    let text = bench::text(&mut model, 120, 30);
    has(
        &text,
        &["✗ LOST in shipping-svc: committed 39 > 22, SLA 30 s passed 56 s ago"],
    );
    has(
        &text,
        &["after payments/2@22: ShipmentDispatched must follow"],
    );
    has(
        &text,
        &["✗ missing: ShipmentDisp", "shipping-svc", "overdue"],
    );
    bench::press(&mut model, Action::NextMatch);
    bench::press(&mut model, Action::Open);
    let (batch, at) = model.stream.selected(&model.feed).unwrap();
    assert_eq!(&*batch.get(at).stream.topic, "payments");
    bench::any_size(&mut model);
    for (id, said) in [
        ("order-407", "✗ LOST in order-svc: committed 39 > 4"),
        (
            "order-429",
            "✗ VIOLATION, ShipmentDispatched after PaymentFailed",
        ),
        ("order-436", "! POISON, a step of it cannot be decoded"),
        ("order-439", "‖ BLOCKED by shipping-svc: committed 24 <= 26"),
        ("order-415", "✓ COMPENSATED"),
        ("order-460", "OPEN, waits for ShipmentDispatched"),
    ] {
        typed(&mut model, id);
        has(&bench::text(&mut model, 120, 30), &[said]);
        bench::any_size(&mut model);
    }
}

#[test]
fn nothing_traced_says_what_to_do_and_an_empty_id_is_refused() {
    let mut model = bench::model(View::Trace);
    let text = bench::text(&mut model, 60, 20);
    has(&text, &["Nothing is traced."]);
    has(&text, &["x on an event of the stream"]);
    bench::any_size(&mut model);
    bench::press(&mut model, Action::Open);
    assert!(
        matches!(model.overlays.last(), Some(Overlay::Prompt(p)) if p.kind == PromptKind::TraceId)
    );
    model.overlays.clear();
    assert!(follow(&mut model, "").is_err());
    bench::take(&mut model, batch_of(&[(0, 1, "{}")]));
    typed(&mut model, "no\u{1b}[2J such");
    let text = bench::text(&mut model, 60, 20);
    has(&text, &["No event is tied to it."]);
    assert!(!text.contains('\u{1b}'));
    bench::any_size(&mut model);
}

#[test]
fn a_flood_is_cut_and_an_answer_of_another_read_is_dropped() {
    let mut model = bench::model(View::Trace);
    let many: Vec<(u32, i64, &str)> = (0..100_000).map(|n| (0, n, "{}")).collect();
    bench::take(&mut model, batch_of(&many));
    typed(&mut model, "order-1");
    let text = bench::text(&mut model, 80, 24);
    has(&text, &["more events belong to it"]);
    bench::press(&mut model, Action::Bottom);
    bench::any_size(&mut model);
    let effects = follow(&mut model, "order-2").unwrap();
    let _ = crate::tui::update::begin(&mut model);
    bench::run(&mut model, effects);
    assert!(model.trace.found.is_none());
    has(&bench::text(&mut model, 80, 24), &["Tracing order-2"]);
}
