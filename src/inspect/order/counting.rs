//! Numbers that ought to come one after the other: what was jumped over, and what came after all.

use std::collections::BTreeMap;

/// What a number is among those before it. `T` marks the place where a number stood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step<T> {
    First,
    Next,
    /// Numbers were left out before it.
    Jumped,
    /// It was left out before; the mark is of the number that jumped over it.
    Healed(T),
    /// It lies before the first one; the mark is of that.
    Before(T),
    /// It was there already.
    Again,
}

/// The numbers seen, as their least, their greatest and the holes between them.
#[derive(Debug, Clone)]
pub(super) struct Counting<T> {
    low: (u64, T),
    high: u64,
    /// First number of a hole: its last, and the mark of the number behind it.
    holes: BTreeMap<u64, (u64, T)>,
    /// Numbers jumped over while there was no room for another hole.
    pub(super) unkept: u64,
}

/// Numbers that did not come: `from..=to`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Hole<T> {
    pub(super) from: u64,
    pub(super) to: u64,
    pub(super) after: T,
}

impl<T: Clone> Counting<T> {
    pub(super) fn begin(number: u64, mark: T) -> Self {
        Self {
            low: (number, mark),
            high: number,
            holes: BTreeMap::new(),
            unkept: 0,
        }
    }

    /// Takes the next number; at most `room` holes are kept. Only a number that is not the next
    /// one needs a mark.
    pub(super) fn step(&mut self, number: u64, mark: impl FnOnce() -> T, room: usize) -> Step<T> {
        if number > self.high {
            let expected = self.high + 1;
            self.high = number;
            if number == expected {
                return Step::Next;
            }
            self.open(expected, number - 1, mark(), room);
            return Step::Jumped;
        }
        if number < self.low.0 {
            let (before, after) = std::mem::replace(&mut self.low, (number, mark()));
            if number + 1 < before {
                self.open(number + 1, before - 1, after.clone(), room);
            }
            return Step::Before(after);
        }
        let found = self.holes.range(..=number).next_back();
        let Some((&from, (to, _))) = found.filter(|(_, (to, _))| *to >= number) else {
            return Step::Again;
        };
        let to = *to;
        let Some((_, after)) = self.holes.remove(&from) else {
            return Step::Again;
        };
        if from < number {
            self.open(from, number - 1, mark(), room);
        }
        if number < to {
            self.open(number + 1, to, after.clone(), room);
        }
        Step::Healed(after)
    }

    fn open(&mut self, from: u64, to: u64, after: T, room: usize) {
        if self.holes.len() < room {
            self.holes.insert(from, (to, after));
        } else {
            self.unkept += to - from + 1;
        }
    }

    /// The holes that are open, from the lowest.
    pub(super) fn holes(&self) -> impl Iterator<Item = Hole<T>> + '_ {
        self.holes.iter().map(|(&from, (to, after))| Hole {
            from,
            to: *to,
            after: after.clone(),
        })
    }

    /// How many numbers are missing between the least and the greatest.
    pub(super) fn missing(&self) -> u64 {
        let open: u64 = self.holes.iter().map(|(from, (to, _))| to - from + 1).sum();
        open + self.unkept
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn holes_are_what_was_not_seen(numbers in prop::collection::vec(0u64..60, 1..80)) {
            let mut counting = Counting::begin(numbers[0], 0);
            let mut seen = BTreeSet::from([numbers[0]]);
            for (i, &number) in numbers.iter().enumerate().skip(1) {
                let (low, high) = (*seen.first().unwrap(), *seen.last().unwrap());
                let again = seen.contains(&number);
                match counting.step(number, || i, 100) {
                    Step::First => prop_assert!(false),
                    Step::Next => prop_assert_eq!(number, high + 1),
                    Step::Jumped => prop_assert!(number > high + 1),
                    Step::Healed(after) => {
                        prop_assert!(!again && low < number && number < high);
                        prop_assert!(numbers[after] > number);
                    }
                    Step::Before(after) => {
                        prop_assert!(number < low);
                        prop_assert_eq!(numbers[after], low);
                    }
                    Step::Again => prop_assert!(again),
                }
                seen.insert(number);
            }
            let (low, high) = (*seen.first().unwrap(), *seen.last().unwrap());
            let left: Vec<u64> = (low..=high).filter(|n| !seen.contains(n)).collect();
            let told: Vec<u64> = counting.holes().flat_map(|h| h.from..=h.to).collect();
            prop_assert_eq!(counting.missing(), left.len() as u64);
            prop_assert_eq!(told, left);
            for hole in counting.holes() {
                prop_assert_eq!(numbers[hole.after], hole.to + 1);
            }
        }
    }

    #[test]
    fn holes_without_room_are_counted() {
        let mut counting = Counting::begin(1, ());
        for number in [3, 5, 100] {
            assert_eq!(counting.step(number, || (), 1), Step::Jumped);
        }
        assert_eq!(counting.holes().count(), 1);
        assert_eq!(counting.missing(), 1 + 1 + 94);
        // What there was no room for cannot be told from what was there.
        assert_eq!(counting.step(4, || (), 1), Step::Again);
        assert_eq!(counting.step(u64::MAX, || (), 1), Step::Jumped);
        assert_eq!(counting.step(0, || (), 1), Step::Before(()));
    }
}
