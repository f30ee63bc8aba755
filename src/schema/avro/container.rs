//! Avro's container files (`Obj 01`) inside a value: the schema and the data together, in blocks
//! that may be compressed.

use std::borrow::Cow;

use flate2::{Decompress, FlushDecompress, Status};

use super::Avro;
use super::cursor::{Cursor, Fault};
use super::decode::{Budget, Decoder};
use crate::event::Compression;
use crate::event::codec::{CodecError, inflate};
use crate::schema::{Language, Refusal, Source};
use crate::text::Visible;

const MAGIC: [u8; 4] = *b"Obj\x01";
/// Bytes of the schema in a container. It is compiled for each event, so it must not take long.
const LARGEST_SCHEMA: usize = 512 * 1024;
/// Bytes that the blocks of a container decompress to.
const MOST_INFLATED: usize = 16 * 1024 * 1024;
/// By how much the room for decompressed bytes grows at least.
const STEP: usize = 16 * 1024;
/// Entries of the file's metadata.
const MOST_META: u64 = 1024;

/// How the blocks are compressed.
#[derive(Clone, Copy)]
enum Codec {
    Null,
    Deflate,
    Snappy,
    Zstandard,
}

/// Appends the objects of a container file as a JSON array. Nothing is appended when it is
/// refused: bytes that are cut or damaged, a schema that cannot be used, a codec other than
/// `null`, `deflate`, `snappy` and `zstandard`, and what [`Avro::write_json`] refuses, where the
/// limits are those of the whole file and hold for the decompressed bytes too.
pub fn container(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let start = out.len();
    let written = file(bytes, out);
    if written.is_err() {
        out.truncate(start);
    }
    written
}

fn file(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let mut input = Cursor::new(bytes);
    let head = head(&mut input).map_err(Fault::refusal)?;
    let avro = schema(&head)?;
    let mut file = File {
        avro,
        codec: codec(&head)?,
        sync: head.sync,
        budget: Budget::new(bytes.len(), out.len()),
        inflated: 0,
        objects: 0,
        block: 0,
    };
    out.push(b'[');
    while input.left() > 0 {
        file.block(&mut input, out)?;
    }
    out.push(b']');
    Ok(())
}

struct Head<'a> {
    schema: Option<&'a [u8]>,
    codec: &'a [u8],
    sync: [u8; 16],
}

fn head<'a>(input: &mut Cursor<'a>) -> Result<Head<'a>, Fault> {
    if input.array("the four bytes that a container begins with")? != MAGIC {
        return Err(Fault::new(
            0,
            "no Avro container: it does not begin with `Obj` and 1",
        ));
    }
    let (mut schema, mut codec) = (None, &b"null"[..]);
    let mut entries = 0_u64;
    loop {
        let at = input.at;
        let (count, _) = input.block("the container's metadata")?;
        if count == 0 {
            break;
        }
        entries = entries.saturating_add(count);
        if entries > MOST_META {
            let why = format!("metadata of {entries} entries; {MOST_META} are taken");
            return Err(Fault::new(at, why));
        }
        for _ in 0..count {
            let key = input.bytes("a key of the container's metadata")?;
            let value = input.bytes("a value of the container's metadata")?;
            match key {
                b"avro.schema" => schema = Some(value),
                b"avro.codec" => codec = value,
                _ => {}
            }
        }
    }
    let sync = input.array("the container's sync marker")?;
    Ok(Head {
        schema,
        codec,
        sync,
    })
}

fn schema(head: &Head) -> Result<Avro, Refusal> {
    let text = head
        .schema
        .ok_or_else(|| Refusal::new("the container has no schema"))?;
    if text.len() > LARGEST_SCHEMA {
        let size = text.len();
        let why = format!("the container's schema has {size} bytes; {LARGEST_SCHEMA} are taken");
        return Err(Refusal::new(why));
    }
    let text =
        str::from_utf8(text).map_err(|_| Refusal::new("the container's schema is not UTF-8"))?;
    let source = Source {
        language: Language::Avro,
        text: text.to_owned(),
        references: Vec::new(),
    };
    Avro::compile(&source).map_err(|error| Refusal::new(format!("the container's schema: {error}")))
}

fn codec(head: &Head) -> Result<Codec, Refusal> {
    match head.codec {
        b"null" | b"" => Ok(Codec::Null),
        b"deflate" => Ok(Codec::Deflate),
        b"snappy" => Ok(Codec::Snappy),
        b"zstandard" => Ok(Codec::Zstandard),
        other => {
            let name = String::from_utf8_lossy(other.get(..32).unwrap_or(other));
            Err(Refusal::new(format!(
                "the container is compressed with `{}`; null, deflate, snappy and zstandard are read",
                Visible(&name)
            )))
        }
    }
}

struct File {
    avro: Avro,
    codec: Codec,
    sync: [u8; 16],
    budget: Budget,
    /// Bytes that blocks decompressed to.
    inflated: usize,
    objects: u64,
    block: u64,
}

impl File {
    fn block(&mut self, input: &mut Cursor<'_>, out: &mut Vec<u8>) -> Result<(), Refusal> {
        let at = input.at;
        let (count, data) = self.framed(input).map_err(Fault::refusal)?;
        let within = |why: &dyn std::fmt::Display| {
            Refusal::new(format!("block {} (from byte {at}): {why}", self.block))
        };
        let data = expand(
            self.codec,
            data,
            MOST_INFLATED.saturating_sub(self.inflated),
        )
        .map_err(|why| within(&why))?;
        self.inflated += data.len();
        let mut decoder = Decoder {
            table: &self.avro.table,
            input: Cursor::new(&data),
            budget: &mut self.budget,
            out,
        };
        let first = self.objects == 0;
        objects(&mut decoder, count, first).map_err(|fault| within(&fault.refusal()))?;
        self.objects = self.objects.saturating_add(count);
        self.block += 1;
        Ok(())
    }

    /// How many objects a block has, and its data.
    fn framed<'a>(&self, input: &mut Cursor<'a>) -> Result<(u64, &'a [u8]), Fault> {
        let at = input.at;
        let count = input.long("a block's count of objects")?;
        let count = u64::try_from(count)
            .map_err(|_| Fault::new(at, format!("a block of {count} objects")))?;
        let data = input.bytes("a block")?;
        let at = input.at;
        if input.array("a block's sync marker")? != self.sync {
            return Err(Fault::new(at, "the sync marker is not the container's"));
        }
        Ok((count, data))
    }
}

fn objects(decoder: &mut Decoder<'_>, count: u64, first: bool) -> Result<(), Fault> {
    for index in 0..count {
        if index > 0 || !first {
            decoder.out.push(b',');
        }
        let before = decoder.input.at;
        decoder
            .value(decoder.table.root, 1)
            .and_then(|()| {
                decoder
                    .budget
                    .count(before, decoder.input.at, decoder.out.len())
            })
            .map_err(|fault| fault.under(index))?;
    }
    match decoder.input.left() {
        0 => Ok(()),
        left => {
            let why = format!("{left} bytes are left over behind {count} objects");
            Err(Fault::new(decoder.input.at, why))
        }
    }
}

/// The bytes of a block as they were before it was compressed.
fn expand(codec: Codec, data: &[u8], limit: usize) -> Result<Cow<'_, [u8]>, String> {
    match codec {
        Codec::Null => return Ok(Cow::Borrowed(data)),
        Codec::Deflate => deflated(data, limit),
        Codec::Snappy => snappy(data, limit),
        Codec::Zstandard => inflate(Compression::Zstd, data, limit).map_err(|error| told(&error)),
    }
    .map(Cow::Owned)
}

/// DEFLATE without a header (RFC 1951).
fn deflated(mut data: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let mut state = Decompress::new(false);
    let mut plain = Vec::new();
    loop {
        let before = state.total_in();
        plain.reserve(STEP.max(plain.len().min(limit)));
        let status = state
            .decompress_vec(data, &mut plain, FlushDecompress::None)
            .map_err(|error| format!("it does not decompress with deflate: {error}"))?;
        let read = usize::try_from(state.total_in() - before).unwrap_or(usize::MAX);
        data = data.get(read..).unwrap_or_default();
        if plain.len() > limit {
            return Err(too_large());
        }
        match status {
            Status::StreamEnd => return Ok(plain),
            // There was room: what is missing is input.
            _ if data.is_empty() && plain.len() < plain.capacity() => {
                return Err("its deflate stream is cut".to_owned());
            }
            _ => {}
        }
    }
}

/// A bare snappy block, and the CRC-32 of what is in it, big end first.
fn snappy(data: &[u8], limit: usize) -> Result<Vec<u8>, String> {
    let (data, sum) = data
        .split_last_chunk()
        .ok_or("it is too short for snappy and its checksum")?;
    let plain = inflate(Compression::Snappy, data, limit).map_err(|error| told(&error))?;
    if crc32fast::hash(&plain) == u32::from_be_bytes(*sum) {
        Ok(plain)
    } else {
        Err("its checksum is not that of its bytes".to_owned())
    }
}

/// The codec speaks of record batches.
fn told(error: &CodecError) -> String {
    match error {
        CodecError::Inflate { codec, reason } => {
            format!("it does not decompress with {codec}: {reason}")
        }
        CodecError::TooLarge { .. } => too_large(),
        other => other.to_string(),
    }
}

fn too_large() -> String {
    let most = MOST_INFLATED / 1024 / 1024;
    format!("the container decompresses to more than {most} MiB")
}
