//! The capture adapter: files as brokers. `mcap` has captures, `jsonl` JSON lines and standard
//! input; beside them is what both share.

mod damage;
mod document;
mod feed;
mod file;
mod groups;
mod jsonl;
mod marks;
mod mcap;
mod range;
mod saga;
mod topics;
mod zst;

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use super::{Adapter, Address, Broker, Capabilities, Error, ErrorKind, LookCost, Result, Settings};
use crate::event::PositionStyle;

pub use file::readable;
pub use jsonl::{Member, Reason, read_data, read_object_headers};
pub use saga::saga;

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
        Address::File { path } if is_capture(path) => Ok(Arc::new(mcap::McapFile::new(path))),
        Address::File { path } => Ok(Arc::new(jsonl::Jsonl::file(path))),
        Address::Stdin => Ok(Arc::new(jsonl::Jsonl::stdin())),
        _ => Err(Error::new(
            ErrorKind::Usage,
            format!("'{address}' is not a file"),
        )),
    }
}

/// By the name, or, when that says nothing, by how the file begins.
fn is_capture(path: &Path) -> bool {
    let name = path.to_string_lossy();
    if [".jsonl", ".jsonl.zst"]
        .iter()
        .any(|end| name.ends_with(end))
    {
        return false;
    }
    name.ends_with(".mcap") || has_magic(path).unwrap_or(false)
}

fn has_magic(path: &Path) -> io::Result<bool> {
    let file = File::open(path)?;
    let mut magic = [0; ::mcap::MAGIC.len()];
    // The first bytes of a pipe would be gone.
    if file.metadata()?.is_file() {
        file::read_exact_at(&file, &mut magic, 0)?;
    }
    Ok(magic == ::mcap::MAGIC)
}
