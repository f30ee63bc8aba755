//! `evtap replay`: the flags of a replay.

use clap::Args;

use super::error::{Exit, Failure, Result};
use super::examples;
use super::session::Session;

/// Replay events into a topic: plan, preview, confirm, run, verify
#[derive(Debug, Args)]
#[command(after_help = examples::REPLAY)]
pub struct Replay {
    /// Sources
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
}

pub async fn run(_session: &Session, _args: &Replay) -> Result<Exit> {
    Err(Failure::usage("not yet"))
}
