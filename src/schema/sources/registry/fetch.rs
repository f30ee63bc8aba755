//! Answers one question: asks the registry for the schema and for all that it refers to. No
//! caching in memory, no threads; it may take as long as the client's limits allow.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use serde::de::DeserializeOwned;

use super::super::links::Gathered;
use super::answers::{Link, Place, Told, only_place};
use super::client::{Client, Failure};
use super::url::segment;
use super::{Filed, Question};
use crate::schema::sources::{Known, SchemaId};
use crate::schema::{Reference, Source};

/// Names or numbers of a list that are taken.
const LONGEST_LIST: usize = 100_000;

pub(super) fn fetch(client: &Client, question: &Question) -> Result<Filed, Failure> {
    let until = Instant::now() + client.patience;
    match question {
        Question::Id(id) => by_number(client, *id, until).map(Filed::Schema),
        Question::Guid(guid) => {
            let id = SchemaId::Guid(*guid);
            let told = told(client, &format!("/schemas/guids/{id}"), until);
            // Many registries know no GUIDs at all.
            let told = told.map_err(|failure| match failure {
                Failure::Unknown(_) => Failure::Missing,
                other => other,
            })?;
            known(client, told, Some(id), until).map(Filed::Schema)
        }
        Question::Global(id) => by_global(client, *id, until).map(Filed::Schema),
        Question::Latest(subject) => version(client, subject, "latest", until),
        Question::Version(subject, number) => version(client, subject, &number.to_string(), until),
        Question::Versions(subject) => {
            let path = format!("/subjects/{}/versions", segment(subject));
            Ok(Filed::Numbers(list::<u32>(client, &path, until)?))
        }
        Question::Subjects => Ok(Filed::Names(list::<String>(client, "/subjects", until)?)),
    }
}

fn version(
    client: &Client,
    subject: &str,
    version: &str,
    until: Instant,
) -> Result<Filed, Failure> {
    let path = format!("/subjects/{}/versions/{version}", segment(subject));
    let mut told = told(client, &path, until)?;
    told.subject.get_or_insert_with(|| subject.to_owned());
    let id = told.id.map(SchemaId::Number);
    known(client, told, id, until).map(Filed::Schema)
}

fn by_number(client: &Client, id: u32, until: Instant) -> Result<Arc<Known>, Failure> {
    let mut told = told(client, &format!("/schemas/ids/{id}"), until)?;
    if told.subject.is_none() {
        // Good to know, no more: old registries cannot say.
        let path = format!("/schemas/ids/{id}/versions");
        if let Ok(places) = json::<Vec<Place>>(client, &path, until)
            && let Some((subject, version)) = only_place(&places)
        {
            told.subject = Some(subject);
            told.version = Some(version);
        }
    }
    known(client, told, Some(SchemaId::Number(id)), until)
}

/// Apicurio's global ids are unknown to its Confluent API: its own one tells which content each
/// is, and content has a number there.
fn by_global(client: &Client, id: u64, until: Instant) -> Result<Arc<Known>, Failure> {
    #[derive(serde::Deserialize)]
    struct Found {
        versions: Vec<Version>,
    }
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Version {
        global_id: u64,
        content_id: u32,
    }
    let Some(own) = client.base.apicurio() else {
        return Err(Failure::Missing);
    };
    let url = format!("{own}/search/versions?globalId={id}&limit=1");
    let text = client.get_url(url, until)?;
    let found: Found = read(client, &text)?;
    let version = found.versions.into_iter().find(|v| v.global_id == id);
    let version = version.ok_or(Failure::Missing)?;
    let known = by_number(client, version.content_id, until)?;
    Ok(Arc::new(Known {
        id: Some(SchemaId::Long(id)),
        ..(*known).clone()
    }))
}

fn known(
    client: &Client,
    told: Told,
    id: Option<SchemaId>,
    until: Instant,
) -> Result<Arc<Known>, Failure> {
    let language = told.language().map_err(|kind| {
        client.bad(&format!(
            "its schema is of the type {kind}, which evtap does not read"
        ))
    })?;
    let references = references(client, told.references.unwrap_or_default(), until)?;
    Ok(Arc::new(Known {
        source: Arc::new(Source {
            language,
            text: told.schema,
            references,
        }),
        id,
        subject: told.subject,
        version: told.version,
        origin: client.base.url.clone(),
    }))
}

enum Step {
    Find(Link),
    Give(Reference),
}

/// What the links name, in turn what that names, each once; those that others build on first.
fn references(
    client: &Client,
    links: Vec<Link>,
    until: Instant,
) -> Result<Vec<Reference>, Failure> {
    let too_many = |why: crate::schema::SchemaError| client.bad(&why.0);
    let mut gathered = Gathered::default();
    let mut seen: HashSet<(String, u32)> = HashSet::new();
    let mut waiting: Vec<Step> = links.into_iter().rev().map(Step::Find).collect();
    while let Some(step) = waiting.pop() {
        let link = match step {
            Step::Give(Reference { name, text }) => {
                gathered.push(name, text).map_err(too_many)?;
                continue;
            }
            Step::Find(link) => link,
        };
        // One schema can be named in two ways, and is given under both; but asked for by the
        // same name it is the same.
        if !gathered.is_new(&link.name) {
            continue;
        }
        if seen.len() > super::super::links::MOST_DOCUMENTS {
            return Err(client.bad("its schema refers to too many others"));
        }
        let first_time = seen.insert((link.subject.clone(), link.version));
        let path = format!(
            "/subjects/{}/versions/{}",
            segment(&link.subject),
            link.version
        );
        let told = told(client, &path, until).map_err(|failure| match failure {
            Failure::Missing => client.bad(&format!(
                "its schema refers to version {} of the subject {}, which it does not have",
                link.version, link.subject
            )),
            other => other,
        })?;
        waiting.push(Step::Give(Reference {
            name: link.name,
            text: told.schema,
        }));
        if first_time {
            let inner = told.references.unwrap_or_default();
            waiting.extend(inner.into_iter().rev().map(Step::Find));
        }
    }
    Ok(gathered.into_list())
}

fn told(client: &Client, path: &str, until: Instant) -> Result<Told, Failure> {
    json(client, path, until)
}

fn json<T: DeserializeOwned>(client: &Client, path: &str, until: Instant) -> Result<T, Failure> {
    let text = client.get(path, until)?;
    read(client, &text)
}

fn list<T: DeserializeOwned>(
    client: &Client,
    path: &str,
    until: Instant,
) -> Result<Arc<[T]>, Failure> {
    let mut list: Vec<T> = json(client, path, until)?;
    list.truncate(LONGEST_LIST);
    Ok(list.into())
}

/// The parser's own words would quote what came.
fn read<T: DeserializeOwned>(client: &Client, text: &str) -> Result<T, Failure> {
    serde_json::from_str(text).map_err(|error| {
        client.bad(match error.classify() {
            serde_json::error::Category::Data => {
                "its answer is JSON, but not what a schema registry says"
            }
            _ => "its answer is no JSON; is this a schema registry, and is the path of its URL right?",
        })
    })
}
