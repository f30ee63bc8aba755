//! Encoders of `MessagePack` and CBOR, written from the specifications and not from the decoders.

use serde_json::Value;

/// With `wide` in the longest form that holds the value, else in the shortest.
pub(super) fn msgpack(value: &Value, wide: bool, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xc0),
        Value::Bool(no_or_yes) => out.push(0xc2 + u8::from(*no_or_yes)),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(n), _) if n < 128 && !wide => out.push(n as u8),
            (Some(n), _) if n < 256 && !wide => out.extend([0xcc, n as u8]),
            (Some(n), _) if n < 65_536 && !wide => put(out, 0xcd, &(n as u16).to_be_bytes()),
            (Some(n), _) => put(out, 0xcf, &n.to_be_bytes()),
            (_, Some(n)) if n >= -32 && !wide => out.push(n.cast_unsigned() as u8),
            (_, Some(n)) if n >= -128 && !wide => put(out, 0xd0, &(n as i8).to_be_bytes()),
            (_, Some(n)) => put(out, 0xd3, &n.to_be_bytes()),
            _ => put(out, 0xcb, &number.as_f64().unwrap().to_be_bytes()),
        },
        Value::String(text) => {
            match text.len() {
                len @ 0..32 if !wide => out.push(0xa0 + len as u8),
                len @ 0..256 if !wide => out.extend([0xd9, len as u8]),
                len => put(out, 0xdb, &(len as u32).to_be_bytes()),
            }
            out.extend_from_slice(text.as_bytes());
        }
        Value::Array(items) => {
            match items.len() {
                len @ 0..16 if !wide => out.push(0x90 + len as u8),
                len if !wide => put(out, 0xdc, &(len as u16).to_be_bytes()),
                len => put(out, 0xdd, &(len as u32).to_be_bytes()),
            }
            for item in items {
                msgpack(item, wide, out);
            }
        }
        Value::Object(members) => {
            match members.len() {
                len @ 0..16 if !wide => out.push(0x80 + len as u8),
                len if !wide => put(out, 0xde, &(len as u16).to_be_bytes()),
                len => put(out, 0xdf, &(len as u32).to_be_bytes()),
            }
            for (name, item) in members {
                msgpack(&Value::from(name.as_str()), wide, out);
                msgpack(item, wide, out);
            }
        }
    }
}

fn put(out: &mut Vec<u8>, marker: u8, bytes: &[u8]) {
    out.push(marker);
    out.extend_from_slice(bytes);
}

/// With `wide` of indefinite length and with the longest arguments, else in the shortest form.
pub(super) fn cbor(value: &Value, wide: bool, out: &mut Vec<u8>) {
    match value {
        Value::Null => out.push(0xf6),
        Value::Bool(no_or_yes) => out.push(0xf4 + u8::from(*no_or_yes)),
        Value::Number(number) => match (number.as_u64(), number.as_i64()) {
            (Some(n), _) => head(out, 0, n, wide),
            (_, Some(n)) => head(out, 1, !n.cast_unsigned(), wide),
            _ => put(out, 0xfb, &number.as_f64().unwrap().to_be_bytes()),
        },
        Value::String(text) if wide => {
            out.push(0x7f);
            for piece in text.chars().collect::<Vec<_>>().chunks(3) {
                let piece: String = piece.iter().collect();
                cbor(&Value::from(piece), false, out);
            }
            out.push(0xff);
        }
        Value::String(text) => {
            head(out, 3, text.len() as u64, wide);
            out.extend_from_slice(text.as_bytes());
        }
        Value::Array(items) => {
            opening(out, 4, items.len() as u64, wide);
            for item in items {
                cbor(item, wide, out);
            }
            out.extend(wide.then_some(0xff));
        }
        Value::Object(members) => {
            opening(out, 5, members.len() as u64, wide);
            for (name, item) in members {
                cbor(&Value::from(name.as_str()), wide, out);
                cbor(item, wide, out);
            }
            out.extend(wide.then_some(0xff));
        }
    }
}

fn opening(out: &mut Vec<u8>, major: u8, len: u64, wide: bool) {
    if wide {
        out.push(major << 5 | 0x1f);
    } else {
        head(out, major, len, false);
    }
}

fn head(out: &mut Vec<u8>, major: u8, argument: u64, wide: bool) {
    let major = major << 5;
    match argument {
        0..24 if !wide => out.push(major | argument as u8),
        0..256 if !wide => out.extend([major | 0x18, argument as u8]),
        0..65_536 if !wide => put(out, major | 0x19, &(argument as u16).to_be_bytes()),
        0..0x1_0000_0000 if !wide => put(out, major | 0x1a, &(argument as u32).to_be_bytes()),
        _ => put(out, major | 0x1b, &argument.to_be_bytes()),
    }
}
