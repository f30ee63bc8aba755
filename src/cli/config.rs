//! `evtap config`: where the config file is, what it says, whether it works, and contexts from
//! other tools' files. Secrets are never printed.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::error::{Exit, Failure, Result};
use super::examples;
use super::print::print_lines;
use super::session::Session;
use crate::broker::{self, Address};
use crate::config::{self, Imported, ImportedSecrets};

/// Show, check and import contexts
#[derive(Debug, Args)]
#[command(after_help = examples::CONFIG, subcommand_required = true)]
pub struct Config {
    #[command(subcommand)]
    pub action: Action,
}

#[derive(Debug, Subcommand)]
pub enum Action {
    /// Print where the config file is looked for
    #[command(after_help = examples::CONFIG_PATH)]
    Path,
    /// Print the contexts, their secrets hidden
    #[command(after_help = examples::CONFIG_LIST)]
    List,
    /// Read the file and its theme, fetch its secrets and open each context, without the network
    #[command(after_help = examples::CONFIG_CHECK)]
    Check,
    /// Make a context of another tool's file
    #[command(after_help = examples::CONFIG_IMPORT)]
    Import(Import),
}

#[derive(Debug, Args)]
pub struct Import {
    /// kcat.conf, librdkafka properties, or Java's client.properties
    pub file: PathBuf,
    /// The name of the new context
    #[arg(long, value_name = "NAME")]
    pub name: String,
    /// What kind of file it is
    #[arg(long, value_name = "KIND", default_value = "auto")]
    pub kind: Kind,
    /// Take passwords over as they are, instead of asking the environment for them
    #[arg(long)]
    pub with_secrets: bool,
    /// Add it to the config file instead of printing it
    #[arg(long)]
    pub write: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Kind {
    Auto,
    Kcat,
    Java,
}

pub fn run(session: &Session, args: &Config) -> Result<Exit> {
    match &args.action {
        Action::Path => {
            let path = path(session)?;
            print_lines([path.display().to_string()])
        }
        Action::List => print_lines(list(session)),
        Action::Check => check(session),
        Action::Import(args) => import(session, args),
    }
}

fn path(session: &Session) -> Result<PathBuf> {
    let env = |name: &str| std::env::var(name).ok();
    config::config_path(session.global.config.as_deref(), &env)
        .map(|(path, _)| path)
        .ok_or_else(|| {
            Failure::usage("there is no home folder to look for a config file in")
                .hint("set HOME, or name the file by --config or EVTAP_CONFIG")
        })
}

fn list(session: &Session) -> Vec<String> {
    let config = &session.config;
    let mut lines = Vec::new();
    for (name, context) in &config.contexts {
        let mut notes = Vec::new();
        if config.default.as_deref() == Some(name) {
            notes.push("default".to_owned());
        }
        notes.extend(context.env.clone());
        if context.read_only {
            notes.push("read-only".to_owned());
        }
        if !context.allow_replay_to.is_empty() {
            notes.push(format!(
                "replay only to {}",
                context.allow_replay_to.join(", ")
            ));
        }
        let notes = if notes.is_empty() {
            String::new()
        } else {
            format!("  ({})", notes.join("; "))
        };
        lines.push(format!("{name}  {}{notes}", context.shown_url()));
        for (key, value) in context.shown_properties() {
            lines.push(format!("  {key} = {value}"));
        }
    }
    if lines.is_empty() {
        session.say("no contexts are configured; `evtap config import` makes one, `evtap config path` tells where");
    }
    lines
}

fn check(session: &Session) -> Result<Exit> {
    let config = &session.config;
    config.default_context()?;
    session.theme()?;
    let mut lines = Vec::new();
    let mut bad = 0;
    for (name, context) in &config.contexts {
        let opened = Address::parse(&context.url)
            .map_err(Failure::from)
            .and_then(|address| {
                let settings = broker::Settings {
                    properties: context.resolve_properties()?,
                    ..broker::Settings::default()
                };
                broker::registry::open(&address, &settings)?;
                Ok(())
            });
        match opened {
            Ok(()) => lines.push(format!("{name}  ok")),
            Err(failure) => {
                bad += 1;
                lines.push(format!("{name}  {}", failure.message));
                lines.extend(failure.hint.map(|hint| format!("  hint: {hint}")));
            }
        }
    }
    print_lines(lines)?;
    if bad > 0 {
        return Err(Failure::usage(format!(
            "{bad} of {} contexts do not work",
            config.contexts.len()
        )));
    }
    Ok(Exit::Done)
}

fn import(session: &Session, args: &Import) -> Result<Exit> {
    let shown = args.file.display();
    let text = std::fs::read_to_string(&args.file)
        .map_err(|e| Failure::usage(format!("cannot read {shown}: {e}")))?;
    let imported = read(&text, args)?;
    let secrets = if args.with_secrets {
        ImportedSecrets::Literal
    } else {
        ImportedSecrets::FromEnvironment
    };
    if imported.url.is_none() {
        return Err(Failure::usage(format!("{shown} names no servers"))
            .hint("it needs bootstrap.servers (or metadata.broker.list)"));
    }
    for left in &imported.left_out {
        session.say(&format!("left out: {left}"));
    }
    if !args.with_secrets {
        for variable in imported.variables(&args.name) {
            session.say(&format!(
                "set {variable} to the secret before you use the context"
            ));
        }
    }
    let toml = imported.to_toml(&args.name, secrets);
    if args.write {
        let path = path(session)?;
        config::add_context(&path, &args.name, &toml)?;
        session.say(&format!(
            "added the context '{}' to {}",
            args.name,
            path.display()
        ));
        return Ok(Exit::Done);
    }
    print_lines(toml.lines().map(str::to_owned))
}

fn read(text: &str, args: &Import) -> Result<Imported> {
    let java = match args.kind {
        Kind::Java => true,
        Kind::Kcat => false,
        // Only Java's clients have this one, and it is what must be taken apart.
        Kind::Auto => text.contains("sasl.jaas.config") || text.contains("ssl.truststore"),
    };
    let read = if java {
        config::import_java(text)
    } else {
        config::import_kcat(text)
    };
    Ok(read?)
}
