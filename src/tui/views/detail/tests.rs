//! The pane as a person uses it: keys in, text on the screen out.

use std::sync::Arc;
use std::time::{Duration, Instant};

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use super::*;
use crate::event::{
    BATCH_BYTES, BatchMeta, Compression, HeaderBuf, Headers, Position, PositionStyle, Stream,
    Timestamp, TimestampType, Visibility,
};
use crate::schema::Decoder;
use crate::tui::fixture::{batch_of, options};
use crate::tui::keymap::Chord;
use crate::tui::model::{Options, View};
use crate::tui::msg::Now;
use crate::tui::update::update;

const JSON: &str = r#"{"id":"ord-401","data":{"total":61.98,"items":[{"sku":"SKU-1"},{"sku":"SKU-2"}],"note":"caf\u00e9"},"ok":true}"#;

fn model() -> Model {
    let options = Options {
        follow: true,
        ..options()
    };
    let mut model = Model::new(options, View::Stream);
    model.size = (140, 40);
    model.stream.follow = false;
    model
}

fn with(batch: &Batch) -> Model {
    let mut model = model();
    model.feed.batch(batch, Duration::ZERO);
    crate::tui::views::settle(&mut model);
    model
}

fn with_values(values: &[&str]) -> Model {
    let events: Vec<_> = values.iter().zip(1..).map(|(v, t)| (0, t, *v)).collect();
    with(&batch_of(&events))
}

/// One event of its own making.
fn event_of(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    headers: Headers<'_>,
    meta: Option<&BatchMeta>,
) -> Batch {
    let streams: Arc<[Stream]> = Arc::new([Stream {
        topic: "orders".into(),
        partition: 0,
        style: PositionStyle::Offset,
    }]);
    let mut batch = Batch::new(streams.clone());
    let event = EventRef {
        stream: &streams[0],
        stream_index: 0,
        position: Position::offset(7),
        timestamp: Timestamp(1_723_717_800_000),
        timestamp_type: TimestampType::Create,
        key,
        value,
        headers,
        meta: None,
    };
    let meta = meta.map(|meta| batch.push_meta(*meta));
    batch.push_of_meta(&event, meta).unwrap();
    batch
}

/// Does what was asked of the world, until nothing is.
fn run(model: &mut Model, mut effects: Vec<Effect>) {
    for _ in 0..1000 {
        crate::tui::views::settle(model);
        effects.extend(model.stream.detail.take_pending());
        while let Some(scan) = model.feed.next_scan() {
            effects.push(Effect::Scan(scan));
        }
        if effects.is_empty() {
            return;
        }
        for effect in std::mem::take(&mut effects) {
            let msg = match effect {
                Effect::Work(work) => work(),
                Effect::Scan(scan) => Msg::Scanned {
                    generation: scan.generation,
                    found: crate::tui::effects::scan::search(&scan).unwrap(),
                },
                _ => continue,
            };
            effects.extend(update(model, Now::default(), msg));
        }
    }
    panic!("does not come to rest");
}

/// Presses keys; gives what was to be copied.
fn press(model: &mut Model, keys: &str) -> Option<(String, Vec<u8>)> {
    let mut copied = None;
    for key in keys.split(' ') {
        let event = match key {
            "enter" => KeyEvent::from(KeyCode::Enter),
            "tab" => KeyEvent::from(KeyCode::Tab),
            "backtab" => KeyEvent::new(KeyCode::BackTab, KeyModifiers::SHIFT),
            "esc" => KeyEvent::from(KeyCode::Esc),
            "left" => KeyEvent::from(KeyCode::Left),
            "right" => KeyEvent::from(KeyCode::Right),
            "ctrl-f" => KeyEvent::new(KeyCode::Char('f'), KeyModifiers::CONTROL),
            one => KeyEvent::from(KeyCode::Char(one.chars().next().unwrap())),
        };
        assert!(Chord::of(&event).to_string().len() < 12);
        let effects = update(model, Now::default(), Msg::Key(event));
        let mut rest = Vec::new();
        for effect in effects {
            match effect {
                Effect::Copy { what, bytes } => copied = Some((what, bytes)),
                other => rest.push(other),
            }
        }
        run(model, rest);
    }
    copied
}

fn type_in(model: &mut Model, text: &str) {
    for c in text.chars() {
        update(
            model,
            Now::default(),
            Msg::Key(KeyEvent::from(KeyCode::Char(c))),
        );
    }
    press(model, "enter");
}

/// The screen as text.
fn screen(model: &Model) -> String {
    let area = Rect::new(0, 0, model.size.0, model.size.1);
    let mut buffer = Buffer::empty(area);
    crate::tui::app::render(model, &mut buffer);
    let mut text = String::new();
    for y in 0..area.height {
        for x in 0..area.width {
            text.push_str(buffer[(x, y)].symbol());
        }
        text.push('\n');
    }
    text
}

fn assert_shows(model: &Model, parts: &[&str]) {
    let screen = screen(model);
    for part in parts {
        assert!(screen.contains(part), "no '{part}' in\n{screen}");
    }
}

fn filter(model: &Model) -> &str {
    model.feed.filter().map_or("", |f| f.text.as_str())
}

#[test]
fn a_value_of_json_is_a_tree_whose_branches_open_and_close() {
    let mut model = with_values(&[JSON]);
    press(&mut model, "enter");
    assert_eq!(model.stream.focus, Focus::Detail);
    assert_shows(
        &model,
        &["orders/0@0", "key order-1", "▾ data: {3}", "total: 61.98"],
    );
    press(&mut model, "j j left");
    assert_shows(&model, &["▸ data: {3}", ".value.data "]);
    press(&mut model, "right right");
    assert_shows(&model, &["▾ data: {3}", ".value.data.total  5 B"]);
    press(&mut model, "left");
    assert_shows(&model, &[".value.data  "]);
    press(&mut model, "C");
    assert!(!screen(&model).contains("total:"));
    press(&mut model, "E G");
    assert_shows(&model, &["sku: \"SKU-2\"", ".value.ok  4 B"]);
}

#[test]
fn a_field_becomes_a_column_and_a_filter() {
    let other = JSON.replace("61.98", "5");
    let mut model = with_values(&[JSON, &other, "not json"]);
    press(&mut model, "enter j j j p");
    assert_eq!(model.stream.columns, [".value.data.total"]);
    press(&mut model, "+");
    assert_eq!(filter(&model), ".value.data.total == 61.98");
    assert_eq!(model.feed.shown.len(), 1);
    press(&mut model, "-");
    assert_eq!(filter(&model), ".value.data.total != 61.98");
    assert_eq!(model.feed.shown.len(), 1);
    press(&mut model, "k k k j +");
    assert_eq!(
        filter(&model),
        ".value.data.total != 61.98 and .value.id == \"ord-401\""
    );
    crate::tui::update::overlays::set_filter(&mut model, "ord");
    run(&mut model, Vec::new());
    press(&mut model, "+");
    assert_eq!(filter(&model), ".value.id == \"ord-401\"");
    assert_shows(&model, &["in the place of 'ord', which is not jq"]);
    // A branch has no value that could be compared.
    press(&mut model, "k +");
    assert_shows(&model, &["choose a value"]);
}

#[test]
fn the_cursor_stays_on_a_field_while_one_goes_from_event_to_event() {
    let other = JSON.replace("61.98", "5");
    let mut model = with_values(&[JSON, &other, "[1,2,3,4,5,6]"]);
    press(&mut model, "enter j j j J");
    assert_shows(&model, &["── orders/0@1 ", ".value.data.total  1 B"]);
    press(&mut model, "J");
    assert_shows(&model, &["── orders/0@2 ", ".value  13 B"]);
    press(&mut model, "K K K");
    assert_shows(&model, &["── orders/0@0 "]);
    assert_eq!(model.stream.focus, Focus::Detail);
}

#[test]
fn what_is_under_the_cursor_is_copied() {
    let mut model = with_values(&[JSON]);
    let (_, all) = press(&mut model, "y v").unwrap();
    assert_eq!(all, JSON.as_bytes());
    let (_, all) = press(&mut model, "enter y v").unwrap();
    assert_eq!(all, JSON.as_bytes());
    let (what, one) = press(&mut model, "j y v").unwrap();
    assert_eq!((what.as_str(), &*one), (".value.id", &b"ord-401"[..]));
    let (what, branch) = press(&mut model, "j j j y v").unwrap();
    assert_eq!(what, ".value.data.items");
    assert_eq!(branch, br#"[{"sku":"SKU-1"},{"sku":"SKU-2"}]"#);
}

#[test]
fn tree_text_and_dump_point_at_the_same_bytes() {
    let mut model = with_values(&[JSON]);
    let total = JSON.find("61.98").unwrap();
    press(&mut model, "enter j j j backtab backtab");
    assert_shows(&model, &[&format!("value, byte {total} = 54")]);
    let detail = &model.stream.detail;
    let hex = detail.shown.as_ref().and_then(|s| s.hex.as_ref()).unwrap();
    assert_eq!(hex.hex.cursor().unwrap().section, VALUE);
    // On to the name of the next member, and back into the tree.
    press(
        &mut model,
        "right right right right right right right right tab tab",
    );
    assert_shows(&model, &[".value.data.items  "]);
    press(&mut model, "C tab tab tab tab G h h h enter");
    assert_shows(&model, &[".value.ok  4 B"]);
}

#[test]
fn a_text_is_found_in_each_tab() {
    let mut model = with_values(&[JSON]);
    press(&mut model, "enter C ctrl-f");
    type_in(&mut model, "sku-");
    assert_shows(&model, &[".value.data.items[0].sku"]);
    press(&mut model, "n");
    assert_shows(&model, &[".value.data.items[1].sku"]);
    press(&mut model, "n N");
    assert_shows(&model, &[".value.data.items[1].sku"]);
    press(&mut model, "tab tab tab tab n");
    let at = JSON.find("SKU-2").unwrap();
    assert_shows(&model, &[&format!("value, byte {at} = 83")]);
    press(&mut model, "ctrl-f");
    type_in(&mut model, "x");
    press(&mut model, "ctrl-f");
    for _ in 0..40 {
        let key = KeyEvent::from(KeyCode::Backspace);
        update(&mut model, Now::default(), Msg::Key(key));
    }
    type_in(&mut model, "nowhere");
    assert_shows(&model, &["'nowhere' is not in this tab"]);
}

#[test]
fn values_that_are_no_json_say_what_they_are() {
    for (value, parts) in [
        (None, &["A tombstone"][..]),
        (Some(&b""[..]), &["The value is empty"]),
        (
            Some(b"{\"a\":1,}"),
            &[
                "not JSON: expected a member name in quotes at byte 7",
                "{\"a\":1,}",
            ],
        ),
        (Some(b"plain\nwords"), &["plain ", "words"]),
        (
            Some(b"\xff\x00ab"),
            &["binary: not UTF-8 at byte 0", "ff 00 61 62"],
        ),
    ] {
        let mut model = with(&event_of(Some(b"k"), value, Headers::default(), None));
        press(&mut model, "enter");
        assert_shows(&model, parts);
    }
}

#[test]
fn headers_and_the_record_batch_are_told() {
    let mut block = HeaderBuf::default();
    block.push(b"type", Some(b"paid\x1b[2J"));
    block.push(b"none", None);
    let meta = BatchMeta {
        stream: 0,
        base_offset: 5,
        last_offset_delta: 4,
        leader_epoch: 2,
        crc: 1,
        compression: Compression::Lz4,
        timestamp_type: TimestampType::Create,
        transactional: true,
        max_timestamp: Timestamp(0),
        producer_id: 77,
        producer_epoch: 3,
        base_sequence: 9,
        records: 5,
        visibility: Visibility::Visible,
    };
    let batch = event_of(None, Some(b"{}"), block.as_headers(), Some(&meta));
    let mut model = with(&batch);
    press(&mut model, "enter tab");
    assert_shows(
        &model,
        &["Headers 2", "type  paid\\x1b[2J", "none  null", "key null"],
    );
    press(&mut model, "j +");
    assert_eq!(filter(&model), ".headers[\"none\"] == null");
    press(&mut model, "tab");
    assert_shows(
        &model,
        &["5 to 9, 5 records", "lz4", "77", "transactional     yes"],
    );
    press(&mut model, "tab tab tab");
    assert_shows(&model, &["the key is null"]);
}

#[test]
fn the_trace_leads_to_other_events_of_the_key() {
    let mut model = with(&batch_of(&[(0, 1000, "1"), (1, 3500, "2"), (2, 2000, "3")]));
    press(&mut model, "enter backtab");
    assert_shows(
        &model,
        &["this one", "+2.5 s", "+1.0 s", "3 events of this key"],
    );
    press(&mut model, "j j enter");
    assert_shows(&model, &["── orders/1@1 ", "-1.5 s"]);
    assert_eq!(model.stream.focus, Focus::Detail);
}

#[test]
fn two_events_are_compared_even_when_the_first_is_gone() {
    let other = JSON.replace("61.98", "5");
    let mut model = with_values(&[JSON, &other]);
    press(&mut model, "=");
    assert_shows(&model, &["A is orders/0@0"]);
    press(&mut model, "j =");
    assert_shows(
        &model,
        &[
            "A orders/0@0 → B orders/0@1",
            ".value.data.total: 61.98 → 5",
        ],
    );
    assert!(!screen(&model).contains("SKU-1\""));
    press(&mut model, "S");
    assert_shows(
        &model,
        &[
            "A orders/0@1 → B orders/0@0",
            ".value.data.total: 5 → 61.98",
        ],
    );
    press(&mut model, "A");
    assert_shows(&model, &["SKU-1"]);
    press(&mut model, "n n");
    press(&mut model, "esc");
    assert!(!screen(&model).contains("A orders"));
    assert_eq!(model.stream.focus, Focus::List);
    // The first one of another comparison goes with its read.
    press(&mut model, "k =");
    model.feed.restart();
    model
        .feed
        .batch(&batch_of(&[(3, 9, "[1]")]), Duration::ZERO);
    press(&mut model, "=");
    assert_shows(&model, &["A orders/0@0 → B orders/3@0"]);
    assert_eq!(
        press(&mut model, "S S A A n N g G left right enter tab"),
        None
    );
}

#[test]
fn an_event_compared_with_itself_is_none() {
    let mut model = with_values(&[JSON]);
    press(&mut model, "= =");
    assert_shows(&model, &["not compared any more"]);
    press(&mut model, "S");
    assert_shows(&model, &["nothing is compared"]);
}

#[test]
fn nothing_panics_at_any_size_in_any_tab() {
    let mut block = HeaderBuf::default();
    block.push("漢字\u{202e}".as_bytes(), Some(b"\xff\xfe"));
    let poison = "{\"note\":\"\u{1b}[2J\u{202e}txt.exe\u{9b}31m漢字漢字\",\"a\":[[[[[[1]]]]]]}";
    let valid = poison.replace(['\u{1b}', '\u{9b}'], "\\u001b");
    for value in [
        Some(valid.as_bytes()),
        Some(poison.as_bytes()),
        Some(b"\xff\0"),
        None,
    ] {
        let batch = event_of(Some(b"\x1b[2Jkey"), value, block.as_headers(), None);
        let mut model = with(&batch);
        press(&mut model, "enter");
        for _ in Tab::ALL {
            press(&mut model, "tab");
            for (width, height) in [
                (1, 1),
                (2, 3),
                (5, 4),
                (10, 6),
                (20, 9),
                (60, 20),
                (200, 60),
            ] {
                model.size = (width, height);
                run(&mut model, Vec::new());
                let screen = screen(&model);
                assert!(!screen.contains(['\u{1b}', '\u{202e}', '\u{9b}']));
                press(&mut model, "j G right left g k");
            }
        }
    }
}

#[test]
fn nothing_is_shown_where_there_is_no_event() {
    let mut model = model();
    press(&mut model, "enter = S A");
    model.stream.focus = Focus::Detail;
    press(
        &mut model,
        "tab j G enter + - p E C y v n left right tab tab tab tab enter",
    );
    assert_shows(&model, &["no event"]);
}

#[test]
fn the_pane_of_an_event_that_was_evicted_stays() {
    let mut model = with_values(&[JSON]);
    press(&mut model, "enter");
    let batch = model.stream.selected(&model.feed).unwrap();
    model.feed.restart();
    let area = Rect::new(0, 0, 80, 20);
    model.stream.detail.show(Some(batch), None, area);
    for tab in Tab::ALL {
        model.stream.detail.go_to(tab);
        let (feed, detail) = (&model.feed, &mut model.stream.detail);
        detail.build(feed, Duration::ZERO, &Decoder::default());
        screen(&model);
    }
}

#[test]
fn ten_megabytes_are_opened_by_another_thread_and_scrolled() {
    let item = r#"{"sku":"SKU-1","quantity":1,"price":30.99,"note":"needle"},"#;
    let mut value = String::from("[");
    while value.len() < 10 << 20 {
        value.push_str(item);
    }
    value.push_str("\"last\"]");
    assert!(value.len() > BATCH_BYTES);
    let mut model = with(&event_of(
        Some(b"k"),
        Some(value.as_bytes()),
        Headers::default(),
        None,
    ));
    model.stream.focus = Focus::Detail;
    let began = Instant::now();
    crate::tui::views::settle(&mut model);
    assert_shows(&model, &["reading 10 MiB"]);
    let first = began.elapsed();
    run(&mut model, Vec::new());
    assert_shows(&model, &["▾ [", "0: {4}"]);
    press(&mut model, "G");
    assert_shows(&model, &["\"last\""]);
    press(&mut model, "g ctrl-f");
    type_in(&mut model, "last");
    assert_shows(&model, &["\"last\"", ".value["]);
    press(&mut model, "tab tab tab G g tab G g tab");
    // Generous, as this is a build without optimisation.
    assert!(first < Duration::from_secs(10), "{first:?}");
    let took = began.elapsed();
    assert!(took < Duration::from_secs(90), "{took:?}");
}
