//! Whole comparisons: what each part of an event tells, the sums, and how rows are drawn.

use super::*;
use crate::event::{HeaderBuf, Position, Stream, Timestamp, TimestampType};
use crate::tui::widgets::line::tests::{POISON, nasty};
use crate::tui::widgets::{Line, Marks, Tone};
use proptest::prelude::*;

struct Event {
    stream: Stream,
    offset: u64,
    time: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: HeaderBuf,
}

fn event(value: &[u8]) -> Event {
    Event {
        stream: Stream {
            topic: "orders".into(),
            partition: 0,
            style: PositionStyle::Offset,
        },
        offset: 7,
        time: 1000,
        key: Some(b"ord-1".to_vec()),
        value: Some(value.to_vec()),
        headers: HeaderBuf::default(),
    }
}

impl Event {
    fn get(&self) -> EventRef<'_> {
        EventRef {
            stream: &self.stream,
            stream_index: 0,
            position: Position::offset(self.offset),
            timestamp: Timestamp(self.time),
            timestamp_type: TimestampType::Create,
            key: self.key.as_deref(),
            value: self.value.as_deref(),
            headers: self.headers.as_headers(),
            meta: None,
        }
    }
}

fn options(all: bool, ignore: &[&str]) -> Options {
    Options {
        all,
        ignore: ignore.iter().map(|&pattern| pattern.to_owned()).collect(),
        decoder: Decoder::default(),
    }
}

fn texts(diff: &Diff) -> Vec<String> {
    let lines = diff.lines(0..usize::MAX, 100, &Marks::ASCII);
    lines
        .iter()
        .map(|line| line.text().trim_end().to_owned())
        .collect()
}

fn values(old: &str, new: &str) -> Diff {
    let (old, new) = (event(old.as_bytes()), event(new.as_bytes()));
    diff(&old.get(), &new.get(), &options(false, &[]))
}

#[test]
fn the_parts_of_an_event_are_told_apart() {
    let old = event(b"a");
    let mut new = event(b"a");
    new.stream.topic = "payments".into();
    new.stream.partition = 3;
    new.offset = 8;
    new.time = 2500;
    new.key = None;
    let diff = diff(&old.get(), &new.get(), &options(false, &[]));
    assert_eq!(
        texts(&diff),
        [
            "~ .topic: \"orders\" -> \"payments\"",
            "~ .partition: 0 -> 3",
            "~ .offset: 7 -> 8",
            "~ .time: 1970-01-01T00:00:01.000Z -> 1970-01-01T00:00:02.500Z  1.5 s later",
            "~ .key: text \"ord-1\" -> null",
        ]
    );
    assert_eq!(diff.summary().to_string(), "5 changed, 0 added, 0 removed");
}

#[test]
fn json_is_compared_by_structure() {
    let diff = values(
        r#"{"a":1,"gone":[1,2],"n":1.0,"list":[1,{"x":"old"},3],"same":{"y":[]},"k b":"\u00e9"}"#,
        r#"{"same":{ "y":[ ]},"n":1,"a":"1","list":[1,{"x":"new"}],"k b":"é","come":null}"#,
    );
    assert_eq!(
        texts(&diff),
        [
            "~ .value.a: 1 -> \"1\"",
            "- .value.gone: [1,2]",
            "= .value.n: 1.0 -> 1  the same number",
            "~ .value.list[1].x: \"old\" -> \"new\"",
            "- .value.list[2]: 3",
            "= .value[\"k b\"]: \"\\u00e9\" -> \"é\"  the same text",
            "+ .value.come: null",
        ]
    );
    assert_eq!(
        diff.summary().to_string(),
        "2 changed, 1 added, 2 removed, 2 in notation only"
    );
}

#[test]
fn repeated_names_stand_for_each_other_by_occurrence() {
    let diff = values(r#"{"a":1,"a":2,"a":3}"#, r#"{"a":1,"b":0,"a":9}"#);
    assert_eq!(
        texts(&diff),
        ["~ .value.a: 2 -> 9", "- .value.a: 3", "+ .value.b: 0"]
    );
    let same = values(r#"{"a":1,"\u0061":2}"#, r#"{"\u0061":1,"a":2}"#);
    assert!(same.summary().is_same(), "{:?}", texts(&same));
}

#[test]
fn what_is_the_same_is_told_when_asked_for() {
    let (old, new) = (
        event(br#"{"a":1,"b":{},"c":2}"#),
        event(br#"{"a":1,"b":{ },"c":3}"#),
    );
    let diff = diff(&old.get(), &new.get(), &options(true, &["*.c"]));
    assert_eq!(
        texts(&diff),
        [
            "  .topic: \"orders\"",
            "  .partition: 0",
            "  .offset: 7",
            "  .time: 1970-01-01T00:00:01.000Z",
            "  .key: \"ord-1\"",
            "  .value.a: 1",
            ". .value.c: 2 -> 3",
        ]
    );
    assert!(diff.summary().is_same());
    assert_eq!(diff.next(0, true), None);
}

#[test]
fn what_is_ignored_is_counted_and_not_told() {
    let mut new = event(br#"{"meta":{"at":2,"by":"y"},"n":2}"#);
    new.offset = 9;
    let old = event(br#"{"meta":{"at":1,"by":"x"},"n":1}"#);
    let diff = diff(
        &old.get(),
        &new.get(),
        &options(false, &[".offset", ".value.meta"]),
    );
    assert_eq!(texts(&diff), ["~ .value.n: 1 -> 2"]);
    assert_eq!(
        diff.summary().to_string(),
        "1 changed, 0 added, 0 removed, 2 ignored"
    );
}

#[test]
fn headers_are_told_apart_by_name_and_occurrence() {
    let (mut old, mut new) = (event(b""), event(b""));
    for (name, value) in [
        ("a", Some("1")),
        ("b", None),
        ("a", Some("2")),
        ("x y", Some("")),
    ] {
        old.headers.push(name.as_bytes(), value.map(str::as_bytes));
    }
    for (name, value) in [("b", Some("")), ("a", Some("1")), ("new", Some("\u{202e}"))] {
        new.headers.push(name.as_bytes(), value.map(str::as_bytes));
    }
    let found = diff(&old.get(), &new.get(), &options(false, &[]));
    assert_eq!(
        texts(&found),
        [
            "- .headers.a[1]: \"2\"",
            "~ .headers.b: null -> \"\"",
            "- .headers[\"x y\"]: \"\"",
            "+ .headers.new: \"\\u202e\"",
        ]
    );
    let mut turned = event(b"");
    for (name, value) in [
        ("b", None),
        ("x y", Some("")),
        ("a", Some("1")),
        ("a", Some("2")),
    ] {
        turned
            .headers
            .push(name.as_bytes(), value.map(str::as_bytes));
    }
    let found = diff(&old.get(), &turned.get(), &options(false, &[]));
    assert_eq!(texts(&found), ["= .headers  in another order"]);
}

#[test]
fn text_is_compared_by_lines_and_bytes_by_the_first_that_differs() {
    let diff = values("one\ntwo\nthree\n", "one\n2\nthree\nfour\n");
    assert_eq!(
        texts(&diff),
        [
            "- .value line 2: two",
            "+ .value line 2: 2",
            "+ .value line 4: four",
        ]
    );
    let (old, new) = (event(b"\xff\x00\x01"), event(b"\xff\x00\x02\x03"));
    let found = super::diff(&old.get(), &new.get(), &options(false, &[]));
    assert_eq!(
        texts(&found),
        ["~ .value: 01 (3 B) -> 02 03 (4 B)  from byte 2"]
    );
    let mut gone = event(b"");
    gone.value = None;
    let found = super::diff(&event(b"{}").get(), &gone.get(), &options(false, &[]));
    assert_eq!(texts(&found), ["~ .value: JSON {} -> null"]);
}

#[test]
fn long_values_are_shown_where_they_differ() {
    let long = "x".repeat(300);
    let diff = values(
        &format!("{{\"s\":\"{long}A\"}}"),
        &format!("{{\"s\":\"{long}B\"}}"),
    );
    assert_eq!(texts(&diff), ["~ .value.s: ~xxxxxxxxA\" -> ~xxxxxxxxB\""]);
    let diff = values(
        &format!("{{\"s\":\"A{long}\"}}"),
        &format!("{{\"s\":\"B{long}\"}}"),
    );
    let line = &diff.lines(0..1, 60, &Marks::UNICODE)[0];
    assert_eq!(line.width(), 60);
    assert!(line.text().contains("\"Axxx") && line.text().contains("→ \"Bxxx"));
}

#[test]
fn headers_that_are_no_text_are_shown_byte_by_byte() {
    let (mut old, mut new) = (event(b""), event(b""));
    old.headers.push(b"h", Some(b"ab\xff"));
    new.headers.push(b"h", Some(b"ab\xffcd\xfe"));
    let found = diff(&old.get(), &new.get(), &options(false, &[]));
    assert_eq!(texts(&found), ["~ .headers.h: ab\\xff -> ab\\xffcd\\xfe"]);
}

#[test]
fn a_flood_of_differences_is_counted_and_cut() {
    let numbers = |from: usize| {
        let items: Vec<String> = (from..from + 30_000).map(|i| i.to_string()).collect();
        format!("[{}]", items.join(","))
    };
    let diff = values(&numbers(0), &numbers(1));
    assert_eq!(diff.rows().len(), MOST_ROWS);
    assert_eq!(
        diff.summary().to_string(),
        "30,000 changed, 0 added, 0 removed; the first 20,000 are listed"
    );
    let deep = |inner: &str| "[".repeat(512) + inner + &"]".repeat(512);
    let diff = values(&deep("1"), &deep("2"));
    assert_eq!(diff.summary().changed, 1);
}

#[test]
fn the_next_difference_is_found_both_ways() {
    let (old, new) = (
        event(br#"{"a":1,"b":2,"c":3}"#),
        event(br#"{"a":0,"b":2,"c":0}"#),
    );
    let diff = diff(&old.get(), &new.get(), &options(true, &[]));
    assert_eq!(diff.next(0, true), Some(5));
    assert_eq!(diff.next(5, true), Some(7));
    assert_eq!(diff.next(7, true), None);
    assert_eq!(diff.next(7, false), Some(5));
    assert_eq!(diff.next(99, false), Some(7));
}

#[test]
fn tones_say_which_side_is_which() {
    let diff = values("1", "2");
    let line = &diff.lines(0..1, 80, &Marks::UNICODE)[0];
    assert!(line.spans().contains(&(Tone::Removed, "1".to_owned())));
    assert!(line.spans().contains(&(Tone::Added, "2".to_owned())));
}

fn payload() -> impl Strategy<Value = Vec<u8>> {
    let name = "[ab\u{202e}]{0,2}";
    prop_oneof![
        prop::collection::vec(any::<u8>(), 0..40),
        nasty().prop_map(String::into_bytes),
        Just(POISON.as_bytes().to_vec()),
        prop::collection::vec((name, nasty(), 0..3u8), 0..5).prop_map(|members| {
            let members = members.into_iter().map(|(name, text, number)| {
                let text = serde_json::to_string(&text).unwrap();
                let name = serde_json::to_string(&name).unwrap();
                format!("{name}:[{number},{text}]")
            });
            format!("{{{}}}", members.collect::<Vec<_>>().join(",")).into_bytes()
        }),
    ]
}

proptest! {
    #[test]
    fn an_event_is_the_same_as_itself_and_others_are_as_far_apart_both_ways(
        old in payload(),
        new in payload(),
        columns in 0..60usize,
        all in any::<bool>(),
    ) {
        let (mut a, mut b) = (event(&old), event(&new));
        a.headers.push(&new, Some(&old));
        b.headers.push(&old, Some(&new));
        let options = options(all, &[]);
        prop_assert!(diff(&a.get(), &a.get(), &options).summary().is_same());
        let there = diff(&a.get(), &b.get(), &options);
        let back = diff(&b.get(), &a.get(), &options);
        prop_assert_eq!(there.summary().is_same(), old == new);
        prop_assert_eq!(there.summary().changed, back.summary().changed);
        prop_assert_eq!(there.summary().added, back.summary().removed);
        for line in there.lines(0..usize::MAX, columns, &Marks::UNICODE) {
            prop_assert!(line.width() <= columns && !Line::is_hostile(&line), "{line:?}");
        }
    }
}
