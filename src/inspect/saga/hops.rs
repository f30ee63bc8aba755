//! How long what follows takes, for each pair of steps, and which took far longer than the others.
//! By the median and how far the others are from it (MAD): one that is far off must not hide
//! itself, as it does by mean and deviation.

use super::model::{Model, StepNumber};
use super::store::Id;
use crate::inspect::lanes::Spot;

/// Times kept of each hop; of more, a fair sample.
const SAMPLES: usize = 4_096;
/// The slowest ones kept of each hop, with their places.
const SLOWEST: usize = 64;
/// Of fewer nothing is said.
const FEWEST: u64 = 20;
/// Eight deviations off are far, of which one is 1.4826 times the median of the distances where
/// times are spread normally.
const FAR_PERCENT: i64 = 1_186;
/// What is no farther off than this is not far.
const LEAST_MS: i64 = 100;

/// An effect that took long.
#[derive(Debug, Clone, Copy)]
pub(super) struct Slow {
    pub(super) ms: i64,
    pub(super) cause: Spot,
    pub(super) effect: Spot,
    /// When the effect happened.
    pub(super) time: i64,
    pub(super) id: Id,
}

#[derive(Debug, Default)]
struct Hop {
    number: u64,
    samples: Vec<i64>,
    slowest: Vec<Slow>,
}

/// The times of all hops of a model.
#[derive(Debug)]
pub(super) struct Hops {
    /// For each step, the hops to what may follow it.
    hops: Vec<Vec<(StepNumber, Hop)>>,
    random: u64,
}

impl Hops {
    pub(super) fn new(model: &Model) -> Self {
        let of =
            |step: &super::model::Step| step.then.iter().map(|n| (n, Hop::default())).collect();
        Self {
            hops: model.steps.iter().map(of).collect(),
            random: 0x9e37_79b9_7f4a_7c15,
        }
    }

    /// An effect followed its cause. One that by its time came first is another matter: clocks.
    pub(super) fn add(&mut self, cause: StepNumber, effect: StepNumber, slow: Slow) {
        let hops = self.hops.get_mut(usize::from(cause));
        let mut hops = hops.into_iter().flatten();
        let Some((_, hop)) = hops.find(|(to, _)| *to == effect) else {
            return;
        };
        if slow.ms < 0 {
            return;
        }
        hop.number += 1;
        if hop.samples.len() < SAMPLES {
            hop.samples.push(slow.ms);
        } else {
            self.random ^= self.random << 13;
            self.random ^= self.random >> 7;
            self.random ^= self.random << 17;
            let place = (self.random % hop.number) as usize;
            if let Some(sample) = hop.samples.get_mut(place) {
                *sample = slow.ms;
            }
        }
        hop.keep(slow);
    }

    /// What is known of each hop that happened.
    pub(super) fn told(&self) -> impl Iterator<Item = (StepNumber, StepNumber, Told)> {
        let of_step = |(cause, hops): (StepNumber, &'_ Vec<(StepNumber, Hop)>)| {
            let told: Vec<_> = hops
                .iter()
                .filter_map(|(effect, hop)| Some((cause, *effect, hop.told()?)))
                .collect();
            told
        };
        (0..).zip(&self.hops).flat_map(of_step)
    }
}

/// What is known of a hop.
#[derive(Debug)]
pub(super) struct Told {
    pub(super) number: u64,
    pub(super) median_ms: i64,
    /// From here on it is far off.
    pub(super) bound_ms: i64,
    pub(super) outliers: Vec<Slow>,
}

impl Hop {
    fn keep(&mut self, slow: Slow) {
        if self.slowest.len() < SLOWEST {
            self.slowest.push(slow);
            return;
        }
        let least = self.slowest.iter_mut().min_by_key(|s| s.ms);
        if let Some(least) = least.filter(|least| least.ms < slow.ms) {
            *least = slow;
        }
    }

    fn told(&self) -> Option<Told> {
        let mut sorted = self.samples.clone();
        let median_ms = median(&mut sorted)?;
        let mut off: Vec<i64> = sorted.iter().map(|ms| (ms - median_ms).abs()).collect();
        let far_off = median(&mut off)?.saturating_mul(FAR_PERCENT) / 100;
        // Where all take the same time, a little more is not far: three times the usual is.
        let far = far_off.max(median_ms.saturating_mul(2)).max(LEAST_MS);
        let bound_ms = median_ms.saturating_add(far);
        let mut outliers: Vec<Slow> = self.slowest.clone();
        outliers.retain(|slow| slow.ms > bound_ms);
        outliers.sort_by_key(|slow| std::cmp::Reverse(slow.ms));
        // Where many are far off, that is how the hop is, and none of them is odd.
        let far_off = sorted.iter().filter(|ms| **ms > bound_ms).count();
        if self.number < FEWEST || far_off * 20 > sorted.len() {
            outliers.clear();
        }
        Some(Told {
            number: self.number,
            median_ms,
            bound_ms,
            outliers,
        })
    }
}

/// The median, of an even number the mean of the two in the middle.
fn median(of: &mut [i64]) -> Option<i64> {
    of.sort_unstable();
    let upper = *of.get(of.len() / 2)?;
    let lower = *of.get((of.len() - 1) / 2)?;
    Some(lower.midpoint(upper))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Position;

    fn hop(times: impl IntoIterator<Item = i64>) -> Hop {
        let model = Model::parse(
            "{saga: s, id: key, start: A, steps: {A: {then: B, end: true}}}",
            false,
        );
        let model = model.unwrap();
        let mut hops = Hops::new(&model);
        let (a, b) = (model.step(b"A").unwrap(), model.step(b"B").unwrap());
        let spot = Spot {
            lane: 0,
            position: Position::ZERO,
        };
        for ms in times {
            let slow = Slow {
                ms,
                cause: spot,
                effect: spot,
                time: 0,
                id: Id::new(b"x"),
            };
            hops.add(a, b, slow);
        }
        hops.hops.swap_remove(usize::from(a)).swap_remove(0).1
    }

    #[test]
    fn one_that_is_far_off_does_not_hide_itself() {
        let told = hop((0..41).map(|n| 4_300 + n % 3).chain([19_300]))
            .told()
            .unwrap();
        assert_eq!((told.number, told.median_ms), (42, 4_301));
        assert_eq!(told.outliers.len(), 1);
        assert_eq!(told.outliers[0].ms, 19_300);
    }

    #[test]
    fn what_is_slow_as_a_rule_or_seldom_happened_accuses_nobody() {
        let often = hop((0..100).map(|n| if n % 10 == 0 { 60_000 } else { 1_000 }));
        assert!(often.told().unwrap().outliers.is_empty());
        let few = hop([10, 10, 10, 90_000]);
        assert!(few.told().unwrap().outliers.is_empty());
        let near = hop((0..50).map(|n| 1_000 + n * 40));
        assert!(near.told().unwrap().outliers.is_empty());
        assert!(hop([-5, -1]).told().is_none());
    }

    #[test]
    fn of_many_a_sample_tells_the_median_and_the_slowest_are_kept() {
        let many = hop((0..200_000).map(|n| 1_000 + n % 101).chain([70_000]));
        let told = many.told().unwrap();
        assert_eq!((many.samples.len(), told.number), (SAMPLES, 200_001));
        assert!((told.median_ms - 1_050).abs() < 5, "{}", told.median_ms);
        assert_eq!(told.outliers.len(), 1);
    }
}
