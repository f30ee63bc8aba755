//! The smallest set of events that still fails: delta debugging, the `ddmin` of Zeller and
//! Hildebrandt (Simplifying and Isolating Failure-Inducing Input, 2002), first over groups (the
//! events of a key), then over single events. What is left is minimal in this sense: without any
//! one of them it does not fail any more.

use super::Judgement;

/// What a search found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Minimized {
    /// These events fail, in their order.
    These(Vec<usize>),
    /// All of them together do not fail.
    Good,
    /// It fails without any event.
    Bad,
}

/// Finds a smallest failing set of events. `groups` are events that probably belong together, in
/// the order of their first; all events are in one. `judge` is asked of sets in their order; its
/// error ends the search. At most `n² + 3n` questions, usually few more than
/// `2 · left · log2(n)`.
pub fn minimize<E>(
    groups: Vec<Vec<usize>>,
    mut judge: impl FnMut(&[usize]) -> Result<Judgement, E>,
) -> Result<Minimized, E> {
    let all = events_of(&groups);
    if judge(&all)? != Judgement::Bad {
        return Ok(Minimized::Good);
    }
    if judge(&[])? == Judgement::Bad {
        return Ok(Minimized::Bad);
    }
    let groups = if groups.len() > 1 {
        smallest(groups, &mut judge)?
    } else {
        groups
    };
    let singles = events_of(&groups).into_iter().map(|event| vec![event]);
    let left = smallest(singles.collect(), &mut judge)?;
    Ok(Minimized::These(events_of(&left)))
}

fn events_of(groups: &[Vec<usize>]) -> Vec<usize> {
    let mut all: Vec<usize> = groups.iter().flatten().copied().collect();
    all.sort_unstable();
    all
}

/// Leaves out parts as long as the rest still fails: large pieces first, then smaller ones.
fn smallest<E>(
    mut parts: Vec<Vec<usize>>,
    judge: &mut impl FnMut(&[usize]) -> Result<Judgement, E>,
) -> Result<Vec<Vec<usize>>, E> {
    let mut pieces = 2;
    while parts.len() > 1 {
        let size = parts.len().div_ceil(pieces);
        // Of two, each is what the other leaves. A single part was in a larger piece before, which
        // did not fail.
        let two = parts.len() <= 2 * size;
        if (two || size > 1)
            && let Some(piece) = first_bad(parts.chunks(size).map(<[_]>::to_vec), judge)?
        {
            (parts, pieces) = (piece, 2);
            continue;
        }
        let without = |from: usize| {
            let rest = parts.get(from + size..).unwrap_or_default();
            parts.iter().take(from).chain(rest).cloned().collect()
        };
        let rests = (0..parts.len()).step_by(size).map(without);
        if !two && let Some(rest) = first_bad(rests, judge)? {
            (parts, pieces) = (rest, (pieces - 1).max(2));
            continue;
        }
        if size == 1 {
            break;
        }
        pieces = (2 * pieces).min(parts.len());
    }
    Ok(parts)
}

/// The first of these that fails.
fn first_bad<E>(
    sets: impl Iterator<Item = Vec<Vec<usize>>>,
    judge: &mut impl FnMut(&[usize]) -> Result<Judgement, E>,
) -> Result<Option<Vec<Vec<usize>>>, E> {
    for set in sets {
        if judge(&events_of(&set))? == Judgement::Bad {
            return Ok(Some(set));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn run(groups: Vec<Vec<usize>>, bad: impl Fn(&[usize]) -> bool) -> (Minimized, usize) {
        let mut asked = 0;
        let found: Result<_, ()> = minimize(groups, |set| {
            assert!(set.is_sorted());
            asked += 1;
            Ok(if bad(set) {
                Judgement::Bad
            } else {
                Judgement::Good
            })
        });
        (found.unwrap(), asked)
    }

    proptest! {
        #[test]
        fn exactly_the_events_that_it_takes_are_left(
            events in 1usize..120,
            needed in prop::collection::vec(any::<prop::sample::Index>(), 1..5),
            keys in 1usize..20,
        ) {
            let mut needed: Vec<usize> = needed.iter().map(|at| at.index(events)).collect();
            needed.sort_unstable();
            needed.dedup();
            let mut groups = vec![Vec::new(); keys.min(events)];
            let many = groups.len();
            for event in 0..events {
                groups[event % many].push(event);
            }
            let bad = |set: &[usize]| needed.iter().all(|at| set.contains(at));
            let (found, asked) = run(groups, bad);
            prop_assert_eq!(found, Minimized::These(needed.clone()));
            prop_assert!(asked <= events * events + 3 * events + 3);
        }

        #[test]
        fn nothing_that_is_left_can_be_left_out(events in 1usize..40, seed in any::<u64>()) {
            // Bad where any one of three sets is whole: there are several minimal answers.
            let sets: Vec<Vec<usize>> = (0..3u64)
                .map(|n| {
                    let mut set: Vec<usize> = (0..=n)
                        .map(|i| (seed.rotate_left((7 * n + 13 * i) as u32) as usize) % events)
                        .collect();
                    set.sort_unstable();
                    set.dedup();
                    set
                })
                .collect();
            let bad = |set: &[usize]| sets.iter().any(|s| s.iter().all(|at| set.contains(at)));
            let (found, _) = run(vec![(0..events).collect()], bad);
            let Minimized::These(left) = found else {
                return Err(TestCaseError::fail("nothing found"));
            };
            prop_assert!(bad(&left));
            for at in 0..left.len() {
                let mut less = left.clone();
                less.remove(at);
                prop_assert!(!bad(&less));
            }
        }
    }

    #[test]
    fn what_never_and_what_always_fails_is_told() {
        let groups = || vec![vec![0, 1], vec![2]];
        assert_eq!(run(groups(), |_| false).0, Minimized::Good);
        assert_eq!(run(groups(), |_| true).0, Minimized::Bad);
        assert_eq!(run(Vec::new(), |_| false).0, Minimized::Good);
    }

    #[test]
    fn one_event_of_a_thousand_is_found_quickly() {
        let groups = (0..100).map(|key| (0..10).map(|n| 10 * key + n).collect());
        let (found, asked) = run(groups.collect(), |set| set.contains(&617));
        assert_eq!(found, Minimized::These(vec![617]));
        assert!(asked < 60, "{asked} questions");
    }
}
