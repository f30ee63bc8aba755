//! What must follow what: the steps of a saga, who is responsible, and how long each may take.
//! Reading it from a file is done in `file`.

use super::place::Place;
use crate::event::EventRef;

/// Steps that a model may have: they are bits of a number.
pub const MOST_STEPS: usize = 64;

/// The number of a step.
pub(super) type StepNumber = u8;

/// A set of steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Steps(pub(super) u64);

impl Steps {
    pub(super) const fn one(step: StepNumber) -> Self {
        Self(1 << step)
    }

    pub(super) const fn has(self, step: StepNumber) -> bool {
        self.0 >> step & 1 == 1
    }

    pub(super) const fn add(&mut self, step: StepNumber) {
        self.0 |= 1 << step;
    }

    pub(super) const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The lowest of them first.
    pub(super) fn iter(self) -> impl Iterator<Item = StepNumber> {
        let mut left = self.0;
        std::iter::from_fn(move || {
            let step = left.trailing_zeros();
            left &= left.wrapping_sub(1);
            (step < u64::BITS).then_some(step as StepNumber)
        })
    }
}

/// One step: an event of this type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Step {
    pub(super) name: Box<str>,
    /// The topics that it is in; learnt where the file does not say.
    pub(super) topics: Vec<Box<str>>,
    /// One of these must follow; nothing need follow where there are none.
    pub(super) then: Steps,
    /// What it may follow.
    pub(super) after: Steps,
    /// The group that makes what follows.
    pub(super) by: Option<Box<str>>,
    /// How long what follows may take.
    pub(super) sla_ms: i64,
    /// What follows undoes what was done.
    pub(super) compensation: bool,
    /// The saga ends as rejected.
    pub(super) rejected: bool,
    /// The saga ends here.
    pub(super) end: bool,
}

/// A saga: which events belong to one, and what must follow what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Model {
    pub(super) name: Box<str>,
    pub(super) ids: Vec<Place>,
    pub(super) start: StepNumber,
    pub(super) steps: Vec<Step>,
    /// Steps that undo, that reject, that end.
    pub(super) undoing: Steps,
    pub(super) rejecting: Steps,
    pub(super) ends: Steps,
}

impl Model {
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The steps that undo, reject and end follow from the others.
    pub(super) fn new(
        name: Box<str>,
        ids: Vec<Place>,
        start: StepNumber,
        mut steps: Vec<Step>,
    ) -> Self {
        let mut undoing = Steps::default();
        let mut rejecting = Steps::default();
        let mut ends = Steps::default();
        for number in 0..steps.len() as StepNumber {
            let step = &steps[usize::from(number)];
            let (then, compensation) = (step.then, step.compensation);
            if step.rejected {
                rejecting.add(number);
            }
            if step.end {
                ends.add(number);
            }
            if compensation {
                undoing.0 |= then.0;
            }
            for next in then.iter() {
                steps[usize::from(next)].after.add(number);
            }
        }
        Self {
            name,
            ids,
            start,
            steps,
            undoing,
            rejecting,
            ends,
        }
    }

    /// The step that an event of this type is.
    #[inline]
    pub(super) fn step(&self, kind: &[u8]) -> Option<StepNumber> {
        let same = |step: &Step| step.name.as_bytes() == kind;
        let found = self.steps.iter().position(same);
        found.map(|number| number as StepNumber)
    }

    /// True when an event of the one type may come right after one of the other.
    pub fn leads(&self, from: &str, to: &str) -> bool {
        let (from, to) = (self.step(from.as_bytes()), self.step(to.as_bytes()));
        from.zip(to)
            .is_some_and(|(from, to)| self.get(from).then.has(to))
    }

    pub(super) fn get(&self, step: StepNumber) -> &Step {
        &self.steps[usize::from(step)]
    }

    /// The id of the saga that an event belongs to.
    #[inline]
    pub(super) fn id<'a>(&self, event: &EventRef<'a>) -> Option<&'a [u8]> {
        self.ids.iter().find_map(|place| place.find(event))
    }

    /// Steps that happened although nothing happened that they may follow.
    pub(super) fn unfounded(&self, seen: Steps) -> Steps {
        let unfounded =
            |step: &StepNumber| *step != self.start && !self.get(*step).after.meets(seen);
        let mut all = Steps::default();
        seen.iter().filter(unfounded).for_each(|step| all.add(step));
        all
    }

    /// Steps after which something must follow and did not.
    pub(super) fn unfollowed(&self, seen: Steps) -> Steps {
        let unfollowed = |step: &StepNumber| {
            let step = self.get(*step);
            !step.end && !step.then.meets(seen)
        };
        let mut all = Steps::default();
        seen.iter()
            .filter(unfollowed)
            .for_each(|step| all.add(step));
        all
    }

    /// All that had to happen did, and nothing else.
    pub(super) fn is_whole(&self, seen: Steps) -> bool {
        seen.has(self.start)
            && seen.meets(self.ends)
            && self.unfollowed(seen).is_empty()
            && self.unfounded(seen).is_empty()
    }

    /// The step cannot have happened: another one did in its place, or in the place of each that it
    /// may follow. Gives the step that happened instead.
    pub(super) fn instead(&self, step: StepNumber, seen: Steps) -> Option<StepNumber> {
        let mut looked = Steps::one(step);
        self.instead_of(step, seen, &mut looked)
    }

    fn instead_of(&self, step: StepNumber, seen: Steps, looked: &mut Steps) -> Option<StepNumber> {
        let mut found = None;
        for cause in self.get(step).after.iter() {
            if looked.has(cause) {
                continue;
            }
            looked.add(cause);
            let other = if seen.has(cause) {
                let taken = Steps(self.get(cause).then.0 & seen.0 & !Steps::one(step).0);
                taken.iter().next()?
            } else {
                self.instead_of(cause, seen, looked)?
            };
            found.get_or_insert(other);
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_steps_gives_back_what_was_added() {
        let mut steps = Steps::default();
        for step in [63, 0, 7] {
            steps.add(step);
        }
        assert_eq!(steps.iter().collect::<Vec<_>>(), [0, 7, 63]);
        assert!(steps.has(63) && !steps.has(1) && !Steps::default().meets(steps));
    }
}
