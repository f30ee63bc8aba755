//! A redrive, frozen: what is read, by which rules, and where to.

use std::sync::Arc;

use super::judge::{Custom, Rules};
use crate::replay::{Pace, Place, PlanSource, id};

/// The plan.
pub(super) struct Plan {
    pub sources: Vec<PlanSource>,
    /// Which destination the dead letters of each source go to.
    pub of_source: Vec<usize>,
    pub destinations: Vec<Place>,
    /// The selection as the user wrote it.
    pub selection: Vec<String>,
    pub rules: Rules,
    pub pace: Pace,
    /// Where what is parked goes; else it stays where it is.
    pub parked: Option<String>,
}

impl Plan {
    pub(super) fn destination_of(&self, source: usize) -> usize {
        self.of_source.get(source).copied().unwrap_or_default()
    }

    /// Whether a topic of a destination is one of those that are read.
    pub(super) fn is_read(&self, destination: usize, topic: &str) -> bool {
        let place = self.destinations.get(destination);
        place.is_some_and(|place| self.reads(place, topic))
    }

    /// Whether a topic of a place is one of those that are read.
    pub(super) fn reads(&self, place: &Place, topic: &str) -> bool {
        let mut same = self
            .sources
            .iter()
            .filter(|source| source.place.is_same(place));
        same.any(|source| source.ranges.iter().any(|range| *range.topic == *topic))
    }

    /// The beginning of [`Plan::long_id`], which stands in provenance headers.
    pub(super) fn id(&self) -> String {
        id::short(self.long_id())
    }

    /// The SHA-256, in hex, of all that makes this plan what it is.
    pub(super) fn long_id(&self) -> String {
        id::long(&self.canonical())
    }

    /// All that makes this plan what it is, a line each. Holds no secret.
    pub(super) fn canonical(&self) -> String {
        let mut lines = vec!["evtap redrive plan 1".to_owned()];
        for source in &self.sources {
            lines.push(format!("source {:?}", source.name));
            lines.extend(source.ranges.iter().map(|r| {
                let (start, end) = (r.start.display(r.style), r.end.display(r.style));
                format!("range {:?} {} [{start}, {end})", r.topic, r.partition)
            }));
        }
        lines.extend(self.selection.iter().map(|s| format!("select {s:?}")));
        lines.push(format!("reasons {:?}", self.rules.picks.texts()));
        let custom = match &self.rules.custom {
            None => "headers".to_owned(),
            Some(Custom::Header(name)) => format!("header {name:?}"),
            Some(Custom::Jq(map)) => format!("jq {:?}", map.text()),
        };
        lines.push(format!("origin {custom}"));
        let names: Vec<String> = self.destinations.iter().map(Place::long_name).collect();
        let to: &Option<Arc<str>> = &self.rules.to_topic;
        lines.push(format!("to {names:?} {:?} {to:?}", self.of_source));
        lines.push(format!("parked {:?}", self.parked));
        lines.push(format!(
            "max {} keep {} again {} pace {:?}",
            self.rules.max_redrives, self.rules.keep_headers, self.rules.again, self.pace
        ));
        lines.join("\n")
    }
}
