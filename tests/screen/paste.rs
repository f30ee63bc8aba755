//! What is pasted is text for a field, never keys.

use std::time::{Duration, Instant};

use crate::pty::{Standing, Terminal};

fn stream() -> Terminal {
    let mut terminal = Terminal::evtap((80, 24), &["demo", "--frozen"]);
    terminal.until_text("483 shown");
    terminal.keys("2");
    terminal.until_text("topic/partition");
    terminal
}

#[test]
fn a_megabyte_in_the_filter_bar_is_cut_and_told_and_runs_no_key() {
    let mut terminal = stream();
    terminal.keys("/");
    terminal.until_text("filter /");
    let began = Instant::now();
    // As keys, it would end the screen, open the help, begin a replay.
    terminal.paste(&"q?r\n\x03".repeat(200_000));
    terminal.until_text("q?r");
    terminal.keys("\x15");
    terminal.until("an empty bar", |s| !s.contents().contains("q?r"));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(10), "{took:?}");
    // The bar is still open, and takes what is typed.
    terminal.keys("order-409");
    terminal.until_text("of 483 match");
    terminal.keys("\r");
    terminal.until("the strip", |s| !s.contents().contains("filter /"));
    assert_eq!(terminal.standing(), Standing::TAKEN);
}

#[test]
fn where_nothing_is_typed_it_does_nothing() {
    let mut terminal = stream();
    terminal.paste("q");
    terminal.until_text("pasted text has no place here");
    terminal.paste(&"xq3\r:".repeat(10_000));
    terminal.still();
    terminal.until_text("topic/partition");
    assert_eq!(terminal.standing(), Standing::TAKEN);
    // Keys are keys again.
    terminal.keys("3");
    terminal.until_text("partitions");
}

#[test]
fn control_characters_of_a_paste_are_shown_not_sent() {
    let mut terminal = stream();
    terminal.keys("/");
    terminal.until_text("filter /");
    let before = terminal.raw().len();
    terminal.paste("a\x07b\x1b]0;owned\x07c\u{202e}d");
    terminal.still();
    let wrote = &terminal.raw()[before..];
    crate::hostile::assert_harmless(wrote);
}
