//! From texts or serialized descriptors to linked descriptors: finds imports, orders files, drops
//! what decoding does not need. No file is opened and nothing is fetched.

use std::collections::{HashMap, HashSet};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use prost_reflect::DescriptorPool;
use prost_reflect::prost::Message as _;
use prost_reflect::prost_types::FileDescriptorProto;
use protox::file::{File, FileResolver, GoogleFileResolver};

use super::super::SchemaError;
use super::edition::{self, Features};
use super::wire::{Cursor, Steps, Wire};
use super::{bundled, guard, strip};
use crate::text::Visible;

/// Linked descriptors.
pub(super) struct Loaded {
    pub(super) pool: DescriptorPool,
    /// The names of the files that are the schema itself, not imported.
    pub(super) own: Vec<String>,
    /// What an edition's features say of fields, by full name.
    pub(super) features: HashMap<String, Features>,
}

/// Collects files by their import paths.
#[derive(Default)]
pub(super) struct Loader<'a> {
    texts: HashMap<&'a str, &'a str>,
    files: HashMap<String, FileDescriptorProto>,
    features: HashMap<String, Features>,
    budget: guard::Budget,
}

impl<'a> Loader<'a> {
    /// A file that may be imported.
    pub(super) fn offer(&mut self, name: &'a str, text: &'a str) -> Result<(), SchemaError> {
        self.budget.take(name, text.len())?;
        self.texts.insert(name, text);
        Ok(())
    }

    /// A text that is the schema itself; a serialized descriptor as base64 is taken as well. What
    /// is returned are the names of its files.
    pub(super) fn open(&mut self, name: &str, text: &str) -> Result<Vec<String>, SchemaError> {
        self.budget.take(name, text.len())?;
        if let Some(bytes) = base64(text) {
            return self.open_bytes(name, &bytes);
        }
        self.parse(name, text)?;
        Ok(vec![name.to_owned()])
    }

    /// A serialized `FileDescriptorSet` or `FileDescriptorProto`. Of a set, what no other file of
    /// it imports is the schema itself.
    pub(super) fn open_bytes(
        &mut self,
        name: &str,
        bytes: &[u8],
    ) -> Result<Vec<String>, SchemaError> {
        let files = descriptors(bytes).ok_or_else(|| {
            SchemaError(format!(
                "{} is neither the text of a .proto nor a serialized descriptor",
                Visible(name)
            ))
        })?;
        let imports = files.iter().flat_map(|(file, _)| file.dependency.clone());
        let imported: HashSet<String> = imports.collect();
        let mut own = Vec::new();
        for (mut file, raw) in files {
            edition::of_descriptor(&mut file, raw, &mut self.features);
            if file.name().is_empty() {
                file.name = Some(name.to_owned());
            }
            let name = file.name().to_owned();
            if !imported.contains(&name) {
                own.push(name.clone());
            }
            self.files.insert(name, file);
        }
        Ok(own)
    }

    fn parse(&mut self, name: &str, text: &str) -> Result<(), SchemaError> {
        guard::nesting(name, text)?;
        let rewritten = edition::as_proto3(text);
        let source = rewritten.as_deref().unwrap_or(text);
        let file = File::from_source(name, source).map_err(|e| refused(&e))?;
        let mut file = FileDescriptorProto::from(file);
        if rewritten.is_some() {
            edition::of_text(&mut file, &mut self.features);
        }
        self.files.insert(name.to_owned(), file);
        Ok(())
    }

    /// Links the files of that names with all that they import.
    pub(super) fn link(mut self, own: Vec<String>) -> Result<Loaded, SchemaError> {
        let mut order = Order::default();
        for name in &own {
            self.visit(name, &mut order)?;
        }
        let mut pool = DescriptorPool::new();
        for name in &order.done {
            let Some(mut file) = self.files.remove(name) else {
                continue;
            };
            self.budget.declared(&file)?;
            strip::to_the_bones(&mut file, |import| {
                order.states.get(import) == Some(&State::Done)
            });
            pool.add_file_descriptor_proto(file).map_err(|error| {
                let mut text = Visible(&format!("{error:?}")).to_string();
                if !order.missing.is_empty() {
                    let missing = order.missing.join(", ");
                    text.extend(["; not found: ".to_owned(), Visible(&missing).to_string()]);
                }
                SchemaError(text)
            })?;
        }
        Ok(Loaded {
            pool,
            own,
            features: self.features,
        })
    }

    /// Puts a file behind those that it imports. Not recursive: a chain of imports may be long.
    fn visit(&mut self, name: &str, order: &mut Order) -> Result<(), SchemaError> {
        let mut open: Vec<(String, Vec<String>)> = Vec::new();
        let mut next = Some(name.to_owned());
        loop {
            if let Some(name) = next.take() {
                match order.states.get(&name) {
                    Some(State::Done | State::Missing) => {}
                    Some(State::Open) => {
                        let text = format!("{} imports itself in the end", Visible(&name));
                        return Err(SchemaError(text));
                    }
                    None => {
                        let imports = self.imports(&name)?;
                        order.found(&name, imports.is_some());
                        open.extend(imports.map(|imports| (name, imports)));
                    }
                }
            }
            let Some((_, imports)) = open.last_mut() else {
                return Ok(());
            };
            next = imports.pop();
            if next.is_none()
                && let Some((name, _)) = open.pop()
            {
                order.states.insert(name.clone(), State::Done);
                order.done.push(name);
            }
        }
    }

    /// What a file imports, the first last; `None` when there is no file of that name. It is
    /// parsed if it was not.
    fn imports(&mut self, name: &str) -> Result<Option<Vec<String>>, SchemaError> {
        // The well-known types are our own, whatever was given under their names.
        if let Ok(file) = GoogleFileResolver::new().open_file(name) {
            self.files.insert(name.to_owned(), file.into());
        } else if !self.files.contains_key(name) {
            let given = self.texts.get(name).copied();
            let Some(text) = given.or_else(|| bundled::text(name)) else {
                return Ok(None);
            };
            match base64(text) {
                Some(bytes) => self.reference(name, &bytes)?,
                None => self.parse(name, text)?,
            }
        }
        let file = self.files.get(name);
        let mut imports = file.map(|f| f.dependency.clone()).unwrap_or_default();
        imports.reverse();
        Ok(Some(imports))
    }

    /// A reference that was given as a serialized descriptor.
    fn reference(&mut self, name: &str, bytes: &[u8]) -> Result<(), SchemaError> {
        let own = self.open_bytes(name, bytes)?;
        // It is imported by the name of the reference, whatever it calls itself.
        let file = own.last().and_then(|last| self.files.remove(last));
        if let Some(mut file) = file {
            file.name = Some(name.to_owned());
            self.files.insert(name.to_owned(), file);
        }
        Ok(())
    }
}

/// The order in which files are linked.
#[derive(Default)]
struct Order {
    states: HashMap<String, State>,
    done: Vec<String>,
    missing: Vec<String>,
}

impl Order {
    fn found(&mut self, name: &str, is_there: bool) {
        let state = if is_there {
            State::Open
        } else {
            State::Missing
        };
        self.states.insert(name.to_owned(), state);
        if !is_there {
            self.missing.push(name.to_owned());
        }
    }
}

#[derive(PartialEq, Eq)]
enum State {
    Open,
    Done,
    Missing,
}

/// The error of the parser with its file, line and column.
fn refused(error: &protox::Error) -> SchemaError {
    SchemaError(Visible(&format!("{error:?}")).to_string())
}

/// The bytes of a text that is nothing but base64. No `.proto` is: its statements have ends.
fn base64(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.bytes().filter(|b| !b.is_ascii_whitespace()).collect();
    let is_digit = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    if digits.is_empty() || !digits.iter().all(is_digit) {
        return None;
    }
    STANDARD
        .decode(&digits)
        .or_else(|_| STANDARD_NO_PAD.decode(&digits))
        .ok()
}

/// The files of a serialized set, or the one of a single serialized file, each with its bytes.
fn descriptors(bytes: &[u8]) -> Option<Vec<(FileDescriptorProto, &[u8])>> {
    set(bytes).or_else(|| {
        let file = FileDescriptorProto::decode(bytes).ok()?;
        let says_something = !file.message_type.is_empty() || !file.enum_type.is_empty();
        says_something.then(|| vec![(file, bytes)])
    })
}

/// A set is told from a single file by the names of its files: a name that is a whole message with
/// a name in it does not occur.
fn set(bytes: &[u8]) -> Option<Vec<(FileDescriptorProto, &[u8])>> {
    let mut cursor = Cursor::new(bytes, 0, bytes.len());
    let mut steps = Steps::for_bytes(bytes.len());
    let mut files = Vec::new();
    while !cursor.is_done() {
        let frame = cursor.frame(&mut steps).ok()?;
        let raw = bytes.get(frame.start..frame.end)?;
        let file = FileDescriptorProto::decode(raw).ok()?;
        if frame.number != 1 || frame.wire != Wire::Len || file.name().is_empty() {
            return None;
        }
        files.push((file, raw));
    }
    (!files.is_empty()).then_some(files)
}
