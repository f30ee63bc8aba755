//! The loop: messages in, model changed, effects out, a frame when something changed.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use super::canvas::Canvas;
use super::connect::Connect;
use super::effects::{Mailbox, Own, World, files};
use super::model::{Model, Options, View};
use super::msg::{Effect, Msg, Now, Say};
use super::terminal::{Keys, Screen, give_back};
use super::update::update;
use super::views;
use crate::event::Timestamp;
use crate::pipeline::Stop;
use crate::text::human;

/// Frames are this far apart at least.
const FRAME: Duration = Duration::from_millis(33);
/// Time passes for the model this often.
const TICK: Duration = Duration::from_millis(250);
/// How long messages are taken before keys and the frame have their turn again.
const TURN: Duration = Duration::from_millis(10);
/// A clipboard takes no more; terminals cut or drop what is longer.
const CLIPBOARD: usize = 74 * 1024;

/// What the screen begins with.
pub struct Start {
    pub options: Options,
    pub connect: Arc<dyn Connect>,
    /// Sources to be opened, as they were typed. None: the contexts are shown.
    pub sources: Vec<String>,
    pub view: View,
    pub stop: Stop,
}

/// What is said when the screen is gone.
pub struct Ended {
    pub lines: Vec<String>,
}

/// Runs until a person or a signal ends it.
pub async fn run(start: Start) -> io::Result<Ended> {
    let mut screen = Screen::take()?;
    let (sender, keys_in) = mpsc::channel(64);
    let keys = Keys::listen(sender)?;
    let (world, mailbox) = World::new(start.connect);
    let mut model = Model::new(start.options, start.view);
    let size = screen.terminal.size()?;
    model.size = (size.width, size.height);
    let first = if start.sources.is_empty() {
        super::update::act(&mut model, super::actions::Action::Sources)
    } else {
        vec![Effect::Connect(start.sources)]
    };
    let mut app = App {
        model,
        world,
        keys,
        started: Instant::now(),
        drawn: None,
        ticked: Instant::now(),
    };
    let quit = app.effects(first, &mut screen)?;
    if !quit {
        app.pump(&mut screen, mailbox, keys_in, start.stop).await?;
    }
    drop(screen);
    give_back();
    Ok(app.ended())
}

struct App {
    model: Model,
    world: World,
    keys: Keys,
    started: Instant,
    drawn: Option<Instant>,
    ticked: Instant,
}

impl App {
    async fn pump(
        &mut self,
        screen: &mut Screen,
        mut mailbox: Mailbox,
        mut keys_in: mpsc::Receiver<Msg>,
        mut stop: Stop,
    ) -> io::Result<()> {
        loop {
            self.frame(screen)?;
            let wake = self.wake();
            let msg = tokio::select! {
                biased;
                () = stop.stopped() => Some(Msg::Stop),
                key = keys_in.recv() => Some(key.unwrap_or(Msg::Stop)),
                msg = mailbox.messages.recv() => msg,
                msg = mailbox.intake.recv() => msg,
                () = tokio::time::sleep_until(wake.into()) => None,
            };
            let turn = Instant::now();
            let mut next = msg;
            while let Some(msg) = next.take() {
                if self.message(msg, screen)? {
                    return Ok(());
                }
                // Keys first, however much comes in.
                next = keys_in.try_recv().ok();
                if next.is_none() && turn.elapsed() < TURN {
                    next = mailbox.messages.try_recv().ok();
                    next = next.or_else(|| mailbox.intake.try_recv().ok());
                }
            }
            if self.ticked.elapsed() >= TICK {
                self.ticked = Instant::now();
                if self.message(Msg::Tick, screen)? {
                    return Ok(());
                }
            }
        }
    }

    /// When there is something to do though no message comes.
    fn wake(&self) -> Instant {
        let tick = self.ticked + TICK;
        match self.drawn {
            Some(drawn) if self.model.dirty => tick.min(drawn + FRAME),
            _ => tick,
        }
    }

    fn now(&self) -> Now {
        Now {
            mono: self.started.elapsed(),
            wall: Timestamp::wall_clock(),
        }
    }

    /// True when it is to end.
    fn message(&mut self, msg: Msg, screen: &mut Screen) -> io::Result<bool> {
        let now = self.now();
        let effects = update(&mut self.model, now, msg);
        self.effects(effects, screen)
    }

    fn effects(&mut self, effects: Vec<Effect>, screen: &mut Screen) -> io::Result<bool> {
        for effect in effects {
            match self.world.run(effect) {
                None => {}
                Some(Own::Quit) => return Ok(true),
                Some(Own::Suspend) => screen.suspend(&self.keys)?,
                Some(Own::Mouse(on)) => screen.mouse(on)?,
                Some(Own::Copy { what, bytes }) => self.copy(screen, &what, &bytes)?,
                Some(Own::Edit { ending, bytes }) => self.edit(screen, ending, &bytes),
            }
            self.model.dirty = true;
        }
        Ok(false)
    }

    fn copy(&mut self, screen: &mut Screen, what: &str, bytes: &[u8]) -> io::Result<()> {
        let size = human::size(bytes.len() as u64);
        if bytes.len() <= CLIPBOARD {
            screen.copy(bytes)?;
            self.model.say(Say::good(format!(
                "copied {what} ({size}), if the terminal allows it"
            )));
            return Ok(());
        }
        let say = match files::aside(bytes, "txt") {
            Ok(path) => Say::info(format!(
                "{what} ({size}) is too large for a clipboard: it is in {}",
                path.display()
            )),
            Err(error) => Say::bad(format!("cannot write {what} into a file: {error}")),
        };
        self.model.say(say);
        Ok(())
    }

    fn edit(&mut self, screen: &mut Screen, ending: &str, bytes: &[u8]) {
        let edited = files::aside(bytes, ending).and_then(|path| {
            screen.edit(&self.keys, &path)?;
            Ok(path)
        });
        self.model.say(match edited {
            Ok(path) => Say::info(format!("a copy; it is in {}", path.display())),
            Err(error) => Say::bad(format!("cannot open the editor: {error}")),
        });
    }

    fn frame(&mut self, screen: &mut Screen) -> io::Result<()> {
        let due = self.drawn.is_none_or(|drawn| drawn.elapsed() >= FRAME);
        if !self.model.dirty || !due {
            return Ok(());
        }
        views::settle(&mut self.model);
        let begun = self.model.stream.detail.take_pending();
        self.effects(begun, screen)?;
        let model = &self.model;
        screen.draw(|frame| render(model, frame.buffer_mut()))?;
        self.model.dirty = false;
        self.drawn = Some(Instant::now());
        Ok(())
    }

    fn ended(&self) -> Ended {
        let feed = &self.model.feed;
        let mut lines = Vec::new();
        if feed.scanned.events > 0 {
            let evicted = match feed.store.evicted {
                0 => String::new(),
                n => format!(", {} evicted", human::count(n)),
            };
            lines.push(format!(
                "looked at {} events of {}{evicted}",
                human::count(feed.scanned.events),
                views::chrome::source_name(&self.model)
            ));
            lines.push(format!("again: {}", super::command::line(&self.model)));
        }
        Ended { lines }
    }
}

/// Draws the model into a buffer: the whole screen, from nothing.
pub fn render(model: &Model, buffer: &mut ratatui::buffer::Buffer) {
    let mut canvas = Canvas::new(buffer, &model.options.theme, model.options.glyphs);
    views::draw(model, &mut canvas);
}
