//! Rows whose schemas a registry has: it is never waited for, and what comes late is shown.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::{Duration, Instant};

use crate::schema::sources::{Settings, Sources};
use crate::schema::{Catalog, Decoder, Pins, Schemas};
use crate::tui::connect::Connected;
use crate::tui::fixture::batch_of;
use crate::tui::model::{Model, View};
use crate::tui::msg::{Intake, Msg};
use crate::tui::views::trial::{connected, demo_connection, intake, model, screen, send};

/// Confluent's framing of id 7, and "abc" as Avro writes a string.
const EVENT: &str = "\0\0\0\0\u{7}\u{6}abc";

/// A registry with one schema, which it gives when it is told to.
fn registry(told: Receiver<()>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let serve = move || {
        for mut stream in listener.incoming().flatten() {
            let mut head = String::new();
            let mut lines = BufReader::new(stream.try_clone().unwrap());
            while !head.ends_with("\r\n\r\n") && lines.read_line(&mut head).unwrap() > 0 {}
            let (status, body) = match head.split(' ').nth(1) {
                Some("/schemas/ids/7") => {
                    told.recv().ok();
                    (200, r#"{"schema":"\"string\""}"#)
                }
                _ => (404, r#"{"error_code":40403,"message":"not found"}"#),
            };
            let length = body.len();
            let reply = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
            );
            stream.write_all(reply.as_bytes()).ok();
        }
    };
    std::thread::Builder::new().spawn(serve).unwrap();
    url
}

async fn screen_of(url: &str) -> Model {
    let mut model = model(View::Stream, 1 << 20);
    let sources = Sources::open(url, &Settings::default()).unwrap();
    let schemas = Schemas::new(Catalog::Sources(sources), false);
    let connected = Connected {
        connections: vec![demo_connection()],
        decoder: Decoder::new(Pins::default(), Vec::new(), Some(schemas)),
        sagas: None,
    };
    send(&mut model, Duration::ZERO, Msg::Connected(Ok(connected))).await;
    let batch = batch_of(&[(0, 1, EVENT), (0, 2, EVENT)]);
    intake(&mut model, Intake::Batch(batch)).await;
    model
}

#[tokio::test]
async fn a_registry_is_not_waited_for_and_what_comes_late_is_shown() {
    let (tell, told) = sync_channel(0);
    let mut model = screen_of(&registry(told)).await;
    let text = screen(&mut model, 100, 20);
    assert!(
        text.contains('?') && text.contains("schema 7 is not"),
        "{text}"
    );
    // The tab of the event, too.
    model.stream.focus = crate::tui::model::stream::Focus::Detail;
    let text = screen(&mut model, 100, 20);
    assert!(text.contains("names the schema 7"), "{text}");
    drop(tell);
    let until = Instant::now() + Duration::from_secs(20);
    let mut second = 0;
    loop {
        second += 1;
        send(&mut model, Duration::from_secs(second), Msg::Tick).await;
        model.stream.focus = crate::tui::model::stream::Focus::List;
        let list = screen(&mut model, 100, 20);
        model.stream.focus = crate::tui::model::stream::Focus::Detail;
        let detail = screen(&mut model, 100, 20);
        if list.contains('✓') && list.contains("\"abc\"") && detail.contains("  \"abc\"") {
            return;
        }
        assert!(Instant::now() < until, "{list}\n{detail}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

#[tokio::test]
async fn a_registry_that_fails_is_told_of_in_the_strip_and_the_view() {
    // Nobody listens there.
    let url = "http://127.0.0.1:1";
    let mut model = screen_of(url).await;
    screen(&mut model, 120, 20);
    for second in 1..4 {
        send(&mut model, Duration::from_secs(second), Msg::Tick).await;
    }
    let text = screen(&mut model, 120, 20);
    assert!(text.contains("?  schema 7 is"), "{text}");
    assert!(!text.contains("being fetched"), "{text}");
    assert!(text.contains("✗ schema registry fails"), "{text}");
    model.view = View::Schemas;
    let text = screen(&mut model, 120, 20);
    assert!(
        text.contains(&format!("✗ the schema registry {url}: ")),
        "{text}"
    );
    assert!(text.contains("since 1970-01-01 00:00:00.000"), "{text}");
    // Another source has another decoder, and no registry that could fail.
    send(
        &mut model,
        Duration::from_secs(5),
        connected(vec![demo_connection()]),
    )
    .await;
    send(&mut model, Duration::from_secs(6), Msg::Tick).await;
    let text = screen(&mut model, 120, 20);
    assert!(!text.contains("registry"), "{text}");
}
