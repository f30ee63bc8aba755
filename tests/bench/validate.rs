//! Validates lines of JSON by a JSON Schema in every way there is, and prints what an event takes.
//! Reading the file is not measured, parsing is.
//!
//! `cargo run --release --example bench-validate -- SCHEMA.json EVENTS.jsonl [ROUNDS]`
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::expect_used,
    reason = "a tool for developers, not a part of the program"
)]

use std::time::Instant;

use evtap::schema::json::{Bench, Faults, Validator};
use evtap::schema::{Language, Source};
use evtap::text::JsonText;
use serde_json::Value;

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(schema), Some(events)) = (args.next(), args.next()) else {
        eprintln!("usage: bench-validate SCHEMA.json EVENTS.jsonl [ROUNDS]");
        return;
    };
    let rounds = args.next().and_then(|rounds| rounds.parse().ok());
    let schema = std::fs::read_to_string(schema).expect("a schema");
    let events = std::fs::read(events).expect("events");
    let lines: Vec<&[u8]> = events.split(|byte| *byte == b'\n').collect();
    let lines: Vec<&[u8]> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    for _ in 0..rounds.unwrap_or(3) {
        round(&schema, &lines);
    }
}

fn compiled(schema: &Value) -> Validator {
    let source = Source {
        language: Language::Json,
        text: schema.to_string(),
        references: Vec::new(),
    };
    Validator::compile(&source, false).expect("a schema")
}

/// One line a way: its name, nanoseconds an event, events that are not valid.
fn round(schema: &str, lines: &[&[u8]]) {
    let mut schema: Value = serde_json::from_str(schema).expect("a schema");
    let native = compiled(&schema);
    let tree = jsonschema::validator_for(&schema).expect("a schema");
    // Means nothing, but is beyond the native judge.
    schema["propertyNames"] = Value::Bool(true);
    let library = compiled(&schema);
    assert!(native.is_native() && !library.is_native());

    let (mut bench, mut faults) = (Bench::default(), Faults::default());
    measure("parse", lines, |line| JsonText::parse(line).is_ok());
    for (name, validator) in [("native", &native), ("library", &library)] {
        measure(name, lines, |line| {
            let text = bench.read(line).expect("JSON");
            validator.check_read(text, &bench, &mut faults)
        });
    }
    let texts = lines
        .iter()
        .map(|line| JsonText::parse(line).expect("JSON"));
    let texts: Vec<JsonText<'_>> = texts.collect();
    measure("native, parsed before", &texts, |text| {
        native.check(*text, &mut bench, &mut faults)
    });
    measure("tree", lines, |line| {
        let event: Value = serde_json::from_slice(line).expect("JSON");
        tree.is_valid(&event)
    });
}

fn measure<T>(name: &str, events: &[T], mut is_valid: impl FnMut(&T) -> bool) {
    let started = Instant::now();
    let invalid = events.iter().filter(|event| !is_valid(event)).count();
    let took = started.elapsed().as_nanos() / events.len().max(1) as u128;
    println!("{name}\t{took}\t{invalid}");
}
