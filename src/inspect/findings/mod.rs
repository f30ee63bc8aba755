//! Findings: what the detectors found, ranked, one for each event and code, each with its
//! coordinate. The folds that run live are fed from here; lag and fields come in as reports.

mod code;
mod of_saga;
mod tie;
mod told;

use std::sync::Arc;

use serde_json::Value;

use super::causes::{self, Causes, CausesReport};
use super::fields::FieldsReport;
use super::lag::LagReport;
use super::lint::Lints;
use super::misfits::MisfitsReport;
use super::order::{self, Log, Order, OrderReport};
use super::payload::{Odd, Oddity, Payloads, Totals};
use super::ready::{Prepared, Preparer, Ready};
use super::saga::{Monitor, SagaReport, Scout, World};
use super::{At, Heads, Names, Verdict};
use crate::event::{Batch, EventRef, SchemaFault, Timestamp};
use crate::schema::Reader;
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

/// Events that are looked up together.
const AHEAD: usize = 32;

/// The folds that run live, fed together.
#[derive(Debug)]
pub struct Findings {
    order: Order,
    causes: Causes,
    payloads: Payloads,
    sagas: Option<Box<Monitor>>,
    lints: Lints,
    names: Names,
    preparer: Preparer,
}

impl Default for Findings {
    fn default() -> Self {
        Self::of(Order::default(), Causes::default(), Names::default())
    }
}

impl Findings {
    /// With so much memory, in bytes. `prove`: what is suspected of ids can be read again.
    pub(super) fn new(memory: usize, prove: bool) -> Self {
        let names = Names::default();
        let order = order::Limits::of(memory / 3 * 2, prove);
        let causes = causes::Limits::of(memory / 4);
        let order = Order::new(order, names.clone());
        Self::of(order, Causes::new(causes, names.clone()), names)
    }

    fn of(order: Order, causes: Causes, names: Names) -> Self {
        Self {
            preparer: Preparer::new(names.clone(), order.lanes().hash().clone()),
            order,
            causes,
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

    /// Who makes batches ready for the folds that go by order, on another thread.
    pub(super) fn preparer(&self) -> Preparer {
        self.preparer.clone()
    }

    /// Who tells what events are to the sagas, where they are watched, on another thread.
    pub(super) fn scout(&self, reader: Option<Reader>) -> Option<Scout> {
        let sagas = self.sagas.as_ref();
        sagas.map(|monitor| monitor.scout(reader))
    }

    /// Feeds all folds.
    pub fn batch(&mut self, batch: &Batch) {
        let scout = self.sagas.as_mut().map(|monitor| monitor.own_scout());
        let prepared = self.preparer.batch(batch, scout);
        self.in_order(batch, &prepared);
        self.payloads.batch(batch);
    }

    /// Feeds the folds to which batches have to come in order, and no others.
    pub(super) fn in_order(&mut self, batch: &Batch, prepared: &Prepared) {
        // All meet the same batches, so that a partition has one number in each.
        self.order.enter(batch);
        self.causes.enter(batch);
        if let Some(sagas) = &mut self.sagas {
            sagas.enter(batch);
        }
        let reads_heads = self.order.reads_heads() || self.lints.is_asked();
        for (number, some) in prepared.events.chunks(AHEAD).enumerate() {
            self.look_ahead(batch, number * AHEAD, some);
            for (index, ready) in (number * AHEAD..).zip(some) {
                let event = batch.get(index);
                let heads = if ready.more || reads_heads {
                    self.names.heads(event.headers)
                } else {
                    Heads::default()
                };
                self.event(&event, &heads, ready);
            }
        }
    }

    /// What is remembered lies all over the memory. Where it lies is looked at for many events
    /// before it is needed for the first, and nothing else is done between: so the waits for the
    /// memory overlap.
    fn look_ahead(&self, batch: &Batch, start: usize, some: &[Ready]) {
        let mut known = 0;
        for (index, ready) in (start..).zip(some) {
            let lane = self.order.lanes().lane(batch.stream_index(index));
            known ^= self.order.look_ahead(lane, ready.hashes);
            known ^= self.causes.look_ahead(ready.hashes);
            if let Some(sagas) = &self.sagas {
                known ^= sagas.look_ahead(ready.sight);
            }
        }
        std::hint::black_box(known);
    }

    fn event(&mut self, event: &EventRef<'_>, heads: &Heads<'_>, ready: &Ready) {
        let lane = self.order.lanes().lane(event.stream_index);
        let Some(spot) = self.order.admit(lane, event) else {
            return;
        };
        self.order.event(spot, event, heads, ready.hashes);
        let hash = self.order.lanes().hash();
        self.causes.event(spot, event, heads, ready.hashes.id, hash);
        let lanes = self.order.lanes();
        self.lints.event(lanes, spot, event, heads, &self.names);
        if let Some(sagas) = &mut self.sagas {
            sagas.event(spot, event, ready.sight);
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

    /// Whether a topic is cleaned by key, from where only that is told. From here on: what came
    /// before was looked at without it.
    pub fn cleaned(&mut self, origin: u16, topic: &Arc<str>, cleaned: bool) {
        if cleaned {
            self.lints.compacted(Arc::clone(topic));
        }
        self.order.cleaned(origin, topic, cleaned);
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
