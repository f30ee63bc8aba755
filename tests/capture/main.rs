//! Captures and JSON lines through the library's API: what is written is what is read.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod jsonl;
mod mcap;
mod support;
mod torn;
