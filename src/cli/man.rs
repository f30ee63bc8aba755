//! `evtap man`: manual pages, one a command, into a folder.

use std::path::PathBuf;

use clap::{Args, Command};

use super::error::{Exit, Failure, Result};
use super::examples;
use super::session::Session;

/// Write manual pages into a folder
#[derive(Debug, Args)]
#[command(after_help = examples::MAN)]
pub struct Man {
    /// An existing or new folder
    #[arg(value_name = "DIR")]
    pub dir: PathBuf,
}

pub fn run(session: &Session, args: &Man, command: &Command) -> Result<Exit> {
    let dir = args.dir.display();
    let failed =
        |e: std::io::Error| Failure::usage(format!("cannot write manual pages to {dir}: {e}"));
    std::fs::create_dir_all(&args.dir).map_err(failed)?;
    clap_mangen::generate_to(command.clone(), &args.dir).map_err(failed)?;
    session.say(&format!("manual pages are in {dir}"));
    Ok(Exit::Done)
}
