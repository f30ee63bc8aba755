//! `evtap schema infer`: a JSON Schema for each topic and type of event, from the events.

use std::fs::File;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Map, Value};

use super::{close, feed};
use crate::cli::args::Select;
use crate::cli::error::{Exit, Failure, Result};
use crate::cli::examples;
use crate::cli::print::{pretty, print_json, print_lines};
use crate::cli::session::Session;
use crate::cli::topics::Report;
use crate::event::Batch;
use crate::inspect::infer::{Infer as Fold, InferReport, Inferred};
use crate::text::{self, human};

/// Make JSON Schemas of what the events look like, one for each topic and type of event
#[derive(Debug, Args)]
#[command(after_help = examples::SCHEMA_INFER)]
pub struct Infer {
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC, a capture file, or - for JSON lines
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub select: Select,
    /// Write TOPIC/TYPE.json files that --schemas DIR reads, instead of printing
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Let --out replace files that are there
    #[arg(long, requires = "out")]
    pub overwrite: bool,
    /// How to print: one JSON object by TOPIC/TYPE, in text with line breaks
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

pub async fn run(session: &Session, args: &Infer) -> Result<Exit> {
    // What is written here will be held against values as they are with a source of schemas.
    let decoder = session.decoder(&args.sources)?.detecting();
    let mut fold = Fold::decoded(decoder.looker());
    let mut take = |batch: &Batch| fold.batch(batch);
    let fed = feed(session, &args.sources, &args.select, &mut take).await?;
    let Some(outcome) = fed else {
        return Ok(Exit::Done);
    };
    let report = fold.report();
    match &args.out {
        Some(folder) => write(session, args, folder, &report)?,
        None => print(args, &report)?,
    };
    notes(session, &report);
    close(session, outcome, &args.select, Exit::Done)
}

/// What was left out.
fn notes(session: &Session, report: &InferReport) {
    for (number, what) in [
        (report.other, "values are no JSON, and say nothing"),
        (report.unkept, "events are of types beyond the first 1,024"),
        (
            report.undescribed,
            "values are allowed and not described, for want of room",
        ),
    ] {
        if number > 0 {
            session.say(&format!("{} {what}", human::count(number)));
        }
    }
}

fn name(one: &Inferred) -> String {
    match &one.kind {
        Some(kind) => format!("{}/{kind}", one.topic),
        None => one.topic.to_string(),
    }
}

fn print(args: &Infer, report: &InferReport) -> Result<Exit> {
    let all: Map<String, Value> = report
        .schemas
        .iter()
        .map(|one| (name(one), one.schema.clone()))
        .collect();
    let all = Value::Object(all);
    match args.output {
        Report::Json => print_json(&all),
        Report::Text => print_lines(pretty(&all).lines().map(str::to_owned)),
    }
}

fn write(session: &Session, args: &Infer, folder: &Path, report: &InferReport) -> Result<Exit> {
    let mut files = Vec::new();
    for one in &report.schemas {
        match path_of(one) {
            Some(path) => files.push((folder.join(path), one)),
            None => session.say(&format!(
                "left out, for it is no name of a file: {}",
                name(one)
            )),
        }
    }
    if !args.overwrite
        && let Some((path, _)) = files.iter().find(|(path, _)| path.exists())
    {
        return Err(exists(path));
    }
    for (path, one) in &files {
        write_one(path, &pretty(&one.schema), args.overwrite)?;
    }
    let many = human::count(files.len() as u64);
    session.say(&format!("{many} schemas are in {}", folder.display()));
    Ok(Exit::Done)
}

fn exists(path: &Path) -> Failure {
    Failure::usage(format!("{} is there already", path.display())).hint("--overwrite replaces it")
}

fn write_one(path: &Path, text: &str, overwrite: bool) -> Result<()> {
    let failed = |error: std::io::Error| {
        if error.kind() == ErrorKind::AlreadyExists {
            return exists(path);
        }
        Failure::usage(format!("cannot write {}: {error}", path.display()))
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut options = File::options();
    options.write(true);
    if overwrite {
        options.create(true).truncate(true);
    } else {
        options.create_new(true);
    }
    let mut file = options.open(path).map_err(failed)?;
    file.write_all(text.as_bytes()).map_err(failed)
}

/// Bytes of a part of a path; most file systems take 255.
const PART_BYTES: usize = 240;

/// Below the folder, as a folder of schemas is read again. `None` for names that no file should
/// have: topics and types are foreign text.
fn path_of(one: &Inferred) -> Option<PathBuf> {
    let part = |name: &str| {
        let part = name.replace('/', "%2F").replace('\\', "%5C");
        let fits = !part.is_empty()
            && part.len() <= PART_BYTES
            && !part.starts_with('.')
            && !part.contains(text::is_hostile);
        fits.then_some(part)
    };
    let topic = part(&one.topic)?;
    Some(match &one.kind {
        Some(kind) => Path::new(&topic).join(format!("{}.json", part(kind)?)),
        None => PathBuf::from(format!("{topic}.json")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hostile_names_make_no_path_out_of_the_folder() {
        let of = |topic: &str, kind: Option<&str>| {
            let one = Inferred {
                topic: topic.into(),
                kind: kind.map(Into::into),
                events: 1,
                schema: Value::Null,
            };
            path_of(&one).map(|path| path.display().to_string())
        };
        for (topic, kind, path) in [
            ("orders", None, Some("orders.json")),
            (
                "orders",
                Some("com.acme/Placed"),
                Some("orders/com.acme%2FPlaced.json"),
            ),
            ("orders", Some("../../x"), None),
            ("..", Some("x"), None),
            ("", None, None),
            ("a\\b", None, Some("a%5Cb.json")),
            ("/etc", Some("passwd"), Some("%2Fetc/passwd.json")),
            ("a", Some("b\u{1b}[2J"), None),
            ("a", Some("\u{202e}b"), None),
        ] {
            assert_eq!(of(topic, kind).as_deref(), path, "{topic} {kind:?}");
        }
        assert_eq!(of("a", Some(&"k".repeat(300))), None);
    }

    #[test]
    fn what_is_printed_on_many_lines_is_safe_and_the_same_json() {
        let schema = serde_json::json!({"title": "a\u{1b}[2J\u{202e}\n\"", "b": [1, {}]});
        let text = pretty(&schema);
        assert!(text.lines().count() > 3);
        assert!(!text.replace('\n', "").contains(text::is_hostile), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), schema);
    }
}
