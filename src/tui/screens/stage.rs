//! A model with the real brokers, readers and engines behind it, but no terminal and a clock of its
//! own: each effect is done to its end before the next key. What is looked at stands in the tests.

use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyEvent;
use ratatui::buffer::Buffer;
use ratatui::layout::Rect;

use crate::broker::{
    self, Address, BoxFuture, Broker, Capabilities, Error, ErrorKind, Group, PartitionRange,
    Settings, Subscription, TopicInfo, TopicSelector,
};
use crate::event::{Batch, Timestamp};
use crate::inspect::saga;
use crate::query::{Query, QuerySpec};
use crate::replay::Plan;
use crate::replay::alter::Means;
use crate::schema::{self, Decoder, Pins, Schemas};
use crate::tui::connect::{Connect, Connection, ContextRow, OfPlan};
use crate::tui::effects::{Mailbox, Own, World};
use crate::tui::keymap::Chord;
use crate::tui::model::{Model, Options, View};
use crate::tui::msg::{Effect, Intake, Msg, Now, Trouble};
use crate::tui::theme::{Catalog, Glyphs, Theme};
use crate::tui::update::update;
use crate::tui::{app, fixture, views};

/// The virtual now of the demo.
const WALL: Timestamp = Timestamp(1_723_717_920_000);

/// What the screen is tried on.
pub struct Stage {
    pub model: Model,
    world: World,
    mailbox: Mailbox,
    runtime: tokio::runtime::Runtime,
    now: Duration,
    /// What only a terminal could have done.
    pub own: Vec<Own>,
}

impl Stage {
    /// The stream of this source, once everything is read.
    pub fn on(source: &str) -> Self {
        Self::with(source, options())
    }

    pub fn with(source: &str, options: Options) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        let (world, mailbox) = World::new(Arc::new(Opener));
        let mut stage = Self {
            model: Model::new(options, View::Stream),
            world,
            mailbox,
            runtime,
            now: Duration::ZERO,
            own: Vec::new(),
        };
        if !source.is_empty() {
            stage.effects(vec![Effect::Connect(vec![source.to_owned()])]);
        }
        // Time enough for what is shown only for a while.
        stage.pass(Duration::from_secs(30));
        stage
    }

    /// Lets time go by, a tick a second.
    pub fn pass(&mut self, time: Duration) {
        let until = self.now + time;
        while self.now < until {
            self.now = (self.now + Duration::from_secs(1)).min(until);
            self.message(Msg::Tick);
        }
    }

    pub fn message(&mut self, msg: Msg) {
        let now = Now {
            mono: self.now,
            wall: WALL,
        };
        let effects = update(&mut self.model, now, msg);
        self.effects(effects);
    }

    /// Presses keys, named as in the table of actions: `ctrl-p`, `y c`, `G`.
    pub fn press(&mut self, keys: &[&str]) {
        for key in keys.iter().flat_map(|k| k.split(' ')) {
            let chord = Chord::parse(key).unwrap_or_else(|| panic!("{key} is no key"));
            // What is drawn between two keys settles cursors, as on a screen.
            views::settle(&mut self.model);
            self.message(Msg::Key(KeyEvent::new(chord.code, chord.modifiers)));
        }
    }

    /// Types a text.
    pub fn write(&mut self, text: &str) {
        for c in text.chars() {
            let key = if c == ' ' {
                "space".to_owned()
            } else {
                c.to_string()
            };
            let chord = Chord::parse(&key).unwrap();
            self.message(Msg::Key(KeyEvent::new(chord.code, chord.modifiers)));
        }
    }

    /// Batches as of the read under way.
    pub fn batch(&mut self, batch: Batch) {
        let read = self.model.source.read;
        self.message(Msg::Intake {
            read,
            what: Intake::Batch(batch),
        });
    }

    /// The screen at this size.
    pub fn draw(&mut self, width: u16, height: u16) -> Buffer {
        if self.model.size != (width, height) {
            self.message(Msg::Resize(width, height));
        }
        views::settle(&mut self.model);
        let mut buffer = Buffer::empty(Rect::new(0, 0, width, height));
        app::render(&self.model, &mut buffer);
        buffer
    }

    fn effects(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            for msg in self.done(effect) {
                self.message(msg);
            }
        }
    }

    /// Does one effect to its end; what came of it.
    fn done(&mut self, effect: Effect) -> Vec<Msg> {
        let answers = match &effect {
            Effect::Read(_) => None,
            Effect::Probe(rows) => Some(rows.len()),
            _ => Some(1),
        };
        let mut effect = effect;
        let mut follows = false;
        if let Effect::Read(request) = &mut effect {
            // What is there is read; what would come later is not waited for.
            follows = std::mem::take(&mut request.follow);
        }
        let Self {
            world,
            mailbox,
            runtime,
            ..
        } = self;
        runtime.block_on(async {
            if let Some(own) = world.run(effect) {
                self.own.push(own);
                return Vec::new();
            }
            let mut came = Vec::new();
            match answers {
                Some(answers) => {
                    while came.len() < answers {
                        came.push(mailbox.messages.recv().await.unwrap());
                    }
                }
                None => read(mailbox, &mut came).await,
            }
            came.retain(|m| !(follows && is_end(m)));
            came
        })
    }
}

/// Everything of a read, until it ends or fails.
async fn read(mailbox: &mut Mailbox, came: &mut Vec<Msg>) {
    loop {
        let msg = mailbox.intake.recv().await.unwrap();
        let last = is_end(&msg)
            || matches!(
                &msg,
                Msg::Intake {
                    what: Intake::Failed(_),
                    ..
                }
            );
        came.push(msg);
        if last {
            return;
        }
    }
}

const fn is_end(msg: &Msg) -> bool {
    matches!(
        msg,
        Msg::Intake {
            what: Intake::End,
            ..
        }
    )
}

/// The plain theme, a small buffer, the whole demo.
pub fn options() -> Options {
    let catalog = Catalog::new(None);
    let names = catalog.list().unwrap();
    let themes: Vec<Theme> = names
        .iter()
        .map(|l| catalog.load(&l.name).unwrap().0)
        .collect();
    Options {
        theme: themes[0].clone(),
        themes,
        glyphs: Glyphs::of(false),
        memory: 16 << 20,
        contexts: contexts(),
        select: Arc::new(Query::compile(&QuerySpec::default()).unwrap()),
        follow: true,
        now: Some(WALL),
        filters: vec![(
            "failed".to_owned(),
            ".value.eventType == \"PaymentFailed\"".to_owned(),
        )],
        ..fixture::options()
    }
}

fn contexts() -> Vec<ContextRow> {
    let row = |name: &str, url: &str, env: Option<&str>, read_only| ContextRow {
        name: name.to_owned(),
        url: url.to_owned(),
        env: env.map(str::to_owned),
        read_only,
    };
    vec![
        row("local", "kafka://localhost:9092", None, false),
        row("prod", "kafka://broker-1:9093", Some("prod"), true),
    ]
}

/// Opens the demo, kept still, and names for what is tried: `gone` does not answer, `nothing` is
/// a demo without the topic that is asked for.
struct Opener;

impl Connect for Opener {
    fn open(&self, text: &str) -> Result<Connection, Trouble> {
        let settings = Settings {
            frozen: true,
            read_only: text == "prod",
            ..Settings::default()
        };
        let (broker, address): (Arc<dyn Broker>, _) = if text.starts_with("demo:") {
            let address = Address::parse(text).unwrap();
            (broker::registry::open(&address, &settings)?, address)
        } else {
            let address = Address::parse("kafka://broker-1:9093/orders").unwrap();
            (Arc::new(Gone), address)
        };
        Ok(Connection {
            shown: text.to_owned(),
            address,
            broker,
            settings,
            env: (text == "prod").then(|| "prod".to_owned()),
        })
    }

    fn decoder(&self, texts: &[String]) -> Result<Decoder, Trouble> {
        let demo = texts.iter().all(|text| text.starts_with("demo:"));
        let schemas = demo.then(|| Schemas::new(schema::Catalog::Demo, false));
        Ok(Decoder::new(Pins::default(), Vec::new(), schemas))
    }

    fn sagas(&self, texts: &[String]) -> Result<Option<Arc<saga::Model>>, Trouble> {
        let demo = texts.iter().all(|text| text.starts_with("demo:"));
        let model = || saga::Model::parse(broker::demo::SAGA, false).unwrap();
        Ok(demo.then(|| Arc::new(model())))
    }

    fn plan(&self, plan: &Plan) -> Result<OfPlan, Trouble> {
        let texts: Vec<String> = plan.sources.iter().map(|s| s.address.to_string()).collect();
        Ok(OfPlan {
            sources: texts
                .iter()
                .map(|t| self.open(t))
                .collect::<Result<_, _>>()?,
            target: self.open(&plan.target.address.to_string())?,
            means: Means {
                source: self.decoder(&texts)?,
                target: plan
                    .alterations
                    .validate
                    .then(|| self.decoder(&[plan.target.address.to_string()]))
                    .transpose()?,
            },
        })
    }

    fn contexts(&self) -> Vec<ContextRow> {
        contexts()
    }
}

/// A broker that is not there.
struct Gone;

impl Gone {
    fn error() -> Error {
        Error::new(
            ErrorKind::Unreachable,
            "broker-1:9093: connection refused by \u{1b}[31mits host",
        )
        .hint("is the broker running, and is this its address?")
    }

    fn fails<'a, T: Send + 'a>() -> BoxFuture<'a, broker::Result<T>> {
        Box::pin(async { Err(Self::error()) })
    }
}

impl Broker for Gone {
    fn capabilities(&self) -> Capabilities {
        let address = Address::parse("demo:").unwrap();
        let demo = broker::registry::open(&address, &Settings::default()).unwrap();
        Capabilities {
            time_ordered: false,
            ..demo.capabilities()
        }
    }

    fn topics<'a>(&'a self, _: &'a TopicSelector) -> BoxFuture<'a, broker::Result<Vec<TopicInfo>>> {
        Self::fails()
    }

    fn groups(&self) -> BoxFuture<'_, broker::Result<Vec<Group>>> {
        Self::fails()
    }

    fn cluster(&self) -> BoxFuture<'_, broker::Result<Option<String>>> {
        Self::fails()
    }

    fn resolve<'a>(
        &'a self,
        _: &'a Subscription,
    ) -> BoxFuture<'a, broker::Result<Vec<PartitionRange>>> {
        Self::fails()
    }

    fn source<'a>(
        &'a self,
        _: &'a Subscription,
    ) -> BoxFuture<'a, broker::Result<Box<dyn broker::Source>>> {
        Self::fails()
    }
}
