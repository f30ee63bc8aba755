//! The answers that are read whole: versions, metadata, offsets, and whether it went well. Read by
//! our own code, because kafka-protocol's reserves memory for as many elements as an answer claims
//! to have.

use kafka_protocol::messages::ApiKey;
use rdkafka::types::RDKafkaErrorCode as Code;

use super::super::error::Failure;
use super::settings::Host;
use super::wire::{Reader, checked, garbled};

/// Which requests a broker knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Versions {
    /// Key, oldest, newest.
    apis: Vec<(i16, i16, i16)>,
}

impl Versions {
    /// The error number of a request that is too new.
    pub(super) const UNSUPPORTED: [u8; 2] = 35i16.to_be_bytes();

    pub(super) fn read(answer: &[u8], version: i16) -> Result<Self, Failure> {
        let mut reader = Reader::new(answer, version >= 3);
        checked(reader.i16()?)?;
        let mut apis = Vec::new();
        for _ in 0..reader.count()? {
            apis.push((reader.i16()?, reader.i16()?, reader.i16()?));
            reader.tags()?;
        }
        Ok(Self { apis })
    }

    pub(super) fn pick(&self, api: ApiKey, ours: (i16, i16)) -> Result<i16, Failure> {
        let theirs = self.apis.iter().find(|(key, ..)| *key == api as i16);
        let newest = theirs.map(|(_, oldest, newest)| (ours.1.min(*newest), ours.0.max(*oldest)));
        match newest {
            Some((newest, oldest)) if newest >= oldest => Ok(newest),
            _ => Err(Failure::new(
                Code::UnsupportedVersion,
                format!("the broker does not know the request {api:?} as we send it"),
            )),
        }
    }
}

/// The cluster as one broker sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Metadata {
    pub(super) brokers: Vec<(i32, Host)>,
    pub(super) cluster: Option<String>,
    pub(super) topics: Vec<TopicMetadata>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct TopicMetadata {
    /// 0 is none.
    pub(super) error: i16,
    pub(super) name: String,
    /// Zeros where the broker has no ids.
    pub(super) id: [u8; 16],
    pub(super) internal: bool,
    pub(super) partitions: Vec<PartitionMetadata>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PartitionMetadata {
    pub(super) error: i16,
    pub(super) partition: u32,
    /// Below 0 there is none.
    pub(super) leader: i32,
    /// -1 where it is not told.
    pub(super) epoch: i32,
}

impl Metadata {
    /// Versions that are spoken.
    pub(super) const VERSIONS: (i16, i16) = (1, 12);

    pub(super) fn read(answer: &[u8], version: i16) -> Result<Self, Failure> {
        let mut reader = Reader::new(answer, version >= 9);
        let r = &mut reader;
        if version >= 3 {
            r.i32()?;
        }
        let mut metadata = Self::default();
        for _ in 0..r.count()? {
            let id = r.i32()?;
            let name = r.text()?.to_owned();
            let port = u16::try_from(r.i32()?).map_err(|_| garbled("a port above 65535"))?;
            r.string()?;
            r.tags()?;
            metadata.brokers.push((id, Host { name, port }));
        }
        if version >= 2 {
            metadata.cluster = r.string()?.map(str::to_owned);
        }
        r.i32()?;
        for _ in 0..r.count()? {
            metadata.topics.push(TopicMetadata::read(r, version)?);
        }
        Ok(metadata)
    }
}

impl TopicMetadata {
    fn read(r: &mut Reader<'_>, version: i16) -> Result<Self, Failure> {
        let error = r.i16()?;
        let name = r.string()?.unwrap_or_default().to_owned();
        let id = if version >= 10 { r.uuid()? } else { [0; 16] };
        let internal = r.bool()?;
        let mut partitions = Vec::new();
        for _ in 0..r.count()? {
            partitions.push(PartitionMetadata::read(r, version)?);
        }
        if version >= 8 {
            r.i32()?;
        }
        r.tags()?;
        partitions.sort_unstable_by_key(|p| p.partition);
        Ok(Self {
            error,
            name,
            id,
            internal,
            partitions,
        })
    }
}

impl PartitionMetadata {
    fn read(r: &mut Reader<'_>, version: i16) -> Result<Self, Failure> {
        let error = r.i16()?;
        let partition = u32::try_from(r.i32()?).map_err(|_| garbled("a partition below 0"))?;
        let leader = r.i32()?;
        let epoch = if version >= 7 { r.i32()? } else { -1 };
        // Replicas, those in sync, those that are down.
        for _ in 0..if version >= 5 { 3 } else { 2 } {
            for _ in 0..r.count()? {
                r.i32()?;
            }
        }
        r.tags()?;
        Ok(Self {
            error,
            partition,
            leader,
            epoch,
        })
    }
}

/// An answer that says only whether it went well.
pub(super) fn alone(answer: &[u8], flexible: bool) -> Result<(), Failure> {
    let mut reader = Reader::new(answer, flexible);
    reader.i32()?;
    checked(reader.i16()?)
}

/// One partition of an answer to `ListOffsets`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OffsetAnswer {
    pub(super) topic: String,
    pub(super) partition: u32,
    pub(super) error: i16,
    /// -1 where no offset fits.
    pub(super) offset: i64,
}

/// Versions of `ListOffsets` that are spoken.
pub(super) const LIST_OFFSETS: (i16, i16) = (1, 7);

pub(super) fn offsets(answer: &[u8], version: i16) -> Result<Vec<OffsetAnswer>, Failure> {
    let mut reader = Reader::new(answer, version >= 6);
    let r = &mut reader;
    if version >= 2 {
        r.i32()?;
    }
    let mut found = Vec::new();
    for _ in 0..r.count()? {
        let topic = r.text()?;
        for _ in 0..r.count()? {
            let partition = u32::try_from(r.i32()?).map_err(|_| garbled("a partition below 0"))?;
            let error = r.i16()?;
            r.i64()?;
            let offset = r.i64()?;
            if version >= 4 {
                r.i32()?;
            }
            r.tags()?;
            found.push(OffsetAnswer {
                topic: topic.to_owned(),
                partition,
                error,
                offset,
            });
        }
        r.tags()?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::api_versions_response::ApiVersion;
    use kafka_protocol::messages::list_offsets_response::{
        ListOffsetsPartitionResponse, ListOffsetsTopicResponse,
    };
    use kafka_protocol::messages::metadata_response::{
        MetadataResponseBroker, MetadataResponsePartition, MetadataResponseTopic,
    };
    use kafka_protocol::messages::{
        ApiVersionsResponse, BrokerId, ListOffsetsResponse, MetadataResponse, TopicName,
    };
    use uuid::Uuid;

    use super::super::fixture::{encoded, survives};
    use super::super::wire::text;

    #[test]
    fn versions_are_read_in_every_form() {
        for version in [0, 3] {
            let apis = [(1, 4, 17), (3, 0, 12)].map(|(key, oldest, newest)| {
                ApiVersion::default()
                    .with_api_key(key)
                    .with_min_version(oldest)
                    .with_max_version(newest)
            });
            let answer = ApiVersionsResponse::default().with_api_keys(apis.to_vec());
            let bytes = encoded(&answer, version);
            let versions = Versions::read(&bytes, version).unwrap();
            assert_eq!(versions.pick(ApiKey::Fetch, (4, 16)).unwrap(), 16);
            assert_eq!(versions.pick(ApiKey::Metadata, (1, 20)).unwrap(), 12);
            assert!(versions.pick(ApiKey::Fetch, (18, 20)).is_err());
            assert!(versions.pick(ApiKey::ListOffsets, (1, 7)).is_err());
            survives(&bytes, |bytes| Versions::read(bytes, version));
        }
    }

    #[test]
    fn metadata_is_read_in_every_version() {
        let (oldest, newest) = Metadata::VERSIONS;
        for version in oldest..=newest {
            let broker = MetadataResponseBroker::default()
                .with_node_id(BrokerId(7))
                .with_host(text("h"))
                .with_port(9092);
            let partition = |index| {
                let epoch = if version >= 7 { 5 } else { -1 };
                MetadataResponsePartition::default()
                    .with_partition_index(index)
                    .with_leader_id(BrokerId(7))
                    .with_leader_epoch(epoch)
                    .with_replica_nodes(vec![BrokerId(7), BrokerId(8)])
                    .with_isr_nodes(vec![BrokerId(7)])
            };
            let id = if version >= 10 { 9 } else { 0 };
            let topic = MetadataResponseTopic::default()
                .with_name(Some(TopicName(text("orders"))))
                .with_topic_id(Uuid::from_u128(id))
                .with_partitions(vec![partition(1), partition(0)]);
            let answer = MetadataResponse::default()
                .with_brokers(vec![broker])
                .with_topics(vec![topic]);
            let bytes = encoded(&answer, version);
            let metadata = Metadata::read(&bytes, version).unwrap();
            assert_eq!(metadata.brokers[0].1.to_string(), "h:9092", "v{version}");
            let topic = &metadata.topics[0];
            assert_eq!(topic.name, "orders");
            assert_eq!(topic.id[15], id as u8);
            let partitions: Vec<_> = topic.partitions.iter().map(|p| p.partition).collect();
            assert_eq!(partitions, [0, 1]);
            assert_eq!(topic.partitions[0].leader, 7);
            survives(&bytes, |bytes| Metadata::read(bytes, version));
        }
    }

    #[test]
    fn offsets_are_read_in_every_version() {
        for version in LIST_OFFSETS.0..=LIST_OFFSETS.1 {
            let partition = ListOffsetsPartitionResponse::default()
                .with_partition_index(3)
                .with_error_code(6)
                .with_offset(42);
            let topic = ListOffsetsTopicResponse::default()
                .with_name(TopicName(text("orders")))
                .with_partitions(vec![partition]);
            let answer = ListOffsetsResponse::default().with_topics(vec![topic]);
            let bytes = encoded(&answer, version);
            let expected = OffsetAnswer {
                topic: "orders".to_owned(),
                partition: 3,
                error: 6,
                offset: 42,
            };
            assert_eq!(offsets(&bytes, version).unwrap(), [expected], "v{version}");
            survives(&bytes, |bytes| offsets(bytes, version));
        }
    }
}
