//! From Redis to Kafka, and from a capture to Redis: nothing is lost and nothing is changed.

use redis::{Client, Connection, cmd};

use crate::events::{Content, by_partition, printed};
use crate::program::{good, text, unique};
use crate::shared::server;

const COUNT: u64 = 100_000;
const FIRST: u64 = 1_700_000_000_000;

/// As Redis gives it.
type Entry = Vec<(String, Vec<u8>)>;

type Fields = Vec<(&'static str, Vec<u8>)>;

/// Three entries in a millisecond.
fn id(n: u64) -> (u64, u64) {
    (FIRST + n / 3, n % 3)
}

/// The nth entry: with and without a key, with headers, empty, and not text.
fn fields(n: u64) -> Fields {
    let mut fields: Fields = Vec::new();
    if !n.is_multiple_of(5) {
        fields.push(("key", format!("order-{}", n % 1000).into_bytes()));
    }
    let value = match n % 7 {
        0 => Vec::new(),
        1 => (0..n % 200).map(|i| (i * n) as u8).collect(),
        _ => format!(r#"{{"eventId":"ev-{n}","amount":{}.50}}"#, n % 900).into_bytes(),
    };
    fields.push(("value", value));
    if n.is_multiple_of(2) {
        fields.push(("trace", format!("{n:032x}").into_bytes()));
    }
    if n.is_multiple_of(11) {
        fields.push(("same", b"1".to_vec()));
        fields.push(("same", vec![0xff, 0x00]));
    }
    fields
}

/// The same as an event.
fn content(n: u64) -> Content {
    let mut content = Content {
        timestamp: Some(id(n).0.cast_signed()),
        key: None,
        value: None,
        headers: Vec::new(),
    };
    for (name, bytes) in fields(n) {
        match name {
            "key" => content.key = Some(bytes),
            "value" => content.value = Some(bytes),
            name => match content.headers.iter_mut().find(|(known, _)| known == name) {
                Some((_, all)) => all.push(Some(bytes)),
                None => content.headers.push((name.to_owned(), vec![Some(bytes)])),
            },
        }
    }
    content
}

fn fill(connection: &mut Connection, stream: &str) {
    for start in (0..COUNT).step_by(2000) {
        let mut pipe = redis::pipe();
        for n in start..(start + 2000).min(COUNT) {
            let (ms, sequence) = id(n);
            let add = pipe.cmd("XADD").arg(stream).arg(format!("{ms}-{sequence}"));
            for (name, bytes) in fields(n) {
                add.arg(name).arg(bytes);
            }
            add.ignore();
        }
        pipe.exec(connection).unwrap();
    }
}

/// All entries of the stream, as Redis itself gives them.
fn entries(connection: &mut Connection, stream: &str) -> Vec<Entry> {
    let mut all = Vec::new();
    let mut from = "-".to_owned();
    loop {
        let page: Vec<(String, Entry)> = cmd("XRANGE")
            .arg(&[stream, &from, "+", "COUNT", "5000"])
            .query(connection)
            .unwrap();
        let Some((last, _)) = page.last() else {
            return all;
        };
        from = format!("({last}");
        all.extend(page.into_iter().map(|(_, fields)| fields));
    }
}

#[test]
fn redis_into_kafka_and_a_capture_into_redis() {
    let (Some(kafka), Some(url)) = (server("EVTAP_TEST_KAFKA"), server("EVTAP_TEST_REDIS")) else {
        return;
    };
    let mut connection = Client::open(url.as_str())
        .unwrap()
        .get_connection()
        .unwrap();
    let (stream, back) = (unique("stream"), unique("back"));
    fill(&mut connection, &stream);
    let topic = format!("kafka://{kafka}/{}", unique("from-redis"));
    let how = ["--no-provenance", "--timestamps", "keep", "--yes"];

    let source = format!("{url}/{stream}");
    let replay = ["replay", &source, "--to", &topic, "--create-topic"];
    good(&[&replay[..], &how[..]].concat()).is(0, "verified: good");
    arrived(&topic);

    let dir = tempfile::tempdir().unwrap();
    let capture = dir.path().join("all.mcap");
    good(&["record", &topic, "--out", text(&capture)]).is(0, "wrote 100,000 events");
    let target = format!("{url}/{back}");
    let replay = ["replay", text(&capture), "--to", &target, "--create-topic"];
    good(&[&replay[..], &["--no-provenance", "--yes"]].concat()).is(0, "verified: good");
    let got = entries(&mut connection, &back);
    assert_eq!(got.len() as u64, COUNT);
    for (n, got) in (0..).zip(got) {
        let got: Vec<(&str, Vec<u8>)> = got.iter().map(|(k, v)| (k.as_str(), v.clone())).collect();
        assert_eq!(got, fields(n), "entry {n}");
    }
    let delete = cmd("DEL").arg(&[&stream, &back]).exec(&mut connection);
    delete.unwrap();
}

/// The topic holds what the stream was filled with.
fn arrived(topic: &str) {
    let exact = ["-o", "jsonl", "--decode", "key=binary,value=binary"];
    let read = good(&[&["read", topic], &exact[..]].concat()).is(0, "complete");
    let got = by_partition(read.lines().into_iter().map(printed));
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].len() as u64, COUNT);
    for (n, event) in (0..).zip(&got[0]) {
        assert_eq!(event.content, content(n), "entry {n}");
    }
}
