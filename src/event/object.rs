//! The event object: what expressions see and what `-o jsonl` prints, one JSON text on one line.
//! Its member names and order are public API. Nothing here allocates for an ordinary event.

use std::collections::HashMap;
use std::io::Write;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::decode::{Content, Decoded, Decoding};
use super::{EventRef, Headers, PositionStyle};
use crate::text;

/// Appends the event object, without a line end.
pub fn write(out: &mut Vec<u8>, event: &EventRef<'_>, decoding: &Decoding) {
    write_place(out, event);
    let key = decoding.key(event.key);
    out.extend_from_slice(b",\"key\":");
    write_data(out, key.data);
    out.extend_from_slice(b",\"headers\":");
    write_headers(out, event.headers);
    let value = decoding.value(event.value);
    out.extend_from_slice(b",\"value\":");
    write_data(out, value.data);
    out.extend_from_slice(b",\"encoding\":{\"key\":\"");
    out.extend_from_slice(encoding_name(key.data, "null").as_bytes());
    out.extend_from_slice(b"\",\"value\":\"");
    out.extend_from_slice(encoding_name(value.data, "tombstone").as_bytes());
    out.extend_from_slice(b"\"}");
    write_refusals(out, &key, &value);
    out.push(b'}');
}

/// The members that say where and when.
fn write_place(out: &mut Vec<u8>, event: &EventRef<'_>) {
    out.extend_from_slice(b"{\"topic\":");
    text::push_string(out, &event.stream.topic);
    out.extend_from_slice(b",\"partition\":");
    push_integer(out, event.stream.partition);
    out.extend_from_slice(b",\"offset\":");
    match event.stream.style {
        PositionStyle::Offset => push_integer(out, event.position.major),
        PositionStyle::Entry => {
            out.push(b'"');
            push_position(out, event);
            out.push(b'"');
        }
    }
    match event.time() {
        Some(time) => {
            out.extend_from_slice(b",\"timestamp\":");
            push_integer(out, time.0);
            out.extend_from_slice(b",\"time\":\"");
            time.write_rfc3339(out);
            out.push(b'"');
        }
        None => out.extend_from_slice(b",\"timestamp\":null,\"time\":null"),
    }
    out.extend_from_slice(b",\"timestamp_type\":\"");
    out.extend_from_slice(event.timestamp_type.name().as_bytes());
    out.push(b'"');
}

/// Appends the position as the broker's own tools write it.
pub fn push_position(out: &mut Vec<u8>, event: &EventRef<'_>) {
    push_integer(out, event.position.major);
    if event.stream.style == PositionStyle::Entry {
        out.push(b'-');
        push_integer(out, event.position.minor);
    }
}

/// Appends a decimal number.
pub fn push_integer(out: &mut Vec<u8>, number: impl itoa::Integer) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends what a key or value is in the event object.
pub fn write_data(out: &mut Vec<u8>, data: Decoded<'_>) {
    match data {
        Decoded::Null => out.extend_from_slice(b"null"),
        Decoded::Json(json) => json.write(out),
        Decoded::Text(text) => text::push_string(out, text),
        Decoded::Binary(bytes) => write_base64(out, bytes),
    }
}

const fn encoding_name(data: Decoded<'_>, null: &'static str) -> &'static str {
    match data {
        Decoded::Null => null,
        Decoded::Json(_) => "json",
        Decoded::Text(_) => "text",
        Decoded::Binary(_) => "binary",
    }
}

/// Appends `{"base64":"…"}`.
fn write_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"{\"base64\":\"");
    let start = out.len();
    out.resize(start + bytes.len().div_ceil(3) * 4, 0);
    let written = STANDARD.encode_slice(bytes, &mut out[start..]);
    // The room is exactly what the encoding takes: four characters for each three bytes begun.
    debug_assert_eq!(written, Ok(out.len() - start));
    out.extend_from_slice(b"\"}");
}

fn write_refusals(out: &mut Vec<u8>, key: &Content<'_>, value: &Content<'_>) {
    let mut lead = ",\"error\":\"";
    for (name, content) in [("key", key), ("value", value)] {
        if let Some(refused) = content.refused {
            // Only texts of ours: nothing in them needs an escape but an apostrophe, which JSON
            // takes as it is. Writing into memory does not fail.
            let written = write!(out, "{lead}{name}: {refused}");
            debug_assert!(written.is_ok());
            lead = "; ";
        }
    }
    if lead == "; " {
        out.push(b'"');
    }
}

/// Events with more headers than this are grouped by a map, others by looking.
const FEW: usize = 32;

/// Appends the headers as an object in their order. One that is repeated becomes an array where it
/// stands first. Names that are not UTF-8 are written with `\xff` for their stray bytes.
pub fn write_headers(out: &mut Vec<u8>, headers: Headers<'_>) {
    let mut few: [Header<'_>; FEW] = [(&[], None); FEW];
    let mut count = 0;
    for header in headers {
        if let Some(slot) = few.get_mut(count) {
            *slot = header;
        }
        count += 1;
    }
    out.push(b'{');
    match few.get(..count) {
        Some(few) => write_few(out, few),
        None => write_many(out, headers),
    }
    out.push(b'}');
}

type Header<'a> = (&'a [u8], Option<&'a [u8]>);
/// A name and its values in order.
type Group<'a> = (&'a [u8], Vec<Option<&'a [u8]>>);

fn write_few(out: &mut Vec<u8>, headers: &[Header<'_>]) {
    let mut done = 0u32;
    for (i, (name, value)) in headers.iter().enumerate() {
        if done >> i & 1 == 1 {
            continue;
        }
        if i > 0 {
            out.push(b',');
        }
        write_name(out, name);
        let start = out.len();
        write_header_value(out, *value);
        let mut repeated = false;
        for (j, (other, value)) in headers.iter().enumerate().skip(i + 1) {
            if other == name {
                if !repeated {
                    out.insert(start, b'[');
                    repeated = true;
                }
                out.push(b',');
                write_header_value(out, *value);
                done |= 1 << j;
            }
        }
        if repeated {
            out.push(b']');
        }
    }
}

/// Comparing each name with each other would let one event with 100,000 headers stop the tool.
fn write_many(out: &mut Vec<u8>, headers: Headers<'_>) {
    let mut places: HashMap<&[u8], usize> = HashMap::new();
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (name, value) in headers {
        let place = *places.entry(name).or_insert(groups.len());
        match groups.get_mut(place) {
            Some((_, values)) => values.push(value),
            None => groups.push((name, vec![value])),
        }
    }
    for (i, (name, values)) in groups.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_name(out, name);
        if values.len() > 1 {
            out.push(b'[');
        }
        for (j, value) in values.iter().enumerate() {
            if j > 0 {
                out.push(b',');
            }
            write_header_value(out, *value);
        }
        if values.len() > 1 {
            out.push(b']');
        }
    }
}

fn write_name(out: &mut Vec<u8>, name: &[u8]) {
    if let Ok(name) = str::from_utf8(name) {
        text::push_string(out, name);
    } else {
        let mut visible = Vec::with_capacity(name.len() * 4);
        text::write_visible(&mut visible, name);
        text::push_string(out, &String::from_utf8_lossy(&visible));
    }
    out.push(b':');
}

fn write_header_value(out: &mut Vec<u8>, value: Option<&[u8]>) {
    match value.map(|bytes| (bytes, str::from_utf8(bytes))) {
        None => out.extend_from_slice(b"null"),
        Some((_, Ok(text))) => text::push_string(out, text),
        Some((bytes, Err(_))) => write_base64(out, bytes),
    }
}
