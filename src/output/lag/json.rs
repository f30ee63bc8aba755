//! The groups as one JSON document; its members are public API. What is not known is null; what
//! there is to say only sometimes stands behind, where there is something to say.

use serde_json::{Map, Value, json};

use crate::event::{Position, PositionStyle};
use crate::inspect::lag::{Eta, GroupReport, HotKey, LagReport, Row};

/// A group's greatest lag over its median one that is worth a word.
const SKEWED: f64 = 2.0;

/// The document.
pub fn json(report: &LagReport) -> Value {
    json!({ "groups": report.groups.iter().map(group).collect::<Vec<_>>() })
}

fn group(group: &GroupReport) -> Value {
    let members: Vec<&str> = group.members.iter().map(|m| m.id.as_str()).collect();
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("group", group.name.clone().into());
    put("state", group.state.clone().into());
    put("type", group.kind.clone().into());
    put("members", json!(members));
    put("verdict", group.why.word().into());
    if let Some(detail) = &group.detail {
        put("detail", detail.clone().into());
    }
    if let Some(epochs) = group.epochs {
        put("epoch", epochs.group.into());
        put("assignment_epoch", epochs.assignment.into());
    }
    if let Some(skew) = group.skew.filter(|skew| *skew >= SKEWED) {
        put("skew", rounded(skew));
    }
    if let Some(untold) = &group.untold {
        put("untold", untold.clone().into());
    }
    put("partitions", group.rows.iter().map(partition).collect());
    Value::Object(object)
}

fn partition(row: &Row) -> Value {
    let position = |at: Position| position(at, row.style);
    let at = row.at().filter(|_| !row.why.is_ok());
    let mut object = Map::new();
    let mut put = |name: &str, value: Value| object.insert(name.to_owned(), value);
    put("topic", (*row.topic).into());
    put("partition", row.partition.into());
    put("committed", row.committed.map_or(Value::Null, position));
    let told = |at: Position| {
        if row.offline {
            Value::Null
        } else {
            position(at)
        }
    };
    put("log_start", told(row.first));
    put("lso", row.stable.map_or(Value::Null, position));
    put("hw", told(row.end));
    put("raw", row.raw.into());
    put("visible", row.visible.into());
    if row.estimated && row.visible.is_some() {
        put("visible_estimated", true.into());
    }
    put("time_lag_ms", row.time_lag_ms.into());
    put("to_loss_ms", row.to_loss_ms.into());
    if let Some(pending) = row.pending {
        put("pending", pending.into());
    }
    put("member", row.member.clone().into());
    put("why", row.why.word().into());
    put("at", at.map(|at| at.to_string()).into());
    if let Some(detail) = &row.detail {
        put("detail", detail.clone().into());
    }
    if let Some(rate) = row.rate {
        put("in_per_s", rounded(rate.written));
        put("out_per_s", rounded(rate.passed));
    }
    if let Eta::Seconds {
        likely,
        soonest,
        latest,
    } = row.eta
    {
        put("eta_s", rounded(likely));
        put("eta_band_s", json!([rounded(soonest), rounded(latest)]));
    }
    if let Some(still) = row.still_ms.filter(|ms| *ms > 0) {
        put("still_ms", still.into());
    }
    if !row.hot.is_empty() {
        put("hot_keys", row.hot.iter().map(hot).collect());
    }
    Value::Object(object)
}

fn hot(hot: &HotKey) -> Value {
    json!({
        "key": String::from_utf8_lossy(&hot.key),
        "events": hot.count,
        "error": hot.error,
        "of": hot.of,
    })
}

fn position(position: Position, style: PositionStyle) -> Value {
    match style {
        PositionStyle::Offset => position.major.into(),
        PositionStyle::Entry => position.display(style).to_string().into(),
    }
}

/// To hundredths; null where it is infinite.
fn rounded(number: f64) -> Value {
    json!((number * 100.0).round() / 100.0)
}
