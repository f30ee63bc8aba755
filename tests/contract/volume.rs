//! A hundred thousand events in, and every one of them out again.

use std::time::Instant;

use crate::data::{Event, Got};
use crate::world::World;

const MANY: usize = 100_000;

pub(crate) async fn a_hundred_thousand_events(world: &World) {
    let partitions = world.partitions();
    let events: Vec<Event> = Event::row(MANY)
        .into_iter()
        .enumerate()
        .map(|(i, event)| event.on(i as u32 % partitions).within(&world.caps))
        .collect();
    let begun = Instant::now();
    world.with_events(&events).await;
    let written = begun.elapsed();
    let begun = Instant::now();
    let got = world.read_all().await;
    println!(
        "{}: {MANY} events written in {written:.2?}, read in {:.2?}",
        world.fixture,
        begun.elapsed()
    );
    assert_eq!(got.len(), MANY);
    for partition in 0..partitions {
        let came = got.iter().filter(|g| g.partition == partition);
        let sent = events.iter().filter(|e| e.partition == partition);
        assert!(
            came.map(Got::parts).eq(sent.map(Event::parts)),
            "partition {partition} came back as it was sent"
        );
    }
    let topics = world.broker.topics(&world.sub().topics).await.unwrap();
    let counts: Option<u64> = topics[0].partitions.iter().map(|p| p.events).sum();
    assert!(counts.is_none_or(|n| n == MANY as u64), "{counts:?}");
}
