//! `evtap open`, and `evtap` alone: the terminal UI on sources.

use std::sync::Arc;

use clap::Args;

use super::args::{Cli, Select};
use super::error::{Exit, Failure, Result};
use super::session::Session;
use super::{examples, reading, replay_alter, replay_args, signals};
use crate::broker::{self, Address, Bound, Settings};
use crate::event::Timestamp;
use crate::inspect::saga::Model;
use crate::replay::Plan;
use crate::schema::Decoder;
use crate::tui::connect::{Connect, Connection, ContextRow, OfPlan};
use crate::tui::keymap::Keymap;
use crate::tui::msg::Trouble;
use crate::tui::theme::{Depth, Glyphs, Theme};
use crate::tui::{self, Options, Start, View};

/// Open the terminal UI on these sources
#[derive(Debug, Args)]
#[command(after_help = examples::OPEN)]
pub struct Open {
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo: or a capture file; a topic or glob alone is
    /// one of the source before it
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub select: Select,
}

pub async fn run(session: &Arc<Session>, args: &Open) -> Result<Exit> {
    needs_terminal(session)?;
    let sources = with_topics(session, &args.sources)?;
    // What cannot be opened is said here, not on a screen.
    for source in &sources {
        if let Address::File { path } = session.open(source)?.address {
            broker::capture::readable(&path)?;
        }
    }
    let shown = screen(
        session,
        sources,
        &args.select,
        View::Stream,
        Demo::default(),
    );
    Box::pin(shown).await
}

/// `evtap` alone: the contexts, or the demo where none is configured.
pub async fn bare(session: &Arc<Session>) -> Result<Exit> {
    if !session.stdout_is_terminal {
        use clap::CommandFactory;
        use std::io::Write;
        let help = Cli::command().render_help().to_string();
        let mut err = std::io::stderr().lock();
        // Nobody to read it is no failure.
        if err.write_all(help.as_bytes()).is_err() {
            tracing::debug!("standard error is closed");
        }
        return Ok(Exit::Usage);
    }
    let sources = if session.config.contexts.is_empty() {
        vec!["demo:".to_owned()]
    } else {
        Vec::new()
    };
    let select = Select::default();
    let shown = screen(session, sources, &select, View::Findings, Demo::default());
    Box::pin(shown).await
}

/// The screen on the embedded demo.
pub async fn demo(session: &Arc<Session>, select: &Select, demo: Demo) -> Result<Exit> {
    let shown = screen(
        session,
        vec!["demo:".to_owned()],
        select,
        View::Findings,
        demo,
    );
    Box::pin(shown).await
}

/// How the embedded broker is opened.
#[derive(Debug, Clone, Copy, Default)]
pub struct Demo {
    pub rate: Option<f64>,
    pub frozen: bool,
}

fn needs_terminal(session: &Session) -> Result<()> {
    if session.stdout_is_terminal {
        return Ok(());
    }
    Err(
        Failure::usage("the screen needs a terminal, and standard output is none")
            .hint("`evtap read` and `evtap tail` print events to a pipe"),
    )
}

/// A word that is no address is a topic of the source before it: `kafka://h:9092 'order*'`.
fn with_topics(session: &Session, words: &[String]) -> Result<Vec<String>> {
    let mut sources: Vec<(String, Vec<&str>)> = Vec::new();
    for word in words {
        let address = Address::parse(word)?;
        let bare = matches!(&address, Address::Context { name, topics }
            if topics.is_all() && !session.config.contexts.contains_key(name));
        match sources.last_mut() {
            Some((_, topics)) if bare => topics.push(word),
            _ => sources.push((word.clone(), Vec::new())),
        }
    }
    let joined = sources.into_iter().map(|(source, topics)| {
        if topics.is_empty() {
            return Ok(source);
        }
        let address = Address::parse(&source)?;
        if !address.topics().is_all() || matches!(address, Address::File { .. } | Address::Stdin) {
            return Err(
                Failure::usage(format!("'{}' is no source", topics.join(" ")))
                    .hint("write CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo: or a file"),
            );
        }
        let (head, properties) = source.split_once('?').unwrap_or((&source, ""));
        let slash = if head.ends_with('/') || head == "demo:" {
            ""
        } else {
            "/"
        };
        let mark = if properties.is_empty() { "" } else { "?" };
        Ok(format!(
            "{head}{slash}{}{mark}{properties}",
            topics.join(",")
        ))
    });
    joined.collect()
}

async fn screen(
    session: &Arc<Session>,
    sources: Vec<String>,
    select: &Select,
    view: View,
    demo: Demo,
) -> Result<Exit> {
    refuse_meaningless(select)?;
    let query = reading::compile(session, &sources, select)?;
    let connect = Connector {
        session: session.clone(),
        demo,
    };
    let now = clock(session, &connect, &sources).await?;
    let keymap = Keymap::new(&session.config.keys)
        .map_err(|error| Failure::usage(format!("the config: {error}")))?;
    let theme = session.theme()?;
    let themes = all_themes(session, &theme);
    let saved_filters = session
        .config_folder()
        .map(|folder| folder.join("filters.toml"));
    let filters = saved_filters.as_deref().map(saved).unwrap_or_default();
    let options = Options {
        theme,
        themes,
        glyphs: Glyphs::of(session.ascii()),
        keymap,
        zone: session
            .zone
            .clone()
            .unwrap_or_else(jiff::tz::TimeZone::system),
        memory: session.global.mem,
        contexts: connect.contexts(),
        welcome: session
            .config
            .contexts
            .is_empty()
            .then(|| "your broker: evtap open kafka://HOST:9092".to_owned()),
        select: query,
        spec: reading::spec(session, &sources, select)?,
        selection: replay_args::selection(select, &session.global),
        state: session.state_folder().ok(),
        from: select.from.as_ref().map(|pos| pos.bound(now)),
        until: select
            .until
            .as_ref()
            .map_or(Bound::End, |pos| pos.bound(now)),
        partitions: select.partitions.clone(),
        follow: select.until.is_none(),
        now: session.global.now,
        saved_filters,
        filters,
        masks: replay_alter::config_masks(&session.config)?,
    };
    let start = Start {
        options,
        connect: Arc::new(connect),
        sources,
        view,
        stop: signals::or_hang_up(session.minded_stop())?,
    };
    let ended = Box::pin(tui::run(start))
        .await
        .map_err(|error| Failure::usage(format!("the terminal: {error}")))?;
    for line in ended.lines {
        session.say(&line);
    }
    Ok(Exit::Done)
}

/// The clock of ages like `--from -15m`: that of the first source.
async fn clock(session: &Session, connect: &Connector, sources: &[String]) -> Result<Timestamp> {
    match sources.first() {
        Some(source) if session.global.now.is_none() => {
            let opened = connect.opened(source)?;
            // Whether it answers is seen on the screen.
            Ok(match opened.broker.clock().await {
                Ok(Some(now)) => now,
                _ => Timestamp::wall_clock(),
            })
        }
        _ => Ok(session.global.now.unwrap_or_else(Timestamp::wall_clock)),
    }
}

/// Flags that end a command have no meaning where a person ends it.
fn refuse_meaningless(select: &Select) -> Result<()> {
    let given = [
        (select.limit.is_some(), "--limit"),
        (select.last.is_some(), "--last"),
        (select.idle.is_some(), "--idle"),
        (select.timeout.is_some(), "--timeout"),
        (select.explain, "--explain"),
        (select.fail_empty, "--fail-empty"),
        (select.summary.is_some(), "--summary"),
    ];
    match given.iter().find(|(given, _)| *given) {
        Some((_, flag)) => Err(
            Failure::usage(format!("{flag} means nothing on the screen"))
                .hint("it is for `evtap read` and `evtap tail`"),
        ),
        None => Ok(()),
    }
}

/// Every theme that can be read, as this terminal shows it.
fn all_themes(session: &Session, current: &Theme) -> Vec<Theme> {
    if !session.colour() {
        return vec![current.clone()];
    }
    let env = |name: &str| std::env::var(name).ok();
    let depth = Depth::of(env("COLORTERM").as_deref(), env("TERM").as_deref());
    let catalog = session.themes();
    let listed = catalog.list().unwrap_or_default();
    let load = |name: &str| {
        catalog
            .load(name)
            .ok()
            .map(|(theme, _)| theme.reduced(depth))
    };
    listed.iter().filter_map(|l| load(&l.name)).collect()
}

/// The filters that were saved; a file that is none is left alone and said in the log.
fn saved(path: &std::path::Path) -> Vec<(String, String)> {
    let Ok(text) = std::fs::read_to_string(path) else {
        return Vec::new();
    };
    match text.parse::<toml::Table>() {
        Ok(table) => table
            .into_iter()
            .filter_map(|(name, value)| Some((name, value.as_str()?.to_owned())))
            .collect(),
        Err(error) => {
            tracing::warn!("{}: {error}", path.display());
            Vec::new()
        }
    }
}

fn trouble(failure: Failure) -> Trouble {
    Trouble {
        message: failure.message,
        hint: failure.hint,
    }
}

/// Opens what is named on the screen as the command line would.
struct Connector {
    session: Arc<Session>,
    demo: Demo,
}

impl Connector {
    fn opened(&self, text: &str) -> Result<super::opened::Opened> {
        let demo = self.demo;
        self.session.open_with(text, |settings: &mut Settings| {
            settings.rate = demo.rate;
            settings.frozen = demo.frozen;
        })
    }
}

impl Connect for Connector {
    fn open(&self, text: &str) -> std::result::Result<Connection, Trouble> {
        let opened = self.opened(text).map_err(trouble)?;
        Ok(Connection {
            address: opened.address,
            shown: opened.shown,
            broker: opened.broker,
            settings: opened.settings,
            env: opened.env,
        })
    }

    fn plan(&self, plan: &Plan) -> std::result::Result<OfPlan, Trouble> {
        let means = super::apply::means(&self.session, plan).map_err(trouble)?;
        let texts = plan.sources.iter().map(|s| s.address.to_string());
        Ok(OfPlan {
            sources: texts
                .map(|text| self.open(&text))
                .collect::<std::result::Result<_, _>>()?,
            target: self.open(&plan.target.address.to_string())?,
            means,
        })
    }

    fn decoder(&self, texts: &[String]) -> std::result::Result<Decoder, Trouble> {
        self.session.decoder(texts).map_err(trouble)
    }

    fn sagas(&self, texts: &[String]) -> std::result::Result<Option<Arc<Model>>, Trouble> {
        super::sagas::model(&self.session, texts).map_err(trouble)
    }

    fn contexts(&self) -> Vec<ContextRow> {
        let contexts = self.session.config.contexts.values();
        let row = |context: &crate::config::Context| ContextRow {
            name: context.name.clone(),
            url: Address::parse(&context.url)
                .map_or_else(|_| "an address that is none".to_owned(), |a| a.to_string()),
            env: context.env.clone(),
            read_only: context.read_only,
        };
        contexts.map(row).collect()
    }
}
