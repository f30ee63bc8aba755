//! Whole logins with a broker that says what a test has it say.

use std::collections::BTreeMap;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::super::settings::Host;
use super::*;
use crate::broker::kafka::properties::Properties;
use crate::broker::{Error, ErrorKind};

/// What is answered to the request for versions: as many as a login needs.
fn versions() -> Vec<u8> {
    let mut body = vec![0, 0, 3];
    for (key, newest) in [(ApiKey::SaslHandshake, 1i16), (ApiKey::SaslAuthenticate, 1)] {
        body.extend((key as i16).to_be_bytes());
        body.extend([0, 0]);
        body.extend(newest.to_be_bytes());
        body.push(0);
    }
    body.extend([0, 0, 0, 0, 0]);
    body
}

fn mechanisms(error: i16, offered: &[&str]) -> Vec<u8> {
    let mut body = error.to_be_bytes().to_vec();
    body.extend((offered.len() as u32).to_be_bytes());
    for name in offered {
        body.extend((name.len() as u16).to_be_bytes());
        body.extend(name.as_bytes());
    }
    body
}

fn said(error: i16, words: &str, bytes: &[u8]) -> Vec<u8> {
    let mut body = error.to_be_bytes().to_vec();
    body.extend((words.len() as u16).to_be_bytes());
    body.extend(words.as_bytes());
    body.extend((bytes.len() as u32).to_be_bytes());
    body.extend(bytes);
    body.extend(60_000i64.to_be_bytes());
    body
}

/// A broker that gives these answers, one after the other, and hangs up. Gives what it was asked.
async fn broker(answers: Vec<Vec<u8>>) -> (Host, JoinHandle<Vec<Vec<u8>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = Host {
        name: "127.0.0.1".into(),
        port: listener.local_addr().unwrap().port(),
    };
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut requests = Vec::new();
        for answer in answers {
            let Ok(length) = stream.read_u32().await else {
                break;
            };
            let mut request = vec![0; length as usize];
            stream.read_exact(&mut request).await.unwrap();
            let mut framed = (answer.len() as u32 + 4).to_be_bytes().to_vec();
            framed.extend_from_slice(&request[4..8]);
            framed.extend(answer);
            stream.write_all(&framed).await.unwrap();
            requests.push(request);
        }
        requests
    });
    (host, served)
}

fn settings(mechanism: &str) -> Settings {
    let mut given = BTreeMap::new();
    for (key, value) in [
        ("security.protocol", "sasl_plaintext"),
        ("sasl.mechanism", mechanism),
        ("sasl.username", "user"),
        ("sasl.password", "hush"),
        ("evtap.sasl.oauthbearer.token", "hu.sh"),
    ] {
        given.insert(key.to_owned(), value.to_owned());
    }
    match Settings::of(&Properties::new("h:1", given).unwrap()).unwrap() {
        Ok(settings) => settings,
        Err(unable) => panic!("{}", unable.0),
    }
}

async fn refused(mechanism: &str, mut answers: Vec<Vec<u8>>) -> Error {
    answers.insert(0, versions());
    let (host, _served) = broker(answers).await;
    let opened = Connection::open(&settings(mechanism), &host).await;
    let error = opened.err().unwrap().into_contact_error("h:1");
    assert!(!error.message.contains("hush"), "{error}");
    error
}

#[tokio::test]
async fn a_login_that_is_taken_tells_how_long_it_lasts() {
    let answers = vec![versions(), mechanisms(0, &["PLAIN"]), said(0, "", b"")];
    let (host, served) = broker(answers).await;
    let settings = settings("PLAIN");
    let mut connection = Connection::open(&settings, &host).await.unwrap();
    assert!(!connection.expires_soon());
    let requests = served.await.unwrap();
    assert!(requests[2].ends_with(b"\0user\0hush"));
    // The broker has hung up: a second login on this connection fails, and does not hang.
    assert!(log_in(&mut connection, &settings).await.is_err());
}

#[tokio::test]
async fn a_mechanism_that_is_not_offered_is_told_with_those_that_are() {
    let error = refused("SCRAM-SHA-512", vec![mechanisms(33, &["PLAIN", "GSSAPI"])]).await;
    assert_eq!(error.kind, ErrorKind::Authentication);
    let message = "the broker does not offer SCRAM-SHA-512, but PLAIN, GSSAPI";
    assert_eq!(error.message, message);
    assert!(error.hint.unwrap().contains("sasl.mechanism"));
    let error = refused("PLAIN", vec![mechanisms(34, &[])]).await;
    assert_eq!(error.kind, ErrorKind::Authentication);
    assert!(error.hint.unwrap().contains("security.protocol"));
}

#[tokio::test]
async fn the_brokers_own_words_are_told() {
    let answers = vec![mechanisms(0, &[]), said(58, "no such user", b"")];
    let error = refused("PLAIN", answers).await;
    assert_eq!(error.kind, ErrorKind::Authentication);
    assert_eq!(error.message, "no such user");
    let told = br#"{"status":"invalid_token"}"#;
    let answers = vec![
        mechanisms(0, &[]),
        said(0, "", told),
        said(58, "refused", b""),
    ];
    let error = refused("OAUTHBEARER", answers).await;
    assert_eq!(error.kind, ErrorKind::Authentication);
    assert_eq!(error.message, "the broker refuses the token: invalid_token");
    assert!(error.hint.unwrap().contains("evtap.sasl.oauthbearer.token"));
}

#[tokio::test]
async fn a_hostile_broker_learns_nothing_and_holds_nobody_up() {
    for challenge in [
        &b"r=theirs,s=QUJD,i=4096"[..],
        b"",
        b"r=",
        b"\xff\xff",
        b"i=999999999",
    ] {
        let answers = vec![mechanisms(0, &[]), said(0, "", challenge)];
        refused("SCRAM-SHA-256", answers).await;
    }
    for mechanism in ["PLAIN", "SCRAM-SHA-256", "OAUTHBEARER"] {
        // Cut, or with lengths that lie.
        for bad in [
            &[][..],
            &[0],
            &[0, 0, 0x7f, 0xff],
            &[0, 0, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff],
        ] {
            refused(mechanism, vec![mechanisms(0, &[]), bad.to_vec()]).await;
            if bad.len() < 2 {
                refused(mechanism, vec![bad.to_vec()]).await;
            }
        }
        let endless = vec![0x00, 0x21, 0x7f, 0xff, 0xff, 0xff, 0, 1, b'X'];
        refused(mechanism, vec![endless]).await;
    }
}
