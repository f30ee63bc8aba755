//! How topics are kept.
#![expect(
    unsafe_code,
    reason = "the answer comes by the same queue as the other calls'"
)]

use std::ffi::CString;
use std::sync::Arc;

use rdkafka::bindings as sys;
use rdkafka::types::RDKafkaErrorCode as Code;
use sys::rd_kafka_ResourceType_t as Kind;
use sys::rd_kafka_admin_op_t as Op;

use super::super::client::Client;
use super::super::error::Failure;
use super::super::ffi::owned;
use super::super::topic_settings::take;
use super::{Call, listed, slice};
use crate::broker::TopicSettings;

/// How each topic keeps its events. A topic whose configuration we may not see is left out.
pub(in crate::broker::kafka) fn topic_settings(
    client: &Arc<Client>,
    topics: &[Arc<str>],
) -> Result<Vec<TopicSettings>, Failure> {
    let mut resources = Resources(Vec::with_capacity(topics.len()));
    for topic in topics {
        let name = CString::new(&**topic).map_err(|_| Failure::of(Code::InvalidArgument))?;
        // SAFETY: the name is alive, and librdkafka copies it.
        let raw = unsafe {
            sys::rd_kafka_ConfigResource_new(Kind::RD_KAFKA_RESOURCE_TOPIC, name.as_ptr())
        };
        if raw.is_null() {
            return Err(Failure::of(Code::InvalidArgument));
        }
        resources.0.push(raw);
    }
    let op = Op::RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS;
    let call = Call::new(client, op, false, |rk, options, queue| {
        // SAFETY: all are alive, and librdkafka copies the resources.
        unsafe {
            let (all, len) = (resources.0.as_mut_ptr(), resources.0.len());
            sys::rd_kafka_DescribeConfigs(rk, all, len, options, queue);
        }
    })?;
    let event = call.wait()?;
    // SAFETY: the event is the answer to this call; what it gives belongs to the event.
    unsafe {
        let found = listed(
            &event,
            sys::rd_kafka_event_DescribeConfigs_result,
            sys::rd_kafka_DescribeConfigs_result_resources,
        )?;
        Ok(found
            .iter()
            .filter_map(|&resource| settings(resource))
            .collect())
    }
}

/// `None` where nothing is told.
///
/// # Safety
/// `resource` points to a live description.
unsafe fn settings(resource: *const sys::rd_kafka_ConfigResource_t) -> Option<TopicSettings> {
    // SAFETY: the caller vouches for it; what it gives belongs to it.
    unsafe {
        let mut len = 0;
        let entries = sys::rd_kafka_ConfigResource_configs(resource, &raw mut len);
        let name = owned(sys::rd_kafka_ConfigResource_name(resource));
        let mut settings = TopicSettings::of(name.into());
        for &entry in slice(entries, len) {
            let name = owned(sys::rd_kafka_ConfigEntry_name(entry));
            let value = owned(sys::rd_kafka_ConfigEntry_value(entry));
            take(&mut settings, &name, &value);
        }
        (len > 0).then_some(settings)
    }
}

/// Topics that are asked about, destroyed when the call was sent.
struct Resources(Vec<*mut sys::rd_kafka_ConfigResource_t>);

impl Drop for Resources {
    fn drop(&mut self) {
        for &resource in &self.0 {
            // SAFETY: made above, destroyed once.
            unsafe { sys::rd_kafka_ConfigResource_destroy(resource) }
        }
    }
}
