//! What is shown of a key after one of its events: what the event changed, and the state with the
//! event that set each part of it.

use std::collections::HashMap;

use serde_json::Value;

use crate::inspect::At;
use crate::inspect::state::{Change, ChangeKind, History, State, Step, diff};
use crate::tui::theme::Role;
use crate::tui::views::lines::{Line, line};

/// Lines of a state that are shown.
const LINES: usize = 20_000;
/// Letters of a value that are shown.
const LETTERS: usize = 400;
/// Paths that are named where versions say otherwise.
const NAMED: usize = 3;

/// One row.
#[derive(Debug)]
pub struct Row {
    pub line: Line,
    /// The event that it is about, shown at the end of the row.
    pub at: Option<At>,
    /// It was this very event.
    pub now: bool,
}

/// The state after one event.
#[derive(Debug)]
pub struct Page {
    pub step: usize,
    pub at: At,
    pub rows: Vec<Row>,
    /// What the versions of the events say that it ought to be, where that differs.
    pub otherwise: Option<String>,
}

impl Page {
    /// `None` where there is no such step.
    pub fn of(history: &History, step: usize) -> Option<Self> {
        let event = history.steps().get(step)?;
        let after = history.at(step)?;
        let before = step.checked_sub(1).and_then(|before| history.at(before));
        let mut rows = Vec::new();
        if before.is_none() && history.folded() > 0 {
            let text = "what it changed is not known: the events before it are folded together";
            rows.push(Row::title(line(Role::Dim, text)));
        } else {
            let before = before.and_then(|state| state.value);
            let changes = diff(before.as_ref(), after.value.as_ref());
            changed(&mut rows, event, &changes);
        }
        rows.push(Row::title(line(Role::Title, "the state after it")));
        tree(&mut rows, event, &after);
        Some(Self {
            step,
            at: event.at.clone(),
            rows,
            otherwise: otherwise(history, step, &after),
        })
    }
}

impl Row {
    const fn title(line: Line) -> Self {
        Self {
            line,
            at: None,
            now: false,
        }
    }
}

/// True for a version that is not higher than one that came before it in the same life of the key.
pub fn is_late(steps: &[Step], at: usize) -> bool {
    let Some(version) = steps.get(at).and_then(|step| step.version) else {
        return false;
    };
    let before = steps.get(..at).unwrap_or_default();
    let life = before.iter().rev().take_while(|s| !s.deletes);
    life.filter_map(|s| s.version).any(|v| v >= version)
}

fn changed(rows: &mut Vec<Row>, event: &Step, changes: &[Change]) {
    let told = match (&event.fault, changes.len()) {
        (Some(why), _) => format!("it changed nothing: {why}"),
        (None, 0) if event.deletes => "it deleted what was not there".to_owned(),
        (None, 0) => "it changed nothing".to_owned(),
        (None, 1) => "it changed one path".to_owned(),
        (None, n) => format!("it changed {n} paths"),
    };
    let role = if event.fault.is_some() {
        Role::Warn
    } else {
        Role::Title
    };
    rows.push(Row {
        at: Some(event.at.clone()),
        now: true,
        ..Row::title(line(role, told))
    });
    for change in changes.iter().take(LINES) {
        let (role, sign) = match change.kind {
            ChangeKind::Added => (Role::Added, "+ "),
            ChangeKind::Removed => (Role::Removed, "- "),
            ChangeKind::Changed => (Role::Changed, "~ "),
        };
        let path = if change.path.is_empty() {
            "the whole"
        } else {
            &change.path
        };
        let values = [&change.before, &change.after];
        let values: Vec<String> = values.into_iter().flatten().map(short).collect();
        let text = format!("  {sign}{path}  {}", values.join(" -> "));
        rows.push(Row::title(line(role, text)));
    }
}

fn tree(rows: &mut Vec<Row>, event: &Step, state: &State) {
    let Some(value) = &state.value else {
        let by = state.blame.deleted.clone();
        let text = if by.is_some() {
            "  deleted: an event without a value (a tombstone) took it away"
        } else {
            "  nothing: no event has set it"
        };
        rows.push(Row {
            now: by.as_ref() == Some(&event.at),
            at: by,
            line: line(Role::Removed, text),
        });
        return;
    };
    let paths = state.blame.paths.iter();
    let mut climber = Climber {
        blame: paths.map(|(path, at)| (&**path, at)).collect(),
        event,
        room: LINES,
        rows,
    };
    climber.value(value, None, None, &mut String::new(), 1);
    if climber.room == 0 {
        rows.push(Row::title(line(Role::Dim, "  more of it is not shown")));
    }
}

struct Climber<'a> {
    blame: HashMap<&'a str, &'a At>,
    event: &'a Step,
    room: usize,
    rows: &'a mut Vec<Row>,
}

impl<'a> Climber<'a> {
    /// The value and what is in it. Its depth is bounded by the parser that read it.
    fn value(
        &mut self,
        value: &Value,
        name: Option<&str>,
        outer: Option<&'a At>,
        path: &mut String,
        depth: usize,
    ) {
        if self.room == 0 {
            return;
        }
        self.room -= 1;
        let at = self.blame.get(path.as_str()).copied().or(outer);
        let mut parts = vec![(Role::Dim, "  ".repeat(depth))];
        if let Some(name) = name {
            parts.push((Role::JsonKey, name.to_owned()));
            parts.push((Role::Dim, ": ".to_owned()));
        }
        let open = match value {
            Value::Object(members) if !members.is_empty() => true,
            Value::Array(items) => !items.is_empty(),
            _ => false,
        };
        parts.push(match value {
            Value::Object(_) if open => (Role::Dim, "{".to_owned()),
            Value::Array(items) if open => (Role::Dim, format!("[ {} items", items.len())),
            value => (role(value), short(value)),
        });
        let whole_is_known = !matches!(value, Value::Object(_)) || !open;
        self.rows.push(Row {
            line: parts,
            now: whole_is_known && at == Some(&self.event.at),
            at: at.filter(|_| whole_is_known).cloned(),
        });
        let len = path.len();
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    push_step(path, name);
                    self.value(member, Some(name), at, path, depth + 1);
                    path.truncate(len);
                }
            }
            Value::Array(items) => {
                for item in items {
                    // An array is set as a whole.
                    path.push_str("/-");
                    self.value(item, None, at, path, depth + 1);
                    path.truncate(len);
                }
            }
            _ => {}
        }
    }
}

/// A step of a JSON pointer (RFC 6901).
fn push_step(path: &mut String, name: &str) {
    path.push('/');
    path.push_str(&name.replace('~', "~0").replace('/', "~1"));
}

const fn role(value: &Value) -> Role {
    match value {
        Value::String(_) => Role::JsonString,
        Value::Number(_) => Role::JsonNumber,
        Value::Null | Value::Bool(_) => Role::JsonLiteral,
        Value::Array(_) | Value::Object(_) => Role::Text,
    }
}

/// A value in one line, its front when it is long.
fn short(value: &Value) -> String {
    // Only the front of a long text is made to a text again.
    if let Value::String(text) = value
        && let Some((cut, _)) = text.char_indices().nth(LETTERS)
    {
        let front = text.get(..cut).unwrap_or_default();
        return Value::from(front).to_string();
    }
    let mut text = value.to_string();
    if let Some((cut, _)) = text.char_indices().nth(LETTERS) {
        text.truncate(cut);
    }
    text
}

/// What the versions say, where that is another state.
fn otherwise(history: &History, step: usize, now: &State) -> Option<String> {
    let meant = history.by_version(step)?;
    let changes = diff(now.value.as_ref(), meant.value.as_ref());
    if changes.is_empty() {
        return None;
    }
    let told = changes.iter().take(NAMED).map(|change| {
        let value = change.after.as_ref();
        let value = value.map_or_else(|| "absent".to_owned(), short);
        format!("{} {value}", change.path)
    });
    let told: Vec<String> = told.collect();
    let more = match changes.len().saturating_sub(NAMED) {
        0 => String::new(),
        n => format!(" and {n} more"),
    };
    Some(format!(
        "folded by version it would be {}{more}",
        told.join(", ")
    ))
}
