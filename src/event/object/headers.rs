//! Headers as a JSON object: in their order, repeats grouped.

use std::collections::HashMap;

use super::write_base64;
use crate::event::Headers;
use crate::text;

/// Events with more headers than this are grouped by a map, others by looking.
const FEW: usize = 16;

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
    let mut done = 0u16;
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::HeaderBuf;
    use serde_json::{Value, json};

    #[test]
    fn headers_keep_order_repeats_nulls_and_bytes() {
        let all: [Header<'_>; 7] = [
            (b"b", Some(b"1")),
            (b"a", Some(b"\xff\x00")),
            (b"b", None),
            (b"", Some(b"")),
            (b"n\xff", None),
            (b"b", Some(b"3")),
            (b"x-client", Some(b"\x1b]0;pwned\x07")),
        ];
        let mut buf = HeaderBuf::default();
        for (name, value) in all {
            buf.push(name, value);
        }
        let expected = concat!(
            r#"{"b":["1",null,"3"],"a":{"base64":"/wA="},"":"","n\\xff":null,"#,
            r#""x-client":"\u001b]0;pwned\u0007"}"#
        );
        let mut out = Vec::new();
        write_headers(&mut out, buf.as_headers());
        assert_eq!(String::from_utf8(out).unwrap(), expected);
        let mut out = b"{".to_vec();
        write_many(&mut out, buf.as_headers());
        out.push(b'}');
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn an_event_with_very_many_headers_does_not_stop_the_tool() {
        let mut buf = HeaderBuf::default();
        for i in 0..100_000u32 {
            buf.push(format!("h{}", i % 99_999).as_bytes(), Some(b"v"));
        }
        let mut out = Vec::new();
        write_headers(&mut out, buf.as_headers());
        let object: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(object.as_object().unwrap().len(), 99_999);
        assert_eq!(object["h0"], json!(["v", "v"]));
    }
}
