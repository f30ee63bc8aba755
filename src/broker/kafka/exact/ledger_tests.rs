//! What the ledger writes it reads, and what it did not write it refuses.

use super::super::terms::Commit;
use super::ledger::Ledger;
use crate::broker::exact::{Job, NOTE_BYTES, Progress, Unit};
use crate::broker::{ErrorKind, Result, Target};
use crate::event::Position;

fn job(units: Vec<Unit>) -> Job {
    Job {
        name: "evtap-1".into(),
        worker: "w".into(),
        target: Target {
            topic: "to".into(),
            overwrite: false,
        },
        units,
        undivided: false,
    }
}

fn unit(home: Option<(&str, u32)>, start: u64, end: u64) -> Unit {
    Unit {
        home: home.map(|(topic, partition)| (topic.into(), partition)),
        start: Position::offset(start),
        end: Position::offset(end),
    }
}

#[expect(
    clippy::unnecessary_wraps,
    reason = "it stands beside units without progress"
)]
fn at(next: u64, note: &str) -> Option<Progress> {
    Some(Progress {
        next: Position::offset(next),
        note: note.into(),
    })
}

fn read(ledger: &Ledger, entries: &[Commit]) -> Result<Vec<Option<Progress>>> {
    ledger.read(entries.iter().map(|e| (&e.place, e.offset, &*e.text)))
}

#[test]
fn units_of_the_same_cluster_stand_at_home() {
    let units = vec![unit(Some(("from", 0)), 5, 9), unit(Some(("from", 3)), 0, 4)];
    let ledger = Ledger::new(&job(units), 12).unwrap();
    let progress = vec![at(7, "n=1,2"), at(4, "")];
    let entries = ledger.entries(&[0, 1], &progress).unwrap();
    assert_eq!(entries[0].place, ("from".into(), 0));
    assert_eq!((entries[0].offset, &*entries[0].text), (7, "evtap1 n=1,2"));
    assert_eq!((entries[1].offset, &*entries[1].text), (4, "evtap1"));
    assert_eq!(read(&ledger, &entries).unwrap(), progress);
    assert_eq!(ledger.left(&progress), [2, 0]);
    assert_eq!(ledger.unfinished(&[0, 1], &progress), [0]);
    let only = ledger.entries(&[1], &progress).unwrap();
    assert_eq!(only, entries[1..]);
}

#[test]
fn other_units_stand_in_columns_of_the_target() {
    let units = (0..5).map(|i| unit(None, i, 100)).collect();
    let ledger = Ledger::new(&job(units), 2).unwrap();
    assert_eq!(ledger.slots(), 2);
    let progress = vec![at(10, "a"), None, at(100, ""), at(5, "x=1,y-2"), None];
    let entries = ledger.entries(&[0, 3], &progress).unwrap();
    assert_eq!(entries[0].place, ("to".into(), 0));
    assert_eq!(entries[0].text, "evtap1 0=10,a 2=100,");
    assert_eq!(entries[0].offset, 10 + 98);
    assert_eq!(entries[1].text, "evtap1 3=5,x=1,y-2");
    assert_eq!(read(&ledger, &entries).unwrap(), progress);
    assert_eq!(ledger.left(&progress), [90 + 96, 99 + 95]);
    assert_eq!(ledger.unfinished(&[0], &progress), [0, 4]);
}

#[test]
fn entries_of_two_numbers_are_kept_whole() {
    let end = Position {
        major: u64::MAX,
        minor: u64::MAX,
    };
    let units = vec![Unit {
        home: None,
        start: Position::ZERO,
        end,
    }];
    let ledger = Ledger::new(&job(units), 1).unwrap();
    let progress = vec![Some(Progress {
        next: Position {
            major: u64::MAX,
            minor: u64::MAX - 1,
        },
        note: "n".repeat(NOTE_BYTES),
    })];
    let entries = ledger.entries(&[0], &progress).unwrap();
    assert_eq!(read(&ledger, &entries).unwrap(), progress);
    assert_eq!(ledger.left(&progress), [1]);
}

#[test]
fn a_target_that_got_more_partitions_loses_no_progress() {
    let units: Vec<Unit> = (0..4).map(|_| unit(None, 0, 100)).collect();
    let before = Ledger::new(&job(units.clone()), 1).unwrap();
    let progress = vec![at(1, ""), at(2, ""), at(3, ""), at(4, "")];
    let mut entries = before.entries(&[0], &progress).unwrap();
    let now = Ledger::new(&job(units), 2).unwrap();
    let later = vec![at(1, ""), at(20, ""), at(3, ""), at(4, "")];
    entries.extend(now.entries(&[1], &later).unwrap());
    assert_eq!(read(&now, &entries).unwrap(), later);
}

#[test]
fn what_somebody_else_committed_is_an_error() {
    let ledger = Ledger::new(&job(vec![unit(None, 0, 9), unit(None, 0, 9)]), 1).unwrap();
    let place = ("to".into(), 0);
    for text in [
        "",
        "evtap2 0=1,",
        "evtap10=1,",
        "evtap1 0=1",
        "evtap1 0=x,",
        "evtap1 2=1,",
        "evtap1 0=+1,",
        "evtap1  0=1,",
        "evtap1 0=1-,",
        "evtap1 0=99999999999999999999,",
        "evtap1 0=1,\u{e9}",
    ] {
        let error = ledger.read([(&place, 1, text)]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Damaged, "{text}");
        assert!(error.message.contains("to/0"), "{error}");
        assert!(error.hint.is_some());
    }
    let home = Ledger::new(&job(vec![unit(Some(("from", 0)), 0, 9)]), 1).unwrap();
    let place = ("from".into(), 0);
    for text in ["", "other", "evtap1 a b"] {
        assert!(home.read([(&place, 1, text)]).is_err(), "{text}");
    }
    // A commit elsewhere is nobody's business.
    let elsewhere = ("x".into(), 0);
    assert!(home.read([(&elsewhere, 1, "other")]).is_ok());
}

#[test]
fn what_does_not_fit_is_refused_before_anything_is_written() {
    let units: Vec<Unit> = (0..200).map(|_| unit(None, 0, 1_000_000)).collect();
    let error = Ledger::new(&job(units.clone()), 1).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    assert!(error.message.contains("200 partitions"), "{error}");
    let ledger = Ledger::new(&job(units), 12).unwrap();
    // The longest that can be is let through then.
    let full = vec![at(1_000_001, &"n".repeat(NOTE_BYTES)); 200];
    for unit in 0..12 {
        let entries = ledger.entries(&[unit], &full).unwrap();
        assert!(entries[0].text.len() <= 4096);
    }
}

#[test]
fn a_note_that_would_break_the_text_is_refused() {
    let ledger = Ledger::new(&job(vec![unit(None, 0, 9)]), 1).unwrap();
    for note in ["a b", "a\n", "\u{e9}", &"n".repeat(NOTE_BYTES + 1)] {
        let error = ledger.entries(&[0], &[at(1, note)]).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Usage);
    }
}
