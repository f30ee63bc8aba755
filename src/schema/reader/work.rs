//! Finds out what the bytes of one side of an event are: by what is pinned, by the framings that
//! they may be in, by the schema of their topic, and else by themselves.

use std::time::Duration;

use super::Desk;
use super::explain::{Trail, framing};
use super::frames::Step;
use super::lookup::NotNow;
use super::made::{Data, Id, Made, auto, not_now, of_format, undecodable, unknown_id, written};
use super::plans::{Ids, SidePlan};
use crate::event::{Decoded, EventRef, Format, SchemaVerdict};
use crate::schema::formats::frame::{self, Candidates};
use crate::schema::formats::inflate;
use crate::schema::json::{Bench, Faults};
use crate::schema::pins::Pin;
use crate::schema::schemas::Schemas;
use crate::schema::sources::Side;
use crate::schema::{Language, Refusal, protobuf};

/// What decoding needs besides the event.
#[derive(Default)]
pub(super) struct Tools {
    pub(super) bench: Bench,
    pub(super) faults: Faults,
    pub(super) scratch: protobuf::Scratch,
    pub(super) inflater: inflate::Inflater,
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

/// What the framings came to that were tried and did not hold: the first of each, and why.
#[derive(Default)]
struct Tried {
    unknown: Option<(Option<Id>, String)>,
    refused: Option<(Option<Id>, String)>,
}

/// The framing of a schema that the header `ce_dataschema` names.
const DATA_SCHEMA: &str = "CloudEvents: the schema in a header";

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
        if made.is_judged {
            return made;
        }
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
            Pin::Auto | Pin::Detect => self.declared(side, bytes, plan, desk),
            Pin::Avro => self.of_language(side, bytes, Language::Avro, plan, desk),
            Pin::Protobuf => self.of_language(side, bytes, Language::Protobuf, plan, desk),
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
        let ready = match self.of_topic(side, Some(Language::Json), plan, desk) {
            Ok(Some(ready)) => ready,
            Err(why @ NotNow::Compiling) => return not_now(made, why.why(), desk),
            Ok(None) | Err(NotNow::Unavailable(_)) => return made,
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
            Ok(None) => of_format(bytes, Format::Json, desk),
            Err(why) => {
                let made = of_format(bytes, Format::Json, desk);
                not_now(made, why.why(), desk)
            }
        }
    }

    fn of_language(
        &mut self,
        side: Side,
        bytes: &'e [u8],
        language: Language,
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Made<'e> {
        let frames = frame::candidates(side, self.event.headers, bytes);
        self.detect(side, bytes, Some(language), frames, plan, desk)
    }

    /// Tries the schema that a header names, the framings that the bytes may be in, then the topic's
    /// own schema.
    pub(super) fn detect(
        &mut self,
        side: Side,
        bytes: &'e [u8],
        only: Option<Language>,
        frames: Candidates<'e>,
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Made<'e> {
        let mut tried = Tried::default();
        if let Some(uri) = frames.data_schema()
            && let Some(id) = self.named(uri, plan)
        {
            let step = self.by_id(&id, bytes, Some(&[]), only, desk);
            if let Some(made) = self.took(DATA_SCHEMA, step, &mut tried, desk) {
                return made;
            }
        }
        for frame in frames {
            let step = self.frame(frame, bytes, only, desk);
            if let Some(made) = self.took(framing(&frame), step, &mut tried, desk) {
                return made;
            }
        }
        let Tried { unknown, refused } = tried;
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
            (Err(why), None) => unknown_id(side, bytes, None, why.why().to_owned(), desk),
            (Ok(None), None) => match only {
                Some(Language::Avro | Language::Protobuf) => {
                    let why = Refusal::new("there is no schema to decode it by");
                    let made = undecodable(bytes, &why, None, desk);
                    Made {
                        verdict: Some(SchemaVerdict::None),
                        ..made
                    }
                }
                Some(Language::Json) | None => auto(side, bytes),
            },
        }
    }

    /// What came of one try; the others go on.
    fn took(
        &mut self,
        framing: &'static str,
        step: Step<'e>,
        tried: &mut Tried,
        desk: &Desk,
    ) -> Option<Made<'e>> {
        match step {
            Step::Made(made) => {
                self.note(|trail| trail.framing = Some(framing));
                return Some(made);
            }
            Step::Refused(id) => {
                self.note(|trail| trail.refused(framing));
                tried.refused.get_or_insert_with(|| (id, desk.said.clone()));
            }
            Step::Unknown(id) => {
                self.note(|trail| trail.looks_like(framing));
                tried.unknown.get_or_insert_with(|| (id, desk.said.clone()));
            }
            Step::No => {}
        }
        None
    }

    pub(super) fn note(&mut self, what: impl FnOnce(&mut Trail)) {
        if let Some(trail) = &mut self.trail {
            what(trail);
        }
    }
}
