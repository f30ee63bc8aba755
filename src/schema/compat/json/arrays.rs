//! Elements of arrays: those that have a schema each, and those after them.

use serde_json::Value;

use super::{Comparison, Place, Reason, below, reason, scalars};

/// What holds for members or elements of which nothing particular is said.
#[derive(Clone, Copy)]
pub(super) enum Others<'a> {
    Anything,
    Nothing,
    Schema(Place<'a>),
}

impl<'a> Others<'a> {
    pub fn of(place: Option<Place<'a>>) -> Self {
        match place {
            Some(place) if place.is_nothing() => Self::Nothing,
            Some(place) if !place.is_anything() => Self::Schema(place),
            _ => Self::Anything,
        }
    }
}

/// The schemas of the first elements, and what holds for the others. Drafts up to 2019-09 have the
/// first in `items`, later ones in `prefixItems`.
fn elements(place: Place<'_>) -> (&[Value], Others<'_>) {
    if let Some(first) = place.list("items") {
        return (first, Others::of(place.get("additionalItems")));
    }
    let first = place.list("prefixItems").unwrap_or_default();
    (first, Others::of(place.get("items")))
}

impl<'a> Comparison<'_, 'a> {
    pub(super) fn arrays(
        &mut self,
        reader: Place<'a>,
        writer: Place<'a>,
        path: &str,
        found: &mut Vec<Reason>,
    ) {
        scalars::sizes(reader, writer, ["minItems", "maxItems"], path, found);
        let unique = |place: Place<'_>| place.schema.get("uniqueItems") == Some(&Value::Bool(true));
        if unique(reader) && !unique(writer) {
            let what = "the reader wants elements that differ, the writer may repeat them";
            found.push(reason(path, what));
        }
        let (wanted, more_wanted) = elements(reader);
        let (given, more_given) = elements(writer);
        for index in 0..wanted.len().max(given.len()) {
            let path = below(path, "items", &index.to_string());
            let wanted = wanted.get(index).map(|schema| reader.to(schema));
            let given = given.get(index).map(|schema| writer.to(schema));
            match (wanted, given) {
                (Some(wanted), Some(given)) => self.schemas(wanted, given, &path, found),
                (Some(wanted), None) => self.added(wanted, more_given, &path, found),
                (None, Some(given)) => self.removed(more_wanted, given, &path, found),
                (None, None) => {}
            }
        }
        self.others(more_wanted, more_given, &format!("{path}/items"), found);
    }

    /// Adds why the reader's schema of something does not take it: the writer has none for it.
    pub(super) fn added(
        &mut self,
        wanted: Place<'a>,
        given: Others<'a>,
        path: &str,
        found: &mut Vec<Reason>,
    ) {
        match given {
            Others::Anything if !wanted.is_anything() => {
                let what = "the reader has a schema for it, the writer may put anything there";
                found.push(reason(path, what));
            }
            Others::Anything | Others::Nothing => {}
            Others::Schema(given) => self.schemas(wanted, given, path, found),
        }
    }

    /// Adds why the reader does not take what only the writer has a schema for.
    pub(super) fn removed(
        &mut self,
        wanted: Others<'a>,
        given: Place<'a>,
        path: &str,
        found: &mut Vec<Reason>,
    ) {
        match wanted {
            Others::Anything => {}
            Others::Nothing if given.is_nothing() => {}
            Others::Nothing => found.push(reason(path, "the reader does not allow it")),
            Others::Schema(wanted) => self.schemas(wanted, given, path, found),
        }
    }

    pub(super) fn others(
        &mut self,
        wanted: Others<'a>,
        given: Others<'a>,
        path: &str,
        found: &mut Vec<Reason>,
    ) {
        match (wanted, given) {
            (Others::Anything, _) | (_, Others::Nothing) => {}
            (Others::Nothing, _) => {
                found.push(reason(path, "the reader allows no others, the writer does"));
            }
            (Others::Schema(_), Others::Anything) => {
                let what = "the reader has a schema for the others, the writer allows anything";
                found.push(reason(path, what));
            }
            (Others::Schema(wanted), Others::Schema(given)) => {
                self.schemas(wanted, given, path, found);
            }
        }
    }
}
