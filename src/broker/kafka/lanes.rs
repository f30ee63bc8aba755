//! The partitions that a source reads: where each stands, and where it ends. No fetching policy.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use rdkafka::types::RDKafkaErrorCode as Code;

use super::client::Client;
use super::error::Failure;
use super::ffi::{Queue, Topic};
use super::messages::{Message, Messages};
use super::terms::Place;
use crate::event::{PositionStyle, Stream, Streams};

/// One partition on its way.
pub(super) struct Lane {
    topic: usize,
    pub(super) partition: u32,
    start: u64,
    /// The next offset to come.
    pub(super) next: u64,
    /// Exclusive; `None` follows for ever.
    pub(super) end: Option<u64>,
    open: bool,
    /// Since when the log has been shorter than the range.
    pub(super) short_since: Option<Instant>,
}

/// All partitions of a source, in the order of its stream table.
pub(super) struct Lanes {
    queue: Arc<Queue>,
    streams: Streams,
    all: Vec<Lane>,
    topics: Vec<OpenTopic>,
    by_name: HashMap<Arc<str>, usize>,
    /// Lanes that are still read.
    open: usize,
}

struct OpenTopic {
    name: Arc<str>,
    handle: Topic,
    /// The lane of each partition number.
    lanes: Vec<Option<u32>>,
}

/// What a message that is no event says, and of which lane.
pub(super) struct Trouble {
    pub(super) lane: usize,
    pub(super) failure: Failure,
}

/// What one array of messages came to.
#[derive(Default)]
pub(super) struct Settled {
    pub(super) bytes: usize,
    pub(super) trouble: Vec<Trouble>,
}

const END_OF_PARTITION: i32 = Code::PartitionEOF as i32;

impl Lanes {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self {
            queue,
            streams: Arc::new([]),
            all: Vec::new(),
            topics: Vec::new(),
            by_name: HashMap::new(),
            open: 0,
        }
    }

    /// Adds partitions and begins to read them. An empty range is done at once.
    pub(super) fn add(
        &mut self,
        client: &Arc<Client>,
        ranges: &[(Place, u64, Option<u64>)],
    ) -> Result<(), Failure> {
        let first = self.all.len();
        for ((name, partition), start, end) in ranges {
            let topic = self.topic(client, name)?;
            let lanes = &mut self.topics[topic].lanes;
            let slot = *partition as usize;
            if lanes.len() <= slot {
                lanes.resize(slot + 1, None);
            }
            lanes[slot] = u32::try_from(self.all.len()).ok();
            self.all.push(Lane {
                topic,
                partition: *partition,
                start: *start,
                next: *start,
                end: *end,
                open: false,
                short_since: None,
            });
        }
        self.streams = self.all.iter().map(|lane| self.stream(lane)).collect();
        for index in first..self.all.len() {
            if self.all[index]
                .end
                .is_none_or(|end| self.all[index].start < end)
            {
                self.begin(index)?;
            }
        }
        Ok(())
    }

    fn topic(&mut self, client: &Arc<Client>, name: &Arc<str>) -> Result<usize, Failure> {
        if let Some(&known) = self.by_name.get(name) {
            return Ok(known);
        }
        let handle = Topic::new(client, name)?;
        self.topics.push(OpenTopic {
            name: Arc::clone(name),
            handle,
            lanes: Vec::new(),
        });
        let index = self.topics.len() - 1;
        self.by_name.insert(Arc::clone(name), index);
        Ok(index)
    }

    fn stream(&self, lane: &Lane) -> Stream {
        Stream {
            topic: Arc::clone(&self.topics[lane.topic].name),
            partition: lane.partition,
            style: PositionStyle::Offset,
        }
    }

    fn begin(&mut self, index: usize) -> Result<(), Failure> {
        let lane = &mut self.all[index];
        let handle = &self.topics[lane.topic].handle;
        handle.start(lane.partition, lane.next, &self.queue)?;
        if !lane.open {
            lane.open = true;
            self.open += 1;
        }
        Ok(())
    }

    /// Reads on from another offset.
    pub(super) fn restart(&mut self, index: usize, next: u64) -> Result<(), Failure> {
        let lane = &mut self.all[index];
        self.topics[lane.topic].handle.stop(lane.partition);
        lane.next = next;
        if lane.end.is_some_and(|end| next >= end) {
            lane.open = false;
            self.open -= 1;
            return Ok(());
        }
        self.begin(index)
    }

    /// Ends a lane: its whole range was seen.
    fn close(&mut self, index: usize) {
        let lane = &mut self.all[index];
        self.topics[lane.topic].handle.stop(lane.partition);
        self.open -= 1;
    }

    pub(super) const fn is_done(&self) -> bool {
        self.open == 0
    }

    pub(super) const fn streams(&self) -> &Streams {
        &self.streams
    }

    pub(super) fn get(&self, index: usize) -> &Lane {
        &self.all[index]
    }

    pub(super) fn place(&self, index: usize) -> Place {
        let lane = &self.all[index];
        (Arc::clone(&self.topics[lane.topic].name), lane.partition)
    }

    pub(super) fn has(&self, (topic, partition): &Place) -> bool {
        self.by_name.get(topic).is_some_and(|&topic| {
            let lanes = &self.topics[topic].lanes;
            lanes.get(*partition as usize).is_some_and(Option::is_some)
        })
    }

    /// Lanes whose log ended before their range did.
    pub(super) fn short(&self) -> impl Iterator<Item = (usize, Instant)> + '_ {
        let lanes = self.all.iter().enumerate();
        lanes.filter_map(|(i, lane)| Some((i, lane.short_since.filter(|_| lane.open)?)))
    }

    /// Positions that lie behind, and all; for frozen ranges.
    pub(super) fn progress(&self) -> (u64, u64) {
        self.all.iter().fold((0, 0), |(done, all), lane| {
            let end = lane.end.unwrap_or(lane.next).max(lane.start);
            (
                done + lane.next.clamp(lane.start, end) - lane.start,
                all + end - lane.start,
            )
        })
    }

    /// Takes note of where the messages stand, and keeps those that are events of a range. A lane
    /// ends by position: at the last offset of its range, at one beyond it, or when the broker
    /// says that nothing more is there. So markers, aborted events and compacted holes at the end
    /// of a range hold nothing up.
    pub(super) fn settle(&mut self, messages: &mut Messages) -> Settled {
        let mut settled = Settled::default();
        let mut finished = Vec::new();
        // Messages come in runs of one topic.
        let (mut last, mut found) = (0, None);
        let Self {
            all: lanes, topics, ..
        } = self;
        messages.retain(|message| {
            if message.topic() != last {
                last = message.topic();
                found = topics.iter().position(|t| t.handle.address() == last);
            }
            let slots = &topics[found?].lanes;
            let index = (*slots.get(message.partition() as usize)?)?;
            let lane = &mut lanes[index as usize];
            if !lane.open {
                return None;
            }
            match lane.take(message) {
                Taken::Event => settled.bytes += message.size(),
                Taken::Nothing => return None,
                Taken::Trouble => {
                    settled.trouble.push(Trouble {
                        lane: index as usize,
                        failure: trouble(message),
                    });
                    return None;
                }
                Taken::End { keep } => {
                    lane.open = false;
                    finished.push(index as usize);
                    if !keep {
                        return None;
                    }
                    settled.bytes += message.size();
                }
            }
            Some(index)
        });
        for index in finished {
            self.close(index);
        }
        settled
    }
}

fn trouble(message: Message<'_>) -> Failure {
    let mut failure = Failure::from_number(message.error());
    let text = super::error::plain(&message.error_text());
    if !text.is_empty() {
        failure.text = text;
    }
    failure
}

enum Taken {
    Event,
    /// Nothing to hand on.
    Nothing,
    Trouble,
    /// The range ends, with this message or before it.
    End {
        keep: bool,
    },
}

impl Lane {
    fn take(&mut self, message: Message<'_>) -> Taken {
        let offset = message.offset();
        match message.error() {
            0 => {
                self.short_since = None;
                if self.end.is_some_and(|end| offset >= end) {
                    self.next = self.end.unwrap_or(offset);
                    return Taken::End { keep: false };
                }
                self.next = offset + 1;
                if self.end == Some(self.next) {
                    return Taken::End { keep: true };
                }
                Taken::Event
            }
            END_OF_PARTITION => match self.end {
                Some(end) if offset >= end => {
                    self.next = end;
                    Taken::End { keep: false }
                }
                Some(_) => {
                    self.short_since.get_or_insert_with(Instant::now);
                    Taken::Nothing
                }
                None => Taken::Nothing,
            },
            _ => Taken::Trouble,
        }
    }
}

impl Drop for Lanes {
    fn drop(&mut self) {
        for lane in self.all.iter().filter(|lane| lane.open) {
            self.topics[lane.topic].handle.stop(lane.partition);
        }
    }
}
