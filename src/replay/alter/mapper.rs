//! `--map`: the event object goes through a jq program, and what comes out is written. What the
//! program leaves as it was keeps its bytes; what it changes is made anew, as an event object is
//! read back.

use serde::Deserialize;

use super::Refusal;
use super::masker::around;
use crate::broker::Result;
use crate::broker::capture::{Member, read_data, read_object_headers};
use crate::event::{Content, Decoded, EventRef, HeaderBuf, object};
use crate::query::{JqMap, JqMapWorker, MapOutcome, QueryError};
use crate::schema::Reader;

/// What a program made of an event.
pub(super) enum Mapped<'a> {
    Event(EventRef<'a>),
    /// No output.
    Dropped,
    Refused(Refusal),
}

/// One thread's program; keeps its buffers.
pub(super) struct Mapper {
    program: JqMapWorker,
    /// Gives its input: to compare with what the program left.
    identity: JqMapWorker,
    given: Vec<u8>,
    made: Vec<u8>,
    same: Vec<u8>,
    key: Vec<u8>,
    value: Vec<u8>,
    headers: HeaderBuf,
}

/// The members of an event object that count.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Members<'a> {
    #[serde(borrow)]
    topic: Member<'a>,
    partition: Member<'a>,
    offset: Member<'a>,
    timestamp: Member<'a>,
    key: Member<'a>,
    headers: Member<'a>,
    value: Member<'a>,
    encoding: Encoding,
}

#[derive(Deserialize, Default)]
struct Encoding {
    key: Option<String>,
    value: Option<String>,
}

/// What a part of the event becomes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Kept,
    Null,
    /// It is in the buffer.
    New,
}

/// A part of an event before and after.
struct Change<'x, 'e> {
    name: &'static str,
    given: Member<'x>,
    made: Member<'x>,
    encoding: Option<&'x str>,
    content: Content<'e>,
    bytes: Option<&'e [u8]>,
    /// The word for no bytes.
    null: &'static str,
}

impl Mapper {
    pub(super) fn new(text: &str) -> Result<Self, QueryError> {
        Ok(Self {
            program: JqMap::compile("--map", text)?.worker(),
            identity: JqMap::compile("--map", ".")?.worker(),
            given: Vec::new(),
            made: Vec::new(),
            same: Vec::new(),
            key: Vec::new(),
            value: Vec::new(),
            headers: HeaderBuf::default(),
        })
    }

    /// `Err` for a program that does not end.
    pub(super) fn apply<'a>(
        &'a mut self,
        reader: &mut Reader,
        event: &EventRef<'a>,
    ) -> Result<Mapped<'a>> {
        let seen = reader.see(event);
        self.given.clear();
        object::write(&mut self.given, event, &seen);
        let mut outputs = 0usize;
        self.made.clear();
        let made = &mut self.made;
        let outcome = self.program.run(&self.given, &mut |output| {
            if outputs == 0 {
                made.extend_from_slice(output.json);
            }
            outputs += 1;
        })?;
        if let MapOutcome::Failed(why) = outcome {
            return Ok(Mapped::Refused(Refusal::new(why)));
        }
        match outputs {
            0 => return Ok(Mapped::Dropped),
            1 => {}
            more => {
                let why = format!("it gave {more} outputs, and an event becomes one or none");
                return Ok(Mapped::Refused(Refusal::new(why)));
            }
        }
        // So that what the program left alone looks as in its output.
        self.same.clear();
        let same = &mut self.same;
        self.identity.run(&self.given, &mut |output| {
            same.extend_from_slice(output.json);
        })?;
        let contents = (seen.key, seen.value);
        match self.changes(event, contents) {
            Ok(fates) => Ok(Mapped::Event(self.changed(event, fates))),
            Err(refusal) => Ok(Mapped::Refused(refusal)),
        }
    }

    /// What becomes of key, value and headers; what is new is in the buffers.
    fn changes(
        &mut self,
        event: &EventRef<'_>,
        (key, value): (Content<'_>, Content<'_>),
    ) -> Result<[Fate; 3], Refusal> {
        if self.made.first() != Some(&b'{') {
            return Err(Refusal::new("its output is no event object"));
        }
        let given: Members<'_> = read(&self.same)?;
        let made: Members<'_> = read(&self.made)?;
        if made.value.0.is_none() {
            let why = "its output has no 'value' (a tombstone is \"value\":null with the encoding tombstone)";
            return Err(Refusal::new(why));
        }
        for (name, given, made) in [
            ("topic", given.topic, made.topic),
            ("partition", given.partition, made.partition),
            ("offset", given.offset, made.offset),
            ("timestamp", given.timestamp, made.timestamp),
        ] {
            if made.0.is_some() && made.text() != given.text() {
                let why = format!("it changed .{name}, which is not a map's to write");
                return Err(Refusal::new(why));
            }
        }
        let key = Change {
            name: "key",
            given: given.key,
            made: made.key,
            encoding: made.encoding.key.as_deref(),
            content: key,
            bytes: event.key,
            null: "null",
        };
        let value = Change {
            name: "value",
            given: given.value,
            made: made.value,
            encoding: made.encoding.value.as_deref(),
            content: value,
            bytes: event.value,
            null: "tombstone",
        };
        let key = key.apply(&mut self.key)?;
        let value = value.apply(&mut self.value)?;
        let headers = match made.headers.0 {
            _ if made.headers.text() == given.headers.text() => Fate::Kept,
            None => Fate::Null,
            Some(raw) => {
                self.headers.clear();
                read_object_headers(raw, &mut self.headers).map_err(Refusal::new)?;
                Fate::New
            }
        };
        Ok([key, value, headers])
    }

    fn changed<'a>(&'a self, event: &EventRef<'a>, fates: [Fate; 3]) -> EventRef<'a> {
        let part = |fate, kept: Option<&'a [u8]>, new: &'a [u8]| match fate {
            Fate::Kept => kept,
            Fate::Null => None,
            Fate::New => Some(new),
        };
        EventRef {
            key: part(fates[0], event.key, &self.key),
            value: part(fates[1], event.value, &self.value),
            headers: match fates[2] {
                Fate::Kept => event.headers,
                Fate::Null => crate::event::Headers::default(),
                Fate::New => self.headers.as_headers(),
            },
            ..*event
        }
    }
}

impl Change<'_, '_> {
    fn apply(&self, out: &mut Vec<u8>) -> Result<Fate, Refusal> {
        let before = self.content.encoding(self.null);
        let encoding_stays = self.encoding.is_none_or(|now| now == before);
        if encoding_stays && self.made.text() == self.given.text() {
            return Ok(Fate::Kept);
        }
        out.clear();
        let Some(made) = self.made.0 else {
            return Ok(Fate::Null);
        };
        // JSON that stands behind the id of a schema stays there.
        if encoding_stays
            && self.encoding.is_some()
            && let (Decoded::Json(json), Some(bytes)) = (self.content.data, self.bytes)
            && let Some((front, back)) = around(json.as_bytes(), bytes)
        {
            for piece in [front, made.get().as_bytes(), back] {
                out.extend_from_slice(piece);
            }
            return Ok(Fate::New);
        }
        match read_data(made, self.encoding, self.name, out) {
            Ok(true) => Ok(Fate::New),
            Ok(false) => Ok(Fate::Null),
            Err(why) => Err(Refusal::new(why)),
        }
    }
}

fn read(json: &[u8]) -> Result<Members<'_>, Refusal> {
    serde_json::from_slice(json)
        .map_err(|e| Refusal::new(format!("its output is no event object: {e}")))
}
