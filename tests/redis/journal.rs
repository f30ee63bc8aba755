//! Replays into a target without transactions: the journal makes a run that was killed, or whose
//! disk was full, go on with nothing lost and nothing twice.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::process::Command;
use std::thread::sleep;
use std::time::Duration;

use crate::program::Desk;
use crate::server::Server;
use crate::{block_on, open, sub};

const PARTITIONS: usize = 300;
const EVENTS: usize = 9_000;

/// The plan of a replay of JSON lines, of many partitions, that takes some seconds.
fn planned(desk: &Desk, to: &str) -> String {
    let mut lines = String::new();
    for n in 0..EVENTS {
        let (partition, offset) = (n % PARTITIONS, n / PARTITIONS);
        writeln!(
            lines,
            r#"{{"topic":"t","partition":{partition},"offset":{offset},"key":"{n}","value":{n}}}"#
        )
        .unwrap();
    }
    let from = desk.path("source.jsonl");
    fs::write(&from, lines).unwrap();
    let from = from.display().to_string();
    desk.plan(&[&from, "--to", to, "--create-topic", "--rate", "3000"])
}

/// How often each event is in the stream, by its place in the source.
fn copies(server: &Server, stream: &str) -> BTreeMap<Vec<u8>, usize> {
    let mut copies = BTreeMap::new();
    block_on(async {
        let broker = open(&server.url(""));
        let mut source = broker.source(&sub(stream)).await.unwrap();
        while let Some(batch) = source.next_batch().await.unwrap() {
            for event in batch.iter() {
                let mut headers = event.headers.iter();
                let (_, place) = headers.find(|(name, _)| *name == b"evtap-source").unwrap();
                *copies.entry(place.unwrap().to_vec()).or_default() += 1;
            }
        }
    });
    copies
}

#[track_caller]
fn is_there_once(server: &Server, stream: &str) {
    let copies = copies(server, stream);
    let twice: Vec<_> = copies.iter().filter(|(_, count)| **count > 1).collect();
    assert!(twice.is_empty(), "{} are there twice", twice.len());
    assert_eq!(copies.len(), EVENTS, "some are lost");
}

#[test]
fn a_run_that_is_killed_goes_on_with_nothing_lost_and_nothing_twice() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let desk = Desk::new();
    let plan = planned(&desk, &server.url("copies"));
    let mut parts = vec![0];
    for pause in [700, 1_300, 400, 900] {
        let run = desk.start("state", &plan);
        sleep(Duration::from_millis(pause));
        assert!(run.kill(), "it was not done yet");
        parts.push(copies(&server, "copies").values().sum());
    }
    assert!(parts.is_sorted(), "{parts:?}");
    let part = parts[parts.len() - 1];
    assert!((1..EVENTS).contains(&part), "{parts:?}");
    let told = desk.apply(&plan);
    assert!(
        told.contains("9,000 selected, 9,000 in the target"),
        "{told}"
    );
    is_there_once(&server, "copies");
    let again = desk.apply(&plan);
    assert!(again.contains("replayed 0 of 0"), "{again}");
    is_there_once(&server, "copies");
}

/// In a name space of its own, so that the file system is gone with it: a run whose disk fills up,
/// then room, then the run again.
const FULL: &str = r#"
mount -t tmpfs -o size=256k tmpfs "$EVTAP_STATE" || exit 77
"$1" apply "$2" --yes 2> "$3/first" & run=$!
sleep 1.5
head -c 1000000 /dev/zero > "$EVTAP_STATE/filler" 2> /dev/null
wait $run; first=$?
rm "$EVTAP_STATE/filler"
"$1" apply "$2" --yes 2> "$3/second"
echo "$first $?"
"#;

/// Where nobody may mount anything (a container without rights) this is skipped, and says so.
#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_is_full_ends_the_run_and_it_goes_on_when_there_is_room() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    let may = ["unshare", "-rm", "sh", "-c", "mount -t tmpfs tmpfs /tmp"];
    let may = Command::new(may[0]).args(&may[1..]).output();
    if !may.is_ok_and(|done| done.status.success()) {
        println!("skipped: unshare -rm may not mount a file system here");
        return;
    }
    let desk = Desk::new();
    let plan = planned(&desk, &server.url("copies"));
    let state = desk.path("small");
    fs::create_dir(&state).unwrap();
    let ran = Command::new("unshare")
        .args(["-rm", "sh", "-c", FULL, "sh", env!("CARGO_BIN_EXE_evtap")])
        .args([plan.as_ref(), desk.path("").as_os_str()])
        .env("EVTAP_STATE", &state)
        .output()
        .unwrap();
    let told = |name: &str| fs::read_to_string(desk.path(name)).unwrap();
    let codes = String::from_utf8(ran.stdout).unwrap();
    let first = told("first");
    assert_eq!(codes.trim(), "6 0", "{first}\n{}", told("second"));
    assert!(first.contains("cannot write the journal"), "{first}");
    assert!(first.contains("No space left"), "{first}");
    assert!(first.contains("evtap apply"), "how to go on: {first}");
    is_there_once(&server, "copies");
}
