//! Editions of the Protobuf language (2023 and later), which the parser does not know: their texts
//! are rewritten so far that it takes them, and their features that change the encoding are kept
//! apart. <https://protobuf.dev/editions/features/>

use std::collections::HashMap;

use prost_reflect::prost_types as types;
use types::{DescriptorProto, FieldDescriptorProto, FileDescriptorProto, UninterpretedOption};

use super::tokens::{Token, Tokens};
use super::wire::{Cursor, Frame, Steps, Wire};

/// Whether a field knows that it is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Presence {
    #[default]
    Explicit,
    Implicit,
    Required,
}

/// What an edition says of a field's encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Features {
    pub(super) presence: Presence,
    /// A message between two tags instead of behind a length.
    pub(super) delimited: bool,
}

/// Features by the full names of fields.
pub(super) type ByName = HashMap<String, Features>;

/// A text that begins with `edition = …` as one of proto3 that declares the same fields; `None`
/// for other texts. Defaults and reserved names go: proto3 has them not, or not so.
pub(super) fn as_proto3(text: &str) -> Option<String> {
    let mut tokens = Tokens::new(text);
    let words = [tokens.next()?.0, tokens.next()?.0];
    let (value, _) = tokens.next()?;
    let (end, _) = tokens.next()?;
    if words != [Token::Word("edition"), Token::Sign(b'=')]
        || !matches!(value, Token::Text(_))
        || end != Token::Sign(b';')
    {
        return None;
    }
    let begin = Tokens::new(text).next()?.1.start;
    let mut out = String::with_capacity(text.len() + 16);
    out += text.get(..begin)?;
    out += "syntax=\"proto3\";";
    let mut copied = tokens.clone().next().map_or(text.len(), |(_, r)| r.start);
    let mut before = Token::Sign(b';');
    while let Some((token, range)) = tokens.next() {
        let mut after = tokens.clone().map(|(token, _)| token);
        let starts = matches!(before, Token::Sign(b';' | b'{' | b'}'));
        let in_list = matches!(before, Token::Sign(b'[' | b','));
        let next = after.next();
        let instead = match (token, next) {
            (Token::Word("reserved"), Some(Token::Word(_) | Token::Text(_))) if starts => {
                Some((";", behind(&tokens, |sign| sign == b';')))
            }
            (Token::Word("import"), Some(Token::Word("option"))) if starts => {
                Some((";", behind(&tokens, |sign| sign == b';')))
            }
            (Token::Word("export" | "local"), Some(Token::Word("message" | "enum"))) if starts => {
                Some(("", range.end))
            }
            (Token::Word("default"), Some(Token::Sign(b'='))) if in_list => {
                let end = tokens
                    .clone()
                    .find(|(token, _)| matches!(token, Token::Sign(b',' | b']')));
                Some(("lazy=false", end.map_or(text.len(), |(_, r)| r.start)))
            }
            _ => None,
        };
        before = token;
        if let Some((instead, end)) = instead {
            out += text.get(copied..range.start)?;
            out += instead;
            copied = end;
            while tokens.clone().next().is_some_and(|(_, r)| r.start < end) {
                before = tokens.next()?.0;
            }
        }
    }
    out += text.get(copied..)?;
    Some(out)
}

/// Where the first such sign ends.
fn behind(tokens: &Tokens<'_>, is_it: impl Fn(u8) -> bool) -> usize {
    let mut end = 0;
    for (token, range) in tokens.clone() {
        end = range.end;
        if matches!(token, Token::Sign(sign) if is_it(sign)) {
            break;
        }
    }
    end
}

/// Notes the features of a file that was rewritten, and makes it one with presence.
pub(super) fn of_text(file: &mut FileDescriptorProto, found: &mut ByName) {
    file.syntax = None;
    let options = file.options.as_ref().map(|o| &*o.uninterpreted_option);
    let features = named(Features::default(), options);
    for field in &file.extension {
        text_field(field, file.package(), features, found);
    }
    for message in &file.message_type {
        text_message(message, file.package(), features, found);
    }
}

fn text_message(message: &DescriptorProto, scope: &str, outer: Features, found: &mut ByName) {
    let name = join(scope, message.name());
    if message
        .options
        .as_ref()
        .is_some_and(types::MessageOptions::map_entry)
    {
        return entry(&name, found);
    }
    let options = message.options.as_ref().map(|o| &*o.uninterpreted_option);
    let features = named(outer, options);
    for field in message.field.iter().chain(&message.extension) {
        text_field(field, &name, features, found);
    }
    for inner in &message.nested_type {
        text_message(inner, &name, features, found);
    }
}

fn text_field(field: &FieldDescriptorProto, scope: &str, outer: Features, found: &mut ByName) {
    let options = field.options.as_ref().map(|o| &*o.uninterpreted_option);
    found.insert(join(scope, field.name()), named(outer, options));
}

/// The entries of maps are as they always were.
fn entry(name: &str, found: &mut ByName) {
    for field in ["key", "value"] {
        found.insert(join(name, field), Features::default());
    }
}

fn join(scope: &str, name: &str) -> String {
    if scope.is_empty() {
        name.to_owned()
    } else {
        format!("{scope}.{name}")
    }
}

/// The features with what options say of them: `features.field_presence = IMPLICIT`.
fn named(mut features: Features, options: Option<&[UninterpretedOption]>) -> Features {
    for option in options.unwrap_or_default() {
        let [first, second] = &*option.name else {
            continue;
        };
        if first.name_part != "features" || first.is_extension {
            continue;
        }
        match (&*second.name_part, option.identifier_value()) {
            ("field_presence", "EXPLICIT") => features.presence = Presence::Explicit,
            ("field_presence", "IMPLICIT") => features.presence = Presence::Implicit,
            ("field_presence", "LEGACY_REQUIRED") => features.presence = Presence::Required,
            ("message_encoding", "DELIMITED") => features.delimited = true,
            ("message_encoding", "LENGTH_PREFIXED") => features.delimited = false,
            _ => {}
        }
    }
    features
}

/// Notes the features of a serialized descriptor of an edition. They are read from its bytes,
/// since the crate's types have no place for them.
pub(super) fn of_descriptor(file: &mut FileDescriptorProto, bytes: &[u8], found: &mut ByName) {
    if file.syntax() != "editions" {
        return;
    }
    file.syntax = None;
    let whole = Part { bytes, number: 0 };
    let features = whole.features(Features::default(), 8, 50);
    for part in whole.parts() {
        match part.number {
            4 => part.message(file.package(), features, found),
            7 => part.field(file.package(), features, found),
            _ => {}
        }
    }
}

/// A message within a descriptor. Field numbers are those of `google/protobuf/descriptor.proto`.
#[derive(Clone, Copy)]
struct Part<'a> {
    bytes: &'a [u8],
    number: u32,
}

impl<'a> Part<'a> {
    fn frames(self) -> impl Iterator<Item = Frame> + use<'a> {
        let mut cursor = Cursor::new(self.bytes, 0, self.bytes.len());
        let mut steps = Steps::for_bytes(self.bytes.len());
        std::iter::from_fn(move || {
            let more = !cursor.is_done();
            more.then(|| cursor.frame(&mut steps).ok()).flatten()
        })
    }

    fn parts(self) -> impl Iterator<Item = Self> + use<'a> {
        let frames = self.frames().filter(|frame| frame.wire == Wire::Len);
        frames.map(move |frame| Self {
            bytes: self.bytes.get(frame.start..frame.end).unwrap_or_default(),
            number: frame.number,
        })
    }

    fn name(self) -> String {
        let name = self.parts().find(|part| part.number == 1);
        String::from_utf8_lossy(name.map_or(&[], |part| part.bytes)).into_owned()
    }

    /// The features in the options, which have these numbers.
    fn features(self, outer: Features, options: u32, number: u32) -> Features {
        let mut features = outer;
        let options = self.parts().filter(|part| part.number == options);
        let sets = options.flat_map(Self::parts);
        for set in sets.filter(|part| part.number == number) {
            for frame in set.frames() {
                let mut cursor = Cursor::new(set.bytes, frame.start, frame.end);
                match (frame.number, cursor.varint()) {
                    (1, Ok(1)) => features.presence = Presence::Explicit,
                    (1, Ok(2)) => features.presence = Presence::Implicit,
                    (1, Ok(3)) => features.presence = Presence::Required,
                    (5, Ok(value)) => features.delimited = value == 2,
                    _ => {}
                }
            }
        }
        features
    }

    fn message(self, scope: &str, outer: Features, found: &mut ByName) {
        let name = join(scope, &self.name());
        let options = self.parts().filter(|part| part.number == 7);
        if options
            .flat_map(Self::frames)
            .any(|frame| frame.number == 7)
        {
            return entry(&name, found);
        }
        let features = self.features(outer, 7, 12);
        for part in self.parts() {
            match part.number {
                2 | 6 => part.field(&name, features, found),
                3 => part.message(&name, features, found),
                _ => {}
            }
        }
    }

    fn field(self, scope: &str, outer: Features, found: &mut ByName) {
        let features = self.features(outer, 8, 21);
        found.insert(join(scope, &self.name()), features);
    }
}
