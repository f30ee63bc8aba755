//! Streams that other programs wrote.

use evtap::broker::{Bound, Range, Subscription};
use evtap::event::{Position, TimestampType};

use crate::server::Server;
use crate::{block_on, open, sub, target};

#[test]
fn entries_of_others_are_read_as_json_or_as_value_and_headers() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let mut conn = server.client();
    for fields in [
        &[&b"sensor"[..], b"7", b"temp", b"21.5"][..],
        &[
            b"key",
            b"k",
            b"value",
            b"\xff\x00",
            b"trace",
            b"1",
            b"trace",
            b"2",
        ],
        &[b"a", b"1", b"a", b"\xff"],
    ] {
        redis::cmd("XADD")
            .arg("s")
            .arg("*")
            .arg(fields)
            .exec(&mut conn)
            .unwrap();
    }
    block_on(async {
        let broker = open(&server.url("s"));
        let mut source = broker.source(&sub("s")).await.unwrap();
        let batch = source.next_batch().await.unwrap().unwrap();
        let first = batch.get(0);
        assert_eq!(first.key, None);
        assert_eq!(first.value, Some(&br#"{"sensor":"7","temp":"21.5"}"#[..]));
        assert!(first.headers.is_empty());
        let second = batch.get(1);
        assert_eq!(
            (second.key, second.value),
            (Some(&b"k"[..]), Some(&b"\xff\x00"[..]))
        );
        let headers: Vec<_> = second.headers.iter().collect();
        assert_eq!(
            headers,
            [(&b"trace"[..], Some(&b"1"[..])), (b"trace", Some(b"2"))]
        );
        assert_eq!(
            batch.get(2).value,
            Some(&br#"{"a":["1",{"base64":"/w=="}]}"#[..])
        );
    });
}

#[test]
fn ids_are_positions_and_times_also_where_they_were_chosen_by_hand() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let last = format!("{}-{}", u64::MAX, u64::MAX);
    for id in ["0-1", "5-0", "5-1", "1723717843000-7", &last] {
        let _: String = server.ask(&["XADD", "s", id, "value", id]);
    }
    block_on(async {
        let broker = open(&server.url("s"));
        let read = async |from: Bound, until: Bound| {
            let sub = Subscription {
                range: Range::Bounds { from, until },
                ..sub("s")
            };
            let mut source = broker.source(&sub).await.unwrap();
            crate::values(source.as_mut()).await
        };
        let at = |major, minor| Bound::At(Position { major, minor });
        assert_eq!(read(at(0, 1), at(5, 0)).await, ["0-1"]);
        assert_eq!(read(at(5, 0), at(5, 1)).await, ["5-0"]);
        assert_eq!(read(at(5, 1), at(6, 0)).await, ["5-1"]);
        assert_eq!(read(Bound::Last(2), Bound::End).await[0], "1723717843000-7");
        let mut source = broker.source(&sub("s")).await.unwrap();
        let batch = source.next_batch().await.unwrap().unwrap();
        let fourth = batch.get(3);
        assert_eq!(fourth.timestamp.0, 1_723_717_843_000);
        assert_eq!(fourth.timestamp_type, TimestampType::Append);
        assert_eq!(
            fourth.position,
            Position {
                major: 1_723_717_843_000,
                minor: 7
            }
        );
    });
}

#[test]
fn what_evtap_writes_is_plain_to_others() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    server.add("s", 0..1);
    block_on(async {
        let broker = open(&server.url(""));
        let mut sink = broker.sink(&target("s")).await.unwrap();
        sink.send(&crate::numbered(41..42)).await.unwrap();
        let written = sink.flush().await.unwrap();
        assert_eq!((written.events, written.bytes), (1, 2));
    });
    let entries: Vec<(String, Vec<String>)> =
        server.ask(&["XREVRANGE", "s", "+", "-", "COUNT", "1"]);
    assert_eq!(entries[0].1, ["value", "41"]);
}

#[test]
fn pages_of_several_streams_and_of_large_entries_come_whole() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    server.add("a", 0..5000);
    server.add("b", 5000..5003);
    let large = "x".repeat(300_000);
    for _ in 0..40 {
        let _: String = server.ask(&["XADD", "c", "*", "value", &large]);
    }
    let _: String = server.ask(&["SET", "d", "no stream"]);
    block_on(async {
        let broker = open(&server.url("*"));
        let mut source = broker.source(&sub("*")).await.unwrap();
        let mut counts = std::collections::BTreeMap::new();
        while let Some(batch) = source.next_batch().await.unwrap() {
            assert!(
                batch.bytes() < 2 << 20,
                "{} bytes in one batch",
                batch.bytes()
            );
            for event in batch.iter() {
                *counts.entry(event.stream.topic.to_string()).or_insert(0) += 1;
            }
        }
        let counts: Vec<(&str, i32)> = counts.iter().map(|(k, v)| (k.as_str(), *v)).collect();
        assert_eq!(counts, [("a", 5000), ("b", 3), ("c", 40)]);
    });
}
