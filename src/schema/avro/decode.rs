//! Binary data to JSON text, in one pass over the nodes: no tree is built, and nothing is reserved
//! that the bytes only claim.

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;

use super::cursor::{Cursor, Fault};
use super::logical;
use super::node::{Id, Logical, Node, Record, Shape, Table};
use crate::schema::{DEEPEST, Refusal, most_values};
use crate::text::push_string;

/// Bytes of JSON text of one event: what some ten million values of one byte make in 60 ms.
const MOST_OUTPUT: usize = 32 * 1024 * 1024;
/// Values of one event that take no byte: a hundred bytes can claim billions of nulls in an array,
/// and records in records multiply them.
const MOST_EMPTY: u32 = 65_536;

/// What one event may still cost.
pub(super) struct Budget {
    /// The length that `out` may not pass.
    end: usize,
    empty: u32,
    values: usize,
}

impl Budget {
    /// For that many bytes, whose JSON text begins at `start`.
    pub(super) const fn new(bytes: usize, start: usize) -> Self {
        Self {
            end: start.saturating_add(MOST_OUTPUT),
            empty: MOST_EMPTY,
            values: most_values(bytes),
        }
    }

    /// Counts a value that began at `before`.
    #[inline]
    pub(super) fn count(&mut self, before: usize, now: usize, written: usize) -> Result<(), Fault> {
        if written > self.end {
            return Err(Self::too_large(now));
        }
        let left = self.values.checked_sub(1);
        self.values = left.ok_or_else(|| Fault::new(now, "the event holds too many values"))?;
        if before == now {
            self.empty = self
                .empty
                .checked_sub(1)
                .ok_or_else(|| Self::too_many(now))?;
        }
        Ok(())
    }

    #[cold]
    fn too_large(at: usize) -> Fault {
        let most = MOST_OUTPUT / 1024 / 1024;
        Fault::new(at, format!("the event is larger than {most} MiB as JSON"))
    }

    #[cold]
    fn too_many(at: usize) -> Fault {
        Fault::new(
            at,
            format!("more than {MOST_EMPTY} values that take no byte"),
        )
    }
}

/// Appends the value that `bytes` begin with, and says how many of them it took. Nothing is
/// appended when they are refused.
pub(super) fn decode(table: &Table, bytes: &[u8], out: &mut Vec<u8>) -> Result<usize, Refusal> {
    let start = out.len();
    let mut decoder = Decoder {
        table,
        input: Cursor::new(bytes),
        budget: &mut Budget::new(bytes.len(), start),
        out,
    };
    let result = decoder.value(table.root, 0);
    let read = decoder.input.at;
    result.map(|()| read).map_err(|fault| {
        out.truncate(start);
        fault.refusal()
    })
}

pub(super) struct Decoder<'a> {
    pub(super) table: &'a Table,
    pub(super) input: Cursor<'a>,
    pub(super) budget: &'a mut Budget,
    pub(super) out: &'a mut Vec<u8>,
}

impl Decoder<'_> {
    /// One value. `depth` counts the arrays, maps and records around it.
    pub(super) fn value(&mut self, id: Id, depth: usize) -> Result<(), Fault> {
        let table = self.table;
        let mut node = table.node(id);
        if let Shape::Union(branches) = &node.shape {
            node = table.node(*self.choice(branches, "a union's branch")?);
        }
        match &node.shape {
            Shape::Null => self.out.extend_from_slice(b"null"),
            Shape::Int => {
                let value = self.input.int("an int")?;
                self.integer(value.into(), node.logical);
            }
            Shape::Long => {
                let value = self.input.long("a long")?;
                self.integer(value, node.logical);
            }
            Shape::String => push_string(self.out, self.input.text("a string")?),
            Shape::Array(item) => self.array(*item, self.deeper(depth)?)?,
            Shape::Map(value) => self.map(*value, self.deeper(depth)?)?,
            Shape::Record(record) => self.record(record, self.deeper(depth)?)?,
            _ => self.scalar(node)?,
        }
        Ok(())
    }

    /// The other types without types in them, apart, so that what recurses is small.
    #[inline(never)]
    fn scalar(&mut self, node: &Node) -> Result<(), Fault> {
        match &node.shape {
            Shape::Boolean => {
                let at = self.input.at;
                self.out
                    .extend_from_slice(match self.input.byte("a boolean")? {
                        0 => b"false",
                        1 => b"true",
                        other => {
                            let why = format!("{other} is no boolean, which are 0 and 1");
                            return Err(Fault::new(at, why));
                        }
                    });
            }
            Shape::Float => {
                let bytes = self.input.array("a float")?;
                logical::push_float(self.out, f32::from_le_bytes(bytes));
            }
            Shape::Double => {
                let bytes = self.input.array("a double")?;
                logical::push_double(self.out, f64::from_le_bytes(bytes));
            }
            Shape::Bytes => {
                let bytes = self.input.bytes("a value of type bytes")?;
                self.binary(bytes, node.logical);
            }
            Shape::Fixed(fixed) => {
                let bytes = self.input.take(fixed.size, "a fixed")?;
                self.binary(bytes, node.logical);
            }
            Shape::Enum(one) => {
                let symbol = self.choice(&one.symbols, "an enum's symbol")?;
                self.out.extend_from_slice(&symbol.json);
            }
            // A union in a union is no schema, and `value` has the others.
            _ => {}
        }
        Ok(())
    }

    /// One of several, by the number that is written for it.
    #[inline]
    fn choice<'t, T>(&mut self, of: &'t [T], what: &'static str) -> Result<&'t T, Fault> {
        let at = self.input.at;
        let index = self.input.long(what)?;
        match usize::try_from(index).ok().and_then(|index| of.get(index)) {
            Some(chosen) => Ok(chosen),
            None => Err(Fault::new(
                at,
                format!("{what} is {index}, and there are {}", of.len()),
            )),
        }
    }

    fn deeper(&self, depth: usize) -> Result<usize, Fault> {
        if depth < DEEPEST {
            Ok(depth + 1)
        } else {
            let why = format!("nested deeper than {DEEPEST} levels");
            Err(Fault::new(self.input.at, why))
        }
    }

    #[inline]
    fn integer(&mut self, value: i64, meaning: Option<Logical>) {
        match meaning {
            None => logical::push_integer(self.out, value),
            Some(meaning) => logical::push_time_of(self.out, value, meaning),
        }
    }

    fn binary(&mut self, bytes: &[u8], meaning: Option<Logical>) {
        match meaning {
            Some(Logical::Decimal { scale, .. })
                if logical::push_decimal(self.out, bytes, scale) => {}
            Some(Logical::Uuid) => logical::push_uuid(self.out, bytes),
            Some(Logical::Duration) => logical::push_duration(self.out, bytes),
            _ => push_base64(self.out, bytes),
        }
    }

    fn record(&mut self, record: &Record, depth: usize) -> Result<(), Fault> {
        if record.fields.is_empty() {
            self.out.push(b'{');
        }
        for field in &record.fields {
            self.out.extend_from_slice(&field.lead);
            let before = self.input.at;
            self.value(field.id, depth)
                .and_then(|()| self.budget.count(before, self.input.at, self.out.len()))
                .map_err(|fault| fault.under(&field.name))?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn array(&mut self, item: Id, depth: usize) -> Result<(), Fault> {
        self.out.push(b'[');
        let mut index = 0_u64;
        loop {
            let (count, end) = self.input.block("a count of items")?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                if index > 0 {
                    self.out.push(b',');
                }
                let before = self.input.at;
                self.value(item, depth)
                    .and_then(|()| self.budget.count(before, self.input.at, self.out.len()))
                    .map_err(|fault| fault.under(index))?;
                index += 1;
            }
            self.block_end(end)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn map(&mut self, value: Id, depth: usize) -> Result<(), Fault> {
        self.out.push(b'{');
        let mut first = true;
        loop {
            let (count, end) = self.input.block("a count of entries")?;
            if count == 0 {
                break;
            }
            for _ in 0..count {
                if !first {
                    self.out.push(b',');
                }
                first = false;
                let before = self.input.at;
                let key = self.input.text("a key")?;
                push_string(self.out, key);
                self.out.push(b':');
                self.value(value, depth)
                    .and_then(|()| self.budget.count(before, self.input.at, self.out.len()))
                    .map_err(|fault| fault.under(key))?;
            }
            self.block_end(end)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    /// A block that says where it ends must end there.
    fn block_end(&self, end: Option<usize>) -> Result<(), Fault> {
        match end {
            Some(end) if end != self.input.at => {
                let why = format!("a block that should end at byte {end}");
                Err(Fault::new(self.input.at, why))
            }
            _ => Ok(()),
        }
    }
}

fn push_base64(out: &mut Vec<u8>, bytes: &[u8]) {
    out.push(b'"');
    let start = out.len();
    // Four characters for each three bytes that are begun.
    out.resize(start + bytes.len().div_ceil(3) * 4, b'=');
    if let Some(place) = out.get_mut(start..) {
        // The room is exactly what it takes.
        let written = BASE64.encode_slice(bytes, place).unwrap_or_default();
        out.truncate(start + written);
    }
    out.push(b'"');
}
