//! The schemas that a plan goes by: which they were when it was made, and whether they still are.
//! An event whose bytes name a schema has that one for ever; only of the others it can change.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::Plan;
use crate::broker::{Error, ErrorKind, Result};
use crate::replay::alter::Means;
use crate::replay::guard::refused;
use crate::schema::{Decoder, InForce};

/// A schema of a topic's keys or values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlanSchema {
    pub of: PlanSide,
    pub topic: String,
    /// `key` or `value`.
    pub part: String,
    /// Where the type of an event decides.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_type: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<u32>,
    /// The registry's; a file has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// Of the text and of all that it references.
    pub sha256: String,
}

/// What a schema is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PlanSide {
    /// To select and change what is read.
    Source,
    /// To judge what is written.
    Target,
}

impl PlanSchema {
    fn new(of: PlanSide, topic: &str, found: &InForce) -> Self {
        let known = &found.known;
        Self {
            of,
            topic: topic.to_owned(),
            part: found.side.word().to_owned(),
            event_type: found.event_type.clone(),
            subject: known.subject.clone(),
            version: known.version,
            id: known.id.as_ref().map(ToString::to_string),
            sha256: known.digest(),
        }
    }

    /// What says the same has the same: another registry gives another id.
    fn same(&self, other: &Self) -> bool {
        self.place() == other.place() && self.sha256 == other.sha256
    }

    fn place(&self) -> (PlanSide, &str, &str, Option<&str>) {
        let event_type = self.event_type.as_deref();
        (self.of, &self.topic, &self.part, event_type)
    }
}

/// `the value of orders: orders-value version 3, id 17`
impl std::fmt::Display for PlanSchema {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the {} of {}", self.part, self.topic)?;
        if let Some(event_type) = &self.event_type {
            write!(f, " ({event_type})")?;
        }
        let subject = self.subject.clone();
        let version = self.version.map(|n| format!("version {n}"));
        let id = self.id.as_ref().map(|id| format!("id {id}"));
        let known: Vec<String> = [subject, version, id].into_iter().flatten().collect();
        if known.is_empty() {
            write!(f, ": sha256 {:.12}", self.sha256)
        } else {
            write!(f, ": {}", known.join(", "))
        }
    }
}

/// A side's topics whose schemas decide something in a plan.
struct Asked<'p> {
    of: PlanSide,
    topics: BTreeSet<&'p str>,
    decoder: &'p Decoder,
}

impl<'p> Asked<'p> {
    fn all(plan: &'p Plan, means: &'p Means) -> Vec<Self> {
        let mut all = Vec::new();
        if means.source.has_schemas() && plan.looks_at_events() {
            let ranges = plan.sources.iter().flat_map(|source| &source.ranges);
            all.push(Self {
                of: PlanSide::Source,
                topics: ranges.map(|range| &*range.topic).collect(),
                decoder: &means.source,
            });
        }
        if let (Some(decoder), true) = (&means.target, plan.alterations.validate) {
            all.push(Self {
                of: PlanSide::Target,
                topics: plan.target.topic.as_deref().into_iter().collect(),
                decoder,
            });
        }
        all
    }

    /// `Err`: of one topic nobody can tell.
    async fn schemas(&self) -> Result<Vec<PlanSchema>, Error> {
        let mut all = Vec::new();
        for &topic in &self.topics {
            let (decoder, name): (_, Arc<str>) = (self.decoder.clone(), topic.into());
            // Asking waits for the network.
            let asked = tokio::task::spawn_blocking(move || decoder.in_force(&name)).await;
            let unknown = |why: &dyn std::fmt::Display| {
                let what = format!("the schemas of {topic} cannot be had: {why}");
                Error::new(ErrorKind::Unreachable, what)
            };
            let found = asked.map_err(|e| unknown(&e))?.map_err(|e| unknown(&e))?;
            all.extend(found.iter().map(|one| PlanSchema::new(self.of, topic, one)));
        }
        all.sort_by(|a, b| a.place().cmp(&b.place()));
        Ok(all)
    }
}

impl Plan {
    /// Whether what events hold decides anything before they are written.
    fn looks_at_events(&self) -> bool {
        let selection = &self.selection;
        let selects = [&selection.where_, &selection.filters, &selection.grep];
        selects.iter().any(|texts| !texts.is_empty())
            || !selection.keys.is_empty()
            || !self.alterations.masks.is_empty()
            || self.alterations.map.is_some()
    }
}

/// The schemas that a plan goes by now. Of the sources' ones that nobody can tell now, `tell` is
/// told; without the target's nothing can be judged.
pub async fn frozen(plan: &Plan, means: &Means, tell: impl Fn(&str)) -> Result<Vec<PlanSchema>> {
    let mut all = Vec::new();
    for asked in Asked::all(plan, means) {
        match (asked.schemas().await, asked.of) {
            (Ok(schemas), _) => all.extend(schemas),
            (Err(error), PlanSide::Source) => {
                tell(&format!("{error}; what needs them sees events without"));
            }
            (Err(error), PlanSide::Target) => {
                return Err(error.hint(
                    "is the registry's URL right, and does it run? --validate never writes \
                     without looking at schemas",
                ));
            }
        }
    }
    Ok(all)
}

/// Refuses where another schema is in force than when the plan was made.
pub async fn same_schemas(plan: &Plan, means: &Means) -> Result<()> {
    let mut now = Vec::new();
    for asked in Asked::all(plan, means) {
        let known = plan.schemas.iter().any(|schema| schema.of == asked.of);
        match asked.schemas().await {
            Ok(schemas) => now.extend(schemas),
            // It was made without, too.
            Err(_) if !known && asked.of == PlanSide::Source => {}
            Err(error) => {
                return Err(error.hint(
                    "is the registry's URL right, and does it run? --accept-schemas goes on \
                     without asking",
                ));
            }
        }
    }
    let lacks = |all: &[PlanSchema], one: &PlanSchema| !all.iter().any(|other| other.same(one));
    let was = plan.schemas.iter().find(|one| lacks(&now, one));
    let is = now.iter().find(|one| lacks(&plan.schemas, one));
    let instead = was.and_then(|was| now.iter().find(|one| one.place() == was.place()));
    let what = match (was, instead, is) {
        (Some(was), Some(is), _) => format!("the plan was made with {was}; now it is {is}"),
        (Some(was), None, _) => format!("the plan was made with {was}, which is gone"),
        (None, _, Some(is)) => format!("there is a schema that the plan was made without: {is}"),
        (None, _, None) => return Ok(()),
    };
    Err(refused(
        "schemas",
        &what,
        "give --accept-schemas to go by what is there now, or make the plan anew",
    ))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::replay::fake::plan;
    use crate::schema::sources::{Settings, Sources};
    use crate::schema::{Catalog, Pins, Schemas};

    /// A decoder by the schemas in this folder.
    fn decoder(folder: &Path) -> Decoder {
        let sources = Sources::open(&folder.display().to_string(), &Settings::default());
        let catalog = Catalog::Sources(sources.unwrap());
        Decoder::new(
            Pins::default(),
            Vec::new(),
            Some(Schemas::new(catalog, false)),
        )
    }

    /// Of both sides.
    fn means(folder: &Path) -> Means {
        Means {
            source: decoder(folder),
            target: Some(decoder(folder)),
        }
    }

    #[tokio::test]
    async fn only_schemas_that_decide_something_are_in_a_plan() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["orders.json", "copy.json", "other.json"] {
            std::fs::write(folder.path().join(name), r#"{"type":"object"}"#).unwrap();
        }
        let means = means(folder.path());
        let topics = async |plan: &Plan| -> Vec<String> {
            let found = frozen(plan, &means, |_| {}).await.unwrap();
            found.iter().map(|one| one.topic.clone()).collect()
        };
        let mut plan = plan();
        assert!(topics(&plan).await.is_empty());
        plan.selection.where_ = vec![".schema.verdict == \"valid\"".to_owned()];
        assert_eq!(topics(&plan).await, ["orders"]);
        plan.alterations.validate = true;
        assert_eq!(topics(&plan).await, ["orders", "copy"]);
    }

    #[tokio::test]
    async fn another_schema_is_refused_by_its_name() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("copy.json");
        let write = |text: &str| std::fs::write(&file, text).unwrap();
        write(r#"{"type":"object"}"#);
        let mut plan = plan();
        plan.alterations.validate = true;
        plan.schemas = frozen(&plan, &means(folder.path()), |_| {}).await.unwrap();
        assert!(same_schemas(&plan, &means(folder.path())).await.is_ok());
        let refusal = async |plan: &Plan| {
            let error = same_schemas(plan, &means(folder.path())).await.unwrap_err();
            assert_eq!(error.kind, ErrorKind::Refused);
            error.message
        };
        write(r#"{"type":"string"}"#);
        let changed = refusal(&plan).await;
        assert!(changed.starts_with("guard schemas: the plan was made with the value of copy"));
        assert!(
            changed.contains("; now it is the value of copy"),
            "{changed}"
        );
        std::fs::write(folder.path().join("x.json"), "{}").unwrap();
        std::fs::remove_file(&file).unwrap();
        let gone = refusal(&plan).await;
        assert!(gone.ends_with("which is gone"), "{gone}");
        write(r#"{"type":"object"}"#);
        plan.schemas.clear();
        let new = refusal(&plan).await;
        assert!(new.contains("made without: the value of copy"), "{new}");
    }

    #[tokio::test]
    async fn a_registry_that_is_gone_stops_only_what_is_judged_by_it() {
        let sources = Sources::open("http://127.0.0.1:1", &Settings::default()).unwrap();
        let schemas = Schemas::new(Catalog::Sources(sources), false);
        let decoder = Decoder::new(Pins::default(), Vec::new(), Some(schemas));
        let mut means = Means {
            source: decoder.clone(),
            target: None,
        };
        let mut plan = plan();
        plan.selection.grep = vec!["x".to_owned()];
        let told = std::cell::Cell::new(0);
        let found = frozen(&plan, &means, |text| {
            assert!(
                text.starts_with("the schemas of orders cannot be had"),
                "{text}"
            );
            told.set(told.get() + 1);
        });
        assert!(found.await.unwrap().is_empty());
        assert_eq!(told.get(), 1);
        assert!(same_schemas(&plan, &means).await.is_ok());
        means.target = Some(decoder);
        plan.alterations.validate = true;
        let error = frozen(&plan, &means, |_| {}).await.unwrap_err();
        assert_eq!(error.kind, ErrorKind::Unreachable);
        assert!(error.hint.unwrap().contains("--validate never"));
        let error = same_schemas(&plan, &means).await.unwrap_err();
        assert!(error.hint.unwrap().contains("--accept-schemas"));
    }
}
