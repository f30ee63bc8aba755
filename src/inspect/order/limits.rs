//! How much the fold of the order may remember, and what it calls late.

use super::recent;

/// How much is remembered, and what counts as late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// An event is late when it is this much older than the newest of its partition.
    pub late_ms: i64,
    /// Bytes for event ids.
    pub ids: usize,
    /// Whether what is suspected of an id can be read again: then hashes are remembered, 20 bytes
    /// an id and beyond that 12 bits, and a [`Proof`] tells; else the latest ids, 120 bytes each.
    pub prove: bool,
    /// Keys remembered with the newest time of their events; at most 24 bytes each.
    pub keys: usize,
    /// Keys remembered with the versions of their events; about 140 bytes each.
    pub versions: usize,
    /// Anomalies kept with their coordinates; about 200 bytes each.
    pub anomalies: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            late_ms: 10_000,
            ids: 60_000_000,
            prove: false,
            keys: 500_000,
            versions: 100_000,
            anomalies: 10_000,
        }
    }
}

impl Limits {
    /// As much as so many bytes hold: two thirds of them for ids, the rest for keys and what is
    /// found.
    pub fn of(bytes: usize, prove: bool) -> Self {
        Self {
            ids: bytes / 3 * 2,
            prove,
            keys: bytes / 8 / recent::KEY_BYTES,
            versions: bytes / 8 / 140,
            anomalies: (bytes / 12 / 200).clamp(100, 10_000),
            ..Self::default()
        }
    }
}
