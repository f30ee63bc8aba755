//! Tokens from an endpoint on loopback, which says what a test has it say.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::super::super::fixture::refusing;
use super::*;

type NoTls = fn() -> Result<Arc<ClientConfig>, &'static str>;
const NO_TLS: NoTls = || Err("no TLS here");

fn endpoint(url: &str) -> Endpoint {
    let who = ("me", "hu&sh".to_owned().into());
    Endpoint::new(url, NO_TLS, who, Some("a b%20c")).unwrap()
}

/// Answers one request, and gives it.
async fn answering(answer: String) -> (String, JoinHandle<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/token?x=1", listener.local_addr().unwrap());
    let served = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut asked = vec![0; 4096];
        let mut have = 0;
        while !asked[..have].ends_with(b"b%20c") {
            let got = stream.read(&mut asked[have..]).await.unwrap();
            assert!(got > 0, "cut");
            have += got;
        }
        stream.write_all(answer.as_bytes()).await.unwrap();
        asked.truncate(have);
        String::from_utf8(asked).unwrap()
    });
    (url, served)
}

fn http(status: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
}

async fn fetch(answer: String) -> Result<(SecretString, Duration), Failure> {
    let (url, served) = answering(answer).await;
    let fetched = endpoint(&url).fetch(Duration::from_secs(5)).await;
    served.await.unwrap();
    fetched
}

#[tokio::test]
async fn a_token_is_asked_for_as_the_standard_says() {
    let body = r#"{"access_token":"a.b.c","expires_in":100,"token_type":"Bearer"}"#;
    let (url, served) = answering(http("200 OK", body)).await;
    let (token, life) = endpoint(&url).fetch(Duration::from_secs(5)).await.unwrap();
    assert_eq!(token.expose_secret(), "a.b.c");
    assert_eq!(life, Duration::from_secs(100));
    let asked = served.await.unwrap();
    assert!(asked.starts_with("POST /token?x=1 HTTP/1.1\r\n"), "{asked}");
    let login = STANDARD.encode("me:hu&sh");
    assert!(
        asked.contains(&format!("authorization: Basic {login}\r\n")),
        "{asked}"
    );
    assert!(asked.contains("content-type: application/x-www-form-urlencoded\r\n"));
    assert!(asked.ends_with("\r\n\r\ngrant_type=client_credentials&scope=a+b%20c"));
}

#[tokio::test]
async fn chunks_make_a_token_too() {
    let chunked = "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n\
                   10\r\n{\"access_token\":\r\n6\r\n\"a.b\"}\r\n0\r\n\r\n";
    let (token, life) = fetch(chunked.into()).await.unwrap();
    assert_eq!(token.expose_secret(), "a.b");
    assert_eq!(life, UNKNOWN_LIFE);
}

#[tokio::test]
async fn what_is_no_token_says_why_and_tells_no_secret() {
    for (answer, code, word) in [
        (
            http(
                "401 Unauthorized",
                r#"{"error":"invalid_client","error_description":"hu&sh?"}"#,
            ),
            Code::Authentication,
            "invalid_client: …?",
        ),
        (http("401 Unauthorized", ""), Code::Authentication, "401"),
        (
            http("404 Not Found", "<html>"),
            Code::BrokerTransportFailure,
            "404",
        ),
        (http("302 Found", ""), Code::BrokerTransportFailure, "302"),
        (http("200 OK", "{}"), Code::Authentication, "access_token"),
        (http("200 OK", "[[["), Code::Authentication, "access_token"),
        (
            http("200 OK", r#"{"access_token":""}"#),
            Code::Authentication,
            "access_token",
        ),
        (
            "SSH-2.0-x\r\n".into(),
            Code::BrokerTransportFailure,
            "no HTTP",
        ),
        (String::new(), Code::BrokerTransportFailure, "no HTTP"),
        (
            "HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{".into(),
            Code::BrokerTransportFailure,
            "HTTP",
        ),
    ] {
        let failure = fetch(answer.clone()).await.err().unwrap();
        assert_eq!(failure.code, code, "{answer}: {}", failure.text);
        assert!(failure.text.contains(word), "{answer}: {}", failure.text);
        assert!(
            failure.text.contains("token endpoint on 127.0.0.1"),
            "{}",
            failure.text
        );
        assert!(!failure.text.contains("hu&sh"), "{}", failure.text);
        assert!(failure.hint.is_some());
    }
}

#[tokio::test]
async fn an_answer_without_end_is_cut() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    let endless = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-length: 99999999999\r\n\r\n";
        stream.write_all(head.as_bytes()).await.unwrap();
        let mut sent = 0;
        let piece = vec![b'['; 65_536];
        while stream.write_all(&piece).await.is_ok() {
            sent += piece.len();
        }
        sent
    });
    let failure = endpoint(&url)
        .fetch(Duration::from_secs(5))
        .await
        .err()
        .unwrap();
    assert!(failure.text.contains("access_token"), "{}", failure.text);
    assert!(endless.await.unwrap() < 64 * LARGEST);
}

#[tokio::test]
async fn an_endpoint_that_is_silent_or_gone_is_told() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/", silent.local_addr().unwrap());
    let failure = endpoint(&url)
        .fetch(Duration::from_millis(300))
        .await
        .err()
        .unwrap();
    assert_eq!(failure.code, Code::OperationTimedOut, "{}", failure.text);
    let (_gone, address) = refusing();
    let url = format!("http://{address}/");
    let failure = endpoint(&url)
        .fetch(Duration::from_mins(1))
        .await
        .err()
        .unwrap();
    assert!(
        failure.text.contains("endpoint on 127.0.0.1"),
        "{}",
        failure.text
    );
    assert!(
        failure.text.ends_with("Connection refused"),
        "{}",
        failure.text
    );
    assert_eq!(failure.hint, Some(URL));
}

#[test]
fn a_life_is_as_told_or_as_the_token_says() {
    let exp = |claims: &str| format!("h.{}.s", URL_SAFE_NO_PAD.encode(claims));
    let soon = Timestamp::wall_clock().0 / 1000 + 1000;
    let with_exp = exp(&format!(r#"{{"exp":{soon}}}"#));
    assert_eq!(life(Some(&7.into()), &with_exp), Duration::from_secs(7));
    assert_eq!(life(Some(&"8".into()), ""), Duration::from_secs(8));
    assert!(life(None, &with_exp).abs_diff(Duration::from_secs(1000)) < Duration::from_secs(9));
    assert_eq!(life(Some(&(-5).into()), ""), Duration::ZERO);
    assert_eq!(life(Some(&1e30.into()), ""), LONGEST_LIFE);
    assert_eq!(life(None, &exp(r#"{"exp":-1e300}"#)), Duration::ZERO);
    for none in ["", "a.b", "..", &exp("{}"), &exp("[")] {
        assert_eq!(life(None, none), UNKNOWN_LIFE, "{none}");
    }
}
