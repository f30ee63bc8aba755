//! What is said of a value besides a schema's id: its content type, that it is a `CloudEvent`, that
//! it stands in Kafka Connect's envelope. What is then found is decoded as ever.

use super::Desk;
use super::frames::name;
use super::made::{Data, Made, auto, not_now, said_so, undecodable, written};
use super::plans::SidePlan;
use super::work::Work;
use crate::event::{Decoded, Format, SchemaVerdict, decode};
use crate::schema::formats::cloud_events::{self, Content, Structured};
use crate::schema::formats::frame;
use crate::schema::formats::scalar::{self, Plain};
use crate::schema::sources::{SchemaId, Side};
use crate::schema::{Language, Refusal};
use crate::text::{JsonText, push_string};

const STRUCTURED: &str = "CloudEvents: the whole event in JSON";
const CONNECT: &str = "Kafka Connect: JSON with its schema";
const CONTENT_TYPE: &str = "a content type in a header";

/// The word for data of an event, by what they were decoded from. What is JSON or text can stand in
/// an event as it is: the event can be made again of what is shown.
const fn word(content: Content) -> &'static str {
    match content {
        Content::Avro => "cloudevents+avro",
        Content::Protobuf => "cloudevents+protobuf",
        Content::Cbor => "cloudevents+cbor",
        Content::MessagePack => "cloudevents+msgpack",
        Content::Event | Content::Json | Content::Text | Content::Other => "cloudevents",
    }
}

impl<'e> Work<'_, 'e> {
    /// Decodes by what headers and the value's own form say of it, else by its bytes.
    pub(super) fn declared(
        &mut self,
        side: Side,
        bytes: &'e [u8],
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Made<'e> {
        let frames = frame::candidates(side, self.event.headers, bytes);
        let content = frames.content_type().map_or(Content::Other, Content::of);
        let only = match content {
            Content::Event => {
                return match cloud_events::structured(bytes) {
                    Ok(event) => self.structured(&event, bytes, plan, desk),
                    Err(refusal) => Made {
                        data: auto(side, bytes).data,
                        ..undecodable(bytes, &refusal, None, desk)
                    },
                };
            }
            Content::Avro => Some(Language::Avro),
            Content::Protobuf => Some(Language::Protobuf),
            Content::Cbor => return self.of_plain(Plain::Cbor, bytes, desk),
            Content::MessagePack => return self.of_plain(Plain::MessagePack, bytes, desk),
            // What says so and does not begin so is looked at like any other.
            Content::Json if JsonText::may_be(bytes) => Some(Language::Json),
            Content::Json | Content::Text | Content::Other => None,
        };
        if matches!(only, None | Some(Language::Json)) {
            if side == Side::Value
                && cloud_events::may_be(bytes)
                && let Ok(event) = cloud_events::structured(bytes)
            {
                return self.structured(&event, bytes, plan, desk);
            }
            if let Some(payload) = scalar::enveloped(bytes) {
                self.note(|trail| trail.framing = Some(CONNECT));
                let made = Made::of(
                    Data::Of(Decoded::Json(payload)),
                    Some(Plain::Connect.name()),
                );
                return self.judged(side, payload.as_bytes(), made, plan, desk);
            }
        }
        self.detect(side, bytes, only, frames, plan, desk)
    }

    /// A format that a content type names and no schema is needed for.
    fn of_plain(&mut self, plain: Plain, bytes: &'e [u8], desk: &mut Desk) -> Made<'e> {
        desk.out.clear();
        let done = plain.write_json(bytes, &mut desk.out);
        let is_done = done.is_ok();
        self.note(|trail| trail.framing = is_done.then_some(CONTENT_TYPE));
        written(done, plain.name(), bytes, desk)
    }

    /// A whole event in JSON: its data in their place, whatever they were encoded as. The schema
    /// that it names judges the data, else that of the topic the whole.
    fn structured(
        &mut self,
        event: &Structured<'e>,
        bytes: &'e [u8],
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Made<'e> {
        let named = event.data_schema.as_deref();
        let named = named.and_then(|uri| self.named(uri, plan));
        let whole = Data::Of(decode(Some(bytes), Format::Json).data);
        let mut made = Made::of(whole, Some(word(Content::Event)));
        let mut of_data = None;
        if let (cloud_events::Data::Json(data), Some(id)) = (&event.data, &named) {
            of_data = self.judge_data(id, data.as_bytes(), desk);
        }
        match self.opened(event, named.as_deref(), plan, desk) {
            Ok(None) => {}
            Ok(Some((opened, verdict))) => (made, of_data) = (opened, verdict),
            Err(refusal) => {
                made = Made {
                    data: made.data,
                    from: made.from,
                    ..undecodable(bytes, &refusal, None, desk)
                };
            }
        }
        made.is_judged = true;
        if let Some(verdict) = of_data {
            made.verdict = Some(verdict);
            made.id = named.map(|id| name(&id, desk));
        } else if !made.refused {
            made = self.judge_event(bytes, made, plan, desk);
            if let Some(id) = named.filter(|_| self.judges && made.verdict.is_none())
                && self.find(&id, None, desk).is_err()
            {
                said_so(desk);
                made.refused = true;
                made.verdict = Some(SchemaVerdict::UnknownId);
                made.id = Some(name(&id, desk));
            }
        }
        self.note(|trail| trail.framing = Some(STRUCTURED));
        made
    }

    /// The event with its data decoded, in the place of their Base64, and what the schema that they
    /// name says of them. `None` where there is no Base64, or it says no more than it is.
    fn opened(
        &mut self,
        event: &Structured<'e>,
        named: Option<&SchemaId>,
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Result<Option<(Made<'e>, Option<SchemaVerdict>)>, Refusal> {
        let cloud_events::Data::Base64 {
            text,
            before,
            behind,
        } = &event.data
        else {
            return Ok(None);
        };
        let mut data = std::mem::take(&mut desk.inflated);
        data.clear();
        let read = cloud_events::decode_base64(text, &mut data)
            .and_then(|()| self.write_data(event.content, &data, named, plan, desk));
        let mut opened = None;
        if let Ok(true) = read {
            let out = std::mem::take(&mut desk.out);
            let verdict = named.and_then(|id| self.judge_data(id, &out, desk));
            data.clear();
            for part in [before.as_bytes(), b"\"data\":", &out, behind.as_bytes()] {
                data.extend_from_slice(part);
            }
            desk.out = std::mem::replace(&mut data, out);
            let mut made = Made::of(Data::Written, Some(word(event.content)));
            if matches!(event.content, Content::Avro | Content::Protobuf) {
                made.verdict = Some(SchemaVerdict::Valid);
            }
            opened = Some((made, verdict));
        }
        desk.inflated = data;
        read.map(|_| opened)
    }

    /// The topic's schema has its say on a whole event.
    fn judge_event(
        &mut self,
        bytes: &[u8],
        made: Made<'e>,
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Made<'e> {
        if !matches!(made.data, Data::Written) {
            return self.judged(Side::Value, bytes, made, plan, desk);
        }
        let text = std::mem::take(&mut desk.out);
        let made = self.judged(Side::Value, &text, made, plan, desk);
        desk.out = text;
        made
    }

    /// Writes the data of an event as JSON text on the desk; false where that cannot be done for
    /// want of a schema, or of a format that is known.
    fn write_data(
        &mut self,
        content: Content,
        data: &[u8],
        named: Option<&SchemaId>,
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Result<bool, Refusal> {
        desk.out.clear();
        let language = match content {
            Content::Json => {
                Plain::Json.write_json(data, &mut desk.out)?;
                return Ok(true);
            }
            Content::Cbor => {
                Plain::Cbor.write_json(data, &mut desk.out)?;
                return Ok(true);
            }
            Content::MessagePack => {
                Plain::MessagePack.write_json(data, &mut desk.out)?;
                return Ok(true);
            }
            Content::Text => {
                let text = str::from_utf8(data).ok();
                if let Some(text) = text {
                    push_string(&mut desk.out, text);
                }
                return Ok(text.is_some());
            }
            Content::Avro => Language::Avro,
            Content::Protobuf => Language::Protobuf,
            Content::Event | Content::Other => return Ok(false),
        };
        let ready = match named {
            Some(id) => self.find(id, Some(language), desk).ok().flatten(),
            None => self
                .of_topic(Side::Value, Some(language), plan, desk)
                .ok()
                .flatten(),
        };
        match ready {
            Some(ready) => {
                self.apply_to(&ready, data, Some(&[]), desk)?;
                Ok(true)
            }
            None => Ok(false),
        }
    }

    /// What the schema of that id says of the data of an event, in JSON. `None` where it is not
    /// known, or no JSON Schema: then it decoded the data, or cannot tell.
    fn judge_data(&mut self, id: &SchemaId, data: &[u8], desk: &mut Desk) -> Option<SchemaVerdict> {
        let ready = self.find(id, None, desk).ok().flatten()?;
        if ready.known.source.language != Language::Json {
            return None;
        }
        match self.apply_to(&ready, data, None, desk) {
            Ok(applied) => {
                for fault in &mut desk.faults {
                    fault.path.insert_str(0, "/data");
                }
                Some(applied.verdict)
            }
            Err(refusal) => {
                desk.said = refusal.to_string();
                said_so(desk);
                Some(SchemaVerdict::Undecodable)
            }
        }
    }

    /// The topic's JSON Schema has its say on JSON that was found.
    fn judged(
        &mut self,
        side: Side,
        text: &[u8],
        made: Made<'e>,
        plan: &mut SidePlan,
        desk: &mut Desk,
    ) -> Made<'e> {
        let made = Made {
            is_judged: true,
            ..made
        };
        if !self.judges {
            return made;
        }
        match self.of_topic(side, Some(Language::Json), plan, desk) {
            Ok(None) => made,
            Ok(Some(ready)) => match self.apply_to(&ready, text, None, desk) {
                Ok(applied) => Made {
                    verdict: Some(applied.verdict),
                    ..made
                },
                Err(refusal) => {
                    desk.said = refusal.to_string();
                    said_so(desk);
                    Made {
                        refused: true,
                        verdict: Some(SchemaVerdict::Undecodable),
                        ..made
                    }
                }
            },
            Err(why) => not_now(made, why.why(), desk),
        }
    }
}
