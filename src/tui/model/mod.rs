//! Everything that the screen knows. Changed by `update` only, looked at by `views`.

pub mod feed;
pub mod overlay;
pub mod shown;
pub mod store;
pub mod stream;

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;

use super::actions::Scope;
use super::connect::{Connection, ContextRow};
use super::keymap::{Chord, Keymap};
use super::msg::{Effect, Now, Say};
use super::theme::{Glyphs, Theme};
use super::views::{self, findings, lag, order, replay, schemas, state, topics, trace};
use crate::broker::{Bound, TopicSelector};
use crate::event::{Select, Timestamp};
use crate::query::QuerySpec;
use crate::replay::PlanSelection;
use crate::replay::runs::StateFolder;
use crate::schema::Decoder;
use feed::Feed;
use overlay::Overlay;
use stream::Stream;

/// The views, in the order of their keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum View {
    Findings,
    Stream,
    Topics,
    Lag,
    Order,
    Trace,
    State,
    Schemas,
    Replay,
}

impl View {
    pub const ALL: &'static [Self] = &[
        Self::Findings,
        Self::Stream,
        Self::Topics,
        Self::Lag,
        Self::Order,
        Self::Trace,
        Self::State,
        Self::Schemas,
        Self::Replay,
    ];

    pub const fn scope(self) -> Scope {
        match self {
            Self::Findings => Scope::Findings,
            Self::Stream => Scope::Stream,
            Self::Topics => Scope::Topics,
            Self::Lag => Scope::Lag,
            Self::Order => Scope::Order,
            Self::Trace => Scope::Trace,
            Self::State => Scope::State,
            Self::Schemas => Scope::Schemas,
            Self::Replay => Scope::Replay,
        }
    }

    pub const fn name(self) -> &'static str {
        self.scope().name()
    }

    /// The name where there is little room.
    pub const fn short(self) -> &'static str {
        match self {
            Self::Findings => "Find",
            Self::Schemas => "Schema",
            other => other.name(),
        }
    }
}

/// In which zone times are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ZoneMode {
    #[default]
    Utc,
    Local,
    /// How long ago.
    Age,
    /// Milliseconds since the epoch.
    Epoch,
}

/// What the screen was started with.
pub struct Options {
    pub theme: Theme,
    /// All themes that can be chosen.
    pub themes: Vec<Theme>,
    pub glyphs: &'static Glyphs,
    pub keymap: Keymap,
    /// The zone of "local".
    pub zone: TimeZone,
    /// The whole buffer budget in bytes.
    pub memory: usize,
    pub contexts: Vec<ContextRow>,
    /// The first lines of the message bar: how to connect to a real broker.
    pub welcome: Option<String>,
    /// What the flags said of the events to look at; the source applies it.
    pub select: Arc<dyn Select>,
    /// The same before it was compiled.
    pub spec: QuerySpec,
    /// The same as a plan keeps it.
    pub selection: PlanSelection,
    /// Where runs of plans are kept; without it they are not, and cannot be applied again.
    pub state: Option<StateFolder>,
    /// Where to begin; without it at the start of what is kept whole, else at the newest events.
    pub from: Option<Bound>,
    pub until: Bound,
    pub partitions: Vec<u32>,
    pub follow: bool,
    /// `--now`.
    pub now: Option<Timestamp>,
    /// Where filters that were saved are kept; nowhere when there is no config folder.
    pub saved_filters: Option<std::path::PathBuf>,
    pub filters: Vec<(String, String)>,
}

/// The read whose events are shown.
pub struct Source {
    pub connections: Vec<Arc<Connection>>,
    /// How their events are decoded. Threads of their own may wait for its schemas; what is on the
    /// loop asks its `impatient` one.
    pub decoder: Decoder,
    /// What must follow what in their events, where a model says it.
    pub sagas: Option<Arc<crate::inspect::saga::Model>>,
    /// Why its schema registry does not answer, and since when it is known.
    pub registry: Option<(Arc<str>, Timestamp)>,
    /// The topics chosen on the screen, one selector a connection; as they were opened when absent.
    pub topics: Option<Vec<Option<TopicSelector>>>,
    pub from: super::msg::From,
    pub until: Bound,
    pub follow: bool,
    /// The number of the read; messages of an older one are dropped.
    pub read: u64,
    /// How far the broker's own clock is ahead of the wall clock, in milliseconds.
    pub clock_ahead: i64,
    /// Lost, or never reached: what and why. Cleared by what comes next.
    pub trouble: Option<super::msg::Trouble>,
}

/// Everything.
pub struct Model {
    pub options: Options,
    pub now: Now,
    pub size: (u16, u16),
    pub view: View,
    /// The views that `Back` leads to.
    pub before: Vec<View>,
    /// The topmost has the keys.
    pub overlays: Vec<Overlay>,
    /// The first key of a sequence.
    pub prefix: Option<Chord>,
    pub zone: ZoneMode,
    pub mouse: bool,
    pub said: Option<(Say, Duration)>,
    pub source: Source,
    pub feed: Feed,
    pub stream: Stream,
    pub findings: findings::State,
    pub topics: topics::State,
    pub lag: lag::State,
    pub order: order::State,
    pub trace: trace::State,
    pub state: state::State,
    pub schemas: schemas::State,
    pub replay: replay::State,
    /// Something changed since the last frame.
    pub dirty: bool,
}

impl Model {
    pub fn new(options: Options, view: View) -> Self {
        let feed = Feed::new(options.memory / 4 * 3);
        Self {
            now: Now::default(),
            size: (80, 24),
            view,
            before: Vec::new(),
            overlays: Vec::new(),
            prefix: None,
            zone: ZoneMode::default(),
            mouse: false,
            said: None,
            source: Source {
                connections: Vec::new(),
                decoder: Decoder::default(),
                sagas: None,
                registry: None,
                topics: None,
                from: super::msg::From::Bound(Bound::End),
                until: options.until.clone(),
                follow: options.follow,
                read: 0,
                clock_ahead: 0,
                trouble: None,
            },
            feed,
            stream: Stream::new(),
            findings: findings::State::default(),
            topics: topics::State::default(),
            lag: lag::State::default(),
            order: order::State::default(),
            trace: trace::State::default(),
            state: state::State::default(),
            schemas: schemas::State::default(),
            replay: replay::State::default(),
            dirty: true,
            options,
        }
    }

    /// The scopes that a key is looked up in.
    pub fn scopes(&self) -> Vec<Scope> {
        let mut scopes = Vec::with_capacity(3);
        if self.view == View::Stream && self.stream.focus == stream::Focus::Detail {
            scopes.push(Scope::Detail);
        }
        scopes.push(self.view.scope());
        scopes.push(Scope::Everywhere);
        scopes
    }

    /// The clock of ages.
    pub fn clock(&self) -> Timestamp {
        self.options.now.unwrap_or(Timestamp(
            self.now.wall.0.saturating_add(self.source.clock_ahead),
        ))
    }

    /// The production name of a source, if one is.
    pub fn production(&self) -> Option<&str> {
        let mut envs = self
            .source
            .connections
            .iter()
            .filter_map(|c| c.env.as_deref());
        envs.find(|env| env.starts_with("prod"))
    }

    pub fn say(&mut self, say: Say) {
        // Long enough to read it: a second and a tenth of one a word.
        let count = say.text.split(' ').count() as u32;
        let until = self.now.mono + Duration::from_secs(3) + Duration::from_millis(150) * count;
        self.said = Some((say, until));
        self.dirty = true;
    }

    /// Shows another view; `Back` returns.
    pub fn go(&mut self, view: View) -> Vec<Effect> {
        if self.view != view {
            self.before.retain(|v| *v != view);
            self.before.push(self.view);
            self.view = view;
        }
        views::entered(self)
    }

    /// How many rows of a list fit, about: for a page up or down.
    pub fn page(&self) -> usize {
        usize::from(self.size.1.saturating_sub(6)).max(1)
    }
}
