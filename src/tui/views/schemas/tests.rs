//! The view over the demo's history, over a flood, and over nothing.

use super::*;
use crate::tui::fixture::batch_of;
use crate::tui::model::View;
use crate::tui::msg::Intake;
use crate::tui::views::bench;

#[tokio::test]
async fn what_the_demo_changed_is_at_the_top_and_leads_to_its_event() {
    let mut model = bench::demo(View::Schemas).await;
    let screen = bench::screen(&mut model, 160, 40);
    let line = |words: &[&str]| {
        screen
            .iter()
            .position(|l| words.iter().all(|w| l.contains(w)))
    };
    let change = line(&[
        "✗ type changed",
        "orders/0@15 order-444",
        ".data.totalAmount is string",
    ]);
    assert_eq!(change, Some(3), "{screen:#?}");
    let new = line(&["+ new", "currency", "order-440"]);
    assert!(new.is_some(), "{screen:#?}");
    let text = bench::text(&mut model, 160, 40);
    for part in [
        "before: number in 55",
        "after:  string in 5, orders/0@15 to",
        "by checkout-b 5",
    ] {
        assert!(text.contains(part), "{part} in {text}");
    }
    bench::press(&mut model, Action::Open);
    assert_eq!(model.view, View::Stream);
    let (batch, at) = model.stream.selected(&model.feed).unwrap();
    let event = batch.get(at);
    assert_eq!((&*event.stream.topic, event.position.major), ("orders", 15));
}

#[tokio::test]
async fn fields_are_listed_with_share_type_and_producer() {
    let mut model = bench::demo(View::Schemas).await;
    // To the second row of the field, that of the strings.
    for _ in 0..2 {
        bench::press(&mut model, Action::NextMatch);
    }
    let text = bench::text(&mut model, 120, 40);
    assert!(text.contains("orders OrderPlaced"), "{text}");
    let line = |words: &[&str]| text.lines().any(|l| words.iter().all(|w| l.contains(w)));
    assert!(line(&[".data.totalAmount", "100 %", "number 55"]), "{text}");
    assert!(
        line(&["string 5", "✗ type changed", "orders/0@15", "checkout-b 5"]),
        "{text}"
    );
    bench::press(&mut model, Action::Left);
    let closed = bench::text(&mut model, 120, 40);
    assert!(!closed.contains("number 55  "), "{closed}");
    bench::press(&mut model, Action::Open);
    assert!(bench::text(&mut model, 120, 40).contains("number 55"));
}

#[test]
fn a_topic_without_json_says_so_and_nothing_says_what_to_do() {
    let mut model = bench::model(View::Schemas);
    let empty = bench::text(&mut model, 60, 20);
    assert!(
        empty.contains("No events were read") && empty.contains("3 shows the topics"),
        "{empty}"
    );
    bench::any_size(&mut model);
    bench::take(&mut model, batch_of(&[(0, 1, "plain"), (0, 2, "text")]));
    bench::wait(&mut model);
    let text = bench::text(&mut model, 80, 24);
    assert!(text.contains("orders  2 events, no JSON values"), "{text}");
    let mut failed = bench::model(View::Schemas);
    bench::tell(
        &mut failed,
        Intake::Failed(crate::tui::msg::Trouble {
            message: "the broker is gone".to_owned(),
            hint: None,
        }),
    );
    let text = bench::text(&mut failed, 80, 24);
    assert!(text.contains("known: the broker is gone"), "{text}");
}

#[test]
fn the_fold_goes_on_and_the_cursor_stays_on_its_field() {
    let mut model = bench::model(View::Schemas);
    bench::take(&mut model, batch_of(&[(0, 1, "{\"b\":1}")]));
    bench::wait(&mut model);
    bench::press(&mut model, Action::Bottom);
    let chosen = |model: &Model| {
        let state = &model.schemas;
        let row = state.rows[state.at];
        state
            .seen
            .field(row)
            .map(|(f, _)| (f.path.clone(), f.count))
    };
    assert_eq!(chosen(&model), Some((".b".to_owned(), 1)));
    // Partition 1, as the same places of partition 0 are the same events.
    bench::take(&mut model, batch_of(&[(1, 3, "{\"a\":1,\"b\":2}")]));
    bench::wait(&mut model);
    assert_eq!(chosen(&model), Some((".b".to_owned(), 2)));
    assert_eq!(model.schemas.seen.events, 2);
    // Another read: what came before does not count.
    let effects = crate::tui::update::begin(&mut model);
    bench::run(&mut model, effects);
    bench::take(&mut model, batch_of(&[(0, 1, "{\"c\":1}")]));
    bench::wait(&mut model);
    assert_eq!(model.schemas.seen.events, 1);
}

#[test]
fn an_answer_about_another_read_is_dropped() {
    let mut model = bench::model(View::Schemas);
    bench::take(&mut model, batch_of(&[(0, 1, "{\"b\":1}")]));
    let effects = entered(&mut model);
    let _ = crate::tui::update::begin(&mut model);
    bench::run(&mut model, effects);
    assert_eq!(model.schemas.seen.events, 0);
    assert!(model.schemas.rows.is_empty());
}

#[test]
fn many_fields_scroll_and_any_size_is_drawn() {
    let mut model = bench::model(View::Schemas);
    let member = |n| format!("\"field{n}\":{{\"a\\u001b[2J\":1,\"b\":[1,\"x\"]}}");
    let members: Vec<String> = (0..60).map(member).collect();
    let value = format!("{{{},\"end\":null}}", members.join(","));
    let times: Vec<(u32, i64, &str)> = (0..1000).map(|n| (0, n, &*value)).collect();
    bench::take(&mut model, batch_of(&times));
    bench::wait(&mut model);
    assert!(model.schemas.rows.len() > 200);
    bench::any_size(&mut model);
    bench::press(&mut model, Action::Bottom);
    bench::any_size(&mut model);
    let text = bench::text(&mut model, 60, 20);
    assert!(
        text.contains(".field9") && !text.contains('\u{1b}'),
        "{text}"
    );
}

#[test]
fn what_was_evicted_before_it_was_looked_at_is_counted() {
    let mut model = bench::model(View::Stream);
    model.feed = crate::tui::model::feed::Feed::new(4_000);
    for n in 0..100 {
        bench::take(&mut model, batch_of(&[(n % 3, i64::from(n), "{\"b\":1}")]));
    }
    let gone = model.feed.store.evicted;
    assert!(gone > 50);
    let effects = model.go(View::Schemas);
    bench::run(&mut model, effects);
    let text = bench::text(&mut model, 120, 30);
    let told = format!("{gone} were gone before they were looked at");
    bench::press(&mut model, Action::Down);
    assert!(text.contains(&told), "{text}");
    // What is evicted after it was looked at is known.
    bench::take(&mut model, batch_of(&[(3, 5, "{\"b\":1}")]));
    bench::wait(&mut model);
    assert_eq!(model.schemas.missed, gone);
}

/// A decoder whose schemas are in a folder, which lives as long as the test.
fn by_schema(name: &str, schema: &str) -> (tempfile::TempDir, crate::schema::Decoder) {
    use crate::schema::{Catalog, Decoder, Pins, Schemas, sources};
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(name), schema).unwrap();
    let place = folder.path().display().to_string();
    let sources = sources::Sources::open(&place, &sources::Settings::default()).unwrap();
    let schemas = Schemas::new(Catalog::Sources(sources), false);
    let decoder = Decoder::new(Pins::default(), Vec::new(), Some(schemas));
    (folder, decoder)
}

const AVRO: &str = r#"{"type":"record","name":"Order","fields":[{"name":"n","type":"long"}]}"#;

#[test]
fn topics_in_other_formats_show_their_fields() {
    let (_folder, decoder) = by_schema("orders.avsc", AVRO);
    let mut model = bench::model(View::Schemas);
    model.source.decoder = decoder;
    bench::take(&mut model, batch_of(&[(0, 1, "\u{e}"), (0, 2, "\u{10}")]));
    bench::wait(&mut model);
    let text = bench::text(&mut model, 100, 24);
    assert!(text.contains(".n") && text.contains("number 2"), "{text}");
    // Without the schema these bytes are no JSON.
    model.source.decoder = crate::schema::Decoder::default();
    bench::press(&mut model, Action::Reload);
    bench::wait(&mut model);
    let text = bench::text(&mut model, 100, 24);
    assert!(text.contains("no JSON values"), "{text}");
}

#[test]
fn versions_are_looked_at_and_closed_at_any_size() {
    let (_folder, decoder) = by_schema("orders.avsc", AVRO);
    let mut model = bench::model(View::Schemas);
    bench::take(&mut model, batch_of(&[(0, 1, "{}"), (0, 2, "{}")]));
    bench::wait(&mut model);
    bench::press(&mut model, Action::Versions);
    let said = model.said.take().unwrap().0.text;
    assert!(said.contains("no source of schemas"), "{said}");
    model.source.decoder = decoder;
    bench::press(&mut model, Action::Versions);
    bench::wait(&mut model);
    let text = bench::text(&mut model, 100, 24);
    assert!(
        text.contains("orders.avsc") && text.contains("1 of 1"),
        "{text}"
    );
    assert!(text.contains("0 differences"), "{text}");
    bench::press(&mut model, Action::LaterVersion);
    let said = model.said.take().unwrap().0.text;
    assert!(said.contains("no other version"), "{said}");
    for action in [
        Action::NextPane,
        Action::Right,
        Action::Bottom,
        Action::NextMatch,
        Action::EarlierVersion,
    ] {
        bench::press(&mut model, action);
        bench::any_size(&mut model);
    }
    bench::press(&mut model, Action::Back);
    assert!(model.schemas.versions.is_none());
    assert_eq!(model.view, View::Schemas);
}
