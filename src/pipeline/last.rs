//! The newest N events: read backwards in growing windows, so that a large topic is not scanned
//! for its tail. "Newest" is taken per partition by position, then over all by timestamp.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use crate::broker::PartitionRange;
use crate::event::{ArenaFull, Batch, Position, PositionStyle};

/// Keeps the last N events of each partition while a window is read.
pub struct LastEvents {
    n: usize,
    kept: Batch,
}

impl LastEvents {
    pub fn new(n: usize) -> Self {
        Self {
            n,
            kept: Batch::default(),
        }
    }

    /// Takes a batch in; now and then what can no longer be among the last is dropped.
    pub fn take(&mut self, batch: &Batch) -> Result<(), ArenaFull> {
        if self.kept.streams().len() < batch.streams().len() {
            self.kept.set_streams(batch.streams().clone());
            self.kept.set_origins(batch.origins().clone());
        }
        for event in batch.iter() {
            self.kept.push(&event)?;
        }
        let most = self.n.saturating_mul(self.kept.streams().len().max(1));
        if self.kept.len() > most.saturating_mul(2).saturating_add(4096) {
            self.compact()?;
        }
        Ok(())
    }

    /// Takes in the finished events of another source, whose table stands beside this one.
    pub fn take_other(&mut self, other: &Batch) -> Result<(), ArenaFull> {
        let base = self.kept.streams().len() as u32;
        let both = self.kept.streams().iter().chain(other.streams().iter());
        let origins = (0..base)
            .map(|index| self.kept.origin(index))
            .chain((0..other.streams().len() as u32).map(|index| other.origin(index)))
            .collect();
        self.kept.set_streams(both.cloned().collect());
        self.kept.set_origins(origins);
        for mut event in other.iter() {
            event.stream_index += base;
            self.kept.push(&event)?;
        }
        Ok(())
    }

    fn compact(&mut self) -> Result<(), ArenaFull> {
        let mut fresh = Batch::new(self.kept.streams().clone());
        fresh.set_origins(self.kept.origins().clone());
        for index in self.last_of_each() {
            fresh.push(&self.kept.get(index))?;
        }
        self.kept = fresh;
        Ok(())
    }

    /// Indices of the last N of each stream, in the order in which they came.
    fn last_of_each(&self) -> Vec<usize> {
        let mut left = vec![self.n; self.kept.streams().len()];
        let mut indices: Vec<usize> = (0..self.kept.len())
            .rev()
            .filter(|&index| {
                let room = &mut left[self.kept.get(index).stream_index as usize];
                let keep = *room > 0;
                *room -= usize::from(keep);
                keep
            })
            .collect();
        indices.reverse();
        indices
    }

    /// How many events of this partition are held, at most N.
    pub fn held(&self, topic: &str, partition: u32) -> usize {
        self.kept
            .iter()
            .filter(|e| e.stream.partition == partition && &*e.stream.topic == topic)
            .count()
            .min(self.n)
    }

    /// The newest N of all, merged by (timestamp, topic, partition, position) with the order of
    /// each partition kept.
    pub fn finish(self) -> Result<Batch, ArenaFull> {
        let mut queues: Vec<std::collections::VecDeque<usize>> =
            vec![std::collections::VecDeque::new(); self.kept.streams().len()];
        for index in self.last_of_each() {
            queues[self.kept.get(index).stream_index as usize].push_back(index);
        }
        let key = |index: usize| {
            let e = self.kept.get(index);
            (
                e.timestamp,
                e.stream.topic.clone(),
                e.stream.partition,
                e.position,
                e.stream_index as usize,
            )
        };
        let mut heads: BinaryHeap<_> = queues
            .iter_mut()
            .filter_map(std::collections::VecDeque::pop_front)
            .map(|index| Reverse((key(index), index)))
            .collect();
        let mut merged = Vec::with_capacity(self.kept.len());
        while let Some(Reverse(((.., stream), index))) = heads.pop() {
            merged.push(index);
            if let Some(next) = queues[stream].pop_front() {
                heads.push(Reverse((key(next), next)));
            }
        }
        let mut out = Batch::new(self.kept.streams().clone());
        out.set_origins(self.kept.origins().clone());
        for &index in &merged[merged.len().saturating_sub(self.n)..] {
            out.push(&self.kept.get(index))?;
        }
        Ok(out)
    }
}

/// How far back the next try reads, in positions of each partition.
#[derive(Debug, Clone, Copy)]
pub struct Window {
    pub positions: u64,
}

impl Window {
    /// Some slack for transaction markers and compacted offsets; more when a filter drops most.
    pub fn first(n: usize, filtered: bool) -> Self {
        let n = n as u64;
        Self {
            positions: if filtered {
                n.saturating_mul(16).max(10_000)
            } else {
                n.saturating_add(n / 8).saturating_add(3)
            },
        }
    }

    #[must_use]
    pub fn wider(self) -> Self {
        Self {
            positions: self.positions.saturating_mul(16),
        }
    }

    /// The part of each range that this window covers. `tails` are the ranges of the broker's own
    /// "last N positions", needed only where positions cannot be counted back.
    pub fn cut(self, ranges: &[PartitionRange], tails: &[PartitionRange]) -> Vec<PartitionRange> {
        ranges
            .iter()
            .map(|range| {
                let back = match range.style {
                    PositionStyle::Offset => {
                        Position::offset(range.end.major.saturating_sub(self.positions))
                    }
                    PositionStyle::Entry => tails
                        .iter()
                        .find(|t| t.topic == range.topic && t.partition == range.partition)
                        .map_or(range.start, |t| t.start),
                };
                PartitionRange {
                    start: back.clamp(range.start, range.end),
                    ..range.clone()
                }
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broker::Source;
    use crate::pipeline::fake::{Script, stream_table};

    async fn last(n: usize, mut script: Script) -> Vec<(String, u64)> {
        let mut last = LastEvents::new(n);
        while let Some(batch) = script.next_batch().await.unwrap() {
            last.take(&batch).unwrap();
        }
        let out = last.finish().unwrap();
        out.iter()
            .map(|e| (e.stream.topic.to_string(), e.position.major))
            .collect()
    }

    #[tokio::test]
    async fn the_newest_of_all_partitions_come_in_order_of_time() {
        let script = Script::new(stream_table(&["a", "b"]))
            .timed(0, &[(0, 1), (1, 5), (2, 9)])
            .timed(1, &[(0, 2), (1, 6), (2, 7)]);
        let got = last(3, script).await;
        assert_eq!(got, [("b".into(), 1), ("b".into(), 2), ("a".into(), 2)]);
    }

    #[tokio::test]
    async fn a_late_event_does_not_leave_its_place_in_the_partition() {
        let script = Script::new(stream_table(&["a"])).timed(0, &[(0, 50), (1, 5), (2, 60)]);
        assert_eq!(last(2, script).await, [("a".into(), 1), ("a".into(), 2)]);
    }

    #[tokio::test]
    async fn memory_is_bounded_while_a_long_range_goes_by() {
        let mut last = LastEvents::new(3);
        for round in 0..100u64 {
            let offsets: Vec<u64> = (round * 1000..(round + 1) * 1000).collect();
            let mut script = Script::new(stream_table(&["a"])).events(0, &offsets);
            last.take(&script.next_batch().await.unwrap().unwrap())
                .unwrap();
            assert!(last.kept.len() < 6000);
        }
        let out = last.finish().unwrap();
        let offsets: Vec<u64> = out.iter().map(|e| e.position.major).collect();
        assert_eq!(offsets, [99_997, 99_998, 99_999]);
    }
}
