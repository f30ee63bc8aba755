//! What can be told of an event by itself, found before the folds that go by order: hashes of what
//! it is found by again, and what it is to the sagas. Any thread can do it, while the bytes of the
//! event are near; who goes by order then looks into few events.

use std::sync::{Arc, Mutex, PoisonError};

use super::Names;
use super::saga::{Scout, Sight};
use super::window::{Hashes, Keyed};
use crate::event::Batch;

/// One event.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ready {
    pub(super) hashes: Hashes,
    pub(super) sight: Sight,
    /// Its headers say more than its id and its type: they have to be read once more.
    pub(super) more: bool,
}

/// The events of a batch, in its order.
#[derive(Debug, Default)]
pub struct Prepared {
    pub(super) events: Vec<Ready>,
    /// Where the memory comes from and goes back to.
    pool: Pool,
}

type Pool = Arc<Mutex<Vec<Vec<Ready>>>>;

/// Pieces of memory that are kept for the next batches.
const POOLED: usize = 32;

impl Drop for Prepared {
    fn drop(&mut self) {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        if pool.len() < POOLED {
            pool.push(std::mem::take(&mut self.events));
        }
    }
}

/// Makes batches ready. Copies of it can share a read.
#[derive(Debug, Clone)]
pub(super) struct Preparer {
    names: Names,
    hash: Keyed,
    pool: Pool,
}

impl Preparer {
    /// By the hash of those who go by order.
    pub(super) fn new(names: Names, hash: Keyed) -> Self {
        Self {
            names,
            hash,
            pool: Pool::default(),
        }
    }

    /// `scout` tells what events are to the sagas, where somebody asks.
    pub(super) fn batch(&self, batch: &Batch, mut scout: Option<&mut Scout>) -> Prepared {
        let mut pool = self.pool.lock().unwrap_or_else(PoisonError::into_inner);
        let mut events = pool.pop().unwrap_or_default();
        drop(pool);
        events.clear();
        events.reserve(batch.len());
        events.extend(batch.iter().map(|event| {
            let heads = self.names.heads(event.headers);
            let sight = scout.as_mut().map(|scout| scout.look(&event, &heads));
            Ready {
                hashes: Hashes::of(&event, &heads, &self.hash),
                sight: sight.unwrap_or_default(),
                more: heads.causation.is_some()
                    || heads.sequence.is_some()
                    || heads.version.is_some(),
            }
        }));
        Prepared {
            events,
            pool: Arc::clone(&self.pool),
        }
    }
}
