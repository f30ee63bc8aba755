//! Event objects as JSON: one a line, or one array.

use super::{FormatSpec, Frame, Look, MappedWriter, Writer};
use crate::event::{EventRef, object};
use crate::schema::Reader;
use crate::text;

pub(super) const LINES: FormatSpec = FormatSpec {
    name: "jsonl",
    about: "one event object a line, for tools",
    argument: None,
    open: |_, look| {
        Ok(Box::new(Lines {
            reader: look.decoder.reader(),
        }))
    },
    open_mapped: mapped_lines,
};

pub(super) const ARRAY: FormatSpec = FormatSpec {
    name: "json",
    about: "one JSON array of event objects",
    argument: None,
    open: |_, look| {
        Ok(Box::new(Array {
            reader: look.decoder.reader(),
        }))
    },
    open_mapped: |look| {
        Box::new(Array {
            reader: look.decoder.reader(),
        })
    },
};

/// One mapped text a line, for all formats without a form of their own.
pub(super) fn mapped_lines(look: &Look) -> Box<dyn MappedWriter> {
    Box::new(Lines {
        reader: look.decoder.reader(),
    })
}

#[derive(Clone)]
struct Lines {
    reader: Reader,
}

impl Frame for Lines {}

impl Writer for Lines {
    fn event(&mut self, out: &mut Vec<u8>, event: &EventRef<'_>) {
        object::write(out, event, &self.reader.see(event));
        out.push(b'\n');
    }

    fn fork(&self) -> Box<dyn Writer> {
        Box::new(self.clone())
    }
}

impl MappedWriter for Lines {
    fn mapped(&mut self, out: &mut Vec<u8>, json: &[u8]) {
        text::push_value(out, json);
        out.push(b'\n');
    }

    fn fork_mapped(&self) -> Box<dyn MappedWriter> {
        Box::new(self.clone())
    }
}

/// Each element stands on a line of its own: the line begins with the element.
#[derive(Clone)]
struct Array {
    reader: Reader,
}

impl Frame for Array {
    fn begin(&self, out: &mut Vec<u8>) {
        out.push(b'[');
    }

    fn separator(&self) -> &'static [u8] {
        b","
    }

    fn finish(&self, out: &mut Vec<u8>, any: bool) {
        out.extend_from_slice(if any { b"\n]\n" } else { b"]\n" });
    }
}

impl Writer for Array {
    fn event(&mut self, out: &mut Vec<u8>, event: &EventRef<'_>) {
        out.push(b'\n');
        object::write(out, event, &self.reader.see(event));
    }

    fn fork(&self) -> Box<dyn Writer> {
        Box::new(self.clone())
    }
}

impl MappedWriter for Array {
    fn mapped(&mut self, out: &mut Vec<u8>, json: &[u8]) {
        out.push(b'\n');
        text::push_value(out, json);
    }

    fn fork_mapped(&self) -> Box<dyn MappedWriter> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::mapped_writer;
    use crate::output::sample::{Sample, render};

    #[test]
    fn an_array_is_one_document_also_when_it_is_empty() {
        let look = Look::default();
        assert_eq!(render("json", &look, &[]), "[]\n");
        let sample = Sample::new(None, Some(b"1"));
        for count in 1..4 {
            let text = render("json", &look, &vec![&sample; count]);
            let array: Vec<serde_json::Value> = serde_json::from_str(&text).unwrap();
            assert_eq!(array.len(), count);
            assert_eq!(text.lines().count(), count + 2);
        }
    }

    #[test]
    fn lines_are_one_object_each() {
        let samples = [Sample::new(None, None), Sample::bytes(b"{\n\"a\": 1}")];
        let text = render("jsonl", &Look::default(), &[&samples[0], &samples[1]]);
        for line in text.lines() {
            assert!(serde_json::from_str::<serde_json::Value>(line).unwrap()["topic"] == "orders");
        }
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn mapped_texts_are_lines_or_elements() {
        for (format, expected) in [
            ("text", "{\"a\":1}\n\"\\u202e\"\n"),
            ("csv", "{\"a\":1}\n\"\\u202e\"\n"),
            ("template={key}", "{\"a\":1}\n\"\\u202e\"\n"),
            ("jsonl", "{\"a\":1}\n\"\\u202e\"\n"),
            ("json", "[\n{\"a\":1},\n\"\\u202e\"\n]\n"),
        ] {
            let mut writer = mapped_writer(format, &Look::default()).unwrap();
            let mut out = Vec::new();
            writer.begin(&mut out);
            writer.mapped(&mut out, b"{\n\"a\":1}");
            out.extend_from_slice(writer.separator());
            writer.mapped(&mut out, "\"\u{202e}\"".as_bytes());
            writer.finish(&mut out, true);
            assert_eq!(String::from_utf8(out).unwrap(), expected, "{format}");
        }
    }
}
