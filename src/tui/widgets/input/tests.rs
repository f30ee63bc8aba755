//! The editor by its keys, with nasty pastes, at every width.

use super::*;
use crate::tui::widgets::line::tests::{POISON, nasty};
use proptest::prelude::*;

fn typed(edits: &[Edit<'_>]) -> Input {
    let mut input = Input::default();
    for edit in edits {
        input.apply(*edit);
    }
    input
}

#[test]
fn keys_edit_where_the_cursor_is() {
    let mut input = Input::new("one two  three");
    for (edit, text, cursor) in [
        (Edit::DeleteWord, "one two  ", 9),
        (Edit::WordLeft, "one two  ", 4),
        (Edit::Insert('X'), "one Xtwo  ", 5),
        (Edit::Backspace, "one two  ", 4),
        (Edit::Backspace, "onetwo  ", 3),
        (Edit::Delete, "onewo  ", 3),
        (Edit::WordRight, "onewo  ", 5),
        (Edit::DeleteToEnd, "onewo", 5),
        (Edit::Home, "onewo", 0),
        (Edit::Left, "onewo", 0),
        (Edit::Backspace, "onewo", 0),
        (Edit::Right, "onewo", 1),
        (Edit::DeleteToStart, "newo", 0),
        (Edit::End, "newo", 4),
        (Edit::Right, "newo", 4),
        (Edit::Delete, "newo", 4),
    ] {
        let before = input.text().to_owned();
        assert_eq!(input.apply(edit), before != text, "{edit:?}");
        assert_eq!((input.text(), input.cursor()), (text, cursor), "{edit:?}");
    }
}

#[test]
fn a_letter_goes_with_its_marks() {
    let mut input = Input::new("ae\u{301}❤\u{fe0f}");
    input.apply(Edit::Backspace);
    assert_eq!(input.text(), "ae\u{301}");
    input.apply(Edit::Left);
    assert_eq!(input.cursor(), 1);
    input.apply(Edit::Delete);
    assert_eq!(input.text(), "a");
}

#[test]
fn a_paste_becomes_one_line() {
    let input = typed(&[Edit::Paste("a\nb\r\nc\td\re")]);
    assert_eq!(input.text(), "a b c d e");
    assert!(!input.was_cut());
}

#[test]
fn a_huge_paste_is_cut_and_says_so() {
    let megabyte = "é".repeat(512 * 1024);
    let mut input = Input::new("start ");
    assert!(input.apply(Edit::Paste(&megabyte)));
    assert!(input.was_cut());
    assert!(input.text().len() <= MAX_BYTES && input.text().len() > MAX_BYTES - 2);
    assert!(input.text().starts_with("start é"));
    assert!(!input.apply(Edit::Insert('漢')));
    assert!(input.was_cut());
    input.apply(Edit::DeleteToStart);
    assert!(!input.was_cut());
}

#[test]
fn the_history_goes_back_and_returns_to_the_draft() {
    let mut input = Input::default().with_history(["a".to_owned(), "b".to_owned()]);
    input.apply(Edit::Paste("draft"));
    for (edit, text) in [
        (Edit::Older, "b"),
        (Edit::Older, "a"),
        (Edit::Older, "a"),
        (Edit::Newer, "b"),
        (Edit::Newer, "draft"),
        (Edit::Newer, "draft"),
    ] {
        input.apply(edit);
        assert_eq!(input.text(), text, "{edit:?}");
    }
    assert_eq!(input.submit(), "draft");
    input.apply(Edit::Paste("a"));
    assert_eq!(input.submit(), "a");
    input.submit();
    assert_eq!(input.history(), ["b", "draft", "a"]);
    assert!(input.is_empty());
}

#[test]
fn what_is_wrong_is_marked_until_the_next_edit() {
    let mut input = Input::new(".a == ]");
    input.set_error(Some(6..7));
    let wrong = |input: &Input| {
        let view = input.view(40);
        let spans = view.line.spans().to_vec();
        spans.into_iter().find(|(tone, _)| *tone == Tone::Error)
    };
    assert_eq!(wrong(&input), Some((Tone::Error, "]".to_owned())));
    input.apply(Edit::Left);
    assert!(wrong(&input).is_some());
    input.apply(Edit::Delete);
    assert_eq!(wrong(&input), None);
    input.set_error(Some(6..6));
    assert_eq!(wrong(&input), Some((Tone::Error, " ".to_owned())));
}

#[test]
fn a_long_text_is_shown_around_the_cursor() {
    let mut input = Input::new("0123456789abcdefghij");
    let shown = |input: &Input| {
        let view = input.view(10);
        (view.line.text(), view.cursor)
    };
    assert_eq!(shown(&input), ("fghij".to_owned(), 5));
    input.apply(Edit::Left);
    assert_eq!(shown(&input), ("abcdefghij".to_owned(), 9));
    input.apply(Edit::Home);
    assert_eq!(shown(&input), ("0123456789".to_owned(), 0));
}

#[test]
fn hostile_text_is_shown_and_still_there() {
    let input = Input::new(POISON);
    let view = input.view(400);
    assert!(!view.line.is_hostile());
    assert!(view.line.text().contains("\\u{202e}"));
    assert!(input.text().contains('\u{202e}'));
}

fn edit(kind: u8, text: &str) -> Edit<'_> {
    match kind {
        0 => Edit::Insert(text.chars().next().unwrap_or('x')),
        1 => Edit::Paste(text),
        2 => Edit::Backspace,
        3 => Edit::Delete,
        4 => Edit::DeleteWord,
        5 => Edit::DeleteToStart,
        6 => Edit::DeleteToEnd,
        7 => Edit::Left,
        8 => Edit::Right,
        9 => Edit::WordLeft,
        10 => Edit::WordRight,
        11 => Edit::Home,
        12 => Edit::Older,
        13 => Edit::Newer,
        _ => Edit::End,
    }
}

proptest! {
    #[test]
    fn the_cursor_stays_in_the_text_and_in_the_window(
        steps in prop::collection::vec((0..15u8, nasty()), 0..30),
        columns in 0..30usize,
    ) {
        let mut input = Input::default().with_history(["old é".to_owned()]);
        for (kind, text) in &steps {
            let before = input.text().to_owned();
            let changed = input.apply(edit(*kind, text));
            prop_assert!(changed || before == input.text());
            prop_assert!(input.text().is_char_boundary(input.cursor()));
            prop_assert!(!input.text().contains(['\n', '\r', '\t']));
            input.set_error(Some(text.len()..text.len() + 3));
            let view = input.view(columns);
            prop_assert!(view.cursor < columns.max(1));
            prop_assert!(view.line.width() <= columns, "{:?} in {}", view.line, columns);
            prop_assert!(!view.line.is_hostile());
        }
    }

    #[test]
    fn moving_left_and_right_comes_back(text in nasty()) {
        let mut input = Input::new(&text);
        let mut stops = vec![input.cursor()];
        while input.cursor() > 0 {
            input.apply(Edit::Left);
            stops.push(input.cursor());
        }
        for stop in stops.iter().rev() {
            prop_assert_eq!(input.cursor(), *stop);
            input.apply(Edit::Right);
        }
    }
}
