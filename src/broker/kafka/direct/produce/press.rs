//! Compresses batches on other threads, and gives them back in the order in which they came.

use std::collections::VecDeque;

use bytes::Bytes;
use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::task::JoinHandle;

use super::super::super::error::Failure;
use super::lanes::Whole;
use crate::event::codec::{CodecError, Encoder};

/// Batches that are compressed at a time: events are taken faster than that is done.
const AT_ONCE: usize = 4;

/// A batch as the broker stores it.
pub(super) struct Pressed {
    pub(super) partition: u32,
    pub(super) bytes: Bytes,
}

type Task = JoinHandle<Result<(Encoder, Vec<u8>), CodecError>>;

#[derive(Default)]
pub(super) struct Press {
    tasks: VecDeque<(u32, Task)>,
}

impl Press {
    pub(super) fn add(&mut self, whole: Whole) {
        let Whole {
            partition,
            mut encoder,
        } = whole;
        let task = tokio::task::spawn_blocking(move || {
            let mut bytes = Vec::with_capacity(encoder.bytes() / 2 + 128);
            encoder.finish(None, &mut bytes)?;
            Ok((encoder, bytes))
        });
        self.tasks.push_back((partition, task));
    }

    /// The next batch, when it is done, when there are too many, or with `all` any; and its encoder.
    pub(super) async fn next(&mut self, all: bool) -> Result<Option<(Pressed, Encoder)>, Failure> {
        let due = |(_, task): &(u32, Task)| all || task.is_finished();
        if self.tasks.len() <= AT_ONCE && !self.tasks.front().is_some_and(due) {
            return Ok(None);
        }
        let Some((partition, task)) = self.tasks.pop_front() else {
            return Ok(None);
        };
        let pressed = task
            .await
            .map_err(|e| Failure::new(Code::Fail, e.to_string()))?;
        let (encoder, bytes) =
            pressed.map_err(|e| Failure::new(Code::InvalidRecord, e.to_string()))?;
        let pressed = Pressed {
            partition,
            bytes: bytes.into(),
        };
        Ok(Some((pressed, encoder)))
    }

    /// Forgets what was added.
    pub(super) fn clear(&mut self) {
        self.tasks.clear();
    }
}
