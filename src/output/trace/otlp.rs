//! A trace as spans of OpenTelemetry, in the JSON of its protocol (OTLP 1): an event is a span of
//! its producer, from the time of its cause to its own. Ids are those of the `traceparent`, where
//! there is one of the right form and no other span has it; else they are derived from the trace's
//! id and the event's place, the same each time.

use std::collections::HashSet;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::{Told, text};
use crate::inspect::trace::Hop;

/// `SPAN_KIND_PRODUCER`.
const PRODUCER: u8 = 4;
/// `STATUS_CODE_ERROR`.
const ERROR: u8 = 2;

/// The document: one resource for each producer.
pub fn otlp(told: &Told<'_>) -> Value {
    let hops = &told.report.hops;
    let ids = ids(told);
    let mut producers: Vec<&str> = Vec::new();
    for hop in hops {
        let name = producer(hop);
        if !producers.contains(&name) {
            producers.push(name);
        }
    }
    let resources = producers.into_iter().map(|name| {
        let own = hops.iter().enumerate().filter(|(_, h)| producer(h) == name);
        let spans: Vec<Value> = own
            .filter_map(|(n, hop)| span(told, &ids, n, hop))
            .collect();
        json!({
            "resource": {"attributes": [attribute("service.name", name)]},
            "scopeSpans": [{
                "scope": {"name": "evtap", "version": env!("CARGO_PKG_VERSION")},
                "spans": spans,
            }],
        })
    });
    json!({"resourceSpans": resources.collect::<Vec<_>>()})
}

fn producer(hop: &Hop) -> &str {
    hop.producer.as_deref().unwrap_or("unknown")
}

/// The trace id and the span id of each hop.
fn ids(told: &Told<'_>) -> Vec<(String, String)> {
    let mut taken = HashSet::new();
    let derived_trace = digits(&[told.id], 16);
    let of_hop = |hop: &Hop| {
        let own = hop.trace.as_ref().map(|(t, s)| (lower(t), lower(s)));
        let trace = own.as_ref().map(|(trace, _)| trace.clone());
        let trace = trace
            .filter(|id| is_id(id))
            .unwrap_or(derived_trace.clone());
        let span = own.map(|(_, span)| span).filter(|id| is_id(id));
        let span = span.filter(|span| taken.insert((trace.clone(), span.clone())));
        let place = hop.at.to_string();
        let span =
            span.unwrap_or_else(|| digits(&[told.id, &place, &hop.at.origin.to_string()], 8));
        (trace, span)
    };
    told.report.hops.iter().map(of_hop).collect()
}

fn lower(hex: &[u8]) -> String {
    text(hex).to_ascii_lowercase()
}

/// An id of nothing but zeros is none.
fn is_id(hex: &str) -> bool {
    hex.bytes().any(|b| b != b'0')
}

fn digits(of: &[&str], bytes: usize) -> String {
    let mut hash = Sha256::new();
    for part in of {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let digits = hash.finalize();
    let mut text = String::with_capacity(bytes * 2);
    for byte in digits.iter().take(bytes) {
        let hex = |half: u8| char::from_digit(u32::from(half), 16).unwrap_or('0');
        text.extend([hex(byte >> 4), hex(byte & 15)]);
    }
    text
}

fn span(told: &Told<'_>, ids: &[(String, String)], number: usize, hop: &Hop) -> Option<Value> {
    let (trace, span) = ids.get(number)?;
    let edge = told.edges.iter().find(|edge| edge.to == number);
    let parent = edge.and_then(|edge| Some((edge, ids.get(edge.from)?)));
    let end = hop.time.map_or(0, |t| t.0);
    let began = edge.and_then(|edge| told.report.hops.get(edge.from)?.time);
    // Clocks differ: a cause that seems to be younger makes no span that ends before it begins.
    let began = began.map_or(end, |t| t.0).min(end);
    let mut attributes = vec![
        attribute("messaging.operation.name", "send"),
        attribute("messaging.destination.name", &hop.at.topic),
        attribute(
            "messaging.destination.partition.id",
            &hop.at.partition.to_string(),
        ),
        attribute("evtap.at", &hop.at.to_string()),
    ];
    let optional = [
        ("messaging.message.id", hop.id.as_deref()),
        (
            "messaging.message.conversation_id",
            hop.correlation.as_deref(),
        ),
        ("messaging.kafka.message.key", hop.key.as_deref()),
    ];
    let there = optional
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)));
    attributes.extend(there.map(|(name, value)| attribute(name, &text(value))));
    if let Some((edge, _)) = parent {
        attributes.push(attribute("evtap.edge", edge.strength.name()));
    }
    let mut object = json!({
        "traceId": trace,
        "spanId": span,
        "name": hop.name(),
        "kind": PRODUCER,
        "startTimeUnixNano": nanos(began),
        "endTimeUnixNano": nanos(end),
        "attributes": attributes,
    });
    let members = object.as_object_mut()?;
    match parent {
        Some((_, (of, parent))) if of == trace => {
            members.insert("parentSpanId".to_owned(), parent.as_str().into());
        }
        Some((_, (of, parent))) => {
            members.insert(
                "links".to_owned(),
                json!([{"traceId": of, "spanId": parent}]),
            );
        }
        None => {}
    }
    let missing = told.missing();
    let lacks = missing.iter().find(|(after, _)| *after == number);
    let wrong = match (&hop.fault, lacks) {
        (Some(fault), _) => Some(fault.clone()),
        (None, Some(_)) => Some(told.verdict()),
        (None, None) => None,
    };
    if let Some(message) = wrong {
        let status = json!({"code": ERROR, "message": message});
        members.insert("status".to_owned(), status);
    }
    Some(object)
}

/// Nanoseconds since the epoch, as text: they do not fit a number of JavaScript's.
fn nanos(ms: i64) -> String {
    (u128::try_from(ms).unwrap_or_default() * 1_000_000).to_string()
}

fn attribute(name: &str, value: &str) -> Value {
    json!({"key": name, "value": {"stringValue": value}})
}
