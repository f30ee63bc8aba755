//! Schemas kept in files from run to run, one an id. A registry never gives an id to another
//! schema, so they do not age. No login is ever written; a file that cannot be read is as good as
//! none.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::Question;
use crate::schema::sources::{Known, SchemaId};
use crate::schema::{Language, Reference, Source};

/// Changes when files of before cannot be read any more.
const FORM: u32 = 1;
/// A schema with all that it refers to, as JSON.
const LARGEST: u64 = 32 << 20;

/// The folder of one registry.
#[derive(Debug)]
pub(super) struct Disk {
    folder: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    evtap: u32,
    /// Which registry, and which id: a file that was moved or renamed is another's.
    registry: String,
    id: String,
    language: String,
    schema: String,
    references: Vec<(String, String)>,
    subject: Option<String>,
    version: Option<u32>,
}

impl Disk {
    /// For the registry at this URL, which has no login in it. `None` when the folder cannot be
    /// written.
    pub(super) fn open(cache: &Path, url: &str) -> Option<Self> {
        let folder = cache.join(folder_name(url));
        fs::create_dir_all(&folder).ok()?;
        // Permissions say little: what counts is whether it works.
        tempfile::tempfile_in(&folder).ok()?;
        Some(Self { folder })
    }

    pub(super) fn read(&self, question: &Question, url: &str) -> Option<Arc<Known>> {
        let (id, path) = self.place(question)?;
        let mut text = String::new();
        let file = fs::File::open(path).ok()?;
        file.take(LARGEST).read_to_string(&mut text).ok()?;
        let kept: Kept = serde_json::from_str(&text).ok()?;
        if kept.evtap != FORM || kept.registry != url || kept.id != id.to_string() {
            return None;
        }
        let language = match kept.language.as_str() {
            "AVRO" => Language::Avro,
            "JSON" => Language::Json,
            "PROTOBUF" => Language::Protobuf,
            _ => return None,
        };
        let references = kept.references.into_iter();
        let references = references.map(|(name, text)| Reference { name, text });
        Some(Arc::new(Known {
            source: Arc::new(Source {
                language,
                text: kept.schema,
                references: references.collect(),
            }),
            id: Some(id),
            subject: kept.subject,
            version: kept.version,
            origin: url.to_owned(),
        }))
    }

    /// `None` when it could not be kept: a disk that is full costs a request at the next start.
    pub(super) fn write(&self, question: &Question, known: &Known) -> Option<()> {
        let (id, path) = self.place(question)?;
        let references = known.source.references.iter();
        let kept = Kept {
            evtap: FORM,
            registry: known.origin.clone(),
            id: id.to_string(),
            language: match known.source.language {
                Language::Avro => "AVRO",
                Language::Json => "JSON",
                Language::Protobuf => "PROTOBUF",
            }
            .to_owned(),
            schema: known.source.text.clone(),
            references: references
                .map(|r| (r.name.clone(), r.text.clone()))
                .collect(),
            subject: known.subject.clone(),
            version: known.version,
        };
        let text = serde_json::to_string(&kept).ok()?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder).ok()?;
        file.write_all(text.as_bytes()).ok()?;
        file.persist(path).ok()?;
        Some(())
    }

    /// Only ids are for ever; the latest version of a subject is not.
    fn place(&self, question: &Question) -> Option<(SchemaId, PathBuf)> {
        let (id, kind) = match question {
            Question::Id(id) => (SchemaId::Number(*id), "id"),
            Question::Guid(guid) => (SchemaId::Guid(*guid), "guid"),
            Question::Global(id) => (SchemaId::Long(*id), "global"),
            _ => return None,
        };
        let path = self.folder.join(format!("{kind}-{id}.json"));
        Some((id, path))
    }
}

/// Host and path for people, and enough of a digest to tell apart what looks the same then.
fn folder_name(url: &str) -> String {
    let plain: String = url
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "-.".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(80)
        .collect();
    let digest = Sha256::digest(url.as_bytes());
    let digest: u32 = digest
        .iter()
        .take(4)
        .fold(0, |all, byte| (all << 8) | u32::from(*byte));
    format!("{plain}-{digest:08x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const URL: &str = "http://h:8081/apis";

    fn known() -> Arc<Known> {
        Arc::new(Known {
            source: Arc::new(Source {
                language: Language::Protobuf,
                text: "syntax = \"proto3\";".to_owned(),
                references: vec![Reference {
                    name: "a.proto".to_owned(),
                    text: "x".to_owned(),
                }],
            }),
            id: Some(SchemaId::Number(7)),
            subject: Some("orders-value".to_owned()),
            version: Some(2),
            origin: URL.to_owned(),
        })
    }

    #[test]
    fn what_was_written_is_read_again_and_only_for_the_same_registry() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path(), URL).unwrap();
        let question = Question::Id(7);
        assert_eq!(disk.read(&question, URL), None);
        disk.write(&question, &known()).unwrap();
        assert_eq!(disk.read(&question, URL), Some(known()));
        assert_eq!(disk.read(&Question::Id(8), URL), None);
        assert_eq!(disk.read(&Question::Guid([7; 16]), URL), None);
        assert_eq!(disk.read(&question, "http://other:8081"), None);
        assert_ne!(folder_name("http://h:1/a_b"), folder_name("http://h:1/a/b"));
    }

    #[test]
    fn a_damaged_file_is_no_answer_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path(), URL).unwrap();
        let question = Question::Id(7);
        disk.write(&question, &known()).unwrap();
        let (_, path) = disk.place(&question).unwrap();
        let whole = fs::read(&path).unwrap();
        for damaged in [
            &b""[..],
            &whole[..whole.len() / 2],
            b"\xff\xfe",
            b"{}",
            b"[]",
        ] {
            fs::write(&path, damaged).unwrap();
            assert_eq!(disk.read(&question, URL), None);
        }
        disk.write(&question, &known()).unwrap();
        assert_eq!(disk.read(&question, URL), Some(known()));
        let left = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(left, 1, "temporary files stay behind");
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_no_cache() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        fs::write(&file, "").unwrap();
        assert!(Disk::open(&file, URL).is_none());
    }
}
