//! What is known of the row under the cursor, in lines: a field with each of its types, or a change
//! as what was before it and what is after it.

use std::fmt::Write as _;

use super::rows::{Row, Seen, drift_of, drifted_to};
use crate::inspect::fields::{Change, Drift, Field, Profile, TypeSeen};
use crate::inspect::is_dead_letter;
use crate::text::human;
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::views::lines::{Line, line, wrap};

/// How many producers are named.
const PRODUCERS: usize = 4;

pub fn about(model: &Model, seen: &Seen, row: Row, columns: usize) -> Vec<Line> {
    if let Row::Bare { topic } = row {
        let Some((name, events)) = seen.bare.get(topic) else {
            return Vec::new();
        };
        let text = format!(
            "{name}: {} events, {}",
            human::count(*events),
            bare_reason(name)
        );
        return wrap(Role::Text, &text, columns);
    }
    let Some(profile) = seen.profile(row) else {
        return wrap(Role::Dim, &coverage(model, seen), columns);
    };
    let Some((field, kind)) = seen.field(row) else {
        return of_profile(model, seen, profile, columns);
    };
    let drift = seen.drift(row).or_else(|| drift_of(profile, field, kind));
    match drift {
        Some(drift) => of_drift(model, (profile, field), drift, columns),
        None => of_field(model, profile, field, columns),
    }
}

/// Why a topic has no fields.
pub fn bare_reason(topic: &str) -> &'static str {
    if is_dead_letter(topic) {
        "dead letters, which are not looked at"
    } else {
        "no JSON values, so no fields"
    }
}

/// How much was looked at.
pub fn coverage(model: &Model, seen: &Seen) -> String {
    let all = model.feed.store.events() + model.feed.store.evicted;
    let mut text = format!(
        "{} of {} events",
        human::count(seen.events),
        human::count(all)
    );
    let missed = model.schemas.missed;
    if missed > 0 {
        let missed = human::count(missed);
        write!(text, "; {missed} were gone before they were looked at").ok();
    }
    if seen.report.unkept > 0 {
        let unkept = human::count(seen.report.unkept);
        write!(text, "; no room for {unkept} fields and events").ok();
    }
    text
}

fn of_profile(model: &Model, seen: &Seen, profile: &Profile, columns: usize) -> Vec<Line> {
    let mut text = format!(
        "{} events with {} fields, {} changes",
        human::count(profile.events),
        human::count(profile.fields.len() as u64),
        profile.drifts.len(),
    );
    if profile.undecodable > 0 {
        write!(
            text,
            "; {} values of the topic are no JSON",
            human::count(profile.undecodable)
        )
        .ok();
    }
    let mut lines = vec![title(profile, "")];
    lines.extend(wrap(Role::Text, &text, columns));
    lines.extend(wrap(Role::Dim, &coverage(model, seen), columns));
    lines
}

fn title(profile: &Profile, path: &str) -> Line {
    let mut parts = vec![(Role::Topic, profile.topic.to_string())];
    if let Some(kind) = &profile.kind {
        parts.push((Role::Text, format!(" {kind}")));
    }
    if !path.is_empty() {
        parts.push((Role::JsonKey, format!(" {path}")));
    }
    parts
}

fn of_field(model: &Model, profile: &Profile, field: &Field, columns: usize) -> Vec<Line> {
    let mut lines = vec![title(profile, &field.path)];
    let mut text = format!(
        "in {} of {} events",
        human::count(field.count),
        human::count(profile.events)
    );
    if let Some(since) = Seen::since(field) {
        write!(text, ", since {}", model.time(since)).ok();
    }
    lines.extend(wrap(Role::Text, &text, columns));
    for seen in &field.types {
        lines.extend(of_type(model, "", Role::Text, seen, columns));
    }
    if !field.examples.is_empty() {
        let text = format!("for example {}", field.examples.join(", "));
        lines.extend(wrap(Role::JsonString, &text, columns));
    }
    lines
}

/// What is known of a type: how often, from where to where, by whom.
fn of_type(model: &Model, lead: &str, role: Role, seen: &TypeSeen, columns: usize) -> Vec<Line> {
    let mut text = format!(
        "{lead}{} in {}, {} to {}",
        seen.value.name(),
        human::count(seen.count),
        seen.first,
        seen.last
    );
    if let (Some(first), Some(last)) = (seen.first_time, seen.last_time) {
        write!(text, ", {} to {}", model.time(first), model.time(last)).ok();
    }
    if !seen.by.is_empty() {
        write!(text, ", by {}", producers(&seen.by)).ok();
    }
    wrap(role, &text, columns)
}

/// `checkout-a 42, checkout-b 13`
pub fn producers(by: &[(String, u64)]) -> String {
    let named = by.iter().take(PRODUCERS);
    let named: Vec<String> = named
        .map(|(name, count)| format!("{name} {}", human::count(*count)))
        .collect();
    let more = by.len().saturating_sub(PRODUCERS);
    match more {
        0 => named.join(", "),
        _ => format!("{} and {more} more", named.join(", ")),
    }
}

/// A change: the sentence, then what was before and what is after.
fn of_drift(
    model: &Model,
    (profile, field): (&Profile, &Field),
    drift: &Drift,
    columns: usize,
) -> Vec<Line> {
    let mut lines = vec![title(profile, "")];
    let key = drift.key.as_deref().map(String::from_utf8_lossy);
    let key = key.map_or_else(String::new, |key| format!(" {key}"));
    let since = drift.since_time.map(|t| model.time(t));
    let text = format!(
        "{drift}; {} {}{key} {}",
        if drift.change == Change::Gone {
            "last in"
        } else {
            "first in"
        },
        drift.since,
        since.unwrap_or_default()
    );
    lines.extend(wrap(word(drift).0, &text, columns));
    let (before, after) = ("before: ", "after:  ");
    let others = |t: &&TypeSeen| Some(t.value) != drifted_to(drift);
    match drift.change {
        Change::Type { .. } | Change::Null => {
            for seen in field.types.iter().filter(others) {
                lines.extend(of_type(model, before, Role::Removed, seen, columns));
            }
            for seen in field.types.iter().filter(|t| !others(t)) {
                lines.extend(of_type(model, after, Role::Added, seen, columns));
            }
        }
        Change::New => {
            let without = human::count(profile.events.saturating_sub(drift.of));
            let text = format!("{before}absent from {without} events");
            lines.extend(wrap(Role::Removed, &text, columns));
            for seen in &field.types {
                lines.extend(of_type(model, after, Role::Added, seen, columns));
            }
        }
        // The sentence has it all.
        Change::Rarer { .. } | Change::Value => {
            for seen in &field.types {
                lines.extend(of_type(model, "", Role::Text, seen, columns));
            }
        }
        Change::Gone => {
            for seen in &field.types {
                lines.extend(of_type(model, before, Role::Removed, seen, columns));
            }
            let text = format!("{after}absent from {} events", human::count(drift.of));
            lines.extend(wrap(Role::Added, &text, columns));
        }
    }
    if !field.examples.is_empty() {
        lines.push(line(
            Role::JsonString,
            format!("for example {}", field.examples.join(", ")),
        ));
    }
    lines
}

/// How a change is shown, and what it is called.
pub fn word(drift: &Drift) -> (Role, &'static str) {
    match drift.change {
        Change::Type { .. } => (Role::Bad, "type changed"),
        Change::Null => (Role::Warn, "null"),
        Change::New => (Role::Added, "new"),
        Change::Gone => (Role::Removed, "gone"),
        Change::Rarer { .. } => (Role::Warn, "rarer"),
        Change::Value => (Role::Added, "new value"),
    }
}
