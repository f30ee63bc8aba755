//! Findings: what the detectors found, ranked, one for each event and code, each with its
//! coordinate. The folds that run live are fed from here; lag and fields come in as reports.

use std::fmt;

use super::causes::{Causes, CausesReport, Tie};
use super::fields::{Drift, FieldsReport};
use super::lag::{LagReport, Why};
use super::lanes::{Lanes, Spot};
use super::misfits::{Misfit, MisfitsReport};
use super::order::{Anomaly, Gap, Kind, Order, OrderReport};
use super::payload::{Odd, Oddity, Payloads, Personal};
use super::{At, Names, Verdict, top};
use crate::event::{Batch, SchemaFault, SchemaVerdict, Timestamp};
use crate::text::{Visible, human};

/// The stable name of a kind of finding, `order.version`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Code(&'static str);

impl Code {
    pub const ORDER_VERSION: Self = Self("order.version");
    pub const TIME_DISORDER: Self = Self("time.disorder");
    pub const TIME_LATE: Self = Self("time.late");
    pub const TIME_SKEW: Self = Self("time.skew");
    pub const ID_DUPLICATE: Self = Self("id.duplicate");
    pub const EFFECT_DUPLICATE: Self = Self("effect.duplicate");
    pub const SEQUENCE_HOLE: Self = Self("sequence.hole");
    pub const OFFSET_GAP: Self = Self("offset.gap");
    pub const PAYLOAD_UNDECODABLE: Self = Self("payload.undecodable");
    pub const TEXT_CONTROL: Self = Self("text.control");
    pub const PII_EMAIL: Self = Self("pii.email");
    pub const PII_PHONE: Self = Self("pii.phone");
    pub const PII_CARD: Self = Self("pii.card");
    pub const SCHEMA_DRIFT: Self = Self("schema.drift");
    pub const SCHEMA_VIOLATION: Self = Self("schema.violation");
    pub const SCHEMA_UNKNOWN: Self = Self("schema.unknown_id");

    pub const fn as_str(self) -> &'static str {
        self.0
    }

    /// The code of a group in trouble.
    pub const fn of_lag(why: Why) -> Self {
        Self(match why {
            Why::Ok | Why::OkTail => "lag.ok",
            Why::NoCommit => "lag.no_commit",
            Why::NoMembers => "lag.no_members",
            Why::Dead => "lag.dead",
            Why::OffsetLost { .. } => "lag.offset_lost",
            Why::Rebalancing => "lag.rebalancing",
            Why::Unassigned => "lag.unassigned",
            Why::Poison => "lag.poison",
            Why::PoisonSuspect => "lag.poison_suspect",
            Why::MemberStuck => "lag.member_stuck",
            Why::GroupStopped => "lag.group_stopped",
            Why::FallingBehind => "lag.falling_behind",
            Why::CatchingUp => "lag.catching_up",
            Why::Lagging => "lag.lagging",
            Why::Unknown => "lag.unknown",
        })
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// How urgent it is; the first comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    P1,
    P2,
    P3,
    P4,
}

impl Severity {
    pub const fn name(self) -> &'static str {
        match self {
            Self::P1 => "P1",
            Self::P2 => "P2",
            Self::P3 => "P3",
            Self::P4 => "P4",
        }
    }
}

/// One thing that somebody ought to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    pub code: Code,
    pub severity: Severity,
    pub at: At,
    /// The event that it is held against: the first of two, the cause.
    pub other: Option<At>,
    /// The front of the event's key.
    pub key: Option<Box<[u8]>>,
    pub time: Option<Timestamp>,
    /// One line, safe to show.
    pub message: String,
    /// The finding that explains this one.
    pub cause: Option<(Code, At)>,
    /// What the schema says, where one does.
    pub faults: Vec<SchemaFault>,
}

/// All findings, the most urgent first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FindingsReport {
    pub findings: Vec<Finding>,
    /// What was looked for, and each verdict.
    pub checks: Vec<(&'static str, Verdict)>,
    /// Events looked at.
    pub events: u64,
    /// Findings that there was no room for.
    pub unkept: u64,
    /// Pieces of personal data in the values that are listed.
    pub personal: u64,
}

/// Reports of folds that do not run with the others.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts<'a> {
    pub lag: Option<&'a LagReport>,
    pub fields: Option<&'a FieldsReport>,
    pub misfits: Option<&'a MisfitsReport>,
}

/// The folds that run live, fed together.
#[derive(Debug, Default)]
pub struct Findings {
    order: Order,
    causes: Causes,
    payloads: Payloads,
    names: Names,
    lanes: Lanes,
}

impl Findings {
    pub fn batch(&mut self, batch: &Batch) {
        self.order.batch(batch);
        // All of them meet the same batches, so that a partition has one number in each.
        self.lanes.enter(batch);
        self.causes.enter(batch);
        self.payloads.enter(batch);
        for event in batch.iter() {
            let spot = Spot {
                lane: self.lanes.lane(event.stream_index),
                position: event.position,
            };
            if !self.lanes.counts(spot, &event) {
                continue;
            }
            let heads = self.names.heads(event.headers);
            let value = top::look(event.value, &self.names);
            self.causes.event(spot, &event, &heads, Some(value));
            self.payloads.event(spot, &event, value);
        }
    }

    /// The reader jumped ahead on purpose.
    pub fn skipped(&mut self) {
        self.order.skipped();
    }

    /// The order alone, for its own view.
    pub fn order(&self, ended: bool) -> OrderReport {
        self.order.report(ended)
    }

    /// What was found so far. `ended` as for [`Order::report`].
    pub fn report(&self, ended: bool, parts: Parts<'_>) -> FindingsReport {
        let order = self.order.report(ended);
        let causes = self.causes.report();
        let (odd, odd_unkept) = self.payloads.report();
        let mut findings: Vec<Finding> = order.anomalies.iter().flat_map(of_anomaly).collect();
        findings.extend(of_causes(&causes, &order));
        // Where there are schemas, they say what can be decoded.
        let guess =
            |odd: &&Odd| parts.misfits.is_none() || !matches!(odd.what, Oddity::Undecodable(_));
        findings.extend(odd.iter().filter(guess).map(of_odd));
        findings.extend(parts.lag.into_iter().flat_map(of_lag));
        findings.extend(parts.fields.into_iter().flat_map(of_fields));
        let misfits = parts.misfits.map(|report| &report.misfits[..]);
        findings.extend(misfits.unwrap_or_default().iter().map(of_misfit));
        tie(&mut findings);
        findings.sort_by(|a, b| rank(a).cmp(&rank(b)));
        findings.dedup_by(|later, first| (later.code, &later.at) == (first.code, &first.at));
        let mut checks: Vec<(&'static str, Verdict)> = order
            .checks
            .iter()
            .map(|(check, verdict)| (check.name(), verdict.clone()))
            .collect();
        checks.push(("effects", effects(&causes)));
        FindingsReport {
            findings,
            checks,
            events: order.coverage.events,
            unkept: order.coverage.unkept
                + causes.unkept
                + odd_unkept
                + parts.misfits.map_or(0, |report| report.unkept),
            personal: odd.iter().map(Odd::personal).sum(),
        }
    }
}

type Rank<'a> = (Severity, Code, (&'a str, u32, u16, crate::event::Position));

fn rank(finding: &Finding) -> Rank<'_> {
    (finding.severity, finding.code, finding.at.rank())
}

fn effects(causes: &CausesReport) -> Verdict {
    let none = (causes.effects == 0).then_some("no event names its cause".into());
    let forgot = (causes.forgotten > 0).then_some("ids were forgotten".into());
    let found = !causes.duplicates.is_empty() || !causes.skews.is_empty();
    Verdict::of(found, none, [forgot])
}

fn text(bytes: &[u8]) -> String {
    Visible(&String::from_utf8_lossy(bytes)).to_string()
}

fn span(ms: i64) -> String {
    let ms = u64::try_from(ms).unwrap_or_default();
    human::duration(std::time::Duration::from_millis(ms))
}

fn of_anomaly(anomaly: &Anomaly) -> Vec<Finding> {
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
        Kind::Duplicate { id } => {
            let message = format!("id {} was already at {other}", text(id));
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
    }
}

fn of_causes<'a>(
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

fn of_odd(odd: &Odd) -> Finding {
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
        Oddity::Personal(what, number) => {
            let code = match what {
                Personal::Email => Code::PII_EMAIL,
                Personal::Phone => Code::PII_PHONE,
                Personal::Card => Code::PII_CARD,
            };
            let plural = match (*number, what) {
                (1, _) => "",
                (_, Personal::Email) => "es",
                _ => "s",
            };
            let message = format!("{number} {}{plural} in the value", what.name());
            (code, Severity::P3, message)
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

fn of_misfit(misfit: &Misfit) -> Finding {
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

fn of_lag(lag: &LagReport) -> impl Iterator<Item = Finding> + '_ {
    lag.troubled().filter_map(|group| {
        let row = group.worst()?;
        let waits = group.visible().or_else(|| row.lag());
        let waits = waits.map(|waits| format!(", {} waiting", human::count(waits)));
        let oldest = group.time_lag_ms().map(span);
        let oldest = oldest.map(|age| format!(", the oldest for {age}"));
        let waiting = row.waiting.as_ref();
        let fault = waiting.and_then(|w| w.fault.as_ref());
        let fault = fault.map(|fault| format!(": {fault}"));
        let message = format!(
            "{} {}{}{}{}",
            Visible(&group.name),
            row.why.word(),
            waits.unwrap_or_default(),
            oldest.unwrap_or_default(),
            fault.unwrap_or_default()
        );
        let severity = match row.why {
            Why::Lagging | Why::FallingBehind | Why::NoMembers | Why::Dead => Severity::P2,
            _ => Severity::P1,
        };
        Some(Finding {
            code: Code::of_lag(row.why),
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

fn of_fields(fields: &FieldsReport) -> impl Iterator<Item = Finding> + '_ {
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

/// Ties findings of one event to the one that explains them: an event sent again has an old time,
/// a group stands before an event because of what is in it.
fn tie(findings: &mut [Finding]) {
    let pairs = [
        (Code::TIME_DISORDER, Code::ID_DUPLICATE),
        (Code::TIME_DISORDER, Code::TIME_LATE),
        (Code::TIME_DISORDER, Code::ORDER_VERSION),
        (Code::of_lag(Why::Poison), Code::PAYLOAD_UNDECODABLE),
        (Code::of_lag(Why::PoisonSuspect), Code::PAYLOAD_UNDECODABLE),
    ];
    let mut known: Vec<(Code, At)> = findings
        .iter()
        .filter(|f| pairs.iter().any(|(_, cause)| *cause == f.code))
        .map(|f| (f.code, f.at.clone()))
        .collect();
    known.sort_by(|a, b| (a.1.rank(), a.0).cmp(&(b.1.rank(), b.0)));
    for finding in findings {
        let causes = pairs.iter().filter(|(effect, _)| *effect == finding.code);
        finding.cause = causes.into_iter().find_map(|(_, cause)| {
            let wanted = (finding.at.rank(), *cause);
            let found = known.binary_search_by(|(code, at)| (at.rank(), *code).cmp(&wanted));
            found.ok().and_then(|i| known.get(i).cloned())
        });
    }
}
