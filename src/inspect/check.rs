//! All detectors over one read, and one report of them: what `evtap check` says.

use std::sync::Arc;

use super::findings::{Findings, FindingsReport, Parts};
use super::lag::{self, LagReport, Probe, Trend};
use super::misfits::{Misfits, MisfitsReport};
use super::order::{self, Kind, OrderReport};
use super::saga::{self, Commits, Model, Monitor, Reach, SagaReport, World};
use super::{Verdict, findings::Code};
use crate::broker::Group;
use crate::event::{Batch, Timestamp};
use crate::pipeline::Watcher as _;
use crate::schema::Decoder;

/// The detectors, fed together.
pub struct Check {
    findings: Findings,
    misfits: Option<Misfits>,
    /// Groups, where the sources have any, and the look behind their commits.
    groups: Option<(Vec<Group>, Probe)>,
}

/// How many of what there are; `None` where a detector had nothing to work with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    pub records: u64,
    pub dlq_records: u64,
    pub ids: Option<u64>,
    pub distinct_ids: Option<u64>,
    pub duplicates: Option<u64>,
    pub duplicate_effects: Option<u64>,
    pub gaps_unexplained: Option<u64>,
    pub txn_markers: Option<u64>,
    pub aborted: Option<u64>,
    pub compacted: Option<u64>,
    pub out_of_order: Option<u64>,
    pub late: Option<u64>,
    pub version_inversions: Option<u64>,
    pub sequence_holes: Option<u64>,
    pub schema_violations: Option<u64>,
    pub undecodable: Option<u64>,
    pub pii: Option<u64>,
    pub control_sequences: Option<u64>,
    pub groups_not_ok: Option<u64>,
    pub sagas: Option<saga::Counts>,
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
    pub fn new(decoder: &Decoder, groups: Option<Vec<Group>>, model: Option<Arc<Model>>) -> Self {
        let monitor = |model| {
            let reader = Some(decoder.reader());
            Monitor::new(model, saga::Limits::default(), reader)
        };
        Self {
            findings: Findings::default().with_sagas(model.map(monitor)),
            misfits: decoder
                .has_schemas()
                .then(|| Misfits::new(decoder.reader())),
            groups: groups.map(|groups| {
                let probe = Probe::new(&groups);
                (groups, probe)
            }),
        }
    }

    pub fn batch(&mut self, batch: &Batch) {
        self.findings.batch(batch);
        if let Some(misfits) = &mut self.misfits {
            misfits.batch(batch);
        }
        if let Some((_, probe)) = &mut self.groups {
            probe.batch(batch);
        }
    }

    /// What is behind the commits of the groups was read as far as this.
    pub fn probe(&mut self) -> Option<&mut Probe> {
        self.groups.as_mut().map(|(_, probe)| probe)
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
        let findings = self.findings.report(complete, parts);
        let order = self.findings.order(complete);
        let mut counts = counts(&order, &findings, lag.as_ref(), misfits);
        counts.sagas = sagas.as_ref().and_then(SagaReport::told);
        let notes = notes(&findings, lag.as_ref(), misfits, sagas.as_ref());
        CheckReport {
            verdict: verdict(&findings, complete),
            complete,
            notes,
            counts,
            findings,
        }
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
    sagas: Option<&SagaReport>,
) -> Vec<String> {
    let doubtful = |(name, verdict): &&(&str, Verdict)| {
        matches!(verdict, Verdict::Inconclusive(_) | Verdict::Idle(_)) && *name != "sagas"
    };
    let doubts = report.checks.iter().filter(doubtful);
    let mut notes: Vec<String> = doubts
        .map(|(name, verdict)| format!("{name}: {verdict}"))
        .collect();
    match misfits {
        None => notes.push("schemas: there is no source of schemas; --schemas names one".into()),
        Some(misfits) => notes.extend(unknown_ids(misfits)),
    }
    if lag.is_none() {
        notes.push("groups: the sources have no consumer groups to look at".into());
    }
    match sagas {
        None => notes.push("sagas: no model says what must follow; --saga names one".into()),
        Some(SagaReport {
            verdict,
            notes: own,
            ..
        }) => {
            if let Verdict::Idle(why) = verdict {
                notes.push(format!("sagas: {why}"));
            }
            notes.extend(own.iter().map(|note| format!("sagas: {note}")));
        }
    }
    notes.extend(unlisted(report));
    notes
}

fn counts(
    order: &OrderReport,
    report: &FindingsReport,
    lag: Option<&LagReport>,
    misfits: Option<&MisfitsReport>,
) -> Counts {
    let coverage = &order.coverage;
    let looked = |check| !matches!(order.verdict(check), Some(Verdict::Idle(_)) | None);
    let of = |check: order::Check, kind: fn(&Kind) -> bool| {
        let number = order.anomalies.iter().filter(|a| kind(&a.kind)).count();
        looked(check).then_some(number as u64)
    };
    let codes = |code: Code| {
        let found = report.findings.iter().filter(|f| f.code == code);
        found.count() as u64
    };
    let offsets = |of: fn(&order::Offsets) -> u64| {
        let all = order.lanes.iter().map(|lane| of(&lane.offsets));
        looked(order::Check::Offsets).then(|| all.sum())
    };
    let duplicates = of(order::Check::Ids, |k| matches!(k, Kind::Duplicate { .. }));
    let effects = report.checks.iter().find(|(name, _)| *name == "effects");
    let effects = effects.is_some_and(|(_, v)| !matches!(v, Verdict::Idle(_)));
    Counts {
        records: coverage.events - coverage.dead_letters,
        dlq_records: coverage.dead_letters,
        ids: Some(coverage.ids),
        distinct_ids: Some(coverage.ids - duplicates.unwrap_or_default()),
        duplicates,
        duplicate_effects: effects.then(|| codes(Code::EFFECT_DUPLICATE)),
        gaps_unexplained: offsets(|o| o.unexplained),
        txn_markers: offsets(|o| o.commits + o.aborts),
        aborted: offsets(|o| o.aborted),
        compacted: offsets(|o| o.compacted),
        out_of_order: of(order::Check::Time, |k| matches!(k, Kind::Disorder { .. })),
        late: of(order::Check::Time, |k| {
            matches!(k, Kind::Disorder { late: true, .. })
        }),
        version_inversions: of(order::Check::Versions, |k| {
            matches!(k, Kind::Version { .. })
        }),
        sequence_holes: of(order::Check::Sequences, |k| {
            matches!(k, Kind::SequenceHole { .. })
        }),
        schema_violations: misfits.map(|report| report.tally.invalid),
        undecodable: match misfits {
            Some(report) => Some(report.tally.undecodable),
            None => Some(codes(Code::PAYLOAD_UNDECODABLE)),
        },
        pii: Some(report.personal),
        control_sequences: Some(codes(Code::TEXT_CONTROL)),
        groups_not_ok: lag.map(|lag| lag.troubled().count() as u64),
        sagas: None,
    }
}
