//! One line of JSON lines becomes an event. Three forms are told apart by their members:
//! evtap's event object, the form of `kcat -J` (it has `payload` or `tstype`), and a bare value:
//! an object without `value`, `key`, `topic` and `headers`, or any other JSON, is the value itself,
//! byte by byte.
//!
//! An event object must have `value`: leaving it out by mistake would write a tombstone.

mod member;
mod pieces;

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

pub use member::Member;
use pieces::{Form, push_base64, push_text, read_headers};

use crate::event::{HeaderBuf, Headers, Position, PositionStyle, Timestamp, TimestampType};

/// Why a line is no event, and what it can be made of otherwise.
pub type Reason = Cow<'static, str>;

/// What a line says, and what it leaves open. Its buffers are used again for the next line.
#[derive(Default)]
pub(super) struct Line {
    topic: Option<String>,
    partition: u32,
    position: Option<(Position, PositionStyle)>,
    timestamp: Timestamp,
    timestamp_type: TimestampType,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: HeaderBuf,
    /// The buffers of a key and a value that are null.
    spare: Vec<Vec<u8>>,
}

/// The members that mean something to us.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Members<'a> {
    #[serde(borrow)]
    topic: Member<'a>,
    partition: Member<'a>,
    offset: Member<'a>,
    timestamp: Member<'a>,
    timestamp_type: Member<'a>,
    key: Member<'a>,
    headers: Member<'a>,
    value: Member<'a>,
    encoding: Member<'a>,
    // Those of kcat.
    payload: Member<'a>,
    tstype: Member<'a>,
    ts: Member<'a>,
}

#[derive(Deserialize, Default)]
struct Encoding<'a> {
    #[serde(borrow, default)]
    key: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    value: Option<Cow<'a, str>>,
}

impl Line {
    pub(super) fn topic(&self) -> Option<&str> {
        self.topic.as_deref()
    }

    pub(super) const fn partition(&self) -> u32 {
        self.partition
    }

    pub(super) const fn position(&self) -> Option<(Position, PositionStyle)> {
        self.position
    }

    pub(super) const fn time(&self) -> (Timestamp, TimestampType) {
        (self.timestamp, self.timestamp_type)
    }

    pub(super) fn key(&self) -> Option<&[u8]> {
        self.key.as_deref()
    }

    pub(super) fn value(&self) -> Option<&[u8]> {
        self.value.as_deref()
    }

    pub(super) fn headers(&self) -> Headers<'_> {
        self.headers.as_headers()
    }

    fn clear(&mut self) {
        self.topic = None;
        self.partition = 0;
        self.position = None;
        self.timestamp = Timestamp::default();
        self.timestamp_type = TimestampType::None;
        self.headers.clear();
        self.spare.extend(self.key.take());
        self.spare.extend(self.value.take());
    }

    /// Reads a line without its end.
    pub(super) fn parse(&mut self, line: &[u8]) -> Result<(), Reason> {
        self.clear();
        let line = line.trim_ascii();
        if line.first() != Some(&b'{') {
            serde_json::from_slice::<IgnoredAny>(line).map_err(|e| not_json(&e))?;
            return self.bare(line);
        }
        let members: Members<'_> = serde_json::from_slice(line).map_err(|e| not_json(&e))?;
        if members.payload.0.is_some() || members.tstype.0.is_some() {
            return self.kcat(&members);
        }
        let known = [members.value, members.key, members.topic, members.headers];
        if known.iter().all(|member| member.0.is_none()) {
            return self.bare(line);
        }
        self.object(&members)
    }

    fn bare(&mut self, line: &[u8]) -> Result<(), Reason> {
        // What was skipped over was not looked at as text yet.
        str::from_utf8(line).map_err(|_| "it is not UTF-8")?;
        let mut value = self.buffer();
        value.extend_from_slice(line);
        self.value = Some(value);
        Ok(())
    }

    fn object(&mut self, members: &Members<'_>) -> Result<(), Reason> {
        self.place(members)?;
        let encoding: Encoding<'_> = match members.encoding.0 {
            Some(raw) => from_raw(raw, "'encoding' is not an object of strings")?,
            None => Encoding::default(),
        };
        let time: Option<i64> = match members.timestamp.0 {
            Some(raw) => from_raw(raw, "'timestamp' is not a number of milliseconds")?,
            None => None,
        };
        let kind: Option<Cow<'_, str>> = match members.timestamp_type.0 {
            Some(raw) => from_raw(raw, "'timestamp_type' is not a string")?,
            None => None,
        };
        self.set_time(time, kind.as_deref())?;
        self.key = match members.key.0 {
            Some(raw) => self.data(raw, encoding.key.as_deref(), "key")?,
            None => None,
        };
        let value = members
            .value
            .0
            .ok_or("the event has no 'value' (a tombstone is \"value\":null)")?;
        self.value = self.data(value, encoding.value.as_deref(), "value")?;
        match members.headers.0 {
            Some(raw) => read_headers(raw, &mut self.headers, Form::Object),
            None => Ok(()),
        }
    }

    fn kcat(&mut self, members: &Members<'_>) -> Result<(), Reason> {
        self.place(members)?;
        let time: Option<i64> = match members.ts.0 {
            Some(raw) => from_raw(raw, "'ts' is not a number of milliseconds")?,
            None => None,
        };
        let kind: Option<Cow<'_, str>> = match members.tstype.0 {
            Some(raw) => from_raw(raw, "'tstype' is not a string")?,
            None => None,
        };
        self.set_time(time, kind.as_deref())?;
        self.key = match members.key.0 {
            Some(raw) => self.data(raw, None, "key")?,
            None => None,
        };
        self.value = match members.payload.0 {
            Some(raw) => self.data(raw, None, "payload")?,
            None => None,
        };
        match members.headers.0 {
            Some(raw) => read_headers(raw, &mut self.headers, Form::Pairs),
            None => Ok(()),
        }
    }

    fn place(&mut self, members: &Members<'_>) -> Result<(), Reason> {
        if let Some(raw) = members.topic.0 {
            let topic: Option<String> = from_raw(raw, "'topic' is not a string")?;
            self.topic = topic.filter(|topic| !topic.is_empty());
        }
        if let Some(raw) = members.partition.0 {
            let wrong = "'partition' is not a number from 0 to 2147483647";
            let number: u32 = from_raw(raw, wrong)?;
            if number > i32::MAX.cast_unsigned() {
                return Err(wrong.into());
            }
            self.partition = number;
        }
        if let Some(raw) = members.offset.0 {
            self.position = position(raw.get())?;
        }
        Ok(())
    }

    fn set_time(&mut self, time: Option<i64>, kind: Option<&str>) -> Result<(), Reason> {
        let kind = match kind {
            None | Some("create") => TimestampType::Create,
            Some("append" | "logappend") => TimestampType::Append,
            Some("none" | "unknown") => TimestampType::None,
            Some(_) => return Err("the timestamp type is none of create, append, none".into()),
        };
        if let Some(time) = time
            && kind != TimestampType::None
        {
            self.timestamp = Timestamp(time);
            self.timestamp_type = kind;
        }
        Ok(())
    }

    fn buffer(&mut self) -> Vec<u8> {
        let mut buffer = self.spare.pop().unwrap_or_default();
        buffer.clear();
        buffer
    }

    /// The bytes of a key or value.
    fn data(
        &mut self,
        raw: &RawValue,
        encoding: Option<&str>,
        what: &str,
    ) -> Result<Option<Vec<u8>>, Reason> {
        let mut bytes = self.buffer();
        Ok(read_data(raw, encoding, what, &mut bytes)?.then_some(bytes))
    }
}

/// Appends the bytes that the member `what` of an event object stands for; false where it stands
/// for none: a null key, a tombstone.
pub fn read_data(
    raw: &RawValue,
    encoding: Option<&str>,
    what: &str,
    bytes: &mut Vec<u8>,
) -> Result<bool, Reason> {
    let json = raw.get();
    match encoding {
        // A CloudEvent in structured mode, its data in JSON.
        Some("json" | "cloudevents") => bytes.extend_from_slice(json.as_bytes()),
        Some("text") => push_text(raw, bytes)
            .map_err(|()| format!("'{what}' is no string, though its encoding is text"))?,
        Some("binary") => push_base64(raw, bytes).map_err(|()| {
            format!("'{what}' is no {{\"base64\":…}}, though its encoding is binary")
        })?,
        Some("tombstone" | "null") => {
            if json != "null" {
                return Err(format!("'{what}' is not null, though its encoding says so").into());
            }
            return Ok(false);
        }
        Some(other) => {
            let other: String = other.chars().take(40).collect();
            return Err(
                format!("the bytes of '{what}' cannot be made of the encoding {other}").into(),
            );
        }
        None if json == "null" => return Ok(false),
        None if json.starts_with('"') => {
            push_text(raw, bytes).map_err(|()| format!("'{what}' is a string that is no text"))?;
        }
        None => bytes.extend_from_slice(json.as_bytes()),
    }
    Ok(true)
}

/// Appends the headers that the member of an event object stands for.
pub fn read_object_headers(raw: &RawValue, out: &mut HeaderBuf) -> Result<(), Reason> {
    read_headers(raw, out, Form::Object)
}

fn not_json(error: &serde_json::Error) -> Reason {
    let text = error.to_string();
    // The line that it would name is always the first.
    let what = text.split(" at line ").next().unwrap_or(&text);
    format!("it is not JSON: {what} (column {})", error.column()).into()
}

fn from_raw<'a, T: Deserialize<'a>>(raw: &'a RawValue, wrong: &'static str) -> Result<T, Reason> {
    serde_json::from_str(raw.get()).map_err(|_| wrong.into())
}

fn position(json: &str) -> Result<Option<(Position, PositionStyle)>, Reason> {
    if json == "null" {
        return Ok(None);
    }
    let wrong = "'offset' is neither a whole number nor a position like \"1692100000000-0\"";
    if !json.starts_with('"') {
        return match Position::parse(json, PositionStyle::Offset) {
            Some(position) => Ok(Some((position, PositionStyle::Offset))),
            None => Err(wrong.into()),
        };
    }
    let text: Cow<'_, str> = serde_json::from_str(json).map_err(|_| wrong)?;
    match Position::parse(&text, PositionStyle::Entry) {
        Some(position) => Ok(Some((position, PositionStyle::Entry))),
        None => Err(wrong.into()),
    }
}

#[cfg(test)]
mod tests;
