//! The JSON Schema Test Suite: every required case of every draft, by way of the text of the
//! schema and the text of the event, as they come from a registry and a topic.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends by panicking"
)]

use std::fs::File;
use std::io::Read;
use std::path::Path;

use evtap::schema::json::{Bench, Faults, Validator};
use evtap::schema::{Language, Reference, Source};
use evtap::text::JsonText;
use serde_json::Value;

/// The lines of a file of the suite.
fn lines(name: &str) -> Vec<Value> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/json-schema-suite");
    let file = File::open(folder.join(name).with_extension("jsonl.zst")).expect("a file");
    let mut text = String::new();
    ruzstd::decoding::StreamingDecoder::new(file)
        .unwrap()
        .read_to_string(&mut text)
        .unwrap();
    let lines = text.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

fn remotes() -> Vec<Reference> {
    let reference = |line: &Value| Reference {
        name: line["uri"].as_str().unwrap().to_owned(),
        text: line["schema"].to_string(),
    };
    lines("remotes").iter().map(reference).collect()
}

/// The schema as one that says itself which draft it is of.
fn source(schema: &Value, draft: &str, remotes: &[Reference]) -> Source {
    let mut schema = schema.clone();
    if let Some(members) = schema.as_object_mut() {
        let named = members.entry("$schema");
        named.or_insert_with(|| draft.into());
    }
    let text = schema.to_string();
    let elsewhere = text.contains("localhost:1234");
    Source {
        language: Language::Json,
        text,
        references: if elsewhere {
            remotes.to_vec()
        } else {
            Vec::new()
        },
    }
}

/// Runs all cases of a draft, which must be as many as that.
fn run(file: &str, draft: &str, cases: usize) {
    let remotes = remotes();
    let (mut bench, mut faults) = (Bench::default(), Faults::default());
    let (mut right, mut wrong) = (0, Vec::new());
    for group in lines(file) {
        let what = format!("{} · {}", group["file"], group["description"]);
        let validator = match Validator::compile(&source(&group["schema"], draft, &remotes), false)
        {
            Ok(validator) => validator,
            Err(error) => {
                wrong.push(format!("{what}: {error}"));
                continue;
            }
        };
        for test in group["tests"].as_array().unwrap() {
            let text = test["data"].to_string();
            let text = JsonText::parse(text.as_bytes()).unwrap();
            let valid = validator.check(text, &mut bench, &mut faults);
            if Some(valid) == test["valid"].as_bool() && valid == faults.list().is_empty() {
                right += 1;
            } else {
                wrong.push(format!("{what} · {}: {faults:?}", test["description"]));
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
