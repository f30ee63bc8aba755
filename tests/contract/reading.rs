//! A running source: selection, following, dropping, progress.

use std::sync::Arc;
use std::time::Duration;

use evtap::broker::{Bound, ErrorKind, Subscription};
use evtap::event::{EventRef, Scanned, Select, SelectError, SelectWorker, Verdict};

use crate::data::{Event, assert_payloads};
use crate::world::{World, drain, next, take};

/// Keeps the events whose value ends like this; fails on `failing`; gives up on `giving_up`.
struct Ending {
    keep: &'static [u8],
    giving_up: Option<&'static [u8]>,
}

impl Select for Ending {
    fn worker(&self) -> Box<dyn SelectWorker> {
        Box::new(Self { ..*self })
    }
}

impl SelectWorker for Ending {
    fn test(&mut self, event: &EventRef<'_>) -> Result<Verdict, SelectError> {
        let value = event.value.unwrap_or_default();
        if self.giving_up.is_some_and(|end| value.ends_with(end)) {
            return Err(SelectError {
                message: "it does not end".to_owned(),
            });
        }
        Ok(if value.ends_with(self.keep) {
            Verdict::Keep
        } else if value.ends_with(b"9}") {
            Verdict::Failed
        } else {
            Verdict::Drop
        })
    }
}

pub(crate) async fn a_selection_drops_and_counts(world: &World) {
    let events = Event::row(2000);
    world.with_events(&events).await;
    let sub = Subscription {
        select: Arc::new(Ending {
            keep: b"7}",
            giving_up: None,
        }),
        ..world.sub()
    };
    let mut source = world.source(&sub).await;
    let (mut kept, mut scanned) = (Vec::new(), Scanned::default());
    while let Some(batch) = next(source.as_mut()).await {
        scanned += batch.scanned;
        kept.extend(batch.iter().map(|event| crate::data::Got::of(&event)));
    }
    let expected: Vec<Event> = events.iter().skip(7).step_by(10).cloned().collect();
    assert_payloads(&kept, &expected);
    assert_eq!(scanned.events, 2000, "dropped events count as looked at");
    assert_eq!(scanned.failed, 200);
    assert!(scanned.bytes > 2000 * 10, "{scanned:?}");
}

pub(crate) async fn a_selection_that_cannot_go_on_ends_the_read(world: &World) {
    world.with_events(&Event::row(100)).await;
    let sub = Subscription {
        select: Arc::new(Ending {
            keep: b"}",
            giving_up: Some(b":60}"),
        }),
        ..world.sub()
    };
    let mut source = world.source(&sub).await;
    let error = loop {
        match source.next_batch().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("the read went on past the selection's error"),
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind, ErrorKind::Query, "{error}");
}

pub(crate) async fn following_sees_a_later_write(world: &World) {
    if !world.has(world.caps.follow && world.grows, "does not follow") {
        return;
    }
    let events = Event::row(20);
    world.with_events(&events[..5]).await;
    let sub = Subscription {
        follow: true,
        ..world.between(Bound::End, Bound::End)
    };
    let mut tail = world.source(&sub).await;
    let sub = Subscription {
        follow: true,
        ..world.sub()
    };
    let mut whole = world.source(&sub).await;
    world.produce(&events[5..12]).await;
    assert_payloads(&take(tail.as_mut(), 7).await, &events[5..12]);
    assert_payloads(&take(whole.as_mut(), 12).await, &events[..12]);
    // Longer than any poll of an adapter takes.
    tokio::time::sleep(Duration::from_millis(1300)).await;
    world.produce(&events[12..]).await;
    assert_payloads(&take(tail.as_mut(), 8).await, &events[12..]);
    assert_payloads(&take(whole.as_mut(), 8).await, &events[12..]);
    assert_eq!(tail.progress(), None, "there is no end to come near to");
}

pub(crate) async fn a_source_dropped_midway_leaves_nothing_behind(world: &World) {
    let events = Event::row(3000);
    world.with_events(&events).await;
    let mut source = world.source(&world.sub()).await;
    assert!(next(source.as_mut()).await.is_some());
    drop(source);
    // One that never was asked.
    drop(world.source(&world.sub()).await);
    assert_payloads(&world.read_all().await, &events);
}

pub(crate) async fn a_dropped_question_loses_nothing(world: &World) {
    let events = Event::row(3000);
    world.with_events(&events).await;
    let mut source = world.source(&world.sub()).await;
    let mut got = Vec::new();
    loop {
        // Asked and taken back at once, as a timer beside it would.
        let hasty = tokio::time::timeout(Duration::ZERO, source.next_batch()).await;
        let batch = match hasty {
            Ok(batch) => batch.unwrap(),
            Err(_) => next(source.as_mut()).await,
        };
        let Some(batch) = batch else { break };
        got.extend(batch.iter().map(|event| crate::data::Got::of(&event)));
    }
    assert_payloads(&got, &events);
}

pub(crate) async fn progress_reaches_the_whole(world: &World) {
    world.with_events(&Event::row(3000)).await;
    let mut source = world.source(&world.sub()).await;
    // A file is measured by the thread that reads it: known with the first batch.
    assert!(next(source.as_mut()).await.is_some());
    let Some((start, whole)) = source.progress() else {
        println!("does not apply: {} cannot tell its progress", world.fixture);
        return;
    };
    assert!(start <= whole);
    let mut last = start;
    while next(source.as_mut()).await.is_some() {
        let (behind, all) = source.progress().unwrap();
        assert!(
            behind >= last && behind <= all && all == whole,
            "{last} {behind} {all} {whole}"
        );
        last = behind;
    }
    assert_eq!(source.progress(), Some((whole, whole)));
    assert!(
        drain(source.as_mut()).await.is_empty(),
        "after the end there is nothing"
    );
}
