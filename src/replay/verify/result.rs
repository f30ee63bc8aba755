//! What a verification found: counts, the first coordinates of each kind, and what it cannot say.

use serde::Serialize;

/// Coordinates that are kept of each kind.
pub const EXAMPLES: usize = 10;

/// How a target can differ from what a plan selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Selected, and not in the target.
    Missing,
    /// In the target as a copy of this plan, and not selected.
    Extra,
    /// A second copy of one event.
    Duplicated,
    /// Behind the copy of an event that came later in the same partition of the source.
    Reordered,
    /// A copy that is not its original, byte for byte.
    Changed,
}

impl Kind {
    pub const ALL: [Self; 5] = [
        Self::Missing,
        Self::Extra,
        Self::Duplicated,
        Self::Reordered,
        Self::Changed,
    ];

    pub const fn name(self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Extra => "extra",
            Self::Duplicated => "duplicated",
            Self::Reordered => "reordered",
            Self::Changed => "changed",
        }
    }
}

/// One difference, with its coordinates.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Difference {
    pub kind: Kind,
    /// `orders/0@15`, the original.
    pub source: Option<String>,
    /// `copy/0@20`, the copy.
    pub target: Option<String>,
    /// What differs, where there is more to say.
    pub detail: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    Clean,
    Violation,
    /// No difference was found, and not everything could be looked at.
    Inconclusive,
}

/// What was compared with what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Means {
    /// Each copy with its original, by `evtap-source`.
    Provenance,
    /// Counts and hashes of what has one key.
    Keys,
}

/// The differences while they are found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    counts: [u64; Kind::ALL.len()],
    kept: Vec<Difference>,
    /// Copies of this plan in the target.
    pub copies: u64,
}

impl Findings {
    /// Counts a difference; `tell` gives source, target and detail of the first ones.
    pub(super) fn add(
        &mut self,
        kind: Kind,
        tell: impl FnOnce() -> (Option<String>, Option<String>, String),
    ) {
        self.counts[kind as usize] += 1;
        if self.counts[kind as usize] <= EXAMPLES as u64 {
            let (source, target, detail) = tell();
            self.kept.push(Difference {
                kind,
                source,
                target,
                detail: (!detail.is_empty()).then_some(detail),
            });
        }
    }

    /// Counts differences that are not told one by one.
    pub(super) fn add_untold(&mut self, kind: Kind, count: u64) {
        self.counts[kind as usize] += count;
    }

    pub(super) fn count(&self, kind: Kind) -> u64 {
        self.counts[kind as usize]
    }

    /// True while differences of this kind are still told.
    pub(super) fn wants(&self, kind: Kind) -> bool {
        self.counts[kind as usize] < EXAMPLES as u64
    }

    pub(super) fn finish(
        mut self,
        plan: String,
        means: Means,
        expected: u64,
        notes: Vec<String>,
    ) -> Comparison {
        self.kept.sort_by_key(|difference| difference.kind as usize);
        Comparison {
            plan,
            means,
            expected,
            copies: self.copies,
            counts: self.counts,
            differences: self.kept,
            notes,
            remarks: Vec::new(),
        }
    }
}

/// What a verification found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Comparison {
    /// The plan's id.
    pub plan: String,
    pub means: Means,
    /// Events that the plan selects and copies.
    pub expected: u64,
    /// Copies in the target.
    pub copies: u64,
    counts: [u64; Kind::ALL.len()],
    /// The first of each kind.
    pub differences: Vec<Difference>,
    /// What could not be looked at. Empty is good.
    pub notes: Vec<String>,
    /// What was not asked about, and is no fault.
    pub remarks: Vec<String>,
}

impl Comparison {
    pub fn count(&self, kind: Kind) -> u64 {
        self.counts[kind as usize]
    }

    pub fn verdict(&self) -> Verdict {
        if self.counts.iter().any(|count| *count > 0) {
            Verdict::Violation
        } else if self.notes.is_empty() {
            Verdict::Clean
        } else {
            Verdict::Inconclusive
        }
    }
}
