//! Does to each event what the plan's alterations say, and tells the events that are not to be
//! written.

use super::headers::HeaderEdit;
use super::hmac::Hmac;
use super::mapper::{Mapped, Mapper};
use super::masker::Masker;
use super::{Alterations, of_query};
use crate::broker::{Error, ErrorKind, Result};
use crate::event::{Checked, EventRef, SchemaVerdict, Stream, Streams};
use crate::replay::Skip;
use crate::schema::{Decoder, Reader};

/// What alterations need that is no part of a plan.
#[derive(Debug, Clone, Default)]
pub struct Means {
    /// How the events of the sources are decoded.
    pub source: Decoder,
    /// The target's schemas, where it has any.
    pub target: Option<Decoder>,
}

/// The alterations of a plan at work. Keeps its buffers from event to event.
pub struct Alterer {
    reader: Reader,
    masker: Option<Masker>,
    mapper: Option<Mapper>,
    headers: HeaderEdit,
    judge: Option<Reader>,
}

/// What became of an event.
#[derive(Debug)]
pub enum Altered<'a> {
    /// It is written like this.
    Write(EventRef<'a>),
    /// The map gave nothing.
    Drop,
    /// It is not written.
    Reject(Rejected<'a>),
}

/// An event that is not to be written, and why.
#[derive(Debug)]
pub struct Rejected<'a> {
    pub skip: Skip,
    pub reason: String,
    /// As far as it came; `None` where it would show what is to be masked.
    pub event: Option<EventRef<'a>>,
}

impl Alterer {
    /// `None` where there is nothing to do.
    pub fn new(alterations: &Alterations, means: &Means) -> Result<Option<Self>> {
        if alterations.is_nothing() {
            return Ok(None);
        }
        alterations.check()?;
        let masks = &alterations.masks;
        let masker = (!masks.is_empty()).then(|| -> Result<Masker> {
            let hmac = match &alterations.mask_key {
                Some(key) => key.load()?,
                // What is redacted needs none.
                None => Hmac::new(b""),
            };
            Ok(Masker::new(masks, hmac))
        });
        let map = alterations.map.as_deref();
        let judge = match (&means.target, alterations.validate) {
            (_, false) => None,
            (Some(decoder), true) => Some(decoder.reader()),
            (None, true) => {
                return Err(Error::new(
                    ErrorKind::Usage,
                    "what is written is to be checked, and the target has no schemas here",
                )
                .hint("name them by --schemas, or in the target's context"));
            }
        };
        Ok(Some(Self {
            reader: means.source.reader(),
            masker: masker.transpose()?,
            mapper: map.map(Mapper::new).transpose().map_err(of_query)?,
            headers: HeaderEdit::new(&alterations.drop_headers, &alterations.set_headers),
            judge,
        }))
    }

    /// Takes in the table of partitions that the next events are of.
    pub fn begin(&mut self, table: &Streams) {
        if let Some(masker) = &mut self.masker {
            masker.begin(table);
        }
    }

    /// How many values each mask of the plan disguised so far.
    pub fn masked(&self) -> &[u64] {
        self.masker.as_ref().map_or(&[], |masker| &masker.seen)
    }

    /// What is to be written of the event, which goes to `target`. `Err` when the map does not
    /// come to its end.
    pub fn apply<'a>(
        &'a mut self,
        event: &EventRef<'a>,
        target: &'a Stream,
    ) -> Result<Altered<'a>> {
        let mut made = *event;
        if let Some(masker) = &mut self.masker {
            match masker.apply(&mut self.reader, &made) {
                Ok(masked) => made = masked,
                Err(refusal) => {
                    return Ok(Altered::Reject(Rejected {
                        skip: Skip::Unmasked,
                        reason: refusal.0.into_owned(),
                        event: None,
                    }));
                }
            }
        }
        if let Some(mapper) = &mut self.mapper {
            match mapper.apply(&mut self.reader, &made)? {
                Mapped::Event(mapped) => made = mapped,
                Mapped::Dropped => return Ok(Altered::Drop),
                Mapped::Refused(refusal) => {
                    return Ok(Altered::Reject(Rejected {
                        skip: Skip::Unmapped,
                        reason: format!("--map: {}", refusal.0),
                        event: Some(made),
                    }));
                }
            }
        }
        made.headers = self.headers.apply(made.headers);
        if let Some(judge) = &mut self.judge {
            // Its schema is the one of the topic that it goes to.
            let there = EventRef {
                stream: target,
                ..made
            };
            if let Some(reason) = judge.see(&there).schema.and_then(|s| fault(&s)) {
                return Ok(Altered::Reject(Rejected {
                    skip: Skip::Invalid,
                    reason,
                    event: Some(made),
                }));
            }
        }
        Ok(Altered::Write(made))
    }
}

/// What is wrong with an event by its schema.
fn fault(checked: &Checked<'_>) -> Option<String> {
    let what = match checked.verdict {
        SchemaVerdict::Valid | SchemaVerdict::None => return None,
        SchemaVerdict::Invalid => "not valid by the target's schema",
        SchemaVerdict::Undecodable => "not of the format of the target's schema",
        SchemaVerdict::UnknownId => "its schema is not known at the target",
    };
    let faults: Vec<String> = checked
        .faults
        .iter()
        .take(3)
        .map(|fault| {
            let space = if fault.path.is_empty() { "" } else { " " };
            format!("{}{space}{}", fault.path, fault.message)
        })
        .collect();
    Some(if faults.is_empty() {
        what.to_owned()
    } else {
        format!("{what}: {}", faults.join("; "))
    })
}
