//! The answers that are read whole: versions, metadata, offsets. Read by our own code, because
//! kafka-protocol's reserves memory for as many elements as an answer claims to have.

use kafka_protocol::messages::ApiKey;
use rdkafka::types::RDKafkaErrorCode as Code;

use super::super::error::Failure;
use super::settings::Host;
use super::wire::{Reader, garbled};

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
        let error = reader.i16()?;
        if error != 0 {
            return Err(Failure::from_number(error.into()));
        }
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

/// One partition of an answer to ListOffsets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct OffsetAnswer {
    pub(super) topic: String,
    pub(super) partition: u32,
    pub(super) error: i16,
    /// -1 where no offset fits.
    pub(super) offset: i64,
}

/// Versions of ListOffsets that are spoken.
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
