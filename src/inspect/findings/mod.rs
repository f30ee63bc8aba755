//! Findings: what the detectors found, ranked, one for each event and code, each with its
//! coordinate. The folds that run live are fed from here; lag and fields come in as reports.

mod code;
mod of_saga;
mod tie;
mod told;

use super::causes::{Causes, CausesReport};
use super::fields::FieldsReport;
use super::lag::LagReport;
use super::lanes::{Lanes, Spot};
use super::misfits::MisfitsReport;
use super::order::{Order, OrderReport};
use super::payload::{Odd, Oddity, Payloads};
use super::saga::{Monitor, SagaReport, World};
use super::{At, Names, Verdict, top};
use crate::event::{Batch, SchemaFault, Timestamp};
pub use code::{Code, Severity};
use of_saga::{explain, of_sagas};
use tie::tie;
use told::{of_anomaly, of_causes, of_fields, of_lag, of_misfit, of_odd};

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
    pub sagas: Option<&'a SagaReport>,
}

/// The folds that run live, fed together.
#[derive(Debug, Default)]
pub struct Findings {
    order: Order,
    causes: Causes,
    payloads: Payloads,
    sagas: Option<Box<Monitor>>,
    names: Names,
    lanes: Lanes,
}

impl Findings {
    /// Watches the sagas of a model as well.
    #[must_use]
    pub fn with_sagas(mut self, monitor: Option<Monitor>) -> Self {
        self.sagas = monitor.map(Box::new);
        self
    }

    /// How the sagas stand, where they are watched: for [`Parts::sagas`].
    pub fn sagas(&self, world: World<'_>) -> Option<SagaReport> {
        self.sagas.as_ref().map(|monitor| monitor.report(world))
    }

    pub fn batch(&mut self, batch: &Batch) {
        self.order.batch(batch);
        // All of them meet the same batches, so that a partition has one number in each.
        self.lanes.enter(batch);
        self.causes.enter(batch);
        self.payloads.enter(batch);
        if let Some(sagas) = &mut self.sagas {
            sagas.enter(batch);
        }
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
            if let Some(sagas) = &mut self.sagas {
                sagas.event(spot, &event, &heads, value);
            }
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
        findings.extend(parts.sagas.into_iter().flat_map(of_sagas));
        tie(&mut findings);
        if let Some(sagas) = parts.sagas {
            explain(&mut findings, sagas);
        }
        findings.sort_by(|a, b| rank(a).cmp(&rank(b)));
        findings.dedup_by(|later, first| (later.code, &later.at) == (first.code, &first.at));
        let mut checks: Vec<(&'static str, Verdict)> = order
            .checks
            .iter()
            .map(|(check, verdict)| (check.name(), verdict.clone()))
            .collect();
        checks.push(("effects", effects(&causes)));
        if let Some(sagas) = parts.sagas {
            checks.push(("sagas", sagas.verdict.clone()));
        }
        FindingsReport {
            findings,
            checks,
            events: order.coverage.events,
            unkept: order.coverage.unkept
                + causes.unkept
                + odd_unkept
                + parts.misfits.map_or(0, |report| report.unkept)
                + parts.sagas.map_or(0, |report| report.unkept),
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
