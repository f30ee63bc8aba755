//! The capture adapter: files as brokers. `mcap` has captures, `jsonl` JSON lines and standard
//! input; beside them is what both share.

mod damage;
mod feed;
mod file;
mod mcap;
mod range;
mod zst;

use std::sync::Arc;

use super::{Adapter, Address, Broker, Capabilities, Error, ErrorKind, LookCost, Result, Settings};
use crate::event::PositionStyle;

pub const ADAPTER: Adapter = Adapter {
    name: "capture",
    schemes: &[],
    about: "capture files (.mcap) and JSON lines (.jsonl, .jsonl.zst, standard input)",
    capabilities: CAPABILITIES,
    open,
};

/// Those of a capture; JSON lines keep the order of the file instead, and can be followed.
const CAPABILITIES: Capabilities = Capabilities {
    adapter: "capture",
    look: LookCost::Free,
    history: true,
    positions: Some(PositionStyle::Offset),
    seek_by_time: true,
    partitions: true,
    groups: false,
    keys: true,
    headers: true,
    null_values: true,
    keeps_timestamp: true,
    transactions: false,
    batch_metadata: true,
    time_ordered: true,
    follow: false,
    write: true,
    create_topics: true,
};

fn open(address: &Address, _settings: &Settings) -> Result<Arc<dyn Broker>> {
    match address {
        Address::File { path } => Ok(Arc::new(mcap::McapFile::new(path))),
        _ => Err(Error::new(
            ErrorKind::Usage,
            format!("'{address}' is not a file"),
        )),
    }
}
