//! The steps of a transactional producer. Each blocks; whether to try again is the caller's.
#![expect(
    unsafe_code,
    reason = "rust-rdkafka takes a group's identity only from a consumer of its own"
)]

use std::ffi::CString;
use std::ptr::NonNull;
use std::time::Duration;

use rdkafka::bindings as sys;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};
use rdkafka::types::RDKafkaErrorCode as Code;

use super::admin::take_error;
use super::client::Client;
use super::error::Failure;
use super::ffi::millis;
use super::terms::{Commit, Committer};

/// A transaction's step may wait for the coordinator that long.
pub(super) const STEP: Duration = Duration::from_secs(30);

/// Why a step failed.
#[derive(Debug)]
pub(super) struct Fault {
    pub(super) failure: Failure,
    /// The same step may be tried again.
    pub(super) retriable: bool,
}

impl Fault {
    fn taken(error: *mut sys::rd_kafka_error_t) -> Result<(), Self> {
        if error.is_null() {
            return Ok(());
        }
        // SAFETY: not null, so an error object of librdkafka's.
        let retriable = unsafe { sys::rd_kafka_error_is_retriable(error) } != 0;
        take_error(error).map_err(|failure| Self { failure, retriable })
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self {
            failure,
            retriable: false,
        }
    }
}

/// A transactional producer.
pub(super) struct Transactions<'a>(pub(super) &'a Client);

impl Transactions<'_> {
    /// Ends what an earlier producer of the same id left open, and keeps it from going on.
    pub(super) fn init(&self, within: Duration) -> Result<(), Fault> {
        // SAFETY: the client is alive.
        Fault::taken(unsafe { sys::rd_kafka_init_transactions(self.0.native(), millis(within)) })
    }

    pub(super) fn begin(&self) -> Result<(), Fault> {
        // SAFETY: the client is alive.
        Fault::taken(unsafe { sys::rd_kafka_begin_transaction(self.0.native()) })
    }

    /// Puts commits of a group into the transaction. The group's coordinator refuses them when the
    /// member is not what it was.
    pub(super) fn commits(
        &self,
        commits: &Commits,
        of: &Committer,
        within: Duration,
    ) -> Result<(), Fault> {
        let group = Group::new(of)?;
        // SAFETY: client, list and group are alive; librdkafka copies the latter two.
        Fault::taken(unsafe {
            sys::rd_kafka_send_offsets_to_transaction(
                self.0.native(),
                commits.0.ptr(),
                group.0.as_ptr(),
                millis(within),
            )
        })
    }

    /// Waits for all records, then commits.
    pub(super) fn commit(&self, within: Duration) -> Result<(), Fault> {
        // SAFETY: the client is alive.
        Fault::taken(unsafe { sys::rd_kafka_commit_transaction(self.0.native(), millis(within)) })
    }

    /// Aborts. Records that were not sent yet are taken back, and reported as undelivered.
    pub(super) fn abort(&self, within: Duration) -> Result<(), Fault> {
        // SAFETY: the client is alive.
        Fault::taken(unsafe { sys::rd_kafka_abort_transaction(self.0.native(), millis(within)) })
    }
}

/// librdkafka's word for an identity.
struct Group(NonNull<sys::rd_kafka_consumer_group_metadata_t>);

impl Group {
    fn new(of: &Committer) -> Result<Self, Failure> {
        let text = |text: &str| CString::new(text).map_err(|_| Failure::of(Code::InvalidArgument));
        let group = text(&of.group)?;
        let raw = match &of.member {
            Some(member) => {
                let (id, instance) = (text(&member.id)?, text(&member.instance)?);
                // SAFETY: the three texts are alive, and are copied.
                unsafe {
                    sys::rd_kafka_consumer_group_metadata_new_with_genid(
                        group.as_ptr(),
                        member.generation,
                        id.as_ptr(),
                        instance.as_ptr(),
                    )
                }
            }
            // SAFETY: the text is alive, and is copied.
            None => unsafe { sys::rd_kafka_consumer_group_metadata_new(group.as_ptr()) },
        };
        NonNull::new(raw)
            .map(Self)
            .ok_or_else(|| Failure::of(Code::Fail))
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // SAFETY: made by this type, destroyed once.
        unsafe { sys::rd_kafka_consumer_group_metadata_destroy(self.0.as_ptr()) }
    }
}

/// Commits: a partition, an offset, and a text beside it.
pub(super) struct Commits(TopicPartitionList);

impl Commits {
    pub(super) fn new(commits: &[Commit]) -> Result<Self, Failure> {
        let mut list = TopicPartitionList::new();
        for commit in commits {
            let (topic, partition) = &commit.place;
            let mut row = list.add_partition(topic, partition.cast_signed());
            row.set_offset(Offset::Offset(commit.offset.cast_signed()))
                .map_err(|_| Failure::of(Code::InvalidArgument))?;
            row.set_metadata(&commit.text);
        }
        Ok(Self(list))
    }
}
