//! What the screens look like: every view empty, with the demo in it, flooded and without its
//! broker, at three sizes; every layer over one of them. Drawn by the program's own way, `update`
//! and `render`, into a buffer that is compared as text.
//!
//! `INSTA_UPDATE=always cargo test screens` takes what is drawn now as right: look at the changes.

mod picture;
mod robust;
mod runs;
mod stage;

use std::time::Duration;

use stage::{Stage, options};

use crate::tui::fixture::batch_of;
use crate::tui::model::View;
use crate::tui::theme::Glyphs;

/// How each view is come to from the stream, whose cursor is on the newest event, and in which
/// states it is looked at. A view is added by a line.
const VIEWS: &[(View, &[&str])] = &[
    (View::Findings, &["1"]),
    (View::Stream, &[]),
    (View::Topics, &["3"]),
    (View::Lag, &["4"]),
    (View::Order, &["5"]),
    (View::Trace, &["x", "6"]),
    (View::State, &["s", "7"]),
    (View::Schemas, &["8"]),
    (View::Replay, &["r", "enter"]),
];

/// The layers, and the keys that open each over the stream: keys, or text after a `>`.
const LAYERS: &[(&str, &[&str])] = &[
    ("filter", &["/", ">order-456"]),
    ("filter_error", &["/", ">.value.amount >"]),
    ("filter_no_match", &["/", ">no such thing"]),
    ("palette", &[":"]),
    ("palette_narrowed", &[":", ">copy"]),
    ("palette_nothing", &[":", ">zzzz"]),
    ("help", &["?"]),
    ("help_narrowed", &["?", ">freeze"]),
    ("go_to", &["t"]),
    ("go_to_error", &["t", ">somewhere", "enter"]),
    ("mark_note", &["m", ">why"]),
    ("themes", &["ctrl-t", "down"]),
    ("sources", &["ctrl-o"]),
    ("sources_address", &["ctrl-o", ">another", "enter"]),
    ("saved_filters", &["F"]),
    ("columns", &["c"]),
    ("export", &["w"]),
    ("first_key", &["y"]),
    ("replay_target", &["r"]),
    ("detail_value", &["t", ">orders/0@7", "enter", "enter"]),
    (
        "detail_headers",
        &["t", ">orders/0@7", "enter", "enter", "tab"],
    ),
    ("detail_schema", &["enter", "tab", "tab"]),
    (
        "detail_raw",
        &["t", ">orders/0@7", "enter", "enter", "tab", "tab", "tab"],
    ),
    (
        "detail_hex",
        &[
            "t",
            ">orders/0@7",
            "enter",
            "enter",
            "tab",
            "tab",
            "tab",
            "tab",
        ],
    ),
    (
        "detail_trace",
        &["enter", "tab", "tab", "tab", "tab", "tab"],
    ),
    (
        "detail_undecodable",
        &["t", ">payments/1@24", "enter", "enter"],
    ),
    ("stream_invalid", &["t", ">orders/0@15", "enter"]),
    (
        "detail_schema_invalid",
        &["t", ">orders/0@15", "enter", "enter", "tab", "tab"],
    ),
    (
        "detail_failing_path",
        &["t", ">orders/0@15", "enter", "enter", "tab", "tab", "enter"],
    ),
    (
        "schemas_versions",
        // The first change of the demo is one of orders.
        &["8", "v"],
    ),
    (
        "schemas_versions_other",
        &["8", "v", "tab", "[", "]", "n", "n"],
    ),
    ("stream_undecodable", &["t", ">payments/1@24", "enter"]),
    ("diff", &["t", ">orders/0@7", "enter", "=", "j", "j", "="]),
    ("range", &["k", "k", "v", "k", "k"]),
    (
        "only_marked",
        &["m", "enter", "k", "k", "m", ">why", "enter", "M"],
    ),
];

const SIZES: [(u16, u16); 3] = [(80, 24), (120, 40), (60, 20)];

/// Makes a stage in some state.
type Make = fn() -> Stage;

/// The states that every view is looked at in.
const STATES: &[(&str, Make)] = &[
    ("empty", || Stage::with("demo:orders", none())),
    ("normal", || Stage::on("demo:")),
    ("flooded", flooded),
    ("failing", || Stage::on("prod")),
];

/// A selection that keeps nothing.
fn none() -> crate::tui::Options {
    let spec = crate::query::QuerySpec {
        where_: vec!["false".to_owned()],
        ..crate::query::QuerySpec::default()
    };
    crate::tui::Options {
        select: std::sync::Arc::new(crate::query::Query::compile(&spec).unwrap()),
        spec,
        selection: crate::replay::PlanSelection {
            where_: vec!["false".to_owned()],
            ..crate::replay::PlanSelection::default()
        },
        ..options()
    }
}

/// More than the buffer holds, some of it broken, in a few seconds.
fn flooded() -> Stage {
    let small = crate::tui::Options {
        memory: 512 << 10,
        ..options()
    };
    let mut stage = Stage::with("demo:orders", small);
    for second in 0..10_i64 {
        for tenth in 0..10_i64 {
            let first = 1_723_717_920_000 + second * 1000 + tenth * 100;
            let values: Vec<String> = (0..100)
                .map(|n| match n % 50 {
                    7 => "{\"cut\":".to_owned(),
                    _ => format!("{{\"second\":{second},\"n\":{}}}", tenth * 100 + n),
                })
                .collect();
            let events: Vec<(u32, i64, &str)> = (0..100_u32)
                .zip(&values)
                .map(|(n, value)| (n % 4, first + i64::from(n), value.as_str()))
                .collect();
            stage.batch(batch_of(&events));
        }
        stage.pass(Duration::from_secs(1));
    }
    stage
}

impl Stage {
    /// Keys, and texts that begin with `>`.
    fn steps(&mut self, steps: &[&str]) {
        for step in steps {
            match step.strip_prefix('>') {
                Some(text) if !text.is_empty() => self.write(text),
                _ => self.press(&[step]),
            }
        }
    }
}

fn name(view: View) -> String {
    view.name().to_lowercase()
}

#[test]
fn every_view_in_every_state() {
    for (view, keys) in VIEWS {
        for (state, stage) in STATES {
            let mut stage = stage();
            stage.steps(keys);
            let mut shown = String::new();
            for (width, height) in SIZES {
                let buffer = stage.draw(width, height);
                shown.push_str(&picture::titled(&buffer));
            }
            insta::assert_snapshot!(format!("{}_{state}", name(*view)), shown);
        }
    }
}

/// Where which style is: one state of each view, at one size.
#[test]
fn the_styles_of_every_view() {
    for (view, keys) in VIEWS {
        let mut stage = Stage::on("demo:");
        stage.steps(keys);
        let buffer = stage.draw(80, 24);
        insta::assert_snapshot!(format!("{}_styles", name(*view)), picture::styles(&buffer));
    }
}

#[test]
fn every_layer() {
    for (layer, steps) in LAYERS {
        let mut stage = Stage::on("demo:");
        stage.steps(steps);
        let mut shown = String::new();
        for (width, height) in [(80, 24), (60, 20)] {
            let buffer = stage.draw(width, height);
            shown.push_str(&picture::titled(&buffer));
        }
        insta::assert_snapshot!(format!("layer_{layer}"), shown);
    }
}

/// Freezing holds the view still, counts what comes, and says so; the filter works meanwhile.
#[test]
fn a_frozen_stream_counts_what_comes() {
    let mut stage = Stage::on("demo:");
    stage.press(&["space"]);
    for n in 0..5 {
        stage.batch(batch_of(&[(0, 1_723_717_921_000 + n, "{}")]));
    }
    let shown = picture::text(&stage.draw(80, 24));
    insta::assert_snapshot!("stream_frozen", shown);
    let before = shown.lines().nth(5).unwrap().to_owned();
    stage.press(&["space"]);
    let after = picture::text(&stage.draw(80, 24));
    assert!(after.contains("488 shown"), "{after}");
    assert_ne!(after.lines().nth(5), Some(&*before));
}

#[test]
fn production_is_told_in_every_view() {
    let mut stage = Stage::on("prod");
    for key in ["1", "2", "3", "4", "5", "6", "7", "8", "9"] {
        stage.press(&[key]);
        let shown = picture::text(&stage.draw(80, 24));
        assert!(shown.lines().next().unwrap().contains(" PROD"), "{shown}");
    }
    stage.model.options.glyphs = Glyphs::of(true);
    let shown = picture::text(&stage.draw(60, 20));
    assert!(shown.lines().next().unwrap().contains(" PROD"), "{shown}");
}
