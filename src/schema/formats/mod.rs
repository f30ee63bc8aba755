//! Framings and formats that need no schema: one file each, bytes in, JSON text out. Which framing
//! holds, and which schema it names, is decided elsewhere.

pub mod cbor;
pub mod cloud_events;
pub mod debezium;
pub mod frame;
pub mod inflate;
pub(in crate::schema) mod members;
pub mod msgpack;
mod read;
pub mod scalar;
mod write;

#[cfg(test)]
mod tests;

/// The most that one event may become as JSON text, in bytes: 32 MiB.
pub const LARGEST: usize = 32 * 1024 * 1024;
