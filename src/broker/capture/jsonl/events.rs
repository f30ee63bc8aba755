//! The events of an input, one after the other, in the order of their lines. Lines that are no
//! events are noted and passed over.

use std::io;
use std::sync::Arc;

use super::input::{Input, Opened, unpack};
use super::line::Line;
use super::lines::{Lines, Next};
use crate::broker::Notices;
use crate::broker::capture::damage::Damage;
use crate::event::{EventRef, Position, PositionStyle, Stream, Streams};

/// The longest line, whatever the budget allows.
const LINE_LIMIT: usize = 256 * 1024 * 1024;
/// A smaller budget still reads lines of this length.
const LINE_LEAST: usize = 4 * 1024 * 1024;

/// What the next line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    /// An event: `Events::event` has it.
    Event,
    /// No event: it was noted.
    Bad,
    /// There is no more, for now.
    End,
}

/// Reads events.
pub(super) struct Events {
    lines: Lines,
    line: Line,
    topic: Arc<str>,
    table: Table,
    /// Of the event at hand.
    stream: u32,
    pub(super) damage: Damage,
    grows: bool,
    /// The bytes of the input are those of the lines.
    pub(super) plain: bool,
}

impl Events {
    pub(super) fn new(
        input: &Input,
        opened: Opened,
        grows: bool,
        memory: usize,
        notices: Notices,
    ) -> Self {
        let mut damage = Damage::new(input.name(), notices);
        let (from, packed) = match unpack(opened.from) {
            Ok(unpacked) => unpacked,
            Err(error) => {
                damage.note(&format!("cannot be read: {error}"));
                let nothing: Box<dyn io::Read + Send> = Box::new(io::empty());
                (nothing, false)
            }
        };
        Self {
            lines: Lines::new(from, memory.clamp(LINE_LEAST, LINE_LIMIT)),
            line: Line::default(),
            topic: input.topic(),
            table: Table::default(),
            stream: 0,
            damage,
            grows: grows && !packed,
            plain: !packed,
        }
    }

    /// Goes to the next line that is not blank.
    pub(super) fn step(&mut self) -> Step {
        loop {
            match self.lines.advance(self.grows) {
                Ok(Next::End) => return Step::End,
                Ok(Next::Line) if self.lines.line().trim_ascii().is_empty() => {}
                Ok(Next::Line) => match self.line.parse(self.lines.line()) {
                    Ok(()) => {
                        self.stream = self.find_stream();
                        return Step::Event;
                    }
                    Err(reason) => return self.bad(&reason),
                },
                Ok(Next::TooLong) => return self.bad("it is longer than the memory budget allows"),
                Err(error) => {
                    let number = self.lines.number;
                    self.damage.note(&format!(
                        "what follows line {number} cannot be read: {error}"
                    ));
                    return Step::End;
                }
            }
        }
    }

    fn bad(&mut self, reason: &str) -> Step {
        let number = self.lines.number;
        self.damage
            .note(&format!("line {number} is no event: {reason}"));
        Step::Bad
    }

    fn find_stream(&mut self) -> u32 {
        let (_, style) = self.place();
        let topic = self.line.topic().unwrap_or(&self.topic);
        self.table.find(topic, self.line.partition(), style)
    }

    fn place(&self) -> (Position, PositionStyle) {
        self.line.position().unwrap_or_else(|| {
            // Lines are counted from 1, offsets from 0.
            let offset = self.lines.number.saturating_sub(1);
            (Position::offset(offset), PositionStyle::Offset)
        })
    }

    /// The event at hand.
    pub(super) fn event(&self) -> EventRef<'_> {
        let (position, _) = self.place();
        let (timestamp, timestamp_type) = self.line.time();
        EventRef {
            stream: &self.table.streams[self.stream as usize],
            stream_index: self.stream,
            position,
            timestamp,
            timestamp_type,
            key: self.line.key(),
            value: self.line.value(),
            headers: self.line.headers(),
            meta: None,
        }
    }

    /// More may come after the end.
    pub(super) const fn grows(&self) -> bool {
        self.grows
    }

    /// All partitions so far.
    pub(super) fn streams(&self) -> &Streams {
        &self.table.shared
    }

    /// True when the next line must be waited for, maybe.
    pub(super) fn would_wait(&self) -> bool {
        self.lines.would_wait()
    }

    pub(super) const fn bytes(&self) -> u64 {
        self.lines.bytes
    }
}

/// The partitions seen so far; it only grows.
struct Table {
    streams: Vec<Stream>,
    shared: Streams,
    last: usize,
}

impl Default for Table {
    fn default() -> Self {
        Self {
            streams: Vec::new(),
            shared: Vec::new().into(),
            last: 0,
        }
    }
}

impl Table {
    fn find(&mut self, topic: &str, partition: u32, style: PositionStyle) -> u32 {
        let is = |s: &Stream| s.partition == partition && s.style == style && &*s.topic == topic;
        // Neighbours are mostly of one partition.
        if !self.streams.get(self.last).is_some_and(is) {
            let known = self.streams.iter().position(is);
            self.last = known.unwrap_or_else(|| self.add(topic, partition, style));
        }
        self.last as u32
    }

    fn add(&mut self, topic: &str, partition: u32, style: PositionStyle) -> usize {
        self.streams.push(Stream {
            topic: topic.into(),
            partition,
            style,
        });
        self.shared = self.streams.clone().into();
        self.streams.len() - 1
    }
}
