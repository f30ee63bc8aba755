//! Captures and JSON lines through the library's API: what is written is what is read.

mod jsonl;
mod mcap;
mod support;
mod torn;
