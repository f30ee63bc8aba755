//! A folder of schema files as a source, or one file for every topic. Files are read when it is
//! opened; what one of them lacks is told when its topic is asked for.

mod files;
mod ids;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use super::links::{self, parse};
use super::{Answer, Known, Listed, SchemaId, Side, Wanted};
use crate::schema::{Language, SchemaError, Source};
use files::Files;

/// The languages that files are in, by their ending; where a topic has several files, the first.
const ENDINGS: &[(&str, Language)] = &[
    ("json", Language::Json),
    ("avsc", Language::Avro),
    ("proto", Language::Protobuf),
];

/// Files in this folder are named by the id of their schema: `ids/7.avsc`, `ids/UUID.json`.
const IDS: &str = "ids";

/// Bytes of a schema that takes longer to read than one frame of a screen.
const LARGE: usize = 256 << 10;

/// Schemas in files.
#[derive(Debug)]
pub struct Folder {
    files: Files,
    /// The only file, where one serves every topic.
    only: Option<String>,
    /// By path: every schema is put together once.
    ready: Mutex<HashMap<String, Answer>>,
    /// CRC-64-AVRO of each Avro schema, made when the first is asked for.
    fingerprints: OnceLock<HashMap<u64, String>>,
}

impl Folder {
    /// Reads a folder, or one schema file that then serves the value of every topic.
    pub fn open(path: &Path) -> Result<Self, SchemaError> {
        let (files, only) = if path.is_dir() {
            (Files::read(path)?, None)
        } else {
            let (files, only) = Files::one(path)?;
            (files, Some(only))
        };
        if files.is_empty() {
            return Err(SchemaError(format!(
                "{}: no file there ends with .json, .avsc or .proto; schemas are TOPIC.json, TOPIC.avsc, \
                 TOPIC.proto or TOPIC/EVENTTYPE.json",
                path.display()
            )));
        }
        let folder = Self {
            files,
            only,
            ready: Mutex::default(),
            fingerprints: OnceLock::new(),
        };
        folder.prepare();
        Ok(folder)
    }

    /// Reads large schemas now: who asks for them later may not be able to wait.
    fn prepare(&self) {
        for path in self.files.paths() {
            let text = self.files.text(path);
            if text.is_ok_and(|text| text.len() > LARGE) {
                self.schema(path);
            }
        }
    }

    /// What was left out when it was read, each a sentence fragment that names the file.
    pub fn left_out(&self) -> &[String] {
        self.files.left_out()
    }

    /// Folder or file, and how many schemas are there.
    pub fn describe(&self) -> String {
        match &self.only {
            Some(_) => format!("the file {}, for every topic", self.files.place()),
            None => format!(
                "{} files in the folder {}",
                self.files.len(),
                self.files.place()
            ),
        }
    }

    /// The schema of a topic: that of its event type, else of the side, else of the topic. Keys
    /// have only `TOPIC-key.*`.
    pub fn for_topic(&self, wanted: &Wanted<'_>) -> Answer {
        match &self.only {
            Some(_) if wanted.side == Side::Key => Answer::Missing,
            Some(path) => self.schema(path),
            None => {
                let path = stems(wanted).find_map(|stem| self.with_ending(&stem, wanted.language));
                path.map_or(Answer::Missing, |path| self.schema(&path))
            }
        }
    }

    /// A file in the folder `ids`, or an Avro schema with that fingerprint.
    pub fn by_id(&self, id: &SchemaId) -> Answer {
        let path = match id {
            SchemaId::Fingerprint(crc) => {
                let known = self.fingerprints.get_or_init(|| ids::fingerprints(self));
                known.get(crc).cloned()
            }
            other => self.with_ending(&format!("{IDS}/{}", file_name(&other.to_string())), None),
        };
        match path.map(|path| self.schema(&path)) {
            Some(Answer::Found(known)) => Answer::Found(Arc::new(Known {
                id: Some(id.clone()),
                ..(*known).clone()
            })),
            Some(other) => other,
            None => Answer::Missing,
        }
    }

    /// The id of a schema below `ids/` that is called as the last part of a URI, with its ending or
    /// without.
    pub fn named(&self, uri: &str) -> Option<SchemaId> {
        let uri = uri.split(['?', '#']).next()?;
        let last = uri
            .rsplit(['/', ':'])
            .next()
            .filter(|last| !last.is_empty())?;
        let stem = last.rsplit_once('.').map(|(stem, _)| stem);
        let names = [Some(last), stem].into_iter().flatten();
        let mut ids = names.map(|name| SchemaId::Name(name.to_owned()));
        ids.find(|id| self.by_id(id) != Answer::Missing)
    }

    /// All schemas of a topic.
    pub fn list(&self, topic: &str) -> Vec<Listed> {
        let place = |side, event_type: Option<&str>, path: &str| Listed {
            side,
            event_type: event_type.map(str::to_owned),
            answer: self.schema(path),
        };
        if let Some(only) = &self.only {
            return vec![place(Side::Value, None, only)];
        }
        let mut found = Vec::new();
        for side in [Side::Key, Side::Value] {
            let stem = stems(&Wanted::of(topic, side)).find_map(|s| self.with_ending(&s, None));
            found.extend(stem.map(|path| place(side, None, &path)));
        }
        let folder = format!("{}/", file_name(topic));
        for path in self.files.paths() {
            if let Some(name) = path.strip_prefix(&folder)
                && let Some((stem, ending)) = name.rsplit_once('.')
                && !stem.contains('/')
                && language_of(ending).is_some()
            {
                found.push(place(Side::Value, Some(stem), path));
            }
        }
        found
    }

    fn with_ending(&self, stem: &str, language: Option<Language>) -> Option<String> {
        ENDINGS
            .iter()
            .filter(|(_, of)| language.is_none_or(|wanted| wanted == *of))
            .map(|(ending, _)| format!("{stem}.{ending}"))
            .find(|path| self.files.has(path))
    }

    /// Puts a file and what it names together, once.
    fn schema(&self, path: &str) -> Answer {
        let mut ready = self.ready.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(answer) = ready.get(path) {
            return answer.clone();
        }
        let answer = match self.assemble(path) {
            Ok(source) => Answer::Found(Arc::new(Known {
                source: Arc::new(source),
                id: None,
                subject: None,
                version: None,
                origin: self.files.shown(path),
            })),
            Err(why) => Answer::unavailable(format!("{}: {why}", self.files.shown(path))),
        };
        ready.insert(path.to_owned(), answer.clone());
        answer
    }

    fn assemble(&self, path: &str) -> Result<Source, SchemaError> {
        let text = self.files.text(path)?;
        let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
        let language = language_of(ending).ok_or_else(|| {
            SchemaError("it ends with neither .json, .avsc nor .proto".to_owned())
        })?;
        let references = match language {
            Language::Json => links::json::references(&parse(text)?, path, &self.files)?,
            Language::Avro => links::avro::references(&parse(text)?, path, &self.files)?,
            Language::Protobuf => links::protobuf::references(text, path, &self.files)?,
        };
        Ok(Source {
            language,
            text: text.to_owned(),
            references,
        })
    }
}

fn language_of(ending: &str) -> Option<Language> {
    let known = ENDINGS.iter().find(|(known, _)| *known == ending);
    known.map(|(_, language)| *language)
}

/// Where a schema can be, without ending, the most particular first.
fn stems<'a>(wanted: &Wanted<'a>) -> impl Iterator<Item = String> + use<'a> {
    let topic = file_name(wanted.topic);
    let by_type = wanted
        .event_type
        .filter(|_| wanted.side == Side::Value)
        .map(|event_type| format!("{topic}/{}", file_name(event_type)));
    let by_side = format!("{topic}-{}", wanted.side.word());
    let plain = (wanted.side == Side::Value).then_some(topic);
    by_type.into_iter().chain([by_side]).chain(plain)
}

/// A name as one part of a path: `/` and `\` as `%2F` and `%5C`. What could climb is no name of a
/// file here: only files that were found below the folder are ever looked up.
fn file_name(name: &str) -> String {
    name.replace('/', "%2F").replace('\\', "%5C")
}
