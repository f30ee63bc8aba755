//! The well-known types in the forms that Protobuf's JSON has for them.
//! <https://protobuf.dev/programming-guides/json/>

use super::fault::Walked;
use super::scalar::push_base64;
use super::scratch::Slot;
use super::table::{Field, Kind, Special};
use super::time;
use super::walk::{Body, Open, Runs, Walk};
use super::wire::Cursor;
use crate::text::push_string;

impl<'a> Walk<'a> {
    pub(super) fn known(&mut self, special: Special, open: &Open<'a>, depth: usize) -> Walked {
        // What has no place in the form is told all the same.
        if !self.slot(open, open.message.fields.len()).is_empty() {
            return self.object(open, depth);
        }
        match special {
            Special::Any => self.any(open, depth),
            Special::Duration => self.time(open, depth, time::push_duration),
            Special::Timestamp => self.time(open, depth, time::push_timestamp),
            Special::FieldMask => self.field_mask(open),
            Special::Value => self.value(open, depth),
            Special::Empty => self.object(open, depth),
            Special::List | Special::Struct | Special::Wrapper => {
                match open.message.fields.first() {
                    Some(field) => self.field(field, self.slot(open, 0), depth),
                    None => self.object(open, depth),
                }
            }
        }
    }

    fn time(
        &mut self,
        open: &Open<'a>,
        depth: usize,
        push: fn(&mut Vec<u8>, i64, i32) -> bool,
    ) -> Walked {
        let seconds = self.integer(self.slot(open, 0))?;
        let nanos = self.integer(self.slot(open, 1))?;
        if push(self.out, seconds.cast_signed(), nanos as i32) {
            return Ok(());
        }
        self.object(open, depth)
    }

    fn integer(&mut self, slot: Slot) -> Walked<u64> {
        match self.last(slot)? {
            Some(frame) => Cursor::new(self.bytes, frame.start, frame.end).varint(),
            None => Ok(0),
        }
    }

    /// Writes the one field of a value that is set; null for none.
    fn value(&mut self, open: &Open<'a>, depth: usize) -> Walked {
        let fields: &'a [Field] = &open.message.fields;
        for (field, index) in fields.iter().zip(0..) {
            let slot = self.slot(open, index);
            if !slot.is_empty() && !matches!(field.kind, Kind::Enum(_)) {
                return self.single(field.kind, slot, depth);
            }
        }
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    /// Writes the paths with commas between, in lowerCamelCase as long as it leads back.
    fn field_mask(&mut self, open: &Open<'a>) -> Walked {
        let mut runs = Runs::from(self.slot(open, 0).first);
        let mut separator = b'"';
        while let Some(frame) = self.next(&mut runs)? {
            let path = self.text(frame.start, frame.end)?;
            let begin = self.out.len();
            self.out.push(separator);
            if !push_camel(self.out, path) {
                self.out.truncate(begin);
                push_string(self.out, path);
                // The quotes of this path alone are not those of the whole.
                self.out.pop();
                if let Some(quote) = self.out.get_mut(begin) {
                    *quote = separator;
                }
            }
            separator = b',';
        }
        if separator == b'"' {
            self.out.push(b'"');
        }
        self.out.push(b'"');
        Ok(())
    }

    /// Writes the type and, beside it, the fields of the message in it; or its bytes, if the
    /// schema has no such type.
    fn any(&mut self, open: &Open<'a>, depth: usize) -> Walked {
        let (url, value) = (self.slot(open, 0), self.slot(open, 1));
        self.out.push(b'{');
        if url.is_empty() && value.is_empty() {
            self.out.push(b'}');
            return Ok(());
        }
        let url = match self.last(url)? {
            Some(frame) => self.text(frame.start, frame.end)?,
            None => "",
        };
        self.out.extend_from_slice(b"\"@type\":");
        push_string(self.out, url);
        let (start, end) = match self.last(value)? {
            Some(frame) => (frame.start, frame.end),
            None => (0, 0),
        };
        let name = url.rsplit('/').next().unwrap_or(url);
        self.steps.take(8, start)?;
        let inner = self.table.by_name.get(name).copied();
        let inner = inner.and_then(|id| Some((id, self.table.message(id)?)));
        match inner {
            Some((id, message)) if message.special.is_none() => {
                let inner = self.open(id, Body::One(start, end), depth)?;
                self.members(&inner, depth + 1)?;
                self.close(&inner);
            }
            Some((id, _)) => {
                self.out.extend_from_slice(b",\"value\":");
                self.message(id, Body::One(start, end), depth + 1)?;
            }
            None => {
                self.out.extend_from_slice(b",\"value\":");
                push_base64(self.out, self.slice(start, end));
            }
        }
        self.out.push(b'}');
        Ok(())
    }
}

/// Appends `fooBar.baz` for `foo_bar.baz`; false when that would not lead back.
fn push_camel(out: &mut Vec<u8>, path: &str) -> bool {
    let mut rises = false;
    for byte in path.bytes() {
        match byte {
            b'_' if !rises => rises = true,
            b'a'..=b'z' if rises => {
                out.push(byte.to_ascii_uppercase());
                rises = false;
            }
            b'a'..=b'z' | b'0'..=b'9' | b'.' if !rises => out.push(byte),
            _ => return false,
        }
    }
    !rises
}
