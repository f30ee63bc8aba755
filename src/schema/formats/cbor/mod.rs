//! CBOR to JSON text, by RFC 8949. One pass and no tree. Big numbers are next door.

mod bignum;
#[cfg(test)]
mod tests;

use super::read::Reader;
use super::write::{
    base64_from, check_size, drop_front, name_from, push_base64, push_f32, push_f64, push_int,
    push_uuid,
};
use crate::schema::Refusal;
use crate::text::push_string;

/// The self-describe tag 55799 (RFC 8949, 3.4.6), the one sign by which CBOR is recognised
/// without being asked for.
pub const SELF_DESCRIBED: [u8; 3] = [0xd9, 0xd9, 0xf7];

/// As for `MessagePack`: containers as keys of keys multiply the escapes.
const KEYS_DEEPEST: usize = 3;

mod major {
    pub(super) const UNSIGNED: u8 = 0;
    pub(super) const NEGATIVE: u8 = 1;
    pub(super) const BYTES: u8 = 2;
    pub(super) const TEXT: u8 = 3;
    pub(super) const ARRAY: u8 = 4;
    pub(super) const MAP: u8 = 5;
    pub(super) const TAG: u8 = 6;
    pub(super) const SIMPLE: u8 = 7;
}

mod tag {
    pub(super) const BIG: u64 = 2;
    pub(super) const BIG_NEGATIVE: u64 = 3;
    pub(super) const EMBEDDED: u64 = 24;
    /// Registered with IANA by <http://peteroupc.github.io/CBOR/uuid.html>.
    pub(super) const UUID: u64 = 37;
}

const BREAK: u8 = 0xff;
const FORMAT: &str = "CBOR";
/// What is embedded in what is embedded is decoded this deep: bytes that turn out to be no item
/// are read once more for each level.
const EMBEDDED_DEEPEST: usize = 4;
/// The bytes of big numbers in one event that are written in decimal: more would take longer than
/// an event may.
const DECIMALS: usize = 256 * 1024;

/// Appends the one data item that `bytes` are as JSON text. After a refusal `out` holds a part of
/// it.
///
/// Byte strings are Base64 in a string, `undefined` is null, other simple values
/// `{"simple":N}`. Big numbers (tags 2 and 3) are written in decimal up to 256 bytes (and
/// 256 KiB an event), in hexadecimal in a string beyond; embedded CBOR (24) is decoded; UUIDs (37) are text; of other
/// tags the content is kept. Names of members that come twice stay both. Keys that are no strings
/// become their JSON text.
pub fn write_json(bytes: &[u8], out: &mut Vec<u8>) -> Result<(), Refusal> {
    let mut decoder = Decoder {
        from: Reader::new(bytes, FORMAT),
        start: out.len(),
        out,
        keys: 0,
        embedded: 0,
        decimals: DECIMALS,
    };
    decoder.item(1)?;
    decoder.from.end()
}

struct Decoder<'a, 'o> {
    from: Reader<'a>,
    out: &'o mut Vec<u8>,
    start: usize,
    /// Keys that are containers around the present place.
    keys: usize,
    /// Items in byte strings around the present place.
    embedded: usize,
    /// Bytes of big numbers that may still be written in decimal.
    decimals: usize,
}

/// The head of an item that is none of the simple values: what it is, and its argument; `None`
/// for an indefinite length.
struct Head {
    at: usize,
    major: u8,
    argument: Option<u64>,
}

impl<'a> Decoder<'a, '_> {
    fn item(&mut self, depth: usize) -> Result<(), Refusal> {
        check_size(self.out, self.start)?;
        if self.major() == Some(major::SIMPLE) {
            return self.simple();
        }
        let head = self.head()?;
        match (head.major, head.argument) {
            (major::UNSIGNED, Some(number)) => push_int(self.out, number),
            (major::NEGATIVE, Some(number)) => push_int(self.out, -1 - i128::from(number)),
            (major::BYTES, Some(len)) => push_base64(self.out, self.from.take(len)?),
            (major::BYTES, None) => {
                let start = self.out.len();
                self.pieces(major::BYTES)?;
                base64_from(self.out, start);
            }
            (major::TEXT, Some(len)) => push_string(self.out, self.from.text(len)?),
            (major::TEXT, None) => {
                self.out.push(b'"');
                self.pieces(major::TEXT)?;
                self.out.push(b'"');
            }
            (major::ARRAY, len) => self.array(len, depth)?,
            (major::MAP, len) => self.map(len, depth)?,
            (major::TAG, Some(tag)) => self.tagged(tag, depth)?,
            _ => return Err(self.no_item(head.at)),
        }
        Ok(())
    }

    fn head(&mut self) -> Result<Head, Refusal> {
        let at = self.from.at();
        let initial = self.from.begin()?;
        let argument = match initial & 31 {
            info @ 0..=23 => Some(u64::from(info)),
            24 => Some(u64::from(self.from.byte()?)),
            25 => Some(u64::from(u16::from_be_bytes(self.from.array()?))),
            26 => Some(u64::from(u32::from_be_bytes(self.from.array()?))),
            27 => Some(u64::from_be_bytes(self.from.array()?)),
            31 => None,
            _ => return Err(self.no_item(at)),
        };
        Ok(Head {
            at,
            major: initial >> 5,
            argument,
        })
    }

    #[cold]
    fn no_item(&self, at: usize) -> Refusal {
        self.from.refuse_at(at, "a byte that begins no item")
    }

    /// Major type 7.
    fn simple(&mut self) -> Result<(), Refusal> {
        let at = self.from.at();
        match self.from.begin()? & 31 {
            20 => self.out.extend_from_slice(b"false"),
            21 => self.out.extend_from_slice(b"true"),
            22 | 23 => self.out.extend_from_slice(b"null"),
            24 => match self.from.byte()? {
                0..32 => return Err(self.no_item(at)),
                value => self.other_simple(value),
            },
            25 => push_f32(self.out, half(u16::from_be_bytes(self.from.array()?))),
            26 => push_f32(self.out, f32::from_be_bytes(self.from.array()?)),
            27 => push_f64(self.out, f64::from_be_bytes(self.from.array()?)),
            28.. => return Err(self.no_item(at)),
            value => self.other_simple(value),
        }
        Ok(())
    }

    fn other_simple(&mut self, value: u8) {
        self.out.extend_from_slice(b"{\"simple\":");
        push_int(self.out, value);
        self.out.push(b'}');
    }

    /// The pieces of a string of indefinite length, each a string of the same type. Text is
    /// escaped, bytes are raw.
    fn pieces(&mut self, major: u8) -> Result<(), Refusal> {
        while !self.at_break() {
            let head = self.head()?;
            let Some(len) = head.argument.filter(|_| head.major == major) else {
                let why = "what stands in a string of pieces is no such piece";
                return Err(self.from.refuse_at(head.at, why));
            };
            if major == major::BYTES {
                self.out.extend_from_slice(self.from.take(len)?);
            } else {
                // The quotes around the piece go: the string has its own.
                let start = self.out.len();
                push_string(self.out, self.from.text(len)?);
                self.out.pop();
                drop_front(self.out, start, start + 1);
            }
        }
        Ok(())
    }

    /// Takes the end of what has an indefinite length, if it stands here.
    fn at_break(&mut self) -> bool {
        self.from.peek() == Some(BREAK) && self.from.byte().is_ok()
    }

    /// True while there is another one in an array or a map.
    fn more(&mut self, left: &mut Option<u64>) -> bool {
        match left {
            Some(0) => false,
            Some(left) => {
                *left -= 1;
                true
            }
            None => !self.at_break(),
        }
    }

    fn array(&mut self, mut len: Option<u64>, depth: usize) -> Result<(), Refusal> {
        self.from.check_depth(depth)?;
        self.from.count(len.unwrap_or(0))?;
        self.out.push(b'[');
        let mut lead = false;
        while self.more(&mut len) {
            if lead {
                self.out.push(b',');
            }
            lead = true;
            self.item(depth + 1)?;
        }
        self.out.push(b']');
        Ok(())
    }

    fn map(&mut self, mut len: Option<u64>, depth: usize) -> Result<(), Refusal> {
        self.from.check_depth(depth)?;
        // A pair takes two bytes or more.
        self.from.count(len.unwrap_or(0).saturating_mul(2))?;
        self.out.push(b'{');
        let mut lead = false;
        while self.more(&mut len) {
            if lead {
                self.out.push(b',');
            }
            lead = true;
            self.name(depth)?;
            self.out.push(b':');
            self.item(depth + 1)?;
        }
        self.out.push(b'}');
        Ok(())
    }

    fn name(&mut self, depth: usize) -> Result<(), Refusal> {
        let start = self.out.len();
        let container = self.major().is_some_and(|major| major >= major::ARRAY);
        self.keys += usize::from(container);
        if self.keys > KEYS_DEEPEST {
            return Err(self.from.refuse("maps are keys of maps, too deep to write"));
        }
        self.item(depth + 1)?;
        self.keys -= usize::from(container);
        name_from(self.out, start);
        Ok(())
    }

    /// The major type of the item that follows.
    fn major(&self) -> Option<u8> {
        self.from.peek().map(|initial| initial >> 5)
    }

    fn tagged(&mut self, tag: u64, depth: usize) -> Result<(), Refusal> {
        self.from.check_depth(depth)?;
        if self.major() != Some(major::BYTES) {
            return self.item(depth + 1);
        }
        match tag {
            tag::BIG | tag::BIG_NEGATIVE => {
                let start = self.out.len();
                self.raw_bytes()?;
                let raw = self.out.len() - start;
                let decimal = raw <= self.decimals;
                self.decimals -= if decimal { raw } else { 0 };
                bignum::write_from(self.out, start, tag == tag::BIG_NEGATIVE, decimal);
                Ok(())
            }
            tag::EMBEDDED => self.embedded(depth),
            tag::UUID => {
                let start = self.out.len();
                self.raw_bytes()?;
                match self.out.get(start..).and_then(|raw| raw.try_into().ok()) {
                    Some(uuid) => {
                        self.out.truncate(start);
                        push_uuid(self.out, uuid);
                    }
                    None => base64_from(self.out, start),
                }
                Ok(())
            }
            _ => self.item(depth + 1),
        }
    }

    /// Appends the bytes of the byte string that follows as they are.
    fn raw_bytes(&mut self) -> Result<(), Refusal> {
        match self.head()?.argument {
            Some(len) => self.out.extend_from_slice(self.from.take(len)?),
            None => self.pieces(major::BYTES)?,
        }
        Ok(())
    }

    /// A byte string that should be an item by itself; where it is none it stays bytes.
    fn embedded(&mut self, depth: usize) -> Result<(), Refusal> {
        let start = self.out.len();
        let Some(len) = self.head()?.argument else {
            self.pieces(major::BYTES)?;
            base64_from(self.out, start);
            return Ok(());
        };
        let bytes = self.from.take(len)?;
        if self.embedded == EMBEDDED_DEEPEST || self.decode_embedded(bytes, depth).is_err() {
            self.out.truncate(start);
            push_base64(self.out, bytes);
        }
        Ok(())
    }

    fn decode_embedded(&mut self, bytes: &'a [u8], depth: usize) -> Result<(), Refusal> {
        let keys = self.keys;
        let outer = std::mem::replace(&mut self.from, Reader::new(bytes, FORMAT));
        self.embedded += 1;
        let decoded = self.item(depth + 1).and_then(|()| self.from.end());
        self.embedded -= 1;
        self.from = outer;
        self.keys = keys;
        decoded
    }
}

/// The number that a half-precision float is, by RFC 8949, appendix D.
fn half(bits: u16) -> f32 {
    let exponent = i32::from(bits >> 10 & 31);
    let mantissa = f32::from(bits & 1023);
    let number = match exponent {
        0 => mantissa * 2f32.powi(-24),
        31 if mantissa == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (mantissa + 1024.0) * 2f32.powi(exponent - 25),
    };
    if bits >> 15 == 0 { number } else { -number }
}
