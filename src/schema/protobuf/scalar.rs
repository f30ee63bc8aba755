//! Values that are no messages, as JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::fault::{Fault, Walked};
use super::table::Kind;
use super::walk::Walk;
use super::wire::{Cursor, zigzag};
use crate::text::push_string;

impl<'a> Walk<'a> {
    /// Writes the value that stands from `start` to `end`.
    #[inline]
    pub(super) fn scalar(&mut self, kind: Kind, start: usize, end: usize) -> Walked {
        match kind {
            Kind::String => {
                let text = self.text(start, end)?;
                push_string(self.out, text);
                Ok(())
            }
            Kind::Bytes => {
                push_base64(self.out, self.slice(start, end));
                Ok(())
            }
            _ => self.number(kind, &mut Cursor::new(self.bytes, start, end)),
        }
    }

    pub(super) fn slice(&self, start: usize, end: usize) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    pub(super) fn text(&self, start: usize, end: usize) -> Walked<&'a str> {
        str::from_utf8(self.slice(start, end)).map_err(|error| {
            let at = start + error.valid_up_to();
            Fault::new("its text is no UTF-8", at)
        })
    }

    /// Reads and writes a number, boolean or enum value.
    #[inline]
    pub(super) fn number(&mut self, kind: Kind, cursor: &mut Cursor<'_>) -> Walked {
        // Encoders write 32-bit numbers with 64 bits; what is above the 32 is dropped.
        match kind {
            Kind::Double => push_f64(self.out, f64::from_bits(cursor.fixed64()?)),
            Kind::Float => push_f32(self.out, f32::from_bits(cursor.fixed32()?)),
            Kind::Fixed32 => push_integer(self.out, cursor.fixed32()?),
            Kind::Fixed64 => push_integer(self.out, cursor.fixed64()?),
            Kind::Sfixed32 => push_integer(self.out, cursor.fixed32()?.cast_signed()),
            Kind::Sfixed64 => push_integer(self.out, cursor.fixed64()?.cast_signed()),
            _ => {
                let value = cursor.varint()?;
                self.varint(kind, value);
            }
        }
        Ok(())
    }

    fn varint(&mut self, kind: Kind, value: u64) {
        match kind {
            Kind::Int32 => push_integer(self.out, value as i32),
            Kind::Int64 => push_integer(self.out, value.cast_signed()),
            Kind::Uint32 => push_integer(self.out, value as u32),
            Kind::Sint32 => push_integer(self.out, zigzag(value & 0xffff_ffff) as i32),
            Kind::Sint64 => push_integer(self.out, zigzag(value)),
            Kind::Bool => {
                let word: &[u8] = if value == 0 { b"false" } else { b"true" };
                self.out.extend_from_slice(word);
            }
            Kind::Enum(id) => self.enumeration(id, value as i32),
            _ => push_integer(self.out, value),
        }
    }

    fn enumeration(&mut self, id: u32, number: i32) {
        let known = self.table.enums.get(id as usize);
        match known.and_then(|known| known.value(number)) {
            Some(_) if known.is_some_and(|known| known.is_null) => {
                self.out.extend_from_slice(b"null");
            }
            Some(name) => self.out.extend_from_slice(name),
            None => push_integer(self.out, number),
        }
    }

    /// Writes what a value that is not there counts as.
    pub(super) fn default(&mut self, kind: Kind) {
        match kind {
            Kind::Double | Kind::Float => self.out.extend_from_slice(b"0.0"),
            Kind::String | Kind::Bytes => self.out.extend_from_slice(b"\"\""),
            Kind::Bool => self.out.extend_from_slice(b"false"),
            Kind::Enum(id) => {
                let first = self.table.enums.get(id as usize).map_or(0, |e| e.first);
                self.enumeration(id, first);
            }
            _ => self.out.push(b'0'),
        }
    }
}

pub(super) fn push_integer(out: &mut Vec<u8>, number: impl itoa::Integer) {
    let mut digits = itoa::Buffer::new();
    out.extend_from_slice(digits.format(number).as_bytes());
}

fn push_f64(out: &mut Vec<u8>, number: f64) {
    if number.is_finite() {
        // Writing to memory cannot fail.
        serde_json::to_writer(out, &number).ok();
    } else {
        push_special(out, number);
    }
}

fn push_f32(out: &mut Vec<u8>, number: f32) {
    if number.is_finite() {
        serde_json::to_writer(out, &number).ok();
    } else {
        push_special(out, f64::from(number));
    }
}

/// Numbers that JSON has not.
fn push_special(out: &mut Vec<u8>, number: f64) {
    let word: &[u8] = if number.is_nan() {
        b"\"NaN\""
    } else if number > 0.0 {
        b"\"Infinity\""
    } else {
        b"\"-Infinity\""
    };
    out.extend_from_slice(word);
}

/// Appends a JSON string of base64 digits.
pub(super) fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let begin = out.len();
    out.resize(begin + bytes.len().div_ceil(3) * 4, 0);
    // There is room for just as many digits.
    let room = out.get_mut(begin..).unwrap_or_default();
    STANDARD.encode_slice(bytes, room).ok();
    out.push(b'"');
}
