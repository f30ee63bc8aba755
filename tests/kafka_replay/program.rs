//! The program as a person or a script runs it: plans, runs that end, runs that are killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::shared;

/// Not every test uses all of this; constants without a name do.
const _: fn(&Desk, &[&str]) -> String = Desk::plan;
const _: fn(&Desk, &str, [&str; 2], &[&str]) -> String = Desk::plan_copy;
const _: fn(&Desk, &str) -> String = Desk::apply;
const _: fn(&Desk, &str, &str) -> Running = Desk::start;
const _: fn(Running) -> bool = Running::kill;
const _: fn(Running, Duration) -> Ended = Running::end;
const _: fn(&Running, &str) = Running::signal;
const _: fn(&mut Running) -> bool = Running::is_over;
const _: fn(&str, u64) -> u64 = asked;

/// A folder for the plan and for what the program keeps of its runs.
pub struct Desk {
    dir: tempfile::TempDir,
}

/// How a run ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub told: String,
}

impl Desk {
    pub fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn command(&self, state: &str, args: &[&str]) -> Command {
        let mut command = shared::evtap();
        command.args(args).env("EVTAP_STATE", self.path(state));
        // What is rejected is written where the program runs.
        command.current_dir(self.dir.path());
        command
    }

    pub fn run(&self, args: &[&str]) -> Ended {
        let mut child = self.start_with("state", args);
        let status = child.wait().unwrap();
        ended(&self.path("told-state"), status)
    }

    /// Writes the plan of a replay.
    #[track_caller]
    pub fn plan(&self, args: &[&str]) -> String {
        let file = self.path("plan.toml").display().to_string();
        let ended = self.run(&[&["replay"], args, &["--plan-out", &file]].concat());
        assert_eq!(ended.code, Some(0), "{}", ended.told);
        file
    }

    /// Writes the plan of a replay from one topic of these hosts to another.
    #[track_caller]
    pub fn plan_copy(&self, hosts: &str, [source, target]: [&str; 2], more: &[&str]) -> String {
        let from = format!("kafka://{hosts}/{source}");
        let to = format!("kafka://{hosts}/{target}");
        self.plan(&[&[from.as_str(), "--to", &to], more].concat())
    }

    /// Runs a plan to its end, which must be good.
    #[track_caller]
    pub fn apply(&self, plan: &str) -> String {
        let ended = self.run(&["apply", plan, "--yes"]);
        assert_eq!(ended.code, Some(0), "{}", ended.told);
        ended.told
    }

    /// Begins to run it, as another host if `state` is another folder.
    pub fn start(&self, state: &str, plan: &str) -> Running {
        self.begin(state, &["apply", plan, "--yes"])
    }

    /// Begins any command.
    pub fn begin(&self, state: &str, args: &[&str]) -> Running {
        let child = self.start_with(state, args);
        Running {
            child,
            told: self.path(&format!("told-{state}")),
        }
    }

    fn start_with(&self, state: &str, args: &[&str]) -> Child {
        let told = fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.path(&format!("told-{state}")))
            .unwrap();
        let mut command = self.command(state, args);
        command.stdout(Stdio::null()).stderr(told);
        command.spawn().unwrap()
    }
}

/// A run under way; killed when it is dropped.
pub struct Running {
    child: Child,
    told: PathBuf,
}

impl Running {
    /// `kill -9`. False when it had ended by itself.
    pub fn kill(mut self) -> bool {
        let still = self.child.try_wait().unwrap().is_none();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        still
    }

    /// Another signal, such as `TERM`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        let sent = Command::new("kill").args(["-s", name, &id]).status();
        assert!(sent.unwrap().success());
    }

    pub fn is_over(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits for its end.
    #[track_caller]
    pub fn end(mut self, within: Duration) -> Ended {
        let started = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return ended(&self.told, status);
            }
            let told = || fs::read_to_string(&self.told).unwrap();
            assert!(started.elapsed() < within, "does not end:\n{}", told());
            sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

fn ended(told: &Path, status: ExitStatus) -> Ended {
    Ended {
        code: status.code(),
        told: fs::read_to_string(told).unwrap(),
    }
}

/// The short form, or as many as the variable asks for.
pub fn asked(variable: &str, short: u64) -> u64 {
    std::env::var(variable).map_or(short, |text| text.parse().expect(variable))
}
