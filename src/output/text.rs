//! One readable line an event: when, where, key, value, headers in brief.

use std::io::Write;

use super::clock::Clock;
use super::style::{KEY, MUTED, PLACE, Style, WORD};
use super::{FormatSpec, Frame, Look, Writer, json};
use crate::event::{Checked, Decoded, EventRef, Headers, Refused, SchemaVerdict, Seen, object};
use crate::schema::Reader;
use crate::text::{self, width};

pub(super) const FORMAT: FormatSpec = FormatSpec {
    name: "text",
    about: "one readable line an event",
    argument: None,
    open: |_, look| Ok(Box::new(Text::new(look))),
    open_mapped: json::mapped_lines,
};

/// Headers shown of one event.
const HEADERS: usize = 6;
/// Columns of a header's name and of its value.
const HEADER_COLUMNS: usize = 32;
/// Bytes of a header that are looked at to fill the columns.
const HEADER_BYTES: usize = 4 * HEADER_COLUMNS;

#[derive(Clone)]
struct Text {
    reader: Reader,
    lay: Lay,
}

/// How a line is laid out.
#[derive(Clone)]
struct Lay {
    clock: Clock,
    color: bool,
    /// Shows that something was cut.
    more: &'static str,
    scratch: Vec<u8>,
}

impl Text {
    fn new(look: &Look) -> Self {
        Self {
            reader: look.decoder.reader(),
            lay: Lay {
                clock: Clock::new(look.zone.as_ref()),
                color: look.color,
                more: if look.ascii { "..." } else { "…" },
                scratch: Vec::new(),
            },
        }
    }
}

impl Lay {
    fn data(&self, out: &mut Vec<u8>, data: Decoded<'_>, null: &str, style: Option<Style>) {
        let word = match data {
            Decoded::Null => null,
            Decoded::Text("") | Decoded::Binary([]) => "(empty)",
            _ => "",
        };
        match (word, style) {
            ("", None) => write_data(out, data),
            ("", Some(style)) => style.paint(out, self.color, |out| write_data(out, data)),
            (word, _) => WORD.paint(out, self.color, |out| {
                out.extend_from_slice(word.as_bytes());
            }),
        }
    }

    /// Why it does not look as `--decode` asked.
    fn refusal(&self, out: &mut Vec<u8>, refused: Option<Refused<'_>>) {
        let Some(refused) = refused else { return };
        out.push(b' ');
        WORD.paint(out, self.color, |out| {
            // Writing into memory does not fail.
            let written = write!(out, "({refused})");
            debug_assert!(written.is_ok());
        });
    }

    /// What the schema does not allow: the first of it.
    fn faults(&self, out: &mut Vec<u8>, checked: Option<Checked<'_>>) {
        let invalid = checked.filter(|c| c.verdict == SchemaVerdict::Invalid);
        let Some(fault) = invalid.and_then(|c| c.faults.first()) else {
            return;
        };
        out.push(b' ');
        WORD.paint(out, self.color, |out| {
            out.extend_from_slice(b"(invalid: ");
            text::push_visible(out, &fault.path);
            out.push(b' ');
            text::push_visible(out, &fault.message);
            out.push(b')');
        });
    }

    fn headers(&mut self, out: &mut Vec<u8>, headers: Headers<'_>) {
        for (i, (name, value)) in headers.iter().enumerate() {
            out.push(b' ');
            if i == HEADERS {
                out.push(b'+');
                object::push_integer(out, headers.count() - HEADERS);
                return;
            }
            self.brief(out, name);
            if let Some(value) = value {
                out.push(b'=');
                self.brief(out, value);
            }
        }
    }

    /// As much as fits into a header's columns.
    fn brief(&mut self, out: &mut Vec<u8>, bytes: &[u8]) {
        self.scratch.clear();
        let looked_at = bytes.get(..HEADER_BYTES).unwrap_or(bytes);
        text::write_visible(&mut self.scratch, looked_at);
        // What was made visible is UTF-8.
        let shown = str::from_utf8(&self.scratch).unwrap_or_default();
        let (kept, mark) = width::fit(shown, HEADER_COLUMNS, self.more);
        out.extend_from_slice(kept.as_bytes());
        out.extend_from_slice(mark.as_bytes());
    }
}

/// Appends decoded data for eyes, on one line. A null has nothing to show.
pub(super) fn write_data(out: &mut Vec<u8>, data: Decoded<'_>) {
    match data {
        Decoded::Null => {}
        Decoded::Json(json) => json.write(out),
        Decoded::Text(text) => text::push_visible(out, text),
        Decoded::Binary(bytes) => text::write_visible(out, bytes),
    }
}

impl Lay {
    fn line(&mut self, out: &mut Vec<u8>, event: &EventRef<'_>, seen: &Seen<'_>) {
        MUTED.paint(out, self.color, |out| match event.time() {
            Some(time) => self.clock.write(out, time),
            None => out.extend_from_slice(b"(no time)"),
        });
        out.extend_from_slice(b"  ");
        PLACE.paint(out, self.color, |out| {
            text::push_visible(out, &event.stream.topic);
            out.push(b'/');
            object::push_integer(out, event.stream.partition);
            out.push(b'@');
            object::push_position(out, event);
        });
        out.extend_from_slice(b"  ");
        self.data(out, seen.key.data, "(no key)", Some(KEY));
        self.refusal(out, seen.key.refused);
        out.extend_from_slice(b"  ");
        self.data(out, seen.value.data, "(tombstone)", None);
        self.refusal(out, seen.value.refused);
        self.faults(out, seen.schema);
        if !event.headers.is_empty() {
            out.push(b' ');
            let color = self.color;
            MUTED.paint(out, color, |out| self.headers(out, event.headers));
        }
        out.push(b'\n');
    }
}

impl Frame for Text {}

impl Writer for Text {
    fn event(&mut self, out: &mut Vec<u8>, event: &EventRef<'_>) {
        let seen = self.reader.see(event);
        self.lay.line(out, event, &seen);
    }

    fn fork(&self) -> Box<dyn Writer> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample::{Sample, render};
    use crate::schema::{Decoder, Pins};

    fn line(sample: &Sample) -> String {
        render("text", &Look::default(), &[sample])
    }

    #[test]
    fn a_line_says_when_where_and_what() {
        let sample = Sample::new(Some(b"order-444"), Some(b"{\n\t\"total\": 1e400 }"))
            .header(b"ce_id", Some(b"ord-444"))
            .header(b"deleted", None);
        assert_eq!(
            line(&sample),
            "2024-08-15T10:30:43.000Z  orders/0@15  order-444  {\"total\":1e400}  \
             ce_id=ord-444 deleted\n"
        );
    }

    #[test]
    fn what_is_null_differs_from_what_is_empty() {
        let mut sample = Sample::new(None, None);
        sample.time = None;
        assert_eq!(
            line(&sample),
            "(no time)  orders/0@15  (no key)  (tombstone)\n"
        );
        let sample = Sample::new(Some(b""), Some(b""));
        assert!(line(&sample).ends_with("  (empty)  (empty)\n"));
    }

    #[test]
    fn a_decoder_that_refused_says_why() {
        let look = Look {
            decoder: Decoder::pinned(Pins::parse("key=json,value=json").unwrap()),
            ..Look::default()
        };
        let sample = Sample::new(Some(b"k"), Some(b"{\"a\":"));
        assert_eq!(
            render("text", &look, &[&sample]),
            "2024-08-15T10:30:43.000Z  orders/0@15  \
             k (not JSON: expected a value at byte 0)  \
             {\"a\": (not JSON: the text ends early at byte 5)\n"
        );
    }

    #[test]
    fn headers_are_brief() {
        let mut sample = Sample::new(None, Some(b"1"));
        for i in 0..9 {
            let value = "x".repeat(10 + 20 * i);
            sample = sample.header(format!("h{i}").as_bytes(), Some(value.as_bytes()));
        }
        let shown = line(&sample);
        assert!(shown.contains(&format!(" h0={} ", "x".repeat(10))));
        assert!(shown.contains(&format!(" h5={}… +3\n", "x".repeat(31))));
        let ascii = Look {
            ascii: true,
            ..Look::default()
        };
        assert!(render("text", &ascii, &[&sample]).is_ascii());
    }

    #[test]
    fn colours_are_ours_alone_and_only_when_on() {
        let sample = Sample::full("orders", b"\x1b[31mred", "\x1b]0;pwned\x07");
        let color = Look {
            color: true,
            ..Look::default()
        };
        let painted = render("text", &color, &[&sample]);
        let plain = render("text", &Look::default(), &[&sample]);
        assert!(!plain.contains('\x1b'));
        let mut stripped = painted.clone();
        for style in ["2", "36", "33", "0"] {
            stripped = stripped.replace(&format!("\x1b[{style}m"), "");
        }
        assert_eq!(stripped, plain);
        assert!(painted.contains("\x1b[36morders/0@15\x1b[0m"));
    }

    #[test]
    fn entry_positions_are_written_as_the_broker_does() {
        let mut sample = Sample::new(None, Some(b"v"));
        sample.stream.style = crate::event::PositionStyle::Entry;
        assert!(line(&sample).contains(" orders/0@15-0 "));
    }
}
