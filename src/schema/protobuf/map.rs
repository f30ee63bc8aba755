//! Map fields as JSON objects. On the wire a map is a list of entries; of entries with the same key
//! the last counts.

use std::hash::BuildHasher as _;

use super::super::DEEPEST;
use super::fault::{Fault, Walked};
use super::scratch::{Entry, NONE, Slot};
use super::table::{Field, Kind};
use super::walk::{Body, Open, Runs, Walk};
use super::wire::{Cursor, Frame, sorting, too_deep, zigzag};

/// The fields of an entry, by index.
const KEY: usize = 0;
const VALUE: usize = 1;

impl<'a> Walk<'a> {
    /// Writes a map field. Takes time as sorting its keys does.
    pub(super) fn map(&mut self, field: &'a Field, slot: Slot, depth: usize) -> Walked {
        if depth >= DEEPEST {
            return Err(too_deep(slot.tail as usize));
        }
        let table = self.table;
        let entry = field.kind.message();
        let fields = entry.and_then(|id| table.message(id)).map(|m| &*m.fields);
        let (Some(id), Some([key, value, ..])) = (entry, fields) else {
            return Err(Fault::new(
                "is a map without a key or value",
                slot.tail as usize,
            ));
        };
        let base = self.scratch.entries.len();
        if slot.first != NONE {
            self.overwritten(id, key.kind, slot, base)?;
        }
        self.out.push(b'{');
        let mut dropped = base;
        let mut runs = Runs::from(slot.first);
        let mut is_first = true;
        while let Some(frame) = self.next(&mut runs)? {
            let next = self.scratch.entries.get(dropped);
            if next.is_some_and(|entry| entry.at as usize == frame.at) {
                dropped += 1;
                continue;
            }
            if !is_first {
                self.out.push(b',');
            }
            is_first = false;
            let open = self.open(id, Body::One(frame.start, frame.end), depth)?;
            self.key(key.kind, &open)?;
            self.out.push(b':');
            let slot = self.slot(&open, VALUE);
            self.single(value.kind, slot, depth + 1)?;
            self.close(&open);
        }
        self.out.push(b'}');
        self.scratch.entries.truncate(base);
        Ok(())
    }

    /// Leaves the entries whose keys come again, in their order, on the stack above `base`.
    fn overwritten(&mut self, id: u32, kind: Kind, slot: Slot, base: usize) -> Walked {
        let bytes = self.bytes;
        let mut runs = Runs::from(slot.first);
        while let Some(frame) = self.next(&mut runs)? {
            let key = self.key_at(id, frame)?;
            let order = match Key::read(kind, bytes, key) {
                Key::Number(number) => number.cast_unsigned(),
                Key::Text(text) => self.scratch.hasher.hash_one(text),
            };
            let at = frame.at as u32;
            self.scratch.entries.push(Entry { order, key, at });
        }
        let entries = self.scratch.entries.get_mut(base..).unwrap_or_default();
        // Entries are mostly few, or written in the order of their keys.
        let rises = |pair: &[Entry]| matches!(pair, [a, b] if a.order < b.order);
        let mut kept = 0;
        if !entries.windows(2).all(rises) {
            self.steps
                .take(sorting(entries.len()), slot.tail as usize)?;
            entries.sort_unstable_by_key(|entry| (entry.order, entry.at));
            for i in 1..entries.len() {
                let pair = entries.get(i - 1).zip(entries.get(i));
                let Some((&before, &entry)) = pair else {
                    continue;
                };
                let same = before.order == entry.order
                    && Key::read(kind, bytes, before.key) == Key::read(kind, bytes, entry.key);
                if same && let Some(place) = entries.get_mut(kept) {
                    *place = before;
                    kept += 1;
                }
            }
        }
        self.scratch.entries.truncate(base + kept);
        let entries = self.scratch.entries.get_mut(base..).unwrap_or_default();
        entries.sort_unstable_by_key(|entry| entry.at);
        Ok(())
    }

    /// Where the value of an entry's key begins; [`NONE`] if it has none.
    fn key_at(&mut self, id: u32, frame: Frame) -> Walked<u32> {
        let number = self.table.message(id).and_then(|m| m.fields.first());
        let number = number.map_or(1, |key| key.number);
        let mut cursor = Cursor::new(self.bytes, frame.start, frame.end);
        let mut at = NONE;
        while !cursor.is_done() {
            let inner = cursor.frame(&mut self.steps)?;
            if inner.number == number {
                at = inner.at as u32;
            }
        }
        Ok(at)
    }

    /// Writes a key as a JSON string.
    fn key(&mut self, kind: Kind, open: &Open<'a>) -> Walked {
        let slot = self.slot(open, KEY);
        if kind == Kind::String {
            return self.single(kind, slot, 0);
        }
        self.out.push(b'"');
        self.single(kind, slot, 0)?;
        self.out.push(b'"');
        Ok(())
    }
}

/// A key that can be compared with others of its map.
#[derive(Debug, PartialEq, Eq)]
enum Key<'a> {
    Text(&'a [u8]),
    Number(i64),
}

impl<'a> Key<'a> {
    /// The key whose field begins there. What cannot be read is refused when it is written.
    fn read(kind: Kind, bytes: &'a [u8], at: u32) -> Self {
        let frame = if at == NONE {
            None
        } else {
            let mut steps = super::wire::Steps::for_bytes(0);
            let mut cursor = Cursor::new(bytes, at as usize, bytes.len());
            cursor.frame(&mut steps).ok()
        };
        let (start, end) = frame.map_or((0, 0), |frame| (frame.start, frame.end));
        if kind == Kind::String {
            return Self::Text(bytes.get(start..end).unwrap_or_default());
        }
        let mut cursor = Cursor::new(bytes, start, end);
        let fixed32 = |cursor: &mut Cursor<'_>| cursor.fixed32().unwrap_or(0);
        let fixed64 = |cursor: &mut Cursor<'_>| cursor.fixed64().unwrap_or(0);
        let varint = |cursor: &mut Cursor<'_>| cursor.varint().unwrap_or(0);
        Self::Number(match kind {
            Kind::Fixed32 => i64::from(fixed32(&mut cursor)),
            Kind::Sfixed32 => i64::from(fixed32(&mut cursor).cast_signed()),
            Kind::Fixed64 | Kind::Sfixed64 => fixed64(&mut cursor).cast_signed(),
            Kind::Bool => i64::from(varint(&mut cursor) != 0),
            Kind::Int32 => i64::from(varint(&mut cursor) as i32),
            Kind::Uint32 => i64::from(varint(&mut cursor) as u32),
            Kind::Sint32 => zigzag(varint(&mut cursor) & 0xffff_ffff),
            Kind::Sint64 => zigzag(varint(&mut cursor)),
            _ => varint(&mut cursor).cast_signed(),
        })
    }
}
