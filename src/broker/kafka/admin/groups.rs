//! The calls about consumer groups. None joins a group.
#![expect(unsafe_code, reason = "rust-rdkafka does not wrap these calls")]

use std::ffi::{CString, c_char};
use std::sync::Arc;

use rdkafka::bindings as sys;
use rdkafka::topic_partition_list::Offset;
use rdkafka::types::RDKafkaErrorCode as Code;
use sys::rd_kafka_admin_op_t as Op;

use super::super::client::Client;
use super::super::error::Failure;
use super::super::ffi::{Event, owned};
use super::{Call, Place, Row, list_of, listed, read_error, read_list};
use crate::broker::Member;

/// A group as the cluster lists it.
pub(in crate::broker::kafka) struct ListedGroup {
    pub(in crate::broker::kafka) name: String,
    pub(in crate::broker::kafka) state: String,
    pub(in crate::broker::kafka) kind: String,
}

/// All consumer groups. A broker that cannot be asked is an error: a part is not the whole.
pub(in crate::broker::kafka) fn list_groups(
    client: &Arc<Client>,
) -> Result<Vec<ListedGroup>, Failure> {
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
    let result = sys::rd_kafka_event_ListConsumerGroups_result;
    // SAFETY: the event is the answer to this call; what it gives belongs to the event.
    unsafe {
        let errors = listed(
            &event,
            result,
            sys::rd_kafka_ListConsumerGroups_result_errors,
        )?;
        if let Some(failure) = errors.iter().find_map(|e| read_error(*e)) {
            return Err(failure);
        }
        let groups = listed(
            &event,
            result,
            sys::rd_kafka_ListConsumerGroups_result_valid,
        )?;
        Ok(groups
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

/// The members of each group. A group that cannot be described (no permission, a protocol that
/// librdkafka does not know) has none here.
pub(in crate::broker::kafka) fn members(
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
        let found = listed(
            &event,
            sys::rd_kafka_event_DescribeConsumerGroups_result,
            sys::rd_kafka_DescribeConsumerGroups_result_groups,
        )?;
        Ok(found
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
                let target = sys::rd_kafka_MemberDescription_target_assignment(member);
                let target = (!target.is_null()).then(|| {
                    read_list(sys::rd_kafka_MemberAssignment_partitions(target))
                        .into_iter()
                        .map(|row| row.place)
                        .collect()
                });
                let host = owned(sys::rd_kafka_MemberDescription_host(member));
                Member {
                    id: owned(sys::rd_kafka_MemberDescription_consumer_id(member)),
                    client: owned(sys::rd_kafka_MemberDescription_client_id(member)),
                    host: host.strip_prefix('/').unwrap_or(&host).to_owned(),
                    owned: places.into_iter().map(|row| row.place).collect(),
                    target,
                    ..Member::default()
                }
            })
            .collect()
    }
}

/// Asks for all that a group has committed. Never joins it.
pub(in crate::broker::kafka) fn ask_commits(
    client: &Arc<Client>,
    group: &str,
) -> Result<Call, Failure> {
    ask(client, group, None, false)
}

/// Asks for the commits of these places, or for all. With `stable_only` a commit that stands in an
/// open transaction is an error, not passed over.
fn ask(
    client: &Arc<Client>,
    group: &str,
    places: Option<&[Place]>,
    stable_only: bool,
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
        stable_only,
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
pub(in crate::broker::kafka) fn commits(call: Call) -> Result<Vec<Row>, Failure> {
    let event = call.wait()?;
    // SAFETY: the event is the answer to this call; what it gives belongs to the event.
    unsafe { read_group_rows(groups_of(&event)?) }
}

/// What a group has committed at these places, with the text beside each. With `stable_only`, where
/// an open transaction may change that, the failure is `UnstableOffsetCommit`. Blocks.
pub(in crate::broker::kafka) fn commits_with_text(
    client: &Arc<Client>,
    group: &str,
    places: &[Place],
    stable_only: bool,
) -> Result<Vec<(Row, String)>, Failure> {
    let event = ask(client, group, Some(places), stable_only)?.wait()?;
    // SAFETY: the event is the answer to this call; what it gives belongs to the event.
    unsafe {
        let groups = groups_of(&event)?;
        let rows = read_group_rows(groups)?;
        let texts = groups
            .iter()
            .flat_map(|&group| read_texts(sys::rd_kafka_group_result_partitions(group)));
        Ok(rows.into_iter().zip(texts).collect())
    }
}

/// # Safety
/// `event` is the answer to [`ask`].
unsafe fn groups_of(event: &Event) -> Result<&[*const sys::rd_kafka_group_result_t], Failure> {
    // SAFETY: the caller vouches for the event.
    unsafe {
        listed(
            event,
            sys::rd_kafka_event_ListConsumerGroupOffsets_result,
            sys::rd_kafka_ListConsumerGroupOffsets_result_groups,
        )
    }
}

/// # Safety
/// `list` is null or points to a live partition list.
unsafe fn read_texts(list: *const sys::rd_kafka_topic_partition_list_t) -> Vec<String> {
    if list.is_null() {
        return Vec::new();
    }
    // SAFETY: the caller vouches for it; a list has `cnt` elements, and each says how long its text
    // is.
    unsafe {
        (0..usize::try_from((*list).cnt).unwrap_or(0))
            .map(|i| {
                let row = (*list).elems.add(i);
                if (*row).metadata.is_null() {
                    return String::new();
                }
                let bytes = (*row).metadata.cast::<u8>().cast_const();
                let text = std::slice::from_raw_parts(bytes, (*row).metadata_size);
                String::from_utf8_lossy(text).into_owned()
            })
            .collect()
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
pub(in crate::broker::kafka) fn commit_for(
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
        let groups = listed(
            &event,
            sys::rd_kafka_event_AlterConsumerGroupOffsets_result,
            sys::rd_kafka_AlterConsumerGroupOffsets_result_groups,
        )?;
        read_group_rows(groups).map(drop)
    }
}
