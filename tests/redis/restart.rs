//! A server that is killed with `kill -9` and started again while evtap reads and writes.

use std::time::Duration;

use crate::server::Server;
use crate::{Told, block_on, following, numbered, numbers, open, sub, take, target, values};

/// Every write is on the disk before it is acknowledged.
const DURABLE: &[&str] = &["--appendonly", "yes", "--appendfsync", "always"];

#[test]
fn following_goes_on_after_a_restart_and_says_so() {
    let Some(mut server) = Server::start(DURABLE) else {
        return;
    };
    server.add("s", 0..10);
    let told = Told::default();
    block_on(async {
        let broker = open(&server.url("s"));
        let mut source = broker
            .source(&following("s", told.notices()))
            .await
            .unwrap();
        assert_eq!(take(source.as_mut(), 10).await, numbers(0..10));
        for round in 1..=2 {
            let waiting = tokio::time::timeout(Duration::from_millis(300), source.next_batch());
            assert!(waiting.await.is_err(), "there is nothing to read yet");
            server.kill();
            let waiting = tokio::time::timeout(Duration::from_millis(700), source.next_batch());
            assert!(waiting.await.is_err(), "a lost server is waited for");
            server.up();
            let from = round * 10;
            server.add("s", from..from + 10);
            assert_eq!(take(source.as_mut(), 10).await, numbers(from..from + 10));
        }
        let topics = broker.topics(&sub("s").topics).await.unwrap();
        assert_eq!(
            topics[0].partitions[0].events,
            Some(30),
            "questions find the new server too"
        );
    });
    let told = told.all();
    let lost = told
        .iter()
        .filter(|t| t.contains("lost the connection"))
        .count();
    let again = told
        .iter()
        .filter(|t| t.contains("again") && t.contains("connected"))
        .count();
    assert_eq!((lost, again), (2, 2), "{told:?}");
}

#[test]
fn a_stream_that_comes_into_being_under_a_glob_is_followed_too() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    block_on(async {
        let broker = open(&server.url(""));
        let wanted = following("order*", Told::default().notices());
        // Not one stream is there yet.
        let mut source = broker.source(&wanted).await.unwrap();
        server.add("orders", 0..3);
        server.add("payments", 0..3);
        assert_eq!(take(source.as_mut(), 3).await, numbers(0..3));
        server.add("orders", 3..5);
        assert_eq!(take(source.as_mut(), 2).await, numbers(3..5));
        server.add("orders.eu", 5..2000);
        assert_eq!(take(source.as_mut(), 1995).await, numbers(5..2000));
    });
}

#[test]
fn a_frozen_read_goes_on_after_a_restart() {
    let Some(mut server) = Server::start(DURABLE) else {
        return;
    };
    server.add("s", 0..20_000);
    let told = Told::default();
    block_on(async {
        let broker = open(&server.url("s"));
        let wanted = evtap::broker::Subscription {
            notices: told.notices(),
            ..sub("s")
        };
        let mut source = broker.source(&wanted).await.unwrap();
        let mut got = take(source.as_mut(), 1).await;
        server.kill();
        server.up();
        got.extend(values(source.as_mut()).await);
        assert_eq!(got, numbers(0..20_000));
    });
    assert!(
        told.all().iter().any(|t| t.contains("connected to")),
        "{:?}",
        told.all()
    );
}

#[test]
fn a_write_goes_on_after_a_restart_and_writes_nothing_twice() {
    let Some(mut server) = Server::start(DURABLE) else {
        return;
    };
    server.add("s", 0..1);
    block_on(async {
        let broker = open(&server.url("s"));
        let mut sink = broker.sink(&target("s")).await.unwrap();
        let mut next = 1;
        for round in 0..12 {
            for _ in 0..10 {
                sink.send(&numbered(next..next + 700)).await.unwrap();
                next += 700;
            }
            if round % 4 == 3 {
                // While a pipeline is under way.
                server.kill();
                server.up();
            }
        }
        let written = sink.flush().await.unwrap();
        assert_eq!(written.events, 84_000);
        let mut source = broker.source(&sub("s")).await.unwrap();
        assert_eq!(values(source.as_mut()).await, numbers(0..84_001));
    });
}

#[test]
fn a_server_that_forgets_what_it_acknowledged_is_an_error() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    server.add("s", 0..1);
    block_on(async {
        let broker = open(&server.url("s"));
        let mut sink = broker.sink(&target("s")).await.unwrap();
        sink.send(&numbered(0..1000)).await.unwrap();
        sink.flush().await.unwrap();
        server.kill();
        server.up();
        sink.send(&numbered(1000..2000)).await.unwrap();
        let error = sink.flush().await.unwrap_err();
        assert!(error.message.contains("acknowledged"), "{error}");
    });
}

#[test]
fn a_server_that_forgets_a_stream_under_a_reader_is_told_of() {
    let Some(mut server) = Server::start(&[]) else {
        return;
    };
    server.add("s", 0..10);
    let told = Told::default();
    block_on(async {
        let broker = open(&server.url("s"));
        let mut source = broker
            .source(&following("s", told.notices()))
            .await
            .unwrap();
        assert_eq!(take(source.as_mut(), 10).await.len(), 10);
        server.kill();
        server.up();
        let waiting = tokio::time::timeout(Duration::from_secs(3), source.next_batch());
        assert!(waiting.await.is_err());
        server.add("s", 10..12);
        assert_eq!(take(source.as_mut(), 2).await, ["10", "11"]);
    });
    assert!(
        told.all().iter().any(|t| t.contains("is gone")),
        "{:?}",
        told.all()
    );
}
