//! The tree against a parser, against our own jq, and against nasty and huge texts.

use super::*;
use crate::tui::widgets::line::tests::POISON;
use crate::tui::widgets::needle::Needle;
use crate::tui::widgets::{Line, Marks, Tone};
use proptest::prelude::*;

const DOC: &str = r#" {"id": 7, "data": {"a b": [1, 2.50, {"deep": null}], "ok": true},
 "dup": "x", "dup": "y", "q\"\\": "é", "empty": [], "none": {}} "#;

fn tree(text: &str) -> Tree {
    Tree::open(Arc::from(text.as_bytes())).unwrap()
}

fn all(tree: &Tree, columns: usize) -> Vec<Line> {
    tree.rows(0..tree.len(), columns, &Marks::UNICODE, None)
}

fn texts(tree: &Tree) -> Vec<String> {
    let text = |line: Line| format!("{}{}", " ".repeat(line.indent()), line.text());
    all(tree, 60).into_iter().map(text).collect()
}

fn row(tree: &Tree, has: &str) -> usize {
    texts(tree).iter().position(|t| t.contains(has)).unwrap()
}

fn find(tree: &mut Tree, text: &str, from: usize, direction: Direction) -> Option<usize> {
    let mut search = tree.search(Needle::new(text).unwrap(), from, direction);
    loop {
        match tree.step(&mut search) {
            Step::Found(row) => return Some(row),
            Step::NoMatch => return None,
            Step::Working => {}
        }
    }
}

#[test]
fn a_small_text_is_shown_whole_as_it_was_written() {
    assert_eq!(
        texts(&tree(DOC)),
        [
            "▾ {7}",
            "    id: 7",
            "  ▾ data: {2}",
            "    ▾ a b: [3]",
            "        0: 1",
            "        1: 2.50",
            "      ▾ 2: {1}",
            "          deep: null",
            "      ok: true",
            "    dup: \"x\"",
            "    dup: \"y\"",
            "    q\\\"\\\\: \"é\"",
            "  ▾ empty: [0]",
            "  ▾ none: {0}",
        ]
    );
    assert_eq!(
        texts(&tree("12345678901234567890.10")),
        ["  12345678901234567890.10"]
    );
}

#[test]
fn what_was_open_inside_opens_again() {
    let mut tree = tree(DOC);
    let before = texts(&tree);
    assert!(tree.toggle(2));
    assert_eq!(texts(&tree)[2..4], ["  ▸ data: {2}", "    dup: \"x\""]);
    assert_eq!(tree.is_open(2), Some(false));
    assert!(tree.toggle(2));
    assert_eq!(texts(&tree), before);
    assert!(!tree.toggle(1), "a scalar");
    assert!(!tree.toggle(99));
    assert!(!tree.set_open(2, true));
    tree.collapse_all();
    assert_eq!(tree.len(), 8);
    assert!(tree.expand_all());
    assert_eq!(texts(&tree), before);
}

#[test]
fn rows_know_their_parents_and_bytes() {
    let tree = tree(DOC);
    let deep = row(&tree, "deep");
    assert_eq!(tree.depth(deep), 4);
    assert_eq!(tree.parent(deep), Some(6));
    assert_eq!(tree.parent(6), Some(3));
    assert_eq!(tree.parent(0), None);
    assert_eq!(tree.value_bytes(3), br#"[1, 2.50, {"deep": null}]"#);
    assert_eq!(tree.value_bytes(row(&tree, "é")), "\"é\"".as_bytes());
    assert_eq!(tree.value_bytes(99), b"");
}

#[test]
fn a_byte_leads_to_the_value_around_it_and_back() {
    let mut tree = tree(DOC);
    for row in 0..tree.len() {
        let span = tree.span(row).unwrap();
        assert_eq!(tree.row_at(span.start), row);
        assert_eq!(tree.row_at(span.end - 1), row, "{row}");
    }
    let name = DOC.find("\"deep\"").unwrap();
    assert_eq!(tree.row_at(name + 2), 7);
    assert_eq!(tree.row_at(0), 0);
    assert_eq!(tree.row_at(usize::MAX), 0);
    tree.collapse_all();
    assert_eq!(tree.row_at(name), 2);
    assert_eq!(tree.reveal_byte(name), 7);
}

#[test]
fn a_path_is_quoted_where_it_must_be() {
    let tree = tree(DOC);
    for (has, path) in [
        ("deep", r#".value.data["a b"][2].deep"#),
        ("q\\\"", r#".value["q\"\\"]"#),
        ("▾ {7}", ".value"),
    ] {
        assert_eq!(tree.path(row(&tree, has), ".value"), path);
    }
    assert_eq!(tree.path(0, ""), ".");
    assert_eq!(tree.path(row(&tree, "a b"), ""), r#".data["a b"]"#);
    assert_eq!(tree.path(row(&tree, "q\\\""), ""), r#".["q\"\\"]"#);
}

#[test]
fn our_own_jq_finds_the_value_by_its_path() {
    use crate::event::{EventRef, Headers, Position, PositionStyle, Select, Stream, Verdict};
    use crate::event::{Timestamp, TimestampType};
    use crate::query::{Query, QuerySpec};
    let text = r#"{"a":{"b c":[10,{"é":11,"\u202e":12,"$x":13,"and":14,"1a":15,"\\(1)":16}]},"":17,
        "end":18,"a/b":19,"\ud83d\ude00":20,"\/":21}"#;
    let tree = tree(text);
    let stream = Stream {
        topic: "t".into(),
        partition: 0,
        style: PositionStyle::Offset,
    };
    let event = EventRef {
        stream: &stream,
        stream_index: 0,
        position: Position::ZERO,
        timestamp: Timestamp(0),
        timestamp_type: TimestampType::Create,
        key: None,
        value: Some(text.as_bytes()),
        headers: Headers::default(),
        meta: None,
    };
    let mut seen = 0;
    for row in (0..tree.len()).filter(|row| tree.is_open(*row).is_none()) {
        let value = str::from_utf8(tree.value_bytes(row)).unwrap();
        let condition = format!("{} == {value}", tree.path(row, ".value"));
        let spec = QuerySpec {
            where_: vec![condition.clone()],
            ..QuerySpec::default()
        };
        let verdict = Query::compile(&spec).unwrap().worker().test(&event);
        assert_eq!(verdict.unwrap(), Verdict::Keep, "{condition}");
        seen += 1;
    }
    assert_eq!(seen, 12);
}

#[test]
fn a_search_goes_round_and_opens_what_hides_a_hit() {
    let mut tree = tree(DOC);
    tree.collapse_all();
    let hit = find(&mut tree, "deep", 0, Direction::Forward).unwrap();
    assert_eq!(hit, row(&tree, "deep"));
    let first = find(&mut tree, "dup", 0, Direction::Forward).unwrap();
    let second = find(&mut tree, "dup", first, Direction::Forward).unwrap();
    assert_eq!(second, first + 1);
    assert_eq!(
        find(&mut tree, "dup", second, Direction::Forward),
        Some(first)
    );
    assert_eq!(
        find(&mut tree, "dup", first, Direction::Backward),
        Some(second)
    );
    assert_eq!(
        find(&mut tree, "2.50", second, Direction::Backward),
        Some(5)
    );
    assert_eq!(find(&mut tree, "absent", 0, Direction::Backward), None);
}

#[test]
fn a_search_finds_what_is_written_and_what_is_meant() {
    let mut tree = tree(r#"["gr\u00f6\u00dfe", "\u001b[2J", "\ud800 half"]"#);
    for (text, found) in [
        ("größe", Some(1)),
        ("\\u00f6", Some(1)),
        ("\u{1b}[2j", Some(2)),
        ("half", Some(3)),
    ] {
        assert_eq!(
            find(&mut tree, text, 0, Direction::Forward),
            found,
            "{text}"
        );
    }
}

#[test]
fn a_long_search_is_done_in_steps() {
    let text = format!("[{}\"last\"]", "\"0123456789abcdef\",".repeat(200_000));
    let mut tree = tree(&text);
    let mut search = tree.search(Needle::new("LAST").unwrap(), 0, Direction::Forward);
    assert_eq!(tree.step(&mut search), Step::Working);
    let mut search = tree.search(Needle::new("last").unwrap(), 0, Direction::Forward);
    let mut steps = 1;
    while tree.step(&mut search) == Step::Working {
        steps += 1;
    }
    assert!((5..100).contains(&steps), "{steps}");
}

#[test]
fn hits_are_marked() {
    let tree = tree(DOC);
    let needle = Needle::new("d").unwrap();
    let lines = tree.rows(2..3, 60, &Marks::UNICODE, Some(&needle));
    assert_eq!(lines[0].spans()[1], (Tone::Match, "d".to_owned()));
}

#[test]
fn long_strings_are_cut_and_tell_their_length() {
    let text = format!(
        "{{\"s\":\"{}\",\"n\":{}}}",
        "x".repeat(5000),
        "9".repeat(3000)
    );
    let tree = tree(&text);
    let lines = all(&tree, 40);
    assert_eq!(lines[1].text(), "  s: \"xxxxxxxxxxxxxxxxxxxxxxx… 4.9 KiB");
    assert_eq!(lines[1].width(), 40);
    assert!(lines[2].text().ends_with("99… 2.9 KiB"));
}

#[test]
fn the_poison_stays_in_its_bottle() {
    let quoted = serde_json::to_string(&format!("{POISON}\u{202e}")).unwrap();
    let raw = "{\"\u{202e}\u{9b}\":\"\u{7f}\u{200b}\"}";
    for text in [format!("{{{quoted}:{quoted}}}"), raw.to_owned()] {
        let mut tree = tree(&text);
        for columns in [0, 1, 7, 30, 300] {
            assert!(!all(&tree, columns).iter().any(Line::is_hostile));
        }
        assert!(!tree.path(1, ".value").contains(crate::text::is_hostile));
        assert!(find(&mut tree, "\u{202e}", 0, Direction::Forward).is_some());
    }
}

#[test]
fn what_is_no_tree_is_refused_and_deep_nesting_does_no_harm() {
    let open = |text: &str| Tree::open(Arc::from(text.as_bytes()));
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    for (text, message) in [
        ("{\"a\":", "not JSON: the text ends early at byte 5"),
        (&deep, "not JSON: nested deeper than 512 levels at byte 512"),
    ] {
        assert_eq!(open(text).unwrap_err().to_string(), message);
    }
    let mut tree = open(&("[".repeat(512) + &"]".repeat(512))).unwrap();
    assert!(tree.expand_all());
    assert_eq!((tree.len(), tree.depth(511)), (512, 511));
    assert!(all(&tree, 80).iter().all(|line| line.width() <= 80));
    assert_eq!(tree.path(511, ""), ".".to_owned() + &"[0]".repeat(511));
}

#[test]
fn a_wide_text_opens_closed_and_expands_within_bounds() {
    let item = r#"{"a":[1,2,3,4,5,6,7,8,9]}"#;
    let text = format!("{{\"items\":[{}0]}}", format!("{item},").repeat(60_000));
    let mut tree = tree(&text);
    assert_eq!(tree.len(), 2);
    tree.expand_all();
    assert!(
        tree.len() > MOST_ROWS - 20 && tree.len() <= MOST_ROWS,
        "{}",
        tree.len()
    );
    let last = tree.len() - 1;
    assert_eq!(tree.path(last, ""), ".items[60000]");
    assert_eq!(tree.rows(last..last + 9, 40, &Marks::ASCII, None).len(), 1);
    let hit = find(&mut tree, "9", last, Direction::Backward).unwrap();
    assert_eq!(tree.path(hit, ""), ".items[59999].a[8]");
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::{Map, Value};
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a\"\\\\é\u{202e}]{0,6}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::vec(("[a-c\"\\\\ :{,]{0,3}", inner), 0..6)
                .prop_map(|members| Value::from(members.into_iter().collect::<Map<_, _>>())),
        ]
    })
}

proptest! {
    #[test]
    fn every_row_is_a_value_of_the_text(value in json(), pretty in any::<bool>()) {
        let text = if pretty {
            serde_json::to_string_pretty(&value).unwrap()
        } else {
            value.to_string()
        };
        let mut tree = tree(&text);
        tree.expand_all();
        let mut count = 0;
        let mut waiting = vec![&value];
        while let Some(value) = waiting.pop() {
            count += 1;
            match value {
                serde_json::Value::Array(items) => waiting.extend(items),
                serde_json::Value::Object(members) => waiting.extend(members.values()),
                _ => {}
            }
        }
        prop_assert_eq!(tree.len(), count);
        for row in 0..count {
            let bytes = tree.value_bytes(row);
            prop_assert!(serde_json::from_slice::<serde_json::Value>(bytes).is_ok());
        }
    }

    #[test]
    fn rows_stay_right_whatever_is_opened_and_closed(
        value in json(),
        steps in prop::collection::vec(any::<prop::sample::Index>(), 0..20),
        columns in 0..50usize,
    ) {
        let mut tree = tree(&value.to_string());
        for step in steps {
            let row = step.index(tree.len());
            tree.toggle(row);
            let fresh = tree.shown_inside(0..tree.index.len());
            prop_assert_eq!(&tree.rows, &fresh);
            for line in all(&tree, columns) {
                prop_assert!(line.width() <= columns && !line.is_hostile());
            }
        }
    }
}
