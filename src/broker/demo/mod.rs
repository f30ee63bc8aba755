//! The embedded broker: the order pipeline with its planted faults, without a network. This file
//! is its entry in the registry; `broker` answers the questions.

mod append;
mod broker;
mod cursor;
mod history;
mod live;
mod log;
mod merge;
mod orders;
mod resolve;
mod schemas;
mod sink;
mod source;
mod steps;
mod wire;

#[cfg(test)]
mod tests;

use std::sync::Arc;

use super::guard::Guarded;
use super::{Adapter, Address, Broker, Capabilities, LookCost, Result, Settings};
use crate::event::PositionStyle;

pub use history::history;
pub use schemas::{DemoSchema, SAGA, SCHEMAS};

pub const ADAPTER: Adapter = Adapter {
    name: "demo",
    schemes: &["demo"],
    about: "the embedded broker with the order pipeline",
    capabilities: CAPABILITIES,
    open,
};

const CAPABILITIES: Capabilities = Capabilities {
    adapter: "demo",
    look: LookCost::Free,
    history: true,
    positions: Some(PositionStyle::Offset),
    seek_by_time: true,
    partitions: true,
    groups: true,
    keys: true,
    headers: true,
    null_values: true,
    keeps_timestamp: true,
    transactions: true,
    batch_metadata: true,
    time_ordered: true,
    follow: true,
    write: true,
    create_topics: true,
};

fn open(_address: &Address, settings: &Settings) -> Result<Arc<dyn Broker>> {
    let demo = broker::Demo::new(settings)?;
    Ok(Arc::new(Guarded::new(demo, settings.clone())))
}
