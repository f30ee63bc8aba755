//! AsyncAPI 2 and 3 documents as a source: channels are topics, payloads of messages are schemas.
//! What is missing or runs in a circle is told for the topic that needs it.

mod address;
mod bundle;
mod documents;
mod messages;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::Value;

use super::{Answer, Known, Listed, Side, Wanted};
use crate::schema::{Language, SchemaError, Source};
use address::Address;
use documents::{Documents, Place};
use messages::{Message, Payload};

/// Messages of all channels that are looked at.
const MOST_MESSAGES: usize = 10_000;

/// A channel, a side, and a message unless it is all of them.
type Which = (usize, Side, Option<usize>);

/// Schemas by an AsyncAPI document. The file is read when it is opened.
#[derive(Debug)]
pub struct AsyncApi {
    documents: Documents,
    version: u8,
    channels: Vec<Channel>,
    problems: Vec<String>,
    /// By channel, side and message: every schema is put together once.
    ready: Mutex<HashMap<Which, Answer>>,
}

/// What a document says about the bytes of a topic, as it writes it; `None` where it says nothing.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Hints {
    /// Media type of the value.
    pub content_type: Option<String>,
    /// `header` or `payload`.
    pub schema_id_location: Option<String>,
    /// How the id stands in the payload: `confluent`, `apicurio-new`, a number of bytes, …
    pub schema_id_payload_encoding: Option<String>,
    /// `TopicIdStrategy`, …
    pub schema_lookup_strategy: Option<String>,
}

#[derive(Debug)]
struct Channel {
    address: Address,
    /// Where the messages are: file, pointer of what holds them, and their keys.
    messages: Vec<(String, String)>,
}

impl AsyncApi {
    /// Reads the document and the files beside it that it refers to.
    pub fn open(path: &Path) -> Result<Self, SchemaError> {
        let documents = Documents::load(path)?;
        let root = documents.root().value;
        let about = |why: &str| SchemaError(format!("{}: {why}", path.display()));
        let version = match root.get("asyncapi").and_then(Value::as_str) {
            Some(v) if v.starts_with("2.") => 2,
            Some(v) if v.starts_with("3.") => 3,
            Some(_) => return Err(about("of AsyncAPI, versions 2 and 3 are read")),
            None => {
                return Err(about(
                    "it is no AsyncAPI document: it has no member asyncapi",
                ));
            }
        };
        let mut problems = documents.problems.clone();
        let channels = channels(&documents, version, &mut problems);
        if channels.is_empty() {
            problems.push("it has no channel with an address".to_owned());
        }
        Ok(Self {
            documents,
            version,
            channels,
            problems,
            ready: Mutex::default(),
        })
    }

    /// What is wrong in the document, each a sentence fragment.
    pub fn problems(&self) -> &[String] {
        &self.problems
    }

    /// The document and how many channels it has.
    pub fn describe(&self) -> String {
        format!(
            "{} channels of the AsyncAPI document {}",
            self.channels.len(),
            self.documents.shown(&self.documents.main)
        )
    }

    /// The schema of the message that the event's type names; without one, of the only message;
    /// of several, a schema that takes what one of them takes.
    pub fn for_topic(&self, wanted: &Wanted<'_>) -> Answer {
        let Some(n) = self.channel(wanted.topic) else {
            return Answer::Missing;
        };
        let messages = match self.messages(n) {
            Ok(messages) => messages,
            Err(why) => return self.unavailable(&why),
        };
        let of_side: Vec<(usize, &Message<'_>)> = messages
            .iter()
            .enumerate()
            .filter(|(_, message)| fits(part(message, wanted.side), wanted.language))
            .collect();
        let named = wanted.event_type.and_then(|event_type| {
            let by_name = |(_, m): &&(usize, &Message<'_>)| m.names.iter().any(|n| n == event_type);
            of_side.iter().find(by_name)
        });
        match (named, of_side.as_slice()) {
            (_, []) => Answer::Missing,
            (Some((m, message)), _) | (None, [(m, message)]) => self
                .ready((n, wanted.side, Some(*m)), || {
                    self.one(part(message, wanted.side))
                }),
            (None, several) => {
                let parts: Vec<_> = several.iter().map(|(_, m)| part(m, wanted.side)).collect();
                // A narrower choice is not the one that is kept.
                if several.len() < messages.len() {
                    return self.answer(self.several(&parts));
                }
                self.ready((n, wanted.side, None), || self.several(&parts))
            }
        }
    }

    /// All schemas of a topic.
    pub fn list(&self, topic: &str) -> Vec<Listed> {
        let Some(n) = self.channel(topic) else {
            return Vec::new();
        };
        let messages = match self.messages(n) {
            Ok(messages) => messages,
            Err(why) => {
                return vec![Listed {
                    side: Side::Value,
                    event_type: None,
                    answer: self.unavailable(&why),
                }];
            }
        };
        let mut found = Vec::new();
        for (m, message) in messages.iter().enumerate() {
            for side in [Side::Key, Side::Value] {
                let part = part(message, side);
                if part.is_some() {
                    found.push(Listed {
                        side,
                        event_type: message.names.first().cloned(),
                        answer: self.ready((n, side, Some(m)), || self.one(part)),
                    });
                }
            }
        }
        found
    }

    /// What the document says about the bytes of a topic; of several messages, the first.
    pub fn hints(&self, topic: &str) -> Hints {
        let messages = self.channel(topic).and_then(|n| self.messages(n).ok());
        let first = messages.and_then(|messages| messages.into_iter().next());
        first.map_or_else(Hints::default, |message| message.hints)
    }

    /// The channel of a topic; one that names it goes before one that has a pattern for it.
    fn channel(&self, topic: &str) -> Option<usize> {
        let find = |plain: bool| {
            let fits = |c: &Channel| c.address.is_plain() == plain && c.address.matches(topic);
            self.channels.iter().position(fits)
        };
        find(true).or_else(|| find(false))
    }

    fn messages(&self, channel: usize) -> Result<Vec<Message<'_>>, String> {
        let default = self.documents.root().text("defaultContentType");
        let list = self.channels.get(channel).map_or(&[][..], |c| &c.messages);
        list.iter()
            .map(|(key, reference)| {
                let place = self.documents.resolve(&self.documents.main, reference);
                let place = place.ok_or_else(|| format!("{reference} leads nowhere"))?;
                messages::read(&self.documents, key, place, default, self.version)
            })
            .collect()
    }

    fn ready(&self, which: Which, make: impl FnOnce() -> Result<Source, SchemaError>) -> Answer {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        let answer = ready.entry(which).or_insert_with(|| self.answer(make()));
        answer.clone()
    }

    fn answer(&self, made: Result<Source, SchemaError>) -> Answer {
        match made {
            Ok(source) => Answer::Found(Arc::new(Known {
                source: Arc::new(source),
                id: None,
                subject: None,
                version: None,
                origin: self.documents.shown(&self.documents.main),
            })),
            Err(why) => self.unavailable(&why.0),
        }
    }

    fn unavailable(&self, why: &str) -> Answer {
        let document = self.documents.shown(&self.documents.main);
        Answer::unavailable(format!("{document}: {why}"))
    }

    fn one(&self, part: Option<&Result<Payload<'_>, String>>) -> Result<Source, SchemaError> {
        let payload = match part {
            Some(Ok(payload)) => payload,
            Some(Err(why)) => return Err(SchemaError(why.clone())),
            None => return Err(SchemaError("the message has no schema".to_owned())),
        };
        match payload.language {
            Language::Json => bundle::json(&self.documents, &payload.place, payload.draft),
            other => text(payload.place.value, other),
        }
    }

    fn several(
        &self,
        parts: &[Option<&Result<Payload<'_>, String>>],
    ) -> Result<Source, SchemaError> {
        let mut places: Vec<Place<'_>> = Vec::new();
        let mut first: Option<&Payload<'_>> = None;
        for part in parts.iter().flatten() {
            let payload = part.as_ref().map_err(|why| SchemaError(why.clone()))?;
            let first = *first.get_or_insert(payload);
            if (first.language, first.draft) != (payload.language, payload.draft) {
                return Err(SchemaError(
                    "the topic's messages have schemas of several formats, and the type of the event decides none"
                        .to_owned(),
                ));
            }
            let known =
                |p: &Place<'_>| p.file == payload.place.file && p.pointer == payload.place.pointer;
            if !places.iter().any(known) {
                places.push(payload.place.clone());
            }
        }
        match (first, places.as_slice()) {
            (Some(payload), [_]) => self.one(Some(&Ok(payload.clone()))),
            (
                Some(Payload {
                    language: Language::Json,
                    draft,
                    ..
                }),
                places,
            ) => bundle::one_of(&self.documents, places, draft),
            _ => Err(SchemaError(
                "the topic has several messages, and the type of the event names none of them"
                    .to_owned(),
            )),
        }
    }
}

fn part<'m, 'a>(message: &'m Message<'a>, side: Side) -> Option<&'m Result<Payload<'a>, String>> {
    match side {
        Side::Key => message.key.as_ref(),
        Side::Value => message.payload.as_ref(),
    }
}

/// What is broken fits every language: it has to be told.
fn fits(part: Option<&Result<Payload<'_>, String>>, language: Option<Language>) -> bool {
    match part {
        None => false,
        Some(Err(_)) => true,
        Some(Ok(payload)) => language.is_none_or(|language| language == payload.language),
    }
}

/// An Avro schema is JSON in the document, or a text of it; Protobuf is a text.
fn text(value: &Value, language: Language) -> Result<Source, SchemaError> {
    let text = match (value, language) {
        (Value::String(text), Language::Protobuf) => text.clone(),
        (Value::String(text), Language::Avro) if text.trim_start().starts_with(['{', '[']) => {
            text.clone()
        }
        (value, Language::Avro) => value.to_string(),
        _ => {
            return Err(SchemaError(
                "a Protobuf schema is the text of a .proto file".to_owned(),
            ));
        }
    };
    Ok(Source {
        language,
        text,
        references: Vec::new(),
    })
}

/// The channels of a document with the places of their messages.
fn channels(documents: &Documents, version: u8, problems: &mut Vec<String>) -> Vec<Channel> {
    let mut found = Vec::new();
    let mut left = MOST_MESSAGES;
    let list = documents.root().member("channels").map(|c| c.members());
    for (name, place) in list.unwrap_or_default() {
        let channel = match documents.follow(place) {
            Ok(channel) => channel,
            Err(why) => {
                problems.push(format!("channel {name}: {why}"));
                continue;
            }
        };
        let topic = topic_binding(documents, &channel);
        let address = match (topic, version) {
            (Some(topic), _) => topic,
            (None, 2) => name,
            // Without an address it is not known before it is used.
            (None, _) => match channel.text("address") {
                Some(address) => address,
                None => continue,
            },
        };
        let mut messages = if version == 2 {
            of_operations(documents, &channel)
        } else {
            let list = channel.member("messages").map(|m| m.members());
            let list = list.unwrap_or_default().into_iter();
            list.map(|(key, place)| (key.to_owned(), place)).collect()
        };
        if messages.len() > left {
            problems.push(format!(
                "channel {name}: there are more than {MOST_MESSAGES} messages"
            ));
            messages.truncate(left);
        }
        left -= messages.len();
        let places = messages.into_iter();
        let places = places.map(|(key, place)| (key, place.reference(&documents.main)));
        found.push(Channel {
            address: Address::parse(address),
            messages: places.collect(),
        });
    }
    found
}

/// Version 2 has the messages in what publishes and subscribes: one, or `oneOf` several.
fn of_operations<'a>(documents: &'a Documents, channel: &Place<'a>) -> Vec<(String, Place<'a>)> {
    let mut found: Vec<(String, Place<'a>)> = Vec::new();
    for operation in ["publish", "subscribe"] {
        let Some(message) = channel.member(operation).and_then(|o| o.member("message")) else {
            continue;
        };
        let followed = documents.follow(message.clone()).ok();
        let list = followed
            .and_then(|m| m.member("oneOf"))
            .map(|list| list.members());
        let places = list.map_or_else(
            || vec![message],
            |list| list.into_iter().map(|(_, place)| place).collect(),
        );
        for place in places {
            // What is published is often what is subscribed to.
            let target = |p: &Place<'a>| {
                documents
                    .follow(p.clone())
                    .map(|p| (p.file, p.pointer))
                    .ok()
            };
            let own = target(&place);
            if own.is_none() || !found.iter().any(|(_, known)| target(known) == own) {
                found.push((String::new(), place));
            }
        }
    }
    found
}

fn topic_binding<'a>(documents: &'a Documents, channel: &Place<'a>) -> Option<&'a str> {
    let bindings = documents.follow(channel.member("bindings")?).ok()?;
    documents
        .follow(bindings.member("kafka")?)
        .ok()?
        .text("topic")
}
