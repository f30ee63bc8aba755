//! `evtap schema compat`: whether a new schema fits old ones, with reasons.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::listing::{self, Line};
use crate::cli::error::{Exit, Failure, Result};
use crate::cli::examples;
use crate::cli::print::{print_json, print_lines};
use crate::cli::session::Session;
use crate::cli::topics::Report;
use crate::schema::compat::{Compared, Direction, Level, Reason, judge};
use crate::schema::sources::folder::Folder;
use crate::schema::sources::{Answer, Side, Wanted};
use crate::schema::{Language, Source};

/// Tell whether a new schema is compatible with old ones, and why not
#[derive(Debug, Args)]
#[command(after_help = examples::SCHEMA_COMPAT)]
pub struct Compat {
    /// The new schema: a file .json, .avsc or .proto
    #[arg(value_name = "NEW")]
    pub new: PathBuf,
    /// Old schemas, the oldest first; without --subject-of at least one
    #[arg(value_name = "OLD", required_unless_present = "subject_of")]
    pub old: Vec<PathBuf>,
    /// Compare with the versions that a topic's values have in its registry
    #[arg(long, value_name = "SOURCE", conflicts_with = "old")]
    pub subject_of: Option<String>,
    /// With --subject-of: the versions of its keys
    #[arg(long, requires = "subject_of")]
    pub keys: bool,
    /// With --subject-of: the versions of this type of event
    #[arg(long, value_name = "TYPE", requires = "subject_of")]
    pub event_type: Option<String>,
    /// Who must read whose data: backward (the new reads what the last old wrote), forward, full,
    /// each also -transitive (all old ones, not the last alone), or none
    #[arg(long, value_name = "LEVEL", default_value = "backward", value_parser = level)]
    pub level: (&'static str, Level),
    /// The language, where the end of a file's name does not tell
    #[arg(long, value_name = "LANGUAGE")]
    pub language: Option<Named>,
    /// How to print
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

/// The languages by the names of the flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Named {
    Avro,
    Json,
    Protobuf,
}

impl From<Named> for Language {
    fn from(named: Named) -> Self {
        match named {
            Named::Avro => Self::Avro,
            Named::Json => Self::Json,
            Named::Protobuf => Self::Protobuf,
        }
    }
}

fn level(text: &str) -> Result<(&'static str, Level), String> {
    let level = Level::parse(text);
    let known = Level::ALL.iter().find(|(_, known)| Some(*known) == level);
    known.copied().ok_or_else(|| {
        let names: Vec<&str> = Level::ALL.iter().map(|(name, _)| *name).collect();
        format!("write one of {}", names.join(", "))
    })
}

/// A schema with the name that it is told by.
type NamedSource = (String, Source);

pub async fn run(session: &Session, args: &Compat) -> Result<Exit> {
    let new = read(&args.new, args.language)?;
    let olds = match &args.subject_of {
        Some(source) => of_subject(session, args, source, new.1.language).await?,
        None => args
            .old
            .iter()
            .map(|path| read(path, args.language))
            .collect::<Result<Vec<_>>>()?,
    };
    let other = olds.iter().find(|(_, old)| old.language != new.1.language);
    if let Some((name, old)) = other {
        return Err(Failure::usage(format!(
            "{} is {}, and {name} is {}: they cannot be compared",
            new.0,
            new.1.language.name(),
            old.language.name()
        )));
    }
    let (names, sources): (Vec<String>, Vec<Source>) = olds.into_iter().unzip();
    let compared = judge(&new.1, &sources, args.level.1).map_err(|(number, error)| {
        let name = names.get(number).map_or("?", String::as_str);
        Failure::usage(format!("{} and {name} cannot be compared: {error}", new.0))
    })?;
    let fits = compared.iter().all(|one| one.reasons.is_empty());
    match args.output {
        Report::Json => print_json(&as_json(args, &new, &names, &compared, fits))?,
        Report::Text => print_lines(text(args, &new.0, &names, &compared, fits))?,
    };
    Ok(if fits { Exit::Done } else { Exit::Finding })
}

/// A file with the files that it refers to.
fn read(path: &Path, language: Option<Named>) -> Result<NamedSource> {
    let name = path.display().to_string();
    let ending = path.extension().and_then(|e| e.to_str());
    let by_name = match ending {
        Some("avsc") => Some(Language::Avro),
        Some("json") => Some(Language::Json),
        Some("proto") => Some(Language::Protobuf),
        _ => None,
    };
    let language = language.map(Language::from);
    if path.is_dir() {
        return Err(Failure::usage(format!(
            "{name} is a folder; a schema is one file"
        )));
    }
    match (language, by_name) {
        (None, None) => Err(Failure::usage(format!(
            "{name} does not tell by its name in which language it is"
        ))
        .hint("name it .avsc, .json or .proto, or say --language avro|json|protobuf")),
        (Some(language), other) if other != Some(language) => plain(path, language),
        _ => {
            let folder = Folder::open(path)?;
            match folder.for_topic(&Wanted::of("", Side::Value)) {
                Answer::Found(known) => Ok((name, (*known.source).clone())),
                Answer::Unavailable(why) => Err(Failure::usage(why.to_string())),
                Answer::Missing | Answer::Pending => {
                    Err(Failure::usage(format!("{name}: there is no schema in it")))
                }
            }
        }
    }
}

/// Bytes of a file, as of a folder's.
const LARGEST: u64 = 10 << 20;

/// A file whose name is not that of a schema: what it refers to is not looked for.
fn plain(path: &Path, language: Language) -> Result<NamedSource> {
    let name = path.display().to_string();
    let failed = |error: std::io::Error| Failure::usage(format!("{name}: {error}"));
    if std::fs::metadata(path).map_err(failed)?.len() > LARGEST {
        return Err(Failure::usage(format!("{name} is longer than 10 MiB")));
    }
    let source = Source {
        language,
        text: std::fs::read_to_string(path).map_err(failed)?,
        references: Vec::new(),
    };
    Ok((name, source))
}

/// All versions of the subject, the oldest first.
async fn of_subject(
    session: &Session,
    args: &Compat,
    source: &str,
    language: Language,
) -> Result<Vec<NamedSource>> {
    let sources = [source.to_owned()];
    let (_, found) = listing::list(session, &sources).await?;
    let [topic] = found.as_slice() else {
        return Err(
            Failure::usage(format!("{source} is {} topics", found.len()))
                .hint("name one topic behind --subject-of"),
        );
    };
    let side = if args.keys { Side::Key } else { Side::Value };
    let of_language = |line: &Line<'_>| {
        let mut known = line.known();
        known.any(|known| known.source.language == language)
    };
    let mut lines = topic.lines();
    lines.retain(|line| line.side == side);
    if let Some(wanted) = &args.event_type {
        lines.retain(|line| line.event_type == Some(wanted));
    } else if lines.len() > 1 {
        lines.retain(of_language);
    }
    match lines.as_slice() {
        [] => Err(Failure::new(
            Exit::Broker,
            format!("there is no schema of {}'s {}s", topic.topic, side.word()),
        )
        .hint("evtap schema show lists what there is")),
        [line] => versions(line, &topic.topic),
        several => {
            let types = several
                .iter()
                .map(|l| l.event_type.unwrap_or("without a type"));
            let types: Vec<&str> = types.collect();
            Err(
                Failure::usage(format!("{} has schemas of several types", topic.topic))
                    .hint(format!("say which by --event-type: {}", types.join(", "))),
            )
        }
    }
}

fn versions(line: &Line<'_>, topic: &str) -> Result<Vec<NamedSource>> {
    let name = line.name(topic);
    let each = line.schemas.iter().map(|listed| match &listed.answer {
        Answer::Found(known) => {
            let version = known.version.map(|n| format!(" version {n}"));
            let name = format!("{name}{}", version.unwrap_or_default());
            Ok((name, (*known.source).clone()))
        }
        Answer::Unavailable(why) => Err(Failure::new(
            Exit::Broker,
            format!("a version of {name} cannot be had: {why}"),
        )),
        Answer::Missing | Answer::Pending => Err(Failure::new(
            Exit::Broker,
            format!("a version of {name} cannot be had"),
        )),
    });
    each.collect()
}

fn sentence(one: &Compared, new: &str, old: &str) -> String {
    let verdict = if one.reasons.is_empty() {
        "can read"
    } else {
        "cannot read all of"
    };
    match one.direction {
        Direction::Backward => format!("{new} {verdict} what {old} wrote"),
        Direction::Forward => format!("{old} {verdict} what {new} writes"),
    }
}

fn text(
    args: &Compat,
    new: &str,
    names: &[String],
    compared: &[Compared],
    fits: bool,
) -> Vec<String> {
    let mut lines = Vec::new();
    for one in compared {
        let old = names.get(one.old).map_or("?", String::as_str);
        lines.push(sentence(one, new, old));
        lines.extend(one.reasons.iter().map(|reason| match &*reason.path {
            "" => format!("  {}", reason.what),
            path => format!("  {path}: {}", reason.what),
        }));
    }
    let verdict = if fits { "compatible" } else { "NOT compatible" };
    lines.push(format!("{verdict} ({})", args.level.0));
    lines
}

fn as_json(
    args: &Compat,
    (new, source): &NamedSource,
    names: &[String],
    compared: &[Compared],
    fits: bool,
) -> Value {
    let reason = |reason: &Reason| json!({ "path": reason.path, "message": reason.what });
    let compared = compared.iter().map(|one| {
        json!({
            "old": names.get(one.old),
            "direction": one.direction.name(),
            "compatible": one.reasons.is_empty(),
            "reasons": one.reasons.iter().map(reason).collect::<Vec<_>>(),
        })
    });
    json!({
        "compatible": fits,
        "level": args.level.0,
        "language": source.language.name(),
        "new": new,
        "compared": compared.collect::<Vec<_>>(),
    })
}
