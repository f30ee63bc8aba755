//! The time line of a run: it begins with the first event and stands still while the run is
//! paused.

use std::time::Duration;

use tokio::time::Instant;

#[derive(Debug, Clone, Copy)]
pub(super) struct Clock {
    started: Instant,
    /// The pauses that are over.
    stood: Duration,
    since: Option<Instant>,
}

impl Clock {
    pub(super) fn start() -> Self {
        Self {
            started: Instant::now(),
            stood: Duration::ZERO,
            since: None,
        }
    }

    /// How far the time line has come.
    pub(super) fn now(&self) -> Duration {
        let end = self.since.unwrap_or_else(Instant::now);
        end.saturating_duration_since(self.started)
            .saturating_sub(self.stood)
    }

    /// All pauses together.
    pub(super) fn stood(&self) -> Duration {
        self.stood + self.since.map_or(Duration::ZERO, |since| since.elapsed())
    }

    /// When a moment of the time line comes, if nothing is paused before.
    pub(super) fn when(&self, moment: Duration) -> Instant {
        self.started + self.stood + moment
    }

    pub(super) fn pause(&mut self) {
        self.since.get_or_insert_with(Instant::now);
    }

    pub(super) fn resume(&mut self) {
        self.stood = self.stood();
        self.since = None;
    }
}
