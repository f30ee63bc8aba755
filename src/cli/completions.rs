//! `evtap completions`: a script for the shell.

use clap::{Args, Command};
use clap_complete::Shell;

use super::error::{Exit, Result};
use super::examples;
use super::print::closed_is_done;
use super::session::Session;

/// Print a completion script for a shell
#[derive(Debug, Args)]
#[command(after_help = examples::COMPLETIONS)]
pub struct Completions {
    /// bash, elvish, fish, powershell or zsh
    pub shell: Shell,
}

pub fn run(_session: &Session, args: &Completions, mut command: Command) -> Result<Exit> {
    use std::io::Write;
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "evtap", &mut script);
    match std::io::stdout().lock().write_all(&script) {
        Ok(()) => Ok(Exit::Done),
        Err(error) => closed_is_done(&error),
    }
}
