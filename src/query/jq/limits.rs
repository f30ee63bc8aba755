//! What one jq run may use: time, stack, memory. A run that asks for more is stopped by ticks in
//! its program and checks in its values. Knows nothing of either: only counts.
//!
//! The counters are the thread's own, for jaq's value operations get no context to carry them.

use std::cell::Cell;
use std::time::{Duration, Instant};

/// Stack that a run may use below its entry. Threads have 2 MiB; the rest is for what recurses
/// without ticks: dropping, comparing and printing values, and those are [`MAX_DEPTH`] deep.
const STACK: usize = 896 * 1024;
/// Levels of nesting in a value that a program builds; what is read has at most half of it.
pub(crate) const MAX_DEPTH: u32 = 1024;
/// Bytes of one value, written out: shared parts count as often as they appear.
pub(crate) const MAX_WEIGHT: u32 = 128 << 20;
/// Bytes of all long strings that one run makes.
const MAX_STRINGS: u64 = 1 << 30;
/// Length of a path, and of a chain of tail calls that pass closures on: jaq drops both recursively.
pub(crate) const MAX_CHAIN: u32 = 4096;
/// Effort between two looks at the clock.
const CLOCK: u32 = 4096;
/// Effort of one tick.
const TICK: u32 = 256;

/// Why a run was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    Time,
    Stack,
    Depth,
    Memory,
}

struct Meter {
    floor: Cell<usize>,
    deadline: Cell<Option<Instant>>,
    effort: Cell<u32>,
    strings: Cell<u64>,
    chain: Cell<u32>,
    stop: Cell<Option<Stop>>,
}

thread_local! {
    static METER: Meter = const {
        Meter {
            floor: Cell::new(0),
            deadline: Cell::new(None),
            effort: Cell::new(0),
            strings: Cell::new(0),
            chain: Cell::new(0),
            stop: Cell::new(None),
        }
    };
}

/// The address of the caller's frame, near enough.
fn stack_address() -> usize {
    let here = 0u8;
    std::hint::black_box(&raw const here).addr()
}

/// A run under way on this thread; its end takes the limits off again.
pub(crate) struct Run(());

impl Run {
    pub(crate) fn start(time: Duration) -> Self {
        METER.with(|m| {
            m.floor.set(stack_address().saturating_sub(STACK));
            m.deadline.set(Instant::now().checked_add(time));
            m.effort.set(0);
            m.strings.set(0);
            m.chain.set(0);
            m.stop.set(None);
        });
        Self(())
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        METER.with(|m| {
            m.floor.set(0);
            m.deadline.set(None);
            m.stop.set(None);
        });
    }
}

/// Runs `f` with the clock held: a slow reader of the outputs is no runaway program.
pub(crate) fn pause<T>(f: impl FnOnce() -> T) -> T {
    let before = Instant::now();
    let result = f();
    METER.with(|m| {
        let later = m
            .deadline
            .get()
            .and_then(|d| d.checked_add(before.elapsed()));
        m.deadline.set(later);
    });
    result
}

pub(crate) fn stopped() -> Option<Stop> {
    METER.with(|m| m.stop.get())
}

/// Stops the run; the first reason stays.
pub(crate) fn stop(why: Stop) {
    METER.with(|m| m.stop.set(m.stop.get().or(Some(why))));
}

/// One step of a program.
pub(crate) fn tick() -> Result<(), Stop> {
    spend(TICK)
}

/// One step of a tail call that passes closures on.
pub(crate) fn chain_tick() -> Result<(), Stop> {
    METER.with(|m| {
        let links = m.chain.get() + 1;
        m.chain.set(links);
        if links > MAX_CHAIN {
            stop(Stop::Stack);
        }
    });
    tick()
}

/// Counts work, and looks at the stack and now and then at the clock.
pub(crate) fn spend(effort: u32) -> Result<(), Stop> {
    METER.with(|m| {
        if stack_address() < m.floor.get() {
            stop(Stop::Stack);
        }
        let spent = m.effort.get().saturating_add(effort);
        if spent < CLOCK {
            m.effort.set(spent);
        } else {
            m.effort.set(0);
            if m.deadline.get().is_some_and(|d| Instant::now() >= d) {
                stop(Stop::Time);
            }
        }
        m.stop.get().map_or(Ok(()), Err)
    })
}

/// Asks for a string of so many bytes before it is made.
pub(crate) fn string(len: usize) -> Result<(), Stop> {
    METER.with(|m| {
        if len > MAX_WEIGHT as usize {
            stop(Stop::Memory);
        } else if len > 1 << 16 {
            m.strings.set(m.strings.get() + len as u64);
            if m.strings.get() > MAX_STRINGS {
                stop(Stop::Memory);
            }
        }
    });
    spend((len / 64) as u32)
}
