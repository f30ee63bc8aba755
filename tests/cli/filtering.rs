//! `--filter`: the text of the screen's filter bar on the command line.

use super::{evtap, out};

fn kept(flags: &[&str]) -> String {
    let base = [
        "read",
        "demo:",
        "-o",
        "template={topic}/{partition}@{offset}",
    ];
    out(&[&base[..], flags].concat())
}

#[test]
fn a_filter_selects_what_the_flags_of_the_same_meaning_select() {
    for (filter, flags) in [
        ("order-456", &["-i", "-F", "-g", "order-456"][..]),
        (
            "topic:orders key:order-456",
            &["-w", ".topic == \"orders\"", "-k", "order-456"],
        ),
        (
            "partition:1 /ORDER-4[0-4]/i",
            &["-p", "1", "-i", "-g", "order-4[0-4]"],
        ),
        ("-topic:orders", &["-w", ".topic != \"orders\""]),
        (".partition == 2", &["-w", ".partition == 2"]),
        (
            "key:order-45? -topic:order*",
            &[
                "-w",
                "(.key | strings | test(\"^order-45.$\")) and (.topic | startswith(\"order\") | not)",
            ],
        ),
    ] {
        let expected = kept(flags);
        assert!(!expected.is_empty(), "{flags:?} keep nothing");
        assert_eq!(kept(&["--filter", filter]), expected, "{filter}");
    }
}

#[test]
fn a_filter_holds_together_with_the_other_flags() {
    let both = kept(&[
        "--filter",
        "topic:orders",
        "--filter",
        "order-456",
        "-p",
        "0",
    ]);
    let flags = kept(&["-w", ".topic == \"orders\"", "-g", "order-456", "-p", "0"]);
    assert_eq!(both, flags);
    assert_ne!(both, kept(&["--filter", "topic:orders"]));
}

#[test]
fn a_mistake_is_drawn_with_a_caret_under_the_token() {
    for (filter, drawn) in [
        (
            "paid \"card",
            "evtap: --filter: the quote is not closed\n  paid \"card\n       ^\nhint: ",
        ),
        (
            ".value.n ==",
            "evtap: --filter: unexpected end: expected term\n  .value.n ==\n             ^\n",
        ),
        (
            "a /b(/",
            "evtap: --filter: unclosed group\n  a /b(/\n      ^\nhint: in double quotes",
        ),
    ] {
        let ran = evtap(&["read", "demo:", "--filter", filter]);
        assert_eq!(ran.code, Some(2), "{}", ran.err);
        assert!(ran.err.starts_with(drawn), "{}", ran.err);
        assert_eq!(ran.out, "");
    }
}

#[test]
fn a_filter_is_explained_and_part_of_a_plan() {
    let shown = out(&[
        "read",
        "demo:orders",
        "--filter",
        "paid -key:a*",
        "--explain",
    ]);
    let lines = "filter paid: text in any case over key, value and headers\n\
                 filter -key:a*: glob, left out\n";
    assert!(shown.ends_with(lines), "{shown}");
    let plan = |filter: &str| {
        let to = ["--to", "demo:copy", "--create-topic", "--dry-run"];
        let ran = evtap(&[&["replay", "demo:orders", "--filter", filter][..], &to].concat());
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        ran.err
    };
    let one = plan("order-456");
    assert!(one.contains("  select  --filter order-456\n"), "{one}");
    let id = |said: &str| said.lines().next().map(str::to_owned);
    assert_ne!(id(&one), id(&plan("order-45*")));
}
