//! A trace as one JSON document.

use serde_json::{Map, Value, json};

use super::{Told, since_start, text};
use crate::inspect::saga::{Judged, Lack};
use crate::inspect::trace::{Hop, Missing};

/// The document. `id` is as it was asked for.
pub fn json(told: &Told<'_>) -> Value {
    let report = told.report;
    let hops = report.hops.iter().map(|hop| of_hop(&report.hops, hop));
    let edges = told.edges.iter();
    let edges = edges.map(|e| json!({"from": e.from, "to": e.to, "by": e.strength.name()}));
    let missing: Vec<Value> = match told.saga {
        Some((_, judged)) => judged.lack.iter().map(of_lack).collect(),
        None => report
            .missing
            .iter()
            .map(|m| of_missing(m, &report.hops))
            .collect(),
    };
    let mut object = json!({
        "id": told.id,
        "verdict": told.word(),
        "why": told.verdict(),
        "by": if told.saga.is_some() { "model" } else { "others" },
        "saga": told.saga.map(|(name, _)| name),
        "span_ms": report.span_ms,
        "quiet_ms": report.quiet_ms,
        "truncated": report.truncated,
        "hops": hops.collect::<Vec<_>>(),
        "edges": edges.collect::<Vec<_>>(),
        "missing": missing,
    });
    if let Some((_, judged)) = told.saga
        && let Some(members) = object.as_object_mut()
    {
        of_judged(members, judged);
    }
    object
}

fn of_judged(members: &mut Map<String, Value>, judged: &Judged) {
    members.insert("at".to_owned(), judged.at.to_string().into());
    if let Some((what, _)) = &judged.breach {
        let against = judged.other.as_ref().map(ToString::to_string);
        let breach = json!({"step": what, "against": against});
        members.insert("violation".to_owned(), breach);
    }
}

fn of_hop(hops: &[Hop], hop: &Hop) -> Value {
    let (trace, span) = hop.trace.as_ref().map(|(t, s)| (text(t), text(s))).unzip();
    json!({
        "at": hop.at.to_string(),
        "topic": &*hop.at.topic,
        "partition": hop.at.partition,
        "timestamp": hop.time.map(|t| t.0),
        "time": hop.time.map(|t| t.to_string()),
        "since_start_ms": since_start(hops, hop),
        "gap_ms": hop.gap_ms,
        "type": hop.kind,
        "producer": hop.producer,
        "key": hop.key.as_deref().map(text),
        "event_id": hop.id.as_deref().map(text),
        "causation_id": hop.causation.as_deref().map(text),
        "correlation_id": hop.correlation.as_deref().map(text),
        "trace_id": trace,
        "parent_id": span,
        "tied_by": hop.tie.name(),
        "depth": hop.depth,
        "copy_of": hop.copy_of,
        "dead_letter": hop.dead_letter,
        "error": hop.fault,
    })
}

fn of_lack(lack: &Lack) -> Value {
    json!({
        "after": lack.after.to_string(),
        "next": lack.next,
        "group": lack.group,
        "committed": lack.committed.as_ref().map(ToString::to_string),
        "sla_ms": lack.sla_ms,
        "overdue_ms": lack.overdue_ms.filter(|ms| *ms >= 0),
    })
}

fn of_missing(missing: &Missing, hops: &[Hop]) -> Value {
    let blocker = missing.blocker.as_ref();
    json!({
        "after": hops.get(missing.after).map(|hop| hop.at.to_string()),
        "next": [missing.next],
        "group": blocker.map(|b| &b.group),
        "committed": blocker.map(|b| b.committed.to_string()),
        "followed": missing.followed,
        "of": missing.of,
        "usual_ms": missing.usual_ms,
        "waited_ms": missing.waited_ms,
    })
}
