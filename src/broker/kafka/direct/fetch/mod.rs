//! Fetching events: `steward` (and `mend`) finds the leaders, one `leader` task a broker takes record batches off
//! its connection into chunks, `workers` sift them, and `source` hands the events on in order.

mod aborted;
mod answer;
mod chunk;
mod gate;
mod lane;
mod leader;
mod mend;
mod request;
mod shared;
mod sift;
mod source;
mod steward;
mod workers;

pub(super) use source::start;
