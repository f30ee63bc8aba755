//! From flags and config to how events are decoded: pins, and where the schemas of the sources
//! that were named are.

use std::collections::BTreeMap;

use super::error::{Failure, Result};
use super::session::Session;
use crate::broker::{Address, TopicSelector};
use crate::config::Schemas as Configured;
use crate::schema::sources::{Settings, Sources, cache_folder};
use crate::schema::{Catalog, Decoder, Pins, SchemaError, Schemas, TopicNames};

/// What decides how events are decoded, as flags say it, or a plan that keeps what they said.
pub struct Wanted<'a> {
    pub pins: Option<Pins>,
    pub schemas: Option<&'a str>,
    pub formats: bool,
}

/// The decoder for these sources.
pub fn decoder(session: &Session, sources: &[String]) -> Result<Decoder> {
    let wanted = Wanted {
        pins: session.global.decode,
        schemas: session.global.schemas.as_deref(),
        formats: session.global.formats,
    };
    decoder_as(session, sources, &wanted)
}

/// The decoder for these sources, whatever the flags say.
pub fn decoder_as(session: &Session, sources: &[String], wanted: &Wanted<'_>) -> Result<Decoder> {
    let pins = wanted.pins.unwrap_or_default();
    // What is said now counts for all topics.
    let topics = if wanted.pins.is_some() {
        Vec::new()
    } else {
        topic_pins(session)?
    };
    let schemas = catalog(session, sources, wanted.schemas)?
        .map(|catalog| Schemas::new(catalog, wanted.formats));
    Ok(Decoder::new(pins, topics, schemas))
}

fn topic_pins(session: &Session) -> Result<Vec<(TopicNames, Pins)>> {
    let pinned = session.config.topics.iter().filter(|(_, topic)| {
        let decode = &topic.decode;
        decode.key.is_some() || decode.value.is_some()
    });
    pinned
        .map(|(name, topic)| {
            let pins = Pins::of_names(topic.decode.key.as_deref(), topic.decode.value.as_deref());
            let pins = pins.map_err(|error| {
                Failure::usage(format!("the config, topics.\"{name}\".decode: {error}"))
                    .hint(error.hint())
            })?;
            let selector = TopicSelector::parse(name)
                .map_err(|error| Failure::from(error).on(format!("topics.\"{name}\"")))?;
            let takes: TopicNames = Box::new(move |topic| selector.takes(topic, true));
            Ok((takes, pins))
        })
        .collect()
}

/// Who is asked for schemas: what the flag names, else what the contexts of the sources have, else
/// the demo's own.
fn catalog(session: &Session, sources: &[String], named: Option<&str>) -> Result<Option<Catalog>> {
    let mut contexts: Vec<(&str, &Configured)> = Vec::new();
    let mut properties = BTreeMap::new();
    let mut demos = 0;
    for source in sources {
        match Address::parse(source)? {
            Address::Demo { .. } => demos += 1,
            Address::Url {
                properties: own, ..
            } => properties.extend(own),
            Address::Context { name, .. } => {
                let context = session.config.context(&name)?;
                properties.extend(context.resolve_properties()?);
                if let Some(schemas) = &context.schemas {
                    contexts.push((&context.name, schemas));
                } else if matches!(Address::parse(&context.url), Ok(Address::Demo { .. })) {
                    demos += 1;
                }
            }
            _ => {}
        }
    }
    properties.extend(session.global.property.iter().cloned());
    let env = |name: &str| std::env::var(name).ok();
    let settings = Settings::new(&properties)?.cached_in(cache_folder(&env));
    // The demo's are named as the demo is, for what was recorded or copied of it.
    if named == Some("demo:") {
        return Ok(Some(Catalog::Demo));
    }
    if let Some(place) = named {
        return Ok(Some(Catalog::Sources(Sources::open(place, &settings)?)));
    }
    contexts.dedup_by(|later, first| later.1 == first.1);
    match (&contexts[..], demos) {
        ([], 0) => Ok(None),
        ([], demos) if demos == sources.len() => Ok(Some(Catalog::Demo)),
        ([], _) => Ok(None),
        ([(name, schemas)], 0) => {
            let sources = Sources::of_config(schemas, &settings);
            let sources =
                sources.map_err(|e| Failure::from(e).on(format!("the context {name}")))?;
            Ok(Some(Catalog::Sources(sources)))
        }
        _ => Err(
            Failure::usage("the sources have their schemas in different places")
                .hint("name one place for all by --schemas WHERE"),
        ),
    }
}

impl From<SchemaError> for Failure {
    fn from(error: SchemaError) -> Self {
        Self::usage(format!("schemas: {error}"))
    }
}
