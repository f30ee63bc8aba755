//! From the bytes of a batch to its records, borrowed. Decompression itself is next door.

use super::compress::Inflater;
use super::{BatchHeader, CodecError};
use crate::event::headers::take_varint;
use crate::event::{Compression, Headers, Marker, Timestamp, TimestampType};

/// Kafka's "no timestamp".
pub(super) const NO_TIMESTAMP: Timestamp = Timestamp(-1);

/// Reads batches, one after the other, on one recycled buffer.
pub struct Decoder {
    inflater: Inflater,
}

impl Decoder {
    /// `limit` caps the bytes of one batch's decompressed records. What a batch claims of its
    /// sizes is never allocated.
    pub fn new(limit: usize) -> Self {
        Self {
            inflater: Inflater::new(limit),
        }
    }

    /// Checks format, length and checksum of the batch at the front of `batch`, and decompresses
    /// its records. Bytes after the batch are not looked at.
    pub fn decode<'a>(&'a mut self, batch: &'a [u8]) -> Result<Records<'a>, CodecError> {
        let header = BatchHeader::check(batch)?;
        self.records(&header, &batch[..header.size()])
    }

    /// Decompresses the records of a batch whose header [`BatchHeader::check`] gave.
    pub fn records<'a>(
        &'a mut self,
        header: &BatchHeader,
        batch: &'a [u8],
    ) -> Result<Records<'a>, CodecError> {
        let stored = &batch[BatchHeader::LEN..];
        // A batch that the cleaner emptied keeps its compression bits, with no stream behind them.
        let body = if header.compression == Compression::None || stored.is_empty() {
            stored
        } else {
            self.inflater.inflate(header.compression, stored)?
        };
        Ok(Records {
            header: *header,
            body,
            rest: body,
            left: header.records,
            last: None,
        })
    }
}

/// One record, borrowed from its batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    pub offset: u64,
    pub timestamp: Timestamp,
    /// `None` where the producer gave no timestamp (-1 on the wire).
    pub timestamp_type: TimestampType,
    pub key: Option<&'a [u8]>,
    pub value: Option<&'a [u8]>,
    pub headers: Headers<'a>,
}

/// The records of one batch, in order. Ends after the first error.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    header: BatchHeader,
    body: &'a [u8],
    rest: &'a [u8],
    /// Records that the header still promises.
    left: u32,
    /// The offset delta of the record before.
    last: Option<u32>,
}

impl<'a> Records<'a> {
    pub const fn header(&self) -> &BatchHeader {
        &self.header
    }

    /// The decompressed records, framing included: for a search over the whole batch.
    pub const fn body(&self) -> &'a [u8] {
        self.body
    }

    /// Where the next record begins in `body`, and the one before ends.
    pub const fn at(&self) -> usize {
        self.body.len() - self.rest.len()
    }

    /// What a control batch says; `None` for any other batch, and for a control batch whose
    /// record the cleaner took out.
    pub fn marker(&self) -> Option<Marker> {
        if !self.header.control {
            return None;
        }
        let mut fresh = Self {
            rest: self.body,
            left: self.header.records,
            last: None,
            ..self.clone()
        };
        let key = fresh.next()?.ok()?.key?;
        // Version, then type; later versions may append fields.
        let kind = key.get(2..4)?;
        Some(match i16::from_be_bytes([kind[0], kind[1]]) {
            0 => Marker::Abort,
            1 => Marker::Commit,
            other => Marker::Other(other),
        })
    }

    /// Passes the next record, if it ends at the next hit of a search in `body` or before; without
    /// a hit all do. Gives its offset, and the bytes of its key, value and headers; nothing when the
    /// hit is in it, or there is no record. Cheaper than reading it: the headers are not walked.
    pub fn pass(&mut self, hit: Option<usize>) -> Option<Result<(u64, usize), CodecError>> {
        if hit.is_some_and(|hit| hit <= self.at()) {
            return None;
        }
        let body = self.body.len();
        self.step(|records, fields, after| {
            if hit.is_some_and(|hit| hit < body - after.len()) {
                return Ok(None);
            }
            let part = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
            let mut headers = fields.headers;
            take_varint(&mut headers).ok_or("its headers are cut")?;
            let size = part(fields.key) + part(fields.value) + headers.len();
            Ok(Some((
                records.header.base_offset + u64::from(fields.delta),
                size,
            )))
        })
    }

    /// Reads the next record, and goes on behind it if there is something to give.
    #[inline]
    fn step<T>(
        &mut self,
        read: impl FnOnce(&Self, Fields<'a>, &'a [u8]) -> Result<Option<T>, &'static str>,
    ) -> Option<Result<T, CodecError>> {
        if self.left == 0 {
            let whole = self.rest.is_empty();
            return (!whole).then(|| Err(self.fail("there are more bytes than records")));
        }
        let stepped = self.fields().and_then(|(fields, after)| {
            let delta = fields.delta;
            let read = read(self, fields, after)?;
            if read.is_some() {
                self.rest = after;
                self.last = Some(delta);
                self.left -= 1;
            }
            Ok(read)
        });
        stepped.map_err(|reason| self.fail(reason)).transpose()
    }

    /// The next record taken apart, and what stands behind it.
    #[expect(
        clippy::inline_always,
        reason = "each record passes here, and who does not need a part need not have it made"
    )]
    #[inline(always)]
    fn fields(&self) -> Result<(Fields<'a>, &'a [u8]), &'static str> {
        let mut rest = self.rest;
        let len = take_varint(&mut rest).ok_or("its length is cut")?;
        let (mut record, after) = usize::try_from(len)
            .ok()
            .and_then(|len| rest.split_at_checked(len))
            .ok_or("its length runs beyond the batch")?;
        let fields = &mut record;
        // Attributes: none are defined.
        *fields = fields.get(1..).ok_or("its attributes are cut")?;
        let timestamp = take_varint(fields).ok_or("its timestamp is cut")?;
        let delta = take_varint(fields).ok_or("its offset is cut")?;
        let delta = u32::try_from(delta)
            .ok()
            .filter(|&delta| delta <= self.header.last_offset_delta)
            .ok_or("its offset is outside the batch")?;
        if self.last.is_some_and(|last| delta <= last) {
            return Err("its offset is not above that of the record before");
        }
        let key = take_bytes(fields).ok_or("its key runs beyond the record")?;
        let value = take_bytes(fields).ok_or("its value runs beyond the record")?;
        let fields = Fields {
            timestamp,
            delta,
            key,
            value,
            headers: record,
        };
        Ok((fields, after))
    }

    fn record(&self, fields: Fields<'a>) -> Result<Record<'a>, &'static str> {
        let mut headers = fields.headers;
        let headers = take_headers(&mut headers).ok_or("its headers do not fill the record")?;
        let (timestamp, timestamp_type) = self.time(fields.timestamp);
        Ok(Record {
            offset: self.header.base_offset + u64::from(fields.delta),
            timestamp,
            timestamp_type,
            key: fields.key,
            value: fields.value,
            headers,
        })
    }

    fn time(&self, delta: i64) -> (Timestamp, TimestampType) {
        if self.header.timestamp_type == TimestampType::Append {
            return (self.header.max_timestamp, TimestampType::Append);
        }
        // Wraps as the broker's own arithmetic does, so that any two timestamps have a delta.
        let timestamp = Timestamp(self.header.base_timestamp.0.wrapping_add(delta));
        if timestamp == NO_TIMESTAMP {
            (timestamp, TimestampType::None)
        } else {
            (timestamp, TimestampType::Create)
        }
    }

    fn fail(&mut self, reason: &'static str) -> CodecError {
        let error = CodecError::Record {
            index: self.header.records - self.left,
            at: self.at(),
            reason,
        };
        self.left = 0;
        self.rest = &[];
        error
    }
}

impl<'a> Iterator for Records<'a> {
    type Item = Result<Record<'a>, CodecError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.step(|records, fields, _| records.record(fields).map(Some))
    }
}

/// A record that was taken apart, but for its headers.
#[derive(Clone, Copy)]
struct Fields<'a> {
    /// Relative to the batch, as the offset.
    timestamp: i64,
    delta: u32,
    key: Option<&'a [u8]>,
    value: Option<&'a [u8]>,
    /// Their number, then they.
    headers: &'a [u8],
}

/// A length and as many bytes; -1 is null, which the inner option tells apart from empty.
#[expect(
    clippy::option_option,
    reason = "null is a value here, a cut record is not"
)]
#[expect(clippy::inline_always, reason = "as `Records::fields`")]
#[inline(always)]
fn take_bytes<'a>(bytes: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    match take_varint(bytes)? {
        -1 => Some(None),
        len => {
            let (head, tail) = bytes.split_at_checked(usize::try_from(len).ok()?)?;
            *bytes = tail;
            Some(Some(head))
        }
    }
}

/// The rest of the record, if it is the announced number of headers and nothing else.
fn take_headers<'a>(bytes: &mut &'a [u8]) -> Option<Headers<'a>> {
    let count = take_varint(bytes)?;
    let headers = Headers::from_encoded(bytes);
    let mut walk = headers.iter();
    for _ in 0..u64::try_from(count).ok()? {
        walk.next()?;
    }
    walk.rest().is_empty().then_some(headers)
}
