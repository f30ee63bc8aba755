//! The terminal UI. It knows the rooms below it and nothing of arguments or exit codes.

pub mod widgets;
