//! Parses, runs and exits. Everything else is in the library.

use std::process::ExitCode;

/// The exit code of an interrupted run, 128 + SIGINT.
const INTERRUPTED: i32 = 130;

fn main() -> ExitCode {
    ExitCode::from(evtap::cli::run(std::env::args_os(), end_at_once))
}

/// The second Ctrl-C: the person means it, and nothing is worth waiting for.
#[expect(clippy::exit, reason = "the one place that ends the process")]
#[expect(
    clippy::disallowed_methods,
    reason = "the one place that ends the process"
)]
fn end_at_once() {
    std::process::exit(INTERRUPTED);
}
