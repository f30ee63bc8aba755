//! The redis adapter.

use std::sync::Arc;

use super::{Adapter, Address, Broker, Capabilities, Error, LookCost, Result, Settings};
use crate::event::PositionStyle;

pub const ADAPTER: Adapter = Adapter {
    name: "redis",
    schemes: &["redis", "rediss"],
    about: "Redis Streams",
    capabilities: CAPABILITIES,
    open,
};

const CAPABILITIES: Capabilities = Capabilities {
    adapter: "redis",
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
    transactions: false,
    batch_metadata: false,
    time_ordered: false,
    follow: true,
    write: true,
    create_topics: true,
};

fn open(_address: &Address, _settings: &Settings) -> Result<Arc<dyn Broker>> {
    Err(Error::unsupported("redis", "is not built yet"))
}
