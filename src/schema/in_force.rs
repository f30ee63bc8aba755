//! Which schemas a topic's events have now when their bytes name none.

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::sources::{Answer, Known, Side};
use super::{Decoder, SchemaError, Schemas};
use crate::text::hex;

/// How long a registry is waited for.
const PATIENCE: Duration = Duration::from_secs(10);

/// A schema of a topic's keys or values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InForce {
    pub side: Side,
    /// Where the type of an event decides.
    pub event_type: Option<String>,
    pub known: Arc<Known>,
}

impl Decoder {
    /// The schemas of a topic, as far as the topic alone decides; without schemas none. Waits for a
    /// registry, at most 10 s for each question: not for threads that must not.
    pub fn in_force(&self, topic: &str) -> Result<Vec<InForce>, SchemaError> {
        let listed = self.schemas().map(Schemas::catalog);
        let listed = listed.map(|catalog| catalog.in_force(topic, PATIENCE));
        let mut found = Vec::new();
        for listed in listed.transpose()?.unwrap_or_default() {
            match listed.answer {
                Answer::Found(known) => found.push(InForce {
                    side: listed.side,
                    event_type: listed.event_type,
                    known,
                }),
                Answer::Missing => {}
                Answer::Unavailable(why) => return Err(SchemaError(why.to_string())),
                Answer::Pending => {
                    return Err(SchemaError("the registry does not answer".to_owned()));
                }
            }
        }
        Ok(found)
    }
}

impl Known {
    /// The SHA-256 of the text and of all that it references, in hex: the same for the same schema
    /// wherever it is kept.
    pub fn digest(&self) -> String {
        let mut digest = Sha256::new();
        let mut part = |text: &str| {
            digest.update((text.len() as u64).to_le_bytes());
            digest.update(text);
        };
        part(self.source.language.name());
        part(&self.source.text);
        for reference in &self.source.references {
            part(&reference.name);
            part(&reference.text);
        }
        hex(&digest.finalize())
    }
}
