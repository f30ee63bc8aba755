//! All detectors over one read, and one report of them: what `evtap check` says. Some have to see
//! the events in order; for others any thread will do, and what they found is merged.

mod counts;

use std::sync::Arc;

use super::Verdict;
use super::findings::{Findings, FindingsReport, Parts};
use super::lag::{self, LagReport, Probe, Trend};
use super::misfits::{Misfits, MisfitsReport};
use super::order::{Log, Proof, Suspicion};
use super::payload::Payloads;
pub use super::ready::Prepared;
use super::ready::Preparer;
use super::saga::{self, Commits, Model, Monitor, Reach, SagaReport, Scout, World};
use crate::broker::Group;
use crate::event::{Batch, Timestamp};
use crate::pipeline::Watcher as _;
use crate::schema::Decoder;
pub use counts::Counts;
use counts::counts;

/// How the detectors run.
#[derive(Debug, Clone, Copy)]
pub struct Room {
    /// Bytes that all of them may take together.
    pub memory: usize,
    /// The range can be read again, to prove what is only suspected.
    pub again: bool,
    /// Values are looked at, too: schemas, personal data, control sequences.
    pub values: bool,
    /// Sagas are, where a model says what they are.
    pub sagas: bool,
}

/// The detectors that see the events in order, and the report of all.
pub struct Check {
    findings: Findings,
    /// What looked at values found, as far as it was joined.
    misfits: Option<Misfits>,
    room: Room,
    /// Groups, where the sources have any, and the look behind their commits.
    groups: Option<(Vec<Group>, Probe)>,
}

/// The detectors that look at each event by itself. Several of them can share a read.
pub struct Values {
    preparer: Preparer,
    scout: Option<Scout>,
    /// `None` where values are not asked about.
    payloads: Option<Payloads>,
    misfits: Option<Misfits>,
}

impl Values {
    /// What the detectors in order go by; it comes before all else.
    pub fn prepare(&mut self, batch: &Batch) -> Prepared {
        self.preparer.batch(batch, self.scout.as_mut())
    }

    pub fn batch(&mut self, batch: &Batch) {
        if let Some(payloads) = &mut self.payloads {
            payloads.batch(batch);
        }
        if let Some(misfits) = &mut self.misfits {
            misfits.batch(batch);
        }
    }
}

/// The whole report.
#[derive(Debug, Clone)]
pub struct CheckReport {
    pub verdict: Verdict,
    /// Whether all of the frozen ranges was read.
    pub complete: bool,
    /// What was not looked at, and why.
    pub notes: Vec<String>,
    pub counts: Counts,
    pub findings: FindingsReport,
}

impl Check {
    /// `groups` are those of the sources, or `None` where they have none to tell of; `model` says
    /// what their sagas are.
    pub fn new(
        room: Room,
        decoder: &Decoder,
        groups: Option<Vec<Group>>,
        model: Option<Arc<Model>>,
    ) -> Self {
        // What an event is stands in its value.
        let model = model.filter(|_| room.sagas);
        let for_sagas = model.as_ref().map_or(0, |_| room.memory / 3);
        let monitor = |model| {
            let reader = Some(decoder.reader());
            Monitor::new(model, saga::Limits::of(for_sagas), reader)
        };
        let findings = Findings::new(room.memory - for_sagas, room.again);
        Self {
            findings: findings.with_sagas(model.map(monitor)),
            misfits: None,
            room,
            groups: groups.map(|groups| {
                let probe = Probe::new(&groups);
                (groups, probe)
            }),
        }
    }

    /// What a broker tells of a partition, before its first event is fed.
    pub fn log(&mut self, log: Log) {
        self.findings.log(log);
    }

    /// The detectors for another thread.
    pub fn values(&self, decoder: &Decoder) -> Values {
        let misfits = || Misfits::new(decoder.reader());
        let looks = self.room.values;
        Values {
            preparer: self.findings.preparer(),
            scout: self.findings.scout(Some(decoder.reader())),
            payloads: looks.then(Payloads::default),
            misfits: (looks && decoder.has_schemas()).then(misfits),
        }
    }

    /// Takes the next events, in the order of their partitions, with what is known of them.
    pub fn batch(&mut self, batch: &Batch, prepared: &Prepared) {
        self.findings.in_order(batch, prepared);
        if let Some((_, probe)) = &mut self.groups {
            probe.batch(batch);
        }
    }

    /// Takes over what was found in values.
    pub fn join(&mut self, values: Values) {
        if let Some(payloads) = values.payloads {
            self.findings.merge(payloads);
        }
        match (&mut self.misfits, values.misfits) {
            (Some(own), Some(other)) => own.merge(other),
            (own @ None, other) => *own = other,
            (Some(_), None) => {}
        }
    }

    /// What is behind the commits of the groups was read as far as this.
    pub fn probe(&mut self) -> Option<&mut Probe> {
        self.groups.as_mut().map(|(_, probe)| probe)
    }

    /// True when offsets are missing and nothing explains it so far.
    pub fn has_gap(&mut self) -> bool {
        self.findings.order_mut().has_gap()
    }

    /// Where a log begins after the read; see [`super::order::Order::begins`].
    pub fn begins(&mut self, origin: u16, topic: &str, partition: u32, start: u64) {
        let order = self.findings.order_mut();
        order.begins(origin, topic, partition, start);
    }

    /// What has to be read again for a proof; `None` when nothing has.
    pub fn suspicion(&mut self) -> Option<Suspicion> {
        self.findings.order_mut().suspicion()
    }

    /// All that was suspected was read again.
    pub fn proven(&mut self, proof: Proof) {
        self.findings.order_mut().proven(proof);
    }

    /// `now` is the clock that ages are measured by. Not `complete`: the read was cut short. `reach`
    /// tells which topics were read to their end, for the sagas.
    pub fn report(&self, now: Timestamp, complete: bool, reach: &Reach) -> CheckReport {
        let lag = self.groups.as_ref().map(|(groups, probe)| {
            let limits = lag::Limits::default();
            LagReport::new(groups, probe, &Trend::default(), now, limits)
        });
        let misfits = self.misfits.as_ref().map(Misfits::report);
        let commits = self
            .groups
            .as_ref()
            .map(|(groups, _)| Commits::of_groups(groups));
        let sagas = self.findings.sagas(World {
            commits: commits.as_ref(),
            reach,
            now,
        });
        let parts = Parts {
            lag: lag.as_ref(),
            fields: None,
            misfits,
            sagas: sagas.as_ref(),
        };
        let order = self.findings.order(complete);
        let findings = self.findings.report_of(&order, parts);
        let mut counts = counts(&order, &findings, lag.as_ref(), misfits);
        counts.sagas = sagas.as_ref().and_then(SagaReport::told);
        if !self.room.values {
            counts = counts.without_values();
        }
        let mut notes = notes(&findings, lag.as_ref(), misfits);
        notes.extend(self.not_asked(sagas.as_ref()));
        let resets = order.coverage.producer_resets;
        if resets > 0 {
            notes.push(format!(
                "producers: {resets} times one began anew, which is no fault"
            ));
        }
        CheckReport {
            verdict: verdict(&findings, complete),
            complete,
            notes,
            counts,
            findings,
        }
    }
}

impl Check {
    /// What was left out of values, and what the sagas were judged by.
    fn not_asked(&self, sagas: Option<&SagaReport>) -> Vec<String> {
        if !self.room.sagas {
            return vec!["values were not asked about, nor schemas and sagas".into()];
        }
        let mut notes = Vec::new();
        if !self.room.values {
            notes.push("values were not asked about, nor schemas".into());
        } else if self.misfits.is_none() {
            notes.push("schemas: there is no source of schemas; --schemas names one".into());
        }
        let Some(sagas) = sagas else {
            notes.push("sagas: no model says what must follow; --saga names one".into());
            return notes;
        };
        if let Verdict::Idle(why) = &sagas.verdict {
            notes.push(format!("sagas: {why}"));
        }
        notes.extend(sagas.notes.iter().map(|note| format!("sagas: {note}")));
        notes
    }
}

impl CheckReport {
    /// The report where only schemas were asked about. `events` were looked at, dead letters
    /// included.
    pub fn of_schemas(misfits: &MisfitsReport, events: u64, complete: bool) -> Self {
        let parts = Parts {
            misfits: Some(misfits),
            ..Parts::default()
        };
        let mut findings = Findings::default().report(complete, parts);
        // Nothing else was looked at.
        findings.checks.clear();
        let mut notes = vec!["only the schemas were asked about".to_owned()];
        notes.extend(unknown_ids(misfits));
        notes.extend(unlisted(&findings));
        Self {
            verdict: verdict(&findings, complete),
            complete,
            notes,
            counts: Counts {
                records: events - misfits.dead_letters.min(events),
                dlq_records: misfits.dead_letters,
                schema_violations: Some(misfits.tally.invalid),
                undecodable: Some(misfits.tally.undecodable),
                ..Counts::default()
            },
            findings,
        }
    }
}

fn unknown_ids(misfits: &MisfitsReport) -> Option<String> {
    let number = misfits.tally.unknown_id;
    (number > 0).then(|| format!("schemas: {number} events name a schema that is not known"))
}

fn unlisted(report: &FindingsReport) -> Option<String> {
    let number = report.unkept;
    (number > 0).then(|| format!("{number} findings are counted but not listed"))
}

fn verdict(report: &FindingsReport, complete: bool) -> Verdict {
    if !report.findings.is_empty() {
        return Verdict::Violation;
    }
    if !complete {
        return Verdict::Inconclusive("the range was not read to its end".into());
    }
    let doubt = report
        .checks
        .iter()
        .find_map(|(name, verdict)| match verdict {
            Verdict::Inconclusive(why) => Some(format!("{name}: {why}")),
            _ => None,
        });
    doubt.map_or(Verdict::Clean, |why| Verdict::Inconclusive(why.into()))
}

fn notes(
    report: &FindingsReport,
    lag: Option<&LagReport>,
    misfits: Option<&MisfitsReport>,
) -> Vec<String> {
    let doubtful = |(name, verdict): &&(&str, Verdict)| {
        matches!(verdict, Verdict::Inconclusive(_) | Verdict::Idle(_)) && *name != "sagas"
    };
    let doubts = report.checks.iter().filter(doubtful);
    let mut notes: Vec<String> = doubts
        .map(|(name, verdict)| format!("{name}: {verdict}"))
        .collect();
    notes.extend(misfits.and_then(unknown_ids));
    if lag.is_none() {
        notes.push("groups: the sources have no consumer groups to look at".into());
    }
    notes.extend(unlisted(report));
    notes
}
