//! The parts of librdkafka that rust-rdkafka does not wrap: queues of events, and topics that are
//! read without a consumer group. Owned handles with a safe face; no policy.
#![expect(
    unsafe_code,
    reason = "rust-rdkafka has neither batch consumption nor reading without a group"
)]

use std::ffi::{CStr, CString, c_char};
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::Duration;

use rdkafka::bindings as sys;

use super::client::Client;
use super::error::{Failure, plain};

/// Milliseconds as librdkafka takes them.
pub(super) fn millis(time: Duration) -> i32 {
    i32::try_from(time.as_millis()).unwrap_or(i32::MAX)
}

/// The text behind a pointer of librdkafka's; empty when there is none.
///
/// # Safety
/// `text` is null or points to a NUL-terminated string that outlives the call.
pub(super) unsafe fn owned(text: *const c_char) -> String {
    if text.is_null() {
        return String::new();
    }
    // SAFETY: the caller vouches for it.
    unsafe { CStr::from_ptr(text) }
        .to_string_lossy()
        .into_owned()
}

/// The cluster's own name for itself; asks a broker when none has told it yet.
pub(super) fn cluster_id(client: &Client, within: Duration) -> Option<String> {
    // SAFETY: the client is alive.
    let text = unsafe { sys::rd_kafka_clusterid(client.native(), millis(within)) };
    // SAFETY: null, or a text that is freed below.
    let id = unsafe { owned(text) };
    if !text.is_null() {
        // SAFETY: the text came from this client, and nobody else has it.
        unsafe { sys::rd_kafka_mem_free(client.native(), text.cast()) };
    }
    (!id.is_empty()).then_some(id)
}

/// A queue of one client: of events, or of fetched messages.
pub(super) struct Queue {
    raw: NonNull<sys::rd_kafka_queue_t>,
    /// The client must outlive its queues; the main queue is part of the client itself.
    client: Option<Arc<Client>>,
}

// SAFETY: librdkafka's queues may be used and destroyed from any thread.
unsafe impl Send for Queue {}
// SAFETY: as above; every call on a queue takes its own lock.
unsafe impl Sync for Queue {}

impl Queue {
    pub(super) fn new(client: &Arc<Client>) -> Option<Self> {
        // SAFETY: the client is alive, and the queue keeps it so.
        let raw = unsafe { sys::rd_kafka_queue_new(client.native()) };
        Some(Self {
            raw: NonNull::new(raw)?,
            client: Some(Arc::clone(client)),
        })
    }

    /// The main queue: log lines, errors, delivery reports. It must be dropped before the client.
    pub(super) fn main(native: *mut sys::rd_kafka_t) -> Option<Self> {
        // SAFETY: `native` is a client that was just made; its owner drops the queue first.
        let raw = unsafe { sys::rd_kafka_queue_get_main(native) };
        Some(Self {
            raw: NonNull::new(raw)?,
            client: None,
        })
    }

    pub(super) const fn raw(&self) -> *mut sys::rd_kafka_queue_t {
        self.raw.as_ptr()
    }

    pub(super) const fn client(&self) -> Option<&Arc<Client>> {
        self.client.as_ref()
    }

    pub(super) fn poll(&self, timeout: Duration) -> Option<Event> {
        // SAFETY: the queue is alive.
        let raw = unsafe { sys::rd_kafka_queue_poll(self.raw(), millis(timeout)) };
        NonNull::new(raw).map(Event)
    }

    /// Wakes whoever waits on the queue.
    pub(super) fn wake(&self) {
        // SAFETY: the queue is alive.
        unsafe { sys::rd_kafka_queue_yield(self.raw()) }
    }
}

impl Drop for Queue {
    fn drop(&mut self) {
        // SAFETY: made by this type, destroyed once, and the client is still alive.
        unsafe { sys::rd_kafka_queue_destroy(self.raw()) }
    }
}

/// Something that happened, taken off a queue.
pub(super) struct Event(NonNull<sys::rd_kafka_event_t>);

/// What an event tells, where it is one that every client must look at.
pub(super) enum Told {
    Log {
        level: i32,
        facility: String,
        text: String,
    },
    Error(Failure),
    /// Messages that could not be delivered: how many, and why the first was not.
    Undelivered(u64, Option<Failure>),
    /// It needs a new token to log in with.
    TokenWanted,
    Other,
}

impl Event {
    pub(super) const fn raw(&self) -> *mut sys::rd_kafka_event_t {
        self.0.as_ptr()
    }

    pub(super) fn failure(&self) -> Option<Failure> {
        // SAFETY: the event is alive.
        let code = unsafe { sys::rd_kafka_event_error(self.raw()) };
        if code == sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return None;
        }
        // SAFETY: the text belongs to the event, which outlives the call.
        let text = unsafe { owned(sys::rd_kafka_event_error_string(self.raw())) };
        Some(Failure::new(code, plain(&text)))
    }

    pub(super) fn told(&self) -> Told {
        // SAFETY: the event is alive.
        match unsafe { sys::rd_kafka_event_type(self.raw()) } {
            sys::RD_KAFKA_EVENT_LOG => self.log().unwrap_or(Told::Other),
            sys::RD_KAFKA_EVENT_ERROR => self.failure().map_or(Told::Other, Told::Error),
            sys::RD_KAFKA_EVENT_DR => self.undelivered(),
            sys::RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH => Told::TokenWanted,
            _ => Told::Other,
        }
    }

    fn log(&self) -> Option<Told> {
        let (mut facility, mut text, mut level) = (std::ptr::null(), std::ptr::null(), 0);
        // SAFETY: the event is alive, and so are the three places that are written to.
        let failed = unsafe {
            sys::rd_kafka_event_log(self.raw(), &raw mut facility, &raw mut text, &raw mut level)
        };
        if failed != 0 {
            return None;
        }
        // SAFETY: both texts belong to the event, which outlives the call.
        let (facility, text) = unsafe { (owned(facility), owned(text)) };
        Some(Told::Log {
            level,
            facility,
            text,
        })
    }

    fn undelivered(&self) -> Told {
        let (mut count, mut first) = (0, None);
        loop {
            // SAFETY: the event is alive; the messages belong to it.
            let message = unsafe { sys::rd_kafka_event_message_next(self.raw()) };
            if message.is_null() {
                return Told::Undelivered(count, first);
            }
            // SAFETY: a message of the event. The code is read as the number that it is on the
            // wire: a broker may send one that the enum does not know.
            let number = unsafe { (&raw const (*message).err).cast::<i32>().read() };
            if number != 0 {
                count += 1;
                first.get_or_insert_with(|| Failure::from_number(number));
            }
        }
    }
}

impl Drop for Event {
    fn drop(&mut self) {
        // SAFETY: taken off a queue by this type, destroyed once.
        unsafe { sys::rd_kafka_event_destroy(self.raw()) }
    }
}

/// A topic as librdkafka's simple consumer reads it: without a group, so that no coordinator ever
/// hears of us and no group permission is needed.
pub(super) struct Topic {
    raw: NonNull<sys::rd_kafka_topic_t>,
    client: Arc<Client>,
}

// SAFETY: topic handles may be used and destroyed from any thread.
unsafe impl Send for Topic {}
// SAFETY: as above; librdkafka takes its own locks.
unsafe impl Sync for Topic {}

impl Topic {
    pub(super) fn new(client: &Arc<Client>, name: &str) -> Result<Self, Failure> {
        let c_name = CString::new(name)
            .map_err(|_| Failure::of(rdkafka::types::RDKafkaErrorCode::InvalidTopic))?;
        // SAFETY: the client is alive, and the handle keeps it so; a null configuration means the
        // client's own.
        let raw = unsafe {
            sys::rd_kafka_topic_new(client.native(), c_name.as_ptr(), std::ptr::null_mut())
        };
        let raw = NonNull::new(raw).ok_or_else(last_failure)?;
        Ok(Self {
            raw,
            client: Arc::clone(client),
        })
    }

    /// What the topic's messages carry as their own topic.
    pub(super) fn address(&self) -> usize {
        self.raw.as_ptr() as usize
    }

    pub(super) const fn raw(&self) -> *mut sys::rd_kafka_topic_t {
        self.raw.as_ptr()
    }

    pub(super) const fn client(&self) -> &Arc<Client> {
        &self.client
    }

    /// Begins to fetch a partition into the queue.
    pub(super) fn start(&self, partition: u32, offset: u64, into: &Queue) -> Result<(), Failure> {
        // SAFETY: topic and queue are alive, and of the same client.
        let failed = unsafe {
            sys::rd_kafka_consume_start_queue(
                self.raw.as_ptr(),
                partition.cast_signed(),
                offset.cast_signed(),
                into.raw(),
            )
        };
        if failed == 0 {
            Ok(())
        } else {
            Err(last_failure())
        }
    }

    /// Ends fetching; what was fetched and not yet taken is forgotten.
    pub(super) fn stop(&self, partition: u32) {
        // SAFETY: the topic is alive. It fails only for a partition that is not being read.
        unsafe { sys::rd_kafka_consume_stop(self.raw.as_ptr(), partition.cast_signed()) };
    }
}

impl Drop for Topic {
    fn drop(&mut self) {
        // SAFETY: made by this type, destroyed once, and the client is still alive.
        unsafe { sys::rd_kafka_topic_destroy(self.raw.as_ptr()) }
    }
}

/// Why the last call of this thread failed.
fn last_failure() -> Failure {
    // SAFETY: reads a thread-local number.
    Failure::of(unsafe { sys::rd_kafka_last_error() }.into())
}
