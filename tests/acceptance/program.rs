//! Running the program: to its end, or watched while it runs.

use std::fs::{self, File};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use crate::shared;

/// Whatever is waited for comes earlier, on a busy machine too.
pub const PATIENCE: Duration = Duration::from_secs(90);

/// A run that has ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub out: Vec<u8>,
    pub err: String,
    pub took: Duration,
}

impl Ended {
    pub fn lines(&self) -> Vec<&str> {
        std::str::from_utf8(&self.out).unwrap().lines().collect()
    }

    /// Its exit code was this, it did not panic, and it said this.
    #[track_caller]
    pub fn is(self, code: i32, says: &str) -> Self {
        assert_eq!(self.code, Some(code), "it said:\n{}", self.err);
        assert!(self.err.contains(says), "no '{says}' in:\n{}", self.err);
        assert!(!self.err.contains("panicked"), "{}", self.err);
        self
    }
}

/// A run that goes on.
pub struct Running {
    child: Child,
    dir: TempDir,
    started: Instant,
}

impl Running {
    pub fn start(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = |name: &str| File::create(dir.path().join(name)).unwrap();
        Self::spawn(
            shared::evtap()
                .args(args)
                .stdout(file("out"))
                .stderr(file("err")),
            dir,
        )
    }

    /// With a standard output that nobody reads.
    pub fn start_unread(args: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let err = File::create(dir.path().join("err")).unwrap();
        File::create(dir.path().join("out")).unwrap();
        Self::spawn(
            shared::evtap()
                .args(args)
                .stdout(Stdio::piped())
                .stderr(err),
            dir,
        )
    }

    fn spawn(command: &mut Command, dir: TempDir) -> Self {
        Self {
            child: command.spawn().unwrap(),
            dir,
            started: Instant::now(),
        }
    }

    pub fn out(&self) -> Vec<u8> {
        fs::read(self.dir.path().join("out")).unwrap()
    }

    pub fn err(&self) -> String {
        fs::read_to_string(self.dir.path().join("err")).unwrap()
    }

    /// Whole lines on its standard output so far.
    pub fn printed(&self) -> usize {
        String::from_utf8_lossy(&self.out()).matches('\n').count()
    }

    /// Waits until it holds; the run must not end before.
    #[track_caller]
    pub fn until(&mut self, what: &str, mut holds: impl FnMut(&Self) -> bool) {
        let started = Instant::now();
        while !holds(self) {
            let code = self.child.try_wait().unwrap();
            assert!(
                code.is_none(),
                "{what}: it ended, {code:?}:\n{}",
                self.err()
            );
            assert!(started.elapsed() < PATIENCE, "{what}:\n{}", self.err());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub fn signal(&self, name: &str) {
        let done = Command::new("kill")
            .args(["-s", name, &self.child.id().to_string()])
            .status();
        assert!(done.unwrap().success(), "kill -s {name}");
    }

    #[track_caller]
    pub fn end(mut self) -> Ended {
        let asked = Instant::now();
        let code = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break status.code();
            }
            assert!(
                asked.elapsed() < PATIENCE,
                "it does not end:\n{}",
                self.err()
            );
            std::thread::sleep(Duration::from_millis(5));
        };
        Ended {
            code,
            out: self.out(),
            err: self.err(),
            took: self.started.elapsed(),
        }
    }

    /// Sends the signal; it must end soon.
    #[track_caller]
    pub fn end_by(self, name: &str) -> Ended {
        self.signal(name);
        let asked = Instant::now();
        let ended = self.end();
        let took = asked.elapsed();
        assert!(took < Duration::from_secs(10), "SIG{name}: {took:?}");
        ended
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It has ended, or its test has failed.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[track_caller]
pub fn run(args: &[&str]) -> Ended {
    Running::start(args).end()
}

/// A run that must end well.
#[track_caller]
pub fn good(args: &[&str]) -> Ended {
    run(args).is(0, "")
}

/// What another program prints.
#[cfg(feature = "kafka")]
#[track_caller]
pub fn other(command: &mut Command) -> Vec<u8> {
    let done = command.stderr(Stdio::inherit()).output().unwrap();
    assert!(done.status.success(), "{command:?}: {}", done.status);
    done.stdout
}

/// A name that no other test and no earlier run has.
#[cfg(feature = "kafka")]
pub fn unique(name: &str) -> String {
    use std::sync::atomic::{AtomicU32, Ordering};

    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let now = evtap::event::Timestamp::wall_clock().0;
    format!("accept-{name}-{now}-{}-{count}", std::process::id())
}

pub fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}
