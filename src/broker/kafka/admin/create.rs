//! Creating topics.
#![expect(
    unsafe_code,
    reason = "the answer comes by the same queue as the other calls'"
)]

use std::ffi::{CStr, CString, c_char};
use std::sync::Arc;

use rdkafka::bindings as sys;
use rdkafka::types::RDKafkaErrorCode as Code;
use sys::rd_kafka_admin_op_t as Op;

use super::super::client::Client;
use super::super::error::{Failure, plain};
use super::super::ffi::owned;
use super::{Call, listed};
use crate::broker::NewTopic;

/// Creates topics with the broker's default replication.
pub(in crate::broker::kafka) fn create(
    client: &Arc<Client>,
    topics: &[NewTopic],
) -> Result<(), (String, Failure)> {
    let mut requests = Requests(Vec::with_capacity(topics.len()));
    for topic in topics {
        let request = new_topic(topic).map_err(|f| (topic.name.clone(), f))?;
        requests.0.push(request);
    }
    let all = || {
        let names: Vec<&str> = topics.iter().map(|t| t.name.as_str()).collect();
        names.join(", ")
    };
    let call = Call::new(
        client,
        Op::RD_KAFKA_ADMIN_OP_CREATETOPICS,
        false,
        |rk, options, queue| {
            // SAFETY: all are alive, and librdkafka copies the requests.
            unsafe {
                sys::rd_kafka_CreateTopics(
                    rk,
                    requests.0.as_mut_ptr(),
                    requests.0.len(),
                    options,
                    queue,
                );
            }
        },
    )
    .map_err(|f| (all(), f))?;
    let event = call.wait().map_err(|f| (all(), f))?;
    // SAFETY: the event is the answer to this call; what it gives belongs to the event.
    unsafe {
        let results = listed(
            &event,
            sys::rd_kafka_event_CreateTopics_result,
            sys::rd_kafka_CreateTopics_result_topics,
        )
        .map_err(|f| (all(), f))?;
        for &one in results {
            let code: Code = sys::rd_kafka_topic_result_error(one).into();
            if code != Code::NoError {
                let name = owned(sys::rd_kafka_topic_result_name(one));
                let text = owned(sys::rd_kafka_topic_result_error_string(one));
                return Err((name, Failure::new(code, plain(&text))));
            }
        }
    }
    Ok(())
}

/// Topics to create, destroyed when the call was sent.
struct Requests(Vec<*mut sys::rd_kafka_NewTopic_t>);

impl Drop for Requests {
    fn drop(&mut self) {
        for &request in &self.0 {
            // SAFETY: made by `new_topic`, destroyed once.
            unsafe { sys::rd_kafka_NewTopic_destroy(request) }
        }
    }
}

fn new_topic(topic: &NewTopic) -> Result<*mut sys::rd_kafka_NewTopic_t, Failure> {
    let c = |text: &str| CString::new(text).map_err(|_| Failure::of(Code::InvalidArgument));
    let name = c(&topic.name)?;
    let partitions = i32::try_from(topic.partitions).unwrap_or(i32::MAX);
    let mut text = [0 as c_char; 256];
    // SAFETY: the name is alive, and the text has the size that is told.
    let raw = unsafe {
        sys::rd_kafka_NewTopic_new(name.as_ptr(), partitions, -1, text.as_mut_ptr(), text.len())
    };
    if raw.is_null() {
        // SAFETY: librdkafka has written a NUL-terminated text of at most that size.
        let text = unsafe { CStr::from_ptr(text.as_ptr()) }.to_string_lossy();
        return Err(Failure::new(Code::InvalidConfig, text));
    }
    let request = Requests(vec![raw]);
    for (key, value) in &topic.config {
        let (key, value) = (c(key)?, c(value)?);
        // SAFETY: all three are alive, and librdkafka copies the texts.
        let set = unsafe { sys::rd_kafka_NewTopic_set_config(raw, key.as_ptr(), value.as_ptr()) };
        if set != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(Failure::of(set.into()));
        }
    }
    // The caller owns it from here.
    std::mem::forget(request);
    Ok(raw)
}
