//! The fields of a plan's file as serde reads them, and the plan that they make. Unknown fields
//! are refused: what is not understood must not be run. Its single values are `value`'s.

mod value;

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use self::value::{At, Speed, Text};
use super::{
    Guards, PartitionEnd, PartitionPolicy, Plan, PlanSchema, PlanSelection, PlanSource, PlanTarget,
    TimestampPolicy,
};
use crate::broker::{Address, PartitionRange};
use crate::event::Timestamp;
use crate::replay::alter::Alterations;
use crate::replay::{Holds, Pace, Place};

/// What every version of the form has.
#[derive(Deserialize)]
pub(super) struct Head {
    pub format: u32,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub id: String,
    #[serde(rename = "format")]
    _format: u32,
    made: Made,
    sources: Vec<Source>,
    selection: Selection,
    target: TargetSide,
    write: Manner,
    pace: PaceSection,
    guards: GuardSection,
    #[serde(default)]
    holds: Holds,
    #[serde(default)]
    alterations: Alterations,
    #[serde(default)]
    schemas: Vec<PlanSchema>,
}

impl Document {
    pub(super) fn plan(self) -> Plan {
        Plan {
            made: self.made.0,
            sources: self.sources.into_iter().map(Source::plan).collect(),
            selection: self.selection.plan(),
            target: self.target.plan(),
            partitions: self.write.partitions.0,
            timestamps: self.write.timestamps.policy(),
            provenance: self.write.provenance,
            pace: self.pace.0,
            guards: Guards {
                allow_self: self.guards.allow_self,
                max_replays: self.guards.max_replays,
                max_events: self.guards.max_events,
                max_duration: self.guards.max_duration_ms.map(Duration::from_millis),
            },
            holds: self.holds,
            alterations: self.alterations,
            schemas: self.schemas,
        }
    }
}

/// RFC 3339.
#[derive(Deserialize)]
#[serde(try_from = "String")]
struct Made(Timestamp);

impl TryFrom<String> for Made {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let at = text.parse::<jiff::Timestamp>();
        at.map(|at| Self(Timestamp(at.as_millisecond())))
            .map_err(|_| format!("'{text}' is no time: write 2024-08-15T10:30:43.000Z"))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    address: Text<Address>,
    broker: Text<Address>,
    cluster: Option<String>,
    name: String,
    ranges: Vec<Range>,
}

impl Source {
    fn plan(self) -> PlanSource {
        PlanSource {
            address: self.address.0,
            place: Place::new(self.broker.0, self.cluster),
            name: self.name,
            ranges: self.ranges.into_iter().map(|r| r.0).collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "RangeRow")]
struct Range(PartitionRange);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RangeRow {
    topic: String,
    partition: u32,
    start: At,
    end: At,
}

impl TryFrom<RangeRow> for Range {
    type Error = String;

    fn try_from(row: RangeRow) -> Result<Self, String> {
        let (start, end) = (row.start, row.end);
        if start.style != end.style {
            return Err("start and end are positions of two kinds".to_owned());
        }
        if start.position > end.position {
            return Err("the end is below the start".to_owned());
        }
        Ok(Self(PartitionRange {
            topic: row.topic.into(),
            partition: row.partition,
            style: start.style,
            start: start.position,
            end: end.position,
        }))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Selection {
    language: Language,
    #[serde(default, rename = "where")]
    where_: Vec<String>,
    #[serde(default)]
    filter: Vec<String>,
    #[serde(default)]
    grep: Vec<String>,
    #[serde(default)]
    ignore_case: bool,
    #[serde(default)]
    fixed_strings: bool,
    #[serde(default)]
    keys: Vec<String>,
    limit: Option<u64>,
    last: Option<usize>,
    decode: Option<String>,
    schemas: Option<String>,
    #[serde(default)]
    formats: bool,
}

impl Selection {
    fn plan(self) -> PlanSelection {
        let Language = self.language;
        PlanSelection {
            where_: self.where_,
            filters: self.filter,
            grep: self.grep,
            ignore_case: self.ignore_case,
            fixed: self.fixed_strings,
            keys: self.keys,
            limit: self.limit,
            last: self.last,
            decode: self.decode,
            schemas: self.schemas,
            formats: self.formats,
        }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "u32")]
struct Language;

impl TryFrom<u32> for Language {
    type Error = String;

    fn try_from(version: u32) -> Result<Self, String> {
        match version {
            PlanSelection::LANGUAGE => Ok(Self),
            other => Err(format!(
                "the selection is in version {other} of the language, this evtap speaks {}",
                PlanSelection::LANGUAGE
            )),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct TargetSide {
    address: Text<Address>,
    broker: Text<Address>,
    cluster: Option<String>,
    topic: Option<String>,
    partitions: Option<u32>,
    create: bool,
    overwrite: bool,
    #[serde(default)]
    ends: Vec<EndRow>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct EndRow {
    partition: u32,
    end: At,
}

impl TargetSide {
    fn plan(self) -> PlanTarget {
        let ends = self.ends.into_iter().map(|row| PartitionEnd {
            partition: row.partition,
            style: row.end.style,
            end: row.end.position,
        });
        PlanTarget {
            address: self.address.0,
            place: Place::new(self.broker.0, self.cluster),
            topic: self.topic.map(Arc::from),
            partitions: self.partitions,
            create: self.create,
            overwrite: self.overwrite,
            ends: ends.collect(),
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Manner {
    partitions: Text<PartitionPolicy>,
    timestamps: Timestamps,
    provenance: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Timestamps {
    Now,
    Keep,
    Shift,
}

impl Timestamps {
    const fn policy(self) -> TimestampPolicy {
        match self {
            Self::Now => TimestampPolicy::Now,
            Self::Keep => TimestampPolicy::Keep,
            Self::Shift => TimestampPolicy::Shift,
        }
    }
}

#[derive(Deserialize)]
#[serde(try_from = "PaceRows")]
struct PaceSection(Pace);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct PaceRows {
    rate: Option<f64>,
    speed: Option<Text<Speed>>,
    max_gap_ms: Option<u64>,
}

impl TryFrom<PaceRows> for PaceSection {
    type Error = String;

    fn try_from(rows: PaceRows) -> Result<Self, String> {
        let good = |n: f64| n.is_finite() && n > 0.0;
        let pace = match (rows.rate, rows.speed, rows.max_gap_ms) {
            (Some(rate), None, None) if good(rate) => Pace::Rate(rate),
            (None, Some(Text(Speed(None))), None) => Pace::Max,
            (None, Some(Text(Speed(Some(factor)))), gap) if good(factor) => Pace::Speed {
                factor,
                max_gap: gap.map(Duration::from_millis),
            },
            _ => {
                return Err(
                    "the pace is a rate above 0, speed = \"max\", or a speed above 0 \
                            with or without max_gap_ms"
                        .to_owned(),
                );
            }
        };
        Ok(Self(pace))
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GuardSection {
    allow_self: bool,
    max_replays: u32,
    max_events: Option<u64>,
    max_duration_ms: Option<u64>,
}
