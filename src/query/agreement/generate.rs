//! Random expressions of the native kind and around it, and random events with what makes JSON
//! odd: repeated names, escapes, large numbers, cut texts.

use proptest::prelude::*;
use proptest::sample::select;

use crate::event::{Decoding, Format, Position, PositionStyle, TimestampType};
use crate::query::samples::Sample;

const NAMES: [&str; 5] = ["a", "b", "x/y", "é", "base64"];
pub(super) const TEXTS: [&str; 10] = [
    "", "a", "Paid", "x/y", "q\"q", "b\\c", "é😀", "\u{1}\n", "paid in", "YWJj",
];
pub(super) const NUMBERS: [&str; 22] = [
    "0",
    "-0",
    "1",
    "-1",
    "500",
    "500.0",
    "5e2",
    "0.1",
    "0.10",
    "1e400",
    "-1e400",
    "-0.0",
    "9007199254740992",
    "9007199254740993",
    "9007199254740993.0",
    "9223372036854775807",
    "9223372036854775808",
    "-9223372036854775808",
    "-9223372036854775809",
    "123456789012345678901234567890",
    "1.5",
    "1E-400",
];
pub(super) const PATTERNS: [&str; 18] = [
    "a",
    "^a",
    "a$",
    "Pa.d",
    "^.$",
    "[a-c]+",
    "[^a]",
    "x/y",
    "\\d",
    "\\w+",
    "\\s",
    "p(a|b)?id",
    "",
    "a{1,2}",
    "\\.",
    "k",
    "[b-é]",
    "(",
];

/// A string as JSON or jq has it, some of it escaped.
pub(super) fn spelt(text: &str, escapes: u32) -> String {
    let mut out = "\"".to_owned();
    for (i, c) in text.chars().enumerate() {
        let escape = escapes >> (i % 32) & 1 == 1;
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '/' if escape => out.push_str("\\/"),
            c if c < ' ' || escape => {
                let mut units = [0; 2];
                let units = c.encode_utf16(&mut units).iter();
                out.extend(units.map(|unit| format!("\\u{unit:04x}")));
            }
            c => out.push(c),
        }
    }
    out + "\""
}

fn string() -> impl Strategy<Value = String> {
    (select(&TEXTS[..]), prop_oneof![Just(0u32), any::<u32>()])
        .prop_map(|(text, escapes)| spelt(text, escapes))
}

fn json() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        select(&["null", "true", "false"][..]).prop_map(str::to_owned),
        select(&NUMBERS[..]).prop_map(str::to_owned),
        string(),
        Just(r#""\ud83dx\ude00""#.to_owned()),
    ];
    let name = (
        select(&NAMES[..]),
        prop_oneof![3 => Just(0u32), 1 => any::<u32>()],
    )
        .prop_map(|(name, escapes)| spelt(name, escapes));
    leaf.prop_recursive(4, 24, 5, move |inner| {
        // Names repeat, as they must not but do.
        let fields = prop::collection::vec((name.clone(), inner.clone()), 0..6);
        let items = prop::collection::vec(inner, 0..3);
        prop_oneof![
            3 => fields.prop_map(|fields| {
                let fields = fields.iter().map(|(k, v)| format!("{k} :{v}"));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }),
            1 => items.prop_map(|items| format!("[{}]", items.join(","))),
        ]
    })
}

fn bytes() -> impl Strategy<Value = Option<Vec<u8>>> {
    prop_oneof![
        8 => json().prop_map(|json| Some(json.into_bytes())),
        1 => select(&TEXTS[..]).prop_map(|text| Some(text.as_bytes().to_vec())),
        1 => Just(Some(b"abc\xff".to_vec())),
        1 => json().prop_map(|json| Some(json.as_bytes()[..json.len() - 1].to_vec()))
            .prop_filter("UTF-8 or not", |_| true),
        1 => Just(None),
    ]
}

pub(super) fn sample() -> impl Strategy<Value = Sample> {
    let headers = prop::collection::vec((select(&NAMES[..]), bytes()), 0..4);
    let odd = prop::option::weighted(0.1, Just(b"n\xff".to_vec()));
    (bytes(), bytes(), headers, odd, any::<bool>(), any::<bool>()).prop_map(
        |(key, value, headers, odd, entry, untimed)| {
            let mut sample = Sample::of("");
            sample.key = key;
            sample.value = value;
            for (name, value) in &headers {
                sample.headers.push(name.as_bytes(), value.as_deref());
            }
            if let Some(odd) = odd {
                sample.headers.push(&odd, Some(b"a"));
            }
            if entry {
                sample.stream.style = PositionStyle::Entry;
                sample.position = Position {
                    major: 500,
                    minor: 1,
                };
            }
            if untimed {
                sample.timestamp_type = TimestampType::None;
            }
            sample
        },
    )
}

fn path() -> impl Strategy<Value = String> {
    let step = prop_oneof![
        6 => select(&NAMES[..]).prop_map(|name| format!("[{}]", spelt(name, 0))),
        1 => (0..2).prop_map(|i| format!("[{i}]")),
    ];
    let steps = prop::collection::vec(step, 0..3).prop_map(|steps| steps.concat());
    prop_oneof![
        12 => steps.prop_map(|steps| format!(".value{steps}")),
        1 => Just(".key".to_owned()),
        2 => select(&NAMES[..]).prop_map(|name| format!(".headers[{}]", spelt(name, 0))),
        2 => select(&[
            ".topic", ".partition", ".offset", ".timestamp", ".time", ".timestamp_type", ".",
            ".nothing", ".headers",
        ][..]).prop_map(str::to_owned),
    ]
}

fn constant() -> impl Strategy<Value = String> {
    prop_oneof![
        select(
            &[
                "null",
                "true",
                "false",
                "\"2024-08-15T10:30:43.000Z\"",
                "\"500-1\""
            ][..]
        )
        .prop_map(str::to_owned),
        select(&NUMBERS[..]).prop_map(str::to_owned),
        string().prop_map(|s| s.replace("\\u00e9", "é").replace("\\ud83d\\ude00", "😀")),
    ]
}

fn test() -> impl Strategy<Value = String> {
    let text = select(&TEXTS[..]).prop_map(|text| spelt(text, 0));
    prop_oneof![
        select(&["startswith", "endswith", "contains"][..])
            .prop_flat_map(move |f| text.clone().prop_map(move |text| format!("{f}({text})"))),
        (
            select(&PATTERNS[..]),
            select(&["", "; \"i\"", "; \"x\""][..])
        )
            .prop_map(|(re, flags)| format!("test({}{flags})", spelt(re, 0))),
        select(&NAMES[..]).prop_map(|name| format!("has({})", spelt(name, 0))),
        prop::collection::vec(constant(), 1..4).prop_map(|all| format!("IN({})", all.join(", "))),
        Just("not".to_owned()),
        Just("true".to_owned()),
    ]
}

pub(super) fn expression() -> impl Strategy<Value = String> {
    let compare = select(&["==", "!=", "<", "<=", ">", ">="][..]);
    let leaf = prop_oneof![
        3 => (path(), compare.clone(), constant()).prop_map(|(p, op, c)| format!("{p} {op} {c}")),
        1 => (path(), compare, constant()).prop_map(|(p, op, c)| format!("{c} {op} {p}")),
        3 => (path(), test()).prop_map(|(p, t)| format!("({p} | {t})")),
        1 => path(),
        // What the prefilter knows and the native evaluation does not.
        1 => (path(), constant()).prop_map(|(p, c)| format!("([{p}[]? | . == {c}] | any)")),
        1 => (path(), constant()).prop_map(|(p, c)| format!("any({p}[]?; . == {c})")),
        1 => (path(), constant()).prop_map(|(p, c)| format!("({p}? == {c})")),
        1 => (path(), constant()).prop_map(|(p, c)| format!("({p}[]? == {c})")),
    ];
    let whole = leaf.prop_recursive(3, 8, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("({l} and {r})")),
            (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("({l} or {r})")),
            (inner.clone(), inner.clone()).prop_map(|(l, r)| format!("{l} or {r} and {l}")),
            inner.clone().prop_map(|inner| format!("({inner} | not)")),
            inner.prop_map(|inner| format!("(select({inner}) | true)")),
        ]
    });
    let within = (path(), test(), test()).prop_map(|(p, s, t)| format!("{p} | ({s} and {t})"));
    prop_oneof![
        6 => whole.clone(),
        1 => within,
        1 => whole.clone().prop_map(|e| format!("select({e})")),
        1 => (path(), test()).prop_map(|(p, t)| format!("{p} | select({t})")),
        1 => (whole.clone(), whole).prop_map(|(l, r)| format!("select({l}) | {r}")),
    ]
}

pub(super) fn decoding() -> impl Strategy<Value = Decoding> {
    let format = || {
        prop_oneof![
            6 => Just(Format::Auto),
            1 => Just(Format::Json),
            1 => Just(Format::Text),
            1 => Just(Format::Binary),
        ]
    };
    (format(), format()).prop_map(|(key, value)| Decoding { key, value })
}
