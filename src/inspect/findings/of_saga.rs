//! Findings of sagas: from how one stands to one line, safe to show, and which finding explains one
//! that is blocked.

use std::time::Duration;

use super::{Code, Finding, Severity};
use crate::inspect::At;
use crate::inspect::saga::{Case, Judged, Lack, Outcome, SagaReport};
use crate::text::human;

pub(super) fn of_sagas(report: &SagaReport) -> impl Iterator<Item = Finding> + '_ {
    let slow = report.hops.iter().flat_map(|hop| {
        hop.outliers.iter().map(move |outlier| {
            let message = format!(
                "{} came {} after {}; the median of {} is {}",
                hop.effect,
                precise(outlier.ms),
                hop.cause,
                human::count(hop.number),
                precise(hop.median_ms)
            );
            Finding::new(Code::LATENCY_OUTLIER, Severity::P3, &outlier.at, message)
                .of(Some(&outlier.id), Some(outlier.time))
                .against(Some(&outlier.cause))
                .with("ms", outlier.ms)
                .with("median_ms", hop.median_ms)
                .with("number", hop.number)
        })
    });
    let cases = report.cases.iter().filter_map(|case| of_case(report, case));
    cases.chain(slow)
}

fn of_case(report: &SagaReport, case: &Case) -> Option<Finding> {
    let judged = &case.judged;
    let (code, severity) = match judged.outcome {
        Outcome::Lost => (Code::SAGA_LOST, Severity::P1),
        Outcome::Blocked => (Code::SAGA_BLOCKED, Severity::P2),
        Outcome::Poison => (Code::SAGA_POISON, Severity::P1),
        Outcome::Violation => (Code::SAGA_VIOLATION, Severity::P1),
        Outcome::Overdue => (Code::SAGA_OVERDUE, Severity::P2),
        _ => return None,
    };
    let lacks = judged.lack.as_ref();
    let message = match lacks {
        Some(lack) => format!("{judged}; {} lacks {}", report.name, next(lack)),
        None => judged.to_string(),
    };
    let mut found = Finding::new(code, severity, &judged.at, message)
        .of(Some(&case.id), judged.time)
        .against(judged.other.as_ref());
    if let Some(lack) = lacks {
        let committed = lack.committed.as_ref().map(ToString::to_string);
        found = found
            .with("lacks", lack.next.join(" or "))
            .with("group", lack.group.as_deref())
            .with("committed", committed)
            .with("overdue_ms", lack.overdue_ms);
    }
    Some(found)
}

/// How a saga stands, in words.
impl std::fmt::Display for Judged {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.outcome.word())?;
        if let Some((what, before)) = &self.breach {
            return write!(f, ", {what} {before}");
        }
        match (&self.lack, self.outcome) {
            (Some(lack), Outcome::Open) => write!(f, ", waits for {}", next(lack)),
            (Some(lack), Outcome::Unread) => write!(
                f,
                ", waits for {}, which may stand where was not read",
                next(lack)
            ),
            (Some(lack), outcome) => overdue(f, lack, outcome),
            (None, Outcome::Poison) => f.write_str(", a step of it cannot be decoded"),
            (None, Outcome::Headless) => f.write_str(", it began before what was read"),
            (None, _) => Ok(()),
        }
    }
}

fn overdue(f: &mut std::fmt::Formatter<'_>, lack: &Lack, outcome: Outcome) -> std::fmt::Result {
    let group = lack.group.as_deref();
    let place = lack.after.position.display(lack.after.style);
    let committed = lack.committed.as_ref();
    let committed = committed.map(|at| at.position.display(at.style).to_string());
    match (outcome, group, committed) {
        (Outcome::Lost, Some(group), Some(committed)) => {
            write!(f, " in {group}: committed {committed} > {place}")?;
        }
        (Outcome::Blocked, Some(group), Some(committed)) => {
            write!(f, " by {group}: committed {committed} <= {place}")?;
        }
        (Outcome::Blocked, Some(group), None) => {
            write!(f, " by {group}: it never committed")?;
        }
        (Outcome::Overdue, Some(group), _) => {
            write!(f, ", lost or blocked: where {group} stands is not known")?;
        }
        _ => write!(f, " after {}", lack.cause)?,
    }
    let sla = span(lack.sla_ms);
    match lack.overdue_ms {
        Some(ms) => write!(f, ", SLA {sla} passed {} ago", span(ms)),
        None => Ok(()),
    }
}

fn next(lack: &Lack) -> String {
    lack.next.join(" or ")
}

/// A length of time; of ten seconds and more, without their tenths.
fn span(ms: i64) -> String {
    let ms = u64::try_from(ms).unwrap_or_default();
    match ms {
        10_000..60_000 => format!("{} s", ms / 1_000),
        _ => human::duration(Duration::from_millis(ms)),
    }
}

/// A length of time to the tenth.
fn precise(ms: i64) -> String {
    let ms = u64::try_from(ms).unwrap_or_default();
    human::duration(Duration::from_millis(ms))
}

/// A saga is blocked by a group that stands somewhere: what is found there explains it, best what
/// is wrong with the event itself.
pub(super) fn explain(findings: &mut [Finding], report: &SagaReport) {
    let undecodable = |f: &&Finding| f.code == Code::PAYLOAD_UNDECODABLE;
    let lagging = |f: &&Finding| f.code.as_str().starts_with("lag.");
    let causes: Vec<(Code, At)> = findings
        .iter()
        .filter(undecodable)
        .chain(findings.iter().filter(lagging))
        .map(|f| (f.code, f.at.clone()))
        .collect();
    for finding in findings.iter_mut() {
        if finding.code == Code::SAGA_POISON {
            let same =
                |(code, at): &&(Code, At)| *code == Code::PAYLOAD_UNDECODABLE && *at == finding.at;
            finding.cause = causes.iter().find(same).cloned();
        }
        if finding.code != Code::SAGA_BLOCKED {
            continue;
        }
        let own = |case: &&Case| case.judged.at == finding.at;
        let case = report.cases.iter().find(own);
        let Some(lack) = case.and_then(|case| case.judged.lack.as_ref()) else {
            continue;
        };
        let Some(committed) = &lack.committed else {
            continue;
        };
        let place = |at: &At| (at.topic.clone(), at.partition);
        // Between the commit and the event that waits there may be transaction markers.
        let stands = |(_, at): &&(Code, At)| {
            place(at) == place(committed)
                && at.position >= committed.position
                && at.position <= lack.after.position
        };
        finding.cause = causes.iter().find(stands).cloned();
    }
}
