//! Events on standard output: one file a format, and a table of them. Also the closing summary and
//! aligned tables. Knows no command; nothing here talks to a broker.

pub mod check;
mod clock;
mod crew;
mod csv;
mod json;
pub mod lag;
mod out;
mod printer;
mod raw;
mod render;
#[cfg(test)]
mod sample;
pub mod style;
mod summary;
mod table;
mod template;
mod text;
pub mod trace;
mod xml;

pub use out::PrintError;
pub use printer::Printer;
pub use summary::Summary;
pub use table::{Align, Table};
pub use template::TemplateError;
pub use xml::Xml;

use crate::event::EventRef;
use crate::schema::Decoder;

/// How things are to look, whatever the format.
#[derive(Debug, Clone, Default)]
pub struct Look {
    pub decoder: Decoder,
    /// ANSI colours, for people.
    pub color: bool,
    /// No glyphs of ours outside ASCII. What events hold is shown as it is.
    pub ascii: bool,
    /// Standard output is a terminal.
    pub terminal: bool,
    /// The zone of times for people; UTC when absent. JSON is always in UTC.
    pub zone: Option<jiff::tz::TimeZone>,
}

/// Turns events into bytes of one format. What it writes is safe for a terminal, but `raw` on a
/// pipe. What one event gives must not depend on the events before it: several threads write at
/// once, each with a writer of its own.
pub trait Writer: Frame {
    fn event(&mut self, out: &mut Vec<u8>, event: &EventRef<'_>);

    /// The same writer for one more thread.
    fn fork(&self) -> Box<dyn Writer>;
}

/// Writes what `--map` made of events: JSON texts instead of events. As independent of the order
/// as a [`Writer`].
pub trait MappedWriter: Frame {
    /// `json` is one JSON text.
    fn mapped(&mut self, out: &mut Vec<u8>, json: &[u8]);

    fn fork_mapped(&self) -> Box<dyn MappedWriter>;
}

/// What a format has around and between the things that it writes.
pub trait Frame: Send {
    /// What stands before the first of them.
    fn begin(&self, _out: &mut Vec<u8>) {}

    /// What stands between two of them. A format that has a separator writes at least a byte for
    /// each thing.
    fn separator(&self) -> &'static [u8] {
        b""
    }

    /// What stands after the last of them; `any` when there was one.
    fn finish(&self, _out: &mut Vec<u8>, _any: bool) {}
}

type OpenResult = Result<Box<dyn Writer>, FormatError>;

/// One output format.
pub struct FormatSpec {
    pub name: &'static str,
    pub about: &'static str,
    /// What stands after `NAME=`, for formats that need it.
    pub argument: Option<&'static str>,
    open: fn(argument: &str, look: &Look) -> OpenResult,
    open_mapped: fn(look: &Look) -> Box<dyn MappedWriter>,
}

/// Every format, in the order in which they are shown. The first is the default.
pub const FORMATS: &[FormatSpec] = &[
    text::FORMAT,
    json::LINES,
    json::ARRAY,
    csv::FORMAT,
    raw::FORMAT,
    template::FORMAT,
];

/// Why `-o` was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    #[error("there is no output format '{0}'")]
    Unknown(String),
    #[error("the output format {0} takes no argument")]
    NoArgument(&'static str),
    #[error("the output format {0} needs an argument")]
    NeedsArgument(&'static str),
    #[error(transparent)]
    Template(#[from] TemplateError),
}

impl FormatError {
    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            Self::Template(error) => error.hint(),
            Self::Unknown(_) | Self::NoArgument(_) | Self::NeedsArgument(_) => {
                let names: Vec<String> = FORMATS.iter().map(FormatSpec::usage).collect();
                format!("the formats are {}", names.join(", "))
            }
        }
    }
}

impl FormatSpec {
    /// As it is written after `-o`.
    pub fn usage(&self) -> String {
        match self.argument {
            Some(argument) => format!("{}={argument}", self.name),
            None => self.name.to_owned(),
        }
    }
}

fn find(format: &str) -> Result<(&'static FormatSpec, &str), FormatError> {
    let (name, argument) = match format.split_once('=') {
        Some((name, argument)) => (name, Some(argument)),
        None => (format, None),
    };
    let spec = FORMATS
        .iter()
        .find(|spec| spec.name == name)
        .ok_or_else(|| FormatError::Unknown(name.to_owned()))?;
    match (spec.argument, argument) {
        (None, Some(_)) => Err(FormatError::NoArgument(spec.name)),
        (Some(_), None) => Err(FormatError::NeedsArgument(spec.name)),
        _ => Ok((spec, argument.unwrap_or_default())),
    }
}

/// A writer of events for what stands after `-o`: `jsonl`, `template={key}`.
pub fn writer(format: &str, look: &Look) -> Result<Box<dyn Writer>, FormatError> {
    let (spec, argument) = find(format)?;
    (spec.open)(argument, look)
}

/// A writer for `--map`. Formats that have no form of their own for JSON give one text a line.
pub fn mapped_writer(format: &str, look: &Look) -> Result<Box<dyn MappedWriter>, FormatError> {
    let (spec, _) = find(format)?;
    Ok((spec.open_mapped)(look))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample::{Sample, render};
    use crate::text::is_hostile;

    /// All that promise never to let a hostile character through, wherever they write.
    const SAFE: &[&str] = &[
        "text",
        "jsonl",
        "json",
        "csv",
        "template={topic} {key} {value} {headers} {header:h} {header:\u{202e}}",
    ];

    /// Raw output counts as safe on a terminal only.
    fn shown(sample: &Sample, look: &Look) -> Vec<(String, String)> {
        let formats = SAFE.iter().chain(look.terminal.then_some(&"raw"));
        formats
            .map(|format| (format.to_string(), render(format, look, &[sample])))
            .collect()
    }

    /// Whether something hostile is in it beside the line ends that the format itself makes.
    fn hostile_to(format: &str, text: &str) -> bool {
        let lines = match format {
            "json" => 3,
            "csv" => 2,
            _ => 1,
        };
        let ours = text.chars().filter(|c| *c == '\n').count() == lines && text.ends_with('\n');
        !ours || text.chars().any(|c| is_hostile(c) && c != '\n')
    }

    #[test]
    fn formats_have_unique_names_and_are_described() {
        let mut names: Vec<_> = FORMATS.iter().map(|f| f.name).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), FORMATS.len());
        for format in FORMATS {
            assert!(!format.about.is_empty() && !format.about.ends_with('.'));
        }
        assert_eq!(FORMATS[0].name, "text");
    }

    #[test]
    fn a_format_that_is_not_there_is_an_error_with_the_list() {
        for (format, message) in [
            ("yaml", "no output format 'yaml'"),
            ("", "no output format ''"),
            ("json=x", "json takes no argument"),
            ("template", "template needs an argument"),
            ("template={x}", "'x'"),
        ] {
            let error = writer(format, &Look::default()).err().unwrap();
            assert!(error.to_string().contains(message), "{error}");
            assert!(!error.hint().is_empty());
        }
        assert!(
            writer("yaml", &Look::default())
                .err()
                .unwrap()
                .hint()
                .contains("text, jsonl, json, csv, raw, template=")
        );
    }

    #[test]
    fn no_renderer_lets_a_hostile_code_point_through() {
        let terminal = Look {
            terminal: true,
            ..Look::default()
        };
        // Wherever it stands: each text of the event holds it.
        for c in ('\0'..=char::MAX).filter(|c| is_hostile(*c)) {
            // The tags plane is uniform; its ends and the tags themselves are enough.
            if ('\u{e0080}'..'\u{e0ff0}').contains(&c) {
                continue;
            }
            let json = format!("{{\"a{c}\": \"b{c}\"}}");
            let values = [format!("a{c}b"), json];
            for value in values {
                let sample = Sample::full(&format!("t{c}"), value.as_bytes(), &format!("{c}x"));
                for (format, text) in shown(&sample, &terminal) {
                    assert!(!hostile_to(&format, &text), "{format} {c:?}: {text:?}");
                }
            }
        }
    }

    #[test]
    fn no_renderer_lets_a_stray_byte_through() {
        let terminal = Look {
            terminal: true,
            ..Look::default()
        };
        for byte in 0..=255u8 {
            for value in [vec![byte], vec![b'"', byte, b'"'], vec![b'\\', byte]] {
                let sample = Sample::bytes(&value);
                for (format, text) in shown(&sample, &terminal) {
                    assert!(!hostile_to(&format, &text), "{format} {byte:#x}: {text:?}");
                }
            }
        }
    }

    #[test]
    fn without_colour_there_is_no_escape_bell_return_or_override() {
        let note = "\x1b[2J\x1b[1;1H\x1b]52;c;ZXZpbA==\x07\rpaid\u{202e}txt.exe";
        let sample = Sample::full("orders", note.as_bytes(), "\x1b]0;pwned\x07");
        for (format, text) in shown(&sample, &Look::default()) {
            let bad = text.contains(['\x1b', '\x07', '\r', '\u{202e}']);
            assert!(!bad, "{format}: {text:?}");
        }
    }

    #[test]
    fn numbers_keep_their_digits_in_every_format() {
        let value = b"[1e400,12345678901234567890,0.10,-0]";
        for format in ["text", "jsonl", "json", "csv", "raw", "template={value}"] {
            let text = render(format, &Look::default(), &[&Sample::bytes(value)]);
            assert!(
                text.contains("[1e400,12345678901234567890,0.10,-0]"),
                "{format}: {text}"
            );
        }
    }
}
