//! The command line from outside, as its users and their scripts meet it: exact outputs of every
//! format, the summary, what a replay says, and that nothing hostile gets through. Needs no server.
//! What a user can get wrong is in `bad_input.rs`.

#![expect(clippy::unwrap_used, reason = "a test ends by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod altering;
mod bulk;
mod check;
mod diff;
#[cfg(target_os = "linux")]
mod endless;
#[cfg(unix)]
mod expect;
mod filtering;
mod formats;
mod hostile;
mod keys;
mod lag;
mod order;
mod plans;
mod recording;
mod redrive;
mod redrive_kept;
mod replaying;
mod schema;
#[cfg(unix)]
mod search;
#[cfg(unix)]
mod signals;
mod state;
mod summary;
mod themes;
mod trace;
mod verifying;
mod version;

use std::process::Command;

use evtap::broker::{Subscription, TopicSelector};

/// What one run printed, and its exit code.
struct Ran {
    out: String,
    err: String,
    code: Option<i32>,
}

impl Ran {
    fn of(command: &mut Command) -> Self {
        let output = command.output().unwrap();
        Self {
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code(),
        }
    }
}

fn evtap(args: &[&str]) -> Ran {
    Ran::of(support::evtap().args(args))
}

/// All record batches of a source, whole.
fn raw() -> Subscription {
    Subscription {
        raw: true,
        ..Subscription::all_of(TopicSelector::all(), 16 << 20)
    }
}

/// Standard output of a run that must succeed.
fn out(args: &[&str]) -> String {
    let ran = evtap(args);
    assert_eq!(ran.code, Some(0), "{args:?} said:\n{}", ran.err);
    ran.out
}
