//! A web server for tests on a port of its own: it answers as a test says, well or badly, and
//! counts what it is asked.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use super::memory::Clock;

/// A clock that stands until a test moves it.
#[derive(Clone, Default)]
pub(in crate::schema) struct Hands(Arc<AtomicU64>);

impl Hands {
    pub(super) fn clock(&self) -> Clock {
        let (start, seconds) = (Instant::now(), Arc::clone(&self.0));
        Arc::new(move || start + Duration::from_secs(seconds.load(Ordering::Relaxed)))
    }

    pub(in crate::schema) fn advance(&self, time: Duration) {
        self.0.fetch_add(time.as_secs(), Ordering::Relaxed);
    }
}

/// What becomes of a request.
#[derive(Debug, Clone)]
pub(in crate::schema) enum Reply {
    Json(u16, String),
    /// These very bytes, then the connection ends.
    Raw(Vec<u8>),
    Redirect(String),
    /// Nothing, for that long.
    Silence(Duration),
    /// A byte in each of these steps, without end.
    Drip(Duration),
    /// That many bytes of a JSON text.
    Huge(usize),
}

/// Ends with the test: its threads only wait for connections.
pub(in crate::schema) struct Mock {
    pub(in crate::schema) url: String,
    replies: Arc<Mutex<BTreeMap<String, Reply>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Mock {
    pub(in crate::schema) fn start() -> Self {
        Self::on(TcpListener::bind("127.0.0.1:0").unwrap())
    }

    pub(in crate::schema) fn on(listener: TcpListener) -> Self {
        let mock = Self {
            url: format!("http://{}", listener.local_addr().unwrap()),
            replies: Arc::default(),
            asked: Arc::default(),
        };
        let (replies, asked) = (Arc::clone(&mock.replies), Arc::clone(&mock.asked));
        let serve = move || {
            for stream in listener.incoming().flatten() {
                let (replies, asked) = (Arc::clone(&replies), Arc::clone(&asked));
                let one = move || drop(answer(stream, &replies, &asked));
                thread::Builder::new().spawn(one).unwrap();
            }
        };
        thread::Builder::new().spawn(serve).unwrap();
        mock
    }

    pub(in crate::schema) fn set(&self, path: &str, reply: Reply) {
        self.replies.lock().unwrap().insert(path.to_owned(), reply);
    }

    pub(in crate::schema) fn json(&self, path: &str, value: &serde_json::Value) {
        self.set(path, Reply::Json(200, value.to_string()));
    }

    /// `*` answers whatever has no answer of its own.
    pub(in crate::schema) fn always(&self, reply: Reply) {
        self.set("*", reply);
    }

    /// Requests for that path, each with all its header lines.
    pub(in crate::schema) fn requests(&self, path: &str) -> Vec<String> {
        let line = format!("GET {path} ");
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|r| r.starts_with(&line))
            .cloned()
            .collect()
    }

    pub(in crate::schema) fn count(&self, path: &str) -> usize {
        self.requests(path).len()
    }

    pub(in crate::schema) fn total(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

fn answer(
    mut stream: TcpStream,
    replies: &Mutex<BTreeMap<String, Reply>>,
    asked: &Mutex<Vec<String>>,
) -> std::io::Result<()> {
    let mut head = String::new();
    let mut lines = BufReader::new(stream.try_clone()?);
    while !head.ends_with("\r\n\r\n") {
        if lines.read_line(&mut head)? == 0 {
            return Ok(());
        }
    }
    let path = head.split(' ').nth(1).unwrap_or_default().to_owned();
    asked.lock().unwrap().push(head);
    let reply = {
        let replies = replies.lock().unwrap();
        replies.get(&path).or_else(|| replies.get("*")).cloned()
    };
    let not_found = r#"{"error_code":40403,"message":"Schema not found"}"#;
    match reply.unwrap_or(Reply::Json(404, not_found.to_owned())) {
        Reply::Json(status, body) => write!(
            stream,
            "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
            body.len()
        ),
        Reply::Raw(bytes) => stream.write_all(&bytes),
        Reply::Redirect(to) => write!(
            stream,
            "HTTP/1.1 302 X\r\nLocation: {to}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ),
        Reply::Silence(time) => {
            thread::sleep(time);
            Ok(())
        }
        Reply::Drip(step) => {
            stream.write_all(b"HTTP/1.1 200 X\r\nContent-Length: 1000000\r\n\r\n{")?;
            loop {
                stream.write_all(b" ")?;
                thread::sleep(step);
            }
        }
        Reply::Huge(size) => {
            write!(stream, "HTTP/1.1 200 X\r\nContent-Length: {size}\r\n\r\n")?;
            let block = vec![b' '; 1 << 20];
            for _ in 0..size / block.len() {
                stream.write_all(&block)?;
            }
            Ok(())
        }
    }
}
