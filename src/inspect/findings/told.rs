//! Findings in words: from what each detector keeps to one line, safe to show.

use super::{Code, Finding, Severity};
use crate::event::SchemaVerdict;
use crate::inspect::causes::{CausesReport, Tie};
use crate::inspect::fields::{Drift, FieldsReport};
use crate::inspect::lag::{LagReport, Why};
use crate::inspect::lint::Lint;
use crate::inspect::misfits::Misfit;
use crate::inspect::order::{Anomaly, Gap, Kind, OrderReport, Sent};
use crate::inspect::payload::{Odd, Oddity, Personal};
use crate::text::{Visible, human};

pub(super) fn of_anomaly(anomaly: &Anomaly) -> Vec<Finding> {
    let finding = |code, severity, message| Finding {
        code,
        severity,
        at: anomaly.at.clone(),
        other: anomaly.other.clone(),
        key: anomaly.key.clone(),
        time: anomaly.time,
        message,
        cause: None,
        faults: Vec::new(),
    };
    let other = anomaly.other.as_ref().map(ToString::to_string);
    let other = other.unwrap_or_default();
    match &anomaly.kind {
        Kind::Disorder {
            behind_ms,
            late,
            same_key,
        } => {
            let behind = span(*behind_ms);
            let whose = if *same_key { ", also of its key" } else { "" };
            let message = format!("event time is {behind} before that of {other}{whose}");
            let severity = if *same_key {
                Severity::P3
            } else {
                Severity::P4
            };
            let mut all = vec![finding(Code::TIME_DISORDER, severity, message)];
            if *late {
                let message = format!("comes {behind} after its time");
                all.push(finding(Code::TIME_LATE, Severity::P3, message));
            }
            all
        }
        Kind::Duplicate { id, sent } => {
            let how = Sent::how(*sent).map_or_else(String::new, |how| format!(": {how}"));
            let message = format!("id {} was already at {other}{how}", text(id));
            vec![finding(Code::ID_DUPLICATE, Severity::P2, message)]
        }
        Kind::Gap { from, to, class } => {
            if *class != Gap::Unexplained {
                return Vec::new();
            }
            let number = human::count(to - from);
            let message = format!("{number} offsets from {from} on hold nothing, unexplained");
            vec![finding(Code::OFFSET_GAP, Severity::P1, message)]
        }
        Kind::Version { version } => {
            let message = format!("version {version} comes after the later one at {other}");
            vec![finding(Code::ORDER_VERSION, Severity::P2, message)]
        }
        Kind::VersionAgain { version } => {
            let message = format!("version {version} was there before");
            vec![finding(Code::ORDER_VERSION, Severity::P3, message)]
        }
        Kind::SequenceHole { producer, from, to } => {
            let numbers = if from == to {
                format!("number {from}")
            } else {
                format!("numbers {from} to {to}")
            };
            let message = format!("{numbers} of {} before it never came", text(producer));
            vec![finding(Code::SEQUENCE_HOLE, Severity::P2, message)]
        }
        Kind::ProducerHole { sent, from, to } => {
            let message = format!("{sent} comes here, and {from} to {to} before it are not there");
            vec![finding(Code::PRODUCER_HOLE, Severity::P3, message)]
        }
        Kind::ProducerAgain { sent } => {
            let why = "the broker took it twice, or the log was copied";
            let message = format!("{sent} was there before: {why}");
            vec![finding(Code::PRODUCER_REPEAT, Severity::P3, message)]
        }
    }
}

pub(super) fn of_causes<'a>(
    causes: &'a CausesReport,
    order: &'a OrderReport,
) -> impl Iterator<Item = Finding> + 'a {
    let finding = |tie: &Tie, code, severity, message| Finding {
        code,
        severity,
        at: tie.at.clone(),
        other: Some(tie.other.clone()),
        key: tie.key.clone(),
        time: tie.time,
        message,
        cause: None,
        faults: Vec::new(),
    };
    let twice = causes.duplicates.iter().map(move |tie| {
        let message = format!("the same effect of the same cause is at {}", tie.other);
        finding(tie, Code::EFFECT_DUPLICATE, Severity::P2, message)
    });
    // A late event has a time that is wrong by more than its clock.
    let late = |tie: &&Tie| {
        let found = order
            .anomalies
            .iter()
            .any(|a| a.at == tie.at && matches!(a.kind, Kind::Disorder { late, .. } if late));
        !found
    };
    let skewed = causes.skews.iter().filter(late).map(move |tie| {
        let early = span(tie.early_ms);
        let message = format!(
            "its time is {early} before that of its cause at {}",
            tie.other
        );
        finding(tie, Code::TIME_SKEW, Severity::P3, message)
    });
    twice.chain(skewed)
}

pub(super) fn of_odd(odd: &Odd) -> Finding {
    let (code, severity, message) = match &odd.what {
        Oddity::Undecodable(why) => (
            Code::PAYLOAD_UNDECODABLE,
            Severity::P2,
            format!("the value is not JSON as the others are: {why}"),
        ),
        Oddity::Control(place) => (
            Code::TEXT_CONTROL,
            Severity::P2,
            format!("control characters in {}", place.name()),
        ),
        Oddity::Personal(what, number, place, masked) => {
            let code = match what {
                Personal::Email => Code::PII_EMAIL,
                Personal::Phone => Code::PII_PHONE,
                Personal::Card => Code::PII_CARD,
                Personal::Iban => Code::PII_IBAN,
                Personal::Secret => Code::PII_SECRET,
            };
            let plural = match (*number, what) {
                (1, _) => "",
                (_, Personal::Email) => "es",
                _ => "s",
            };
            let message = format!(
                "{number} {}{plural} in {}: {masked}",
                what.name(),
                place.name()
            );
            // What opens a door is worse than what names a person.
            let severity = match what {
                Personal::Secret => Severity::P2,
                _ => Severity::P3,
            };
            (code, severity, message)
        }
    };
    Finding {
        code,
        severity,
        at: odd.at.clone(),
        other: None,
        key: odd.key.clone(),
        time: odd.time,
        message,
        cause: None,
        faults: Vec::new(),
    }
}

pub(super) fn of_misfit(misfit: &Misfit) -> Finding {
    let (code, severity) = match misfit.verdict {
        SchemaVerdict::Undecodable => (Code::PAYLOAD_UNDECODABLE, Severity::P2),
        SchemaVerdict::UnknownId => (Code::SCHEMA_UNKNOWN, Severity::P3),
        _ => (Code::SCHEMA_VIOLATION, Severity::P2),
    };
    let first = misfit.faults.first();
    let said = first.map_or_else(String::new, |fault| match fault.path.as_str() {
        "" => Visible(&fault.message).to_string(),
        path => format!("{}: {}", Visible(path), Visible(&fault.message)),
    });
    let more = match misfit.faults.len() {
        0 | 1 => String::new(),
        all => format!(" (and {} more)", all - 1),
    };
    Finding {
        code,
        severity,
        at: misfit.at.clone(),
        other: None,
        key: misfit.key.clone(),
        time: misfit.time,
        message: format!("{said}{more}"),
        cause: None,
        faults: misfit.faults.clone(),
    }
}

pub(super) fn of_lag(lag: &LagReport) -> impl Iterator<Item = Finding> + '_ {
    lag.troubled().filter_map(|group| {
        let row = group.worst()?;
        let why = group.why;
        let waits = group.visible().or_else(|| row.lag());
        let waits = waits.map(|waits| format!(", {} waiting", human::count(waits)));
        let oldest = group.time_lag_ms().map(span);
        let oldest = oldest.map(|age| format!(", the oldest for {age}"));
        let waiting = row.waiting.as_ref();
        let detail = group.detail.as_ref();
        let detail = detail.map(|detail| format!(": {}", Visible(detail)));
        let message = format!(
            "{} {}{}{}{}",
            Visible(&group.name),
            why.word(),
            waits.unwrap_or_default(),
            oldest.unwrap_or_default(),
            detail.unwrap_or_default()
        );
        let severity = match why {
            Why::Lagging
            | Why::FallingBehind
            | Why::Rebalancing { .. }
            | Why::Reconciling { .. }
            | Why::NoMembers
            | Why::Dead => Severity::P2,
            _ => Severity::P1,
        };
        Some(Finding {
            code: Code::of_lag(why),
            severity,
            at: row.at()?,
            other: None,
            key: waiting.and_then(|w| w.key.clone()),
            time: waiting.and_then(|w| w.time),
            message,
            cause: None,
            faults: Vec::new(),
        })
    })
}

pub(super) fn of_lint(lint: &Lint) -> Finding {
    let (events, keys) = (human::count(lint.events), human::count(lint.keys));
    Finding {
        code: Code::LINT_COMPACTED_EVENTS,
        severity: Severity::P3,
        at: lint.at.clone(),
        other: None,
        key: None,
        time: None,
        message: format!(
            "the topic is compacted and holds events, not states: for {events} of {keys} keys a \
             later value says less than an earlier one, which the cleaner deletes"
        ),
        cause: None,
        faults: Vec::new(),
    }
}

pub(super) fn of_fields(fields: &FieldsReport) -> impl Iterator<Item = Finding> + '_ {
    fields.drifts().filter_map(|(_, drift)| of_drift(drift))
}

/// A new member is fine; one that changes its type is not.
fn of_drift(drift: &Drift) -> Option<Finding> {
    drift.is_break().then(|| Finding {
        code: Code::SCHEMA_DRIFT,
        severity: Severity::P2,
        at: drift.since.clone(),
        other: None,
        key: drift.key.clone(),
        time: drift.since_time,
        message: drift.to_string(),
        cause: None,
        faults: Vec::new(),
    })
}

fn text(bytes: &[u8]) -> String {
    Visible(&String::from_utf8_lossy(bytes)).to_string()
}

fn span(ms: i64) -> String {
    let ms = u64::try_from(ms).unwrap_or_default();
    human::duration(std::time::Duration::from_millis(ms))
}
