//! Home over the demo, over nothing, over a flood, and while things fail.

use std::time::Duration;

use crate::event::{Batch, Timestamp};
use crate::tui::actions::Action;
use crate::tui::fixture::batch_of;
use crate::tui::model::stream::Place;
use crate::tui::model::{Model, View};
use crate::tui::msg::{Effect, Intake, Msg, Now, Trouble};
use crate::tui::update::update;
use crate::tui::views::trial::{
    at_all_sizes, connected, demo, demo_connection, draws_at_once, history, intake, model, press,
    screen, send,
};

#[tokio::test]
async fn the_planted_faults_are_on_the_screen_ranked_with_their_causes_above_them() {
    let mut model = demo(View::Findings).await;
    let text = screen(&mut model, 120, 40);
    let lines: Vec<&str> = text.lines().collect();
    let row = |wanted: &str| {
        let found = lines.iter().position(|l| l.contains(wanted));
        found.unwrap_or_else(|| panic!("{wanted}\n{text}"))
    };
    assert!(text.contains("VIOLATION  19 findings"), "{text}");
    assert!(text.contains("P1 1") && text.contains("P2 8"), "{text}");
    assert!(text.contains("483 events of 7 topics"), "{text}");
    assert!(text.contains("6 groups"), "{text}");
    assert!(text.contains("read to the end"), "{text}");
    assert!(
        text.contains("✓ offsets") && text.contains("✗ effects"),
        "{text}"
    );
    // The poison is urgent, so what explains it comes first of all, and it right below.
    assert_eq!(row("payload.undecodable"), row("lag.poison") - 1);
    assert!(lines[row("lag.poison")].contains("payments/1@24"));
    assert!(row("lag.poison") < row("id.duplicate"));
    for (code, at) in [
        ("id.duplicate", "payments/1@12"),
        ("effect.duplicate", "shipments/1@5"),
        ("order.version", "order-events/0@19"),
        ("sequence.hole", "notifications/2@14"),
        ("schema.drift", "orders/0@15"),
        ("text.control", "orders/0@7"),
        ("lag.no_members", "orders/0@5"),
        ("time.skew", "notifications/2@2"),
        ("time.late", "payments/0@10"),
        ("lint.compacted_events", "order-events/0@4"),
        ("pii.card", "orders/2@9"),
    ] {
        assert!(lines[row(code)].contains(at), "{code}\n{text}");
    }
    at_all_sizes(&mut model);
}

#[tokio::test]
async fn sixty_columns_show_what_and_where() {
    let mut model = demo(View::Findings).await;
    let text = screen(&mut model, 60, 20);
    assert!(
        text.contains("VIOLATION") && text.contains("P2 8"),
        "{text}"
    );
    assert!(
        text.contains("payload.undecodable") && text.contains("payments/1@24"),
        "{text}"
    );
}

fn put_on(model: &mut Model, code: &str) {
    let found = model.findings.watch.found.clone().unwrap();
    let finding = |row: &super::found::Row| found.report.findings[row.finding].code.as_str();
    model.findings.at = found.rows.iter().position(|r| finding(r) == code).unwrap();
}

#[tokio::test]
async fn enter_goes_to_the_event_or_to_the_group() {
    let mut model = demo(View::Findings).await;
    put_on(&mut model, "sequence.hole");
    press(&mut model, Action::Open).await;
    assert_eq!(model.view, View::Stream);
    let (batch, at) = model.stream.selected(&model.feed).unwrap();
    let place = Place::of(&batch.get(at));
    assert_eq!((&*place.topic, place.partition), ("notifications", 2));
    assert_eq!(place.position.major, 14);
    press(&mut model, Action::Back).await;
    assert_eq!(model.view, View::Findings);
    put_on(&mut model, "lag.poison");
    press(&mut model, Action::Open).await;
    assert_eq!(model.view, View::Lag);
    assert!(screen(&mut model, 100, 30).contains("shipping-svc"));
}

#[tokio::test]
async fn before_there_is_a_report_it_says_what_goes_on() {
    let mut model = model(View::Findings, 1 << 20);
    assert!(screen(&mut model, 80, 24).contains("No events are read yet."));
    at_all_sizes(&mut model);
    let connected = connected(vec![demo_connection()]);
    send(&mut model, Duration::ZERO, connected).await;
    assert!(screen(&mut model, 80, 24).contains("Connecting to demo:"));
    let trouble = Trouble {
        message: "nobody answers at \u{1b}[2Jbroker:9092".to_owned(),
        hint: Some("is it up?".to_owned()),
    };
    intake(&mut model, Intake::Failed(trouble)).await;
    let text = screen(&mut model, 80, 24);
    assert!(
        text.contains("nobody answers") && text.contains("is it up?"),
        "{text}"
    );
    at_all_sizes(&mut model);
}

#[tokio::test]
async fn without_a_finding_it_says_what_was_looked_at_and_what_is_in_doubt() {
    let mut model = model(View::Findings, 1 << 20);
    model.source.read = 1;
    let quiet = batch_of(&[(0, 1, "{}"), (0, 2, "{}"), (1, 2, "{}")]);
    intake(&mut model, Intake::Batch(quiet)).await;
    send(&mut model, Duration::from_secs(1), Msg::Tick).await;
    let text = screen(&mut model, 100, 24);
    // Offsets of the fixture count over both partitions, which leaves none out in either.
    assert!(
        text.contains("INCONCLUSIVE: event ids: no event has an id"),
        "{text}"
    );
    assert!(
        text.contains("event time  CLEAN") || text.contains("✓  event time"),
        "{text}"
    );
    assert!(
        text.contains("3 events of 1 topic in 2 partitions"),
        "{text}"
    );
    assert!(text.contains("this source has no groups"), "{text}");
    assert!(text.contains("live"), "{text}");
}

#[tokio::test]
async fn what_was_evicted_before_it_was_looked_at_is_no_clean_stream() {
    let mut model = model(View::Findings, 8 << 10);
    model.source.read = 1;
    for time in 0..200 {
        intake(&mut model, Intake::Batch(batch_of(&[(0, time, "{}")]))).await;
    }
    assert!(model.feed.store.evicted > 0);
    send(&mut model, Duration::from_secs(1), Msg::Tick).await;
    let found = model.findings.watch.found.clone().unwrap();
    assert!(found.missed && found.order.coverage.skipped);
    assert!(screen(&mut model, 100, 24).contains("before they could be looked at"));
}

#[tokio::test]
async fn only_what_came_since_is_folded_and_another_read_begins_anew() {
    let mut model = model(View::Findings, 64 << 20);
    model.source.read = 1;
    let mut events = 0;
    for (second, batch) in (1u64..).zip(history().await) {
        events += batch.len() as u64;
        intake(&mut model, Intake::Batch(batch)).await;
        send(&mut model, Duration::from_secs(second * 2), Msg::Tick).await;
        let found = model.findings.watch.found.clone().unwrap();
        assert_eq!(
            (found.report.events, found.order.coverage.again),
            (events, 0)
        );
    }
    let late = crate::tui::views::findings::tick(&mut model);
    assert!(late.is_empty(), "nothing came");
    // An answer that comes after another read was begun is dropped.
    model.feed.batch(&batch_of(&[(0, 1, "{}")]), Duration::ZERO);
    model.now.mono = Duration::from_secs(1000);
    let mut under_way = crate::tui::views::findings::tick(&mut model);
    crate::tui::update::begin(&mut model);
    assert!(crate::tui::views::findings::tick(&mut model).is_empty());
    let Some(Effect::Work(work)) = under_way.pop() else {
        panic!("no job");
    };
    let answer = work();
    send(&mut model, Duration::from_secs(1001), answer).await;
    assert!(model.findings.watch.found.is_none());
}

#[tokio::test]
async fn the_first_events_wait_for_how_topics_are_kept_but_not_for_long() {
    let mut model = model(View::Findings, 64 << 20);
    let at = |ms| Now {
        mono: Duration::from_millis(ms),
        wall: Timestamp(0),
    };
    // What is asked for is not answered yet.
    drop(update(
        &mut model,
        at(0),
        connected(vec![demo_connection()]),
    ));
    let read = model.source.read;
    for batch in history().await {
        let what = Intake::Batch(batch);
        drop(update(&mut model, at(0), Msg::Intake { read, what }));
    }
    drop(update(&mut model, at(0), Msg::Tick));
    let works = |effects: &[Effect]| effects.iter().any(|e| matches!(e, Effect::Work(_)));
    assert!(!works(&update(&mut model, at(900), Msg::Tick)));
    assert!(model.findings.watch.behind(&model.feed) > 0);
    assert!(works(&update(&mut model, at(1100), Msg::Tick)));
}

/// Each record batch by itself, as a broker that is followed gives them.
async fn by_record_batch() -> Vec<Batch> {
    let mut all = Vec::new();
    for whole in history().await {
        for meta in whole.metas() {
            let mut alone = Batch::new(whole.streams().clone());
            alone.push_meta(*meta);
            for event in whole.iter().filter(|e| e.meta == Some(meta)) {
                alone.push_of_last_meta(&event).unwrap();
            }
            alone.scanned.events = alone.len() as u64;
            all.push(alone);
        }
    }
    all
}

#[tokio::test]
async fn what_a_selection_left_out_is_no_gap_no_loss_and_takes_no_room() {
    let mut model = model(View::Findings, 64 << 20);
    model.source.read = 1;
    for (number, mut batch) in by_record_batch().await.into_iter().enumerate() {
        batch.retain(|_| number % 3 == 0);
        let (before, empty) = (model.feed.store.bytes(), batch.is_empty());
        let tells = batch.scanned.events == 0;
        intake(&mut model, Intake::Batch(batch)).await;
        assert!(!empty || tells || model.feed.store.bytes() == before);
    }
    assert!(model.feed.left_out.batches > 0);
    send(&mut model, Duration::from_secs(1), Msg::Tick).await;
    let found = model.findings.watch.found.clone().unwrap();
    assert!(!found.missed);
    let codes = found.report.findings.iter().map(|f| f.code.as_str());
    assert!(
        !codes.clone().any(|c| c == "offset.gap"),
        "{:?}",
        codes.collect::<Vec<_>>()
    );
    assert_eq!(found.order.coverage.filtered, 483 - found.report.events);
    let offsets = found.order.verdict(crate::inspect::order::Check::Offsets);
    assert_eq!(
        offsets.unwrap().to_string(),
        "INCONCLUSIVE: a filter left events out"
    );
}

#[tokio::test]
async fn record_batches_without_an_event_explain_the_gaps_that_they_leave() {
    let mut model = model(View::Findings, 64 << 20);
    model.source.read = 1;
    let mut markers = 0;
    for batch in by_record_batch().await {
        markers += u32::from(batch.is_empty());
        intake(&mut model, Intake::Batch(batch)).await;
    }
    assert!(markers > 50, "{markers}");
    assert_eq!(model.feed.store.events(), 483);
    send(&mut model, Duration::from_secs(1), Msg::Tick).await;
    let found = model.findings.watch.found.clone().unwrap();
    let offsets = found.order.verdict(crate::inspect::order::Check::Offsets);
    assert_eq!(offsets, Some(&crate::inspect::Verdict::Clean));
    assert_eq!(found.report.events, 483);
}

#[tokio::test]
async fn a_flood_of_findings_is_drawn_at_once() {
    let mut model = model(View::Findings, 256 << 20);
    model.source.read = 1;
    // Every second event comes too late, half of them with control characters in them.
    for round in 0..30i64 {
        let events: Vec<(u32, i64, &str)> = (0..1000)
            .map(|n| (0, 1_000_000 * (n % 2) + round, "{\"a\":\"\u{1b}[2J\"}"))
            .collect();
        let mut batch = batch_of(&events);
        batch.scanned.events = 1000;
        intake(&mut model, Intake::Batch(batch)).await;
    }
    for second in 1..10 {
        send(&mut model, Duration::from_secs(second * 100), Msg::Tick).await;
    }
    let found = model.findings.watch.found.clone().unwrap();
    assert!(found.rows.len() > 1000, "{}", found.rows.len());
    press(&mut model, Action::Bottom).await;
    assert_eq!(model.findings.at, found.rows.len() - 1);
    draws_at_once(&mut model);
    at_all_sizes(&mut model);
}
