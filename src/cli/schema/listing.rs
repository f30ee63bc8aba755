//! The schemas of the topics that sources name.

use std::sync::Arc;
use std::time::Duration;

use crate::broker::TopicSelector;
use crate::cli::error::{Exit, Failure, Result};
use crate::cli::session::Session;
use crate::schema::sources::{Known, Listed, Side};
use crate::schema::{Decoder, SchemaError, Schemas};

/// How long a registry may take to list what it has of one topic.
const PATIENCE: Duration = Duration::from_secs(30);

/// The schemas of one topic, the oldest first.
pub struct OfTopic {
    pub topic: String,
    pub schemas: Vec<Listed>,
}

/// The versions of one thing: the keys of a topic, its values, or one type of them.
pub struct Line<'a> {
    pub side: Side,
    pub event_type: Option<&'a str>,
    pub subject: Option<&'a str>,
    pub schemas: Vec<&'a Listed>,
}

impl OfTopic {
    /// By what they are for, in the order in which they are listed.
    pub fn lines(&self) -> Vec<Line<'_>> {
        let mut lines: Vec<Line<'_>> = Vec::new();
        for listed in &self.schemas {
            let event_type = listed.event_type.as_deref();
            let subject = listed.answer.known().and_then(|k| k.subject.as_deref());
            let same = lines.iter_mut().find(|line| {
                let subjects = subject.is_none() || line.subject.is_none_or(|s| Some(s) == subject);
                line.side == listed.side && line.event_type == event_type && subjects
            });
            match same {
                Some(line) => {
                    line.subject = line.subject.or(subject);
                    line.schemas.push(listed);
                }
                None => lines.push(Line {
                    side: listed.side,
                    event_type,
                    subject,
                    schemas: vec![listed],
                }),
            }
        }
        lines
    }
}

impl<'a> Line<'a> {
    /// Those that can be had, the oldest first.
    pub fn known(&self) -> impl DoubleEndedIterator<Item = &'a Arc<Known>> {
        self.schemas
            .iter()
            .filter_map(|listed| listed.answer.known())
    }

    /// What it is called in sentences.
    pub fn name(&self, topic: &str) -> String {
        if let Some(subject) = self.subject {
            return subject.to_owned();
        }
        match self.event_type {
            Some(event_type) => format!("{topic}/{event_type}"),
            None => format!("{topic} ({})", self.side.word()),
        }
    }
}

/// Who is asked, and what he has of each topic of the sources; topics without schemas too.
pub async fn list(session: &Session, sources: &[String]) -> Result<(Decoder, Vec<OfTopic>)> {
    let decoder = session.decoder(sources)?;
    let Some(schemas) = decoder.schemas() else {
        return Err(Failure::usage("there is no source of schemas").hint(
            "name one by --schemas: a registry's URL, an AsyncAPI document, a folder or a file",
        ));
    };
    for problem in schemas.catalog().problems() {
        session.say(&format!("schemas: {problem}"));
    }
    let mut found = Vec::new();
    for source in sources {
        let which = session.open(source)?.address.topics();
        for topic in topics(session, source, &which).await? {
            if found.iter().any(|known: &OfTopic| known.topic == topic) {
                continue;
            }
            let schemas = of_topic(&decoder, &topic).await?;
            if schemas.is_empty() && which.is_literal() {
                // Maybe there is no such topic: then that is what is to be said.
                asked(session, source, &which).await?;
            }
            found.push(OfTopic { topic, schemas });
        }
    }
    Ok((decoder, found))
}

/// Names that were given literally need no broker.
async fn topics(session: &Session, source: &str, which: &TopicSelector) -> Result<Vec<String>> {
    if which.is_literal() {
        return Ok(which.names().map(str::to_owned).collect());
    }
    asked(session, source, which).await
}

async fn asked(session: &Session, source: &str, which: &TopicSelector) -> Result<Vec<String>> {
    let opened = session.open(source)?;
    let found = opened.broker.overview(which).await;
    let found = found.map_err(|error| {
        Failure::from(error).on(format!("cannot list the topics of {}", opened.shown))
    })?;
    let mut names: Vec<String> = found
        .topics
        .into_iter()
        .filter(|topic| !(which.is_all() && topic.internal))
        .map(|topic| topic.name.to_string())
        .collect();
    names.sort();
    Ok(names)
}

async fn of_topic(decoder: &Decoder, topic: &str) -> Result<Vec<Listed>> {
    let (decoder, name) = (decoder.clone(), topic.to_owned());
    // Asking waits for the network, and must not hold up Ctrl-C.
    let asked = tokio::task::spawn_blocking(move || {
        let catalog = decoder.schemas().map(Schemas::catalog);
        catalog.map_or(Ok(Vec::new()), |catalog| catalog.list(&name, PATIENCE))
    });
    let listed = asked
        .await
        .unwrap_or_else(|error| Err(SchemaError(error.to_string())));
    listed.map_err(|error| {
        Failure::new(
            Exit::Broker,
            format!("cannot list the schemas of {topic}: {error}"),
        )
        .hint("is the registry's URL right, and does it run?")
    })
}
