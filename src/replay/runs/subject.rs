//! What a run is about, known before anybody runs it: the plan's id and the sides of it.

use serde::{Deserialize, Serialize};

use crate::broker::{Address, PartitionRange};
use crate::replay::{Place, Plan, PlanSource};

/// What kind of run a line tells of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Of a plan, by `replay`, `apply` or the screen.
    #[default]
    Replay,
    /// Of dead letters, back to where they came from.
    Redrive,
}

/// One side of it, without secrets.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Side {
    pub address: String,
    pub broker: String,
    pub cluster: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub topic: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub ranges: Vec<Range>,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Range {
    pub topic: String,
    pub partition: u32,
    pub start: String,
    pub end: String,
}

/// What is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Subject {
    pub kind: Kind,
    /// The short id of the plan.
    pub run: String,
    /// The whole one.
    pub plan: String,
    pub sources: Vec<Side>,
    /// Of a replay, which has one.
    pub target: Option<Side>,
    /// Of a redrive: each topic or file that dead letters go back to.
    pub targets: Vec<Side>,
    /// Of a redrive: where what is parked goes.
    pub parked: Option<Side>,
}

impl Side {
    /// What is read, with its frozen ranges.
    pub(in crate::replay) fn source(source: &PlanSource) -> Self {
        Self {
            ranges: source.ranges.iter().map(Range::of).collect(),
            ..Self::target(&source.address, &source.place, None)
        }
    }

    /// What is written to; `address` must have no secrets.
    pub(in crate::replay) fn target(address: &Address, place: &Place, topic: Option<&str>) -> Self {
        Self {
            address: address.to_string(),
            broker: place.address.to_string(),
            cluster: place.cluster.clone(),
            topic: topic.map(str::to_owned),
            ranges: Vec::new(),
        }
    }
}

impl Range {
    fn of(range: &PartitionRange) -> Self {
        Self {
            topic: range.topic.to_string(),
            partition: range.partition,
            start: range.start.display(range.style).to_string(),
            end: range.end.display(range.style).to_string(),
        }
    }
}

impl From<&Plan> for Subject {
    fn from(plan: &Plan) -> Self {
        let target = &plan.target;
        let topic = target.topic.as_deref();
        Self {
            kind: Kind::Replay,
            run: plan.id(),
            plan: plan.long_id(),
            sources: plan.sources.iter().map(Side::source).collect(),
            target: Some(Side::target(&target.address, &target.place, topic)),
            targets: Vec::new(),
            parked: None,
        }
    }
}
