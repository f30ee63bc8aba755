//! An AsyncAPI document and the files beside it that it refers to, read whole and within limits,
//! and what `$ref` means in them. No file outside the document's folder is ever read.

use std::collections::BTreeMap;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::super::links::{MOST_DOCUMENTS, Shelf};
use super::super::uri;
use crate::schema::SchemaError;

/// Bytes of one file.
const LARGEST: u64 = 10 << 20;
/// Bytes of all files.
const MOST_BYTES: usize = 64 << 20;
/// References to references, one after the other.
const LONGEST_CHAIN: usize = 32;

/// All files, by their path below the document's folder.
#[derive(Debug)]
pub(super) struct Documents {
    folder: PathBuf,
    /// The document itself.
    pub(super) main: String,
    files: BTreeMap<String, Value>,
    /// What could not be read or does not exist, each a sentence fragment.
    pub(super) problems: Vec<String>,
}

/// A value in one of the files.
#[derive(Debug, Clone)]
pub(super) struct Place<'a> {
    pub(super) file: &'a str,
    /// JSON pointer, as in RFC 6901.
    pub(super) pointer: String,
    pub(super) value: &'a Value,
}

impl Documents {
    pub(super) fn load(path: &Path) -> Result<Self, SchemaError> {
        let about = |why: String| SchemaError(format!("{}: {why}", path.display()));
        let main = path.file_name().and_then(|name| name.to_str());
        let main = main
            .ok_or_else(|| about("its name is no text".to_owned()))?
            .to_owned();
        let folder = path.parent().map(Path::to_owned).unwrap_or_default();
        let (document, mut bytes) = read(path).map_err(about)?;
        let mut waiting = others(&document, &main);
        let mut documents = Self {
            folder,
            files: BTreeMap::from([(main.clone(), document)]),
            main,
            problems: Vec::new(),
        };
        while let Some(file) = waiting.pop() {
            if documents.files.contains_key(&file) {
                continue;
            }
            match documents.other(&file, &mut bytes) {
                Ok(value) => {
                    waiting.extend(others(&value, &file));
                    documents.files.insert(file, value);
                }
                Err(why) => {
                    let problem = format!("{file}: {why}");
                    if !documents.problems.contains(&problem) {
                        documents.problems.push(problem);
                    }
                }
            }
        }
        Ok(documents)
    }

    fn other(&self, file: &str, bytes: &mut usize) -> Result<Value, String> {
        if file.starts_with("..") || file.starts_with('/') || file.contains('\\') {
            return Err("it lies outside the document's folder, and is not read".to_owned());
        }
        if self.files.len() == MOST_DOCUMENTS || *bytes > MOST_BYTES {
            return Err(format!(
                "there are more than {MOST_DOCUMENTS} files, or more than {} MiB of them",
                MOST_BYTES >> 20
            ));
        }
        let (value, size) = read(&self.folder.join(file))?;
        *bytes += size;
        Ok(value)
    }

    pub(super) fn root(&self) -> Place<'_> {
        Place {
            file: &self.main,
            pointer: String::new(),
            value: self.files.get(&self.main).unwrap_or(&Value::Null),
        }
    }

    /// As the user would write it.
    pub(super) fn shown(&self, file: &str) -> String {
        self.folder.join(file).display().to_string()
    }

    /// Goes through `$ref` until there is none.
    pub(super) fn follow<'a>(&'a self, mut place: Place<'a>) -> Result<Place<'a>, String> {
        for _ in 0..LONGEST_CHAIN {
            let Some(reference) = place.value.get("$ref").and_then(Value::as_str) else {
                return Ok(place);
            };
            place = self
                .resolve(place.file, reference)
                .ok_or_else(|| format!("the reference {reference} leads nowhere"))?;
        }
        Err(format!(
            "the references at {} run in a circle",
            place.pointer
        ))
    }

    /// What a reference in that file means.
    pub(super) fn resolve(&self, file: &str, reference: &str) -> Option<Place<'_>> {
        let target = uri::join(file, reference);
        let (file, value) = self.files.get_key_value(&target)?;
        let fragment = reference
            .split_once('#')
            .map_or("", |(_, fragment)| fragment);
        let pointer = uri::percent_decode(fragment)?;
        Some(Place {
            file,
            value: value.pointer(&pointer)?,
            pointer,
        })
    }
}

impl<'a> Place<'a> {
    /// A member of this value.
    pub(super) fn member(&self, name: &str) -> Option<Self> {
        Some(Self {
            file: self.file,
            pointer: format!("{}/{}", self.pointer, token(name)),
            value: self.value.get(name)?,
        })
    }

    /// All members of an object or items of a list, with their names.
    pub(super) fn members(&self) -> Vec<(&'a str, Self)> {
        let at = |name: &str, value| Self {
            file: self.file,
            pointer: format!("{}/{}", self.pointer, token(name)),
            value,
        };
        match self.value {
            Value::Object(members) => {
                let all = members.iter();
                all.map(|(name, value)| (name.as_str(), at(name, value)))
                    .collect()
            }
            Value::Array(items) => {
                let all = items.iter().enumerate();
                all.map(|(n, value)| ("", at(&n.to_string(), value)))
                    .collect()
            }
            _ => Vec::new(),
        }
    }

    /// The last name of the pointer.
    pub(super) fn name(&self) -> String {
        let last = self.pointer.rsplit('/').next().unwrap_or_default();
        last.replace("~1", "/").replace("~0", "~")
    }

    pub(super) fn text(&self, name: &str) -> Option<&'a str> {
        self.value.get(name)?.as_str()
    }

    /// As a reference from another place in the main document's folder.
    pub(super) fn reference(&self, from: &str) -> String {
        let file = if self.file == from {
            String::new()
        } else {
            uri::relative(from, self.file)
        };
        format!(
            "{file}#{}",
            uri::percent_encode(&self.pointer, "/-._~!$&'()*+,;=:@")
        )
    }
}

impl Shelf for Documents {
    fn at(&self, path: &str) -> Option<Result<String, SchemaError>> {
        Some(Ok(self.files.get(path)?.to_string()))
    }

    fn named(&self, _: &str) -> Option<(String, String)> {
        None
    }
}

/// The files that a document refers to, by their paths.
fn others(value: &Value, file: &str) -> Vec<String> {
    let bare = references(value).into_iter().map(uri::without_fragment);
    bare.filter(|bare| !bare.is_empty() && !uri::is_absolute(bare))
        .map(|bare| uri::join(file, bare))
        .collect()
}

/// All that `$ref` names in a value, at whatever depth.
pub(super) fn references(value: &Value) -> Vec<&str> {
    let mut found = Vec::new();
    let mut waiting = vec![value];
    while let Some(value) = waiting.pop() {
        match value {
            Value::Array(items) => waiting.extend(items),
            Value::Object(members) => {
                if let Some(Value::String(reference)) = members.get("$ref") {
                    found.push(reference.as_str());
                }
                waiting.extend(members.values());
            }
            _ => {}
        }
    }
    found
}

/// Reads JSON, YAML, or as one text what is neither. Gives its size too.
fn read(path: &Path) -> Result<(Value, usize), String> {
    let unreadable = |e| format!("it cannot be read: {e}");
    let mut text = String::new();
    let file = fs::File::open(path).map_err(unreadable)?;
    if !file.metadata().map_err(unreadable)?.is_file() {
        return Err("it is no file".to_owned());
    }
    let size = file
        .take(LARGEST + 1)
        .read_to_string(&mut text)
        .map_err(unreadable)?;
    if size as u64 > LARGEST {
        return Err(format!("it is larger than {} MiB", LARGEST >> 20));
    }
    let ending = path
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    let value = match ending {
        "proto" => Value::String(text),
        "yaml" | "yml" => super::super::yaml(&text)?,
        _ => super::super::links::parse(&text).map_err(|e| e.0)?,
    };
    Ok((value, size))
}

/// One name in a JSON pointer.
fn token(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}
