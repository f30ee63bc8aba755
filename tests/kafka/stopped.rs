//! `evtap lag` on a group one of whose members is a process that was stopped (SIGSTOP) while it
//! held partitions: before the broker misses it, and after.

use std::fs::File;
use std::path::PathBuf;
use std::process::{Child, Command};
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};

use crate::lag::{PROTOCOLS, SOON, WAIT, lag, member, send, settle, take, words};
use crate::shared::server;
use crate::support::{kafka, producer, with_topic};

/// A member in a process of its own. Killed at the end, stopped or not.
struct Process {
    child: Child,
    /// What it says is in here.
    told: PathBuf,
}

impl Process {
    fn start(python: &str, args: [&str; 4], more: &[&str]) -> Self {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kafka/member.py");
        let told = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(args[1]);
        let child = Command::new(python)
            .arg(script)
            .args(args)
            .args(more)
            .stdout(File::create(&told).unwrap())
            .spawn()
            .unwrap();
        Self { child, told }
    }

    /// Waits until it says this line; `meanwhile` is done over and over.
    fn says(&self, wanted: &str, mut meanwhile: impl FnMut()) {
        let begun = Instant::now();
        loop {
            let told = std::fs::read_to_string(&self.told).unwrap();
            if told.lines().any(|line| line == wanted) {
                return;
            }
            assert!(begun.elapsed() < WAIT, "{wanted} was not said:\n{told}");
            meanwhile();
        }
    }

    /// As a debugger or a laptop that sleeps does it: it keeps what it has, and says nothing.
    fn stop(&self) {
        let id = self.child.id().to_string();
        let done = Command::new("kill").args(["-STOP", &id]).status().unwrap();
        assert!(done.success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // A process that is stopped can be killed all the same.
        drop(self.child.kill());
        drop(self.child.wait());
        drop(std::fs::remove_file(&self.told));
    }
}

const A_WHILE: Duration = Duration::from_millis(50);

/// A group of two members with a partition each: this one, and a process that has just committed
/// and is stopped with two events before it, as many as the other took. Gives its partition, too.
fn half_stopped(
    host: &str,
    python: &str,
    [group, topic, protocol]: [&str; 3],
    more: &[&str],
) -> (BaseConsumer, Process, i32) {
    let one = member(host, protocol, group, topic);
    settle(&one, 2);
    let process = Process::start(python, [host, group, topic, protocol], more);
    settle(&one, 1);
    let its = 1 - one.assignment().unwrap().elements()[0].partition();
    // What it gave up goes to the other only when it has said so.
    process.says(&format!("has {its}"), || drop(one.poll(A_WHILE)));
    let writer = producer(host, &[]);
    for partition in [0, 1] {
        send(&writer, topic, partition, &["{}"]);
    }
    take(&one, 1);
    process.says(&format!("took {its} 0"), || std::thread::sleep(A_WHILE));
    process.stop();
    for partition in [0, 1] {
        send(&writer, topic, partition, &["{}", "{}"]);
    }
    take(&one, 2);
    (one, process, its)
}

#[tokio::test]
async fn a_member_whose_process_is_stopped_is_stuck_as_long_as_the_broker_waits_for_it() {
    let (Some(host), Some(python)) = (kafka(), server("EVTAP_TEST_PYTHON")) else {
        return;
    };
    for protocol in PROTOCOLS {
        let (_, topic) = with_topic(&host, "lag-stopped", 2, &[]).await;
        let group = format!("{topic}-g");
        let names = [&*group, &topic, protocol];
        let (_one, _process, its) = half_stopped(&host, &python, names, &[]);
        std::thread::sleep(Duration::from_secs(2));
        let told = lag(&host, &group, &SOON);
        let mut expected = ["OK", "OK"];
        expected[usize::try_from(its).unwrap()] = "MEMBER_STUCK";
        assert_eq!(words(&told), expected, "{told}");
        assert_eq!(told["verdict"], "MEMBER_STUCK", "{told}");
        assert_eq!(told["state"], "Stable", "{told}");
        let row = &told["partitions"][its.unsigned_abs() as usize];
        assert_eq!((&row["raw"], &row["visible"]), (&2.into(), &2.into()));
        let detail = told["detail"].as_str().unwrap();
        assert!(
            detail.contains(" at 127.0.0.1 has not committed"),
            "{detail}"
        );
    }
}

#[tokio::test]
async fn a_stopped_member_that_the_broker_gave_up_is_no_longer_the_reason() {
    let (Some(host), Some(python)) = (kafka(), server("EVTAP_TEST_PYTHON")) else {
        return;
    };
    let brief = ["session.timeout.ms=3000", "heartbeat.interval.ms=500"];
    let (_, topic) = with_topic(&host, "lag-given-up", 2, &[]).await;
    let [pair, alone] = ["pair", "alone"].map(|name| format!("{topic}-{name}"));
    let names = [&*pair, &topic, "classic"];
    let (one, _process, its) = half_stopped(&host, &python, names, &brief);
    let single = Process::start(&python, [&host, &alone, &topic, "classic"], &brief);
    single.says(&format!("took {its} 2"), || std::thread::sleep(A_WHILE));
    single.stop();
    send(&producer(&host, &[]), &topic, its, &["{}"]);

    // The one that is left does not poll: the broker waits for it to ask again for its share.
    let begun = Instant::now();
    let told = loop {
        let told = lag(&host, &pair, &["--still", "1h"]);
        if told["verdict"] != "OK" || begun.elapsed() > WAIT {
            break told;
        }
    };
    assert_eq!(told["verdict"], "REBALANCING", "{told}");
    // It does so and gets everything, and nothing is wrong any more.
    settle(&one, 2);
    take(&one, 3);
    let told = lag(&host, &pair, &["--still", "1h"]);
    assert_eq!(words(&told), ["OK", "OK"], "{told}");
    assert_eq!(told["members"].as_array().map_or(1, Vec::len), 1, "{told}");

    // Where nobody is left, that is the reason.
    let told = loop {
        let told = lag(&host, &alone, &["--still", "1h"]);
        if told["verdict"] != "OK" || begun.elapsed() > WAIT {
            break told;
        }
    };
    assert_eq!(told["verdict"], "NO_MEMBERS", "{told}");
    assert_eq!(told["state"], "Empty", "{told}");
    assert_eq!(told["partitions"][its.unsigned_abs() as usize]["raw"], 1);
}
