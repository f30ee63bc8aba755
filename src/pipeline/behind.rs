//! Reads short pieces of many partitions: what waits behind the commits of groups. Bounded in bytes
//! and in time; what was not reached is not claimed.

use std::time::Duration;

use crate::broker::{self, Broker, PartitionRange, Range, Subscription, TopicSelector};
use crate::event::Batch;

/// Bytes that a read may hold.
const MEMORY: usize = 4 << 20;

/// Ranges of one topic that are read together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pass {
    pub ranges: Vec<PartitionRange>,
    /// It ends after so many bytes of payload.
    pub bytes: u64,
}

/// Who is shown what was read.
pub trait Watcher {
    /// The range is read from its start: what comes first is the first that is there.
    fn begins(&mut self, range: &PartitionRange);

    fn batch(&mut self, batch: &Batch);

    /// The range was read to its end: what was not given is not there.
    fn ended(&mut self, range: &PartitionRange);
}

/// What became of the passes.
#[derive(Debug, Default)]
pub struct Looked {
    /// There was no time for all of them.
    pub late: bool,
    /// The first that failed; the others were read.
    pub failed: Option<broker::Error>,
}

/// Reads one pass after the other, for at most so long.
pub async fn look_behind(
    broker: &dyn Broker,
    passes: &[Pass],
    patience: Duration,
    into: &mut (dyn Watcher + Send),
) -> Looked {
    let mut looked = Looked::default();
    let all = async {
        for pass in passes {
            if let Err(error) = read(broker, pass, into).await {
                looked.failed.get_or_insert(error);
            }
        }
    };
    let late = tokio::time::timeout(patience, all).await.is_err();
    Looked { late, ..looked }
}

async fn read(
    broker: &dyn Broker,
    pass: &Pass,
    into: &mut (dyn Watcher + Send),
) -> broker::Result<()> {
    let Some(first) = pass.ranges.first() else {
        return Ok(());
    };
    let sub = Subscription {
        range: Range::Frozen(pass.ranges.clone()),
        ..Subscription::all_of(TopicSelector::one(&first.topic), MEMORY)
    };
    let mut source = broker.source(&sub).await?;
    for range in &pass.ranges {
        into.begins(range);
    }
    let mut bytes = 0;
    while let Some(batch) = source.next_batch().await? {
        bytes += batch.scanned.bytes;
        into.batch(&batch);
        if bytes > pass.bytes {
            return Ok(());
        }
    }
    for range in &pass.ranges {
        into.ended(range);
    }
    Ok(())
}
