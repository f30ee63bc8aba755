//! Standard input, which only a process of its own has: as it comes, and asked about before.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Output, Stdio};

fn start(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_evtap"))
        .args(args)
        .env_remove("EVTAP_CONFIG")
        .env("XDG_CONFIG_HOME", "/nonexistent")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

fn run(args: &[&str], input: &str) -> Output {
    let mut child = start(args);
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(input.as_bytes()).unwrap();
    drop(stdin);
    child.wait_with_output().unwrap()
}

fn values(output: &Output) -> Vec<String> {
    let text = String::from_utf8(output.stdout.clone()).unwrap();
    text.lines().map(str::to_owned).collect()
}

#[test]
fn lines_are_events_of_a_topic_of_their_own() {
    let output = run(
        &["read", "-", "-o", "raw"],
        "{\"a\":1}\n{\"value\":\"two\"}\n3",
    );
    assert_eq!(values(&output), ["{\"a\":1}", "two", "3"]);
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn a_range_is_found_by_keeping_the_input() {
    let output = run(&["read", "-", "-o", "raw", "--last", "2"], "1\n2\n3\n4\n");
    assert_eq!(values(&output), ["3", "4"]);
    let output = run(
        &["read", "-", "-o", "raw", "--from", "1", "--until", "3"],
        "1\n2\n3\n4\n",
    );
    assert_eq!(values(&output), ["2", "3"]);
}

#[test]
fn a_line_that_is_no_event_is_exit_3_after_the_rest() {
    let output = run(&["read", "-", "-o", "raw"], "1\n{oops\n2\n");
    assert_eq!(values(&output), ["1", "2"]);
    assert_eq!(output.status.code(), Some(3));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.contains("line 2"), "{said}");
}

#[test]
fn an_event_is_handed_on_before_the_next_line_comes() {
    for command in ["read", "tail"] {
        let mut child = start(&[command, "-", "-o", "raw"]);
        let mut stdin = child.stdin.take().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        for value in ["first", "second"] {
            writeln!(stdin, "{{\"value\":\"{value}\"}}").unwrap();
            // Hangs when it is held back.
            assert_eq!(lines.next().unwrap().unwrap(), value);
        }
        drop(stdin);
        assert!(lines.next().is_none());
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}
