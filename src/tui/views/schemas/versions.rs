//! The registered versions of a topic's schema, two of them side by side. A registry is asked on
//! another thread, and there two versions are compared, too.

use std::sync::Arc;
use std::time::Duration;

use super::pretty::pretty;
use crate::schema::sources::{Answer, Known, Listed, Side};
use crate::schema::{Decoder, SchemaError};
use crate::tui::actions::Action;
use crate::tui::model::Model;
use crate::tui::msg::{Effect, Msg, Say};
use crate::tui::views::job::{Job, Ticket};
use crate::tui::widgets::diff::{Beside, beside};

/// How long a registry is waited for.
const PATIENCE: Duration = Duration::from_secs(10);
/// Columns of one step to the right, and the farthest.
const ASIDE: usize = 8;
const FARTHEST: usize = 4096;
/// Lines of a schema that are shown.
pub const LINES: usize = 100_000;

/// One version as it is shown.
#[derive(Debug)]
pub struct Version {
    /// Subject, version and language.
    pub name: String,
    pub lines: Vec<String>,
    /// What it is a version of.
    of: (Side, Option<String>),
}

/// What is known of the versions.
#[derive(Debug, Default)]
pub enum Listing {
    #[default]
    Asked,
    Failed(String),
    Listed(Arc<[Version]>),
}

/// The versions of a topic, and the two that are chosen.
#[derive(Debug, Default)]
pub struct Versions {
    pub topic: Arc<str>,
    /// Who was asked.
    pub place: String,
    pub listing: Listing,
    /// Those that could not be read now.
    pub unread: usize,
    /// The one on the left and the one on the right.
    pub chosen: [usize; 2],
    /// The side whose version the keys change.
    pub side: usize,
    pub rows: Vec<Beside>,
    /// Places where the two differ, each of one row or more.
    pub differences: usize,
    pub at: usize,
    /// Columns that are out of sight on the left.
    pub right: usize,
    job: Job,
}

impl Versions {
    pub fn list(&self) -> &[Version] {
        match &self.listing {
            Listing::Listed(list) => list,
            Listing::Asked | Listing::Failed(_) => &[],
        }
    }

    pub const fn is_comparing(&self) -> bool {
        self.job.is_running()
    }

    pub fn step(&mut self, by: isize) {
        let last = self.rows.len().saturating_sub(1);
        self.at = self.at.saturating_add_signed(by).min(last);
    }

    /// To the first row of the next difference, or of the one before.
    fn walk(&mut self, by: isize) -> bool {
        let differs = |at: usize| self.rows.get(at).is_some_and(|row| !row.same);
        let begins = |at: usize| differs(at) && (at == 0 || !differs(at - 1));
        let mut at = self.at;
        while let Some(next) = at.checked_add_signed(by).filter(|n| *n < self.rows.len()) {
            at = next;
            if begins(at) {
                self.at = at;
                return true;
            }
        }
        false
    }

    /// Chooses the newest version of the topic's values and the one before it.
    fn choose(&mut self) {
        let list = self.list();
        let of_values = |v: &Version| v.of.0 == Side::Value;
        let newest = list.iter().rposition(of_values);
        let newest = newest.unwrap_or(list.len().saturating_sub(1));
        let same = |v: &Version| list.get(newest).is_some_and(|n| n.of == v.of);
        let before = list.iter().take(newest).rposition(same);
        self.chosen = [before.unwrap_or(newest), newest];
        self.side = 0;
    }

    /// Another version on the chosen side; false when there is none in that direction.
    fn turn(&mut self, by: isize) -> bool {
        let len = self.list().len();
        let Some(chosen) = self.chosen.get_mut(self.side) else {
            return false;
        };
        let next = chosen.checked_add_signed(by).filter(|n| *n < len);
        if let Some(next) = next {
            *chosen = next;
        }
        next.is_some()
    }
}

/// Asks for the versions of the topic under the cursor.
pub fn open(model: &mut Model) -> Vec<Effect> {
    let Some(topic) = super::topic_here(&model.schemas) else {
        model.say(Say::info("choose a topic, or a field of one"));
        return Vec::new();
    };
    open_of(model, topic)
}

fn open_of(model: &mut Model, topic: Arc<str>) -> Vec<Effect> {
    let decoder = model.source.decoder.clone();
    let Some(schemas) = decoder.schemas() else {
        model.say(Say::info(
            "there is no source of schemas; --schemas or a context of the config names one",
        ));
        return Vec::new();
    };
    let mut versions = Versions {
        topic: Arc::clone(&topic),
        place: schemas.catalog().describe(),
        ..Versions::default()
    };
    let ticket = versions.job.begin();
    model.schemas.versions = Some(versions);
    vec![Effect::Work(Box::new(move || {
        let found = ask(&decoder, &topic);
        Msg::Done(Box::new(move |model| listed(model, &ticket, found)))
    }))]
}

fn ask(decoder: &Decoder, topic: &str) -> Result<(Vec<Version>, usize), SchemaError> {
    let listed = match decoder.schemas() {
        Some(schemas) => schemas.catalog().list(topic, PATIENCE)?,
        None => Vec::new(),
    };
    let all = listed.len();
    let versions: Vec<Version> = listed.into_iter().filter_map(version).collect();
    let unread = all - versions.len();
    Ok((versions, unread))
}

fn version(listed: Listed) -> Option<Version> {
    let Answer::Found(known) = listed.answer else {
        return None;
    };
    Some(Version {
        name: name(&known),
        lines: pretty(&known.source, LINES),
        of: (listed.side, listed.event_type),
    })
}

/// `orders-value version 2, JSON Schema`
pub fn name(known: &Known) -> String {
    let subject = known.subject.as_deref().unwrap_or(&known.origin);
    let version = known
        .version
        .map_or_else(String::new, |v| format!(" version {v}"));
    format!("{subject}{version}, {}", known.source.language.name())
}

fn listed(
    model: &mut Model,
    ticket: &Ticket,
    found: Result<(Vec<Version>, usize), SchemaError>,
) -> Vec<Effect> {
    let Some(versions) = &mut model.schemas.versions else {
        return Vec::new();
    };
    if !versions.job.end(ticket) {
        return Vec::new();
    }
    match found {
        Ok((list, unread)) => {
            versions.listing = Listing::Listed(list.into());
            versions.unread = unread;
            versions.choose();
            compare(model)
        }
        Err(error) => {
            versions.listing = Listing::Failed(error.to_string());
            Vec::new()
        }
    }
}

/// Lays the two chosen versions beside each other.
fn compare(model: &mut Model) -> Vec<Effect> {
    let Some(versions) = &mut model.schemas.versions else {
        return Vec::new();
    };
    let Listing::Listed(list) = &versions.listing else {
        return Vec::new();
    };
    let (list, [a, b]) = (Arc::clone(list), versions.chosen);
    let ticket = versions.job.begin();
    vec![Effect::Work(Box::new(move || {
        let lines = |at: usize| -> Vec<&str> {
            let version = list.get(at);
            let lines = version.map(|v| v.lines.iter().map(String::as_str).collect());
            lines.unwrap_or_default()
        };
        let rows = beside(&lines(a), &lines(b));
        Msg::Done(Box::new(move |model| {
            if let Some(versions) = &mut model.schemas.versions
                && versions.job.end(&ticket)
            {
                versions.differences = differences(&rows);
                versions.rows = rows;
                // What differs is what one comes for.
                versions.at = 0;
                if versions.rows.first().is_some_and(|row| row.same) {
                    versions.walk(1);
                }
            }
            Vec::new()
        }))
    }))]
}

fn differences(rows: &[Beside]) -> usize {
    let runs = rows.chunk_by(|a, b| a.same == b.same);
    runs.filter(|run| run.first().is_some_and(|row| !row.same))
        .count()
}

/// Keys while versions are looked at.
pub fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    let versions = model.schemas.versions.as_mut()?;
    match action {
        Action::Back | Action::Quit | Action::Versions => model.schemas.versions = None,
        Action::NextPane | Action::PreviousPane => versions.side = 1 - versions.side.min(1),
        Action::Left => versions.right = versions.right.saturating_sub(ASIDE),
        Action::Right => versions.right = (versions.right + ASIDE).min(FARTHEST),
        Action::EarlierVersion | Action::LaterVersion => {
            let by = if action == Action::LaterVersion {
                1
            } else {
                -1
            };
            if versions.turn(by) {
                return Some(compare(model));
            }
            model.say(Say::info("no other version in this direction"));
        }
        Action::NextMatch | Action::PreviousMatch => {
            let by = if action == Action::NextMatch { 1 } else { -1 };
            if !versions.walk(by) {
                model.say(Say::info("no other difference in this direction"));
            }
        }
        Action::Reload => {
            let topic = Arc::clone(&versions.topic);
            return Some(open_of(model, topic));
        }
        Action::Open => {}
        _ => return None,
    }
    Some(Vec::new())
}
