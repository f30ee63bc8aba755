//! The rules of the house, read off the source: imports point down, what only one room may name,
//! and the shape of every file. `docs/architecture.md` says why.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends by panicking"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// The rooms, from the top. A room may use those below it, never one above.
const ROOMS: &[&str] = &[
    "cli", "tui", "output", "replay", "inspect", "pipeline", "query", "schema", "broker", "event",
    "text", "config",
];

/// Neighbours that know nothing of each other, although one stands above the other.
const STRANGERS: &[(&str, &str)] = &[("output", "replay")];

/// What is named in one place only: the first word of a path, and where that is.
const ONLY_IN: &[(&str, &str)] = &[
    ("clap", "cli/"),
    ("clap_complete", "cli/"),
    ("clap_mangen", "cli/"),
    ("indicatif", "cli/"),
    ("ratatui", "tui/"),
    ("crossterm", "tui/"),
    ("rdkafka", "broker/kafka/"),
    ("rdkafka_sys", "broker/kafka/"),
    ("kafka_protocol", "broker/kafka/direct/"),
    ("redis", "broker/redis/"),
    ("mcap", "broker/capture/"),
    ("jaq_core", "query/"),
    ("jaq_std", "query/"),
    ("jaq_json", "query/"),
    ("sonic_rs", "query/"),
    ("regex", "query/"),
    ("jsonschema", "schema/"),
    ("apache_avro", "schema/"),
    ("prost_reflect", "schema/"),
    ("serde_saphyr", "schema/sources/"),
    ("ureq", "schema/sources/registry/"),
    ("snap", "event/codec/"),
    ("crc32c", "event/codec/"),
];

/// A file of more lines holds more than one thing.
const LONGEST: usize = 600;

/// A source file, with its path below `src` or `tests`.
struct File {
    path: String,
    text: String,
}

impl File {
    /// The first folder; `None` for files that stand above the rooms.
    fn room(&self) -> Option<&str> {
        let stem = self.path.strip_suffix(".rs").unwrap_or(&self.path);
        let room = stem.split('/').next().unwrap_or(stem);
        ROOMS.iter().find(|known| **known == room).copied()
    }

    /// The adapter's folder under `broker`, for files that are in one.
    fn adapter(&self) -> Option<&str> {
        let (adapter, file) = self.path.strip_prefix("broker/")?.split_once('/')?;
        (!file.is_empty()).then_some(adapter)
    }

    /// How many modules this file's own is below the crate: `super` as often leads to the crate.
    fn depth(&self) -> usize {
        let folders = self.path.matches('/').count();
        folders + usize::from(!self.path.ends_with("/mod.rs"))
    }
}

/// All Rust files below the folder of that name. Finding none is a failure, not a success.
fn files(folder: &str) -> Vec<File> {
    let least = if folder == "src" { 20 } else { 3 };
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut paths = Vec::new();
    walk(&root, &mut paths);
    let files: Vec<File> = paths
        .into_iter()
        .map(|path| File {
            text: fs::read_to_string(&path).unwrap(),
            path: path
                .strip_prefix(&root)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/"),
        })
        .collect();
    let found = files.len();
    assert!(
        found >= least,
        "only {found} Rust files in {}",
        root.display()
    );
    files
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap_or_else(|error| panic!("{}: {error}", folder.display()))
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// The code without its comments, on one line: an import may be broken over several.
fn code(text: &str) -> String {
    text.lines()
        .map(|line| {
            // A URL in a string has a colon in front of its slashes.
            let comment = line
                .match_indices("//")
                .find(|(at, _)| !line[..*at].ends_with(':'));
            comment.map_or(line, |(at, _)| &line[..at]).trim()
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

/// Paths below the crate that the code names, inner words of a group multiplied out:
/// `crate::{a::b, c}` is `a::b` and `c`. A chain of `super` that leads to the crate counts too.
fn crate_paths(file: &File) -> Vec<String> {
    let code = code(&file.text);
    let mut paths = Vec::new();
    for (at, _) in code.match_indices("crate::") {
        if !code[..at].ends_with(|c| is_word(c) || c == '$') {
            expand(&code[at + "crate::".len()..], "", &mut paths);
        }
    }
    let up = "super::".repeat(file.depth());
    for (at, _) in code.match_indices(&up) {
        if !code[..at].ends_with(|c: char| is_word(c) || c == ':') {
            let mut found = Vec::new();
            expand(code[at..].trim_start_matches("super::"), "", &mut found);
            // In an inline module the chain ends one below the crate: no room is named then.
            found.retain(|path| ROOMS.contains(&first(path)));
            paths.append(&mut found);
        }
    }
    paths
}

/// Reads one path, or a group of them, off the front of `code`; what is left of it is returned.
fn expand<'a>(code: &'a str, prefix: &str, paths: &mut Vec<String>) -> &'a str {
    let code = code.trim_start();
    if let Some(mut rest) = code.strip_prefix('{') {
        loop {
            rest = rest.trim_start();
            if let Some(rest) = rest.strip_prefix('}') {
                return rest;
            }
            let before = rest.len();
            rest = expand(rest, prefix, paths);
            rest = rest.trim_start().trim_start_matches(',');
            assert!(rest.len() < before, "cannot read the import at: {rest:.60}");
        }
    }
    let end = code.find(|c| !is_word(c)).unwrap_or(code.len());
    let (word, mut rest) = code.split_at(end);
    let path = if prefix.is_empty() {
        word.to_owned()
    } else {
        format!("{prefix}::{word}")
    };
    if let Some(deeper) = rest.strip_prefix("::") {
        if deeper.starts_with(|c| is_word(c) || c == '{') {
            return expand(deeper, &path, paths);
        }
        rest = deeper.strip_prefix('*').unwrap_or(deeper);
    }
    if let Some(renamed) = rest.trim_start().strip_prefix("as ") {
        rest = renamed.trim_start_matches(|c| is_word(c) || c == ' ');
    }
    if word.is_empty() {
        // `crate::*` names every room at once.
        rest = rest.strip_prefix('*').unwrap_or(rest);
    }
    paths.push(path);
    rest
}

fn first(path: &str) -> &str {
    path.split("::").next().unwrap_or(path)
}

/// What the imports of a file break.
fn broken_arrows(file: &File) -> Vec<String> {
    let Some(room) = file.room() else {
        return Vec::new();
    };
    let rank = |room: &str| ROOMS.iter().position(|known| *known == room);
    let mut broken = Vec::new();
    for path in crate_paths(file) {
        let target = first(&path);
        let Some(below) = rank(target) else {
            broken.push(format!("{}: `crate::{path}` names no room", file.path));
            continue;
        };
        let strangers = STRANGERS
            .iter()
            .any(|&(a, b)| (room, target) == (a, b) || (room, target) == (b, a));
        if Some(below) < rank(room) || strangers {
            broken.push(format!("{}: {room} may not use crate::{path}", file.path));
        }
    }
    broken
}

/// The other adapters that a file of one names.
fn adapters_named(file: &File, adapters: &[String]) -> Vec<String> {
    let Some(own) = file.adapter() else {
        return Vec::new();
    };
    let code = code(&file.text);
    let up = "super::".repeat(file.depth() - 1);
    let mut broken = Vec::new();
    for other in adapters.iter().filter(|other| *other != own) {
        let by_name = crate_paths(file)
            .iter()
            .any(|path| path.starts_with(&format!("broker::{other}")));
        if by_name || code.contains(&format!("{up}{other}::")) {
            broken.push(format!("{}: {own} may not use {other}", file.path));
        }
    }
    broken
}

/// True when the code names a path that begins with this word.
fn names(code: &str, word: &str) -> bool {
    let starts = |at: usize| !code[..at].ends_with(|c: char| is_word(c) || c == ':');
    let with_path = |after: &str| after.starts_with("::") || after.starts_with("::{");
    code.match_indices(word).any(|(at, _)| {
        let after = &code[at + word.len()..];
        let imported = code[..at].ends_with("use ") && !after.starts_with(is_word);
        starts(at) && (with_path(after) || imported)
    })
}

fn assert_none(broken: &[String]) {
    assert!(broken.is_empty(), "\n  {}\n", broken.join("\n  "));
}

#[test]
fn imports_point_down() {
    let broken: Vec<String> = files("src").iter().flat_map(broken_arrows).collect();
    assert_none(&broken);
}

#[test]
fn adapters_do_not_know_each_other() {
    let files = files("src");
    let mut adapters: Vec<String> = files
        .iter()
        .filter_map(|file| file.adapter().map(str::to_owned))
        .collect();
    adapters.dedup();
    assert!(adapters.len() >= 2, "{adapters:?}");
    let broken: Vec<String> = files
        .iter()
        .flat_map(|file| adapters_named(file, &adapters))
        .collect();
    assert_none(&broken);
}

#[test]
fn what_has_one_place_is_named_there_only() {
    let mut broken = Vec::new();
    for file in files("src") {
        let code = code(&file.text);
        for (word, place) in ONLY_IN {
            if !file.path.starts_with(place) && names(&code, word) {
                broken.push(format!(
                    "{}: {word} is named in src/{place} only",
                    file.path
                ));
            }
        }
        if file.path != "main.rs" && code.contains("process::exit") {
            broken.push(format!("{}: only main.rs ends the process", file.path));
        }
    }
    assert_none(&broken);
}

#[test]
fn every_file_says_what_it_holds_and_is_short() {
    let mut broken = Vec::new();
    for folder in ["src", "tests"] {
        for File { path, text } in files(folder) {
            if !text.starts_with("//! ") {
                broken.push(format!("{folder}/{path}: the first line is not `//! …`"));
            }
            let lines = text.lines().count();
            if lines > LONGEST {
                broken.push(format!("{folder}/{path}: {lines} lines, {LONGEST} at most"));
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn lints_are_expected_with_a_reason_never_allowed() {
    // Put together here, so that this file does not find itself.
    let attribute = ["allow", "("].concat();
    let mut broken = Vec::new();
    for folder in ["src", "tests"] {
        for file in files(folder) {
            let code = code(&file.text);
            for opening in ["#[", "#![", ", "] {
                if code.contains(&format!("{opening}{attribute}")) {
                    broken.push(format!(
                        "{folder}/{}: use #[expect(…, reason = …)]",
                        file.path
                    ));
                    break;
                }
            }
        }
    }
    assert_none(&broken);
}

#[test]
fn every_room_of_the_crate_is_on_the_list() {
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/lib.rs")).unwrap();
    let modules: Vec<&str> = map
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    assert!(modules.len() >= 5, "{modules:?}");
    for module in &modules {
        assert!(ROOMS.contains(module), "`{module}` has no place in ROOMS");
    }
    let listed: Vec<&str> = ROOMS
        .iter()
        .copied()
        .filter(|r| modules.contains(r))
        .collect();
    assert_eq!(modules, listed, "src/lib.rs lists the rooms from the top");
}

#[test]
fn the_rules_notice_what_breaks_them() {
    let file = |path: &str, text: &str| File {
        path: path.to_owned(),
        text: text.to_owned(),
    };
    for (path, text) in [
        ("event/batch.rs", "use crate::broker::Broker;"),
        (
            "event/codec/mod.rs",
            "fn f() { crate::text::g(crate::query::h()) }",
        ),
        (
            "event/batch.rs",
            "use crate::{\n    text::Safe, // a comment\n    cli::{args},\n};",
        ),
        ("broker/mod.rs", "use super::cli::Args;"),
        (
            "broker/kafka/source.rs",
            "use super::super::super::query::Jq;",
        ),
        ("output/jsonl.rs", "use crate::replay::Plan;"),
        ("replay/plan.rs", "use crate::output::Format;"),
        ("text/mod.rs", "use crate::helpers::Any;"),
        ("event/batch.rs", "use crate::*;"),
    ] {
        assert_eq!(broken_arrows(&file(path, text)).len(), 1, "{path}: {text}");
    }
    for (path, text) in [
        ("main.rs", "use evtap::cli;"),
        (
            "cli/read.rs",
            "use crate::{event::{Batch, Timestamp as Time}, pipeline};",
        ),
        (
            "event/batch.rs",
            "use super::Headers; // not crate::broker::Headers",
        ),
        ("event/codec/tests.rs", "use super::*; pub(crate) fn f() {}"),
        ("broker/demo/mod.rs", "use super::{Broker, Source};"),
    ] {
        assert_none(&broken_arrows(&file(path, text)));
    }

    let adapters = ["demo".to_owned(), "kafka".to_owned()];
    for text in [
        "use crate::broker::kafka::Client;",
        "use super::super::kafka::Client;",
    ] {
        assert_eq!(
            adapters_named(&file("broker/demo/log.rs", text), &adapters).len(),
            1
        );
    }
    let own = "use crate::broker::demo::Log; use super::Log;";
    assert_none(&adapters_named(&file("broker/demo/log.rs", own), &adapters));

    for (code, named) in [
        ("use redis::Client;", true),
        ("fn f() -> redis::Result<()>", true),
        ("use redis;", true),
        ("super::redis::ADAPTER", false),
        ("pub mod redis;", false),
        ("name: \"redis\"", false),
        ("use my_redis::Client;", false),
    ] {
        assert_eq!(names(code, "redis"), named, "{code}");
    }
}
