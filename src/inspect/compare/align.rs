//! Two sequences of hashes aligned: what stands on both sides, what was changed in its place, what
//! is on one side only.

use std::collections::{HashMap, VecDeque};

/// One line of the alignment; numbers of elements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pair {
    Alike(usize, usize),
    Changed(usize, usize),
    Left(usize),
    Right(usize),
}

/// Equal elements are paired, the first with the first; what is left over between two that keep
/// their order is paired by its place. Takes n log n steps.
pub(super) fn align(left: &[u64], right: &[u64], mut each: impl FnMut(Pair)) {
    let before = left.iter().zip(right).take_while(|(a, b)| a == b).count();
    let rest = left.len().min(right.len()) - before;
    let backwards = left.iter().rev().zip(right.iter().rev());
    let after = backwards.take(rest).take_while(|(a, b)| a == b).count();
    for at in 0..before {
        each(Pair::Alike(at, at));
    }
    let ends = (left.len() - after, right.len() - after);
    middle(left, right, (before, ends), &mut each);
    for at in 0..after {
        each(Pair::Alike(ends.0 + at, ends.1 + at));
    }
}

/// What stands between a common beginning and a common end.
fn middle(
    left: &[u64],
    right: &[u64],
    (from, ends): (usize, (usize, usize)),
    each: &mut impl FnMut(Pair),
) {
    let mut places: HashMap<u64, VecDeque<usize>> = HashMap::new();
    for (at, content) in right.iter().enumerate().take(ends.1).skip(from) {
        places.entry(*content).or_default().push_back(at);
    }
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    let mut lone: Vec<usize> = Vec::new();
    for (at, content) in left.iter().enumerate().take(ends.0).skip(from) {
        match places.get_mut(content).and_then(VecDeque::pop_front) {
            Some(other) => pairs.push((at, other)),
            None => lone.push(at),
        }
    }
    let others: Vec<usize> = pairs.iter().map(|(_, other)| *other).collect();
    let kept = longest_run(&others);
    let anchors: Vec<(usize, usize)> = pairs
        .iter()
        .zip(&kept)
        .filter_map(|(pair, kept)| kept.then_some(*pair))
        .collect();
    for (one, other) in pairs {
        each(Pair::Alike(one, other));
    }
    let mut lone_right: Vec<usize> = places.into_values().flatten().collect();
    lone_right.sort_unstable();
    let (mut lone, mut lone_right) = (VecDeque::from(lone), VecDeque::from(lone_right));
    let last = (usize::MAX, usize::MAX);
    for (one, other) in anchors.into_iter().chain([last]) {
        loop {
            let a = lone.front().copied().filter(|at| *at < one);
            let b = lone_right.front().copied().filter(|at| *at < other);
            match (a, b) {
                (Some(a), Some(b)) => each(Pair::Changed(a, b)),
                (Some(a), None) => each(Pair::Left(a)),
                (None, Some(b)) => each(Pair::Right(b)),
                (None, None) => break,
            }
            if a.is_some() {
                lone.pop_front();
            }
            if b.is_some() {
                lone_right.pop_front();
            }
        }
    }
}

/// Which elements belong to a longest run that goes up.
pub(super) fn longest_run<T: Ord>(all: &[T]) -> Vec<bool> {
    // Patience sorting: for each length of a run, the element that ends it soonest.
    let mut ends: Vec<usize> = Vec::new();
    let mut before: Vec<Option<usize>> = Vec::with_capacity(all.len());
    for (at, element) in all.iter().enumerate() {
        let length = ends.partition_point(|end| all[*end] < *element);
        before.push(length.checked_sub(1).map(|length| ends[length]));
        if length == ends.len() {
            ends.push(at);
        } else {
            ends[length] = at;
        }
    }
    let mut kept = vec![false; all.len()];
    let mut next = ends.last().copied();
    while let Some(at) = next {
        kept[at] = true;
        next = before[at];
    }
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(left: &[u64], right: &[u64]) -> Vec<String> {
        let mut all = Vec::new();
        align(left, right, |pair| {
            all.push(match pair {
                Pair::Alike(a, b) if left[a] == right[b] => return,
                Pair::Alike(a, b) => format!("WRONG {a} {b}"),
                Pair::Changed(a, b) => format!("{}~{}", left[a], right[b]),
                Pair::Left(a) => format!("-{}", left[a]),
                Pair::Right(b) => format!("+{}", right[b]),
            });
        });
        all
    }

    #[test]
    fn what_was_put_in_or_taken_out_does_not_shift_the_rest() {
        assert_eq!(told(&[1, 2, 3, 4, 5], &[1, 3, 4, 5]), ["-2"]);
        assert_eq!(told(&[1, 2, 3], &[1, 9, 2, 3, 8]), ["+9", "+8"]);
        assert_eq!(told(&[1, 2, 3, 4], &[1, 9, 3, 8]), ["2~9", "4~8"]);
        assert_eq!(told(&[1, 2, 3], &[1, 9]), ["2~9", "-3"]);
        assert_eq!(told(&[7, 7, 7], &[7, 7]), ["-7"]);
        assert_eq!(told(&[1, 2, 3], &[3, 1, 2]), [""; 0]);
        assert_eq!(told(&[], &[4, 5]), ["+4", "+5"]);
    }

    #[test]
    fn the_longest_run_is_kept() {
        assert_eq!(
            longest_run(&[3, 1, 2, 5, 4]),
            [false, true, true, false, true]
        );
        assert_eq!(longest_run::<u8>(&[]), [false; 0]);
    }

    proptest! {
        #[test]
        fn each_element_is_told_once(
            left in prop::collection::vec(0u64..6, 0..40),
            right in prop::collection::vec(0u64..6, 0..40),
        ) {
            let mut seen = (vec![0; left.len()], vec![0; right.len()]);
            align(&left, &right, |pair| match pair {
                Pair::Alike(a, b) | Pair::Changed(a, b) => {
                    assert_eq!(matches!(pair, Pair::Alike(..)), left[a] == right[b]);
                    seen.0[a] += 1;
                    seen.1[b] += 1;
                }
                Pair::Left(a) => seen.0[a] += 1,
                Pair::Right(b) => seen.1[b] += 1,
            });
            prop_assert!(seen.0.iter().chain(&seen.1).all(|times| *times == 1));
        }
    }
}
