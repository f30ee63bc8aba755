//! Order within a partition, and which partition an event goes to.

use std::collections::HashMap;

use crate::data::{Event, Got, assert_payloads};
use crate::world::World;

pub(crate) async fn order_is_kept_in_each_partition(world: &World) {
    let partitions = world.partitions();
    let events: Vec<Event> = Event::row(5000)
        .into_iter()
        .enumerate()
        .map(|(i, event)| event.on(i as u32 % partitions).within(&world.caps))
        .collect();
    world.with_events(&events).await;
    let got = world.read_all().await;
    for partition in 0..partitions {
        let came: Vec<&Got> = got.iter().filter(|g| g.partition == partition).collect();
        let sent: Vec<Event> = events
            .iter()
            .filter(|e| e.partition == partition)
            .cloned()
            .collect();
        assert_payloads(came.iter().copied(), &sent);
        if world.caps.positions.is_some() {
            assert!(
                came.is_sorted_by(|a, b| a.position < b.position),
                "positions go up"
            );
        }
    }
    assert_eq!(got.len(), events.len());
    assert!(
        got.iter().all(|g| g.topic == world.topic),
        "events know their topic"
    );
}

pub(crate) async fn any_partition_takes_events_of_one_key_together(world: &World) {
    let events: Vec<Event> = Event::row(60)
        .into_iter()
        .enumerate()
        .map(|(i, event)| Event {
            key: Some(format!("key-{}", i % 6).into_bytes()),
            ..event.anywhere()
        })
        .map(|event| event.within(&world.caps))
        .collect();
    world.with_events(&events).await;
    let got = world.read_all().await;
    assert_eq!(got.len(), events.len());
    if !world.has(world.caps.keys, "has no keys") {
        return;
    }
    let mut homes = HashMap::new();
    for event in &got {
        let home = homes.entry(event.key.clone()).or_insert(event.partition);
        assert_eq!(*home, event.partition, "one key, one partition");
        assert!(event.partition < world.partitions());
    }
    assert_eq!(homes.len(), 6);
}
