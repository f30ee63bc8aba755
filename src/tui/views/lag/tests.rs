//! The groups of the demo, of a broker that has none, of one that fails, and many of them.

use std::sync::Arc;
use std::time::Duration;

use crate::broker::{Group, GroupOffset, Member, TopicSelector};
use crate::event::{Position, PositionStyle};
use crate::inspect::lag::Why;
use crate::tui::actions::Action;
use crate::tui::model::stream::Place;
use crate::tui::model::{Model, View};
use crate::tui::msg::{Msg, Trouble};
use crate::tui::views::trial::{
    at_all_sizes, connected, connection, demo, demo_connection, draws_at_once, line, model, press,
    screen, send,
};

#[tokio::test]
async fn the_groups_of_the_demo_are_told_with_their_reasons() {
    let mut model = demo(View::Lag).await;
    let text = screen(&mut model, 120, 40);
    assert!(text.contains("2 in trouble  of 6 groups"), "{text}");
    let shipping = line(&text, "shipping-svc");
    assert!(
        shipping.contains("POISON") && shipping.contains("2 members"),
        "{text}"
    );
    let billing = line(&text, "billing-svc");
    assert!(
        billing.contains("NO_MEMBERS") && billing.contains("47  events"),
        "{text}"
    );
    assert!(billing.contains("Empty, 0 members"), "{text}");
    let fine = line(&text, "notifier-svc");
    assert!(fine.contains("✓ OK"), "{text}");
    at_all_sizes(&mut model);
    let small = screen(&mut model, 60, 20);
    assert!(line(&small, "shipping-svc").contains("POISON"), "{small}");
}

fn put_on(model: &mut Model, name: &str) {
    let at = model.lag.groups().iter().position(|g| g.name == name);
    model.lag.at = at.unwrap();
}

fn place(model: &Model) -> Place {
    let (batch, at) = model.stream.selected(&model.feed).unwrap();
    Place::of(&batch.get(at))
}

#[tokio::test]
async fn one_key_shows_the_event_that_a_group_is_stuck_on() {
    let mut model = demo(View::Lag).await;
    put_on(&mut model, "shipping-svc");
    press(&mut model, Action::LagEvent).await;
    assert_eq!(model.view, View::Stream);
    let stuck = place(&model);
    assert_eq!((&*stuck.topic, stuck.partition), ("payments", 1));
    assert_eq!(stuck.position.major, 24);
    // Nobody is stuck where nothing waits.
    press(&mut model, Action::Back).await;
    put_on(&mut model, "notifier-svc");
    press(&mut model, Action::LagEvent).await;
    assert_eq!(model.view, View::Lag);
    assert!(model.said.is_some());
}

#[tokio::test]
async fn enter_opens_the_partitions_of_a_group_and_back_closes_them() {
    let mut model = demo(View::Lag).await;
    put_on(&mut model, "shipping-svc");
    press(&mut model, Action::Open).await;
    let text = screen(&mut model, 120, 30);
    let poison = line(&text, "payments/1 ");
    assert!(
        poison.contains("POISON") && poison.contains("9  events"),
        "{text}"
    );
    assert!(poison.contains("24 of 42 m1"), "{text}");
    assert!(line(&text, "payments/0 ").contains("✓ OK"), "{text}");
    assert!(
        text.contains("next is  payments/1@24  order-436  not JSON"),
        "{text}"
    );
    at_all_sizes(&mut model);
    press(&mut model, Action::Up).await;
    press(&mut model, Action::Quit).await;
    assert!(!model.lag.opened && model.view == View::Lag);
}

#[tokio::test]
async fn groups_that_do_not_move_are_not_read_again_and_their_rates_are_known() {
    let mut model = demo(View::Lag).await;
    let asked = model.lag.asked;
    send(&mut model, Duration::from_secs(4), Msg::Tick).await;
    assert_eq!(model.lag.asked, asked);
    send(&mut model, Duration::from_secs(20), Msg::Tick).await;
    assert_ne!(model.lag.asked, asked);
    assert_eq!(model.lag.groups().len(), 6);
}

#[tokio::test]
async fn a_source_without_groups_and_one_that_fails_say_so() {
    let mut model = model(View::Lag, 1 << 20);
    assert!(screen(&mut model, 80, 24).contains("No source is open."));
    let file = tempfile::Builder::new()
        .suffix(".jsonl")
        .tempfile()
        .unwrap();
    let address = file.path().to_str().unwrap().to_owned();
    let parsed = crate::broker::Address::parse(&address).unwrap();
    let broker =
        (crate::broker::capture::ADAPTER.open)(&parsed, &crate::broker::Settings::default());
    let opened = connection(broker.unwrap(), &address);
    send(&mut model, Duration::ZERO, connected(vec![opened])).await;
    model.view = View::Lag;
    assert!(screen(&mut model, 80, 24).contains("has no consumer groups"));
    model.source.connections = vec![demo_connection()];
    let trouble = Trouble {
        message: "not authorized to list groups".to_owned(),
        hint: Some("DESCRIBE on GROUP is needed".to_owned()),
    };
    let failed = Msg::Groups {
        connection: 0,
        found: Err(trouble),
    };
    send(&mut model, Duration::ZERO, failed).await;
    let text = screen(&mut model, 80, 24);
    assert!(
        text.contains("not authorized") && text.contains("DESCRIBE"),
        "{text}"
    );
    at_all_sizes(&mut model);
}

#[tokio::test]
async fn many_hostile_groups_are_drawn_at_once() {
    let mut model = model(View::Lag, 1 << 20);
    model.source.connections = vec![demo_connection()];
    let topics = demo_connection()
        .broker
        .topics(&TopicSelector::one("orders"))
        .await
        .unwrap();
    let topic: Arc<str> = topics[0].name.clone();
    let groups = (0..5_000)
        .map(|n| Group {
            name: format!("g\u{1b}[2J{n}"),
            state: "Stable".to_owned(),
            kind: "consumer".to_owned(),
            members: vec![Member::named("\u{202e}m")],
            offsets: vec![GroupOffset {
                topic: topic.clone(),
                partition: 0,
                style: PositionStyle::Offset,
                committed: Some(Position::offset(n % 21)),
                first: Position::ZERO,
                end: Position::offset(21),
                raw_lag: Some(21 - n % 21),
                ..GroupOffset::default()
            }],
            ..Group::default()
        })
        .collect();
    let found = Msg::Groups {
        connection: 0,
        found: Ok(groups),
    };
    send(&mut model, Duration::ZERO, found).await;
    assert_eq!(model.lag.groups().len(), 5_000);
    assert!(model.lag.groups().iter().all(|g| g.why != Why::Unknown));
    press(&mut model, Action::Bottom).await;
    draws_at_once(&mut model);
}
