//! The lanes of the demo, by partition and by key, and a flood of them.

use std::time::Duration;

use crate::event::{Batch, EventRef, Headers, Position, PositionStyle, Stream, Streams};
use crate::event::{Timestamp, TimestampType};
use crate::tui::actions::Action;
use crate::tui::model::View;
use crate::tui::model::stream::Place;
use crate::tui::msg::{Intake, Msg};
use crate::tui::views::trial::{at_all_sizes, demo, intake, line, model, press, screen, send};

#[tokio::test]
async fn the_lanes_show_what_was_planted_as_signs_and_letters() {
    let mut model = demo(View::Order).await;
    let text = screen(&mut model, 120, 60);
    for (lane, counts) in [
        ("payments/1 ", "←I1 =D1"),
        ("payments/0 ", "!L1"),
        ("order-events/0 ", "←I1 ↓V1"),
        ("notifications/2 ", "?S1"),
        ("shipments/0 ", "✓ in order"),
    ] {
        assert!(
            line(&text, lane).contains(counts),
            "{lane} {counts}\n{text}"
        );
    }
    assert!(line(&text, "payments/1 ").contains('D'), "{text}");
    for verdict in [
        "✗ event time VIOLATION",
        "✓ offsets CLEAN",
        "✗ sequences VIOLATION",
    ] {
        assert!(text.contains(verdict), "{verdict}\n{text}");
    }
    assert!(
        text.contains("Across partitions there is no order"),
        "{text}"
    );
    at_all_sizes(&mut model);
    model.options.glyphs = crate::tui::theme::Glyphs::ASCII;
    let text = screen(&mut model, 120, 60);
    assert!(text.is_ascii(), "{text}");
    assert!(line(&text, "payments/1 ").contains("<I1 =D1"), "{text}");
}

#[tokio::test]
async fn n_walks_all_anomalies_and_back_and_enter_shows_the_event() {
    let mut model = demo(View::Order).await;
    let mut walked = Vec::new();
    for _ in 0..7 {
        press(&mut model, Action::NextMatch).await;
        let found = model.findings.watch.found.clone().unwrap();
        let lanes = super::Lanes::of(&found, false);
        let anomaly = lanes.anomaly(model.order.lane, model.order.at).unwrap();
        walked.push(anomaly.at.to_string());
    }
    assert_eq!(
        walked,
        [
            "notifications/2@14",
            "order-events/0@19",
            "order-events/0@19",
            "payments/0@10",
            "payments/1@12",
            "payments/1@12",
            // There is no further one.
            "payments/1@12",
        ]
    );
    assert!(model.said.is_some());
    press(&mut model, Action::PreviousMatch).await;
    press(&mut model, Action::PreviousMatch).await;
    let text = screen(&mut model, 100, 40);
    assert!(
        text.contains("42.0 s before the time of payments/0@8"),
        "{text}"
    );
    press(&mut model, Action::Open).await;
    let (batch, at) = model.stream.selected(&model.feed).unwrap();
    let place = Place::of(&batch.get(at));
    assert_eq!((&*place.topic, place.position.major), ("payments", 10));
}

#[tokio::test]
async fn by_key_each_key_with_an_anomaly_has_a_lane() {
    let mut model = demo(View::Order).await;
    press(&mut model, Action::OrderBy).await;
    let text = screen(&mut model, 120, 40);
    assert!(
        line(&text, "payments order-412").contains("←I1 =D1"),
        "{text}"
    );
    assert!(
        line(&text, "order-events order-417").contains("←I1 ↓V1"),
        "{text}"
    );
    assert_eq!(model.findings.watch.found.as_ref().unwrap().keys.len(), 4);
    at_all_sizes(&mut model);
}

#[tokio::test]
async fn the_explained_offsets_are_no_gaps() {
    let mut model = demo(View::Order).await;
    let found = model.findings.watch.found.clone().unwrap();
    let lanes = found.order.lanes.iter();
    let at = lanes
        .clone()
        .position(|l| l.first.to_string().starts_with("payments/0@"));
    model.order.lane = at.unwrap();
    let text = screen(&mut model, 120, 40);
    assert!(text.contains("commit markers, 1 abort marker,"), "{text}");
}

/// As many partitions as asked, in each a pair of events of which the second is too early.
fn wide(partitions: u32) -> Batch {
    let streams: Streams = (0..partitions)
        .map(|partition| Stream {
            topic: "t\u{1b}[2J".into(),
            partition,
            style: PositionStyle::Offset,
        })
        .collect();
    let mut batch = Batch::new(streams.clone());
    for (offset, time) in [(0, 50_000), (1, 10)] {
        for partition in 0..partitions {
            let event = EventRef {
                stream: &streams[partition as usize],
                stream_index: partition,
                position: Position::offset(offset),
                timestamp: Timestamp(time),
                timestamp_type: TimestampType::Create,
                key: Some(b"k\r\n"),
                value: Some(b"{}"),
                headers: Headers::default(),
                meta: None,
            };
            batch.push(&event).unwrap();
        }
    }
    batch.scanned.events = batch.len() as u64;
    batch
}

#[tokio::test]
async fn a_hundred_thousand_lanes_are_drawn_at_once() {
    let mut model = model(View::Order, 256 << 20);
    assert!(screen(&mut model, 80, 24).contains("No events are read yet."));
    model.source.read = 1;
    intake(&mut model, Intake::Batch(wide(100_000))).await;
    send(&mut model, Duration::from_secs(10), Msg::Tick).await;
    let found = model.findings.watch.found.clone().unwrap();
    assert_eq!(found.order.lanes.len(), 100_000);
    let began = std::time::Instant::now();
    for action in [
        Action::Bottom,
        Action::Top,
        Action::NextMatch,
        Action::OrderBy,
    ] {
        press(&mut model, action).await;
        for _ in 0..5 {
            screen(&mut model, 120, 40);
        }
    }
    assert!(
        began.elapsed() < Duration::from_secs(20),
        "{:?}",
        began.elapsed()
    );
    let text = screen(&mut model, 120, 40);
    assert!(text.contains("more not kept"), "{text}");
    at_all_sizes(&mut model);
}
