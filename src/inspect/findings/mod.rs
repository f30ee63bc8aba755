//! Findings: what the detectors found, ranked, one for each event and code, each with its
//! coordinate. The folds that run live are fed from here; lag and fields come in as reports.

mod code;
mod of_saga;
mod tie;
mod told;

use std::ops::Range;
use std::sync::Arc;

use serde_json::Value;

use super::causes::{self, Causes, CausesReport};
use super::fields::FieldsReport;
use super::lag::LagReport;
use super::lint::Lints;
use super::misfits::MisfitsReport;
use super::order::{self, Log, Order, OrderReport};
use super::payload::{Odd, Oddity, Payloads, Totals};
use super::saga::{Monitor, SagaReport, World};
use super::window::Hashes;
use super::{At, Heads, Names, Verdict, top};
use crate::event::{Batch, EventRef, SchemaFault, Timestamp};
pub use code::{Code, Severity};
use of_saga::{explain, of_sagas};
use tie::tie;
use told::{of_anomaly, of_causes, of_fields, of_lag, of_lint, of_misfit, of_odd};

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
    /// What the message says in words, for programs: names, and numbers or text.
    pub evidence: Vec<(&'static str, Value)>,
}

impl Finding {
    /// Without an event whose key and time are known.
    fn new(code: Code, severity: Severity, at: &At, message: impl Into<String>) -> Self {
        Self {
            code,
            severity,
            at: at.clone(),
            other: None,
            key: None,
            time: None,
            message: message.into(),
            cause: None,
            faults: Vec::new(),
            evidence: Vec::new(),
        }
    }

    /// The key and the time of the event.
    fn of(mut self, key: Option<&[u8]>, time: Option<Timestamp>) -> Self {
        (self.key, self.time) = (key.map(Into::into), time);
        self
    }

    /// The event that it is held against.
    fn against(mut self, other: Option<&At>) -> Self {
        self.other = other.cloned();
        self
    }

    fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.evidence.push((name, value.into()));
        self
    }
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
    /// What was found in values, all of it.
    pub totals: Totals,
}

/// Reports of folds that do not run with the others.
#[derive(Debug, Clone, Copy, Default)]
pub struct Parts<'a> {
    pub lag: Option<&'a LagReport>,
    pub fields: Option<&'a FieldsReport>,
    pub misfits: Option<&'a MisfitsReport>,
    pub sagas: Option<&'a SagaReport>,
}

/// Events that are made ready together.
const AHEAD: usize = 16;

/// The folds that run live, fed together.
#[derive(Debug, Default)]
pub struct Findings {
    order: Order,
    causes: Causes,
    payloads: Payloads,
    sagas: Option<Box<Monitor>>,
    lints: Lints,
    names: Names,
}

impl Findings {
    /// With so much memory, in bytes. `prove`: what is suspected of ids can be read again.
    pub(super) fn new(memory: usize, prove: bool) -> Self {
        let names = Names::default();
        let order = order::Limits::of(memory / 3 * 2, prove);
        let causes = causes::Limits::of(memory / 4);
        Self {
            order: Order::new(order, names.clone()),
            causes: Causes::new(causes, names.clone()),
            payloads: Payloads::default(),
            sagas: None,
            lints: Lints::default(),
            names,
        }
    }

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
        self.in_order(batch);
        self.payloads.batch(batch);
    }

    /// Feeds the folds to which batches have to come in order, and no others.
    pub(super) fn in_order(&mut self, batch: &Batch) {
        // All meet the same batches, so that a partition has one number in each.
        self.order.enter(batch);
        self.causes.enter(batch);
        if let Some(sagas) = &mut self.sagas {
            sagas.enter(batch);
        }
        let mut start = 0;
        while start < batch.len() {
            let end = (start + AHEAD).min(batch.len());
            self.some_in_order(batch, start..end);
            start = end;
        }
    }

    /// What is remembered lies all over the memory. Where it lies is looked at for several events
    /// before it is needed for the first, so that the waits for the memory overlap.
    fn some_in_order(&mut self, batch: &Batch, which: Range<usize>) {
        let mut ready: [Option<(EventRef<'_>, Heads<'_>, Hashes)>; AHEAD] = [None; AHEAD];
        let mut known = 0;
        for (slot, index) in ready.iter_mut().zip(which) {
            let event = batch.get(index);
            let heads = self.names.heads(event.headers);
            let hashes = Hashes::of(&event, &heads, self.order.lanes().hash());
            let lane = self.order.lanes().lane(event.stream_index);
            known += self.order.look_ahead(lane, hashes);
            known += self.causes.look_ahead(hashes);
            *slot = Some((event, heads, hashes));
        }
        std::hint::black_box(known);
        for (event, heads, hashes) in ready.iter().flatten() {
            let lane = self.order.lanes().lane(event.stream_index);
            let Some(spot) = self.order.admit(lane, event) else {
                continue;
            };
            self.order.event(spot, event, heads, *hashes);
            let hash = self.order.lanes().hash();
            self.causes.event(spot, event, heads, hashes.id, hash);
            let lanes = self.order.lanes();
            self.lints.event(lanes, spot, event, heads, &self.names);
            if let Some(sagas) = &mut self.sagas {
                sagas.event(spot, event, heads, top::look(event.value, &self.names));
            }
        }
    }

    /// Takes over what was found in values elsewhere.
    pub(super) fn merge(&mut self, payloads: Payloads) {
        self.payloads.merge(payloads);
    }

    /// What a broker tells of a partition.
    pub(super) fn log(&mut self, log: Log) {
        if log.compacts == Some(true) {
            self.lints.compacted(Arc::clone(&log.topic));
        }
        self.order.log(log);
    }

    pub(super) fn order_mut(&mut self) -> &mut Order {
        &mut self.order
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
        self.report_of(&self.order.report(ended), parts)
    }

    /// The same from a report of the order that is there already.
    pub fn report_of(&self, order: &OrderReport, parts: Parts<'_>) -> FindingsReport {
        let causes = self.causes.report();
        let (odd, odd_unkept) = self.payloads.report();
        let mut findings: Vec<Finding> = order.anomalies.iter().flat_map(of_anomaly).collect();
        findings.extend(of_causes(&causes, order));
        // Where there are schemas, they say what can be decoded.
        let guess =
            |odd: &&Odd| parts.misfits.is_none() || !matches!(odd.what, Oddity::Undecodable(_));
        findings.extend(odd.iter().filter(guess).map(of_odd));
        findings.extend(parts.lag.into_iter().flat_map(of_lag));
        findings.extend(parts.fields.into_iter().flat_map(of_fields));
        let misfits = parts.misfits.map(|report| &report.misfits[..]);
        findings.extend(misfits.unwrap_or_default().iter().map(of_misfit));
        findings.extend(parts.sagas.into_iter().flat_map(of_sagas));
        let lints = self.lints.report(|spot| self.order.lanes().at(spot));
        findings.extend(lints.iter().map(of_lint));
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
            totals: self.payloads.totals(),
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
