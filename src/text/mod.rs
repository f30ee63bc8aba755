//! The one way to a screen and into JSON: hostile characters made visible or escaped, JSON texts
//! checked, widths, human units. Knows nothing of events, brokers or formats.

mod hex;
pub mod human;
mod json;
mod json_check;
mod safe;
mod scan;
pub mod width;

pub use hex::{hex, hex_byte, push_hex};
pub use json::{push_string, push_value};
pub(crate) use json_check::Visit;
pub use json_check::{JsonFault, JsonText, MAX_DEPTH};
pub use safe::{Visible, is_hostile, push_visible, write_visible};
