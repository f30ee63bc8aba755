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
    let finding = |code, severity, message: String| {
        Finding::new(code, severity, &anomaly.at, message)
            .of(anomaly.key.as_deref(), anomaly.time)
            .against(anomaly.other.as_ref())
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
            let disorder = finding(Code::TIME_DISORDER, severity, message);
            let mut all = vec![disorder.with("behind_ms", *behind_ms)];
            if *late {
                let message = format!("comes {behind} after its time");
                let late = finding(Code::TIME_LATE, Severity::P3, message);
                all.push(late.with("behind_ms", *behind_ms));
            }
            all
        }
        Kind::Duplicate { id, sent } => {
            let how = Sent::how(*sent).map_or_else(String::new, |how| format!(": {how}"));
            let message = format!("id {} was already at {other}{how}", text(id));
            let twice = finding(Code::ID_DUPLICATE, Severity::P2, message);
            let how = Sent::how(*sent).map(ToString::to_string);
            vec![twice.with("id", text(id)).with("how", how)]
        }
        Kind::Gap { from, to, class } => {
            if *class != Gap::Unexplained {
                return Vec::new();
            }
            let number = human::count(to - from);
            let message = format!("{number} offsets from {from} on hold nothing, unexplained");
            let gap = finding(Code::OFFSET_GAP, Severity::P1, message);
            vec![gap.with("from", *from).with("until", *to)]
        }
        Kind::Version { version } => {
            let message = format!("version {version} comes after the later one at {other}");
            let late = finding(Code::ORDER_VERSION, Severity::P2, message);
            vec![late.with("version", *version)]
        }
        Kind::VersionAgain { version } => {
            let message = format!("version {version} was there before");
            let again = finding(Code::ORDER_VERSION, Severity::P3, message);
            vec![again.with("version", *version)]
        }
        Kind::SequenceHole { producer, from, to } => {
            let numbers = if from == to {
                format!("number {from}")
            } else {
                format!("numbers {from} to {to}")
            };
            let message = format!("{numbers} of {} before it never came", text(producer));
            let hole = finding(Code::SEQUENCE_HOLE, Severity::P2, message);
            let hole = hole.with("producer", text(producer));
            vec![hole.with("from", *from).with("to", *to)]
        }
        Kind::ProducerHole { sent, from, to } => {
            let message = format!("{sent} comes here, and {from} to {to} before it are not there");
            let hole = finding(Code::PRODUCER_HOLE, Severity::P3, message);
            vec![hole.with("from", *from).with("to", *to)]
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
    let finding = |tie: &Tie, code, severity, message: String| {
        Finding::new(code, severity, &tie.at, message)
            .of(tie.key.as_deref(), tie.time)
            .against(Some(&tie.other))
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
        finding(tie, Code::TIME_SKEW, Severity::P3, message).with("early_ms", tie.early_ms)
    });
    twice.chain(skewed)
}

pub(super) fn of_odd(odd: &Odd) -> Finding {
    let found = match &odd.what {
        Oddity::Undecodable(why) => Finding::new(
            Code::PAYLOAD_UNDECODABLE,
            Severity::P2,
            &odd.at,
            format!("the value is not JSON as the others are: {why}"),
        ),
        Oddity::Control(place) => Finding::new(
            Code::TEXT_CONTROL,
            Severity::P2,
            &odd.at,
            format!("control characters in {}", place.name()),
        )
        .with("in", place.name()),
        Oddity::Personal(what, number, place, masked) => {
            let plural = match (*number, what) {
                (1, _) => "",
                (_, Personal::Email) => "es",
                _ => "s",
            };
            let (name, place) = (what.name(), place.name());
            let message = format!("{number} {name}{plural} in {place}: {masked}");
            let (code, severity) = of_personal(*what);
            Finding::new(code, severity, &odd.at, message)
                .with("in", place)
                .with("number", *number)
                .with("masked", masked.as_str())
        }
    };
    found.of(odd.key.as_deref(), odd.time)
}

/// What opens a door is worse than what names a person.
const fn of_personal(what: Personal) -> (Code, Severity) {
    match what {
        Personal::Email => (Code::PII_EMAIL, Severity::P3),
        Personal::Phone => (Code::PII_PHONE, Severity::P3),
        Personal::Card => (Code::PII_CARD, Severity::P3),
        Personal::Iban => (Code::PII_IBAN, Severity::P3),
        Personal::Secret => (Code::PII_SECRET, Severity::P2),
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
    let found = Finding::new(code, severity, &misfit.at, format!("{said}{more}"));
    let mut found = found.of(misfit.key.as_deref(), misfit.time);
    if let Some(id) = &misfit.id {
        found = found.with("schema", Visible(id).to_string());
    }
    Finding {
        faults: misfit.faults.clone(),
        ..found
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
        let key = waiting.and_then(|w| w.key.as_deref());
        let time = waiting.and_then(|w| w.time);
        Some(
            Finding::new(Code::of_lag(why), severity, &row.at()?, message)
                .of(key, time)
                .with("group", Visible(&group.name).to_string())
                .with("why", why.word())
                .with("waiting", group.visible().or_else(|| row.lag()))
                .with("time_lag_ms", group.time_lag_ms()),
        )
    })
}

pub(super) fn of_lint(lint: &Lint) -> Finding {
    let (events, keys) = (human::count(lint.events), human::count(lint.keys));
    let message = format!(
        "the topic is compacted and holds events, not states: for {events} of {keys} keys a later \
         value says less than an earlier one, which the cleaner deletes"
    );
    Finding::new(Code::LINT_COMPACTED_EVENTS, Severity::P3, &lint.at, message)
        .with("keys", lint.keys)
        .with("of_events", lint.events)
}

pub(super) fn of_fields(fields: &FieldsReport) -> impl Iterator<Item = Finding> + '_ {
    fields.drifts().filter_map(|(_, drift)| of_drift(drift))
}

/// A new member is fine; one that changes its type is not.
fn of_drift(drift: &Drift) -> Option<Finding> {
    let found = || {
        Finding::new(
            Code::SCHEMA_DRIFT,
            Severity::P2,
            &drift.since,
            drift.to_string(),
        )
    };
    drift
        .is_break()
        .then(|| found().of(drift.key.as_deref(), drift.since_time))
}

fn text(bytes: &[u8]) -> String {
    Visible(&String::from_utf8_lossy(bytes)).to_string()
}

fn span(ms: i64) -> String {
    let ms = u64::try_from(ms).unwrap_or_default();
    human::duration(std::time::Duration::from_millis(ms))
}
