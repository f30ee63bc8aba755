//! What happens to the screen, and what it asks of the world outside. `update` stands between
//! them and does nothing else.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossterm::event::KeyEvent;

use super::connect::{Connected, Connection, ContextRow, OfPlan};
use super::model::feed::{Scan, ScannedChunk};
use crate::broker::{Bound, Group, Overview, TopicSelector};
use crate::event::{Batch, Position, Select, Timestamp};
use crate::replay::Plan;
use crate::schema::Decoder;

/// The clocks at the moment of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Now {
    /// Since the screen began.
    pub mono: Duration,
    pub wall: Timestamp,
}

/// Something that failed outside: what, and what to try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    pub message: String,
    pub hint: Option<String>,
}

impl std::convert::From<crate::broker::Error> for Trouble {
    fn from(error: crate::broker::Error) -> Self {
        let hint = error.hint.clone();
        Self {
            message: error.to_string(),
            hint,
        }
    }
}

/// What happened.
pub enum Msg {
    Key(KeyEvent),
    Paste(String),
    Resize(u16, u16),
    /// Rows down (positive) or up, by the mouse's wheel.
    Wheel(i16),
    Click {
        column: u16,
        row: u16,
    },
    /// Time passed.
    Tick,
    Intake {
        read: u64,
        what: Intake,
    },
    Scanned {
        generation: u64,
        found: Vec<ScannedChunk>,
    },
    ScanFailed {
        generation: u64,
        message: String,
    },
    Topics {
        connection: usize,
        found: Result<Overview, Trouble>,
    },
    Groups {
        connection: usize,
        found: Result<Vec<Group>, Trouble>,
    },
    Connected(Result<Connected, Trouble>),
    /// A context answered, or did not.
    Probed {
        name: String,
        reachable: Result<String, Trouble>,
    },
    /// Something for the person, once.
    Said(Say),
    /// A job on another thread came back; its view knows what it is.
    Done(Then),
    /// The program is to end: a signal.
    Stop,
}

/// What a job that came back does to the model.
pub type Then = Box<dyn FnOnce(&mut super::Model) -> Vec<Effect> + Send>;

/// A line for the person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Say {
    pub tone: Tone,
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    Info,
    Good,
    Bad,
}

impl Say {
    pub fn info(text: impl Into<String>) -> Self {
        Self {
            tone: Tone::Info,
            text: text.into(),
        }
    }

    pub fn good(text: impl Into<String>) -> Self {
        Self {
            tone: Tone::Good,
            text: text.into(),
        }
    }

    pub fn bad(text: impl Into<String>) -> Self {
        Self {
            tone: Tone::Bad,
            text: text.into(),
        }
    }
}

/// What a read hands on.
pub enum Intake {
    Batch(Batch),
    Progress(Option<(u64, u64)>),
    /// What a person should know: reconnects, damage.
    Notice(String),
    /// The whole range was read.
    End,
    Failed(Trouble),
}

/// A read to be begun. It takes the place of the one before.
#[derive(Clone)]
pub struct ReadRequest {
    pub read: u64,
    pub connections: Vec<Arc<Connection>>,
    /// The topics of each connection, none of some; as they were given when absent.
    pub topics: Option<Vec<Option<TopicSelector>>>,
    pub partitions: Vec<u32>,
    pub from: From,
    pub until: Bound,
    pub follow: bool,
    pub select: Arc<dyn Select>,
    /// Bytes that the sources may hold.
    pub memory: usize,
}

/// Where a read begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum From {
    Bound(Bound),
    /// Around this event: some positions before it, in its partition, to the end.
    Around {
        topic: Arc<str>,
        partition: u32,
        position: Position,
    },
}

/// What is asked of the world.
pub enum Effect {
    Quit,
    Suspend,
    Read(ReadRequest),
    /// Ends the read under way; none takes its place.
    EndRead,
    Scan(Scan),
    Topics(usize, Arc<Connection>),
    Groups(usize, Arc<Connection>),
    /// Opens what these texts name.
    Connect(Vec<String>),
    /// Asks each context whether it answers.
    Probe(Vec<ContextRow>),
    /// To the clipboard of the terminal, or into a file when it is too large.
    Copy {
        what: String,
        bytes: Vec<u8>,
    },
    /// Into the editor, as a file with this ending.
    Edit {
        ending: &'static str,
        bytes: Vec<u8>,
    },
    Mouse(bool),
    /// Work on a thread of its own, which comes back as a message.
    Work(Box<dyn FnOnce() -> Msg + Send>),
    /// Opens what a text names, and goes on with it.
    Open(String, OpenThen),
    /// Opens both sides of a plan that was made before, and goes on with them.
    OpenPlan(Box<Plan>, OpenPlanThen),
    /// Work that waits for a broker or a file.
    Wait(futures_util::future::BoxFuture<'static, Msg>),
    /// Writes what a person keeps: saved filters, the theme.
    Keep(Kept),
}

/// What is done with something that was opened, or was not.
pub type OpenThen = Box<
    dyn FnOnce(
            Result<(Connection, Decoder), Trouble>,
        ) -> futures_util::future::BoxFuture<'static, Msg>
        + Send,
>;

/// The same with the sides of a plan.
pub type OpenPlanThen = Box<
    dyn FnOnce(Result<OfPlan, Trouble>) -> futures_util::future::BoxFuture<'static, Msg> + Send,
>;

/// What lasts from one run to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kept {
    pub path: PathBuf,
    pub text: String,
}
