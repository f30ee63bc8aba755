//! A panic on the screen's own thread: the terminal is given back before it is told.
//!
//! The program is not made to panic: this test starts itself in a terminal, runs the screen, and
//! opens a broker there that panics when the screen asks it what it can do.

use std::path::Path;
use std::sync::Arc;

use evtap::broker::{
    Address, Bound, BoxFuture, Broker, Capabilities, PartitionRange, Result, Settings, Source,
    Subscription, TopicInfo, TopicSelector,
};

use evtap::query::{Query, QuerySpec};
use evtap::schema::Decoder;
use evtap::tui::Options;
use evtap::tui::connect::{Connect, Connection, ContextRow, OfPlan};
use evtap::tui::keymap::Keymap;
use evtap::tui::msg::Trouble;
use evtap::tui::theme::{Glyphs, Theme};

use crate::pty::{Standing, Terminal};

const INSIDE: &str = "EVTAP_TEST_INSIDE_A_TERMINAL";

struct Broken;

impl Broker for Broken {
    #[expect(clippy::panic, reason = "it is what is tested")]
    fn capabilities(&self) -> Capabilities {
        panic!("this broker is broken")
    }

    fn topics<'a>(&'a self, _: &'a TopicSelector) -> BoxFuture<'a, Result<Vec<TopicInfo>>> {
        Box::pin(std::future::pending())
    }

    fn resolve<'a>(&'a self, _: &'a Subscription) -> BoxFuture<'a, Result<Vec<PartitionRange>>> {
        Box::pin(std::future::pending())
    }

    fn source<'a>(&'a self, _: &'a Subscription) -> BoxFuture<'a, Result<Box<dyn Source>>> {
        Box::pin(std::future::pending())
    }
}

struct OpensBroken;

impl Connect for OpensBroken {
    fn open(&self, text: &str) -> std::result::Result<Connection, Trouble> {
        Ok(Connection {
            address: Address::parse("demo:").unwrap(),
            shown: text.to_owned(),
            broker: Arc::new(Broken),
            settings: Settings::default(),
            env: None,
        })
    }

    fn decoder(&self, _: &[String]) -> std::result::Result<Decoder, Trouble> {
        Ok(Decoder::default())
    }

    fn plan(&self, _: &evtap::replay::Plan) -> std::result::Result<OfPlan, Trouble> {
        Err(Trouble {
            message: "nothing is planned here".to_owned(),
            hint: None,
        })
    }

    fn contexts(&self) -> Vec<ContextRow> {
        Vec::new()
    }
}

fn options() -> Options {
    Options {
        theme: Theme::monochrome(),
        themes: Vec::new(),
        glyphs: Glyphs::of(true),
        keymap: Keymap::new(&std::collections::BTreeMap::new()).unwrap(),
        zone: jiff::tz::TimeZone::UTC,
        memory: 1 << 24,
        contexts: Vec::new(),
        welcome: None,
        select: Arc::new(Query::compile(&QuerySpec::default()).unwrap()),
        spec: QuerySpec::default(),
        selection: evtap::replay::PlanSelection::default(),
        masks: Vec::new(),
        state: None,
        from: None,
        until: Bound::End,
        partitions: Vec::new(),
        follow: true,
        now: None,
        saved_filters: None,
        filters: Vec::new(),
    }
}

/// Does nothing but where the other test starts it.
#[test]
fn inside_a_terminal() {
    if std::env::var_os(INSIDE).is_none() {
        return;
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .unwrap();
    let (_handle, stop) = evtap::pipeline::Stop::new();
    let start = evtap::tui::Start {
        options: options(),
        connect: Arc::new(OpensBroken),
        sources: vec!["broken".to_owned()],
        view: evtap::tui::View::Stream,
        stop,
    };
    runtime.block_on(evtap::tui::run(start)).unwrap();
}

#[test]
fn a_panic_gives_the_terminal_back_before_it_is_told() {
    let this = std::env::current_exe().unwrap();
    let mut terminal = Terminal::program(
        (80, 24),
        Path::new(&this),
        &["--exact", "panics::inside_a_terminal", "--nocapture"],
        &[(INSIDE, "1")],
    );
    assert_ne!(terminal.end(), 0);
    // The message stands on the screen that is left, not on the one that is gone.
    terminal.until_text("this broker is broken");
    terminal.until_standing(Standing::GIVEN_BACK);
    let raw = String::from_utf8_lossy(&terminal.raw()).into_owned();
    let taken = raw.find("\x1b[?1049h").expect("it took the terminal");
    let left = raw.find("\x1b[?1049l").expect("it gave it back");
    let told = raw.find("this broker is broken").unwrap();
    assert!(taken < left && left < told, "{raw:?}");
}
