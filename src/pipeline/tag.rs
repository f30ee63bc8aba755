//! Marks the partitions of a source with its number, so that a merge does not hide which of
//! several sources an event came from.

use std::sync::Arc;

use crate::broker::{BoxFuture, Result, Source};
use crate::event::Batch;

/// The same source, its batches marked.
pub fn tag(source: Box<dyn Source>, origin: u16) -> Box<dyn Source> {
    Box::new(Tagged {
        source,
        origin,
        origins: Arc::default(),
    })
}

struct Tagged {
    source: Box<dyn Source>,
    origin: u16,
    origins: Arc<[u16]>,
}

impl Source for Tagged {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Batch>>> {
        Box::pin(async {
            let Some(mut batch) = self.source.next_batch().await? else {
                return Ok(None);
            };
            let partitions = batch.streams().len();
            if self.origins.len() != partitions {
                self.origins = vec![self.origin; partitions].into();
            }
            batch.set_origins(self.origins.clone());
            Ok(Some(batch))
        })
    }

    fn progress(&self) -> Option<(u64, u64)> {
        self.source.progress()
    }

    fn undisturbed(&self) -> bool {
        self.source.undisturbed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::fake::{Script, stream_table};
    use crate::pipeline::merge;

    #[tokio::test]
    async fn two_partitions_of_one_name_are_told_apart_after_a_merge() {
        for ordered in [true, false] {
            let sources = (3..5)
                .map(|n| {
                    let script = Script::new(stream_table(&["a", "b"]));
                    tag(Box::new(script.events(1, &[n])), n as u16)
                })
                .collect();
            let mut merged = merge(sources, ordered);
            let mut seen = Vec::new();
            while let Some(batch) = merged.next_batch().await.unwrap() {
                seen.extend(
                    batch
                        .iter()
                        .map(|e| (e.position.major, u64::from(batch.origin(e.stream_index)))),
                );
            }
            seen.sort_unstable();
            assert_eq!(seen, [(3, 3), (4, 4)]);
        }
    }
}
