//! A `redis-server` of the test's own, that can be killed.

use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use redis::{Connection, FromRedisValue, cmd};

pub(crate) struct Server {
    child: Option<Child>,
    dir: tempfile::TempDir,
    pub(crate) port: u16,
    args: Vec<String>,
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
}

/// Asks a program for its version: is it here?
pub(crate) fn have(program: &str, version: &str) -> bool {
    let here = Command::new(program)
        .arg(version)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !here {
        let told = format!("skipped: there is no {program} (apt-get install redis-server openssl)");
        assert!(std::env::var_os("EVTAP_TEST_REQUIRE").is_none(), "{told}");
        println!("{told}");
    }
    here
}

impl Server {
    /// Starts one that keeps nothing but memory; `None` where there is no such program.
    pub(crate) fn start(args: &[&str]) -> Option<Self> {
        if !have("redis-server", "--version") {
            return None;
        }
        let mut server = Self {
            child: None,
            dir: tempfile::tempdir().unwrap(),
            port: free_port(),
            args: args.iter().map(|&a| a.to_owned()).collect(),
        };
        server.up();
        Some(server)
    }

    pub(crate) fn up(&mut self) {
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--daemonize", "no"])
            .args(["--port", &self.port.to_string(), "--dir"])
            .arg(self.dir.path())
            .args(&self.args)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        self.child = Some(child);
        let begun = Instant::now();
        while self.try_connect().is_none() {
            assert!(
                begun.elapsed() < Duration::from_secs(20),
                "redis-server does not start"
            );
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().unwrap();
            child.wait().unwrap();
        }
    }

    pub(crate) fn url(&self, topic: &str) -> String {
        format!("redis://127.0.0.1:{}/{topic}", self.port)
    }

    fn try_connect(&self) -> Option<Connection> {
        let client = redis::Client::open(self.url("").as_str()).ok()?;
        let mut conn = client.get_connection().ok()?;
        cmd("PING").exec(&mut conn).ok()?;
        Some(conn)
    }

    pub(crate) fn client(&self) -> Connection {
        self.try_connect().unwrap()
    }

    /// One command, as redis-cli takes it.
    pub(crate) fn ask<T: FromRedisValue>(&self, words: &[&str]) -> T {
        let mut question = cmd(words[0]);
        question.arg(&words[1..]);
        question.query(&mut self.client()).unwrap()
    }

    /// Entries with one field `value` that counts.
    pub(crate) fn add(&self, topic: &str, range: std::ops::Range<usize>) {
        let mut pipe = redis::pipe();
        for n in range {
            pipe.cmd("XADD")
                .arg(topic)
                .arg("*")
                .arg("value")
                .arg(n)
                .ignore();
        }
        pipe.exec(&mut self.client()).unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}
