//! What an input of JSON lines holds of each partition, found by reading it once; and where times
//! and counts begin, by reading it once more.

use std::collections::HashMap;

use super::events::{Events, Step};
use super::input::{Input, Opened};
use crate::broker::capture::range::{self, Held, Wanted};
use crate::broker::{Notices, PartitionRange, Result, Subscription};
use crate::event::{EventRef, Position, Timestamp};

/// Reads everything once. Lines that are no events are told of when they are read for good.
pub(super) fn survey(input: &Input) -> Result<Vec<Held>> {
    let mut held: Vec<Held> = Vec::new();
    each(input, |event| {
        let after = event.position.next(event.stream.style);
        let index = event.stream_index as usize;
        if index == held.len() {
            held.push(Held {
                stream: event.stream.clone(),
                first: event.position,
                end: after,
                events: 0,
                last_time: None,
            });
        }
        let of = &mut held[index];
        of.first = of.first.min(event.position);
        of.end = of.end.max(after);
        of.events += 1;
        of.last_time = of.last_time.max(event.time());
    })?;
    Ok(held)
}

/// Freezes the bounds of a subscription; reads the input once more when it must be looked into.
pub(super) fn resolve(
    input: &Input,
    held: &[Held],
    sub: &Subscription,
) -> Result<Vec<PartitionRange>> {
    let mut wanted = Vec::new();
    range::freeze(held, sub, |stream, what| {
        wanted.push((stream, what));
        Ok(None)
    })?;
    let mut found: HashMap<(usize, Wanted), Position> = HashMap::new();
    if !wanted.is_empty() {
        let mut counts = vec![0; held.len()];
        each(input, |event| {
            let index = event.stream_index as usize;
            let Some(count) = counts.get_mut(index) else {
                return;
            };
            let number = *count;
            *count += 1;
            for (_, what) in wanted.iter().filter(|(stream, _)| *stream == index) {
                let here = match what {
                    Wanted::Nth(nth) => *nth == number,
                    Wanted::Time(time) => event.time().is_some_and(|t| t >= *time),
                };
                if here {
                    found.entry((index, *what)).or_insert(event.position);
                }
            }
        })?;
    }
    range::freeze(held, sub, |stream, what| {
        Ok(found.get(&(stream, what)).copied())
    })
}

/// The greatest timestamp near the end of the input: a recording is in the order of time. Reads all
/// of what has no end to begin at, compressed files and pipes.
pub(super) fn end_time(input: &Input) -> Result<Option<Timestamp>> {
    let mut last = None;
    each_of(input, input.open_tail()?, |event| {
        last = last.max(event.time());
    });
    Ok(last)
}

fn each(input: &Input, work: impl FnMut(&EventRef<'_>)) -> Result<()> {
    each_of(input, input.open(false)?, work);
    Ok(())
}

fn each_of(input: &Input, opened: Opened, mut work: impl FnMut(&EventRef<'_>)) {
    let mut events = Events::new(input, opened, false, usize::MAX, Notices::silent());
    loop {
        match events.step() {
            Step::Event => work(&events.event()),
            Step::Bad => {}
            Step::End => return,
        }
    }
}
