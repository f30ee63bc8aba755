//! What `record` makes of a capture: the record batches themselves where nothing is left out.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use evtap::broker::{Address, Settings, Target, registry};
use evtap::event::codec::BatchHeader;
use evtap::event::{Batch, Compression, PositionStyle, Stream, Visibility};

use super::{evtap, out, raw};

fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

fn broker(path: &str) -> Arc<dyn evtap::broker::Broker> {
    registry::open(&Address::parse(path).unwrap(), &Settings::default()).unwrap()
}

/// A capture of the batches that a real broker compressed.
fn capture(path: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/batches");
    let log = fs::read(folder.join("broker-gzip.log")).unwrap();
    let stream = Stream {
        topic: "orders".into(),
        partition: 0,
        style: PositionStyle::Offset,
    };
    let mut batch = Batch::new([stream].into());
    let mut rest = &log[..];
    while !rest.is_empty() {
        let header = BatchHeader::parse(rest).unwrap();
        let (bytes, after) = rest.split_at(header.size());
        let meta = header.meta(0, Visibility::Visible);
        batch.push_raw(meta, bytes).unwrap();
        rest = after;
    }
    let target = Target {
        topic: "orders".into(),
        overwrite: false,
    };
    wait(async {
        let mut sink = broker(path).sink(&target).await.unwrap();
        sink.send(&batch).await.unwrap();
        sink.finish().await.unwrap();
    });
}

/// How the batches of a capture are compressed.
fn compressions(path: &str) -> Vec<Compression> {
    wait(async {
        let mut found = Vec::new();
        let mut source = broker(path).source(&raw()).await.unwrap();
        while let Some(batch) = source.next_batch().await.unwrap() {
            found.extend(batch.metas().iter().map(|meta| meta.compression));
        }
        found
    })
}

#[test]
fn a_recording_of_everything_keeps_the_batches_as_they_are() {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let from = file("from.mcap");
    capture(&from);
    let events = out(&["read", &from, "-o", "jsonl"]);
    let count = events.lines().count();
    assert!(count > 1);
    for (number, (more, as_they_came)) in [
        (&[][..], true),
        (&["--timeout", "1h"], true),
        (&["-w", "true"], false),
        (&["-n", "1000"], false),
        (&["--last", "1000"], false),
    ]
    .into_iter()
    .enumerate()
    {
        let to = file(&format!("{number}.mcap"));
        let ran = evtap(&[&["record", &from, "--out", &to][..], more].concat());
        assert_eq!(ran.code, Some(0), "{more:?}: {}", ran.err);
        let said = format!("wrote {count} events");
        assert!(ran.err.contains(&said), "{more:?}: {}", ran.err);
        let said = format!("scanned {count} · matched {count} · ");
        assert!(ran.err.contains(&said), "{more:?}: {}", ran.err);
        let all = compressions(&to);
        let kept = all.iter().all(|c| *c == Compression::Gzip);
        assert!(!all.is_empty() && kept == as_they_came, "{more:?}: {all:?}");
        assert_eq!(out(&["read", &to, "-o", "jsonl"]), events, "{more:?}");
    }
    // Two sources are merged by their events, and lines of JSON are made of events.
    let both = file("both.mcap");
    assert_eq!(
        evtap(&["record", &from, &file("0.mcap"), "--out", &both]).code,
        Some(0)
    );
    assert!(!compressions(&both).contains(&Compression::Gzip));
    let lines = file("lines.jsonl");
    assert_eq!(evtap(&["record", &from, "--out", &lines]).code, Some(0));
    assert_eq!(fs::read_to_string(lines).unwrap().lines().count(), count);
}
