//! What can be told of an event by itself, found before the folds that go by order: hashes of what
//! it is found by again, and what it is to the sagas. Any thread can do it, while the bytes of the
//! event are near; who goes by order then looks into few events.

use super::saga::{Scout, Sight};
use super::window::{Hashes, Keyed};
use super::Names;
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
}

/// Makes batches ready. Copies of it can share a read.
#[derive(Debug, Clone)]
pub(super) struct Preparer {
    names: Names,
    hash: Keyed,
}

impl Preparer {
    /// By the hash of those who go by order.
    pub(super) const fn new(names: Names, hash: Keyed) -> Self {
        Self { names, hash }
    }

    /// `scout` tells what events are to the sagas, where somebody asks.
    pub(super) fn batch(
        &self,
        batch: &Batch,
        mut scout: Option<&mut Scout>,
        prepared: &mut Prepared,
    ) {
        prepared.events.clear();
        prepared.events.reserve_exact(batch.len());
        for event in batch.iter() {
            let heads = self.names.heads(event.headers);
            let sight = scout.as_mut().map(|scout| scout.look(&event, &heads));
            prepared.events.push(Ready {
                hashes: Hashes::of(&event, &heads, &self.hash),
                sight: sight.unwrap_or_default(),
                more: heads.causation.is_some()
                    || heads.sequence.is_some()
                    || heads.version.is_some(),
            });
        }
    }
}
