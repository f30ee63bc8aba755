//! What holds of every screen: no size makes it panic, no colour and no sign beyond ASCII is needed.

use ratatui::buffer::Buffer;
use ratatui::style::{Color, Modifier};

use super::stage::{Stage, options};
use super::{LAYERS, STATES, VIEWS, picture};
use crate::tui::model::View;
use crate::tui::theme::{Glyphs, Theme};

/// All views of the key map, those without a picture yet, too.
fn all_views() -> impl Iterator<Item = (View, String)> {
    let keys = (1..).map(|n: u32| n.to_string());
    View::ALL.iter().copied().zip(keys)
}

/// Each screen, once, with its name.
fn each(options: impl Fn() -> crate::tui::Options, mut look: impl FnMut(&str, &mut Stage)) {
    for (view, key) in all_views() {
        let mut stage = Stage::with("demo:", options());
        stage.press(&[&key]);
        look(view.name(), &mut stage);
    }
    for (view, keys) in VIEWS {
        let mut stage = Stage::with("demo:", options());
        stage.steps(keys);
        look(view.name(), &mut stage);
    }
    for (layer, steps) in LAYERS {
        let mut stage = Stage::with("demo:", options());
        stage.steps(steps);
        look(layer, &mut stage);
    }
}

#[test]
fn no_size_makes_a_screen_panic() {
    each(options, |_, stage| {
        for width in (1..=60).chain([80, 200]) {
            for height in (1..=20).chain([60]) {
                let buffer = stage.draw(width, height);
                assert_eq!(buffer.area.area(), u32::from(width) * u32::from(height));
            }
        }
        // A terminal can say that it has no cells at all.
        stage.draw(0, 0);
        stage.draw(0, 10);
        stage.draw(10, 0);
    });
}

#[test]
fn keys_are_taken_at_every_size() {
    for (width, height) in [(1, 1), (7, 3), (20, 5)] {
        each(options, |_, stage| {
            for key in [
                "j", "k", "G", "g", "pagedown", "pageup", "l", "h", "enter", "tab", "[",
            ] {
                stage.draw(width, height);
                stage.press(&[key]);
            }
            stage.draw(width, height);
        });
    }
}

#[test]
fn with_ascii_nothing_else_is_drawn() {
    let ascii = || crate::tui::Options {
        glyphs: Glyphs::of(true),
        ..options()
    };
    each(ascii, |name, stage| {
        for (width, height) in [(60, 20), (140, 50)] {
            let shown = picture::text(&stage.draw(width, height));
            let other = shown.chars().find(|c| !c.is_ascii());
            assert_eq!(other, None, "{name}:\n{shown}");
        }
    });
    for (state, stage) in STATES {
        let mut stage = stage();
        stage.model.options.glyphs = Glyphs::of(true);
        let shown = picture::text(&stage.draw(100, 30));
        assert!(shown.is_ascii(), "{state}:\n{shown}");
    }
}

/// Without colours the same text stands in the same place, and no cell has a colour.
#[test]
fn without_colours_nothing_is_missing() {
    let plain = || crate::tui::Options {
        theme: Theme::monochrome(),
        ..options()
    };
    let mut coloured: Vec<String> = Vec::new();
    each(options, |_, stage| {
        coloured.push(picture::text(&stage.draw(100, 30)));
    });
    let mut coloured = coloured.into_iter();
    each(plain, |name, stage| {
        // The picker of themes shows its choice at once, by design.
        let before = coloured.next().unwrap();
        if name == "themes" {
            return;
        }
        let buffer = stage.draw(100, 30);
        assert_eq!(picture::text(&buffer), before, "{name}");
        assert!(is_colourless(&buffer), "{name}");
    });
}

fn is_colourless(buffer: &Buffer) -> bool {
    let plain = |c| c == Color::Reset;
    buffer.content.iter().all(|c| plain(c.fg) && plain(c.bg))
}

/// The row that the keys act on can be found without colours.
#[test]
fn without_colours_the_cursor_is_seen() {
    let mut stage = Stage::with(
        "demo:",
        crate::tui::Options {
            theme: Theme::monochrome(),
            ..options()
        },
    );
    for keys in [&["2"][..], &["3"]] {
        stage.press(keys);
        let buffer = stage.draw(80, 24);
        let reversed = buffer
            .content
            .iter()
            .filter(|c| c.modifier.contains(Modifier::REVERSED));
        assert!(reversed.count() > 10, "{keys:?}");
    }
}
