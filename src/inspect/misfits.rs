//! What the schemas say of the events that were read: how many fit, and which do not.

use super::At;
use super::lanes::{Lanes, Spot};
use crate::event::{Batch, Checked, EventRef, SchemaFault, SchemaId, SchemaVerdict, Timestamp};
use crate::schema::Reader;

/// Events kept that do not fit.
const KEPT: usize = 1_000;
/// Bytes of a key that are kept.
const KEY_BYTES: usize = 256;

/// How many events got which verdict.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    pub valid: u64,
    pub invalid: u64,
    pub undecodable: u64,
    pub none: u64,
    pub unknown_id: u64,
}

impl Tally {
    const fn count(&mut self, verdict: SchemaVerdict) {
        *match verdict {
            SchemaVerdict::Valid => &mut self.valid,
            SchemaVerdict::Invalid => &mut self.invalid,
            SchemaVerdict::Undecodable => &mut self.undecodable,
            SchemaVerdict::None => &mut self.none,
            SchemaVerdict::UnknownId => &mut self.unknown_id,
        } += 1;
    }
}

/// An event that does not fit its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    pub verdict: SchemaVerdict,
    pub at: At,
    /// The front of the key.
    pub key: Option<Box<[u8]>>,
    pub time: Option<Timestamp>,
    /// What the bytes name as their schema; hostile text.
    pub id: Option<String>,
    pub faults: Vec<SchemaFault>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct MisfitsReport {
    pub tally: Tally,
    /// In the order in which they came.
    pub misfits: Vec<Misfit>,
    /// Those that there was no room for.
    pub unkept: u64,
}

/// The fold.
pub struct Misfits {
    reader: Reader,
    lanes: Lanes,
    report: MisfitsReport,
}

impl Misfits {
    pub fn new(reader: Reader) -> Self {
        Self {
            reader,
            lanes: Lanes::default(),
            report: MisfitsReport::default(),
        }
    }

    pub fn batch(&mut self, batch: &Batch) {
        self.lanes.enter(batch);
        for event in batch.iter() {
            let spot = Spot {
                lane: self.lanes.lane(event.stream_index),
                position: event.position,
            };
            if !self.lanes.counts(spot, &event) {
                continue;
            }
            let seen = self.reader.see(&event);
            let Some(checked) = seen.schema else { continue };
            self.report.tally.count(checked.verdict);
            if matches!(checked.verdict, SchemaVerdict::Valid | SchemaVerdict::None) {
                continue;
            }
            if self.report.misfits.len() < KEPT {
                let at = self.lanes.at(spot);
                self.report.misfits.push(misfit(at, &event, &checked));
            } else {
                self.report.unkept += 1;
            }
        }
    }

    pub const fn report(&self) -> &MisfitsReport {
        &self.report
    }
}

fn misfit(at: At, event: &EventRef<'_>, checked: &Checked<'_>) -> Misfit {
    let front = |key: &[u8]| key.get(..KEY_BYTES).unwrap_or(key).into();
    Misfit {
        verdict: checked.verdict,
        at,
        key: event.key.map(front),
        time: event.time(),
        id: checked.id.map(|id| match id {
            SchemaId::Number(id) => id.to_string(),
            SchemaId::Text(id) => id.to_owned(),
        }),
        faults: checked.faults.to_vec(),
    }
}
