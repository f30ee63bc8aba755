//! Comma-separated values (RFC 4180, lines end in a line feed), with a header line. Hostile
//! characters are made visible, so a record is always one line. A null is an empty field, an empty
//! text is `""`.
//!
//! Fields that begin with `=`, `+`, `-` or `@` are written as they are: a spreadsheet may take them
//! for formulas, so import such columns as text.

use super::clock::Clock;
use super::{FormatSpec, Frame, Writer, json, text};
use crate::event::{Decoded, EventRef, object};
use crate::schema::Reader;
use crate::text as safe;

pub(super) const FORMAT: FormatSpec = FormatSpec {
    name: "csv",
    about: "comma-separated values with a header line",
    argument: None,
    open: |_, look| {
        Ok(Box::new(Csv {
            reader: look.decoder.reader(),
            clock: Clock::new(look.zone.as_ref()),
            scratch: Vec::new(),
        }))
    },
    open_mapped: json::mapped_lines,
};

#[derive(Clone)]
struct Csv {
    reader: Reader,
    clock: Clock,
    scratch: Vec<u8>,
}

impl Csv {}

/// Appends a comma and the field that `write` makes, in quotes where it needs them.
fn field(scratch: &mut Vec<u8>, out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    scratch.clear();
    write(scratch);
    out.push(b',');
    push_field(out, scratch);
}

fn push_field(out: &mut Vec<u8>, field: &[u8]) {
    let spaced = field.first() == Some(&b' ') || field.last() == Some(&b' ');
    if !field.is_empty() && !spaced && memchr::memchr2(b',', b'"', field).is_none() {
        out.extend_from_slice(field);
        return;
    }
    out.push(b'"');
    let mut start = 0;
    for quote in memchr::memchr_iter(b'"', field) {
        out.extend_from_slice(&field[start..=quote]);
        out.push(b'"');
        start = quote + 1;
    }
    out.extend_from_slice(&field[start..]);
    out.push(b'"');
}

impl Frame for Csv {
    fn begin(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(b"topic,partition,offset,timestamp,time,key,value,headers\n");
    }
}

impl Writer for Csv {
    fn event(&mut self, out: &mut Vec<u8>, event: &EventRef<'_>) {
        self.scratch.clear();
        safe::push_visible(&mut self.scratch, &event.stream.topic);
        push_field(out, &self.scratch);
        out.push(b',');
        object::push_integer(out, event.stream.partition);
        out.push(b',');
        object::push_position(out, event);
        out.push(b',');
        if let Some(time) = event.time() {
            object::push_integer(out, time.0);
            out.push(b',');
            self.clock.write(out, time);
        } else {
            out.push(b',');
        }
        let seen = self.reader.see(event);
        for content in [seen.key, seen.value] {
            if content.data == Decoded::Null {
                out.push(b',');
            } else {
                field(&mut self.scratch, out, |out| {
                    text::write_data(out, content.data);
                });
            }
        }
        field(&mut self.scratch, out, |out| {
            object::write_headers(out, event.headers);
        });
        out.push(b'\n');
    }

    fn fork(&self) -> Box<dyn Writer> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::output::Look;
    use crate::output::sample::{Sample, render};

    fn rows(samples: &[&Sample]) -> Vec<String> {
        let text = render("csv", &Look::default(), samples);
        text.lines().skip(1).map(str::to_owned).collect()
    }

    #[test]
    fn null_and_empty_are_told_apart() {
        let mut null = Sample::new(None, None);
        null.time = None;
        let empty = Sample::new(Some(b""), Some(b""));
        assert_eq!(
            rows(&[&null, &empty]),
            [
                "orders,0,15,,,,,{}",
                "orders,0,15,1723717843000,2024-08-15T10:30:43.000Z,\"\",\"\",{}"
            ]
        );
        assert_eq!(
            render("csv", &Look::default(), &[]),
            "topic,partition,offset,timestamp,time,key,value,headers\n"
        );
    }

    #[test]
    fn fields_are_quoted_where_they_must_be() {
        for (value, field) in [
            ("plain text", "plain text"),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            (" padded", "\" padded\""),
            ("padded ", "\"padded \""),
            ("two\nlines\r", "two\\nlines\\r"),
            ("{\"a\": [1,\n2]}", "\"{\"\"a\"\":[1,2]}\""),
            ("\"", "\"\"\"\""),
            ("=1+1", "=1+1"),
        ] {
            let sample = Sample::new(Some(b"k"), Some(value.as_bytes()));
            let row = rows(&[&sample]).join("\n");
            assert!(row.ends_with(&format!(",k,{field},{{}}")), "{row}");
        }
    }

    #[test]
    fn headers_are_a_json_object_in_one_field() {
        let sample = Sample::new(None, None).header(b"a", Some(b"1"));
        assert!(rows(&[&sample])[0].ends_with(",,,\"{\"\"a\"\":\"\"1\"\"}\""));
    }
}
