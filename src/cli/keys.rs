//! `evtap keys`: the keys of the screen that are in force.

use std::io::Write;

use clap::Args;

use super::error::{Exit, Failure, Result};
use super::examples;
use super::session::Session;
use crate::tui::actions::{ACTIONS, Scope};
use crate::tui::keymap::Keymap;

/// Show the keys of the terminal UI that are in force
#[derive(Debug, Args)]
#[command(after_help = examples::KEYS)]
pub struct Keys {
    /// text or json
    #[arg(short, long, value_name = "FORMAT", default_value = "text", value_parser = ["text", "json"])]
    pub output: String,
}

pub fn run(session: &Session, args: &Keys) -> Result<Exit> {
    let keymap = Keymap::new(&session.config.keys)
        .map_err(|error| Failure::usage(format!("the config: {error}")))?;
    let text = if args.output == "json" {
        json(&keymap)
    } else {
        table(&keymap)
    };
    // A closed pipe ends quietly.
    match std::io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::usage(format!("standard output: {error}")))
        }
        _ => Ok(Exit::Done),
    }
}

fn keys_of(keymap: &Keymap, action: crate::tui::actions::Action) -> Vec<String> {
    keymap.keys(action).map(|keys| keys.to_string()).collect()
}

fn table(keymap: &Keymap) -> String {
    let mut text = String::new();
    for scope in Scope::ALL {
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(scope.name());
        text.push('\n');
        for spec in ACTIONS.iter().filter(|s| s.scope == *scope) {
            let keys = keys_of(keymap, spec.action).join(", ");
            let line = format!("  {keys:<16}  {:<18}  {}\n", spec.id, spec.help);
            text.push_str(&line);
        }
    }
    text.push_str(
        "\nOther keys: [keys] in the config, action = [\"key\", \"another\"]; [] takes all away.\n",
    );
    text
}

fn json(keymap: &Keymap) -> String {
    let rows: Vec<serde_json::Value> = ACTIONS
        .iter()
        .map(|spec| {
            serde_json::json!({
                "action": spec.id,
                "keys": keys_of(keymap, spec.action),
                "where": spec.scope.name().to_lowercase(),
                "help": spec.help,
            })
        })
        .collect();
    let mut text = serde_json::json!({ "keys": rows }).to_string();
    text.push('\n');
    text
}
