//! What becomes of each dead letter, and the copy that is written. One for the survey, one for a
//! preview and one for a run, so that all do the same.

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
use crate::event::{
    Batch, EventRef, HeaderBuf, Headers, Position, SchemaVerdict, Stream, Timestamp, TimestampType,
    object,
};
use crate::query::{JqMap, JqMapWorker};
use crate::replay::provenance::{Known, Prior, SOURCE, Stamp};
use crate::schema::{Decoder, Reader};

/// Topics that dead letters may name in all.
const TOPICS: usize = 1_000;
/// Why a copy was parked.
const PARKED: &str = "evtap-parked";

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
        prior: Prior,
    },
    Park(Fate),
    Leave,
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
    stripped: HeaderBuf,
    stamp: Stamp,
    told_by: &'static [&'static str],
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
            stripped: HeaderBuf::default(),
            stamp: Stamp::default(),
            told_by: &[],
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
        self.told_by = origin.as_ref().map_or(&[], |o| o.told_by);
        let prior = self.known.read(event.headers);
        let way = if !self.lanes.holds(event) || !picked {
            (Fate::NotPicked, None)
        } else if targets.done.has(self.lanes.number(event), event.position) {
            (Fate::Done, None)
        } else if prior.count >= self.plan.rules.max_redrives {
            (Fate::Capped, None)
        } else {
            self.target(event, origin.as_ref(), targets)
        };
        self.tally.note(&self.reason, way.0, event, origin.as_ref());
        Ok(match way {
            (_, Some((target, stream))) => Way::Redrive {
                target,
                stream,
                prior,
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

    /// Appends the copy that goes back: what the event was before it failed, with provenance.
    pub(super) fn copy(
        &mut self,
        event: &EventRef<'_>,
        prior: Prior,
        to: To<'_>,
        out: &mut Batch,
    ) -> Result<()> {
        let strips = !self.plan.rules.keep_headers;
        let told_by = self.told_by;
        self.stripped.clear();
        for (name, value) in event.headers {
            let of_failure = strips && told_by.iter().any(|p| name.starts_with(p.as_bytes()));
            if !of_failure && name != PARKED.as_bytes() {
                self.stripped.push(name, value);
            }
        }
        let event = EventRef {
            headers: self.stripped.as_headers(),
            ..*event
        };
        let place = self.lanes.place(&event);
        let headers = self.stamp.headers(&event, prior, &self.known.plan, place);
        self.tally.bytes += write(&event, headers, to, out)?;
        Ok(())
    }

    /// Appends the copy that is parked: the event with all its headers, where it stood and why.
    pub(super) fn park(
        &mut self,
        event: &EventRef<'_>,
        fate: Fate,
        to: To<'_>,
        out: &mut Batch,
    ) -> Result<()> {
        self.stripped.clear();
        for (name, value) in event.headers {
            if name != PARKED.as_bytes() && name != SOURCE.as_bytes() {
                self.stripped.push(name, value);
            }
        }
        self.json.clear();
        self.json.extend_from_slice(self.lanes.place(event));
        object::push_position(&mut self.json, event);
        self.stripped.push(SOURCE.as_bytes(), Some(&self.json));
        let why = fate.word().as_bytes();
        self.stripped.push(PARKED.as_bytes(), Some(why));
        self.tally.bytes += write(event, self.stripped.as_headers(), to, out)?;
        Ok(())
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

/// Where and as what a copy is written.
#[derive(Clone, Copy)]
pub(super) struct To<'t> {
    pub stream: &'t Stream,
    pub stream_index: u32,
    pub position: Position,
    /// The copy has the time of the dead letter; else that of its writing.
    pub keeps_time: bool,
}

fn write(event: &EventRef<'_>, headers: Headers<'_>, to: To<'_>, out: &mut Batch) -> Result<u64> {
    let (timestamp, timestamp_type) = match event.time().filter(|_| to.keeps_time) {
        Some(time) => (time, event.timestamp_type),
        None => (Timestamp::default(), TimestampType::None),
    };
    let copy = EventRef {
        stream: to.stream,
        stream_index: to.stream_index,
        position: to.position,
        timestamp,
        timestamp_type,
        key: event.key,
        value: event.value,
        headers,
        meta: None,
    };
    out.push(&copy)
        .map_err(|e| Error::new(ErrorKind::Broker, format!("cannot copy an event: {e}")))?;
    Ok(copy.size() as u64)
}
