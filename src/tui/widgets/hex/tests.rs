//! The dump by its keys, at every width, with all kinds of bytes.

use super::*;
use crate::tui::widgets::line::tests::POISON;
use proptest::prelude::*;

fn hex(sections: &[(&str, Option<&[u8]>)]) -> Hex {
    let sections = sections.iter().map(|(title, bytes)| Section {
        title: (*title).to_owned(),
        bytes: bytes.map(Arc::from),
    });
    Hex::new(sections.collect())
}

fn texts(hex: &Hex, columns: usize) -> Vec<String> {
    let rows = hex.len(per_row(columns));
    let lines = hex.rows(0..rows, columns, &Marks::UNICODE);
    lines.iter().map(Line::text).collect()
}

#[test]
fn bytes_stand_under_their_titles() {
    let hex = hex(&[
        ("key", None),
        ("value", Some(b"Hello, world\x00\x1b[2J\xff!")),
        ("trace", Some(b"")),
    ]);
    let last = format!("{:<60}J.!", "00000010  4a ff 21");
    assert_eq!(
        texts(&hex, 80),
        [
            "key  null",
            "value  19 B",
            "00000000  48 65 6c 6c 6f 2c 20 77  6f 72 6c 64 00 1b 5b 32  Hello, world..[2",
            &last,
            "trace  empty",
        ]
    );
    assert_eq!(
        texts(&hex, 50)[2],
        "00000000  48 65 6c 6c 6f 2c 20 77  Hello, w"
    );
    assert_eq!(texts(&hex, 30)[2], "00000000  48 65 6c 6c  Hell");
}

#[test]
fn the_widest_rows_fit_exactly() {
    let hex = hex(&[("v", Some(&[b'x'; 64]))]);
    for columns in [76, 75, 43, 42, 27] {
        let lines = texts(&hex, columns);
        assert!(lines[1].ends_with('x'), "{columns}: {lines:?}");
        assert!(lines[1].len() <= columns);
    }
}

#[test]
fn the_cursor_walks_over_titles_and_empty_sections() {
    let mut hex = hex(&[
        ("none", None),
        ("a", Some(&[1; 10])),
        ("empty", Some(b"")),
        ("b", Some(&[2; 20])),
    ]);
    let at = |section, at| Some(Place { section, at });
    assert_eq!(hex.cursor(), at(1, 0));
    for (motion, section, place) in [
        (Motion::Left, 1, 0),
        (Motion::Up(1), 1, 0),
        (Motion::RowEnd, 1, 7),
        (Motion::Down(1), 1, 9),
        (Motion::Right, 3, 0),
        (Motion::Left, 1, 9),
        (Motion::Down(1), 3, 1),
        (Motion::Down(99), 3, 17),
        (Motion::RowStart, 3, 16),
        (Motion::Last, 3, 19),
        (Motion::Right, 3, 19),
        (Motion::Up(2), 3, 3),
        (Motion::Up(1), 1, 9),
        (Motion::First, 1, 0),
    ] {
        hex.go(motion, 8);
        assert_eq!(hex.cursor(), at(section, place), "{motion:?}");
    }
}

#[test]
fn what_is_linked_is_marked_and_the_cursor_is_there() {
    let mut hex = hex(&[("value", Some(b"0123456789"))]);
    hex.link(0, 2..4);
    let lines = hex.rows(0..9, 80, &Marks::UNICODE);
    let marked = |tone| {
        let spans = lines[1].spans().iter().filter(|(t, _)| *t == tone);
        spans.map(|(_, text)| text.as_str()).collect::<Vec<_>>()
    };
    assert_eq!(marked(Tone::Cursor), ["32", "2"]);
    assert_eq!(marked(Tone::Match), ["33", "3"]);
    hex.unlink();
    assert_eq!(hex.cursor(), Some(Place { section: 0, at: 2 }));
}

#[test]
fn ten_megabytes_are_drawn_from_the_end() {
    let bytes = vec![7; 10 << 20];
    let hex = hex(&[("value", Some(&bytes))]);
    let rows = hex.len(16);
    assert_eq!(rows, 1 + (10 << 16));
    let lines = hex.rows(rows - 1..usize::MAX, 80, &Marks::UNICODE);
    assert!(lines[0].text().starts_with("009ffff0 "));
    assert_eq!(hex.rows(rows..rows + 5, 80, &Marks::UNICODE).len(), 0);
}

#[test]
fn nothing_at_all_is_shown_as_nothing() {
    let mut hex = hex(&[]);
    hex.go(Motion::Down(1), 0);
    hex.link(3, 0..9);
    assert_eq!((hex.cursor(), hex.len(0)), (None, 0));
}

proptest! {
    #[test]
    fn every_size_is_safe_and_rows_and_places_agree(
        parts in prop::collection::vec(prop::option::of(prop::collection::vec(any::<u8>(), 0..70)), 0..5),
        steps in prop::collection::vec((0..8u8, 0..5usize), 0..20),
        columns in 0..100usize,
    ) {
        let sections = parts.iter().map(|bytes| Section {
            title: POISON.to_owned(),
            bytes: bytes.as_deref().map(Arc::from),
        });
        let mut hex = Hex::new(sections.collect());
        let per_row = per_row(columns);
        for (kind, rows) in steps {
            hex.go(match kind {
                0 => Motion::Left,
                1 => Motion::Right,
                2 => Motion::Up(rows),
                3 => Motion::Down(rows),
                4 => Motion::RowStart,
                5 => Motion::RowEnd,
                6 => Motion::First,
                _ => Motion::Last,
            }, per_row);
            let some = parts.iter().flatten().any(|bytes| !bytes.is_empty());
            prop_assert_eq!(hex.cursor().is_some(), some);
            if let Some(place) = hex.cursor() {
                let row = hex.row_of(place, per_row);
                let start = hex.place_at(row, per_row).unwrap();
                prop_assert_eq!(start.section, place.section);
                prop_assert!((start.at..start.at + per_row).contains(&place.at));
            }
        }
        let lines = hex.rows(0..usize::MAX, columns, &Marks::UNICODE);
        prop_assert_eq!(lines.len(), hex.len(per_row));
        for line in lines {
            prop_assert!(line.width() <= columns && !line.is_hostile());
        }
    }
}
