//! librdkafka's admin calls: each sends a request and waits for its answer. Blocking; the caller
//! gives them a thread. They look, except for the two that say create and commit in their names.
#![expect(
    unsafe_code,
    reason = "rust-rdkafka wraps neither ListOffsets nor the calls about groups"
)]

use std::ffi::{CStr, CString, c_char};
use std::ptr::NonNull;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::bindings as sys;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode as Code;
use sys::rd_kafka_admin_op_t as Op;

use super::client::{ANSWER, Client};
use super::error::Failure;
use super::ffi::{Event, Queue, millis, owned};
use crate::broker::NewTopic;

/// A partition: its topic, and its number.
pub(super) type Place = (Arc<str>, u32);

/// Which offset of a partition is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ask {
    First,
    /// After the last record; after the last stable one with `committed_only`.
    End {
        committed_only: bool,
    },
    /// The first record at or after this time, in milliseconds.
    Time(i64),
}

impl Ask {
    /// The number that stands for it in the request.
    fn offset(self) -> Offset {
        match self {
            Self::First => Offset::Beginning,
            Self::End { .. } => Offset::End,
            Self::Time(millis) => Offset::Offset(millis.max(0)),
        }
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
        if committed_only {
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
    (code != Code::NoError).then(|| Failure::new(code, super::error::plain(&text)))
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

/// One row of a partition list.
pub(super) struct Row {
    pub(super) place: Place,
    pub(super) offset: i64,
    pub(super) error: i32,
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
    let list = list_of(places.iter().map(|p| (p.clone(), ask.offset())))?;
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
        let result = sys::rd_kafka_event_ListOffsets_result(event.raw());
        if result.is_null() {
            return Err(Failure::of(Code::InvalidType));
        }
        let mut len = 0;
        let infos = sys::rd_kafka_ListOffsets_result_infos(result, &raw mut len);
        Ok(slice(infos, len)
            .iter()
            .map(|info| read_row(sys::rd_kafka_ListOffsetsResultInfo_topic_partition(*info)))
            .collect())
    }
}

/// A group as the cluster lists it.
pub(super) struct ListedGroup {
    pub(super) name: String,
    pub(super) state: String,
    pub(super) kind: String,
}

/// All consumer groups. A broker that cannot be asked is an error: a part is not the whole.
pub(super) fn list_groups(client: &Arc<Client>) -> Result<Vec<ListedGroup>, Failure> {
    let call = Call::new(
        client,
        Op::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPS,
        false,
        |rk, options, queue| {
            // SAFETY: all three are alive.
            unsafe { sys::rd_kafka_ListConsumerGroups(rk, options, queue) }
        },
    )?;
    let event = call.wait()?;
    // SAFETY: the event is the answer to this call; what it gives belongs to the event.
    unsafe {
        let result = sys::rd_kafka_event_ListConsumerGroups_result(event.raw());
        if result.is_null() {
            return Err(Failure::of(Code::InvalidType));
        }
        let mut len = 0;
        let errors = sys::rd_kafka_ListConsumerGroups_result_errors(result, &raw mut len);
        if let Some(failure) = slice(errors, len).iter().find_map(|e| read_error(*e)) {
            return Err(failure);
        }
        let groups = sys::rd_kafka_ListConsumerGroups_result_valid(result, &raw mut len);
        Ok(slice(groups, len)
            .iter()
            .map(|&group| ListedGroup {
                name: owned(sys::rd_kafka_ConsumerGroupListing_group_id(group)),
                state: owned(sys::rd_kafka_consumer_group_state_name(
                    sys::rd_kafka_ConsumerGroupListing_state(group),
                )),
                kind: owned(sys::rd_kafka_consumer_group_type_name(
                    sys::rd_kafka_ConsumerGroupListing_type(group),
                ))
                .to_lowercase(),
            })
            .collect())
    }
}

/// A member of a group, and what it was given to read.
pub(super) struct Member {
    pub(super) id: String,
    pub(super) places: Vec<Place>,
}

/// The members of each group. A group that cannot be described (no permission, a protocol that
/// librdkafka does not know) has none here.
pub(super) fn members(
    client: &Arc<Client>,
    groups: &[String],
) -> Result<Vec<(String, Vec<Member>)>, Failure> {
    let names = groups
        .iter()
        .map(|g| CString::new(g.as_str()).map_err(|_| Failure::of(Code::InvalidArgument)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut pointers: Vec<*const c_char> = names.iter().map(|n| n.as_ptr()).collect();
    if pointers.is_empty() {
        return Ok(Vec::new());
    }
    let call = Call::new(
        client,
        Op::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS,
        false,
        |rk, options, queue| {
            // SAFETY: all are alive, and librdkafka copies the names.
            unsafe {
                sys::rd_kafka_DescribeConsumerGroups(
                    rk,
                    pointers.as_mut_ptr(),
                    pointers.len(),
                    options,
                    queue,
                );
            }
        },
    )?;
    let event = call.wait()?;
    // SAFETY: the event is the answer to this call; what it gives belongs to the event.
    unsafe {
        let result = sys::rd_kafka_event_DescribeConsumerGroups_result(event.raw());
        if result.is_null() {
            return Err(Failure::of(Code::InvalidType));
        }
        let mut len = 0;
        let found = sys::rd_kafka_DescribeConsumerGroups_result_groups(result, &raw mut len);
        Ok(slice(found, len)
            .iter()
            .map(|&group| {
                let name = owned(sys::rd_kafka_ConsumerGroupDescription_group_id(group));
                (name, read_members(group))
            })
            .collect())
    }
}

/// # Safety
/// `group` points to a live description.
unsafe fn read_members(group: *const sys::rd_kafka_ConsumerGroupDescription_t) -> Vec<Member> {
    // SAFETY: the caller vouches for the group; what it gives belongs to it.
    unsafe {
        (0..sys::rd_kafka_ConsumerGroupDescription_member_count(group))
            .map(|i| {
                let member = sys::rd_kafka_ConsumerGroupDescription_member(group, i);
                let given = sys::rd_kafka_MemberDescription_assignment(member);
                let places = if given.is_null() {
                    Vec::new()
                } else {
                    read_list(sys::rd_kafka_MemberAssignment_partitions(given))
                };
                Member {
                    id: owned(sys::rd_kafka_MemberDescription_consumer_id(member)),
                    places: places.into_iter().map(|row| row.place).collect(),
                }
            })
            .collect()
    }
}

/// Asks for the commits of a group: of these partitions, or of all that it has committed.
/// Never joins it.
pub(super) fn ask_commits(
    client: &Arc<Client>,
    group: &str,
    places: Option<&[Place]>,
) -> Result<Call, Failure> {
    let name = CString::new(group).map_err(|_| Failure::of(Code::InvalidArgument))?;
    let list = places
        .map(|p| list_of(p.iter().map(|p| (p.clone(), Offset::Invalid))))
        .transpose()?;
    let pointer = list
        .as_ref()
        .map_or(std::ptr::null(), |l| l.ptr().cast_const());
    Call::new(
        client,
        Op::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS,
        false,
        |rk, options, queue| {
            // SAFETY: all are alive, librdkafka copies the request, and it is destroyed once.
            unsafe {
                let mut request =
                    sys::rd_kafka_ListConsumerGroupOffsets_new(name.as_ptr(), pointer);
                sys::rd_kafka_ListConsumerGroupOffsets(rk, &raw mut request, 1, options, queue);
                sys::rd_kafka_ListConsumerGroupOffsets_destroy(request);
            }
        },
    )
}

/// The answer to [`ask_commits`]. No commit is an offset below 0.
pub(super) fn commits(call: Call) -> Result<Vec<Row>, Failure> {
    let event = call.wait()?;
    // SAFETY: the event is the answer to this call; what it gives belongs to the event.
    unsafe {
        let result = sys::rd_kafka_event_ListConsumerGroupOffsets_result(event.raw());
        if result.is_null() {
            return Err(Failure::of(Code::InvalidType));
        }
        let mut len = 0;
        let groups = sys::rd_kafka_ListConsumerGroupOffsets_result_groups(result, &raw mut len);
        read_group_rows(slice(groups, len))
    }
}

/// # Safety
/// The pointers are live results.
unsafe fn read_group_rows(
    groups: &[*const sys::rd_kafka_group_result_t],
) -> Result<Vec<Row>, Failure> {
    let mut rows = Vec::new();
    for &group in groups {
        // SAFETY: the caller vouches for it; what it gives belongs to the result.
        unsafe {
            if let Some(failure) = read_error(sys::rd_kafka_group_result_error(group)) {
                return Err(failure);
            }
            rows.extend(read_list(sys::rd_kafka_group_result_partitions(group)));
        }
    }
    match rows.iter().find(|row| row.error != 0) {
        Some(row) => Err(Failure::from_number(row.error)),
        None => Ok(rows),
    }
}

/// Writes the commits of a group that nobody is a member of.
pub(super) fn commit_for(
    client: &Arc<Client>,
    group: &str,
    commits: &[(Place, u64)],
) -> Result<(), Failure> {
    let name = CString::new(group).map_err(|_| Failure::of(Code::InvalidArgument))?;
    let list = list_of(
        commits
            .iter()
            .map(|(place, offset)| (place.clone(), Offset::Offset(offset.cast_signed()))),
    )?;
    let call = Call::new(
        client,
        Op::RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS,
        false,
        |rk, options, queue| {
            // SAFETY: all are alive, librdkafka copies the request, and it is destroyed once.
            unsafe {
                let mut request =
                    sys::rd_kafka_AlterConsumerGroupOffsets_new(name.as_ptr(), list.ptr());
                sys::rd_kafka_AlterConsumerGroupOffsets(rk, &raw mut request, 1, options, queue);
                sys::rd_kafka_AlterConsumerGroupOffsets_destroy(request);
            }
        },
    )?;
    let event = call.wait()?;
    // SAFETY: the event is the answer to this call; what it gives belongs to the event.
    unsafe {
        let result = sys::rd_kafka_event_AlterConsumerGroupOffsets_result(event.raw());
        if result.is_null() {
            return Err(Failure::of(Code::InvalidType));
        }
        let mut len = 0;
        let groups = sys::rd_kafka_AlterConsumerGroupOffsets_result_groups(result, &raw mut len);
        read_group_rows(slice(groups, len)).map(drop)
    }
}

/// Creates topics with the broker's default replication.
pub(super) fn create(client: &Arc<Client>, topics: &[NewTopic]) -> Result<(), (String, Failure)> {
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
        let result = sys::rd_kafka_event_CreateTopics_result(event.raw());
        if result.is_null() {
            return Err((all(), Failure::of(Code::InvalidType)));
        }
        let mut len = 0;
        let results = sys::rd_kafka_CreateTopics_result_topics(result, &raw mut len);
        for &one in slice(results, len) {
            let code: Code = sys::rd_kafka_topic_result_error(one).into();
            if code != Code::NoError {
                let name = owned(sys::rd_kafka_topic_result_name(one));
                let text = owned(sys::rd_kafka_topic_result_error_string(one));
                return Err((name, Failure::new(code, super::error::plain(&text))));
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
