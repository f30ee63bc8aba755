//! Ctrl-C: a read sums up and ends with 130; a command that waits for a broker ends at once.

use std::io::Read;
#[cfg(feature = "kafka")]
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::support;

fn interrupt(child: &Child) {
    let killed = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .unwrap();
    assert!(killed.success());
}

/// Waits for the end; gives what was said and how long that took.
fn ended(mut child: Child) -> (Option<i32>, String, Duration) {
    let began = Instant::now();
    let mut said = String::new();
    child
        .stderr
        .take()
        .unwrap()
        .read_to_string(&mut said)
        .unwrap();
    let code = child.wait().unwrap().code();
    (code, said, began.elapsed())
}

#[test]
fn an_interrupted_read_says_how_far_it_came() {
    let mut child = support::evtap()
        .args(["tail", "demo:", "--rate", "max", "-o", "jsonl"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    // It runs, and listens.
    out.read_exact(&mut [0; 1000]).unwrap();
    let drain = std::thread::Builder::new()
        .spawn(move || std::io::copy(&mut out, &mut std::io::sink()).unwrap())
        .unwrap();
    interrupt(&child);
    let (code, said, _) = ended(child);
    drain.join().unwrap();
    assert_eq!(code, Some(130));
    assert!(
        said.starts_with("scanned ") && said.ends_with(" · partial: interrupted\n"),
        "{said}"
    );
}

#[cfg(feature = "redis")]
#[test]
fn a_command_that_waits_for_a_silent_broker_ends_at_once() {
    // It takes the connection and never says a word.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("redis://{}/x", silent.local_addr().unwrap());
    let child = support::evtap()
        .args(["read", &address])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let connection = silent.accept().unwrap();
    interrupt(&child);
    let (code, said, took) = ended(child);
    drop(connection);
    assert_eq!(code, Some(130), "{said}");
    assert_eq!(said, "evtap: interrupted\n");
    assert!(took < Duration::from_secs(8), "{took:?}");
}
