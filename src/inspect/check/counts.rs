//! The counts of a report: how many of what there are.

use crate::inspect::Verdict;
use crate::inspect::findings::{Code, FindingsReport};
use crate::inspect::lag::LagReport;
use crate::inspect::misfits::MisfitsReport;
use crate::inspect::order::{self, Kind, OrderReport};
use crate::inspect::saga;

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

impl Counts {
    /// Without those that values were not looked at for.
    pub(super) fn without_values(self) -> Self {
        Self {
            undecodable: None,
            pii: None,
            control_sequences: None,
            ..self
        }
    }
}

pub(super) fn counts(
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
    // Where a source explains nothing, nothing can be counted by its reason.
    let blind = order.lanes.iter().any(|lane| lane.offsets.unknown > 0);
    let offsets = |of: fn(&order::Offsets) -> u64| {
        let all = order.lanes.iter().map(|lane| of(&lane.offsets));
        (looked(order::Check::Offsets) && !blind).then(|| all.sum())
    };
    let duplicates = looked(order::Check::Ids).then_some(coverage.duplicates);
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
            None => Some(report.totals.undecodable),
        },
        pii: Some(report.totals.personal),
        control_sequences: Some(report.totals.controls),
        groups_not_ok: lag.map(|lag| lag.troubled().count() as u64),
        sagas: None,
    }
}
