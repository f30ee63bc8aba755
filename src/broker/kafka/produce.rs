//! Handing events to a librdkafka producer. No waiting policy.
#![expect(
    unsafe_code,
    reason = "rust-rdkafka copies headers twice and knows no partitioner-free topic handle"
)]

use rdkafka::bindings as sys;
use sys::rd_kafka_vtype_t as Kind;

use super::admin::take_error;
use super::client::Client;
use super::error::Failure;
use super::ffi::Topic;
use crate::event::Headers;

/// What is written, beside the topic.
pub(super) struct Record<'a> {
    /// `None`: the producer's partitioner chooses by key.
    pub(super) partition: Option<u32>,
    /// In milliseconds; 0 is now, as librdkafka has it.
    pub(super) timestamp: i64,
    pub(super) key: Option<&'a [u8]>,
    pub(super) value: Option<&'a [u8]>,
    pub(super) headers: Headers<'a>,
}

/// Hands a record over; its bytes are copied. `QueueFull` means: not now.
pub(super) fn produce(topic: &Topic, record: &Record<'_>) -> Result<(), Failure> {
    let headers = OwnedHeaders::new(record.headers)?;
    let part = record.partition.map_or(-1, u32::cast_signed);
    let values = [
        unit(Kind::RD_KAFKA_VTYPE_RKT, |u| u.rkt = topic.raw()),
        unit(Kind::RD_KAFKA_VTYPE_PARTITION, |u| u.i32_ = part),
        unit(Kind::RD_KAFKA_VTYPE_MSGFLAGS, |u| {
            u.i = sys::RD_KAFKA_MSG_F_COPY;
        }),
        unit(Kind::RD_KAFKA_VTYPE_VALUE, |u| u.mem = memory(record.value)),
        unit(Kind::RD_KAFKA_VTYPE_KEY, |u| u.mem = memory(record.key)),
        unit(Kind::RD_KAFKA_VTYPE_TIMESTAMP, |u| {
            u.i64_ = record.timestamp;
        }),
        // Last, so that it can be left out.
        unit(Kind::RD_KAFKA_VTYPE_HEADERS, |u| u.headers = headers.0),
    ];
    let count = values.len() - usize::from(headers.0.is_null());
    // SAFETY: client and topic are alive, every value is of the kind that it says, and what they
    // point to is copied, except for the headers, which librdkafka takes over on success.
    let error = unsafe { sys::rd_kafka_produceva(topic.client().native(), values.as_ptr(), count) };
    take_error(error)?;
    std::mem::forget(headers);
    Ok(())
}

fn unit(
    vtype: Kind,
    set: impl FnOnce(&mut sys::rd_kafka_vu_s__bindgen_ty_1),
) -> sys::rd_kafka_vu_t {
    let mut u = sys::rd_kafka_vu_s__bindgen_ty_1 { i64_: 0 };
    set(&mut u);
    sys::rd_kafka_vu_t { vtype, u }
}

/// No bytes are not a null: librdkafka tells them apart by the pointer.
fn memory(bytes: Option<&[u8]>) -> sys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 {
    sys::rd_kafka_vu_s__bindgen_ty_1__bindgen_ty_1 {
        ptr: bytes.map_or(std::ptr::null_mut(), |b| b.as_ptr().cast_mut().cast()),
        size: bytes.map_or(0, <[u8]>::len),
    }
}

/// librdkafka's headers, until they are handed over; null when there are none.
struct OwnedHeaders(*mut sys::rd_kafka_headers_t);

impl OwnedHeaders {
    fn new(headers: Headers<'_>) -> Result<Self, Failure> {
        if headers.is_empty() {
            return Ok(Self(std::ptr::null_mut()));
        }
        // SAFETY: makes an object of our own.
        let owned = Self(unsafe { sys::rd_kafka_headers_new(8) });
        for (name, value) in headers {
            let size = |bytes: &[u8]| bytes.len().cast_signed();
            // SAFETY: the object is alive, and both are copied. A null value stays null.
            let added = unsafe {
                sys::rd_kafka_header_add(
                    owned.0,
                    name.as_ptr().cast(),
                    size(name),
                    value.map_or(std::ptr::null(), |v| v.as_ptr().cast()),
                    value.map_or(0, size),
                )
            };
            if added != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
                return Err(Failure::of(added.into()));
            }
        }
        Ok(owned)
    }
}

impl Drop for OwnedHeaders {
    fn drop(&mut self) {
        if !self.0.is_null() {
            // SAFETY: made by this type, and not handed over.
            unsafe { sys::rd_kafka_headers_destroy(self.0) }
        }
    }
}

/// Messages that are not settled yet.
pub(super) fn unsettled(client: &Client) -> u64 {
    // SAFETY: the client is alive.
    u64::try_from(unsafe { sys::rd_kafka_outq_len(client.native()) }).unwrap_or(0)
}
