//! A line of the user's own making: `{topic}@{offset} {key}`. Parsed once.

use super::clock::Clock;
use super::{FormatSpec, Frame, Look, Writer, json, text};
use crate::event::{EventRef, Seen, object};
use crate::schema::Reader;
use crate::text as safe;

pub(super) const FORMAT: FormatSpec = FormatSpec {
    name: "template",
    about: "a line of your own: {topic} {partition} {offset} {timestamp} {time} {key} {value} \
            {headers} {header:NAME} {size}",
    argument: Some("TEMPLATE"),
    open: |template, look| Ok(Box::new(Template::parse(template, look)?)),
    open_mapped: json::mapped_lines,
};

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Part {
    Literal(String),
    Field(Field),
    Header(String),
}

/// What a placeholder without an argument stands for. Nulls and what is not there give nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Topic,
    Partition,
    Offset,
    Timestamp,
    Time,
    Key,
    Value,
    Headers,
    Size,
}

const FIELDS: &[(&str, Field)] = &[
    ("topic", Field::Topic),
    ("partition", Field::Partition),
    ("offset", Field::Offset),
    ("timestamp", Field::Timestamp),
    ("time", Field::Time),
    ("key", Field::Key),
    ("value", Field::Value),
    ("headers", Field::Headers),
    ("size", Field::Size),
];

/// Why a template was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("the template has no placeholder '{0}'")]
    Unknown(String),
    #[error("the template has a '{{' at byte {0} that is not closed")]
    Open(usize),
    #[error("the template has a '}}' at byte {0} that closes nothing")]
    Close(usize),
    #[error("the template does not know the escape '\\{0}'")]
    Escape(String),
}

impl TemplateError {
    /// What to try.
    pub fn hint(&self) -> String {
        match self {
            Self::Unknown(_) => {
                let names: Vec<String> = FIELDS.iter().map(|(n, _)| format!("{{{n}}}")).collect();
                format!("there are {} and {{header:NAME}}", names.join(" "))
            }
            Self::Open(_) | Self::Close(_) => "braces themselves are written {{ and }}".to_owned(),
            Self::Escape(_) => {
                "there are \\n, \\t, \\0 and \\\\ for the backslash itself".to_owned()
            }
        }
    }
}

#[derive(Clone)]
struct Template {
    parts: Vec<Part>,
    /// The template itself ends each event (`\n` or `\0`), so no line end is added.
    ends_itself: bool,
    reader: Reader,
    clock: Clock,
}

impl Template {
    fn parse(template: &str, look: &Look) -> Result<Self, TemplateError> {
        let parts = parse(template)?;
        let ends_itself =
            matches!(parts.last(), Some(Part::Literal(text)) if text.ends_with(['\n', '\0']));
        Ok(Self {
            parts,
            ends_itself,
            reader: look.decoder.reader(),
            clock: Clock::new(look.zone.as_ref()),
        })
    }
}

/// Appends one field.
fn write_field(
    out: &mut Vec<u8>,
    event: &EventRef<'_>,
    seen: &Seen<'_>,
    clock: &mut Clock,
    field: Field,
) {
    match field {
        Field::Topic => safe::push_visible(out, &event.stream.topic),
        Field::Partition => object::push_integer(out, event.stream.partition),
        Field::Offset => object::push_position(out, event),
        Field::Timestamp => {
            if let Some(time) = event.time() {
                object::push_integer(out, time.0);
            }
        }
        Field::Time => {
            if let Some(time) = event.time() {
                clock.write(out, time);
            }
        }
        Field::Key => text::write_data(out, seen.key.data),
        Field::Value => text::write_data(out, seen.value.data),
        Field::Headers => object::write_headers(out, event.headers),
        Field::Size => object::push_integer(out, event.size()),
    }
}

fn parse(template: &str) -> Result<Vec<Part>, TemplateError> {
    let mut parts = Vec::new();
    let mut literal = String::new();
    let mut chars = template.char_indices().peekable();
    while let Some((at, c)) = chars.next() {
        match c {
            '{' | '}' if chars.next_if(|(_, next)| *next == c).is_some() => literal.push(c),
            '}' => return Err(TemplateError::Close(at)),
            '{' => {
                let rest = &template[at + 1..];
                let end = rest.find('}').ok_or(TemplateError::Open(at))?;
                if !literal.is_empty() {
                    parts.push(Part::Literal(std::mem::take(&mut literal)));
                }
                parts.push(placeholder(&rest[..end])?);
                // What was looked at, and the closing brace.
                while chars.next_if(|(i, _)| *i <= at + 1 + end).is_some() {}
            }
            '\\' => literal.push(match chars.next().map(|(_, c)| c) {
                Some('n') => '\n',
                Some('t') => '\t',
                Some('0') => '\0',
                Some('\\') => '\\',
                other => {
                    return Err(TemplateError::Escape(
                        other.map(String::from).unwrap_or_default(),
                    ));
                }
            }),
            _ => literal.push(c),
        }
    }
    if !literal.is_empty() {
        parts.push(Part::Literal(literal));
    }
    Ok(parts)
}

fn placeholder(name: &str) -> Result<Part, TemplateError> {
    if let Some(header) = name.strip_prefix("header:")
        && !header.is_empty()
    {
        return Ok(Part::Header(header.to_owned()));
    }
    FIELDS
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, field)| Part::Field(*field))
        .ok_or_else(|| TemplateError::Unknown(name.to_owned()))
}

impl Frame for Template {}

impl Writer for Template {
    fn event(&mut self, out: &mut Vec<u8>, event: &EventRef<'_>) {
        let seen = self.reader.see(event);
        for part in &self.parts {
            match part {
                Part::Literal(text) => out.extend_from_slice(text.as_bytes()),
                Part::Field(field) => write_field(out, event, &seen, &mut self.clock, *field),
                // The last of that name, which is the one that wins in most clients.
                Part::Header(name) => {
                    if let Some(Some(value)) = event.headers.last(name) {
                        safe::write_visible(out, value);
                    }
                }
            }
        }
        if !self.ends_itself {
            out.push(b'\n');
        }
    }

    fn fork(&self) -> Box<dyn Writer> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample::{Sample, render};

    fn line(template: &str, sample: &Sample) -> String {
        render(&format!("template={template}"), &Look::default(), &[sample])
    }

    #[test]
    fn placeholders_are_filled_in() {
        let sample = Sample::new(Some(b"order-444"), Some(b"{\n\"a\": 0.10}"))
            .header(b"h", Some(b"first"))
            .header(b"h", Some(b"last\x07"));
        for (template, expected) in [
            ("{topic}/{partition}@{offset}", "orders/0@15\n"),
            (
                "{timestamp} {time}",
                "1723717843000 2024-08-15T10:30:43.000Z\n",
            ),
            ("{key}={value}", "order-444={\"a\":0.10}\n"),
            ("{header:h}|{header:none}|", "last\\x07||\n"),
            ("{headers}", "{\"h\":[\"first\",\"last\\u0007\"]}\n"),
            ("{size}", &format!("{}\n", sample.event().size())),
            ("{{{key}}} a\\tb\\\\", "{order-444} a\tb\\\n"),
            ("{key}\\n", "order-444\n"),
            ("{key}\\0", "order-444\0"),
            ("größe {key} é", "größe order-444 é\n"),
            ("", "\n"),
        ] {
            assert_eq!(line(template, &sample), expected, "{template}");
        }
    }

    #[test]
    fn what_is_not_there_gives_nothing() {
        let mut sample = Sample::new(None, None);
        sample.time = None;
        let all = "[{timestamp}{time}{key}{value}{header:x}]";
        assert_eq!(line(all, &sample), "[]\n");
    }

    #[test]
    fn a_template_that_makes_no_sense_is_refused_with_a_hint() {
        for (template, message, hint) in [
            ("{k}", "no placeholder 'k'", "{topic} {partition}"),
            ("{}", "no placeholder ''", "{header:NAME}"),
            ("{header:}", "no placeholder 'header:'", "{header:NAME}"),
            ("ab {key", "'{' at byte 3", "{{ and }}"),
            ("ab } cd", "'}' at byte 3", "{{ and }}"),
            ("{key}}", "'}' at byte 5", "{{ and }}"),
            ("\\q", "'\\q'", "\\n"),
            ("\\", "'\\'", "\\n"),
        ] {
            let error = Template::parse(template, &Look::default()).err().unwrap();
            assert!(error.to_string().contains(message), "{error}");
            assert!(error.hint().contains(hint), "{}", error.hint());
        }
    }
}
