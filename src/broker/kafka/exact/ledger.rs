//! Where the progress of a job stands: as commits of its group, at partitions that the cluster has,
//! with a text beside each offset. Pure.
//!
//! Where every unit is a partition of this cluster, its progress is the commit of that partition.
//! Else the units are dealt out over the target's partitions, and the text of a commit lists where
//! each of its units is.

use std::collections::HashSet;
use std::ops::Range;
use std::sync::Arc;

use super::super::terms::{Commit, Place};
use crate::broker::exact::{Job, NOTE_BYTES, Progress, Unit};
use crate::broker::{Error, ErrorKind, Result};
use crate::event::Position;

/// What stands first in every text. Another form gets another number.
const MARK: &str = "evtap1";
/// What a broker takes beside a commit unless it was told otherwise (`offset.metadata.max.bytes`).
const TEXT_BYTES: usize = 4096;

/// One commit and the units that it tells of; hosts share these.
#[derive(Debug)]
struct Slot {
    place: Place,
    units: Vec<usize>,
}

/// Which unit's progress stands where.
#[derive(Debug)]
pub(super) struct Ledger {
    group: String,
    units: Vec<Unit>,
    slots: Vec<Slot>,
    at_home: bool,
}

impl Ledger {
    /// `partitions` is how many the target has. Refuses what would not fit beside the commits.
    pub(super) fn new(job: &Job, partitions: u32) -> Result<Self> {
        let homes: Option<Vec<Place>> = job.units.iter().map(|unit| unit.home.clone()).collect();
        let homes = homes.filter(|homes| {
            let different: HashSet<&Place> = homes.iter().collect();
            different.len() == homes.len()
        });
        let at_home = homes.is_some();
        let slots = match homes {
            Some(homes) => homes
                .into_iter()
                .enumerate()
                .map(|(unit, place)| Slot {
                    place,
                    units: vec![unit],
                })
                .collect(),
            None => columns(&job.target.topic, job.units.len(), partitions),
        };
        let ledger = Self {
            group: job.name.clone(),
            units: job.units.clone(),
            slots,
            at_home,
        };
        ledger.must_fit(&job.target.topic)?;
        Ok(ledger)
    }

    fn must_fit(&self, target: &str) -> Result<()> {
        let most = |slot: &Slot| -> usize {
            let units = slot.units.iter();
            MARK.len() + units.map(|&unit| self.most_bytes(unit)).sum::<usize>()
        };
        let Some(slot) = self.slots.iter().find(|slot| most(slot) > TEXT_BYTES) else {
            return Ok(());
        };
        let message = format!(
            "write to {target} exactly once: the progress of {} partitions does not fit beside the \
             commits of its {} partitions ({} of them beside one, and {TEXT_BYTES} bytes are room \
             for about {})",
            self.units.len(),
            self.slots.len(),
            slot.units.len(),
            TEXT_BYTES * slot.units.len() / most(slot),
        );
        Err(Error::new(ErrorKind::Usage, message)
            .hint("replay fewer partitions at a time, or into a topic with more"))
    }

    /// How long the part of a unit can become.
    fn most_bytes(&self, unit: usize) -> usize {
        let end = self.units[unit].end;
        let position = end.major.max(9).to_string().len() + 1;
        // ` 17=123456-0,` and the note. What is read next may lie a little behind the end.
        unit.to_string().len() + position + NOTE_BYTES + if end.minor == 0 { 5 } else { 23 }
    }

    pub(super) fn slots(&self) -> usize {
        self.slots.len()
    }

    pub(super) fn units(&self) -> usize {
        self.units.len()
    }

    /// Where the commits of these slots stand.
    pub(super) fn places(&self, slots: &[usize]) -> Vec<&Place> {
        slots.iter().map(|&slot| &self.slots[slot].place).collect()
    }

    pub(super) fn all_places(&self) -> Vec<Place> {
        self.slots.iter().map(|slot| slot.place.clone()).collect()
    }

    /// The units of these slots that are not done, in order.
    pub(super) fn unfinished(&self, slots: &[usize], progress: &[Option<Progress>]) -> Vec<usize> {
        let units = slots.iter().flat_map(|&slot| &self.slots[slot].units);
        let mut units: Vec<usize> = units
            .copied()
            .filter(|&unit| self.left_of(unit, progress) > 0)
            .collect();
        units.sort_unstable();
        units
    }

    /// How much is left of each slot; 0 is nothing.
    pub(super) fn left(&self, progress: &[Option<Progress>]) -> Vec<u64> {
        let left = |slot: &Slot| {
            let each = slot.units.iter().map(|&unit| self.left_of(unit, progress));
            each.fold(0, u64::saturating_add)
        };
        self.slots.iter().map(left).collect()
    }

    fn left_of(&self, unit: usize, progress: &[Option<Progress>]) -> u64 {
        let next = self.next(unit, progress);
        let unit = &self.units[unit];
        if unit.is_done_at(next) {
            return 0;
        }
        unit.end.major.saturating_sub(next.major).max(1)
    }

    fn next(&self, unit: usize, progress: &[Option<Progress>]) -> Position {
        progress[unit]
            .as_ref()
            .map_or(self.units[unit].start, |progress| progress.next)
    }

    /// The commits that say how far these units are, where `progress` is all that is known.
    pub(super) fn entries(
        &self,
        changed: &[usize],
        progress: &[Option<Progress>],
    ) -> Result<Vec<Commit>> {
        let slots = self.slots.iter();
        slots
            .filter(|slot| slot.units.iter().any(|unit| changed.contains(unit)))
            .map(|slot| self.entry(slot, progress))
            .collect()
    }

    fn entry(&self, slot: &Slot, progress: &[Option<Progress>]) -> Result<Commit> {
        let mut parts = vec![MARK.to_owned()];
        let mut offset = 0u64;
        for &unit in &slot.units {
            let Some(Progress { next, note }) = &progress[unit] else {
                continue;
            };
            check(note)?;
            if self.at_home {
                offset = next.major;
                if next.minor != 0 {
                    return Err(unfit("a position that is no offset"));
                }
                if !note.is_empty() {
                    parts.push(note.clone());
                }
                continue;
            }
            // What lies behind, so that who looks at the group sees it move.
            let behind = next.major.saturating_sub(self.units[unit].start.major);
            offset = offset.saturating_add(behind).min(i64::MAX as u64);
            let major = next.major;
            parts.push(match next.minor {
                0 => format!("{unit}={major},{note}"),
                minor => format!("{unit}={major}-{minor},{note}"),
            });
        }
        let text = parts.join(" ");
        if text.len() > TEXT_BYTES {
            return Err(unfit("a text that is too long"));
        }
        Ok(Commit {
            place: slot.place.clone(),
            offset,
            text,
        })
    }

    /// How far each unit is, by the commits that were found.
    pub(super) fn read<'a>(
        &self,
        commits: impl IntoIterator<Item = (&'a Place, u64, &'a str)>,
    ) -> Result<Vec<Option<Progress>>> {
        let mut progress = vec![None; self.units.len()];
        for (place, offset, text) in commits {
            if !self.slots.iter().any(|slot| slot.place == *place) {
                continue;
            }
            self.read_one(place, offset, text, &mut progress)
                .ok_or_else(|| self.foreign(place))?;
        }
        Ok(progress)
    }

    fn read_one(
        &self,
        place: &Place,
        offset: u64,
        text: &str,
        progress: &mut [Option<Progress>],
    ) -> Option<()> {
        let rest = text.strip_prefix(MARK)?;
        if !rest.is_empty() && !rest.starts_with(' ') {
            return None;
        }
        let mut parts = rest.split(' ').skip(1);
        if self.at_home {
            let slot = self.slots.iter().find(|slot| slot.place == *place)?;
            let note = parts.next().unwrap_or_default();
            progress[*slot.units.first()?] = Some(Progress {
                next: Position::offset(offset),
                note: valid(note)?.to_owned(),
            });
            return parts.next().is_none().then_some(());
        }
        for part in parts {
            let (unit, rest) = part.split_once('=')?;
            let (position, note) = rest.split_once(',')?;
            let (major, minor) = position.split_once('-').unwrap_or((position, "0"));
            let next = Position {
                major: number(major)?,
                minor: number(minor)?,
            };
            let told = progress.get_mut(usize::try_from(number(unit)?).ok()?)?;
            // After the target was given more partitions a unit stands in two texts.
            if told.as_ref().is_none_or(|told| told.next < next) {
                let note = valid(note)?.to_owned();
                *told = Some(Progress { next, note });
            }
        }
        Some(())
    }

    fn foreign(&self, place: &Place) -> Error {
        let message = format!(
            "the commit of the group {} at {}/{} was not written by evtap: what was done already \
             cannot be known",
            self.group, place.0, place.1
        );
        Error::new(ErrorKind::Damaged, message)
            .hint("somebody set the group's offsets; make a new plan, from where this one stopped")
    }
}

/// The target's partitions as places for the units' progress.
fn columns(topic: &Arc<str>, units: usize, partitions: u32) -> Vec<Slot> {
    let count = units.min(partitions as usize);
    let units_of = |column: usize| (column..units).step_by(count).collect();
    let each: Range<usize> = 0..count;
    each.map(|column| Slot {
        place: (Arc::clone(topic), column as u32),
        units: units_of(column),
    })
    .collect()
}

fn number(text: &str) -> Option<u64> {
    let plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten()
}

fn valid(note: &str) -> Option<&str> {
    let fits = note.len() <= NOTE_BYTES && note.bytes().all(|b| b.is_ascii_graphic());
    fits.then_some(note)
}

fn check(note: &str) -> Result<()> {
    valid(note)
        .map(drop)
        .ok_or_else(|| unfit("a note that is too long, or not plain text"))
}

fn unfit(what: &str) -> Error {
    Error::new(
        ErrorKind::Usage,
        format!("keep the progress beside the events: {what}"),
    )
}
