//! Captures and JSON lines through the library's API: what is written is what is read.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod export;
mod jsonl;
mod marks;
mod mcap;
mod raw;
mod stdin;
mod support;
mod torn;
mod transactions;
