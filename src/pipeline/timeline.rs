//! One subscription a partition, so that a merge by time can put all partitions on one line.

use crate::broker::{PartitionRange, Range, Subscription};

/// Splits a frozen read into one for each partition that is not empty. Merged by time, they come
/// as they happened, each partition's own order kept. The memory is shared among them.
pub fn split_by_partition(sub: &Subscription, ranges: &[PartitionRange]) -> Vec<Subscription> {
    let filled: Vec<&PartitionRange> = ranges.iter().filter(|r| r.start < r.end).collect();
    let memory = sub.memory / filled.len().max(1);
    filled
        .into_iter()
        .map(|range| Subscription {
            range: Range::Frozen(vec![range.clone()]),
            partitions: vec![range.partition],
            topics: crate::broker::TopicSelector::one(&range.topic),
            follow: false,
            memory,
            ..sub.clone()
        })
        .collect()
}
