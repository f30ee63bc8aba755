//! Values and nothing else, each with a line end: exact bytes on a pipe, made visible on a
//! terminal. A null value has no bytes and gives nothing, not even the line end; an empty one gives
//! an empty line.

use std::borrow::Cow;

use super::{FormatSpec, Frame, MappedWriter, Writer};
use crate::event::EventRef;
use crate::text;

pub(super) const FORMAT: FormatSpec = FormatSpec {
    name: "raw",
    about: "the value's bytes and a line end, nothing for a null",
    argument: None,
    open: |_, look| {
        Ok(Box::new(Raw {
            visible: look.terminal,
        }))
    },
    open_mapped: |look| {
        Box::new(Raw {
            visible: look.terminal,
        })
    },
};

#[derive(Clone, Copy)]
struct Raw {
    visible: bool,
}

impl Raw {
    fn line(self, out: &mut Vec<u8>, bytes: &[u8]) {
        if self.visible {
            text::write_visible(out, bytes);
        } else {
            out.extend_from_slice(bytes);
        }
        out.push(b'\n');
    }
}

impl Frame for Raw {}

impl Writer for Raw {
    fn event(&mut self, out: &mut Vec<u8>, event: &EventRef<'_>) {
        if let Some(value) = event.value {
            self.line(out, value);
        }
    }

    fn fork(&self) -> Box<dyn Writer> {
        Box::new(*self)
    }
}

impl MappedWriter for Raw {
    /// A string goes without its quotes and escapes. One that is no Unicode text (a lone surrogate
    /// escape) stays JSON, as does everything else.
    fn mapped(&mut self, out: &mut Vec<u8>, json: &[u8]) {
        if let Ok(Unquoted(text)) = serde_json::from_slice(json) {
            self.line(out, text.as_bytes());
        } else {
            text::push_value(out, json);
            out.push(b'\n');
        }
    }

    fn fork_mapped(&self) -> Box<dyn MappedWriter> {
        Box::new(*self)
    }
}

/// A JSON string, borrowed when it has no escapes.
#[derive(serde::Deserialize)]
struct Unquoted<'a>(#[serde(borrow)] Cow<'a, str>);

#[cfg(test)]
mod tests {
    use crate::output::sample::{Sample, render, render_bytes};
    use crate::output::{Look, mapped_writer};

    #[test]
    fn every_byte_is_exact_on_a_pipe_and_visible_on_a_terminal() {
        let all: Vec<u8> = (0..=255).collect();
        let sample = Sample::new(None, Some(&all));
        let piped = render_bytes("raw", &Look::default(), &[&sample]);
        assert_eq!(piped, [all.as_slice(), b"\n"].concat());
        let terminal = Look {
            terminal: true,
            ..Look::default()
        };
        let shown = render("raw", &terminal, &[&sample]);
        assert!(shown.starts_with("\\x00\\x01"));
        assert!(shown.ends_with("\\xfe\\xff\n"));
        assert!(shown.trim_end().bytes().all(|b| (0x20..0x7f).contains(&b)));
    }

    #[test]
    fn a_null_gives_nothing_and_an_empty_value_an_empty_line() {
        let (null, empty) = (Sample::new(None, None), Sample::new(None, Some(b"")));
        assert_eq!(
            render("raw", &Look::default(), &[&null, &empty, &null]),
            "\n"
        );
    }

    #[test]
    fn mapped_strings_lose_their_quotes() {
        for (terminal, expected) in [
            (
                false,
                "plain\n\u{1b}\"\u{202e}\n{\"a\":\"\\u202e\"}\n\"\\ud800\"\n1e400\n",
            ),
            (
                true,
                "plain\n\\x1b\"\\u{202e}\n{\"a\":\"\\u202e\"}\n\"\\ud800\"\n1e400\n",
            ),
        ] {
            let look = Look {
                terminal,
                ..Look::default()
            };
            let mut writer = mapped_writer("raw", &look).unwrap();
            let mut out = Vec::new();
            for json in [
                "\"plain\"",
                "\"\\u001b\\\"\u{202e}\"",
                "{\"a\":\"\u{202e}\"}",
                "\"\\ud800\"",
                "1e400",
            ] {
                writer.mapped(&mut out, json.as_bytes());
            }
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }
}
