//! Does what the screen asks of the world, and tells it what came of it.

mod asks;
pub mod files;
mod read;
pub mod scan;

use std::sync::Arc;

use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::connect::Connect;
use super::msg::{Effect, Msg, Say, Trouble};

/// Messages that wait for the screen.
const WAITING: usize = 256;
/// Batches that wait for the screen: not taking them is what holds the broker back.
const BATCHES: usize = 8;

/// What the loop reads from.
pub struct Mailbox {
    pub messages: mpsc::Receiver<Msg>,
    pub intake: mpsc::Receiver<Msg>,
}

/// Runs effects. Dropping it ends the read.
pub struct World {
    messages: mpsc::Sender<Msg>,
    intake: mpsc::Sender<Msg>,
    connect: Arc<dyn Connect>,
    reading: Option<JoinHandle<()>>,
}

/// What only the loop can do, as it has the terminal.
pub enum Own {
    Quit,
    Suspend,
    Mouse(bool),
    Copy {
        what: String,
        bytes: Vec<u8>,
    },
    Edit {
        ending: &'static str,
        bytes: Vec<u8>,
    },
}

impl World {
    pub fn new(connect: Arc<dyn Connect>) -> (Self, Mailbox) {
        let (messages, from_world) = mpsc::channel(WAITING);
        let (intake, batches) = mpsc::channel(BATCHES);
        let world = Self {
            messages,
            intake,
            connect,
            reading: None,
        };
        let mailbox = Mailbox {
            messages: from_world,
            intake: batches,
        };
        (world, mailbox)
    }

    /// Begins an effect; gives back what the loop has to do itself.
    pub fn run(&mut self, effect: Effect) -> Option<Own> {
        match effect {
            Effect::Quit => return Some(Own::Quit),
            Effect::Suspend => return Some(Own::Suspend),
            Effect::Mouse(on) => return Some(Own::Mouse(on)),
            Effect::Copy { what, bytes } => return Some(Own::Copy { what, bytes }),
            Effect::Edit { ending, bytes } => return Some(Own::Edit { ending, bytes }),
            Effect::Read(request) => {
                if let Some(before) = self.reading.take() {
                    before.abort();
                }
                let task = read::run(request, self.intake.clone());
                self.reading = Some(tokio::spawn(task));
            }
            Effect::EndRead => {
                if let Some(before) = self.reading.take() {
                    before.abort();
                }
            }
            Effect::Scan(scan) => self.blocking(move || {
                let generation = scan.generation;
                match scan::search(&scan) {
                    Ok(found) => Msg::Scanned { generation, found },
                    Err(error) => Msg::ScanFailed {
                        generation,
                        message: error.message,
                    },
                }
            }),
            Effect::Topics(index, connection) => self.wait(asks::topics(index, connection)),
            Effect::Groups(index, connection) => self.wait(asks::groups(index, connection)),
            Effect::Connect(texts) => {
                let connect = self.connect.clone();
                self.blocking(move || asks::connect(&*connect, &texts));
            }
            Effect::Probe(rows) => {
                for row in rows {
                    self.wait(asks::probe(self.connect.clone(), row));
                }
            }
            Effect::Open(text, then) => {
                let open = move |connect: &dyn Connect| {
                    let connection = connect.open(&text)?;
                    let decoder = connect.decoder(&[text])?;
                    Ok((connection, decoder))
                };
                self.open(open, then);
            }
            Effect::OpenPlan(plan, then) => {
                self.open(move |connect: &dyn Connect| connect.plan(&plan), then);
            }
            Effect::Work(work) => self.blocking(work),
            Effect::Wait(work) => self.wait(work),
            Effect::Keep(kept) => self.blocking(move || {
                let path = kept.path.display();
                match files::keep(&kept) {
                    Ok(()) => Msg::Said(Say::good(format!("kept in {path}"))),
                    Err(error) => Msg::Said(Say::bad(format!("cannot write {path}: {error}"))),
                }
            }),
        }
        None
    }

    /// Opens on a thread that may wait for a command, and goes on with what that gave.
    fn open<T: Send + 'static>(
        &self,
        open: impl FnOnce(&dyn Connect) -> Result<T, Trouble> + Send + 'static,
        then: impl FnOnce(Result<T, Trouble>) -> BoxFuture<'static, Msg> + Send + 'static,
    ) {
        let connect = self.connect.clone();
        self.wait(async move {
            let opened = tokio::task::spawn_blocking(move || open(&*connect));
            let opened = opened.await.unwrap_or_else(|error| {
                Err(Trouble {
                    message: error.to_string(),
                    hint: None,
                })
            });
            then(opened).await
        });
    }

    fn wait(&self, work: impl Future<Output = Msg> + Send + 'static) {
        let messages = self.messages.clone();
        tokio::spawn(async move {
            // The screen that asked may be gone.
            messages.send(work.await).await.ok();
        });
    }

    fn blocking(&self, work: impl FnOnce() -> Msg + Send + 'static) {
        let messages = self.messages.clone();
        tokio::task::spawn_blocking(move || messages.blocking_send(work()).ok());
    }
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(reading) = self.reading.take() {
            reading.abort();
        }
    }
}
