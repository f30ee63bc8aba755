//! Finds out what the bytes of one side of an event are: by what is pinned, by the framings that
//! they may be in, by the schema of their topic, and else by themselves.

use std::sync::Arc;
use std::time::Duration;

use super::Desk;
use super::apply::Lies;
use super::explain::{Trail, framing};
use super::facets::{event_type, version};
use super::made::{Data, Id, Made, auto, of_format, undecodable, unknown_id, written};
use super::plans::{Ids, SidePlan};
use crate::event::codec::StreamKind;
use crate::event::{Decoded, EventRef, Format, SchemaVerdict};
use crate::schema::formats::frame::{self, Frame};
use crate::schema::formats::{cbor, inflate};
use crate::schema::json::{Bench, Faults};
use crate::schema::pins::Pin;
use crate::schema::protobuf;
use crate::schema::schemas::{Found, Ready, Schemas};
use crate::schema::sources::{SchemaId, Side, Wanted};
use crate::schema::{Language, Refusal, avro};

/// What decoding needs besides the event.
#[derive(Default)]
pub(super) struct Tools {
    pub(super) bench: Bench,
    pub(super) faults: Faults,
    pub(super) scratch: protobuf::Scratch,
    inflater: inflate::Inflater,
}

/// One event on the bench.
pub(super) struct Work<'w, 'e> {
    pub(super) schemas: Option<&'w Schemas>,
    /// Whether values are checked against JSON Schemas too.
    pub(super) judges: bool,
    pub(super) tools: &'w mut Tools,
    pub(super) ids: &'w mut Ids,
    pub(super) event: &'w EventRef<'e>,
    /// How long to wait for a schema.
    pub(super) patience: Duration,
    /// Notes how it was found out, for who wants to know.
    pub(super) trail: Option<&'w mut Trail>,
}

/// How trying one framing ended.
enum Step<'a> {
    Made(Made<'a>),
    /// A schema that is not known; the desk says which and why.
    Unknown(Option<Id>),
    /// The schema is known, and these are not its bytes; the desk says why.
    Refused(Option<Id>),
    /// It is not this framing.
    No,
}

impl<'e> Work<'_, 'e> {
    pub(super) fn decode(
        &mut self,
        side: Side,
        bytes: Option<&'e [u8]>,
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Made<'e> {
        desk.faults.clear();
        desk.said.clear();
        let Some(bytes) = bytes else {
            return Made::of(Data::Of(Decoded::Null), None);
        };
        let made = self.decode_bytes(side, bytes, plan, desk);
        self.judge_decoded(side, made, plan, desk)
    }

    fn decode_bytes(
        &mut self,
        side: Side,
        bytes: &'e [u8],
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Made<'e> {
        match plan.pin {
            Pin::Auto if self.schemas.is_none() => auto(side, bytes),
            Pin::Auto | Pin::Detect => self.detect(side, bytes, None, plan, desk),
            Pin::Avro => self.detect(side, bytes, Some(Language::Avro), plan, desk),
            Pin::Protobuf => self.detect(side, bytes, Some(Language::Protobuf), plan, desk),
            Pin::ProtobufRaw => {
                desk.out.clear();
                let raw = protobuf::write_raw(bytes, &mut self.tools.scratch, &mut desk.out);
                written(raw, "protobuf", bytes, desk)
            }
            Pin::Plain(Format::Json) if side == Side::Value => {
                self.pinned_json(side, bytes, plan, desk)
            }
            Pin::Plain(format) => of_format(bytes, format, desk),
            Pin::Other(known) => {
                desk.out.clear();
                let done = known.write_json(bytes, &mut desk.out);
                written(done, known.name(), bytes, desk)
            }
        }
    }

    /// What was decoded from another format is held against a JSON Schema of the topic, where files
    /// have one: a registry has one schema for a subject, which was asked before.
    fn judge_decoded(
        &mut self,
        side: Side,
        made: Made<'e>,
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Made<'e> {
        let decoded = matches!(made.data, Data::Written) && !made.refused;
        let files = self.schemas.is_some_and(|s| s.catalog().has_files());
        if !decoded || !files || !self.judges {
            return made;
        }
        let Ok(Some(ready)) = self.of_topic(side, Some(Language::Json), plan, desk) else {
            return made;
        };
        let text = std::mem::take(&mut desk.out);
        let decoded_by = self.trail.as_mut().and_then(|trail| trail.known.take());
        let applied = self.apply_to(&ready, &text, None, desk);
        desk.out = text;
        self.note(|trail| trail.holds(applied.is_ok().then_some(&ready.known), decoded_by));
        match applied {
            Ok(applied) => Made {
                verdict: Some(applied.verdict),
                ..made
            },
            Err(_) => made,
        }
    }

    /// JSON that was asked for; a schema of the topic has its say.
    fn pinned_json(
        &mut self,
        side: Side,
        bytes: &'e [u8],
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Made<'e> {
        match self.of_topic(side, Some(Language::Json), plan, desk) {
            Ok(Some(ready)) => match self.apply(&ready, bytes, Some(&[]), desk) {
                Ok(made) => made,
                Err(refusal) => undecodable(bytes, &refusal, None, desk),
            },
            Ok(None) | Err(_) => of_format(bytes, Format::Json, desk),
        }
    }

    /// Tries the framings that the bytes may be in, then the topic's own schema.
    fn detect(
        &mut self,
        side: Side,
        bytes: &'e [u8],
        only: Option<Language>,
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Made<'e> {
        let (mut unknown, mut refused) = (None, None);
        for frame in frame::candidates(side, self.event.headers, bytes) {
            match self.frame(frame, bytes, only, desk) {
                Step::Made(made) => {
                    self.note(|trail| trail.framing = Some(framing(&frame)));
                    return made;
                }
                Step::Refused(id) => {
                    self.note(|trail| trail.refused(framing(&frame)));
                    refused = refused.or(Some((id, desk.said.clone())));
                }
                Step::Unknown(id) => {
                    self.note(|trail| trail.looks_like(framing(&frame)));
                    unknown = unknown.or(Some((id, desk.said.clone())));
                }
                Step::No => {}
            }
        }
        if let Some((id, why)) = refused {
            self.note(Trail::was_refused);
            return undecodable(bytes, &Refusal::new(why), id, desk);
        }
        let of_topic = self.of_topic(side, only, plan, desk);
        match (of_topic, unknown) {
            (Ok(Some(ready)), unknown) => {
                match (self.apply(&ready, bytes, Some(&[]), desk), unknown) {
                    (Ok(made), _) => made,
                    (Err(_), Some((id, why))) => {
                        self.note(Trail::only_looks);
                        unknown_id(side, bytes, id, why, desk)
                    }
                    (Err(refusal), None) => undecodable(bytes, &refusal, None, desk),
                }
            }
            (_, Some((id, why))) => {
                self.note(Trail::only_looks);
                unknown_id(side, bytes, id, why, desk)
            }
            (Err(why), None) => unknown_id(side, bytes, None, why.to_string(), desk),
            (Ok(None), None) => match only {
                Some(_) => {
                    let why = Refusal::new("there is no schema to decode it by");
                    let made = undecodable(bytes, &why, None, desk);
                    Made {
                        verdict: Some(SchemaVerdict::None),
                        ..made
                    }
                }
                None => auto(side, bytes),
            },
        }
    }

    pub(super) fn note(&mut self, what: impl FnOnce(&mut Trail)) {
        if let Some(trail) = &mut self.trail {
            what(trail);
        }
    }

    fn frame(
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
    fn by_id(
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

    /// The schema of that id. Nothing where nobody can be asked, or it is of another language.
    /// `Err`: it is not known; the desk says why.
    fn find(
        &mut self,
        id: &SchemaId,
        only: Option<Language>,
        desk: &mut Desk,
    ) -> Result<Option<Arc<Ready>>, ()> {
        let Some(schemas) = self.schemas else {
            return Ok(None);
        };
        let wanted = |ready: &Arc<Ready>| only.is_none_or(|l| l == ready.known.source.language);
        if let Some(ready) = self.ids.get(id) {
            return Ok(Some(Arc::clone(ready)).filter(wanted));
        }
        match schemas.by_id(id, self.patience) {
            Found::Ready(ready) => {
                if self.ids.len() >= KEPT {
                    self.ids.clear();
                }
                self.ids.insert(id.clone(), Arc::clone(&ready));
                Ok(Some(ready).filter(wanted))
            }
            Found::Missing => {
                desk.said = format!("names the schema {id}, which is not known");
                Err(())
            }
            Found::Unavailable(why) => {
                desk.said = format!("names the schema {id}: {why}");
                Err(())
            }
        }
    }

    /// The schema of the topic. `Err`: nobody can tell now, and why.
    fn of_topic(
        &mut self,
        side: Side,
        language: Option<Language>,
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Result<Option<Arc<Ready>>, Arc<str>> {
        let Some(schemas) = self.schemas else {
            return Ok(None);
        };
        let (by_type, by_version) = schemas.catalog().facets();
        let event_type = if by_type {
            event_type(self.event)
        } else {
            None
        };
        let version = if by_version {
            version(self.event)
        } else {
            None
        };
        let key = &mut desk.said;
        key.clear();
        for part in [event_type, version, language.map(Language::name)] {
            key.push_str(part.unwrap_or_default());
            key.push('\0');
        }
        if let Some(known) = plan.of_topic.get(key.as_str()) {
            return Ok(known.clone());
        }
        let wanted = Wanted {
            event_type,
            language,
            ..Wanted::of(&self.event.stream.topic, side)
        };
        let found = match schemas.for_topic(&wanted, version, self.patience) {
            Found::Ready(ready) => Some(ready),
            Found::Missing => None,
            Found::Unavailable(why) => return Err(why),
        };
        if plan.of_topic.len() >= KEPT {
            plan.of_topic.clear();
        }
        plan.of_topic.insert(key.clone(), found.clone());
        Ok(found)
    }
}

/// Schemas that one thread keeps at hand.
const KEPT: usize = 1_024;

/// The id as it is shown; texts go to the desk.
fn name(id: &SchemaId, desk: &mut Desk) -> Id {
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
