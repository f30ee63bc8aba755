//! Arrays of fetched messages, in librdkafka's own buffers: nothing is copied before it is kept.
#![expect(
    unsafe_code,
    reason = "rust-rdkafka takes messages one by one, at twice the cost"
)]

use std::ffi::CStr;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as sys;

use super::client::Client;
use super::ffi::{Queue, millis};
use crate::event::{HeaderBuf, Timestamp, TimestampType};

/// Messages taken off a queue together, in the order in which they came.
pub(super) struct Messages {
    /// Messages, each owned; none is null.
    raw: Vec<*mut sys::rd_kafka_message_t>,
    /// The index of each message's partition in the source's table; set by `retain`.
    streams: Vec<u32>,
    /// The buffers belong to the client, which must outlive them.
    _client: Option<Arc<Client>>,
}

// SAFETY: a message may be read and destroyed on any thread, and each belongs to one array.
unsafe impl Send for Messages {}

/// One message, borrowed from its array.
#[derive(Clone, Copy)]
pub(super) struct Message<'a>(&'a sys::rd_kafka_message_t);

impl Messages {
    pub(super) const fn len(&self) -> usize {
        self.raw.len()
    }

    /// Takes up to `most` messages. Waits up to `first` for one, then up to `more` to fill up.
    pub(super) fn fetch(queue: &Queue, most: usize, first: Duration, more: Duration) -> Self {
        let mut messages = Self {
            raw: Vec::with_capacity(most),
            streams: Vec::with_capacity(most),
            _client: queue.client().cloned(),
        };
        messages.take(queue, 1, first);
        if messages.len() == 1 && most > 1 {
            messages.take(queue, most - 1, more);
        }
        messages
    }

    fn take(&mut self, queue: &Queue, most: usize, timeout: Duration) {
        self.raw.reserve(most);
        let spare = self.raw.spare_capacity_mut();
        // SAFETY: the queue is alive, and there is room for `most` pointers behind the last one.
        let taken = unsafe {
            sys::rd_kafka_consume_batch_queue(
                queue.raw(),
                millis(timeout),
                spare.as_mut_ptr().cast(),
                most.min(spare.len()),
            )
        };
        // Negative is an error that the queue's own messages tell better.
        let taken = usize::try_from(taken).unwrap_or(0);
        // SAFETY: librdkafka has written that many pointers, and each is ours now.
        unsafe { self.raw.set_len(self.raw.len() + taken) };
    }

    /// Keeps the messages for which `place` finds a place in the source's table, in their order,
    /// and gives the others back to librdkafka.
    pub(super) fn retain(&mut self, mut place: impl FnMut(Message<'_>) -> Option<u32>) {
        self.streams.clear();
        let streams = &mut self.streams;
        self.raw.retain(|&raw| {
            // SAFETY: the array owns the message; it is not null.
            if let Some(stream) = place(Message(unsafe { &*raw })) {
                streams.push(stream);
                return true;
            }
            // SAFETY: owned, and leaving the array.
            unsafe { sys::rd_kafka_message_destroy(raw) };
            false
        });
    }

    /// The messages that `retain` kept, each with its place.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u32, Message<'_>)> {
        self.streams.iter().zip(&self.raw).map(|(&stream, &raw)| {
            // SAFETY: the array owns the message for as long as it is borrowed; it is not null.
            (stream, Message(unsafe { &*raw }))
        })
    }
}

impl Drop for Messages {
    fn drop(&mut self) {
        for &raw in &self.raw {
            // SAFETY: owned by the array, destroyed once.
            unsafe { sys::rd_kafka_message_destroy(raw) };
        }
    }
}

impl<'a> Message<'a> {
    /// 0, or what librdkafka or the broker reports in place of a message.
    pub(super) fn error(self) -> i32 {
        // SAFETY: the field is a 32-bit number. It is read as one, because a broker may send a
        // code that the enum does not know.
        unsafe { (&raw const self.0.err).cast::<i32>().read() }
    }

    /// What an error says beside its number: an error's payload is its text.
    pub(super) fn error_text(self) -> String {
        String::from_utf8_lossy(self.value().unwrap_or_default()).into_owned()
    }

    /// The topic's handle, as [`super::ffi::Topic::address`] gives it.
    pub(super) fn topic(self) -> usize {
        self.0.rkt as usize
    }

    pub(super) const fn partition(self) -> u32 {
        self.0.partition.cast_unsigned()
    }

    pub(super) const fn offset(self) -> u64 {
        self.0.offset.cast_unsigned()
    }

    /// Bytes of key and value.
    pub(super) const fn size(self) -> usize {
        self.0.key_len + self.0.len
    }

    pub(super) fn key(self) -> Option<&'a [u8]> {
        bytes(self.0.key.cast(), self.0.key_len)
    }

    pub(super) fn value(self) -> Option<&'a [u8]> {
        bytes(self.0.payload.cast(), self.0.len)
    }

    pub(super) fn timestamp(self) -> (Timestamp, TimestampType) {
        use sys::rd_kafka_timestamp_type_t as kind;
        let mut found = kind::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE;
        // SAFETY: the message is alive, and so is the place that is written to.
        let time = unsafe { sys::rd_kafka_message_timestamp(self.0, &raw mut found) };
        let found = match found {
            kind::RD_KAFKA_TIMESTAMP_CREATE_TIME => TimestampType::Create,
            kind::RD_KAFKA_TIMESTAMP_LOG_APPEND_TIME => TimestampType::Append,
            kind::RD_KAFKA_TIMESTAMP_NOT_AVAILABLE => TimestampType::None,
        };
        (Timestamp(time), found)
    }

    /// Appends the headers. librdkafka takes them apart on the first call, at 0.3 µs an event.
    pub(super) fn headers(self, into: &mut HeaderBuf) {
        let mut headers = std::ptr::null_mut();
        // SAFETY: the message is alive; the headers belong to it.
        let none = unsafe { sys::rd_kafka_message_headers(self.0, &raw mut headers) };
        if none != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return;
        }
        for index in 0.. {
            let (mut name, mut value, mut len) = (std::ptr::null(), std::ptr::null(), 0);
            // SAFETY: the headers and the three places that are written to are alive.
            let end = unsafe {
                sys::rd_kafka_header_get_all(
                    headers,
                    index,
                    &raw mut name,
                    &raw mut value,
                    &raw mut len,
                )
            };
            if end != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return;
            }
            // SAFETY: librdkafka keeps a header's name NUL-terminated, with the message.
            let name = unsafe { CStr::from_ptr(name) };
            into.push(name.to_bytes(), bytes(value.cast(), len));
        }
    }
}

/// A null pointer is a null, which is not the same as no bytes.
fn bytes<'a>(start: *const u8, len: usize) -> Option<&'a [u8]> {
    if start.is_null() {
        return None;
    }
    // SAFETY: librdkafka says that `len` bytes of the message are there, and the caller's lifetime
    // is the message's.
    Some(unsafe { std::slice::from_raw_parts(start, len) })
}
