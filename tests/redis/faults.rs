//! Servers that are not there, do not know us, or hold something else: each its own error, with a
//! hint, soon.

use std::io::Write as _;
use std::net::TcpListener;
use std::process::Command;
use std::time::{Duration, Instant};

use evtap::broker::{Error, ErrorKind, TopicSelector};

use crate::server::{Server, free_port, have};
use crate::{block_on, open, sub, target};

/// The error of looking for a topic; it must come within ten seconds, with a hint.
fn failure(address: &str, topic: &str) -> Error {
    let begun = Instant::now();
    let broker = open(address);
    let error = block_on(async { broker.topics(&TopicSelector::parse(topic).unwrap()).await });
    let error = error.expect_err("the look should fail");
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{error} came after {:?}",
        begun.elapsed()
    );
    assert!(error.hint.is_some(), "{error} has no hint");
    error
}

fn assert_failure(address: &str, topic: &str, kind: ErrorKind, says: &str) {
    let error = failure(address, topic);
    let all = format!("{error} / {}", error.hint.as_deref().unwrap_or_default());
    assert_eq!(error.kind, kind, "{all}");
    assert!(all.contains(says), "'{all}' does not say '{says}'");
    assert!(!all.contains("hush"), "'{all}' tells the password");
}

#[test]
fn nobody_there_is_unreachable() {
    let address = format!("redis://127.0.0.1:{}", free_port());
    assert_failure(&address, "s", ErrorKind::Unreachable, "is the port right");
    let address = format!("rediss://127.0.0.1:{}", free_port());
    assert_failure(&address, "s", ErrorKind::Unreachable, "refused");
    assert_failure(
        "redis://no-such-host.invalid",
        "s",
        ErrorKind::Unreachable,
        "no-such-host",
    );
}

#[test]
fn one_who_never_answers_is_unreachable() {
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("redis://127.0.0.1:{}", silent.local_addr().unwrap().port());
    assert_failure(&address, "s", ErrorKind::Unreachable, "no answer in time");
}

#[test]
fn one_who_speaks_something_else_is_unreachable() {
    let other = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("redis://127.0.0.1:{}", other.local_addr().unwrap().port());
    std::thread::Builder::new()
        .name("not-redis".into())
        .spawn(move || {
            for stream in other.incoming() {
                drop(
                    stream
                        .unwrap()
                        .write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n"),
                );
            }
        })
        .unwrap();
    assert_failure(&address, "s", ErrorKind::Unreachable, "Redis");
}

#[test]
fn logins_and_permissions_are_told_apart() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    server.add("orders", 0..3);
    let place = format!("127.0.0.1:{}", server.port);
    let wrong = format!("redis://:hush@{place}");
    assert_failure(&wrong, "orders", ErrorKind::Authentication, "password");
    let rules = [
        "ACL",
        "SETUSER",
        "reader",
        "on",
        ">hush-hush",
        "~orders*",
        "+xinfo",
        "+scan",
    ];
    let _: String = server.ask(&rules);
    let wrong = format!("redis://reader:hush@{place}");
    assert_failure(&wrong, "orders", ErrorKind::Authentication, "password");
    let right = format!("redis://reader:hush-hush@{place}");
    assert_eq!(
        block_on(open(&right).topics(&TopicSelector::one("orders")))
            .unwrap()
            .len(),
        1
    );
    assert_failure(&right, "payments", ErrorKind::Authorization, "ACL");
    let error = block_on(async {
        let broker = open(&right);
        let mut source = broker.source(&sub("orders")).await?;
        source.next_batch().await
    });
    assert_eq!(
        error.unwrap_err().kind,
        ErrorKind::Authorization,
        "it may not XRANGE"
    );
    let error = block_on(async {
        let broker = open(&right);
        let mut sink = broker.sink(&target("orders")).await?;
        sink.send(&crate::numbered(0..1)).await?;
        sink.flush().await
    });
    assert_eq!(
        error.unwrap_err().kind,
        ErrorKind::Authorization,
        "it may not XADD"
    );
    let _: String = server.ask(&["CONFIG", "SET", "requirepass", "other"]);
    let none = format!("redis://{place}");
    assert_failure(&none, "orders", ErrorKind::Authentication, "wants a login");
}

#[test]
fn keys_and_databases_that_are_not_there_are_told_apart() {
    let Some(server) = Server::start(&[]) else {
        return;
    };
    server.add("orders", 0..3);
    let _: String = server.ask(&["SET", "config", "x"]);
    let url = server.url("");
    assert_failure(
        &url,
        "oders",
        ErrorKind::MissingTopic,
        "did you mean 'orders'?",
    );
    assert_failure(&url, "config", ErrorKind::Usage, "no stream");
    let elsewhere = format!("{url}?db=5");
    assert_failure(&elsewhere, "orders", ErrorKind::MissingTopic, "?db=N");
    assert_failure(&format!("{url}?db=99"), "orders", ErrorKind::Usage, "db");
}

#[test]
fn tls_is_spoken_and_its_troubles_are_named() {
    if !have("openssl", "version") {
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    let made = Command::new("openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=t",
        ])
        .args([
            "-addext",
            "subjectAltName=IP:127.0.0.1",
            "-keyout",
            &path("key.pem"),
        ])
        .args([
            "-addext",
            "basicConstraints=critical,CA:FALSE",
            "-out",
            &path("cert.pem"),
        ])
        .stderr(std::process::Stdio::null())
        .status();
    assert!(made.unwrap().success());
    let tls_port = free_port();
    let Some(server) = Server::start(&[
        "--tls-port",
        &tls_port.to_string(),
        "--tls-cert-file",
        &path("cert.pem"),
        "--tls-key-file",
        &path("key.pem"),
        "--tls-ca-cert-file",
        &path("cert.pem"),
        "--tls-auth-clients",
        "no",
    ]) else {
        return;
    };
    server.add("orders", 0..3);
    let url = format!("rediss://127.0.0.1:{tls_port}");
    let trusted = format!("{url}?tls.ca={}", path("cert.pem"));
    block_on(async {
        let broker = open(&trusted);
        let mut source = broker.source(&sub("orders")).await.unwrap();
        assert_eq!(crate::values(source.as_mut()).await, ["0", "1", "2"]);
    });
    assert_failure(&url, "orders", ErrorKind::Unreachable, "tls.ca");
    let plain = format!("redis://127.0.0.1:{tls_port}");
    assert_failure(&plain, "orders", ErrorKind::Unreachable, "rediss://");
    let plain = format!("rediss://127.0.0.1:{}", server.port);
    assert_failure(&plain, "orders", ErrorKind::Unreachable, "rediss://");
}
