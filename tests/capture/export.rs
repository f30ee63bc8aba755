//! Events that were picked out of batches, as files.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use evtap::broker::{ErrorKind, Mark, Origin, Result, TopicSelector, Written};
use evtap::event::{Batch, Position, PositionStyle, Timestamp};
use evtap::pipeline::{Export, Pick, export};

use crate::mcap::odd_events;
use crate::support::{Owned, batch, event, events, open, read, record, stream, subscription, wait};

fn write(path: &Path, overwrite: bool, picks: &[Pick], marks: &[Mark]) -> Result<Written> {
    let origin = Origin {
        sources: vec!["demo:".to_owned()],
        adapters: vec!["demo".to_owned()],
        clock: Some(Timestamp(77)),
    };
    let to = Export {
        path,
        overwrite,
        origin: &origin,
        marks,
    };
    wait(export(&to, picks))
}

fn many() -> (Vec<Owned>, Vec<Pick>) {
    let all: Vec<Owned> = (0..5000u64)
        .map(|i| Owned {
            stream: stream("orders", (i % 3) as u32, PositionStyle::Offset),
            ..event(i, 1000 + i.cast_signed(), &format!("{{\"n\":{i}}}"))
        })
        .collect();
    let picks: Vec<Pick> = all
        .chunks(700)
        .map(|part| {
            (
                Arc::new(batch(part)),
                (0..part.len() as u32).filter(|i| i % 5 != 0).collect(),
            )
        })
        .collect();
    let kept = all.chunks(700).flat_map(|part| {
        let kept = part.iter().enumerate().filter(|(i, _)| i % 5 != 0);
        kept.map(|(_, event)| event.clone())
    });
    (kept.collect(), picks)
}

#[test]
fn every_kind_of_file_holds_what_was_picked() {
    let dir = tempfile::tempdir().unwrap();
    let (kept, picks) = many();
    for name in ["a.mcap", "a.jsonl", "a.jsonl.zst"] {
        let path = dir.path().join(name);
        let written = write(&path, false, &picks, &[]).unwrap();
        assert_eq!(written.events, kept.len() as u64, "{name}");
        assert_eq!(events(&path), kept, "{name}");
    }
    let clock = wait(open(&dir.path().join("a.mcap")).clock()).unwrap();
    assert_eq!(clock, Some(Timestamp(77)));
}

#[test]
fn odd_events_are_kept_to_the_byte() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    let odd = odd_events();
    let part = Arc::new(batch(&odd));
    let picks: Vec<Pick> = (0..odd.len() as u32)
        .map(|i| (part.clone(), vec![i]))
        .collect();
    write(&path, false, &picks, &[]).unwrap();
    let mut got = events(&path);
    got.sort_by_key(|e| (e.stream.topic.clone(), e.position));
    let mut expected = odd;
    expected.sort_by_key(|e| (e.stream.topic.clone(), e.position));
    assert_eq!(got, expected);
}

#[test]
fn a_file_that_is_there_is_replaced_only_when_told() {
    let dir = tempfile::tempdir().unwrap();
    let picks: Vec<Pick> = vec![(Arc::new(batch(&[event(5, 1, "new")])), vec![0])];
    for name in ["a.mcap", "a.jsonl"] {
        let path = dir.path().join(name);
        fs::write(&path, "precious").unwrap();
        let error = write(&path, false, &picks, &[]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert_eq!(fs::read(&path).unwrap(), b"precious");
        write(&path, true, &picks, &[]).unwrap();
        assert_eq!(events(&path).len(), 1);
    }
    let unknown = write(&dir.path().join("a.txt"), false, &picks, &[]).unwrap_err();
    assert_eq!(unknown.kind, ErrorKind::Usage);
    assert!(!dir.path().join("a.txt").exists());
}

#[test]
fn an_index_that_leads_nowhere_is_an_error_after_what_came_before() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.mcap");
    let part = Arc::new(batch(&[event(1, 1, "a"), event(2, 2, "b")]));
    let error = write(
        &path,
        false,
        &[(part.clone(), vec![0]), (part, vec![2])],
        &[],
    );
    assert_eq!(error.unwrap_err().kind, ErrorKind::Usage);
    let seen = read(&path);
    assert!(seen.error.is_none());
}

/// What a reader hands on of a file.
fn batches(path: &Path) -> Vec<Arc<Batch>> {
    let sub = subscription(evtap::broker::Bound::Start, evtap::broker::Bound::End);
    wait(async {
        let mut source = open(path).source(&sub).await.unwrap();
        let mut all = Vec::new();
        while let Some(batch) = source.next_batch().await.unwrap() {
            all.push(Arc::new(batch));
        }
        all
    })
}

#[test]
fn events_of_a_capture_go_into_another_in_any_order() {
    let dir = tempfile::tempdir().unwrap();
    let (from, to) = (dir.path().join("a.mcap"), dir.path().join("b.mcap"));
    let (kept, picks) = many();
    let parts: Vec<Batch> = picks
        .iter()
        .map(|(batch_of, _)| batch(&batch_of.iter().map(|e| Owned::of(&e)).collect::<Vec<_>>()))
        .collect();
    record(&from, &parts);
    // Last first: no partition's offsets rise.
    let picks: Vec<Pick> = batches(&from)
        .into_iter()
        .rev()
        .map(|batch| {
            let mut indices: Vec<u32> = (0..batch.len() as u32).step_by(2).collect();
            indices.reverse();
            (batch, indices)
        })
        .collect();
    let picked: usize = picks.iter().map(|(_, indices)| indices.len()).sum();
    assert!(picked > kept.len() / 2);
    assert_eq!(
        write(&to, false, &picks, &[]).unwrap().events,
        picked as u64
    );
    let mut expected: Vec<Owned> = picks
        .iter()
        .flat_map(|(batch, indices)| indices.iter().map(|&i| Owned::of(&batch.get(i as usize))))
        .collect();
    let mut got = events(&to);
    let key = |e: &Owned| (e.stream.partition, e.position);
    got.sort_by_key(key);
    expected.sort_by_key(key);
    assert_eq!(got, expected);
    let topics = wait(open(&to).topics(&TopicSelector::all())).unwrap();
    let counted: u64 = topics[0].partitions.iter().filter_map(|p| p.events).sum();
    assert_eq!(counted, picked as u64);
}

#[test]
fn marks_go_along_into_every_kind_of_file() {
    let dir = tempfile::tempdir().unwrap();
    let (_, picks) = many();
    let marks = [Mark {
        topic: "orders".into(),
        partition: 1,
        style: PositionStyle::Offset,
        position: Position::offset(4),
        letter: Some('x'),
        note: "\u{1b}[2J where it began".to_owned(),
        time: Timestamp(5),
    }];
    for name in ["a.mcap", "a.jsonl"] {
        let path = dir.path().join(name);
        write(&path, false, &picks, &marks).unwrap();
        assert_eq!(wait(open(&path).marks()).unwrap(), marks, "{name}");
        let beside = dir.path().join(format!("{name}.marks.json"));
        assert_eq!(beside.exists(), name == "a.jsonl");
    }
}
