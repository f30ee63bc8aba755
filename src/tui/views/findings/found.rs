//! What the folds found, made ready to be shown: rows in the order of the screen, lanes by key,
//! what was looked at, one verdict over all. Pure, made where the folds run.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use crate::event::Timestamp;
use crate::inspect::findings::{Code, FindingsReport, Severity};
use crate::inspect::order::OrderReport;
use crate::inspect::{At, Verdict};

/// One line of the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Row {
    /// Index among the findings.
    pub finding: usize,
    /// It stands below the finding that explains it.
    pub under: bool,
}

/// The anomalies of one key of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyLane {
    pub topic: Arc<str>,
    pub key: Box<[u8]>,
    /// Indexes among the anomalies, in the order of their coordinates.
    pub anomalies: Vec<usize>,
}

/// All of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    pub report: FindingsReport,
    pub rows: Vec<Row>,
    /// Findings of each severity.
    pub counts: [usize; 4],
    pub order: OrderReport,
    /// Those with the most anomalies first.
    pub keys: Vec<KeyLane>,
    /// Anomalies of events without a key.
    pub keyless: usize,
    pub verdict: Verdict,
    pub topics: usize,
    pub first_time: Option<Timestamp>,
    pub newest_time: Option<Timestamp>,
    /// Events whose fields were looked at.
    pub of_fields: u64,
    /// Events went by that were not looked at.
    pub missed: bool,
}

impl Found {
    pub fn new(report: FindingsReport, order: OrderReport, missed: bool) -> Self {
        let lanes = order.lanes.iter();
        let topics: HashSet<(u16, &str)> = lanes
            .clone()
            .map(|l| (l.first.origin, &*l.first.topic))
            .collect();
        let mut counts = [0; 4];
        for finding in &report.findings {
            counts[finding.severity as usize] += 1;
        }
        let (keys, keyless) = by_key(&order);
        Self {
            rows: rows(&report),
            counts,
            keys,
            keyless,
            verdict: verdict(&report, missed),
            topics: topics.len(),
            first_time: lanes.clone().filter_map(|l| l.first_time).min(),
            newest_time: lanes.filter_map(|l| l.newest_time).max(),
            report,
            order,
            of_fields: 0,
            missed,
        }
    }
}

/// A violation where anything was found; clean only where every check is.
fn verdict(report: &FindingsReport, missed: bool) -> Verdict {
    if !report.findings.is_empty() {
        return Verdict::Violation;
    }
    if missed {
        return Verdict::Inconclusive(
            "events left the buffer before they could be looked at".into(),
        );
    }
    let doubt = report
        .checks
        .iter()
        .find_map(|(name, verdict)| match verdict {
            Verdict::Inconclusive(why) | Verdict::Idle(why) => Some(format!("{name}: {why}")),
            _ => None,
        });
    doubt.map_or(Verdict::Clean, |why| Verdict::Inconclusive(why.into()))
}

/// What a finding explains stands below it; such a group ranks by its most urgent finding.
fn rows(report: &FindingsReport) -> Vec<Row> {
    let findings = &report.findings;
    let places: HashMap<(Code, &At), usize> = findings
        .iter()
        .enumerate()
        .map(|(index, f)| ((f.code, &f.at), index))
        .collect();
    let cause = |index: usize| {
        let (code, at) = findings.get(index)?.cause.as_ref()?;
        places.get(&(*code, at)).copied().filter(|c| *c != index)
    };
    // One that is itself explained explains nothing further: there are no chains.
    let over = |index: usize| cause(index).filter(|c| cause(*c).is_none());
    let mut below: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
    for index in 0..findings.len() {
        if let Some(cause) = over(index) {
            below.entry(cause).or_default().push(index);
        }
    }
    let mut heads: Vec<(Severity, usize)> = Vec::new();
    for (index, finding) in findings.iter().enumerate() {
        if over(index).is_none() {
            // Findings come ranked, so the first one below is the most urgent of them.
            let first = below.get(&index).and_then(|b| findings.get(*b.first()?));
            let urgent = first.map_or(finding.severity, |f| f.severity.min(finding.severity));
            heads.push((urgent, index));
        }
    }
    heads.sort_unstable();
    let mut rows = Vec::with_capacity(findings.len());
    for (_, head) in heads {
        rows.push(Row {
            finding: head,
            under: false,
        });
        let under = below.get(&head).into_iter().flatten();
        rows.extend(under.map(|finding| Row {
            finding: *finding,
            under: true,
        }));
    }
    rows
}

fn by_key(order: &OrderReport) -> (Vec<KeyLane>, usize) {
    let mut lanes: BTreeMap<(Arc<str>, &[u8]), Vec<usize>> = BTreeMap::new();
    let mut keyless = 0;
    for (index, anomaly) in order.anomalies.iter().enumerate() {
        match &anomaly.key {
            Some(key) => lanes
                .entry((anomaly.at.topic.clone(), key))
                .or_default()
                .push(index),
            None => keyless += 1,
        }
    }
    let mut lanes: Vec<KeyLane> = lanes
        .into_iter()
        .map(|((topic, key), anomalies)| KeyLane {
            topic,
            key: key.into(),
            anomalies,
        })
        .collect();
    lanes.sort_by_key(|lane| std::cmp::Reverse(lane.anomalies.len()));
    (lanes, keyless)
}
