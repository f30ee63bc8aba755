//! When each event is due, by an absolute clock that begins with the run. Arithmetic only: who
//! waits is `run`.

use std::time::Duration;

use crate::event::Timestamp;

/// How fast the events go out.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Pace {
    /// As fast as the target takes them.
    #[default]
    Max,
    /// This many events a second.
    Rate(f64),
    /// As they happened, this many times faster.
    Speed {
        factor: f64,
        /// No wait is longer than this.
        max_gap: Option<Duration>,
    },
}

impl Pace {
    /// The pace of `--rate`, where infinity is the maximum.
    pub fn rate(events_a_second: f64) -> Self {
        if events_a_second.is_finite() {
            Self::Rate(events_a_second)
        } else {
            Self::Max
        }
    }

    /// The pace of `--speed`, where infinity is the maximum.
    pub fn speed(factor: f64, max_gap: Option<Duration>) -> Self {
        if factor.is_finite() {
            Self::Speed { factor, max_gap }
        } else {
            Self::Max
        }
    }

    /// True when events of several partitions must come merged by their time.
    pub const fn needs_timeline(&self) -> bool {
        matches!(self, Self::Speed { .. })
    }
}

/// Longer is for ever; it also keeps the arithmetic of clocks in range.
const LONGEST: Duration = Duration::from_hours(100 * 365 * 24);

/// Tells each event its moment. Moments never go back: an event older than the one before it is
/// due at once, and none is dropped. Plain data, so that a moment can be taken back.
#[derive(Debug, Clone, Copy)]
pub struct Pacer {
    pace: Pace,
    /// Since `base`.
    events: u64,
    /// Where a rate counts from.
    base: Duration,
    /// The newest timestamp so far.
    newest: Option<Timestamp>,
    due: Duration,
    /// When the pace was changed: nothing is due before that.
    changed: Duration,
}

impl Pacer {
    pub const fn new(pace: Pace) -> Self {
        Self {
            pace,
            events: 0,
            base: Duration::ZERO,
            newest: None,
            due: Duration::ZERO,
            changed: Duration::ZERO,
        }
    }

    pub const fn pace(&self) -> Pace {
        self.pace
    }

    /// Another pace from `now` on. What is behind stays behind: neither is a wait that is over
    /// waited for again, nor is anything made up for that the slower pace held back.
    pub fn change(&mut self, pace: Pace, now: Duration) {
        if !self.pace.needs_timeline() {
            // The times of events were not followed meanwhile.
            self.newest = None;
        }
        self.base = match pace {
            Pace::Rate(rate) if self.events > 0 => {
                self.due.max(now.saturating_sub(seconds(1.0 / rate)))
            }
            _ => now,
        };
        self.events = self.events.min(1);
        self.pace = pace;
        self.changed = now;
    }

    /// When the next event is due, counted from the first one.
    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 events")]
    pub fn next(&mut self, time: Option<Timestamp>) -> Duration {
        match self.pace {
            Pace::Max => {}
            // From the count, not from the event before: errors do not add up.
            Pace::Rate(rate) => {
                let since = seconds(self.events as f64 / rate);
                self.due = self.base.saturating_add(since);
            }
            Pace::Speed { factor, max_gap } => {
                let due = self.due.saturating_add(self.gap(time, factor, max_gap));
                self.due = due.max(self.changed);
            }
        }
        self.events += 1;
        self.due = self.due.min(LONGEST);
        self.due
    }

    /// When the last event was due.
    pub const fn last_due(&self) -> Duration {
        self.due
    }

    #[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 milliseconds")]
    fn gap(&mut self, time: Option<Timestamp>, factor: f64, max_gap: Option<Duration>) -> Duration {
        let Some(time) = time else {
            return Duration::ZERO;
        };
        let before = self.newest.unwrap_or(time);
        self.newest = Some(before.max(time));
        let millis = time.0.saturating_sub(before.0).max(0);
        let gap = seconds(millis as f64 / 1000.0 / factor);
        max_gap.map_or(gap, |most| gap.min(most))
    }
}

/// As `Duration::from_secs_f64`, without its panics.
fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(LONGEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dues(pace: Pace, times: &[i64]) -> Vec<u128> {
        let mut pacer = Pacer::new(pace);
        times
            .iter()
            .map(|&t| pacer.next(Some(Timestamp(t))).as_millis())
            .collect()
    }

    #[test]
    fn a_rate_is_even_and_does_not_drift() {
        assert_eq!(dues(Pace::Rate(4.0), &[0; 5]), [0, 250, 500, 750, 1000]);
        let mut pacer = Pacer::new(Pace::Rate(3.0));
        for _ in 0..3_000_000 {
            pacer.next(None);
        }
        assert_eq!(pacer.next(None), Duration::from_secs(1_000_000));
    }

    #[test]
    fn a_speed_keeps_the_distances() {
        let times = [1000, 1500, 1500, 4000];
        assert_eq!(dues(Pace::speed(1.0, None), &times), [0, 500, 500, 3000]);
        assert_eq!(dues(Pace::speed(10.0, None), &times), [0, 50, 50, 300]);
        assert_eq!(dues(Pace::speed(0.5, None), &times), [0, 1000, 1000, 6000]);
    }

    #[test]
    fn an_older_event_is_due_at_once_and_does_not_stretch_the_rest() {
        let times = [1000, 2000, 500, 1500, 2100];
        let due = dues(Pace::speed(1.0, None), &times);
        assert_eq!(due, [0, 1000, 1000, 1000, 1100]);
    }

    #[test]
    fn a_gap_is_cut_and_the_rest_follows_on() {
        let pace = Pace::speed(2.0, Some(Duration::from_secs(5)));
        let due = dues(pace, &[0, 8_000, 3_600_000, 3_602_000]);
        assert_eq!(due, [0, 4_000, 9_000, 10_000]);
    }

    #[test]
    fn events_without_a_time_go_with_the_one_before() {
        let mut pacer = Pacer::new(Pace::speed(1.0, None));
        assert_eq!(pacer.next(None), Duration::ZERO);
        pacer.next(Some(Timestamp(0)));
        pacer.next(Some(Timestamp(700)));
        assert_eq!(pacer.next(None), Duration::from_millis(700));
    }

    #[test]
    fn a_changed_rate_goes_on_from_where_it_stood() {
        let mut pacer = Pacer::new(Pace::Rate(0.01));
        pacer.next(None);
        let ten = Duration::from_secs(10);
        // A hundred times faster, after a tenth of the wait: neither a burst nor a wait.
        pacer.change(Pace::Rate(1.0), ten);
        let due: Vec<u64> = (0..3).map(|_| pacer.next(None).as_secs()).collect();
        assert_eq!(due, [10, 11, 12]);
        // Slower, right after one went out.
        pacer.change(Pace::Rate(0.5), Duration::from_secs(12));
        assert_eq!(pacer.next(None).as_secs(), 14);
        pacer.change(Pace::Max, Duration::from_secs(14));
        assert!(pacer.next(None).as_secs() <= 14);
        // Before the first event nothing is waited for.
        let mut fresh = Pacer::new(Pace::Rate(0.01));
        fresh.change(Pace::Rate(2.0), ten);
        assert_eq!(fresh.next(None), ten);
        assert_eq!(fresh.next(None), ten + Duration::from_millis(500));
    }

    #[test]
    fn a_changed_speed_shortens_what_is_left_of_a_wait() {
        let mut pacer = Pacer::new(Pace::speed(1.0, None));
        let next = |pacer: &mut Pacer, s: i64| pacer.next(Some(Timestamp(s * 1000))).as_secs();
        assert_eq!(next(&mut pacer, 0), 0);
        let mut slow = pacer;
        slow.change(Pace::speed(2.0, None), Duration::from_secs(10));
        assert_eq!(next(&mut slow, 100), 50);
        assert_eq!(next(&mut slow, 102), 51);
        pacer.change(Pace::speed(10.0, None), Duration::from_mins(1));
        assert_eq!(next(&mut pacer, 100), 60);
        assert_eq!(next(&mut pacer, 110), 61);
        // What went out at full speed in between is no gap.
        pacer.change(Pace::Max, Duration::from_secs(61));
        next(&mut pacer, 5000);
        pacer.change(Pace::speed(1.0, None), Duration::from_secs(62));
        assert_eq!(next(&mut pacer, 9000), 62);
        assert_eq!(next(&mut pacer, 9001), 63);
    }

    #[test]
    fn the_ends_of_the_range_do_not_overflow() {
        let due = dues(Pace::speed(1e-300, None), &[i64::MIN, i64::MAX, i64::MAX]);
        assert_eq!(due[1], LONGEST.as_millis());
        assert_eq!(dues(Pace::rate(f64::INFINITY), &[0, 9]), [0, 0]);
        assert_eq!(Pacer::new(Pace::Rate(1e-300)).next(None), Duration::ZERO);
    }
}
