//! The files below a folder, read whole and within limits. All lookups are in what was read: no
//! name that is asked for ever reaches the file system.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{Language, SchemaError, language_of, links, parse};

/// Bytes of one file.
const LARGEST: u64 = 10 << 20;
const MOST: usize = 1000;
/// Bytes of all files.
const MOST_BYTES: u64 = 64 << 20;
/// Folders within folders.
const DEEPEST: usize = 16;
/// Entries that are looked at, schema files or not: a folder of something else must not cost
/// minutes.
const MOST_ENTRIES: usize = 100_000;

/// Path and text of each file, by the path below the folder with `/` between its parts.
#[derive(Debug)]
pub(super) struct Files {
    root: PathBuf,
    texts: BTreeMap<String, Result<String, String>>,
    left_out: Vec<String>,
    /// Who calls itself so: `$id` of JSON Schemas and full names of Avro types.
    names: OnceLock<HashMap<String, String>>,
}

impl Files {
    /// Reads the schema files of a folder and of the folders in it. Links are followed.
    pub(super) fn read(folder: &Path) -> Result<Self, SchemaError> {
        let mut survey = Survey {
            files: Self::empty(folder),
            bytes: 0,
            entries: 0,
            seen: BTreeSet::new(),
        };
        let unreadable = |e| SchemaError(format!("{}: it cannot be read: {e}", folder.display()));
        survey.folder(folder, "", 0).map_err(unreadable)?;
        Ok(survey.files)
    }

    /// Reads one file, and those beside it when it refers to them.
    pub(super) fn one(path: &Path) -> Result<(Self, String), SchemaError> {
        let about = |why: &str| SchemaError(format!("{}: {why}", path.display()));
        let name = path.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| about("its name is no text"))?.to_owned();
        let ending = name.rsplit_once('.').map_or("", |(_, ending)| ending);
        if language_of(ending).is_none() {
            return Err(about("schemas end with .json, .avsc or .proto"));
        }
        let text = read(path).map_err(|why| about(&why))?;
        let folder = path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty());
        let folder = folder.unwrap_or(Path::new("."));
        // The folder may be anything, a home folder even: it is read only if there is a need.
        let mut files = if needs_others(&name, &text) {
            Self::read(folder)?
        } else {
            Self::empty(folder)
        };
        files.texts.insert(name.clone(), Ok(text));
        Ok((files, name))
    }

    fn empty(folder: &Path) -> Self {
        Self {
            root: folder.to_owned(),
            texts: BTreeMap::new(),
            left_out: Vec::new(),
            names: OnceLock::new(),
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    pub(super) fn len(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn left_out(&self) -> &[String] {
        &self.left_out
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &str> {
        self.texts.keys().map(String::as_str)
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.texts.contains_key(path)
    }

    pub(super) fn text(&self, path: &str) -> Result<&str, SchemaError> {
        match self.texts.get(path) {
            Some(Ok(text)) => Ok(text),
            Some(Err(why)) => Err(SchemaError(why.clone())),
            None => Err(SchemaError("there is no such file".to_owned())),
        }
    }

    /// As the user would write it.
    pub(super) fn shown(&self, path: &str) -> String {
        self.root.join(path).display().to_string()
    }

    pub(super) fn place(&self) -> String {
        self.root.display().to_string()
    }

    fn names(&self) -> HashMap<String, String> {
        let mut names = HashMap::new();
        for (path, text) in &self.texts {
            let Ok(text) = text else { continue };
            let ending = path.rsplit_once('.').map_or("", |(_, ending)| ending);
            // What cannot be read has no name; its own topic tells why.
            let found = match language_of(ending) {
                Some(Language::Json) => parse(text).map(|v| links::json::ids(&v, path)),
                Some(Language::Avro) => parse(text).map(|v| links::avro::names(&v).defined),
                _ => continue,
            };
            for name in found.unwrap_or_default() {
                names.entry(name).or_insert_with(|| path.clone());
            }
        }
        names
    }
}

impl links::Shelf for Files {
    fn at(&self, path: &str) -> Option<Result<String, SchemaError>> {
        let text = self.texts.get(path)?;
        let shown = || format!("{}: ", self.shown(path));
        Some(text.clone().map_err(|why| SchemaError(shown() + &why)))
    }

    fn named(&self, name: &str) -> Option<(String, String)> {
        let path = self.names.get_or_init(|| self.names()).get(name)?;
        let text = self.texts.get(path)?.as_ref().ok()?;
        Some((path.clone(), text.clone()))
    }
}

/// A cheap look: a schema that names another file does it by one of these.
fn needs_others(name: &str, text: &str) -> bool {
    match name.rsplit_once('.') {
        Some((_, "json")) => parse(text).is_ok_and(|v| links::json::names_others(&v)),
        Some((_, "avsc")) => parse(text).is_ok_and(|v| {
            let names = links::avro::names(&v);
            names.used.iter().any(|name| !names.defined.contains(name))
        }),
        _ => !links::protobuf::imports(text).is_empty(),
    }
}

struct Survey {
    files: Files,
    bytes: u64,
    entries: usize,
    /// Folders as the system names them: links can lead in a circle.
    seen: BTreeSet<PathBuf>,
}

impl Survey {
    fn folder(&mut self, folder: &Path, below: &str, depth: usize) -> std::io::Result<()> {
        if !self.seen.insert(fs::canonicalize(folder)?) {
            return Ok(());
        }
        let mut entries: Vec<PathBuf> = Vec::new();
        for entry in fs::read_dir(folder)? {
            self.entries += 1;
            if self.entries > MOST_ENTRIES {
                let why = format!("the rest of it, after {MOST_ENTRIES} files");
                self.left_out(folder, &why);
                break;
            }
            entries.push(entry?.path());
        }
        // The same files are left out in every run.
        entries.sort();
        for path in entries {
            let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
                self.left_out(&path, "its name is no text");
                continue;
            };
            if name.starts_with('.') {
                continue;
            }
            let below = format!("{below}{name}");
            match fs::metadata(&path) {
                Ok(what) if what.is_dir() && depth == DEEPEST => {
                    self.left_out(&path, "it lies too deep");
                }
                Ok(what) if what.is_dir() => {
                    if let Err(error) = self.folder(&path, &format!("{below}/"), depth + 1) {
                        self.left_out(&path, &error.to_string());
                    }
                }
                Ok(what) if what.is_file() => self.file(&path, below, what.len()),
                // Pipes and devices would keep us waiting; a link can lead nowhere.
                _ => {}
            }
        }
        Ok(())
    }

    fn file(&mut self, path: &Path, below: String, size: u64) {
        let ending = below.rsplit_once('.').map_or("", |(_, ending)| ending);
        if language_of(ending).is_none() {
            return;
        }
        let why = if self.files.texts.len() == MOST {
            Some(format!("there are more than {MOST} files"))
        } else if self.bytes + size.min(LARGEST) > MOST_BYTES {
            Some(format!(
                "all together are larger than {} MiB",
                MOST_BYTES >> 20
            ))
        } else {
            None
        };
        if let Some(why) = why {
            return self.left_out(path, &why);
        }
        let text = read(path);
        if let Err(why) = &text {
            self.left_out(path, why);
        }
        self.bytes += text.as_ref().map_or(0, String::len) as u64;
        self.files.texts.insert(below, text);
    }

    fn left_out(&mut self, path: &Path, why: &str) {
        self.files
            .left_out
            .push(format!("{}: {why}", path.display()));
    }
}

/// The text of a file, read no further than the limit whatever its size was said to be.
fn read(path: &Path) -> Result<String, String> {
    let mut bytes = Vec::new();
    let file = fs::File::open(path).map_err(|e| format!("it cannot be read: {e}"))?;
    let taken = file.take(LARGEST + 1).read_to_end(&mut bytes);
    taken.map_err(|e| format!("it cannot be read: {e}"))?;
    if bytes.len() as u64 > LARGEST {
        return Err(format!("it is larger than {} MiB", LARGEST >> 20));
    }
    String::from_utf8(bytes).map_err(|_| "it is no UTF-8 text".to_owned())
}
