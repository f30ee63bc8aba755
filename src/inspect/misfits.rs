//! What the schemas say of the events that were read: how many fit, and which do not.

use std::sync::Arc;

use super::At;
use super::lanes::{Lanes, Spot, is_dead_letter};
use crate::event::{
    self, Batch, Checked, EventRef, SchemaFault, SchemaId, SchemaVerdict, Select, SelectError,
    SelectWorker, Timestamp,
};
use crate::schema::{Decoder, Reader};

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
    /// Events of dead-letter topics, which are not judged.
    pub dead_letters: u64,
    /// In the order in which they came.
    pub misfits: Vec<Misfit>,
    /// Those that there was no room for.
    pub unkept: u64,
}

/// A selection of the events that do not fit, so that the source's own threads do the judging. It
/// keeps dead letters too, which are counted and not judged.
pub struct KeepMisfits(pub Decoder);

struct Judge {
    reader: Reader,
    /// The topic of the last event, and whether it holds dead letters.
    topic: Option<(Arc<str>, bool)>,
}

impl Select for KeepMisfits {
    fn worker(&self) -> Box<dyn SelectWorker> {
        Box::new(Judge {
            reader: self.0.reader(),
            topic: None,
        })
    }
}

impl SelectWorker for Judge {
    fn test(&mut self, event: &EventRef<'_>) -> Result<event::Verdict, SelectError> {
        let topic = &event.stream.topic;
        let dead_letter = match &self.topic {
            Some((last, dead)) if Arc::ptr_eq(last, topic) => *dead,
            _ => {
                let dead = is_dead_letter(topic);
                self.topic = Some((Arc::clone(topic), dead));
                dead
            }
        };
        let fits = |checked: Checked<'_>| fits(checked.verdict);
        let kept = dead_letter || self.reader.see(event).schema.is_some_and(|c| !fits(c));
        Ok(if kept {
            event::Verdict::Keep
        } else {
            event::Verdict::Drop
        })
    }
}

/// Whether nothing is to be said of an event.
const fn fits(verdict: SchemaVerdict) -> bool {
    matches!(verdict, SchemaVerdict::Valid | SchemaVerdict::None)
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
        self.batch_with(batch, |_, _| {});
    }

    /// The same, which tells the verdict of each event that counts, by its place in the batch.
    pub fn batch_with(&mut self, batch: &Batch, mut tell: impl FnMut(usize, SchemaVerdict)) {
        self.lanes.enter(batch);
        for (index, event) in batch.iter().enumerate() {
            let spot = Spot {
                lane: self.lanes.lane(event.stream_index),
                position: event.position,
            };
            if !self.lanes.counts(spot, &event) {
                let dead = self.lanes.get(spot.lane).dead_letters;
                self.report.dead_letters += u64::from(dead);
                continue;
            }
            let seen = self.reader.see(&event);
            let Some(checked) = seen.schema else { continue };
            self.report.tally.count(checked.verdict);
            tell(index, checked.verdict);
            if fits(checked.verdict) {
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

    /// Takes over what another one found in other events.
    pub(super) fn merge(&mut self, other: Self) {
        let (report, other) = (&mut self.report, other.report);
        let tally = &mut report.tally;
        tally.valid += other.tally.valid;
        tally.invalid += other.tally.invalid;
        tally.undecodable += other.tally.undecodable;
        tally.none += other.tally.none;
        tally.unknown_id += other.tally.unknown_id;
        report.dead_letters += other.dead_letters;
        report.unkept += other.unkept;
        report.misfits.extend(other.misfits);
        if report.misfits.len() > KEPT {
            report.misfits.sort_by(|a, b| a.at.rank().cmp(&b.at.rank()));
            report.unkept += (report.misfits.len() - KEPT) as u64;
            report.misfits.truncate(KEPT);
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
