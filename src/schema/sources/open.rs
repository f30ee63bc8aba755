//! Opens what a user names as the place of schemas, and asks several places as one.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::asyncapi::{AsyncApi, Hints};
use super::folder::Folder;
use super::registry::{Registry, RegistryState};
use super::{Answer, Known, Listed, SchemaId, Settings, Side, Wanted};
use crate::config::Schemas;
use crate::schema::SchemaError;

/// Versions of a subject that are listed; the newest ones.
const MOST_VERSIONS: usize = 1000;

/// All places that may know a topic's schema. Files are asked before a registry: who has both
/// wants his own.
#[derive(Debug, Default)]
pub struct Sources {
    list: Vec<Place>,
}

#[derive(Debug)]
enum Place {
    Folder(Folder),
    AsyncApi(AsyncApi),
    Registry(Registry),
}

impl Sources {
    /// Opens a registry's URL, an AsyncAPI document, a folder, or a schema file. Files are read;
    /// the network is not touched.
    pub fn open(place: &str, settings: &Settings) -> Result<Self, SchemaError> {
        let place = match scheme(place) {
            Some("http" | "https") => Place::Registry(Registry::open(place, settings)?),
            // Of a URL of another kind nothing is shown: it can hold a login.
            Some(_) => {
                return Err(SchemaError(
                    "schemas are in a registry (http:// or https://), a folder, or a file; this URL is none"
                        .to_owned(),
                ));
            }
            None => file(Path::new(place))?,
        };
        Ok(Self { list: vec![place] })
    }

    #[cfg(test)]
    pub(in crate::schema) fn of_registry(registry: Registry) -> Self {
        let list = vec![Place::Registry(registry)];
        Self { list }
    }

    /// Opens all that a context of the config file names.
    pub fn of_config(schemas: &Schemas, settings: &Settings) -> Result<Self, SchemaError> {
        let mut list = Vec::new();
        if let Some(path) = &schemas.files {
            list.push(Place::Folder(Folder::open(path)?));
        }
        if let Some(path) = &schemas.asyncapi {
            list.push(Place::AsyncApi(AsyncApi::open(path)?));
        }
        if let Some(url) = &schemas.registry {
            list.push(Place::Registry(Registry::open(url, settings)?));
        }
        Ok(Self { list })
    }

    /// Whether the type of an event can decide which schema it has.
    pub fn goes_by_event_type(&self) -> bool {
        let by_name = |place: &Place| !matches!(place, Place::Registry(_));
        self.list.iter().any(by_name)
    }

    /// True when there is nobody to ask.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The schema of events that name none; never waits. It may lock and allocate: ask once a
    /// batch, not once an event.
    pub fn for_topic(&self, wanted: &Wanted<'_>) -> Answer {
        self.first(|place| match place {
            Place::Folder(folder) => folder.for_topic(wanted),
            Place::AsyncApi(document) => document.for_topic(wanted),
            Place::Registry(registry) => registry.for_topic(wanted),
        })
    }

    /// The same, waiting for a registry's answer; `Pending` when the time was too short.
    pub fn wait_for_topic(&self, wanted: &Wanted<'_>, patience: Duration) -> Answer {
        self.first(|place| match place {
            Place::Registry(registry) => registry.wait_for_topic(wanted, patience),
            Place::Folder(folder) => folder.for_topic(wanted),
            Place::AsyncApi(document) => document.for_topic(wanted),
        })
    }

    /// The schema of that id; never waits.
    pub fn by_id(&self, id: &SchemaId) -> Answer {
        self.first(|place| match place {
            Place::Folder(folder) => folder.by_id(id),
            Place::AsyncApi(_) => Answer::Missing,
            Place::Registry(registry) => registry.by_id(id),
        })
    }

    /// The same, waiting for a registry's answer; `Pending` when the time was too short.
    pub fn wait(&self, id: &SchemaId, patience: Duration) -> Answer {
        self.first(|place| match place {
            Place::Folder(folder) => folder.by_id(id),
            Place::AsyncApi(_) => Answer::Missing,
            Place::Registry(registry) => registry.wait(id, patience),
        })
    }

    /// The id of the schema that a URI is of: a URL of the registry, or a file of `ids/` in a folder
    /// that is called as its last part. Nothing is fetched from where the URI leads.
    pub fn named(&self, uri: &str) -> Option<SchemaId> {
        self.list.iter().find_map(|place| match place {
            Place::Folder(folder) => folder.named(uri),
            Place::AsyncApi(_) => None,
            Place::Registry(registry) => registry.named(uri),
        })
    }

    /// The first that has it. One that cannot tell now goes before those that say no.
    fn first(&self, mut ask: impl FnMut(&Place) -> Answer) -> Answer {
        let mut best = Answer::Missing;
        for place in &self.list {
            match ask(place) {
                found @ Answer::Found(_) => return found,
                Answer::Missing => {}
                other if best == Answer::Missing => best = other,
                _ => {}
            }
        }
        best
    }

    /// Every schema that there is for a topic: files, messages, all versions of its subjects, old
    /// ones first. Waits for a registry no longer than that.
    pub fn list(&self, topic: &str, patience: Duration) -> Result<Vec<Listed>, SchemaError> {
        let until = Instant::now() + patience;
        let mut found = Vec::new();
        for place in &self.list {
            match place {
                Place::Folder(folder) => found.extend(folder.list(topic)),
                Place::AsyncApi(document) => found.extend(document.list(topic)),
                Place::Registry(registry) => found.extend(versions(registry, topic, until)?),
            }
        }
        Ok(found)
    }

    /// The schemas of a topic as far as the topic alone decides, or the type of an event: of a
    /// registry the newest ones. Waits for a registry no longer than that.
    pub fn in_force(&self, topic: &str, patience: Duration) -> Vec<Listed> {
        let newest = |registry: &Registry| {
            [Side::Key, Side::Value].map(|side| Listed {
                side,
                event_type: None,
                answer: registry.wait_for_topic(&Wanted::of(topic, side), patience),
            })
        };
        let of = |place: &Place| match place {
            Place::Folder(folder) => folder.list(topic),
            Place::AsyncApi(document) => document.list(topic),
            Place::Registry(registry) => newest(registry).to_vec(),
        };
        self.list.iter().flat_map(of).collect()
    }

    /// What AsyncAPI documents say about the bytes of a topic.
    pub fn hints(&self, topic: &str) -> Hints {
        let mut documents = self.list.iter().filter_map(|place| match place {
            Place::AsyncApi(document) => Some(document.hints(topic)),
            _ => None,
        });
        documents
            .find(|h| *h != Hints::default())
            .unwrap_or_default()
    }

    /// Whether the registry works; `None` where there is none.
    pub fn registry_state(&self) -> Option<RegistryState> {
        self.list.iter().find_map(|place| match place {
            Place::Registry(registry) => Some(registry.state()),
            _ => None,
        })
    }

    /// What was left out or is wrong in the files, each a sentence fragment.
    pub fn problems(&self) -> Vec<&str> {
        let problems = self.list.iter().flat_map(|place| match place {
            Place::Folder(folder) => folder.left_out(),
            Place::AsyncApi(document) => document.problems(),
            Place::Registry(_) => &[],
        });
        problems.map(String::as_str).collect()
    }

    /// Who is asked, in order, free of secrets: for `--explain`.
    pub fn describe(&self) -> String {
        let places = self.list.iter().map(|place| match place {
            Place::Folder(folder) => folder.describe(),
            Place::AsyncApi(document) => document.describe(),
            Place::Registry(registry) => format!("the schema registry {}", registry.url()),
        });
        let all: Vec<String> = places.collect();
        if all.is_empty() {
            "no source of schemas".to_owned()
        } else {
            all.join(", then ")
        }
    }
}

/// What stands before `://`. Drives of Windows have one letter and no such marks.
fn scheme(place: &str) -> Option<&str> {
    Some(place.split_once("://")?.0)
}

fn file(path: &Path) -> Result<Place, SchemaError> {
    let shown = path.display();
    let what = std::fs::metadata(path).map_err(|error| {
        SchemaError(format!(
            "{shown}: {error}; schemas are in a registry (http://HOST:PORT), an AsyncAPI document, a folder, or a file .json, .avsc or .proto"
        ))
    })?;
    let ending = path
        .extension()
        .and_then(|e| e.to_str())
        .unwrap_or_default();
    let yaml = matches!(ending, "yaml" | "yml");
    if what.is_dir() {
        return Folder::open(path).map(Place::Folder);
    }
    if yaml || (ending == "json" && is_asyncapi(path)) {
        return AsyncApi::open(path).map(Place::AsyncApi);
    }
    Folder::open(path).map(Place::Folder)
}

/// Whether a JSON file is an AsyncAPI document; one that cannot be read is none, and whoever reads
/// it as a schema says why.
fn is_asyncapi(path: &Path) -> bool {
    #[derive(serde::Deserialize)]
    struct Head {
        asyncapi: Option<serde::de::IgnoredAny>,
    }
    let Ok(file) = std::fs::File::open(path) else {
        return false;
    };
    let reader = std::io::Read::take(std::io::BufReader::new(file), 10 << 20);
    serde_json::from_reader::<_, Head>(reader).is_ok_and(|head| head.asyncapi.is_some())
}

/// All versions of the subjects that carry the topic's name, old ones first.
fn versions(registry: &Registry, topic: &str, until: Instant) -> Result<Vec<Listed>, SchemaError> {
    let left = || until.saturating_duration_since(Instant::now());
    let mut found = Vec::new();
    for subject in registry.subjects(left())?.iter() {
        let Some((side, record)) = belongs(subject, topic) else {
            continue;
        };
        let numbers = registry.versions(subject, left())?;
        let newest = numbers.len().saturating_sub(MOST_VERSIONS);
        for number in numbers.iter().skip(newest) {
            found.push(Listed {
                side,
                event_type: record.map(str::to_owned),
                answer: registry.subject_version(subject, *number, left()),
            });
        }
    }
    Ok(found)
}

/// Side and record of a subject named by topic, or by topic and record. That `orders-eu-value` is
/// the record `eu-value` of `orders` is ruled out: names of records have no dash.
fn belongs<'s>(subject: &'s str, topic: &str) -> Option<(Side, Option<&'s str>)> {
    match subject.strip_prefix(topic)?.strip_prefix('-')? {
        "key" => Some((Side::Key, None)),
        "value" => Some((Side::Value, None)),
        record if record.is_empty() || record.contains('-') => None,
        record => Some((Side::Value, Some(record))),
    }
}

/// The schema that an answer has, if it has one.
impl Answer {
    pub fn known(&self) -> Option<&Arc<Known>> {
        match self {
            Self::Found(known) => Some(known),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_named_is_opened_as_what_it_is() {
        let place = tempfile::tempdir().unwrap();
        let path = |name: &str| place.path().join(name).display().to_string();
        let write = |name: &str, text: &str| std::fs::write(path(name), text).unwrap();
        write("a.json", "{}");
        write(
            "api.json",
            r#"{"asyncapi": "3.0.0", "channels": {"o": {"address": "orders"}}}"#,
        );
        write("api.yaml", "asyncapi: 2.6.0\nchannels:\n  orders: {}\n");
        write("other.yaml", "x: 1\n");
        let describe = |name: &str| {
            let opened = Sources::open(&path(name), &Settings::default());
            opened.map_or_else(|e| e.0, |sources| sources.describe())
        };
        assert!(describe("a.json").starts_with("the file"));
        assert!(describe("api.json").starts_with("1 channels of the AsyncAPI"));
        assert!(describe("api.yaml").starts_with("1 channels of the AsyncAPI"));
        assert!(describe("").contains("2 files in the folder"));
        assert!(describe("other.yaml").contains("no member asyncapi"));
        assert!(describe("none").contains("http://HOST:PORT"));
    }

    #[test]
    fn no_login_is_told() {
        let sources =
            Sources::open("http://me:canary@127.0.0.1:1/x", &Settings::default()).unwrap();
        assert_eq!(
            sources.describe(),
            "the schema registry http://127.0.0.1:1/x"
        );
        assert!(!format!("{sources:?}").contains("canary"));
        let error = Sources::open("ftp://me:canary@h", &Settings::default()).unwrap_err();
        assert!(!error.0.contains("canary"), "{error}");
    }

    #[test]
    fn files_go_before_a_registry_and_a_registry_that_fails_before_a_no() {
        let place = tempfile::tempdir().unwrap();
        std::fs::write(place.path().join("orders.json"), "{}").unwrap();
        let schemas = Schemas {
            files: Some(place.path().to_owned()),
            asyncapi: None,
            registry: Some("http://127.0.0.1:1".to_owned()),
        };
        let sources = Sources::of_config(&schemas, &Settings::default()).unwrap();
        let patience = Duration::from_secs(5);
        let ask = |topic| sources.wait_for_topic(&Wanted::of(topic, Side::Value), patience);
        assert!(ask("orders").known().is_some());
        assert!(matches!(ask("payments"), Answer::Unavailable(_)));
        assert!(sources.registry_state().unwrap().failing.is_some());
    }

    #[test]
    fn a_subject_belongs_to_the_topic_that_it_names() {
        assert_eq!(belongs("orders-key", "orders"), Some((Side::Key, None)));
        assert_eq!(
            belongs("orders-com.acme.Order", "orders"),
            Some((Side::Value, Some("com.acme.Order")))
        );
        for other in [
            "orders-eu-value",
            "orders",
            "orders-",
            "ordersvalue",
            "x-value",
        ] {
            assert_eq!(belongs(other, "orders"), None, "{other}");
        }
    }
}
