//! What the first bytes and the headers of an event say about its schema: the framings of schema
//! registries, self-describing containers, compression. Only what they look like: whether an id is
//! known and the payload decodes is found out by the caller, who takes the first that holds.
//!
//! Sources: Confluent's `SchemaId` and wire format, AWS' `AWSSchemaRegistryConstants`, Apicurio's
//! `KafkaSerdeHeaders` and `Default4ByteIdHandler`/`DefaultIdHandler`, the encoders of Azure's
//! SDKs, and Avro's specification (single-object encoding, object container files).

use crate::event::Headers;
use crate::event::codec::StreamKind;

use super::{cbor, inflate};
use crate::schema::sources::Side;

/// What the bytes may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frame<'a> {
    /// `00`, id in 4 bytes, payload; for Protobuf the indexes of the message come first in it.
    /// Apicurio 3 writes its content ids the same way.
    Confluent { id: u32, payload: &'a [u8] },
    /// A header `01`, GUID. What follows there are, for Protobuf, the indexes of the message.
    Guid {
        guid: [u8; 16],
        indexes: &'a [u8],
        payload: &'a [u8],
    },
    /// A header `00`, id in 4 bytes. What follows as for [`Frame::Guid`].
    HeaderId {
        id: u32,
        indexes: &'a [u8],
        payload: &'a [u8],
    },
    /// `03`, compression (`00` none, `05` zlib), UUID of the schema's version, payload.
    Glue {
        version: [u8; 16],
        zlib: bool,
        payload: &'a [u8],
    },
    /// Headers with one or both of Apicurio's ids; at least one is there.
    ApicurioHeader {
        global: Option<u64>,
        content: Option<u64>,
        payload: &'a [u8],
    },
    /// `00`, id in 8 bytes, payload: the global id of Apicurio 2.
    ApicurioLong { id: u64, payload: &'a [u8] },
    /// A content type `avro/binary+ID` or `application/json;serialization=Json+ID`, or, older,
    /// four zero bytes and an id of 32 hexadecimal digits in front of Avro.
    Azure {
        id: &'a str,
        json: bool,
        payload: &'a [u8],
    },
    /// `c3 01`, the schema's CRC-64-AVRO, little end first, payload.
    SingleObject { fingerprint: u64, payload: &'a [u8] },
    /// `Obj 01`: the whole, which holds its schema.
    Container(&'a [u8]),
    /// The whole is one stream of that kind.
    Compressed(StreamKind),
    /// The whole is CBOR that says so by the tag 55799.
    CborTagged,
}

/// The framings that the bytes may be in, in the order in which they are to be tried: what headers
/// say first, then the bytes.
///
/// Nothing here is certain. By chance one of 256 values begins with `00` and so looks like
/// Confluent's and Apicurio's, one of 32,768 like Glue's, one of 65,536 like a single object, one
/// of 16 million like gzip or tagged CBOR, one of 4 billion like zstd, lz4 or a container.
pub fn candidates<'a>(side: Side, headers: Headers<'a>, bytes: &'a [u8]) -> Candidates<'a> {
    Candidates {
        named: Named::find(side, headers),
        bytes,
        step: 0,
    }
}

/// Gives the candidates one after the other; nothing is allocated.
#[derive(Debug, Clone)]
pub struct Candidates<'a> {
    named: Named<'a>,
    bytes: &'a [u8],
    step: usize,
}

impl<'a> Candidates<'a> {
    /// What a header says that the value is: a media type.
    pub fn content_type(&self) -> Option<&'a str> {
        str::from_utf8(self.named.content_type?).ok()
    }

    /// The schema of the data that a `CloudEvent` names in a header.
    pub fn data_schema(&self) -> Option<&'a str> {
        str::from_utf8(self.named.data_schema?).ok()
    }
}

type Look = for<'a> fn(&Named<'a>, &'a [u8]) -> Option<Frame<'a>>;
const LOOKS: [Look; 10] = [
    header_id,
    apicurio_header,
    azure_header,
    azure_prefix,
    confluent,
    apicurio_long,
    glue,
    single_object,
    container,
    self_described,
];
/// Where in [`LOOKS`] those begin that look at the bytes.
const BYTES: usize = 3;

impl<'a> Iterator for Candidates<'a> {
    type Item = Frame<'a>;

    fn next(&mut self) -> Option<Frame<'a>> {
        if self.step < BYTES && self.named.is_nothing() {
            self.step = if may_begin(self.bytes) {
                BYTES
            } else {
                LOOKS.len()
            };
        }
        loop {
            let look = LOOKS.get(self.step)?;
            self.step += 1;
            if let Some(frame) = look(&self.named, self.bytes) {
                return Some(frame);
            }
        }
    }
}

/// A cheap no for most text and JSON: the first bytes of everything that is told by its bytes.
fn may_begin(bytes: &[u8]) -> bool {
    matches!(
        bytes,
        [
            0 | 3 | 4 | 0x1f | b'(' | b'O' | 0x82 | 0xc3 | 0xd9 | 0xff,
            ..
        ]
    )
}

/// What headers say about the schema of one side; of a header that comes twice the last.
#[derive(Debug, Clone, Copy, Default)]
struct Named<'a> {
    schema_id: Option<&'a [u8]>,
    global: Option<&'a [u8]>,
    content: Option<&'a [u8]>,
    content_type: Option<&'a [u8]>,
    data_schema: Option<&'a [u8]>,
}

impl<'a> Named<'a> {
    fn find(side: Side, headers: Headers<'a>) -> Self {
        let mut named = Self::default();
        for (name, value) in headers {
            let slot = match (side, name) {
                (Side::Value, b"__value_schema_id") | (Side::Key, b"__key_schema_id") => {
                    &mut named.schema_id
                }
                (Side::Value, b"apicurio.value.globalId")
                | (Side::Key, b"apicurio.key.globalId") => &mut named.global,
                (Side::Value, b"apicurio.value.contentId")
                | (Side::Key, b"apicurio.key.contentId") => &mut named.content,
                // It is about the value: no key has a content type of its own.
                (Side::Value, b"ce_dataschema") => &mut named.data_schema,
                (Side::Value, name) if is_content_type(name) => &mut named.content_type,
                _ => continue,
            };
            *slot = value;
        }
        named
    }

    const fn is_nothing(&self) -> bool {
        matches!(
            self,
            Self {
                schema_id: None,
                global: None,
                content: None,
                content_type: None,
                ..
            }
        )
    }
}

/// The header that says what the value is, in the spelling of `CloudEvents` and Azure.
const fn is_content_type(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"content-type")
}

fn header_id<'a>(named: &Named<'a>, payload: &'a [u8]) -> Option<Frame<'a>> {
    match named.schema_id?.split_first()? {
        (0, rest) => {
            let (id, indexes) = rest.split_first_chunk()?;
            let id = u32::from_be_bytes(*id);
            Some(Frame::HeaderId {
                id,
                indexes,
                payload,
            })
        }
        (1, rest) => {
            let (guid, indexes) = rest.split_first_chunk()?;
            Some(Frame::Guid {
                guid: *guid,
                indexes,
                payload,
            })
        }
        _ => None,
    }
}

fn apicurio_header<'a>(named: &Named<'a>, payload: &'a [u8]) -> Option<Frame<'a>> {
    let id = |value: Option<&[u8]>| value?.try_into().ok().map(u64::from_be_bytes);
    let (global, content) = (id(named.global), id(named.content));
    (global.is_some() || content.is_some()).then_some(Frame::ApicurioHeader {
        global,
        content,
        payload,
    })
}

fn azure_header<'a>(named: &Named<'a>, payload: &'a [u8]) -> Option<Frame<'a>> {
    let (kind, id) = str::from_utf8(named.content_type?).ok()?.split_once('+')?;
    let json = match kind {
        "avro/binary" => false,
        "application/json;serialization=Json" => true,
        _ => return None,
    };
    is_hex(id.as_bytes()).then_some(Frame::Azure { id, json, payload })
}

/// Azure's ids are UUIDs without dashes.
fn is_hex(id: &[u8]) -> bool {
    id.len() == 32 && id.iter().all(u8::is_ascii_hexdigit)
}

fn azure_prefix<'a>(_: &Named<'a>, bytes: &'a [u8]) -> Option<Frame<'a>> {
    let (id, payload) = bytes.strip_prefix(&[0; 4])?.split_at_checked(32)?;
    let id = str::from_utf8(id).ok().filter(|_| is_hex(id))?;
    Some(Frame::Azure {
        id,
        json: false,
        payload,
    })
}

fn confluent<'a>(_: &Named<'a>, bytes: &'a [u8]) -> Option<Frame<'a>> {
    let (id, payload) = bytes.strip_prefix(&[0])?.split_first_chunk()?;
    let id = u32::from_be_bytes(*id);
    // Registries count from 1 in a signed integer.
    (1..=i32::MAX.cast_unsigned())
        .contains(&id)
        .then_some(Frame::Confluent { id, payload })
}

fn apicurio_long<'a>(_: &Named<'a>, bytes: &'a [u8]) -> Option<Frame<'a>> {
    let (id, payload) = bytes.strip_prefix(&[0])?.split_first_chunk()?;
    let id = u64::from_be_bytes(*id);
    (1..=i64::MAX.cast_unsigned())
        .contains(&id)
        .then_some(Frame::ApicurioLong { id, payload })
}

fn glue<'a>(_: &Named<'a>, bytes: &'a [u8]) -> Option<Frame<'a>> {
    let (&compression, rest) = bytes.strip_prefix(&[3])?.split_first()?;
    let (version, payload) = rest.split_first_chunk()?;
    matches!(compression, 0 | 5).then_some(Frame::Glue {
        version: *version,
        zlib: compression == 5,
        payload,
    })
}

fn single_object<'a>(_: &Named<'a>, bytes: &'a [u8]) -> Option<Frame<'a>> {
    let (fingerprint, payload) = bytes.strip_prefix(b"\xc3\x01")?.split_first_chunk()?;
    Some(Frame::SingleObject {
        fingerprint: u64::from_le_bytes(*fingerprint),
        payload,
    })
}

fn container<'a>(_: &Named<'a>, bytes: &'a [u8]) -> Option<Frame<'a>> {
    bytes
        .starts_with(b"Obj\x01")
        .then_some(Frame::Container(bytes))
}

fn self_described<'a>(_: &Named<'a>, bytes: &'a [u8]) -> Option<Frame<'a>> {
    if bytes.starts_with(&cbor::SELF_DESCRIBED) {
        return Some(Frame::CborTagged);
    }
    inflate::kind(bytes).map(Frame::Compressed)
}

#[cfg(test)]
mod tests;
