//! What an event is known by and what it says, as hashes that both sides have in common.

use std::hash::{BuildHasher, Hasher, RandomState};

use super::canon::Canon;
use super::rules::Rules;
use super::sketch::SLOTS;
use crate::event::{Decoded, EventRef, Headers};
use crate::inspect::Names;
use crate::schema::Reader;

/// One event, as a comparison sees it. Hashes of 64 bits under a secret of the run: that two
/// different events are taken for the same happens once in 10^19 comparisons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Seen {
    /// Which part of the sketch it is in: all events of a key are in one.
    pub slot: u16,
    /// Of what it is known by: its id, else its key, else what it says.
    pub identity: u64,
    /// Of what it says.
    pub content: u64,
    /// Of its key, with its topic where that counts; 0 for an event without a key.
    pub key: u64,
}

/// Looks at the events of one side.
pub struct Look {
    rules: Rules,
    secret: RandomState,
    names: Names,
    canon: Canon,
    reader: Reader,
}

impl Look {
    pub fn new(rules: Rules, reader: Reader) -> Self {
        Self::sharing(rules, reader, RandomState::new())
    }

    fn sharing(rules: Rules, reader: Reader, secret: RandomState) -> Self {
        Self {
            canon: Canon::new(secret.clone(), rules.ignored.clone()),
            rules,
            secret,
            names: Names::default(),
            reader,
        }
    }

    /// The same for the other side, whose values may be decoded otherwise.
    #[must_use]
    pub fn twin(&self, reader: Reader) -> Self {
        Self::sharing(self.rules.clone(), reader, self.secret.clone())
    }

    /// What decodes this side, for another reading.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    fn hash(&self, event: &EventRef<'_>, feed: impl FnOnce(&mut dyn Hasher)) -> u64 {
        let mut hasher = self.secret.build_hasher();
        if self.rules.topics {
            write(&mut hasher, Some(event.stream.topic.as_bytes()));
        }
        feed(&mut hasher);
        hasher.finish()
    }

    pub fn see(&mut self, event: &EventRef<'_>) -> Seen {
        let value = self.value(event);
        let id = self.names.heads(event.headers).id;
        let content = self.hash(event, |hasher| {
            hasher.write_u8(0);
            write(hasher, event.key);
            hasher.write_u64(value);
            self.headers(hasher, event.headers);
            if self.rules.timestamps {
                hasher.write_i64(event.time().map_or(i64::MIN, |time| time.0));
            }
        });
        let key = event.key.map(|key| {
            let hash = self.hash(event, |hasher| {
                hasher.write_u8(1);
                write(hasher, Some(key));
            });
            // Zero says that there is none.
            hash.max(1)
        });
        let identity = match (id.filter(|_| !self.rules.by_key), key) {
            (Some(id), _) => self.hash(event, |hasher| {
                hasher.write_u8(2);
                write(hasher, Some(id));
            }),
            (None, Some(key)) => key,
            // Nothing but what it says tells it from others.
            (None, None) => content,
        };
        Seen {
            slot: (key.unwrap_or(identity) % SLOTS as u64) as u16,
            identity,
            content,
            key: key.unwrap_or_default(),
        }
    }

    fn value(&mut self, event: &EventRef<'_>) -> u64 {
        let plain = |kind: u8, bytes: &[u8]| {
            let mut hasher = self.secret.build_hasher();
            hasher.write_u8(kind);
            hasher.write(bytes);
            hasher.finish()
        };
        match self.reader.see(event).value.data {
            Decoded::Null => plain(0, b""),
            Decoded::Json(json) => {
                let hash = self.canon.hash(json.as_bytes());
                hash.unwrap_or_else(|| plain(1, json.as_bytes()))
            }
            Decoded::Text(_) | Decoded::Binary(_) => plain(1, event.value.unwrap_or_default()),
        }
    }

    fn headers(&self, hasher: &mut dyn Hasher, headers: Headers<'_>) {
        for (name, value) in headers {
            if !self
                .rules
                .leaves_out(&String::from_utf8_lossy(name), &self.names)
            {
                write(hasher, Some(name));
                write(hasher, value);
            }
        }
    }
}

/// Null is not empty, and where one ends the next begins.
fn write(hasher: &mut dyn Hasher, bytes: Option<&[u8]>) {
    match bytes {
        None => hasher.write_u64(u64::MAX),
        Some(bytes) => {
            hasher.write_u64(bytes.len() as u64);
            hasher.write(bytes);
        }
    }
}
