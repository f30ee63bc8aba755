//! The command line: from arguments to a typed request, and one file for each command.
//! The only room that names clap.

mod apply;
mod args;
mod brokers;
mod canary;
mod changes;
mod check;
mod completions;
mod config;
mod confirm;
mod decoding;
mod demo;
mod diff;
mod error;
mod examples;
mod expect;
mod explain;
mod keys;
mod lag;
mod learning;
mod man;
mod open;
mod opened;
mod position;
mod print;
mod progress;
mod read;
mod reading;
mod record;
mod redrive;
mod replay;
mod replay_alter;
mod replay_args;
mod sagas;
mod schema;
mod search;
mod session;
mod signals;
mod state;
mod summary;
mod tail;
mod themes;
mod topics;
mod trace;
mod units;
mod verify;
mod version;

use std::ffi::OsString;
use std::sync::Arc;

use clap::{CommandFactory, Parser};

use args::{Cli, Command};
pub use error::Exit;
use error::{Failure, Result};
use session::Session;

/// Parses and runs one command line. `end_at_once` is called on a second Ctrl-C and must not
/// return. Gives the exit code.
pub fn run(args: impl IntoIterator<Item = OsString>, end_at_once: fn()) -> u8 {
    let cli = match Cli::try_parse_from(args) {
        Ok(cli) => cli,
        Err(error) => return session::print_usage_error(&error),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            return session::print_failure(&Failure::new(
                Exit::Usage,
                format!("cannot start: {error}"),
            ));
        }
    };
    let result = runtime.block_on(async {
        let stop = signals::listen(end_at_once)?;
        let session = Arc::new(Session::new(cli.global, stop)?);
        tokio::select! {
            result = dispatch(&session, cli.command) => result,
            () = session.given_up() => Err(Failure::new(Exit::Interrupted, "interrupted")),
        }
    });
    // A broker client that does not let go must not hold the exit up.
    runtime.shutdown_background();
    match result {
        Ok(exit) => exit as u8,
        Err(failure) => session::print_failure(&failure),
    }
}

async fn dispatch(session: &Arc<Session>, command: Option<Command>) -> Result<Exit> {
    let Some(command) = command else {
        return open::bare(session).await;
    };
    match command {
        Command::Open(args) => open::run(session, &args).await,
        Command::Keys(args) => keys::run(session, &args),
        Command::Topics(args) => topics::run(session, &args).await,
        Command::Read(args) => read::run(session, &args).await,
        Command::Tail(args) => tail::run(session, &args).await,
        Command::Check(args) => Box::pin(check::run(session, &args)).await,
        Command::Trace(args) => trace::run(session, &args).await,
        Command::Record(args) => record::run(session, &args).await,
        Command::Replay(args) => replay::run(session, &args).await,
        Command::Redrive(args) => Box::pin(redrive::run(session, &args)).await,
        Command::Apply(args) => apply::run(session, &args).await,
        Command::Verify(args) => verify::run(session, &args).await,
        Command::Lag(args) => lag::run(session, &args).await,
        Command::State(args) => state::run(session, &args).await,
        Command::Diff(args) => Box::pin(diff::run(session, &args)).await,
        Command::Expect(args) => expect::run(session, &args).await,
        Command::Bisect(args) => search::bisect::run(session, &args).await,
        Command::Minimize(args) => search::minimize::run(session, &args).await,
        Command::Schema(args) => schema::run(session, &args).await,
        Command::Demo(args) => demo::run(session, &args).await,
        Command::Brokers(args) => brokers::run(session, &args),
        Command::Themes(args) => themes::run(session, &args),
        Command::Config(args) => config::run(session, &args),
        Command::Completions(args) => completions::run(session, &args, Cli::command()),
        Command::Man(args) => man::run(session, &args, &Cli::command()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_of_the_arguments_fit_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_help_ends_in_two_examples() {
        fn check(command: &clap::Command) {
            let help = command
                .get_after_help()
                .map(ToString::to_string)
                .unwrap_or_default();
            let examples = help
                .lines()
                .filter(|l| l.contains("evtap ") && l.starts_with("  "))
                .count();
            assert_eq!(examples, 2, "{}: {help}", command.get_name());
            command.get_subcommands().for_each(check);
        }
        check(&Cli::command());
    }
}
