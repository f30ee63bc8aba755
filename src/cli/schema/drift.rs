//! `evtap schema drift`: where the events of a topic changed, since which event, and by whom.

use clap::Args;
use serde_json::{Value, json};

use super::{close, feed};
use crate::cli::args::Select;
use crate::cli::error::{Exit, Result};
use crate::cli::examples;
use crate::cli::print::{print_json, print_lines, print_table};
use crate::cli::session::Session;
use crate::cli::topics::Report;
use crate::event::Batch;
use crate::inspect::fields::{
    Change, Drift as Found, Field, Fields, FieldsReport, Profile, TypeSeen,
};
use crate::output::{Align, Table};
use crate::text::human;

/// Find where events changed: types, fields that came, went or became rarer, new values
#[derive(Debug, Args)]
#[command(after_help = examples::SCHEMA_DRIFT)]
pub struct Drift {
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC, a capture file, or - for JSON lines
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub select: Select,
    /// Also list all fields, with their coverage and types
    #[arg(long)]
    pub fields: bool,
    /// How to print the report
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

pub async fn run(session: &Session, args: &Drift) -> Result<Exit> {
    let mut fold = Fields::decoded(session.decoder(&args.sources)?.reader());
    let mut take = |batch: &Batch| fold.batch(batch);
    let fed = feed(session, &args.sources, &args.select, &mut take).await?;
    let Some(outcome) = fed else {
        return Ok(Exit::Done);
    };
    let report = fold.report();
    let breaks = report.drifts().any(|(_, drift)| drift.is_break());
    match args.output {
        Report::Json => print_json(&as_json(args, &report))?,
        Report::Text => text(session, args, &report)?,
    };
    if report.unkept > 0 {
        session.say(&format!(
            "{} fields and events are beyond what is kept, and not looked at",
            human::count(report.unkept)
        ));
    }
    let found = if breaks { Exit::Finding } else { Exit::Done };
    close(session, outcome, &args.select, found)
}

/// Topic and type.
fn name(profile: &Profile) -> String {
    match &profile.kind {
        Some(kind) => format!("{}/{kind}", profile.topic),
        None => profile.topic.to_string(),
    }
}

/// How many of the events of each producer show it: of those that do, and of the others.
fn producers(profile: &Profile, drift: &Found) -> Vec<(String, u64, u64)> {
    let count = |name: &str| {
        let own = drift.by.iter().find(|(by, _)| by == name);
        own.map_or(0, |(_, count)| *count)
    };
    let all = profile.producers.iter();
    let mut all: Vec<_> = all
        .map(|(name, of)| (name.clone(), count(name), *of))
        .collect();
    all.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    all
}

/// Producers that a line names.
const NAMED: usize = 3;

fn by(profile: &Profile, drift: &Found) -> String {
    let all = producers(profile, drift);
    let shown = all.iter().take(NAMED);
    let mut shown: Vec<String> = shown
        .map(|(name, count, of)| {
            format!("{name} {} of {}", human::count(*count), human::count(*of))
        })
        .collect();
    if all.len() > NAMED {
        shown.push(format!("{} more", all.len() - NAMED));
    }
    shown.join(", ")
}

fn text(session: &Session, args: &Drift, report: &FieldsReport) -> Result<Exit> {
    let mut table = Table::new(&[
        ("", Align::Left),
        ("SINCE", Align::Left),
        ("TIME", Align::Left),
        ("KEY", Align::Left),
        ("VERSION", Align::Left),
        ("EVENT", Align::Left),
        ("FIELD", Align::Left),
        ("WHAT", Align::Left),
        ("BY", Align::Left),
    ]);
    for (profile, drift) in report.drifts() {
        let key = drift.key.as_deref().map(String::from_utf8_lossy);
        table.row([
            if drift.is_break() { "BREAKS" } else { "fits" },
            &drift.since.to_string(),
            drift
                .since_time
                .map_or_else(|| "-".to_owned(), |time| time.to_string())
                .as_str(),
            key.as_deref().unwrap_or("-"),
            drift.version.as_deref().unwrap_or("-"),
            &name(profile),
            &drift.path,
            &what(drift),
            &by(profile, drift),
        ]);
    }
    if !table.is_empty() {
        print_table(session, &table)?;
    }
    if args.fields {
        for profile in &report.profiles {
            let events = human::count(profile.events);
            print_lines([String::new(), format!("{}: {events} events", name(profile))])?;
            print_table(session, &coverage(profile))?;
        }
    }
    let number = report.drifts().count();
    let breaks = report
        .drifts()
        .filter(|(_, drift)| drift.is_break())
        .count();
    let events = report.profiles.iter().map(|p| p.events).sum();
    let changes = if number == 1 { "change" } else { "changes" };
    let verdict = match (number, breaks) {
        (0, _) => "no change".to_owned(),
        (_, 0) => format!("{number} {changes}, none breaks readers"),
        (_, 1) => format!("{number} {changes}, 1 breaks readers"),
        _ => format!("{number} {changes}, {breaks} break readers"),
    };
    print_lines([format!("{verdict}, in {} events", human::count(events))])
}

/// A change without the path and the producers.
fn what(drift: &Found) -> String {
    let (count, of) = (human::count(drift.count), human::count(drift.of));
    match drift.change {
        Change::Type { usual, now } => {
            format!("{}, not {}, in {count} of {of}", now.name(), usual.name())
        }
        Change::Null => format!("null in {count} of {of}"),
        Change::New => format!("new, in {count} of {of} since"),
        Change::Gone => format!("gone from the {of} events after it"),
        Change::Rarer { had, of: all } => {
            let (had, all) = (human::count(had), human::count(all));
            format!("rarer, in {count} of {of} since, {had} of {all} before")
        }
        Change::Value => {
            let value = drift.value.as_deref().unwrap_or_default();
            format!("new value {value}, in {count} of {of} since")
        }
    }
}

fn coverage(profile: &Profile) -> Table {
    let mut table = Table::new(&[
        ("FIELD", Align::Left),
        ("EVENTS", Align::Right),
        ("COVERAGE", Align::Right),
        ("TYPES", Align::Left),
        ("SINCE", Align::Left),
    ]);
    for field in &profile.fields {
        let types = field.types.iter().map(|seen| {
            if field.types.len() == 1 {
                return seen.value.name().to_owned();
            }
            format!("{} {}", seen.value.name(), human::count(seen.count))
        });
        let share = profile.coverage(field) * 100.0;
        let first = field.types.iter().min_by_key(|seen| seen.first_time);
        table.row([
            field.path.clone(),
            human::count(field.count),
            format!("{share:.1} %"),
            types.collect::<Vec<_>>().join(", "),
            first.map_or_else(String::new, |seen| seen.first.to_string()),
        ]);
    }
    table
}

fn as_json(args: &Drift, report: &FieldsReport) -> Value {
    let all = report.drifts();
    let drifts: Vec<Value> = all.map(|(p, drift)| drift_json(p, drift)).collect();
    let profiles = report.profiles.iter().map(|profile| {
        let mut object = json!({
            "topic": &*profile.topic,
            "type": profile.kind,
            "events": profile.events,
            "undecodable": profile.undecodable,
        });
        if args.fields {
            let fields = profile.fields.iter().map(|f| field_json(profile, f));
            object["fields"] = fields.collect();
        }
        object
    });
    let profiles: Vec<Value> = profiles.collect();
    let breaks = report
        .drifts()
        .filter(|(_, drift)| drift.is_break())
        .count();
    json!({
        "verdict": if breaks > 0 { "violation" } else { "clean" },
        "breaking": breaks,
        "drifts": drifts,
        "profiles": profiles,
        "unkept": report.unkept,
    })
}

fn drift_json(profile: &Profile, drift: &Found) -> Value {
    let (from, to) = match drift.change {
        Change::Type { usual, now } => (Some(usual.name()), Some(now.name())),
        _ => (None, None),
    };
    let before = match drift.change {
        Change::Rarer { had, of } => Some(json!({ "count": had, "of": of })),
        _ => None,
    };
    let by = producers(profile, drift).into_iter();
    let by = by.map(|(name, count, of)| json!({ "producer": name, "count": count, "of": of }));
    json!({
        "topic": &*profile.topic,
        "type": profile.kind,
        "path": drift.path,
        "change": drift.change.name(),
        "breaking": drift.is_break(),
        "from": from,
        "to": to,
        "value": drift.value,
        "at": drift.since.to_string(),
        "timestamp": drift.since_time.map(|time| time.0),
        "time": drift.since_time.map(|time| time.to_string()),
        "key": drift.key.as_deref().map(String::from_utf8_lossy),
        "version": drift.version,
        "count": drift.count,
        "of": drift.of,
        "events": profile.events,
        "before": before,
        "by": by.collect::<Vec<_>>(),
        "message": drift.to_string(),
    })
}

fn field_json(profile: &Profile, field: &Field) -> Value {
    let of_type = |seen: &TypeSeen| {
        json!({
            "type": seen.value.name(),
            "count": seen.count,
            "first": seen.first.to_string(),
            "first_time": seen.first_time.map(|time| time.to_string()),
            "last": seen.last.to_string(),
            "last_time": seen.last_time.map(|time| time.to_string()),
            "by": seen.by.iter().map(|(producer, count)| {
                json!({ "producer": producer, "count": count })
            }).collect::<Vec<_>>(),
        })
    };
    json!({
        "path": field.path,
        "count": field.count,
        "coverage": profile.coverage(field),
        "types": field.types.iter().map(of_type).collect::<Vec<_>>(),
    })
}
