//! One message after the other, from bytes to JSON text. Each is gone over twice: first its fields
//! are found and strung together by number, for they may come in any order and several times; then
//! they are written in the order of the schema. What is nested is skipped the first time.

use super::super::formats::LARGEST;
use super::super::{DEEPEST, Refusal};
use super::fault::{Fault, Walked};
use super::raw::{Raw, looks};
use super::scratch::{NONE, Run, Scratch, Slot};
use super::table::{Field, Kind, Label, Message, Table};
use super::wire::{Cursor, Frame, Steps, Wire, too_deep};

/// The JSON of one event may become as large as [`LARGEST`], or this many times its bytes where that
/// is more.
const MOST_TIMES: usize = 4;
/// Steps that opening a message takes.
const OPENING: usize = 6;

/// The most that JSON text made from so many bytes may take.
pub(super) const fn most_out(bytes: usize) -> usize {
    let times = MOST_TIMES.saturating_mul(bytes);
    if times > LARGEST { times } else { LARGEST }
}

/// The walk over one event.
pub(super) struct Walk<'a> {
    pub(super) table: &'a Table,
    pub(super) bytes: &'a [u8],
    pub(super) scratch: &'a mut Scratch,
    pub(super) out: &'a mut Vec<u8>,
    /// What `out` may grow to.
    limit: usize,
    pub(super) steps: Steps,
}

/// The bytes of a message.
#[derive(Debug, Clone, Copy)]
pub(super) enum Body {
    /// From a byte to another.
    One(usize, usize),
    /// The values of all fields of a run and those that it leads to, merged: bytes of messages
    /// that follow each other are the bytes of the merged message.
    Merged(u32),
}

/// A message whose fields were found.
#[derive(Clone, Copy)]
pub(super) struct Open<'a> {
    pub(super) message: &'a Message,
    /// Where it begins.
    at: usize,
    slots: usize,
    runs: usize,
}

impl<'a> Walk<'a> {
    pub(super) fn write(
        table: &'a Table,
        message: u32,
        bytes: &'a [u8],
        scratch: &'a mut Scratch,
        out: &'a mut Vec<u8>,
    ) -> Result<(), Refusal> {
        if bytes.len() >= NONE as usize {
            return Err(Refusal::new("has 4 GiB or more"));
        }
        scratch.clear();
        let begin = out.len();
        let mut walk = Self {
            table,
            bytes,
            scratch,
            out,
            limit: begin.saturating_add(most_out(bytes.len())),
            steps: Steps::for_bytes(bytes.len()),
        };
        walk.message(message, Body::One(0, bytes.len()), 0)
            .map_err(|fault| {
                walk.out.truncate(begin);
                fault.refusal()
            })
    }

    /// Writes a message. `depth` is the number of brackets that are open around it.
    pub(super) fn message(&mut self, id: u32, body: Body, depth: usize) -> Walked {
        let open = self.open(id, body, depth)?;
        match open.message.special {
            Some(special) => self.known(special, &open, depth)?,
            None => self.object(&open, depth)?,
        }
        self.close(&open);
        Ok(())
    }

    /// Finds the fields of a message.
    pub(super) fn open(&mut self, id: u32, body: Body, depth: usize) -> Walked<Open<'a>> {
        let at = self.begin(body);
        let table = self.table;
        let message = table.message(id);
        let message = message.ok_or_else(|| Fault::new("has no message type", at))?;
        if depth >= DEEPEST {
            return Err(too_deep(at));
        }
        self.room(at)?;
        let open = Open {
            message,
            at,
            slots: self.scratch.slots.len(),
            runs: self.scratch.runs.len(),
        };
        let slots = message.fields.len() + 1 + message.oneofs.len();
        self.steps.take(OPENING + slots / 6, at)?;
        let slots = open.slots + slots;
        self.scratch.slots.resize(slots, Slot::EMPTY);
        match body {
            Body::One(start, end) => self.find(&open, start, end)?,
            Body::Merged(first) => {
                let mut runs = Runs::from(first);
                while let Some(frame) = self.next(&mut runs)? {
                    self.find(&open, frame.start, frame.end)?;
                }
            }
        }
        if message.demands {
            self.demand(&open, at)?;
        }
        Ok(open)
    }

    pub(super) fn close(&mut self, open: &Open<'_>) {
        self.scratch.slots.truncate(open.slots);
        self.scratch.runs.truncate(open.runs);
    }

    fn begin(&self, body: Body) -> usize {
        match body {
            Body::One(start, _) => start,
            Body::Merged(first) => {
                let run = self.scratch.runs.get(first as usize);
                run.map_or(0, |run| run.at as usize)
            }
        }
    }

    fn find(&mut self, open: &Open<'_>, start: usize, end: usize) -> Walked {
        let message = open.message;
        let mut cursor = Cursor::new(self.bytes, start, end);
        while !cursor.is_done() {
            let at = cursor.at;
            let frame = cursor.frame(&mut self.steps)?;
            let index = message.lookup.field(frame.number);
            let field = index.and_then(|index| message.fields.get(index as usize));
            if let (Some(index), Some(field)) = (index, field) {
                if !fits(field, frame.wire) {
                    return Err(unfit(field, frame.wire, self.table, at));
                }
                if let Some(oneof) = field.oneof {
                    self.choose(open, oneof, index);
                }
            }
            let unknown = message.fields.len();
            let slot = open.slots + index.map_or(unknown, |index| index as usize);
            self.note(slot, at as u32, frame.next as u32);
        }
        Ok(())
    }

    /// Of a oneof only what came last counts.
    fn choose(&mut self, open: &Open<'_>, oneof: u32, index: u32) {
        let place = open.slots + open.message.fields.len() + 1 + oneof as usize;
        let Some(chosen) = self.scratch.slots.get_mut(place) else {
            return;
        };
        let before = chosen.first;
        chosen.first = index;
        if before != index && before != NONE {
            let slot = self.scratch.slots.get_mut(open.slots + before as usize);
            if let Some(slot) = slot {
                *slot = Slot::EMPTY;
            }
        }
    }

    /// Notes that a field of this slot stands from `at` to `end`.
    fn note(&mut self, slot: usize, at: u32, end: u32) {
        let Scratch { runs, slots, .. } = &mut *self.scratch;
        let Some(slot) = slots.get_mut(slot) else {
            return;
        };
        slot.tail = at;
        let new = runs.len() as u32;
        match runs.get_mut(slot.last as usize) {
            Some(run) if run.end == at => {
                run.end = end;
                return;
            }
            Some(run) => run.next = new,
            None => slot.first = new,
        }
        slot.last = new;
        runs.push(Run {
            at,
            end,
            next: NONE,
        });
    }

    fn demand(&self, open: &Open<'_>, at: usize) -> Walked {
        for (field, index) in open.message.fields.iter().zip(0..) {
            if field.label == Label::Required && self.slot(open, index).is_empty() {
                return Err(Fault::new("is required and not there", at).inside(&field.name));
            }
        }
        Ok(())
    }

    /// The slot of a field by its index.
    pub(super) fn slot(&self, open: &Open<'_>, index: usize) -> Slot {
        let slot = self.scratch.slots.get(open.slots + index);
        slot.copied().unwrap_or(Slot::EMPTY)
    }

    pub(super) fn object(&mut self, open: &Open<'a>, depth: usize) -> Walked {
        self.out.push(b'{');
        self.members(open, depth + 1)?;
        self.out.push(b'}');
        Ok(())
    }

    /// Writes the fields of a message behind its opening bracket or other members.
    pub(super) fn members(&mut self, open: &Open<'a>, depth: usize) -> Walked {
        for (field, index) in open.message.fields.iter().zip(0..) {
            let slot = self.slot(open, index);
            let always = field.label == Label::Implicit || field.is_many() && !field.is_extension;
            if slot.is_empty() && !always {
                continue;
            }
            if slot.is_empty() {
                self.steps.take(1, open.at)?;
            }
            self.comma();
            self.out.extend_from_slice(&field.key);
            self.field(field, slot, depth)
                .map_err(|fault| fault.inside(&field.name))?;
        }
        let unknown = self.slot(open, open.message.fields.len());
        if !unknown.is_empty() {
            self.comma();
            self.out.extend_from_slice(b"\"@unknown\":");
            self.unknown(unknown, depth)?;
        }
        Ok(())
    }

    /// Parts members and elements; behind an opening bracket there is nothing to part.
    fn comma(&mut self) {
        if !matches!(self.out.last(), Some(b'{' | b'[')) {
            self.out.push(b',');
        }
    }

    pub(super) fn field(&mut self, field: &'a Field, slot: Slot, depth: usize) -> Walked {
        match field.label {
            Label::Map => self.map(field, slot, depth),
            Label::Repeated => self.list(field.kind, slot, depth),
            Label::Implicit | Label::Optional | Label::Required => {
                self.single(field.kind, slot, depth)
            }
        }
    }

    /// Writes the value of a field that is there once, or its default.
    pub(super) fn single(&mut self, kind: Kind, slot: Slot, depth: usize) -> Walked {
        if let Some(id) = kind.message() {
            let body = if slot.is_empty() {
                Body::One(0, 0)
            } else {
                Body::Merged(slot.first)
            };
            return self.message(id, body, depth);
        }
        if let Some(frame) = self.last(slot)? {
            return self.scalar(kind, frame.start, frame.end);
        }
        self.default(kind);
        Ok(())
    }

    /// Writes an array of all values of a field.
    pub(super) fn list(&mut self, kind: Kind, slot: Slot, depth: usize) -> Walked {
        if depth >= DEEPEST {
            return Err(too_deep(slot.tail as usize));
        }
        self.out.push(b'[');
        let mut runs = Runs::from(slot.first);
        let mut index = 0u32;
        while let Some(frame) = self.next(&mut runs)? {
            if let Some(id) = kind.message() {
                self.comma();
                let body = Body::One(frame.start, frame.end);
                self.message(id, body, depth + 1)
                    .map_err(|fault| fault.inside(&format!("[{index}]")))?;
                index += 1;
            } else if frame.wire == Wire::Len && !matches!(kind, Kind::String | Kind::Bytes) {
                self.packed(kind, frame)?;
            } else {
                self.comma();
                self.scalar(kind, frame.start, frame.end)?;
            }
        }
        self.out.push(b']');
        Ok(())
    }

    /// Writes numbers that share a length.
    fn packed(&mut self, kind: Kind, frame: Frame) -> Walked {
        // Numbers are written faster than fields are found.
        self.steps.take((frame.end - frame.start) / 2, frame.at)?;
        let mut cursor = Cursor::new(self.bytes, frame.start, frame.end);
        while !cursor.is_done() {
            self.comma();
            self.number(kind, &mut cursor)?;
            self.room(cursor.at)?;
        }
        Ok(())
    }

    /// Writes the fields of a slot whose numbers the schema does not know.
    fn unknown(&mut self, slot: Slot, depth: usize) -> Walked {
        let base = self.scratch.raw.len();
        let mut runs = Runs::from(slot.first);
        while let Some(frame) = self.next(&mut runs)? {
            self.scratch.raw.push((frame.number, frame.at as u32));
        }
        let mut raw = Raw {
            bytes: self.bytes,
            frames: &mut self.scratch.raw,
            out: &mut *self.out,
            limit: self.limit,
            to_look: looks(self.bytes.len()),
            steps: self.steps,
        };
        let done = raw.object(base, depth);
        self.steps = raw.steps;
        done
    }

    /// Where the last of a field stands.
    pub(super) fn last(&mut self, slot: Slot) -> Walked<Option<Frame>> {
        if slot.is_empty() {
            return Ok(None);
        }
        let mut cursor = Cursor::new(self.bytes, slot.tail as usize, self.bytes.len());
        cursor.frame(&mut self.steps).map(Some)
    }

    /// Refuses to go on when too much was written.
    #[inline]
    pub(super) fn room(&self, at: usize) -> Walked {
        if self.out.len() > self.limit {
            return Err(Fault::new("becomes too large as JSON", at));
        }
        Ok(())
    }

    /// The next field of runs.
    pub(super) fn next(&mut self, runs: &mut Runs) -> Walked<Option<Frame>> {
        if runs.at >= runs.end {
            let Some(run) = self.scratch.runs.get(runs.next as usize) else {
                return Ok(None);
            };
            (runs.at, runs.end, runs.next) = (run.at as usize, run.end as usize, run.next);
        }
        let mut cursor = Cursor::new(self.bytes, runs.at, runs.end);
        let frame = cursor.frame(&mut self.steps)?;
        runs.at = frame.next;
        self.room(runs.at)?;
        Ok(Some(frame))
    }
}

/// A place in runs that lead to each other.
#[derive(Debug)]
pub(super) struct Runs {
    at: usize,
    end: usize,
    next: u32,
}

impl From<u32> for Runs {
    /// Before the first field of a run.
    fn from(next: u32) -> Self {
        Self {
            at: 0,
            end: 0,
            next,
        }
    }
}

/// Whether values of a field may be encoded so. Numbers of a repeated field may share a length,
/// whatever the schema says of that.
#[inline]
fn fits(field: &Field, wire: Wire) -> bool {
    let own = natural(field.kind);
    wire == own || wire == Wire::Len && own != Wire::Group && field.is_many()
}

const fn natural(kind: Kind) -> Wire {
    match kind {
        Kind::Double | Kind::Fixed64 | Kind::Sfixed64 => Wire::Fixed64,
        Kind::Float | Kind::Fixed32 | Kind::Sfixed32 => Wire::Fixed32,
        Kind::String | Kind::Bytes | Kind::Message(_) => Wire::Len,
        Kind::Group(_) => Wire::Group,
        _ => Wire::Varint,
    }
}

#[cold]
fn unfit(field: &Field, wire: Wire, table: &Table, at: usize) -> Fault {
    let (wire, kind) = (wire.name(), field.kind.name(table));
    Fault::new(format!("{wire} is no {kind},"), at).inside(&field.name)
}
