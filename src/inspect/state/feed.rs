//! From batches to the history of one key: which events are its own, what their values mean, and
//! what is known of the time before the first of them.

use std::collections::BTreeMap;

use serde_json::Value;

use super::fold::Fold;
use super::{History, Patch, Start, Step};
use crate::broker::PartitionRange;
use crate::event::{
    Batch, BatchMeta, Decoded, EventRef, Position, PositionStyle, SelectError, Visibility, object,
};
use crate::inspect::Names;
use crate::inspect::lanes::{Lanes, Spot};
use crate::query::{JqMap, JqMapWorker, MapOutcome};
use crate::schema::Reader;
use crate::text::JsonText;

/// Feeds the events of one key of one topic to its history.
pub struct Folding {
    pub(super) history: History,
    key: Vec<u8>,
    reader: Reader,
    program: Option<Program>,
    names: Names,
    lanes: Lanes,
    /// For each partition, where it was first seen, and whether the cleaner took anything out.
    seen: BTreeMap<u32, Lane>,
    /// Where the reading of each partition begins, where that is known.
    begins: BTreeMap<u32, Position>,
}

/// A jq program that makes the next state.
struct Program {
    worker: JqMapWorker,
    input: Vec<u8>,
}

/// What is known of a partition.
#[derive(Debug, Clone, Copy, Default)]
struct Lane {
    first: Option<Position>,
    /// The first record batch that the cleaner took something out of.
    compacted: Option<u64>,
}

impl Lane {
    fn meta(&mut self, meta: &BatchMeta) {
        self.first.get_or_insert(Position::offset(meta.base_offset));
        let cleaned = u64::from(meta.records) <= u64::from(meta.last_offset_delta);
        if cleaned && meta.visibility == Visibility::Visible {
            self.compacted.get_or_insert(meta.base_offset);
        }
    }
}

impl Folding {
    /// `reader` makes JSON of values.
    pub fn new(history: History, key: &[u8], reader: Reader, names: Names) -> Self {
        Self {
            history,
            key: key.to_vec(),
            reader,
            program: None,
            names,
            lanes: Lanes::default(),
            seen: BTreeMap::new(),
            begins: BTreeMap::new(),
        }
    }

    /// Lets a jq program make each state: its input is `{"state":…,"event":…}`, its first output
    /// the next state. Without an output the state stays.
    #[must_use]
    pub fn with_program(mut self, program: &JqMap) -> Self {
        self.history.fold = Fold::Program;
        self.program = Some(Program {
            worker: program.worker(),
            input: Vec::new(),
        });
        self
    }

    /// This range will be read from its start on, whatever a selection leaves of it.
    pub fn reads(&mut self, range: &PartitionRange) {
        if *range.topic == self.history.topic {
            self.begins.insert(range.partition, range.start);
        }
    }

    /// Takes the events of the key. The error is a program that does not end.
    pub fn batch(&mut self, batch: &Batch) -> Result<(), SelectError> {
        self.lanes.enter(batch);
        let own = |stream: u32| *batch.streams()[stream as usize].topic == *self.history.topic;
        for meta in batch.metas().iter().filter(|m| own(m.stream)) {
            let lane = self.lanes.lane(meta.stream);
            self.seen.entry(lane).or_default().meta(meta);
        }
        let mut lane_before = None;
        for event in batch.iter() {
            if *event.stream.topic != *self.history.topic {
                continue;
            }
            let spot = Spot {
                lane: self.lanes.lane(event.stream_index),
                position: event.position,
            };
            if !self.lanes.take(spot) || event.is_aborted() {
                continue;
            }
            if lane_before != Some(spot.lane) {
                let seen = self.seen.entry(spot.lane).or_default();
                seen.first.get_or_insert(spot.position);
                lane_before = Some(spot.lane);
            }
            if event.key == Some(&self.key) {
                self.event(spot, &event)?;
            }
        }
        Ok(())
    }

    /// What was folded.
    pub fn done(self) -> History {
        self.history
    }

    fn event(&mut self, spot: Spot, event: &EventRef<'_>) -> Result<(), SelectError> {
        let heads = self.names.heads(event.headers);
        if self.history.start == Start::Nothing {
            self.history.start = self.starts(spot, heads.version);
        }
        let seen = self.reader.see(event);
        let patch = match &mut self.program {
            Some(program) => {
                let before = self.history.now.value();
                program.input.clear();
                program.input.extend_from_slice(b"{\"state\":");
                let state = before.map_or_else(|| "null".to_owned(), Value::to_string);
                program.input.extend_from_slice(state.as_bytes());
                program.input.extend_from_slice(b",\"event\":");
                object::write(&mut program.input, event, &seen);
                program.input.push(b'}');
                program.next()?
            }
            None => patch(seen.value.data),
        };
        let step = Step {
            at: self.lanes.at(spot),
            time: event.time(),
            version: heads.version,
            producer: heads.producer.map(Into::into),
            fault: None,
            deletes: patch == Patch::Delete,
            bytes: event.size(),
            patch,
        };
        self.history.push(step);
        Ok(())
    }

    fn starts(&self, spot: Spot, version: Option<u64>) -> Start {
        let seen = self.seen.get(&spot.lane).copied().unwrap_or_default();
        let lane = self.lanes.get(spot.lane);
        match version {
            Some(version) if version > 1 => return Start::Version(version),
            // It counts its own events from one: nothing came before.
            Some(1) => return Start::Whole,
            _ => {}
        }
        if seen
            .compacted
            .is_some_and(|from| from <= spot.position.major)
        {
            return Start::Compacted;
        }
        let begins = self.begins.get(&lane.partition).copied();
        match begins.or(seen.first) {
            Some(first) if lane.style == PositionStyle::Offset && first.major == 0 => Start::Whole,
            Some(first) => Start::From(lane.at(first)),
            None => Start::From(self.lanes.at(spot)),
        }
    }
}

impl Program {
    /// The next state, as a step that puts it in the place of the old one.
    fn next(&mut self) -> Result<Patch, SelectError> {
        let mut first = None;
        let outcome = self.worker.run(&self.input, &mut |out| {
            if first.is_none() {
                first = Some(serde_json::from_slice(out.json));
            }
        })?;
        Ok(match (outcome, first) {
            (MapOutcome::Failed(why), None) => Patch::other(format!("the program failed: {why}")),
            (MapOutcome::Done, None) => Patch::Keep,
            (_, Some(Ok(Value::Null))) => Patch::Delete,
            (_, Some(Ok(state))) => Patch::Json(state),
            (_, Some(Err(error))) => Patch::other(format!("the program made no JSON: {error}")),
        })
    }
}

fn patch(value: Decoded<'_>) -> Patch {
    match value {
        Decoded::Null => Patch::Delete,
        Decoded::Json(json) => match serde_json::from_slice(json.as_bytes()) {
            Ok(json) => Patch::Json(json),
            Err(error) => Patch::other(format!("the value cannot be folded: {error}")),
        },
        Decoded::Text(text) => Patch::Other {
            text: text.to_owned(),
            why: match JsonText::parse(text.as_bytes()) {
                Err(fault) => format!("not JSON: {fault}"),
                Ok(_) => "the value is text, as its decoder was told".to_owned(),
            },
        },
        Decoded::Binary(bytes) => Patch::Other {
            text: String::from_utf8_lossy(bytes).into_owned(),
            why: "the value is binary, not JSON".to_owned(),
        },
    }
}
