//! The program run to its end and watched: how long it takes and what memory it needs.

use std::fs::{self, File};
use std::process::Child;
use std::time::{Duration, Instant};

use crate::shared;

/// A program that takes longer hangs.
pub const HANGS: Duration = Duration::from_mins(1);

/// A run that has ended.
#[derive(Debug)]
pub struct Ran {
    /// None: ended by a signal.
    pub code: Option<i32>,
    pub out: String,
    pub err: String,
    pub took: Duration,
    /// The most memory that was in use, in KiB.
    pub resident: u64,
    /// The most address space that was reserved, in KiB: what is allocated and not touched too.
    pub reserved: u64,
}

/// Runs the program with these arguments; fails when it hangs.
#[track_caller]
pub fn run(args: &[&str]) -> Ran {
    let dir = tempfile::tempdir().unwrap();
    let file = |name: &str| File::create(dir.path().join(name)).unwrap();
    let text = |name: &str| {
        let bytes = fs::read(dir.path().join(name)).unwrap();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let mut command = shared::evtap();
    let command = command.args(args).stdout(file("out")).stderr(file("err"));
    let started = Instant::now();
    let mut child = command.spawn().unwrap();
    let (exe, status) = (of(&child, "exe"), of(&child, "status"));
    let program = fs::canonicalize(command.get_program()).unwrap();
    let (mut resident, mut reserved) = (0, 0);
    let code = loop {
        // Both are high-water marks, and stand there as long as the program runs. The parent is let
        // go a moment before the child has a memory of its own: what stands there until then is
        // how much the tests take.
        let begun = fs::read_link(&exe).is_ok_and(|exe| exe == program);
        if let (true, Ok(status)) = (begun, fs::read_to_string(&status)) {
            resident = resident.max(field(&status, "VmHWM:"));
            reserved = reserved.max(field(&status, "VmPeak:"));
        }
        if let Some(ended) = child.try_wait().unwrap() {
            break ended.code();
        }
        if started.elapsed() > HANGS {
            child.kill().unwrap();
            child.wait().unwrap();
            panic!("{args:?} hangs:\n{}", text("err"));
        }
        std::thread::sleep(Duration::from_millis(4));
    };
    Ran {
        code,
        out: text("out"),
        err: text("err"),
        took: started.elapsed(),
        resident,
        reserved,
    }
}

fn of(child: &Child, what: &str) -> String {
    format!("/proc/{}/{what}", child.id())
}

fn field(status: &str, name: &str) -> u64 {
    let line = status.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|line| line.trim().strip_suffix(" kB"))
        .map_or(0, |number| number.trim().parse().unwrap())
}
