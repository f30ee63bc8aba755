//! What goes into the next batch for the target: events as far as they are due, and as the guards
//! allow. Waiting and sending are the run's.

use std::time::Duration;

use super::{Outlet, Runner};
use crate::broker::{Error, Result};
use crate::event::{Batch, EventRef, Timestamp};
use crate::replay::provenance::Prior;
use crate::replay::{Pace, Pacer, guard};
use crate::text::human;

#[derive(Clone, Copy)]
pub(super) struct Held {
    pub(super) prior: Prior,
    pub(super) time: Option<Timestamp>,
    pub(super) due: Duration,
    /// To tell its moment anew when the pace changes.
    pub(super) before: Pacer,
}

/// Why the filling of a batch for the sink paused.
pub(super) enum Step {
    Full,
    Wait(Duration),
    Done,
    Stop(Error),
}

impl Runner {
    /// Copies events as far as they are due.
    pub(super) fn fill(&mut self, batch: &Batch, next: &mut usize) -> Result<Step> {
        let mut now = self.now();
        if let Some(stop) = self.out_of_time(now) {
            return Ok(Step::Stop(stop));
        }
        // At full speed nothing has a moment to be late for.
        let timed = self.pacer.pace() != Pace::Max;
        while *next < batch.len() {
            let event = batch.get(*next);
            let Some(held) = self.next_due(&event) else {
                self.pass(&event);
                *next += 1;
                continue;
            };
            if let Some(stop) = self.full_up() {
                return Ok(Step::Stop(stop));
            }
            if held.due > now {
                now = self.now();
                if held.due > now {
                    self.held = Some(held);
                    let stop = self.out_of_time(held.due);
                    return Ok(stop.map_or(Step::Wait(held.due), Step::Stop));
                }
            }
            if timed {
                self.late = self.late.max(now.saturating_sub(held.due));
            }
            self.transform.copy(&event, held.prior, &mut self.out)?;
            self.pass(&event);
            *next += 1;
            if self.out.is_full() {
                return Ok(Step::Full);
            }
        }
        Ok(Step::Done)
    }

    /// The event's moment; `None` when it is not copied.
    fn next_due(&mut self, event: &EventRef<'_>) -> Option<Held> {
        if let Some(held) = self.held.take() {
            return Some(held);
        }
        let prior = self.transform.judge(event)?;
        let before = self.pacer;
        let time = event.time();
        let due = self.pacer.next(time);
        Some(Held {
            prior,
            time,
            due,
            before,
        })
    }

    fn full_up(&self) -> Option<Error> {
        let most = self.guards.max_events?;
        let (copied, sent) = self.already;
        let written = copied + self.sent.saturating_sub(sent) + self.out.len() as u64;
        (written >= most).then(|| {
            let what = format!("{} events are written, and more follow", human::count(most));
            guard::too_many(&what)
        })
    }

    fn out_of_time(&self, at: Duration) -> Option<Error> {
        let most = self.guards.max_duration?;
        (at > most).then(|| {
            let what = format!("{} are over, and more follows", human::duration(most));
            guard::too_long(&what)
        })
    }

    /// The event is dealt with, as far as progress goes: it is committed after it was sent.
    fn pass(&mut self, event: &EventRef<'_>) {
        if let Outlet::Exact(exact) = &mut self.outlet {
            let row = self.transform.row(event);
            exact
                .ledger
                .pass(row, event.position, &self.transform.tally);
        }
    }
}
