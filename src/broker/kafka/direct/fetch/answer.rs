//! The answer to a Fetch request, read as it comes in: what stands before and behind the records
//! of each partition. The records themselves stay on the connection until `leader` takes them.

use super::super::super::error::Failure;
use super::super::connection::Connection;
use super::super::wire::{Reader, checked, garbled};

/// The part of an answer that was not read yet.
pub(super) struct Body {
    left: usize,
    version: i16,
}

/// A topic of the answer, by its name or its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum TopicKey {
    Name(String),
    Id([u8; 16]),
}

/// What an answer says of one partition before its records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct PartitionHead {
    pub(super) partition: i32,
    pub(super) error: i16,
    /// Aborted transactions that reach into the records: producer, first offset.
    pub(super) aborted: Vec<(i64, u64)>,
    /// The follower that it would rather have asked; -1 is none.
    pub(super) nearer: i32,
    /// Bytes of record batches that follow.
    pub(super) records: usize,
}

impl Body {
    pub(super) const fn new(left: usize, version: i16) -> Self {
        Self { left, version }
    }

    const fn is_flexible(&self) -> bool {
        self.version >= 12
    }

    async fn field<const N: usize>(&mut self, from: &mut Connection) -> Result<[u8; N], Failure> {
        if self.left < N {
            return Err(garbled("it ends too early"));
        }
        let bytes = from.peek(N).await?;
        let mut field = [0; N];
        field.copy_from_slice(&bytes[..N]);
        from.pass(N);
        self.left -= N;
        Ok(field)
    }

    async fn i16(&mut self, from: &mut Connection) -> Result<i16, Failure> {
        self.field(from).await.map(i16::from_be_bytes)
    }

    async fn i32(&mut self, from: &mut Connection) -> Result<i32, Failure> {
        self.field(from).await.map(i32::from_be_bytes)
    }

    async fn i64(&mut self, from: &mut Connection) -> Result<i64, Failure> {
        self.field(from).await.map(i64::from_be_bytes)
    }

    async fn varint(&mut self, from: &mut Connection) -> Result<u32, Failure> {
        let mut bytes = [0; 5];
        for at in 0..bytes.len() {
            let [byte] = self.field(from).await?;
            bytes[at] = byte;
            if byte & 0x80 == 0 {
                return Reader::new(&bytes[..=at], true).varint();
            }
        }
        Err(garbled("a number of more than 32 bits"))
    }

    /// A length; null is 0, as it makes no difference here.
    async fn length(&mut self, from: &mut Connection) -> Result<usize, Failure> {
        let length = if self.is_flexible() {
            i64::from(self.varint(from).await?) - 1
        } else {
            i64::from(self.i32(from).await?)
        };
        let length = usize::try_from(length.max(0)).unwrap_or(usize::MAX);
        if length > self.left {
            return Err(garbled("a length beyond its end"));
        }
        Ok(length)
    }

    /// Bytes that were taken from the connection by somebody else.
    pub(super) fn taken(&mut self, count: usize) {
        self.left = self.left.saturating_sub(count);
    }

    /// What comes before the topics; gives how many there are. An error of the whole answer is
    /// one of the session, of which there is none.
    pub(super) async fn begin(&mut self, from: &mut Connection) -> Result<usize, Failure> {
        self.i32(from).await?;
        if self.version >= 7 {
            checked(self.i16(from).await?)?;
            self.i32(from).await?;
        }
        self.length(from).await
    }

    /// The next topic, and how many of its partitions follow.
    pub(super) async fn topic(
        &mut self,
        from: &mut Connection,
    ) -> Result<(TopicKey, usize), Failure> {
        let key = if self.version >= 13 {
            TopicKey::Id(self.field(from).await?)
        } else {
            let length = if self.is_flexible() {
                self.length(from).await?
            } else {
                usize::try_from(self.i16(from).await?).unwrap_or(usize::MAX)
            };
            if length > self.left.min(i16::MAX as usize) {
                return Err(garbled("a topic's name beyond its end"));
            }
            let mut name = Vec::new();
            from.take(&mut name, length).await?;
            self.left -= length;
            TopicKey::Name(
                String::from_utf8(name).map_err(|_| garbled("a text that is not UTF-8"))?,
            )
        };
        Ok((key, self.length(from).await?))
    }

    /// The next partition, up to its records.
    pub(super) async fn partition(
        &mut self,
        from: &mut Connection,
    ) -> Result<PartitionHead, Failure> {
        let partition = self.i32(from).await?;
        let error = self.i16(from).await?;
        // High watermark, last stable offset, start of the log.
        self.i64(from).await?;
        self.i64(from).await?;
        if self.version >= 5 {
            self.i64(from).await?;
        }
        let count = self.length(from).await?;
        let mut aborted = Vec::new();
        for _ in 0..count {
            let producer = self.i64(from).await?;
            let first = u64::try_from(self.i64(from).await?).unwrap_or(0);
            self.tags(from).await?;
            aborted.push((producer, first));
        }
        let nearer = if self.version >= 11 {
            self.i32(from).await?
        } else {
            -1
        };
        let records = self.length(from).await?;
        Ok(PartitionHead {
            partition,
            error,
            aborted,
            nearer,
            records,
        })
    }

    /// What follows the records of a partition: the offset at which the log was cut back and
    /// diverges from what was read, if it was.
    pub(super) async fn partition_end(
        &mut self,
        from: &mut Connection,
    ) -> Result<Option<i64>, Failure> {
        const DIVERGING_EPOCH: u32 = 0;
        let mut diverged = None;
        self.each_tag(from, |tag, mut field| {
            if tag == DIVERGING_EPOCH {
                let epoch = field.i32()?;
                let end = field.i64()?;
                diverged = (epoch >= 0).then_some(end);
            }
            Ok(())
        })
        .await?;
        Ok(diverged)
    }

    pub(super) async fn tags(&mut self, from: &mut Connection) -> Result<(), Failure> {
        self.each_tag(from, |_, _| Ok(())).await
    }

    async fn each_tag(
        &mut self,
        from: &mut Connection,
        mut look: impl FnMut(u32, Reader<'_>) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        const LARGEST: usize = 4096;
        if !self.is_flexible() {
            return Ok(());
        }
        for _ in 0..self.varint(from).await? {
            let tag = self.varint(from).await?;
            let length = self.varint(from).await? as usize;
            if length > self.left {
                return Err(garbled("a length beyond its end"));
            }
            if length > LARGEST {
                from.drop_bytes(length).await?;
            } else {
                let mut field = Vec::new();
                from.take(&mut field, length).await?;
                look(tag, Reader::new(&field, true))?;
            }
            self.left -= length;
        }
        Ok(())
    }

    /// Passes what is left: fields of the answer as a whole.
    pub(super) async fn end(&mut self, from: &mut Connection) -> Result<(), Failure> {
        from.drop_bytes(std::mem::take(&mut self.left)).await
    }
}
