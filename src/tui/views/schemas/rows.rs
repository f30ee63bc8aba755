//! The rows of the list of fields: what changed first, then each topic with its fields, one row for
//! each type of a field.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::event::Timestamp;
use crate::inspect::At;
use crate::inspect::fields::{Change, Drift, Field, FieldsReport, JsonType, Profile, TypeSeen};

/// What the fold has given so far.
#[derive(Debug, Default)]
pub struct Seen {
    pub report: FieldsReport,
    /// Topics with events of which none has a JSON value, and how many events.
    pub bare: Vec<(Arc<str>, u64)>,
    /// Events that were looked at.
    pub events: u64,
}

/// One row; the numbers are indexes into what was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Row {
    /// The heading of what changed.
    Changes,
    Drift {
        profile: usize,
        drift: usize,
    },
    Profile {
        profile: usize,
    },
    Field {
        profile: usize,
        field: usize,
        /// Which of its types.
        kind: usize,
    },
    /// A topic without JSON.
    Bare {
        topic: usize,
    },
}

/// Names a profile for as long as a person looks.
pub type ProfileName = (u16, Arc<str>, Option<String>);

pub fn name_of(profile: &Profile) -> ProfileName {
    (
        profile.origin,
        Arc::clone(&profile.topic),
        profile.kind.clone(),
    )
}

/// All rows; of closed profiles only the head.
pub fn rows(seen: &Seen, closed: &BTreeSet<ProfileName>) -> Vec<Row> {
    let mut rows = Vec::new();
    for (profile, of) in seen.report.profiles.iter().enumerate() {
        let drifts = 0..of.drifts.len();
        rows.extend(drifts.map(|drift| Row::Drift { profile, drift }));
    }
    // What breaks readers comes before what does not.
    rows.sort_by_key(|row| seen.drift(*row).is_none_or(|drift| !drift.is_break()));
    if !rows.is_empty() {
        rows.insert(0, Row::Changes);
    }
    for (profile, of) in seen.report.profiles.iter().enumerate() {
        rows.push(Row::Profile { profile });
        if closed.contains(&name_of(of)) {
            continue;
        }
        for (field, seen) in of.fields.iter().enumerate() {
            let kinds = 0..seen.types.len().max(1);
            rows.extend(kinds.map(|kind| Row::Field {
                profile,
                field,
                kind,
            }));
        }
    }
    rows.extend((0..seen.bare.len()).map(|topic| Row::Bare { topic }));
    rows
}

impl Seen {
    pub fn profile(&self, row: Row) -> Option<&Profile> {
        match row {
            Row::Drift { profile, .. } | Row::Profile { profile } | Row::Field { profile, .. } => {
                self.report.profiles.get(profile)
            }
            Row::Changes | Row::Bare { .. } => None,
        }
    }

    /// The field of a row, and which of its types the row is of.
    pub fn field(&self, row: Row) -> Option<(&Field, usize)> {
        let profile = self.profile(row)?;
        match row {
            Row::Field { field, kind, .. } => Some((profile.fields.get(field)?, kind)),
            Row::Drift { .. } => {
                let drift = self.drift(row)?;
                let field = profile.fields.iter().find(|f| f.path == drift.path)?;
                let of = |t: &TypeSeen| Some(t.value) == drifted_to(drift);
                Some((field, field.types.iter().position(of).unwrap_or(0)))
            }
            _ => None,
        }
    }

    pub fn drift(&self, row: Row) -> Option<&Drift> {
        match row {
            Row::Drift { profile, drift } => self.report.profiles.get(profile)?.drifts.get(drift),
            _ => None,
        }
    }

    /// The event that a row is about: where a change began, or the first that has the field.
    pub fn first_event(&self, row: Row) -> Option<&At> {
        if let Some(drift) = self.drift(row) {
            return Some(&drift.since);
        }
        let (field, kind) = self.field(row)?;
        field.types.get(kind).map(|t| &t.first)
    }

    /// What a row is called, to find it again among others.
    fn name(&self, row: Row) -> Option<RowName<'_>> {
        let (topic, kind) = match row {
            Row::Bare { topic } => (&*self.bare.get(topic)?.0, None),
            Row::Changes => ("", None),
            _ => {
                let profile = self.profile(row)?;
                (&*profile.topic, profile.kind.as_deref())
            }
        };
        let field = match row {
            Row::Drift { .. } => {
                let drift = self.drift(row)?;
                Some((&*drift.path, 0, Some(&drift.since)))
            }
            Row::Field { .. } => {
                let (field, kind) = self.field(row)?;
                let value = field.types.get(kind).map_or(0, |t| t.value as u8);
                Some((&*field.path, value, None))
            }
            _ => None,
        };
        Some((std::mem::discriminant(&row), topic, kind, field))
    }

    /// The place of what another row was among other rows.
    pub fn find_again(&self, rows: &[Row], before: &Self, row: Row) -> Option<usize> {
        let name = before.name(row)?;
        rows.iter()
            .position(|r| self.name(*r).as_ref() == Some(&name))
    }

    /// Since when, for the earliest of the types of a field.
    pub fn since(field: &Field) -> Option<Timestamp> {
        field.types.iter().filter_map(|t| t.first_time).min()
    }
}

type RowName<'a> = (
    std::mem::Discriminant<Row>,
    &'a str,
    Option<&'a str>,
    Option<(&'a str, u8, Option<&'a At>)>,
);

/// The type that a field changed to, where that is what changed.
pub fn drifted_to(drift: &Drift) -> Option<JsonType> {
    match drift.change {
        Change::Type { now, .. } => Some(now),
        Change::Null => Some(JsonType::Null),
        Change::New | Change::Gone | Change::Rarer { .. } | Change::Value => None,
    }
}

/// The change that belongs to the row of this type of a field.
pub fn drift_of<'a>(profile: &'a Profile, field: &Field, kind: usize) -> Option<&'a Drift> {
    let value = field.types.get(kind)?.value;
    profile.drifts.iter().find(|drift| {
        let here = match drifted_to(drift) {
            Some(now) => now == value,
            None => kind == 0,
        };
        here && drift.path == field.path
    })
}
