//! The progress bar on standard error: events, rate, share of the range, time left. Only on a
//! terminal, and only where no events are printed to the same one.

use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::session::Session;
use crate::broker::Result;
use crate::event::Scanned;
use crate::pipeline::{Consumer, Outcome, Reading, Ticker};
use crate::text::human;

/// A bar, or nothing at all.
pub struct Progress {
    bar: Option<ProgressBar>,
    started: Instant,
}

/// Before this a bar only flickers.
const SHOW_AFTER: Duration = Duration::from_millis(300);

impl Progress {
    /// `prints_events` says that the run writes events to standard output.
    pub fn new(session: &Session, prints_events: bool) -> Self {
        let clash = prints_events && session.stdout_is_terminal;
        let wanted = session.stderr_is_terminal && !clash && !session.global.quiet;
        Self {
            bar: wanted.then(|| draw(session.ascii())),
            started: Instant::now(),
        }
    }

    /// How many events a replay has sent, of how many if that is known. What it has read says
    /// little: at a slow pace the next hour's events are read in one go.
    pub fn sent(&mut self, sent: u64, all: Option<u64>) {
        if let Some(elapsed) = self.shown_since() {
            let message = format!("{} sent, {}/s", human::count(sent), rate(sent, elapsed));
            self.show(message, elapsed, all.map(|all| (sent, all)));
        }
    }

    /// Runs a read until it ends, or is asked to stop, and takes the bar off the screen.
    pub async fn read(
        mut self,
        session: &Session,
        reading: &Reading,
        consumer: &mut dyn Consumer,
    ) -> Result<Outcome> {
        let outcome = reading
            .run(&|| session.minded_stop(), consumer, &mut self)
            .await;
        self.clear();
        outcome
    }

    /// Takes the bar off the screen, for a line or for good.
    pub fn clear(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

fn draw(ascii: bool) -> ProgressBar {
    let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr_with_hz(10));
    // The template is a constant: it parses, or the default style serves.
    if let Ok(style) = ProgressStyle::with_template("{wide_bar} {msg}") {
        bar.set_style(style.progress_chars(if ascii { "=> " } else { "━╸ " }));
    }
    bar
}

impl Progress {
    /// How long it runs; `None` while there is nothing to draw.
    fn shown_since(&self) -> Option<Duration> {
        let elapsed = self.started.elapsed();
        (self.bar.is_some() && elapsed >= SHOW_AFTER).then_some(elapsed)
    }

    fn show(&self, mut message: String, elapsed: Duration, progress: Option<(u64, u64)>) {
        let Some(bar) = &self.bar else { return };
        if let Some((done, all)) = progress
            && all > 0
        {
            bar.set_length(all);
            bar.set_position(done.min(all));
            #[expect(clippy::cast_precision_loss, reason = "a share for the eye")]
            let share = done.min(all) as f64 / all as f64;
            if share > 0.0 && share < 1.0 {
                let seconds = elapsed.as_secs_f64();
                let left = Duration::from_secs_f64((seconds / share - seconds).max(0.0));
                message = format!(
                    "{message}, {:.0} %, {} left",
                    share * 100.0,
                    human::duration(left)
                );
            }
        }
        bar.set_message(message);
    }
}

fn rate(events: u64, elapsed: Duration) -> String {
    #[expect(clippy::cast_precision_loss, reason = "a rate for the eye")]
    #[expect(clippy::cast_sign_loss, reason = "both are positive")]
    let rate = (events as f64 / elapsed.as_secs_f64()) as u64;
    human::count(rate)
}

impl Ticker for Progress {
    fn tick(&mut self, scanned: Scanned, matched: u64, progress: Option<(u64, u64)>) {
        if let Some(elapsed) = self.shown_since() {
            let message = format!(
                "{} events, {} matched, {}/s",
                human::count(scanned.events),
                human::count(matched),
                rate(scanned.events, elapsed)
            );
            self.show(message, elapsed, progress);
        }
    }
}
