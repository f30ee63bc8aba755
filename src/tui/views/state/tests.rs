//! States of the demo on the screen, and of what is not there.

use super::*;
use crate::tui::fixture::batch_of;
use crate::tui::views::bench::{self, has};

async fn folded(topic: &str, partition: u32, offset: u64) -> Model {
    let mut model = bench::demo(View::Stream).await;
    bench::put_on(&mut model, topic, partition, offset);
    bench::press(&mut model, Action::StateThis);
    assert_eq!(model.view, View::State);
    model
}

fn typed(model: &mut Model, key: &str) {
    let effects = fold_key(model, key).unwrap();
    bench::run(model, effects);
}

fn lacks(text: &str, words: &str) {
    assert!(!text.contains(words), "{words} in\n{text}");
}

#[tokio::test]
async fn the_worked_example_is_shown_with_blame_and_goes_back_in_time() {
    let mut model = folded("order-events", 0, 69).await;
    let text = bench::text(&mut model, 100, 30);
    has(&text, &["order-456", "by merge"]);
    has(&text, &["[order-events 4]", "orders 1"]);
    has(&text, &["v1 v2 v3 [v4]"]);
    has(
        &text,
        &["████████████████████ 4 of 4  v4  order-events/0@72"],
    );
    has(&text, &["~ /status  \"PAID\" -> \"SHIPPED\""]);
    has(&text, &["+ /trackingNo  \"TRK-456\""]);
    has(&text, &["status: \"SHIPPED\"", "order-events/0@72"]);
    has(&text, &["totalAmount: 59.98", "order-events/0@67"]);
    lacks(&text, "left-censored");
    bench::press(&mut model, Action::Earlier);
    let text = bench::text(&mut model, 100, 30);
    has(&text, &["v1 v2 [v3] v4"]);
    has(&text, &["status: \"PAID\"", "order-events/0@69"]);
    has(
        &text,
        &["customerId: \"customer-789\"", "order-events/0@67"],
    );
    lacks(&text, "trackingNo");
    for _ in 0..9 {
        bench::press(&mut model, Action::Earlier);
    }
    has(&bench::text(&mut model, 100, 30), &["1 of 4"]);
    bench::any_size(&mut model);
}

#[tokio::test]
async fn a_row_leads_to_the_event_that_set_it() {
    let mut model = folded("order-events", 0, 72).await;
    let page = model.state.page.as_ref().unwrap();
    let amount = |row: &page::Row| row.line.iter().any(|(_, text)| text == "totalAmount");
    let at = page.rows.iter().position(amount).unwrap();
    for _ in 0..at {
        bench::press(&mut model, Action::Down);
    }
    bench::press(&mut model, Action::Open);
    assert_eq!(model.view, View::Stream);
    let (batch, at) = model.stream.selected(&model.feed).unwrap();
    assert_eq!(batch.get(at).position.major, 67);
    bench::press(&mut model, Action::Back);
    bench::press(&mut model, Action::Right);
    has(&bench::text(&mut model, 100, 30), &["[order-validation 1]"]);
    bench::press(&mut model, Action::PreviousPane);
    let text = bench::text(&mut model, 100, 30);
    has(&text, &["by last"]);
    has(&text, &["[order-validation 1]"]);
}

#[tokio::test]
async fn late_versions_deletions_and_lost_beginnings_are_told() {
    let mut model = bench::demo(View::Stream).await;
    typed(&mut model, "order-417");
    has(&bench::text(&mut model, 100, 30), &["v1 v3 v2! [v4]"]);
    bench::press(&mut model, Action::PreviousMatch);
    let text = bench::text(&mut model, 100, 30);
    has(&text, &["v1 v3 [v2!] v4"]);
    has(&text, &["! v2 came after a later version"]);
    has(
        &text,
        &["! diverges: folded by version it would be /status \"PAID\""],
    );
    typed(&mut model, "order-405");
    let text = bench::text(&mut model, 100, 30);
    has(&text, &["[deleted]"]);
    has(
        &text,
        &["deleted: an event without a value", "order-events/0@41"],
    );
    has(&text, &["- the whole"]);
    typed(&mut model, "order-402");
    let text = bench::text(&mut model, 60, 20);
    has(&text, &["! left-censored, the beginning may be missing"]);
    has(&bench::text(&mut model, 100, 30), &["is version 4"]);
}

#[test]
fn no_key_says_what_to_do_and_one_that_is_not_there_says_so() {
    let mut model = bench::model(View::State);
    let text = bench::text(&mut model, 60, 20);
    has(&text, &["No key is chosen."]);
    has(&text, &["s on an event of the stream"]);
    bench::any_size(&mut model);
    bench::press(&mut model, Action::Open);
    assert!(
        matches!(model.overlays.last(), Some(Overlay::Prompt(p)) if p.kind == PromptKind::StateKey)
    );
    model.overlays.clear();
    assert!(fold_key(&mut model, "").is_err());
    typed(&mut model, "no\u{1b}[2J such");
    let text = bench::text(&mut model, 60, 20);
    has(&text, &["No event has the key"]);
    lacks(&text, "\u{1b}");
    bench::any_size(&mut model);
}

#[test]
fn a_flood_of_events_and_a_huge_value_stay_quick_and_within_bounds() {
    let mut model = bench::model(View::State);
    let values: Vec<String> = (0..100_000).map(|n| format!("{{\"n\":{n}}}")).collect();
    let mut events: Vec<(u32, i64, &str)> = Vec::new();
    events.extend(values.iter().map(|v| (0, 1, v.as_str())));
    let items = vec!["{\"a\":\"x\\u001b[2J\"}"; 50_000].join(",");
    let huge = format!(
        "{{\"items\":[{items}],\"text\":\"{}\"}}",
        "y".repeat(100_000)
    );
    events.push((0, 2, &huge));
    bench::take(&mut model, batch_of(&events));
    typed(&mut model, "order-1");
    let text = bench::text(&mut model, 100, 30);
    has(&text, &["100,001 of 100,001"]);
    let rows = model.state.page.as_ref().unwrap().rows.len();
    assert!((20_000..30_000).contains(&rows), "{rows}");
    bench::press(&mut model, Action::Bottom);
    has(
        &bench::text(&mut model, 100, 30),
        &["more of it is not shown"],
    );
    bench::press(&mut model, Action::Earlier);
    has(&bench::text(&mut model, 100, 30), &["100,000 of 100,001"]);
    bench::any_size(&mut model);
}

#[test]
fn a_person_who_scrubs_faster_than_the_work_sees_the_last_wish() {
    let mut model = bench::model(View::State);
    bench::take(
        &mut model,
        batch_of(&[
            (0, 1, "{\"a\":1}"),
            (0, 2, "{\"a\":2}"),
            (0, 3, "{\"a\":3}"),
        ]),
    );
    typed(&mut model, "order-1");
    let first = act(&mut model, Action::Earlier).unwrap();
    let second = act(&mut model, Action::Earlier).unwrap();
    assert!(second.is_empty());
    bench::run(&mut model, first);
    assert_eq!(model.state.page.as_ref().unwrap().step, 0);
    // Another read in the meantime: the answer is of no use.
    let effects = fold_key(&mut model, "order-1").unwrap();
    let _ = crate::tui::update::begin(&mut model);
    bench::run(&mut model, effects);
    assert!(model.state.folded.is_none());
}
