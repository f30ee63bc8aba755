//! From the flag and the config to the model of the sources' sagas, and how far a reading of them
//! reaches.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::path::Path;
use std::sync::Arc;

use super::error::{Failure, Result};
use super::session::Session;
use crate::broker::{self, Address, Bound, PartitionRange, Range, SagaText, demo};
use crate::event::Select as _;
use crate::inspect::saga::{LARGEST, Model, Reach};
use crate::pipeline::Reading;
use crate::text::human;

/// A model before it is understood, and what it is called in errors.
struct Said {
    text: SagaText,
    named: String,
}

/// The model: what the flag names, else what the contexts of the sources have, else what the demo
/// and captures bring along.
pub fn model(session: &Session, sources: &[String]) -> Result<Option<Arc<Model>>> {
    let said = said(session, sources)?;
    said.as_ref().map(parse).transpose()
}

/// The same as it was written, when it can be understood.
pub fn text(session: &Session, sources: &[String]) -> Result<Option<SagaText>> {
    let Some(said) = said(session, sources)? else {
        return Ok(None);
    };
    parse(&said)?;
    Ok(Some(said.text))
}

fn said(session: &Session, sources: &[String]) -> Result<Option<Said>> {
    if let Some(named) = &session.global.saga {
        return read(named).map(Some);
    }
    let mut configured = Vec::new();
    let mut own = Vec::new();
    for source in sources {
        let mut address = Address::parse(source)?;
        if let Address::Context { name, .. } = &address {
            let context = session.config.context(name)?;
            if let Some(file) = &context.saga {
                configured.push(read(&file.display().to_string())?);
            }
            address = Address::parse(&context.url)?;
        }
        own.push(match &address {
            Address::Demo { .. } => Some(of_demo()),
            Address::File { path } => broker::capture::saga(path).map(|text| Said {
                text,
                named: format!("of {}", path.display()),
            }),
            _ => None,
        });
    }
    if configured.is_empty() {
        // What some of the sources say is no model of all of them.
        configured = own.into_iter().collect::<Option<_>>().unwrap_or_default();
    }
    configured.dedup_by(|later, first| later.text == first.text);
    if configured.len() > 1 {
        return Err(
            Failure::usage("the sources have different models of their sagas")
                .hint("name the one to use by --saga FILE"),
        );
    }
    Ok(configured.pop())
}

fn of_demo() -> Said {
    Said {
        text: SagaText {
            text: demo::SAGA.to_owned(),
            toml: false,
        },
        named: "demo:".to_owned(),
    }
}

/// The demo's is named as the demo is.
fn read(named: &str) -> Result<Said> {
    if named == "demo:" {
        return Ok(of_demo());
    }
    let path = Path::new(named);
    let fail = |why: String| Failure::usage(format!("cannot read the saga model {named}: {why}"));
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(|e| fail(e.to_string()))?;
    let read = file.take(LARGEST as u64 + 1).read_to_string(&mut text);
    read.map_err(|e| fail(e.to_string()))?;
    if text.len() > LARGEST {
        let most = human::size(LARGEST as u64);
        return Err(fail(format!("it is larger than {most}")));
    }
    let toml = path.extension().is_some_and(|end| end == "toml");
    Ok(Said {
        text: SagaText { text, toml },
        named: named.to_owned(),
    })
}

fn parse(said: &Said) -> Result<Arc<Model>> {
    let model = Model::parse(&said.text.text, said.text.toml);
    model.map(Arc::new).map_err(|error| Failure {
        hint: error.hint.clone(),
        ..Failure::usage(format!("the saga model {}: {error}", said.named))
    })
}

/// Which topics are read, and which of them to their end once the reading is `complete`. Asked for
/// before it begins.
pub async fn reach(reading: &Reading, ranges: &[Vec<PartitionRange>]) -> Result<Reach> {
    let mut reach = Reach::default();
    if !reading.query.keeps_all() {
        reach.blind = Some("a filter leaves events out");
    } else if reading.last.is_some() {
        reach.blind = Some("only the newest events are read");
    }
    for (input, ranges) in reading.inputs.iter().zip(ranges) {
        let ends = ends(input).await?;
        for range in ranges {
            let key = (range.topic.to_string(), range.partition);
            let at_end = ends
                .as_ref()
                .is_none_or(|ends| ends.get(&key).is_some_and(|end| range.end >= *end));
            let ended = reach.topics.entry(Arc::clone(&range.topic)).or_insert(true);
            *ended &= at_end && input.sub.partitions.is_empty();
        }
    }
    Ok(reach)
}

type Ends = BTreeMap<(String, u32), crate::event::Position>;

/// Where the partitions end; `None` where they are read to their end anyway.
async fn ends(input: &crate::pipeline::Input) -> Result<Option<Ends>> {
    let until = match &input.sub.range {
        Range::Bounds { until, .. } => until,
        Range::Frozen(_) => return Ok(None),
    };
    if matches!(until, Bound::End) {
        return Ok(None);
    }
    let topics = input.broker.topics(&input.sub.topics).await?;
    let of_topic = topics.into_iter().flat_map(|topic| {
        let name = topic.name.to_string();
        topic
            .partitions
            .into_iter()
            .map(move |p| ((name.clone(), p.partition), p.end))
    });
    Ok(Some(of_topic.collect()))
}

/// A reading that was cut short came to the end of nothing.
pub fn cut_short(reach: &mut Reach) {
    reach.topics.values_mut().for_each(|ended| *ended = false);
}
