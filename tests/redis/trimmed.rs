//! Streams that are trimmed while they are read.

use crate::server::Server;
use crate::{Told, block_on, following, numbers, open, sub, take, values};

#[test]
fn entries_trimmed_before_they_were_read_are_told_of() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    server.add("s", 0..10_000);
    let told = Told::default();
    block_on(async {
        let broker = open(&server.url("s"));
        let wanted = evtap::broker::Subscription {
            notices: told.notices(),
            ..sub("s")
        };
        let mut source = broker.source(&wanted).await.unwrap();
        let mut got = take(source.as_mut(), 1).await;
        let _: u64 = server.ask(&["XTRIM", "s", "MAXLEN", "1000"]);
        got.extend(values(source.as_mut()).await);
        assert_eq!(got[got.len() - 1000..], numbers(9000..10_000));
        let missed = 10_000 - got.len();
        assert!(
            missed > 0,
            "the trim came too late for this test to mean something"
        );
        assert!(
            told.all()
                .iter()
                .any(|t| t.contains(&format!("{missed} events of s"))),
            "{missed}: {:?}",
            told.all()
        );
    });
}

#[test]
fn a_trim_that_took_nothing_unread_is_not_told_of() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    server.add("s", 0..5000);
    let told = Told::default();
    block_on(async {
        let broker = open(&server.url("s"));
        let mut source = broker
            .source(&following("s", told.notices()))
            .await
            .unwrap();
        assert_eq!(take(source.as_mut(), 5000).await.len(), 5000);
        let _: u64 = server.ask(&["XTRIM", "s", "MAXLEN", "0"]);
        server.add("s", 5000..5010);
        assert_eq!(take(source.as_mut(), 10).await, numbers(5000..5010));
        let _: u64 = server.ask(&["XTRIM", "s", "MAXLEN", "5"]);
        assert_eq!(
            values(broker.source(&sub("s")).await.unwrap().as_mut())
                .await
                .len(),
            5
        );
    });
    assert_eq!(told.all(), [""; 0]);
}
