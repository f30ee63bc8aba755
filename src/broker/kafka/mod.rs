//! The kafka adapter.

use std::sync::Arc;

use super::{Adapter, Address, Broker, Capabilities, Error, LookCost, Result, Settings};
use crate::event::PositionStyle;

pub const ADAPTER: Adapter = Adapter {
    name: "kafka",
    schemes: &["kafka"],
    about: "Apache Kafka and what speaks its protocol",
    capabilities: CAPABILITIES,
    open,
};

const CAPABILITIES: Capabilities = Capabilities {
    adapter: "kafka",
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
    Err(Error::unsupported("kafka", "is not built yet"))
}
