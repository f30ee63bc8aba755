//! What becomes of each dead letter. One for the survey, one for a preview and one for a run, so
//! that all do the same. What is written of it is `copy`'s.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::done::Done;
use super::lanes::Lanes;
use super::origin::{self, Origin};
use super::plan::Plan;
use super::reason::{Picks, push_normal};
use super::tally::{Fate, Tally};
use crate::broker::{Error, ErrorKind, Result};
use crate::event::{Batch, EventRef, SchemaVerdict, Stream, Timestamp, object};
use crate::query::{JqMap, JqMapWorker};
use crate::replay::provenance::{Known, Prior};
use crate::schema::{Decoder, Reader};

/// Topics that dead letters may name in all.
const TOPICS: usize = 1_000;

/// How an origin is found that no convention tells.
#[derive(Clone)]
pub enum Custom {
    /// A header has the topic.
    Header(String),
    /// A program gives the topic, or `{topic, partition}`.
    Jq(JqMap),
}

/// What was asked for.
#[derive(Clone)]
pub struct Rules {
    pub picks: Picks,
    /// Events that were redriven this many times are parked.
    pub max_redrives: u32,
    /// Counts before what headers tell.
    pub custom: Option<Custom>,
    /// All go there, whatever their origin.
    pub to_topic: Option<Arc<str>>,
    /// Copies keep the headers that tell of the failure.
    pub keep_headers: bool,
    /// What was redriven before is redriven again.
    pub again: bool,
    /// How events are read, and by which schemas they are judged.
    pub decoder: Decoder,
}

/// A topic of a destination that dead letters go to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Target {
    /// Number of the outlet that writes it.
    pub outlet: usize,
    pub topic: Arc<str>,
    /// Partitions that can be named.
    pub partitions: u32,
    /// In the table of its outlet, the stream of no partition; those of the partitions follow.
    pub base: u32,
}

/// Targets by destination and topic.
pub(super) type Targets = Vec<HashMap<Arc<str>, usize>>;

/// Where a judged event goes.
#[derive(Debug, Clone, Copy)]
pub(super) enum Way {
    /// To this target, at this stream of its outlet.
    Redrive {
        target: usize,
        stream: u32,
        past: Past,
    },
    Park(Fate),
    Leave,
}

/// What its headers tell of a dead letter.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past {
    pub prior: Prior,
    /// What the names of the headers begin with that tell of its failure.
    pub told_by: &'static [&'static str],
}

/// What the survey finds out, before any target is known.
#[derive(Debug, Default)]
pub(super) struct Met {
    /// By destination and topic, the highest partition.
    pub topics: BTreeMap<(usize, String), u32>,
    pub earliest: Option<Timestamp>,
}

pub(super) struct Judge<'p> {
    plan: &'p Plan,
    known: Known,
    jq: Option<JqMapWorker>,
    /// What the program is shown.
    looker: Reader,
    /// What judges, where there are schemas.
    reader: Option<Reader>,
    lanes: Lanes,
    json: Vec<u8>,
    raw: String,
    reason: String,
    pub(super) tally: Tally,
}

impl<'p> Judge<'p> {
    pub(super) fn new(plan: &'p Plan) -> Self {
        let jq = match &plan.rules.custom {
            Some(Custom::Jq(map)) => Some(map.worker()),
            _ => None,
        };
        let decoder = &plan.rules.decoder;
        Self {
            known: Known {
                plan: plan.id(),
                target: Vec::new(),
            },
            jq,
            looker: decoder.looker(),
            reader: decoder.has_schemas().then(|| decoder.reader()),
            lanes: Lanes::new(&plan.sources),
            plan,
            json: Vec::new(),
            raw: String::new(),
            reason: String::new(),
            tally: Tally::default(),
        }
    }

    pub(super) fn begin(&mut self, batch: &Batch) {
        self.lanes.begin(batch);
    }

    /// Where an event came from, by what was asked for, else by its headers.
    fn origin<'e>(&mut self, event: &EventRef<'e>) -> Result<Option<Origin<'e>>> {
        let found = origin::read(event.headers, &event.stream.topic);
        let told_by = found.as_ref().map_or(&[][..], |found| found.told_by);
        let custom = match &self.plan.rules.custom {
            None => return Ok(found),
            Some(Custom::Header(name)) => {
                let topic = event.headers.last(name).flatten();
                let topic = topic.and_then(|topic| str::from_utf8(topic).ok());
                topic.map(|topic| (topic.to_owned(), None))
            }
            Some(Custom::Jq(_)) => self.by_program(event)?,
        };
        let custom = custom.filter(|(topic, _)| !topic.is_empty());
        Ok(custom.map(|(topic, partition)| Origin {
            topic: Cow::Owned(topic),
            partition,
            offset: None,
            told_by,
        }))
    }

    fn by_program(&mut self, event: &EventRef<'_>) -> Result<Option<(String, Option<u32>)>> {
        let Some(jq) = &mut self.jq else {
            return Ok(None);
        };
        self.json.clear();
        object::write(&mut self.json, event, &self.looker.see(event));
        let mut found = None;
        let outcome = jq.run(&self.json, &mut |out| {
            if found.is_some() {
                return;
            }
            found = match serde_json::from_slice(out.json) {
                Ok(serde_json::Value::String(topic)) => Some((topic, None)),
                Ok(serde_json::Value::Object(of)) => {
                    let topic = of.get("topic").and_then(|topic| topic.as_str());
                    let partition = of.get("partition").and_then(serde_json::Value::as_u64);
                    let partition = partition.and_then(|p| u32::try_from(p).ok());
                    topic.map(|topic| (topic.to_owned(), partition))
                }
                _ => None,
            };
        });
        // That it failed on one event says that this has no origin; that it does not end is told.
        outcome.map_err(Error::from)?;
        Ok(found)
    }

    /// Reads what the event says of itself; gives whether its reason was asked for.
    fn look(&mut self, event: &EventRef<'_>) -> bool {
        self.raw.clear();
        self.reason.clear();
        origin::push_reason(event.headers, &mut self.raw);
        push_normal(&self.raw, &mut self.reason);
        self.plan.rules.picks.takes(&self.reason, &self.raw)
    }

    /// Where an event may go, before anything is known of the targets.
    pub(super) fn meet(&mut self, event: &EventRef<'_>, met: &mut Met) -> Result<()> {
        if !self.look(event) || !self.lanes.holds(event) {
            return Ok(());
        }
        if let Some(time) = event.time() {
            met.earliest = Some(met.earliest.map_or(time, |t| t.min(time)));
        }
        let origin = self.origin(event)?;
        let to = self.plan.rules.to_topic.as_deref();
        let Some(topic) = to.or(origin.as_ref().map(|o| &*o.topic)) else {
            return Ok(());
        };
        let partition = origin
            .as_ref()
            .and_then(|o| o.partition)
            .unwrap_or_default();
        let destination = self.plan.destination_of(self.lanes.source(event));
        if met.topics.len() >= TOPICS {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("these dead letters name more than {TOPICS} topics as their origin"),
            )
            .hint("select fewer with --where, or name one topic with --to"));
        }
        let highest = met
            .topics
            .entry((destination, topic.to_owned()))
            .or_default();
        *highest = partition.max(*highest);
        Ok(())
    }

    /// Counts the event, and says where it goes.
    pub(super) fn judge(&mut self, event: &EventRef<'_>, targets: &Aims<'_>) -> Result<Way> {
        let picked = self.look(event);
        let origin = self.origin(event)?;
        let past = Past {
            prior: self.known.read(event.headers),
            told_by: origin.as_ref().map_or(&[], |o| o.told_by),
        };
        let way = if !self.lanes.holds(event) || !picked {
            (Fate::NotPicked, None)
        } else if targets.done.has(self.lanes.number(event), event.position) {
            (Fate::Done, None)
        } else if past.prior.count >= self.plan.rules.max_redrives {
            (Fate::Capped, None)
        } else {
            self.target(event, origin.as_ref(), targets)
        };
        self.tally.note(&self.reason, way.0, event, origin.as_ref());
        Ok(match way {
            (_, Some((target, stream))) => Way::Redrive {
                target,
                stream,
                past,
            },
            (fate, None) if fate.is_parked() => Way::Park(fate),
            _ => Way::Leave,
        })
    }

    /// The target and its stream, or why there is none.
    fn target(
        &mut self,
        event: &EventRef<'_>,
        origin: Option<&Origin<'_>>,
        known: &Aims<'_>,
    ) -> (Fate, Option<(usize, u32)>) {
        let to = self.plan.rules.to_topic.as_deref();
        let Some(topic) = to.or(origin.map(|o| &*o.topic)) else {
            return (Fate::NoOrigin, None);
        };
        let destination = self.plan.destination_of(self.lanes.source(event));
        if to.is_none() && self.plan.is_read(destination, topic) {
            return (Fate::OwnOrigin, None);
        }
        let found = known.by_name.get(destination).and_then(|of| of.get(topic));
        let Some((number, target)) = found.and_then(|n| Some((*n, known.targets.get(*n)?))) else {
            return (Fate::MissingTopic, None);
        };
        if self.misfits(event, &target.topic) {
            return (Fate::Invalid, None);
        }
        let partition = origin.and_then(|o| o.partition);
        let partition = partition.filter(|p| *p < target.partitions);
        let stream = target.base + partition.map_or(0, |partition| partition + 1);
        (Fate::Redriven, Some((number, stream)))
    }

    /// Whether the schema of the target's topic says that the event would fail there.
    fn misfits(&mut self, event: &EventRef<'_>, topic: &Arc<str>) -> bool {
        let Some(reader) = &mut self.reader else {
            return false;
        };
        let stream = Stream {
            topic: Arc::clone(topic),
            partition: event.stream.partition,
            style: event.stream.style,
        };
        let there = EventRef {
            stream: &stream,
            ..*event
        };
        let checked = reader.see(&there).schema;
        checked.is_some_and(|checked| {
            matches!(
                checked.verdict,
                SchemaVerdict::Invalid | SchemaVerdict::Undecodable
            )
        })
    }

    /// Where an event stood, but for its position: the beginning of `evtap-source`.
    pub(super) fn place(&self, event: &EventRef<'_>) -> &[u8] {
        self.lanes.place(event)
    }

    /// The number of the partition that an event stands in, among those of the sources.
    pub(super) fn lane(&self, event: &EventRef<'_>) -> usize {
        self.lanes.number(event)
    }
}

/// What is known of the targets.
#[derive(Clone, Copy)]
pub(super) struct Aims<'k> {
    pub targets: &'k [Target],
    pub by_name: &'k Targets,
    pub done: &'k Done,
}
