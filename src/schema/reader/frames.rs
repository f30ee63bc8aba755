//! Tries one framing: which schema the bytes name by it, and whether they decode by that to their
//! last byte.

use super::Desk;
use super::apply::Lies;
use super::made::{Data, Id, Made};
use super::work::Work;
use crate::event::codec::StreamKind;
use crate::schema::compiler::Ready;
use crate::schema::formats::frame::Frame;
use crate::schema::formats::{cbor, inflate};
use crate::schema::sources::SchemaId;
use crate::schema::{Language, Refusal, avro};

/// How trying one framing ended.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Made(Made<'a>),
    /// A schema that is not known; the desk says which and why.
    Unknown(Option<Id>),
    /// The schema is known, and these are not its bytes; the desk says why.
    Refused(Option<Id>),
    /// It is not this framing.
    No,
}

impl<'e> Work<'_, 'e> {
    /// What the bytes are if they have that framing.
    pub(super) fn frame(
        &mut self,
        frame: Frame<'e>,
        bytes: &'e [u8],
        only: Option<Language>,
        desk: &mut Desk,
    ) -> Step<'e> {
        match frame {
            Frame::Confluent { id, payload } => {
                self.by_id(&SchemaId::Number(id), payload, None, only, desk)
            }
            Frame::HeaderId {
                id,
                indexes,
                payload,
            } => self.by_id(&SchemaId::Number(id), payload, Some(indexes), only, desk),
            Frame::Guid {
                guid,
                indexes,
                payload,
            } => self.by_id(&SchemaId::Guid(guid), payload, Some(indexes), only, desk),
            Frame::Glue {
                version,
                zlib,
                payload,
            } => self.glue(version, zlib, payload, only, desk),
            Frame::ApicurioHeader {
                global,
                content,
                payload,
            } => {
                let global = global.map(SchemaId::Long);
                let content = content.and_then(|id| u32::try_from(id).ok());
                match content.map(SchemaId::Number).or(global) {
                    Some(id) => self.by_id(&id, payload, Some(&[]), only, desk),
                    None => Step::No,
                }
            }
            Frame::ApicurioLong { id, payload } => {
                self.by_id(&SchemaId::Long(id), payload, None, only, desk)
            }
            Frame::Azure { id, payload, .. } => {
                self.by_id(&SchemaId::Name(id.to_owned()), payload, None, only, desk)
            }
            Frame::SingleObject {
                fingerprint,
                payload,
            } => self.by_id(
                &SchemaId::Fingerprint(fingerprint),
                payload,
                None,
                only,
                desk,
            ),
            Frame::Container(bytes) => {
                desk.out.clear();
                let read = avro::container(bytes, &mut desk.out);
                self_described(&read, Data::Written, "avro")
            }
            Frame::CborTagged => {
                desk.out.clear();
                let read = cbor::write_json(bytes, &mut desk.out);
                self_described(&read, Data::Written, "cbor")
            }
            Frame::Compressed(kind) => {
                let most = inflate::most(bytes.len());
                let inflated = self.tools.inflater.inflate(kind, bytes, most);
                let kept = inflated.map(|inflated| {
                    desk.inflated.clear();
                    desk.inflated.extend_from_slice(inflated);
                });
                self_described(&kept, Data::Inflated, kind.name())
            }
        }
    }

    fn glue(
        &mut self,
        version: [u8; 16],
        zlib: bool,
        payload: &'e [u8],
        only: Option<Language>,
        desk: &mut Desk,
    ) -> Step<'e> {
        let id = SchemaId::Guid(version);
        if !zlib {
            return self.by_id(&id, payload, None, only, desk);
        }
        let kind = StreamKind::Zlib;
        let most = inflate::most(payload.len());
        match self.tools.inflater.inflate(kind, payload, most) {
            Ok(inflated) => {
                let mut inflated_bytes = std::mem::take(&mut desk.inflated);
                inflated_bytes.clear();
                inflated_bytes.extend_from_slice(inflated);
                let step = self.by_id_inflated(&id, &inflated_bytes, only, desk);
                desk.inflated = inflated_bytes;
                step
            }
            Err(_) => Step::No,
        }
    }

    /// As `by_id`, of bytes that are on the desk.
    fn by_id_inflated(
        &mut self,
        id: &SchemaId,
        bytes: &[u8],
        only: Option<Language>,
        desk: &mut Desk,
    ) -> Step<'e> {
        self.with_schema(id, only, desk, |work, ready, desk| {
            let applied = work.apply_to(ready, bytes, None, desk)?;
            let data = match applied.data {
                Lies::Written => Data::Written,
                Lies::InPlace => Data::Inflated,
            };
            Ok(Made {
                verdict: Some(applied.verdict),
                ..Made::of(data, applied.from)
            })
        })
    }

    /// Decodes a payload by the schema of that id.
    pub(super) fn by_id(
        &mut self,
        id: &SchemaId,
        payload: &'e [u8],
        indexes: Option<&[u8]>,
        only: Option<Language>,
        desk: &mut Desk,
    ) -> Step<'e> {
        self.with_schema(id, only, desk, |work, ready, desk| {
            work.apply(ready, payload, indexes, desk)
        })
    }

    /// What `apply` makes of the schema of that id, once it is found.
    fn with_schema(
        &mut self,
        id: &SchemaId,
        only: Option<Language>,
        desk: &mut Desk,
        apply: impl FnOnce(&mut Self, &Ready, &mut Desk) -> Result<Made<'e>, Refusal>,
    ) -> Step<'e> {
        let shown = name(id, desk);
        match self.find(id, only, desk) {
            Ok(Some(ready)) => match apply(self, &ready, desk) {
                Ok(made) => Step::Made(Made {
                    id: Some(shown),
                    ..made
                }),
                Err(refusal) => refused(&refusal, shown, desk),
            },
            Ok(None) => Step::No,
            Err(()) => Step::Unknown(Some(shown)),
        }
    }
}

/// The id as it is shown; texts go to the desk.
pub(super) fn name(id: &SchemaId, desk: &mut Desk) -> Id {
    match id {
        SchemaId::Number(id) => Id::Number(u64::from(*id)),
        SchemaId::Long(id) => Id::Number(*id),
        _ => {
            desk.id = id.to_string();
            Id::Text
        }
    }
}

fn refused<'a>(refusal: &Refusal, id: Id, desk: &mut Desk) -> Step<'a> {
    desk.said = refusal.to_string();
    Step::Refused(Some(id))
}

/// What bytes made of themselves: if they did not, they only looked so.
fn self_described<'a>(read: &Result<(), Refusal>, data: Data<'a>, from: &'static str) -> Step<'a> {
    match read {
        Ok(()) => Step::Made(Made::of(data, Some(from))),
        Err(_) => Step::No,
    }
}
