//! The broker is killed and comes back: reads and writes go on by themselves, and say so once.

use std::sync::Mutex;
use std::time::Duration;

use evtap::broker::{Bound, Settings, Sink, Source, Target};
use evtap::event::Batch;

use crate::server::Own;
use crate::support::{
    Owned, all_of, batch, between, open, open_with, owned, produce_at, read, remembering, values,
    with_topic,
};

/// A restart of the broker takes seconds.
const PATIENCE: Duration = Duration::from_mins(1);

fn target(topic: &str) -> Target {
    Target {
        topic: topic.into(),
        overwrite: false,
    }
}

/// A number, and half a kilobyte that does not compress: a compressed log would be fetched whole
/// before it is looked at.
fn value(number: usize) -> String {
    let mut text = format!("{number} ");
    let mut state = number as u64 + 1;
    while text.len() < 500 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text += &state.to_string();
    }
    text
}

/// Events with these numbers.
pub fn numbers(range: std::ops::Range<usize>) -> Batch {
    batch(0, range.map(value))
}

pub fn are_numbers(events: &[Owned], count: usize) {
    assert_eq!(events.len(), count);
    for (i, found) in values(events).iter().enumerate() {
        assert_eq!(*found, value(i));
    }
}

async fn until(source: &mut dyn Source, got: &mut Vec<Owned>, count: usize) {
    let take = async {
        while got.len() < count {
            got.extend(owned(&source.next_batch().await.unwrap().unwrap()));
        }
    };
    tokio::time::timeout(PATIENCE, take).await.expect("events");
}

/// Waits until it was told.
pub async fn hears(told: &Mutex<Vec<String>>, word: &str) {
    let listen = async {
        while !told.lock().unwrap().iter().any(|t| t.contains(word)) {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(PATIENCE, listen)
        .await
        .unwrap_or_else(|_| panic!("'{word}' in {told:?}"));
}

fn once(told: &Mutex<Vec<String>>) {
    let told = told.lock().unwrap();
    assert_eq!(told.len(), 2, "{told:?}");
    assert!(told[0].starts_with("lost the connection"), "{told:?}");
    assert!(told[1].starts_with("connected to"), "{told:?}");
}

pub async fn a_following_read_goes_on_and_says_so(server: &Own) {
    let host = server.plain();
    let (broker, topic) = with_topic(&host, "tail", 1, &[]).await;
    produce_at(&host, &topic, &[1, 2]);
    let (notices, told) = remembering();
    let mut sub = between(&topic, Bound::Start, Bound::End);
    sub.follow = true;
    sub.notices = notices;
    let mut source = broker.source(&sub).await.unwrap();
    let mut got = Vec::new();
    until(&mut *source, &mut got, 2).await;
    server.kill();
    hears(&told, "lost the connection").await;
    server.revive();
    // Nothing has come yet: the silence alone must not keep it from being told.
    hears(&told, "connected to").await;
    produce_at(&host, &topic, &[3, 4, 5]);
    until(&mut *source, &mut got, 5).await;
    assert_eq!(values(&got), ["0", "1", "0", "1", "2"]);
    once(&told);
}

pub async fn a_frozen_read_goes_on(server: &Own) {
    const COUNT: usize = 60_000;
    let host = server.plain();
    let (broker, topic) = with_topic(&host, "scan", 1, &[]).await;
    let mut sink = broker.sink(&target(&topic)).await.unwrap();
    for start in (0..COUNT).step_by(1000) {
        sink.send(&numbers(start..start + 1000)).await.unwrap();
    }
    assert_eq!(sink.flush().await.unwrap().events, COUNT as u64);

    let mut source = broker.source(&all_of(&topic)).await.unwrap();
    let mut got = Vec::new();
    until(&mut *source, &mut got, 1).await;
    // The queue holds a few megabytes; the rest is still on the broker.
    server.kill();
    let (source, mut got) = {
        let more = tokio::spawn(async move {
            until(&mut *source, &mut got, COUNT).await;
            (source, got)
        });
        tokio::time::sleep(Duration::from_secs(2)).await;
        assert!(!more.is_finished(), "the broker was needed");
        server.revive();
        more.await.unwrap()
    };
    let mut source = source;
    assert!(source.next_batch().await.unwrap().is_none(), "complete");
    got.sort_by_key(|e| e.offset);
    are_numbers(&got, COUNT);
}

pub async fn a_write_waits_for_the_broker_and_loses_nothing(server: &Own) {
    const COUNT: usize = 20_000;
    let host = server.plain();
    let (_, topic) = with_topic(&host, "write", 1, &[]).await;
    let (notices, told) = remembering();
    let settings = Settings {
        notices,
        ..Settings::default()
    };
    let broker = open_with(&format!("kafka://{host}"), &settings);
    let mut sink: Box<dyn Sink> = broker.sink(&target(&topic)).await.unwrap();
    sink.send(&numbers(0..COUNT / 2)).await.unwrap();
    server.kill();
    let written = tokio::spawn(async move {
        sink.send(&numbers(COUNT / 2..COUNT)).await.unwrap();
        sink.flush().await.unwrap()
    });
    hears(&told, "lost the connection").await;
    server.revive();
    let written = tokio::time::timeout(PATIENCE, written)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(written.events, COUNT as u64);
    once(&told);
    let fresh = open(&format!("kafka://{host}"));
    are_numbers(&read(&*fresh, &all_of(&topic)).await, COUNT);
}
