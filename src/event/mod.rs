//! Events as plain data: batches in byte arenas, positions, timestamps, the record-batch codec.
//! No I/O, no broker, no screen.

mod batch;
pub mod codec;
mod decode;
mod event_ref;
mod headers;
mod meta;
pub mod object;
mod position;
mod seen;
mod select;
mod time;

pub use batch::{ArenaFull, BATCH_BYTES, BATCH_EVENTS, Batch, BatchPool, Scanned};
pub use decode::{Content, Decoded, Decoding, Format, Refused, decode, text_or_binary};
pub use event_ref::EventRef;
pub use headers::{HeaderBuf, HeaderIter, Headers};
pub use meta::{BatchMeta, Compression, Marker, Visibility};
pub use position::{ANY_PARTITION, Position, PositionStyle, PositionText, Stream, Streams};
pub use seen::{Checked, SchemaFault, SchemaId, SchemaVerdict, Seen};
pub use select::{Select, SelectAll, SelectError, SelectWorker, Verdict};
pub use time::{Timestamp, TimestampType, civil_from_days};
