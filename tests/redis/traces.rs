//! Looking leaves no trace: the server's own accounts are the witness.

use std::collections::BTreeMap;

use redis::Value;

use crate::server::Server;
use crate::{Told, block_on, following, open, sub, take, values};

/// All that the server tells of the stream: entries, ids, groups, consumers, pending entries.
fn account(server: &Server, topic: &str) -> Vec<Value> {
    let mut all: Vec<Value> = vec![server.ask(&["XINFO", "STREAM", topic, "FULL", "COUNT", "0"])];
    all.push(server.ask(&["XINFO", "GROUPS", topic]));
    all.push(server.ask(&["XPENDING", topic, "workers"]));
    all.push(server.ask(&["DBSIZE"]));
    all
}

/// How often each command ran, by `INFO commandstats`.
fn commands(server: &Server) -> BTreeMap<String, u64> {
    let info: String = server.ask(&["INFO", "commandstats"]);
    info.lines()
        .filter_map(|line| {
            let (name, rest) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
            Some((name.to_owned(), rest.split(',').next()?.parse().ok()?))
        })
        .collect()
}

#[test]
fn reading_following_and_listing_change_nothing_on_the_server() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    server.add("s", 0..3000);
    let _: String = server.ask(&["XGROUP", "CREATE", "s", "workers", "0"]);
    let read = [
        "XREADGROUP",
        "GROUP",
        "workers",
        "w1",
        "COUNT",
        "7",
        "STREAMS",
        "s",
        ">",
    ];
    let _: Value = server.ask(&read);
    let before = account(&server, "s");
    let _: String = server.ask(&["CONFIG", "RESETSTAT"]);
    block_on(async {
        let broker = open(&server.url(""));
        let mut source = broker.source(&sub("s")).await.unwrap();
        assert_eq!(values(source.as_mut()).await.len(), 3000);
        let told = Told::default();
        let mut tail = broker
            .source(&following("*", told.notices()))
            .await
            .unwrap();
        assert_eq!(take(tail.as_mut(), 3000).await.len(), 3000);
        assert_eq!(broker.topics(&sub("").topics).await.unwrap().len(), 1);
        assert!(broker.topics(&sub("x").topics).await.is_err());
        let groups = broker.groups().await.unwrap();
        assert_eq!(groups.len(), 1);
        assert_eq!(
            (groups[0].name.as_str(), groups[0].kind.as_str()),
            ("workers", "stream")
        );
        assert_eq!(groups[0].members.len(), 1);
        assert_eq!(groups[0].members[0].id, "w1");
        let row = &groups[0].offsets[0];
        assert_eq!((row.raw_lag, row.pending), (Some(2993), Some(7)));
        assert_eq!(row.member.as_deref(), Some("w1"));
    });
    let ran = commands(&server);
    assert_eq!(account(&server, "s"), before);
    let harmless = [
        "xrange",
        "xread",
        "xinfo|stream",
        "xinfo|groups",
        "xinfo|consumers",
        "scan",
        "ping",
        // The test's own.
        "client|setinfo",
        "config|resetstat",
        "info",
    ];
    for command in ran.keys() {
        assert!(harmless.contains(&command.as_str()), "{command} in {ran:?}");
    }
    assert!(
        ran.contains_key("xrange") && ran.contains_key("xread"),
        "{ran:?}"
    );
}

#[test]
fn a_group_that_the_server_cannot_count_has_no_lag() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    for id in ["1-1", "2-1", "3-1", "4-1"] {
        let _: String = server.ask(&["XADD", "s", id, "value", "x"]);
    }
    let _: u64 = server.ask(&["XDEL", "s", "3-1"]);
    // In the middle, with a hole behind it: Redis does not guess.
    let _: String = server.ask(&["XGROUP", "CREATE", "s", "g", "2-1"]);
    block_on(async {
        let groups = open(&server.url("")).groups().await.unwrap();
        assert_eq!(groups[0].offsets[0].raw_lag, None);
        assert_eq!(groups[0].state, "empty");
        assert_eq!(groups[0].offsets[0].pending, Some(0));
    });
}

#[test]
fn creating_a_stream_leaves_an_empty_one_without_a_group() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    block_on(async {
        let broker = open(&server.url(""));
        let topic = evtap::broker::NewTopic {
            name: "new".into(),
            partitions: 6,
            config: Vec::new(),
        };
        broker.create_topic(&topic).await.unwrap();
        assert!(broker.sink(&crate::target("new")).await.is_ok());
    });
    let groups: Vec<Value> = server.ask(&["XINFO", "GROUPS", "new"]);
    assert_eq!(groups, []);
    assert_eq!(server.ask::<u64>(&["XLEN", "new"]), 0);
}
