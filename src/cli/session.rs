//! What all commands share: the global flags, the config, the terminal, and how addresses become
//! opened brokers.

use std::io::{IsTerminal, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

use clap::error::ErrorKind;
use jiff::tz::TimeZone;

use super::args::{ColorWhen, Global};
use super::decoding;
use super::error::{Exit, Failure, Result};
use super::opened::Opened;
use crate::broker::{self, Address, Notices, Settings};
use crate::config::{self, Config};
use crate::pipeline::Stop;
use crate::replay::runs::StateFolder;
use crate::schema::Decoder;
use crate::text::Visible;
use crate::tui::theme::{self, Catalog, Depth, Theme};

/// One run of the program.
pub struct Session {
    pub global: Global,
    pub config: Config,
    pub stop: Stop,
    pub stdout_is_terminal: bool,
    pub stderr_is_terminal: bool,
    pub zone: Option<TimeZone>,
    /// The last decoder, and of which sources it is.
    decoder: Mutex<Option<(Vec<String>, Decoder)>>,
    /// Whether somebody listens to `stop`; until then Ctrl-C ends the command where it stands.
    minds_stop: AtomicBool,
}

impl Session {
    pub fn new(global: Global, stop: Stop) -> Result<Self> {
        let env = |name: &str| std::env::var(name).ok();
        let config = Config::load(global.config.as_deref(), &env)?;
        let zone = match global.tz.as_deref() {
            None => None,
            Some("local") => Some(TimeZone::system()),
            Some(name) => Some(TimeZone::get(name).map_err(|_| {
                Failure::usage(format!("unknown time zone '{name}'"))
                    .hint("write an IANA name such as Europe/Berlin, or local")
            })?),
        };
        let session = Self {
            global,
            config,
            stop,
            stdout_is_terminal: std::io::stdout().is_terminal(),
            stderr_is_terminal: std::io::stderr().is_terminal(),
            zone,
            decoder: Mutex::default(),
            minds_stop: AtomicBool::new(false),
        };
        session.start_log()?;
        // What was typed must be right, also where nothing is drawn; what the config says is looked
        // at when it is used.
        if let Some(name) = &session.global.theme {
            session.themes().load(name)?;
        }
        for warning in &session.config.warnings {
            session.say(&format!("warning: {warning}"));
        }
        Ok(session)
    }

    fn start_log(&self) -> Result<()> {
        let Some(path) = &self.global.log else {
            return Ok(());
        };
        let file = std::fs::File::options()
            .create(true)
            .append(true)
            .open(path)
            .map_err(|e| Failure::usage(format!("cannot write the log {}: {e}", path.display())))?;
        let level = if self.global.verbose {
            tracing::Level::DEBUG
        } else {
            tracing::Level::INFO
        };
        let subscriber = tracing_subscriber::fmt()
            .with_writer(Mutex::new(file))
            .with_ansi(false)
            .with_max_level(level)
            .finish();
        // Only the first of a process counts; there is but one run in a process.
        tracing::subscriber::set_global_default(subscriber)
            .map_err(|e| Failure::usage(format!("cannot start the log: {e}")))
    }

    /// The wish to stop, for who ends in good order when it comes: what was read is summed up,
    /// what was written is stored.
    pub fn minded_stop(&self) -> Stop {
        self.minds_stop.store(true, Ordering::Relaxed);
        self.stop.clone()
    }

    /// Ends once the command is to be given up, while it waits for a broker or a question.
    pub async fn given_up(&self) {
        self.stop.clone().stopped().await;
        if self.minds_stop.load(Ordering::Relaxed) {
            std::future::pending::<()>().await;
        }
    }

    /// Talk for a person, on standard error; silent with `-q`.
    pub fn say(&self, text: &str) {
        if !self.global.quiet {
            print_line(text);
        }
    }

    /// Talk that may come while a read is under way.
    pub fn notices(&self) -> Notices {
        if self.global.quiet {
            return Notices::silent();
        }
        Notices::new(|text| {
            tracing::info!("{text}");
            print_line(text);
        })
    }

    /// How keys and values of these sources are decoded. A registry is asked through one and the
    /// same value, however often this is called.
    pub fn decoder(&self, sources: &[String]) -> Result<Decoder> {
        let mut last = self.decoder.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, decoder)) = &*last
            && of == sources
        {
            return Ok(decoder.clone());
        }
        let decoder = decoding::decoder(self, sources)?;
        *last = Some((sources.to_vec(), decoder.clone()));
        Ok(decoder)
    }

    /// Whether standard output is coloured.
    pub fn colour(&self) -> bool {
        match self.global.color {
            ColorWhen::Always => true,
            ColorWhen::Never => false,
            ColorWhen::Auto => {
                let unset = std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty());
                self.stdout_is_terminal && unset
            }
        }
    }

    /// Whether to draw with ASCII only.
    pub fn ascii(&self) -> bool {
        self.global.ascii || self.config.ascii
    }

    /// The themes that can be named.
    #[expect(
        clippy::unused_self,
        reason = "it is the session that knows the environment"
    )]
    pub fn themes(&self) -> Catalog {
        let env = |name: &str| std::env::var(name).ok();
        Catalog::new(config::config_folder(&env).map(|folder| folder.join("themes")))
    }

    /// The folder of what a user sets up; `None` when there is no home.
    #[expect(
        clippy::unused_self,
        reason = "it is the session that knows the environment"
    )]
    pub fn config_folder(&self) -> Option<std::path::PathBuf> {
        let env = |name: &str| std::env::var(name).ok();
        config::config_folder(&env)
    }

    /// Where runs of plans are kept.
    pub fn state_folder(&self) -> Result<StateFolder> {
        let env = |name: &str| std::env::var(name).ok();
        Ok(StateFolder::find(&env, self.config.audit.as_deref())?)
    }

    /// The name of the theme that is to be used.
    pub fn theme_name(&self) -> &str {
        let named = self.global.theme.as_deref();
        named
            .or(self.config.theme.as_deref())
            .unwrap_or(theme::DEFAULT)
    }

    /// The theme of the screens, with the colours that the terminal has.
    pub fn theme(&self) -> Result<Theme> {
        let (theme, _) = self.themes().load(self.theme_name())?;
        if !self.colour() {
            return Ok(Theme::monochrome());
        }
        let env = |name: &str| std::env::var(name).ok();
        let depth = Depth::of(env("COLORTERM").as_deref(), env("TERM").as_deref());
        Ok(theme.reduced(depth))
    }

    /// Opens what the text names. Does not wait for the network.
    pub fn open(&self, text: &str) -> Result<Opened> {
        self.open_with(text, |_| {})
    }

    pub fn open_with(&self, text: &str, adjust: impl FnOnce(&mut Settings)) -> Result<Opened> {
        let typed = Address::parse(text)?;
        let (mut address, mut settings, env) = self.resolve(&typed)?;
        if let Address::Url { properties, .. } | Address::Demo { properties, .. } = &mut address {
            settings.properties.extend(std::mem::take(properties));
        }
        settings
            .properties
            .extend(self.global.property.iter().cloned());
        // These are for the registry, which no adapter knows of.
        let of_registry = |name: &String| name.starts_with("schema.registry.");
        settings.properties.retain(|name, _| !of_registry(name));
        settings.read_only |= self.global.read_only;
        settings.log.clone_from(&self.global.log);
        // A write has no subscription to be told through.
        settings.notices = self.notices();
        adjust(&mut settings);
        let broker = broker::registry::open(&address, &settings)
            .map_err(|e| Failure::from(e).on(format!("cannot open {typed}")))?;
        Ok(Opened {
            shown: typed.to_string(),
            address,
            broker,
            settings,
            env,
        })
    }

    /// Replaces a context by what the config says of it.
    fn resolve(&self, typed: &Address) -> Result<(Address, Settings, Option<String>)> {
        let Address::Context { name, topics } = typed else {
            return Ok((typed.clone(), Settings::default(), None));
        };
        let context = self.config.context(name)?;
        let mut address = Address::parse(&context.url)
            .map_err(|e| Failure::from(e).on(format!("the url of the context '{name}'")))?;
        if matches!(address, Address::Context { .. } | Address::Stdin) {
            return Err(Failure::usage(format!(
                "the url of the context '{name}' is no URL and no file"
            )));
        }
        if !topics.is_all() {
            address = address.with_topics(topics.clone());
        }
        let settings = Settings {
            properties: context.resolve_properties()?,
            read_only: context.read_only,
            allow_replay_to: context.allow_replay_to.clone(),
            context: Some(name.clone()),
            ..Settings::default()
        };
        Ok((address, settings, context.env.clone()))
    }
}

impl From<config::ConfigError> for Failure {
    fn from(error: config::ConfigError) -> Self {
        Self {
            exit: Exit::Usage,
            message: error.message,
            hint: error.hint,
        }
    }
}

/// One line on standard error, made safe. Nobody to read it is no failure.
fn print_line(text: &str) {
    let mut out = std::io::stderr().lock();
    if writeln!(out, "{}", Visible(text)).is_err() {
        tracing::debug!("standard error is closed");
    }
}

/// Prints what failed and what to try; gives the exit code.
pub fn print_failure(failure: &Failure) -> u8 {
    let mut lines = failure.message.lines();
    print_line(&format!("evtap: {}", lines.next().unwrap_or("failed")));
    lines.for_each(print_line);
    for (index, line) in failure.hint.iter().flat_map(|h| h.lines()).enumerate() {
        print_line(&format!(
            "{}{line}",
            if index == 0 { "hint: " } else { "      " }
        ));
    }
    failure.exit as u8
}

/// Prints clap's own message: help and version are data, the rest is a usage error.
pub fn print_usage_error(error: &clap::Error) -> u8 {
    // The arguments are the user's own, but may have been pasted: control characters are cut.
    let colour = !error.use_stderr() && std::io::stdout().is_terminal();
    let text = if colour {
        error.render().ansi().to_string()
    } else {
        let plain = error.render().to_string();
        let plain = match error.kind() {
            ErrorKind::DisplayHelp
            | ErrorKind::DisplayVersion
            | ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => plain,
            _ => in_our_words(&plain),
        };
        let lines: Vec<String> = plain.lines().map(|l| Visible(l).to_string()).collect();
        lines.join("\n") + "\n"
    };
    let written = if error.use_stderr() {
        std::io::stderr().lock().write_all(text.as_bytes())
    } else {
        std::io::stdout().lock().write_all(text.as_bytes())
    };
    if written.is_err() {
        return Exit::Done as u8;
    }
    if error.use_stderr() {
        Exit::Usage as u8
    } else {
        Exit::Done as u8
    }
}

/// A usage error of clap in the form of all our errors: `evtap:` and `hint:`.
fn in_our_words(clap: &str) -> String {
    let mut out = String::new();
    let mut hinted = false;
    for line in clap.lines().filter(|l| !l.is_empty()) {
        let line = if let Some(what) = line.strip_prefix("error: ") {
            format!("evtap: {what}")
        } else if let Some(tip) = line.trim_start().strip_prefix("tip: ") {
            hinted = true;
            format!("hint: {tip}")
        } else if let Some(help) = line.strip_prefix("For more information, ") {
            if hinted {
                continue;
            }
            format!("hint: {}", help.trim_end_matches('.'))
        } else {
            line.to_owned()
        };
        out.push_str(&line);
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usage_errors_have_one_hint_and_no_other_words() {
        let said = in_our_words(
            "error: unexpected argument '--limt' found\n\n  tip: a similar argument exists: \
             '--limit'\n\nUsage: evtap read\n\nFor more information, try '--help'.\n",
        );
        assert_eq!(
            said,
            "evtap: unexpected argument '--limt' found\nhint: a similar argument exists: \
             '--limit'\nUsage: evtap read\n"
        );
        let said = in_our_words("error: bad\n\nFor more information, try '--help'.\n");
        assert_eq!(said, "evtap: bad\nhint: try '--help'\n");
    }
}
