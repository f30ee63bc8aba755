//! The report as one JSON document; its members are public API.

use serde_json::{Map, Value, json};

use crate::inspect::Verdict;
use crate::inspect::check::{CheckReport, Counts};
use crate::inspect::findings::Finding;
use crate::inspect::saga;

/// The document.
pub fn json(report: &CheckReport) -> Value {
    let verdict = match report.verdict {
        Verdict::Violation => "violation",
        Verdict::Clean => "clean",
        Verdict::Inconclusive(_) | Verdict::Idle(_) => "inconclusive",
    };
    let findings = report.findings.findings.iter();
    json!({
        "verdict": verdict,
        "coverage": {
            "events": report.counts.records,
            "complete": report.complete,
            "notes": report.notes,
        },
        "counts": counts(&report.counts),
        "findings": findings.map(finding).collect::<Vec<_>>(),
    })
}

fn counts(counts: &Counts) -> Value {
    json!({
        "records": counts.records,
        "dlq_records": counts.dlq_records,
        "ids": counts.ids,
        "distinct_ids": counts.distinct_ids,
        "duplicates": counts.duplicates,
        "duplicate_effects": counts.duplicate_effects,
        "gaps_unexplained": counts.gaps_unexplained,
        "txn_markers": counts.txn_markers,
        "aborted": counts.aborted,
        "compacted": counts.compacted,
        "out_of_order": counts.out_of_order,
        "late": counts.late,
        "version_inversions": counts.version_inversions,
        "sequence_holes": counts.sequence_holes,
        "schema_violations": counts.schema_violations,
        "undecodable": counts.undecodable,
        "pii": counts.pii,
        "control_sequences": counts.control_sequences,
        "groups_not_ok": counts.groups_not_ok,
        "sagas": counts.sagas.as_ref().map(sagas),
    })
}

fn sagas(counts: &saga::Counts) -> Value {
    json!({
        "completed": counts.completed,
        "rejected": counts.rejected,
        "compensated": counts.compensated,
        "lost": counts.lost,
        "blocked": counts.blocked,
        "poison": counts.poison,
        "violation": counts.violation,
        "open": counts.open,
    })
}

fn finding(finding: &Finding) -> Value {
    let key = finding.key.as_deref().map(String::from_utf8_lossy);
    let mut evidence = Map::new();
    if let Some(other) = &finding.other {
        evidence.insert("other".to_owned(), other.to_string().into());
    }
    let known = finding
        .evidence
        .iter()
        .filter(|(_, value)| !value.is_null());
    evidence.extend(known.map(|(name, value)| ((*name).to_owned(), value.clone())));
    if !finding.faults.is_empty() {
        let errors = finding.faults.iter().map(|fault| {
            json!({
                "path": fault.path,
                "keyword": fault.keyword,
                "message": fault.message,
            })
        });
        evidence.insert("errors".to_owned(), errors.collect());
    }
    let mut object = json!({
        "code": finding.code.as_str(),
        "severity": finding.severity.name(),
        "at": finding.at.to_string(),
        "key": key,
        "message": finding.message,
        "evidence": evidence,
    });
    if let (Some((_, at)), Some(members)) = (&finding.cause, object.as_object_mut()) {
        members.insert("cause".to_owned(), at.to_string().into());
    }
    object
}
