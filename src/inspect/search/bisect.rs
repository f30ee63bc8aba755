//! The first event with which it goes wrong, by halving: as `git bisect` does among commits. It
//! takes that what is bad stays bad when more events come; the answer is verified, and where that
//! does not hold the search says so.

use super::Judgement;

/// What a search found. Numbers are those of events, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bisected {
    /// Without this event it is good, with it bad.
    First(usize),
    /// One of these, both included: the judge could not tell them apart.
    Between(usize, usize),
    /// It is good with all of them.
    Good,
    /// It is bad without any.
    Bad,
    /// Once it was bad with fewer events and good with more, or said both of the same ones: there
    /// is no first one. The event that was held for it.
    NonMonotone(usize),
}

/// Finds the first bad one of so many events. `judge` is asked of the first so many of them, about
/// `log2(events)` times and twice more to verify; its error ends the search.
pub fn bisect<E>(
    events: usize,
    mut judge: impl FnMut(usize) -> Result<Judgement, E>,
) -> Result<Bisected, E> {
    // With the first `good` events it is good, with the first `bad` it is bad; neither end was
    // asked about yet.
    let (mut good, mut bad) = (0, events);
    // Prefixes that the judge could not tell.
    let mut skipped: Vec<usize> = Vec::new();
    while let Some(middle) = untold(good, bad, &skipped) {
        match judge(middle)? {
            Judgement::Good => good = middle,
            Judgement::Bad => bad = middle,
            Judgement::Skip => skipped.push(middle),
        }
    }
    if events == 0 {
        return Ok(match judge(0)? {
            Judgement::Bad => Bisected::Bad,
            Judgement::Good | Judgement::Skip => Bisected::Good,
        });
    }
    let with = judge(bad)?;
    if with != Judgement::Bad {
        // Where the end was never asked about, it was only taken to be bad.
        return Ok(match (bad == events, with) {
            (true, Judgement::Good) => Bisected::Good,
            (true, _) => Bisected::Between(good, bad - 1),
            (false, _) => Bisected::NonMonotone(bad - 1),
        });
    }
    Ok(match (judge(good)?, good) {
        (Judgement::Good, _) if bad - good == 1 => Bisected::First(bad - 1),
        (Judgement::Good | Judgement::Skip, _) => Bisected::Between(good, bad - 1),
        (Judgement::Bad, 0) => Bisected::Bad,
        (Judgement::Bad, _) => Bisected::NonMonotone(bad - 1),
    })
}

/// The prefix nearest to the middle that was not asked about.
fn untold(good: usize, bad: usize, skipped: &[usize]) -> Option<usize> {
    let middle = good + (bad - good) / 2;
    let free = |at: &usize| *at > good && *at < bad && !skipped.contains(at);
    let reach = bad - good;
    let near = (0..=reach).flat_map(|by| [middle.checked_sub(by), middle.checked_add(by)]);
    near.flatten().find(free)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn found(events: usize, judge: impl Fn(usize) -> Judgement) -> (Bisected, u32) {
        let mut asked = 0;
        let found: Result<_, ()> = bisect(events, |prefix| {
            assert!(prefix <= events);
            asked += 1;
            Ok(judge(prefix))
        });
        (found.unwrap(), asked)
    }

    fn when(bad: bool) -> Judgement {
        if bad { Judgement::Bad } else { Judgement::Good }
    }

    proptest! {
        #[test]
        fn the_first_bad_one_is_found_in_log_n(events in 1usize..5_000, seed in any::<prop::sample::Index>()) {
            let first = seed.index(events);
            let (told, asked) = found(events, |prefix| when(prefix > first));
            prop_assert_eq!(told, Bisected::First(first));
            prop_assert!(asked <= events.next_power_of_two().ilog2() + 2, "{} runs", asked);
        }

        #[test]
        fn what_is_skipped_lies_within_what_is_told(
            first in 0usize..60,
            skips in prop::collection::vec(1usize..60, 0..40),
        ) {
            let (told, _) = found(60, |prefix| {
                if skips.contains(&prefix) { Judgement::Skip } else { when(prefix > first) }
            });
            match told {
                Bisected::First(at) => prop_assert_eq!(at, first),
                Bisected::Between(from, to) => {
                    prop_assert!((from..=to).contains(&first), "{from} {to}");
                    // Whatever lies between could not be told.
                    prop_assert!((from + 1..=to).all(|prefix| skips.contains(&prefix)));
                }
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }

    #[test]
    fn sixty_two_events_take_six_runs_and_two_to_verify() {
        assert_eq!(
            found(62, |prefix| when(prefix > 43)),
            (Bisected::First(43), 8)
        );
    }

    #[test]
    fn what_has_no_first_bad_event_is_told_apart() {
        assert_eq!(found(9, |_| Judgement::Good).0, Bisected::Good);
        assert_eq!(found(9, |_| Judgement::Bad).0, Bisected::Bad);
        assert_eq!(found(0, |_| Judgement::Good).0, Bisected::Good);
        assert_eq!(found(0, |_| Judgement::Bad).0, Bisected::Bad);
        // A judge that says each time the other.
        let mut flips = 0;
        let told: Result<_, ()> = bisect(9, |_| {
            flips += 1;
            Ok(when(flips % 2 == 1))
        });
        assert!(matches!(told, Ok(Bisected::NonMonotone(_))), "{told:?}");
    }

    #[test]
    fn a_judge_that_breaks_ends_it() {
        let mut asked = 0;
        let ended = bisect(100, |_| {
            asked += 1;
            Err::<Judgement, _>("cannot run")
        });
        assert_eq!((ended, asked), (Err("cannot run"), 1));
    }
}
