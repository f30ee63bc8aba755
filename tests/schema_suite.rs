//! The JSON Schema Test Suite by way of the command: every group of required cases of every draft
//! is a schema in a file and a file of JSON lines, and `evtap check` must find fault with exactly
//! the lines that the suite calls invalid.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends by panicking"
)]

mod support;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Read;
use std::path::Path;

use serde_json::Value;

/// Whose documents a group may refer to.
const REMOTE: &str = "localhost:1234";
/// The members that make a line more than a bare value.
const TAKEN: [&str; 6] = ["value", "key", "topic", "headers", "payload", "tstype"];

/// The lines of a file of the suite.
fn lines(name: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/json-schema-suite");
    let file = fs::File::open(folder.join(name).with_extension("jsonl.zst")).expect("a file");
    let mut text = String::new();
    ruzstd::decoding::StreamingDecoder::new(file)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// The documents that groups refer to, by the path at which a mirror of their server has them.
fn remotes() -> BTreeMap<String, String> {
    let remotes = lines("remotes").into_iter().map(|line| {
        let path = line["uri"].as_str().unwrap().strip_prefix("http://");
        (path.unwrap().to_owned(), line["schema"].to_string())
    });
    remotes.collect()
}

/// The schema as one that says itself which draft it is of.
fn schema(group: &Value, draft: &str) -> String {
    let mut schema = group["schema"].clone();
    if let Some(members) = schema.as_object_mut() {
        members.entry("$schema").or_insert_with(|| draft.into());
    }
    schema.to_string()
}

/// An instance as a line: as it is, or as the value of an event if it could be taken for one.
fn line(instance: &Value) -> String {
    let object = instance.as_object();
    if object.is_some_and(|members| TAKEN.iter().any(|name| members.contains_key(*name))) {
        format!("{{\"value\":{instance}}}\n")
    } else {
        format!("{instance}\n")
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// The lines that the command calls invalid, from 0; else what it said.
fn invalid(folder: &Path, events: usize) -> Result<BTreeSet<u64>, String> {
    let ran = support::evtap()
        .current_dir(folder)
        .args(["check", "--only", "schemas", "--schemas", "schema.json"])
        .args(["instances.jsonl", "-o", "json"])
        .output()
        .unwrap();
    let said = format!(
        "{:?} {}{}",
        ran.status.code(),
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    let report: Value = serde_json::from_slice(&ran.stdout).map_err(|_| said.clone())?;
    let mut found = BTreeSet::new();
    for finding in report["findings"].as_array().unwrap() {
        let at = finding["at"].as_str().unwrap_or_default();
        let offset = at.strip_prefix("instances/0@").and_then(|o| o.parse().ok());
        match offset {
            Some(offset) if finding["code"] == "schema.violation" => found.insert(offset),
            _ => return Err(said),
        };
    }
    let counts = &report["counts"];
    let whole = report["coverage"]["complete"] == true
        && counts["records"] == events
        && counts["undecodable"] == 0
        && counts["schema_violations"] == found.len()
        && ran.status.code() == Some(i32::from(!found.is_empty()));
    if whole { Ok(found) } else { Err(said) }
}

/// Runs all cases of a draft, which must be as many as that.
fn run(file: &str, draft: &str, cases: usize) {
    let remotes = remotes();
    let (mut right, mut wrong) = (0, Vec::new());
    for group in lines(file) {
        let place = tempfile::tempdir().unwrap();
        let schema = schema(&group, draft);
        if schema.contains(REMOTE) {
            for (path, text) in &remotes {
                write(place.path(), path, text);
            }
        }
        write(place.path(), "schema.json", &schema);
        let tests = group["tests"].as_array().unwrap();
        let instances: String = tests.iter().map(|test| line(&test["data"])).collect();
        write(place.path(), "instances.jsonl", &instances);

        let what = format!("{} · {}", group["file"], group["description"]);
        let found = match invalid(place.path(), tests.len()) {
            Ok(found) => found,
            Err(said) => {
                wrong.push(format!("{what}: {said}"));
                continue;
            }
        };
        for (number, test) in tests.iter().enumerate() {
            if Some(!found.contains(&(number as u64))) == test["valid"].as_bool() {
                right += 1;
            } else {
                wrong.push(format!("{what} · {}", test["description"]));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert_eq!(right, cases);
}

#[test]
fn draft_4_holds() {
    run("draft4", "http://json-schema.org/draft-04/schema#", 610);
}

#[test]
fn draft_6_holds() {
    run("draft6", "http://json-schema.org/draft-06/schema#", 829);
}

#[test]
fn draft_7_holds() {
    run("draft7", "http://json-schema.org/draft-07/schema#", 913);
}

#[test]
fn draft_2019_09_holds() {
    run(
        "draft2019-09",
        "https://json-schema.org/draft/2019-09/schema",
        1227,
    );
}

#[test]
fn draft_2020_12_holds() {
    run(
        "draft2020-12",
        "https://json-schema.org/draft/2020-12/schema",
        1257,
    );
}
