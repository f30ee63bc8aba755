//! A Confluent-compatible schema registry, asked over HTTP by one thread of its own. Looking
//! something up never waits: what is not known yet is `Pending`. What failed is not asked for
//! again within a minute, whoever asks.

mod answers;
mod client;
mod disk;
mod fetch;
mod librarian;
mod memory;
#[cfg(test)]
pub(in crate::schema) mod mock;
#[cfg(test)]
mod tests;
mod tls;
mod url;

use std::sync::Arc;
use std::sync::mpsc::SyncSender;
use std::time::{Duration, Instant};

use super::{Answer, Known, SchemaId, Settings, Side, SubjectStrategy, Wanted, subjects_for};
use crate::schema::SchemaError;
use client::Client;
use disk::Disk;
use memory::{Clock, Memory, State};

/// Questions that may wait for the librarian.
const QUEUE: usize = 256;

/// What a registry can be asked.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Question {
    Id(u32),
    Global(u64),
    Guid([u8; 16]),
    Latest(String),
    Version(String, u32),
    Versions(String),
    Subjects,
}

/// An answer to one of them.
#[derive(Debug, Clone)]
enum Filed {
    Schema(Arc<Known>),
    Numbers(Arc<[u32]>),
    Names(Arc<[String]>),
}

/// Whether the registry works.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RegistryState {
    /// Why the last answer was none; free of secrets. `None` while it works.
    pub failing: Option<Arc<str>>,
    /// Since when.
    pub since: Option<Instant>,
}

/// One registry. It is asked by a thread that ends with this value.
#[derive(Debug)]
pub struct Registry {
    memory: Arc<Memory>,
    questions: SyncSender<Question>,
    url: String,
    strategies: [Option<SubjectStrategy>; 2],
}

impl Registry {
    /// Reads the URL, the settings and the files that they name; the network is not touched.
    pub fn open(url: &str, settings: &Settings) -> Result<Self, SchemaError> {
        Self::start(
            Client::new(url, settings)?,
            settings,
            Arc::new(Instant::now),
        )
    }

    /// With a clock that a test moves.
    #[cfg(test)]
    pub(in crate::schema) fn with_hands(url: &str, hands: &mock::Hands) -> Self {
        let settings = Settings::default();
        let client = Client::new(url, &settings).unwrap();
        Self::start(client, &settings, hands.clock()).unwrap()
    }

    fn start(client: Client, settings: &Settings, clock: Clock) -> Result<Self, SchemaError> {
        let url = client.base.url.clone();
        let cache = settings.cache.as_deref();
        let disk = cache.and_then(|folder| Disk::open(folder, &url));
        let memory = Arc::new(Memory::new(clock));
        let questions = librarian::start(client, disk, Arc::clone(&memory))?;
        Ok(Self {
            memory,
            questions,
            url,
            strategies: settings.strategies,
        })
    }

    /// The schema of that id. Ids of a kind that registries do not have are missing.
    pub fn by_id(&self, id: &SchemaId) -> Answer {
        Self::question(id).map_or(Answer::Missing, |question| self.ask(&question))
    }

    /// The same, waiting for the answer.
    pub fn wait(&self, id: &SchemaId, patience: Duration) -> Answer {
        match Self::question(id) {
            Some(question) => schema(self.insist(&question, patience)),
            None => Answer::Missing,
        }
    }

    /// The id in a URL of this registry: `…/schemas/ids/7`, `…/schemas/guids/UUID`.
    pub fn named(&self, url: &str) -> Option<SchemaId> {
        let path = url.strip_prefix(&self.url)?.strip_prefix("/schemas/")?;
        if let Some(number) = path.strip_prefix("ids/") {
            return number.parse().ok().map(SchemaId::Number);
        }
        let mut guid = [0; 16];
        let digits = path.strip_prefix("guids/")?.replace('-', "");
        if digits.len() != 32 {
            return None;
        }
        for (at, byte) in guid.iter_mut().enumerate() {
            *byte = u8::from_str_radix(digits.get(2 * at..2 * at + 2)?, 16).ok()?;
        }
        Some(SchemaId::Guid(guid))
    }

    fn question(id: &SchemaId) -> Option<Question> {
        match id {
            SchemaId::Number(id) => Some(Question::Id(*id)),
            SchemaId::Long(id) => Some(Question::Global(*id)),
            SchemaId::Guid(guid) => Some(Question::Guid(*guid)),
            SchemaId::Name(_) | SchemaId::Fingerprint(_) => None,
        }
    }

    /// The latest schema of the first of the topic's subjects that there is.
    pub fn for_topic(&self, wanted: &Wanted<'_>) -> Answer {
        self.first_subject(wanted, |question| self.ask(question))
    }

    /// The same, waiting for the answer.
    pub fn wait_for_topic(&self, wanted: &Wanted<'_>, patience: Duration) -> Answer {
        let until = Instant::now() + patience;
        self.first_subject(wanted, |question| {
            let left = until.saturating_duration_since(Instant::now());
            schema(self.insist(question, left))
        })
    }

    fn first_subject(&self, wanted: &Wanted<'_>, ask: impl Fn(&Question) -> Answer) -> Answer {
        let pinned = self.strategies[usize::from(wanted.side == Side::Value)];
        let subjects = subjects_for(wanted.topic, wanted.side, wanted.record_name, pinned);
        for subject in subjects {
            match ask(&Question::Latest(subject)) {
                Answer::Missing => {}
                Answer::Found(known)
                    if wanted.language.is_some_and(|l| l != known.source.language) => {}
                // Another subject's schema in the place of this one could be wrong.
                other => return other,
            }
        }
        Answer::Missing
    }

    /// The latest version of a subject, asked for again after a minute.
    pub fn subject_latest(&self, subject: &str) -> Answer {
        self.ask(&Question::Latest(subject.to_owned()))
    }

    /// One version of a subject, waiting for the answer.
    pub fn subject_version(&self, subject: &str, version: u32, patience: Duration) -> Answer {
        schema(self.insist(&Question::Version(subject.to_owned(), version), patience))
    }

    /// The versions of a subject; empty when there is no such subject.
    pub fn versions(&self, subject: &str, patience: Duration) -> Result<Arc<[u32]>, SchemaError> {
        match self.insist(&Question::Versions(subject.to_owned()), patience) {
            State::Filed(Filed::Numbers(numbers)) => Ok(numbers),
            State::Missing => Ok(Arc::new([])),
            other => Err(self.no_list(&other)),
        }
    }

    /// All subjects.
    pub fn subjects(&self, patience: Duration) -> Result<Arc<[String]>, SchemaError> {
        match self.insist(&Question::Subjects, patience) {
            State::Filed(Filed::Names(names)) => Ok(names),
            other => Err(self.no_list(&other)),
        }
    }

    fn no_list(&self, state: &State) -> SchemaError {
        SchemaError(match state {
            State::Unavailable(why) => why.to_string(),
            _ => format!(
                "the schema registry {}: it did not answer in time",
                self.url
            ),
        })
    }

    /// Whether it works, as far as it was asked.
    pub fn state(&self) -> RegistryState {
        self.memory.registry_state()
    }

    /// Its URL, without a login.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn ask(&self, question: &Question) -> Answer {
        schema(self.memory.look(question, &self.questions))
    }

    fn insist(&self, question: &Question, patience: Duration) -> State {
        self.memory.wait(question, &self.questions, patience)
    }
}

fn schema(state: State) -> Answer {
    match state {
        State::Filed(Filed::Schema(known)) => Answer::Found(known),
        // No other question is put by those who want a schema.
        State::Filed(_) | State::Missing => Answer::Missing,
        State::Unavailable(why) => Answer::Unavailable(why),
        State::Pending => Answer::Pending,
    }
}
