//! librdkafka's admin calls: each sends a request and waits for its answer. Blocking; the caller
//! gives them a thread. Here are what they share, and the offsets of partitions; `groups` and
//! `create` hold the others. All look, except for the two that say create and commit.
#![expect(
    unsafe_code,
    reason = "rust-rdkafka wraps neither ListOffsets nor the calls about groups"
)]

mod configs;
mod create;
mod groups;

pub(super) use configs::topic_settings;
pub(super) use create::create;
pub(super) use groups::{
    ask_commits, commit_for, commits, commits_with_text, list_groups, members,
};

use std::ffi::c_char;
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::bindings as sys;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode as Code;
use sys::rd_kafka_admin_op_t as Op;

use super::client::{ANSWER, Client};
use super::error::{Failure, plain};
use super::ffi::{Event, Queue, millis, owned};
use super::terms::{Ask, Place, Row};

/// The number that stands for it in the request.
fn asked(ask: Ask) -> Offset {
    match ask {
        Ask::First => Offset::Beginning,
        Ask::End { .. } => Offset::End,
        Ask::Time(millis) => Offset::Offset(millis.max(0)),
    }
}

/// A request that was sent, with the queue on which its answer comes.
pub(super) struct Call {
    queue: Queue,
    sent: Instant,
}

impl Call {
    /// Sends one request: `submit` gets the client, the options and the queue.
    fn new(
        client: &Arc<Client>,
        op: Op,
        committed_only: bool,
        submit: impl FnOnce(
            *mut sys::rd_kafka_t,
            *const sys::rd_kafka_AdminOptions_t,
            *mut sys::rd_kafka_queue_t,
        ),
    ) -> Result<Self, Failure> {
        let queue = Queue::new(client).ok_or_else(|| Failure::of(Code::Fail))?;
        let options = Options::new(client, op, committed_only)?;
        submit(client.native(), options.0.as_ptr(), queue.raw());
        Ok(Self {
            queue,
            sent: Instant::now(),
        })
    }

    /// Waits for the answer.
    fn wait(self) -> Result<Event, Failure> {
        // librdkafka answers when the request's own time is up; a little more, to hear it.
        let limit = ANSWER + Duration::from_secs(2);
        loop {
            let left = limit.saturating_sub(self.sent.elapsed());
            if let Some(event) = self.queue.poll(left.min(Duration::from_millis(500))) {
                return match event.failure() {
                    Some(failure) => Err(failure),
                    None => Ok(event),
                };
            }
            if let Some(client) = self.queue.client() {
                client.pump();
            }
            if left.is_zero() {
                return Err(Failure::of(Code::OperationTimedOut));
            }
        }
    }
}

struct Options(NonNull<sys::rd_kafka_AdminOptions_t>);

impl Options {
    fn new(client: &Client, op: Op, committed_only: bool) -> Result<Self, Failure> {
        use sys::rd_kafka_IsolationLevel_t as Level;
        // SAFETY: the client is alive.
        let raw = unsafe { sys::rd_kafka_AdminOptions_new(client.native(), op) };
        let options = Self(NonNull::new(raw).ok_or_else(|| Failure::of(Code::Fail))?);
        let mut text = [0 as c_char; 256];
        // SAFETY: the options are alive, and the text has the size that is told.
        let set = unsafe {
            sys::rd_kafka_AdminOptions_set_request_timeout(
                raw,
                millis(ANSWER),
                text.as_mut_ptr(),
                text.len(),
            )
        };
        if set != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR {
            return Err(Failure::of(set.into()));
        }
        if committed_only && op == Op::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS {
            // SAFETY: the options are alive.
            take_error(unsafe { sys::rd_kafka_AdminOptions_set_require_stable_offsets(raw, 1) })?;
        } else if committed_only {
            let level = Level::RD_KAFKA_ISOLATION_LEVEL_READ_COMMITTED;
            // SAFETY: the options are alive.
            take_error(unsafe { sys::rd_kafka_AdminOptions_set_isolation_level(raw, level) })?;
        }
        Ok(options)
    }
}

impl Drop for Options {
    fn drop(&mut self) {
        // SAFETY: made by this type, destroyed once.
        unsafe { sys::rd_kafka_AdminOptions_destroy(self.0.as_ptr()) }
    }
}

/// Turns an error object into a failure, and frees it.
pub(super) fn take_error(error: *mut sys::rd_kafka_error_t) -> Result<(), Failure> {
    if error.is_null() {
        return Ok(());
    }
    let failure = read_error(error);
    // SAFETY: the caller owned it.
    unsafe { sys::rd_kafka_error_destroy(error) };
    failure.map_or(Ok(()), Err)
}

/// What an error object says; `None` for null and for "no error".
fn read_error(error: *const sys::rd_kafka_error_t) -> Option<Failure> {
    if error.is_null() {
        return None;
    }
    // SAFETY: not null, so an error object of librdkafka's.
    let code: Code = unsafe { sys::rd_kafka_error_code(error) }.into();
    // SAFETY: as above; the text belongs to the object.
    let text = unsafe { owned(sys::rd_kafka_error_string(error)) };
    (code != Code::NoError).then(|| Failure::new(code, plain(&text)))
}

/// The elements of an array of pointers that librdkafka gave.
///
/// # Safety
/// `start` points to `len` non-null pointers to live objects, or `len` is 0.
unsafe fn slice<'a, T>(start: *mut *const T, len: usize) -> &'a [*const T] {
    if start.is_null() || len == 0 {
        return &[];
    }
    // SAFETY: the caller vouches for it.
    unsafe { std::slice::from_raw_parts(start, len) }
}

/// What the answer to a call lists: `result` is the call's own result in an event, `items` one of
/// the lists in it. An event without that result answers something else.
///
/// # Safety
/// `items` gives non-null pointers to objects that live as long as the event.
unsafe fn listed<R, T>(
    event: &Event,
    result: unsafe extern "C" fn(*mut sys::rd_kafka_event_t) -> *const R,
    items: unsafe extern "C" fn(*const R, *mut usize) -> *mut *const T,
) -> Result<&[*const T], Failure> {
    // SAFETY: the event is alive, the result belongs to it, and the caller vouches for the items.
    unsafe {
        let result = result(event.raw());
        if result.is_null() {
            return Err(Failure::of(Code::InvalidType));
        }
        let mut len = 0;
        let start = items(result, &raw mut len);
        Ok(slice(start, len))
    }
}

/// # Safety
/// `row` points to a live element of a partition list.
unsafe fn read_row(row: *const sys::rd_kafka_topic_partition_t) -> Row {
    // SAFETY: the caller vouches for it; the code is read as the number that it is.
    unsafe {
        Row {
            place: (owned((*row).topic).into(), (*row).partition.cast_unsigned()),
            offset: (*row).offset,
            error: (&raw const (*row).err).cast::<i32>().read(),
        }
    }
}

/// # Safety
/// `list` is null or points to a live partition list.
unsafe fn read_list(list: *const sys::rd_kafka_topic_partition_list_t) -> Vec<Row> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller vouches for it; a list has `cnt` elements.
    unsafe {
        (0..usize::try_from((*list).cnt).unwrap_or(0))
            .map(|i| read_row((*list).elems.add(i)))
            .collect()
    }
}

fn list_of(rows: impl IntoIterator<Item = (Place, Offset)>) -> Result<TopicPartitionList, Failure> {
    let mut list = TopicPartitionList::new();
    for ((topic, partition), offset) in rows {
        list.add_partition_offset(&topic, partition.cast_signed(), offset)
            .map_err(|_| Failure::of(Code::InvalidArgument))?;
    }
    Ok(list)
}

/// Asks for one offset of each partition, the leaders side by side. Nothing found is -1.
pub(super) fn ask_offsets(
    client: &Arc<Client>,
    places: &[Place],
    ask: Ask,
) -> Result<Option<Call>, Failure> {
    if places.is_empty() {
        return Ok(None);
    }
    let list = list_of(places.iter().map(|p| (p.clone(), asked(ask))))?;
    let committed_only = matches!(
        ask,
        Ask::End {
            committed_only: true
        }
    );
    let call = Call::new(
        client,
        Op::RD_KAFKA_ADMIN_OP_LISTOFFSETS,
        committed_only,
        |rk, options, queue| {
            // SAFETY: all four are alive, and librdkafka copies the list.
            unsafe { sys::rd_kafka_ListOffsets(rk, list.ptr(), options, queue) }
        },
    )?;
    Ok(Some(call))
}

/// The answer to [`ask_offsets`].
pub(super) fn offsets(call: Option<Call>) -> Result<Vec<Row>, Failure> {
    let Some(call) = call else {
        return Ok(Vec::new());
    };
    let event = call.wait()?;
    // SAFETY: the event is the answer to a ListOffsets call, checked by librdkafka; what it gives
    // belongs to the event.
    unsafe {
        let infos = listed(
            &event,
            sys::rd_kafka_event_ListOffsets_result,
            sys::rd_kafka_ListOffsets_result_infos,
        )?;
        Ok(infos
            .iter()
            .map(|info| read_row(sys::rd_kafka_ListOffsetsResultInfo_topic_partition(*info)))
            .collect())
    }
}
