//! `evtap schema show`: the schemas of topics, their versions and fields, and what differs between
//! two versions.

use std::io::Write;

use clap::Args;
use serde_json::{Value, json};

use super::json_of;
use super::listing::{self, Line, OfTopic};
use crate::cli::error::{Exit, Failure, Result};
use crate::cli::examples;
use crate::cli::print::{closed_is_done, print_json, print_lines, print_table};
use crate::cli::session::Session;
use crate::cli::topics::Report;
use crate::output::{Align, Table};
use crate::schema::outline::{Change, Difference, Field, differences, outline};
use crate::schema::sources::{Answer, Known, Listed};

/// Show the schemas of topics: where they are, their versions, their fields
#[derive(Debug, Args)]
#[command(after_help = examples::SCHEMA_SHOW)]
pub struct Show {
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC or a capture file [default: the default
    /// context, or demo:]
    #[arg(value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// Show this version instead of the newest
    #[arg(long, value_name = "N", conflicts_with = "diff")]
    pub version: Option<u32>,
    /// Tell what differs between two versions; without numbers the last two
    #[arg(long, value_name = "N", num_args = 0..=2)]
    pub diff: Option<Vec<u32>>,
    /// Print the text of the schemas
    #[arg(long, conflicts_with = "diff")]
    pub raw: bool,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

pub async fn run(session: &Session, args: &Show) -> Result<Exit> {
    let pair = args.diff.as_deref().map(pair).transpose()?;
    let sources = match args.sources.as_slice() {
        [] => vec![match session.config.default_context()? {
            Some(context) => context.name.clone(),
            None => "demo:".to_owned(),
        }],
        named => named.to_vec(),
    };
    let (decoder, found) = listing::list(session, &sources).await?;
    let place = decoder
        .schemas()
        .map_or_else(String::new, |schemas| schemas.catalog().describe());
    if found.iter().all(|topic| topic.schemas.is_empty()) {
        let names: Vec<&str> = found.iter().map(|topic| &*topic.topic).collect();
        let message = format!("there is no schema of {}: {place}", names.join(", "));
        let hint = "--schemas names another place: a registry, a folder, an AsyncAPI document";
        return Err(Failure::new(Exit::Broker, message).hint(hint));
    }
    if let Some(pair) = pair {
        return diff(args, &found, pair);
    }
    if let Some(version) = args.version
        && found.iter().all(|topic| chosen(args, topic).is_empty())
    {
        return Err(no_such_version(&found, version));
    }
    if args.raw && args.output == Report::Text {
        return raw(session, args, &found);
    }
    let whole = found.iter().flat_map(|topic| &topic.schemas);
    let mut whole = whole.filter(|listed| listed.answer.known().is_none());
    let exit = whole.next().map_or(Exit::Done, |_| Exit::Partial);
    if args.output == Report::Json {
        let topics: Vec<Value> = found.iter().map(|topic| as_json(args, topic)).collect();
        print_json(&json!({ "schemas": place, "topics": topics }))?;
        return Ok(exit);
    }
    session.say(&format!("schemas: {place}"));
    for topic in &found {
        text(session, args, topic)?;
    }
    Ok(exit)
}

/// The two versions to compare; none: the last two.
fn pair(numbers: &[u32]) -> Result<Option<(u32, u32)>> {
    match *numbers {
        [] => Ok(None),
        [from, to] => Ok(Some((from, to))),
        _ => Err(Failure::usage("--diff takes two versions, or none")
            .hint("write --diff 1 2, or --diff behind the source for the last two")),
    }
}

/// The newest of each line, or the version that is asked for.
fn chosen<'a>(args: &Show, topic: &'a OfTopic) -> Vec<(Line<'a>, &'a Known)> {
    let choose = |line: Line<'a>| {
        let known = match args.version {
            Some(version) => line.known().find(|k| k.version == Some(version)),
            None => line.known().next_back(),
        };
        Some((line, &**known?))
    };
    topic.lines().into_iter().filter_map(choose).collect()
}

/// None of the topics has the version that is asked for.
fn no_such_version(found: &[OfTopic], version: u32) -> Failure {
    let lines = found.iter().flat_map(|topic| {
        let lines = topic.lines().into_iter();
        lines.map(|line| format!("{} has {}", line.name(&topic.topic), versions(&line)))
    });
    let lines: Vec<String> = lines.collect();
    Failure::usage(format!("there is no version {version}")).hint(lines.join("; "))
}

fn versions(line: &Line<'_>) -> String {
    let numbers = line.known().filter_map(|known| known.version);
    let numbers: Vec<String> = numbers.map(|n| n.to_string()).collect();
    match numbers.as_slice() {
        [] => "no numbered versions".to_owned(),
        [one] => format!("only version {one}"),
        several => format!("versions {}", several.join(", ")),
    }
}

fn raw(session: &Session, args: &Show, found: &[OfTopic]) -> Result<Exit> {
    let texts = found.iter().flat_map(|topic| chosen(args, topic));
    let texts: Vec<&str> = texts.map(|(_, known)| &*known.source.text).collect();
    if session.stdout_is_terminal {
        let lines = texts.iter().flat_map(|text| text.lines());
        return print_lines(lines.map(str::to_owned));
    }
    let mut out = std::io::stdout().lock();
    for text in texts {
        let end = if text.ends_with('\n') { "" } else { "\n" };
        if let Err(error) = write!(out, "{text}{end}") {
            return closed_is_done(&error);
        }
    }
    Ok(Exit::Done)
}

fn text(session: &Session, args: &Show, topic: &OfTopic) -> Result<Exit> {
    let chosen = chosen(args, topic);
    if topic.schemas.is_empty() {
        return print_lines([format!("{}: no schema", topic.topic), String::new()]);
    }
    print_lines([topic.topic.clone()])?;
    let mut table = Table::new(&[
        ("VERSION", Align::Right),
        ("ID", Align::Right),
        ("OF", Align::Left),
        ("TYPE", Align::Left),
        ("SUBJECT", Align::Left),
        ("LANGUAGE", Align::Left),
        ("WHERE", Align::Left),
    ]);
    for listed in &topic.schemas {
        table.row(row(listed));
    }
    print_table(session, &table)?;
    for (line, known) in chosen {
        let version = known.version.map(|n| format!(", version {n}"));
        let title = format!("{}{}", line.name(&topic.topic), version.unwrap_or_default());
        print_lines([String::new(), title])?;
        match outline(&known.source) {
            Ok(fields) => print_table(session, &of_fields(&fields))?,
            Err(error) => print_lines([format!("it cannot be used: {error}")])?,
        };
    }
    print_lines([String::new()])
}

fn row(listed: &Listed) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    let known = listed.answer.known();
    vec![
        or_dash(known.and_then(|k| Some(k.version?.to_string()))),
        or_dash(known.and_then(|k| Some(k.id.as_ref()?.to_string()))),
        listed.side.word().to_owned(),
        or_dash(listed.event_type.clone()),
        or_dash(known.and_then(|k| k.subject.clone())),
        or_dash(known.map(|k| k.source.language.name().to_owned())),
        known.map_or_else(|| why(&listed.answer), |k| k.origin.clone()),
    ]
}

/// Why a schema cannot be had.
fn why(answer: &Answer) -> String {
    match answer {
        Answer::Unavailable(why) => format!("cannot be had: {why}"),
        Answer::Pending => "cannot be had: no answer in time".to_owned(),
        Answer::Missing => "is not there any longer".to_owned(),
        Answer::Found(_) => String::new(),
    }
}

fn of_fields(fields: &[Field]) -> Table {
    let mut table = Table::new(&[
        ("FIELD", Align::Left),
        ("TYPE", Align::Left),
        ("REQUIRED", Align::Left),
        ("DEFAULT", Align::Left),
        ("WHEN", Align::Left),
    ]);
    for field in fields {
        table.row([
            field.path.as_str(),
            &field.kind,
            match field.required {
                Some(true) => "yes",
                Some(false) => "no",
                None => "-",
            },
            field.default.as_deref().unwrap_or("-"),
            &field.when,
        ]);
    }
    table
}

fn as_json(args: &Show, topic: &OfTopic) -> Value {
    let asked = |listed: &&Listed| {
        let version = listed.answer.known().and_then(|known| known.version);
        args.version.is_none() || args.version == version
    };
    let schemas = topic.schemas.iter().filter(asked).map(|listed| {
        let known = listed.answer.known();
        let mut error = known.is_none().then(|| why(&listed.answer));
        let fields = known.map(|known| outline(&known.source));
        let fields = match fields {
            Some(Ok(fields)) => Some(fields.iter().map(field_json).collect::<Vec<_>>()),
            Some(Err(why)) => {
                error = Some(why.to_string());
                None
            }
            None => None,
        };
        let mut object = json!({
            "side": listed.side.word(),
            "event_type": listed.event_type,
            "subject": known.and_then(|k| k.subject.as_deref()),
            "version": known.and_then(|k| k.version),
            "id": known.and_then(|k| Some(k.id.as_ref()?.to_string())),
            "language": known.map(|k| k.source.language.name()),
            "origin": known.map(|k| k.origin.as_str()),
            "fields": fields,
            "error": error,
        });
        if args.raw {
            object["text"] = json!(known.map(|k| k.source.text.as_str()));
        }
        object
    });
    json!({ "topic": topic.topic, "schemas": schemas.collect::<Vec<_>>() })
}

fn field_json(field: &Field) -> Value {
    json!({
        "path": field.path,
        "type": field.kind,
        "required": field.required,
        "default": json_of(field.default.as_ref()),
        "when": (!field.when.is_empty()).then_some(&field.when),
    })
}

/// What differs between two versions of each line that has them.
fn diff(args: &Show, found: &[OfTopic], numbers: Option<(u32, u32)>) -> Result<Exit> {
    let mut said = Vec::new();
    let mut lines = Vec::new();
    for topic in found {
        for line in topic.lines() {
            let Some((old, new)) = two(&line, numbers) else {
                continue;
            };
            let of = |known: &Known| {
                outline(&known.source).map_err(|error| {
                    Failure::from(error).on(format!("{} {}", line.name(&topic.topic), known.origin))
                })
            };
            let changes = differences(&of(old)?, &of(new)?);
            said.push(json!({
                "topic": topic.topic,
                "side": line.side.word(),
                "event_type": line.event_type,
                "subject": line.subject,
                "from": old.version,
                "to": new.version,
                "differences": changes.iter().map(difference_json).collect::<Vec<_>>(),
            }));
            lines.push(in_words(&line.name(&topic.topic), old, new, &changes));
        }
    }
    if lines.is_empty() {
        return Err(nothing_to_compare(found, numbers));
    }
    match args.output {
        Report::Json => print_json(&json!({ "diffs": said })),
        Report::Text => print_lines(lines.into_iter().flatten()),
    }
}

fn two<'a>(line: &Line<'a>, numbers: Option<(u32, u32)>) -> Option<(&'a Known, &'a Known)> {
    let Some((from, to)) = numbers else {
        let mut newest = line.known().rev();
        let new = newest.next()?;
        return Some((newest.next()?, new));
    };
    let of = |number| line.known().find(|known| known.version == Some(number));
    Some((of(from)?, of(to)?))
}

fn nothing_to_compare(found: &[OfTopic], numbers: Option<(u32, u32)>) -> Failure {
    match numbers {
        Some((from, to)) => {
            let missing = found.iter().flat_map(OfTopic::lines).all(|line| {
                let mut numbers = line.known().filter_map(|known| known.version);
                !numbers.any(|number| number == from)
            });
            no_such_version(found, if missing { from } else { to })
        }
        None => Failure::usage("there are no two versions to compare").hint(
            "a registry keeps versions; two files are compared by evtap schema compat NEW OLD",
        ),
    }
}

fn in_words(name: &str, old: &Known, new: &Known, changes: &[Difference]) -> Vec<String> {
    let number = |known: &Known| known.version.map_or("?".to_owned(), |n| n.to_string());
    let title = format!("{name}: version {} to {}", number(old), number(new));
    if changes.is_empty() {
        let same = old.source.text == new.source.text;
        let what = if same {
            "the same text"
        } else {
            "the same fields; the texts differ"
        };
        return vec![format!("{title}: {what}")];
    }
    let each = changes.iter().map(|one| {
        let sign = match one.change {
            Change::Added { .. } => '+',
            Change::Removed { .. } => '-',
            _ => '~',
        };
        let when = match one.when.as_str() {
            "" => String::new(),
            when => format!(" (when {when})"),
        };
        format!("  {sign} {}{when} {}", one.path, one.change)
    });
    std::iter::once(title).chain(each).collect()
}

fn difference_json(one: &Difference) -> Value {
    let (from, to) = match &one.change {
        Change::Added { kind, .. } => (Value::Null, json!(kind)),
        Change::Removed { kind, .. } => (json!(kind), Value::Null),
        Change::Type { from, to } => (json!(from), json!(to)),
        Change::Required(now) => (json!(!now), json!(now)),
        Change::Default { from, to } => (json_of(from.as_ref()), json_of(to.as_ref())),
    };
    let required = match &one.change {
        Change::Added { required, .. } | Change::Removed { required, .. } => *required,
        Change::Required(now) => Some(*now),
        _ => None,
    };
    json!({
        "path": one.path,
        "when": (!one.when.is_empty()).then_some(&one.when),
        "change": one.change.name(),
        "from": from,
        "to": to,
        "required": required,
        "message": one.change.to_string(),
    })
}
