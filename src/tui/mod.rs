//! The terminal's screens. The only room that names ratatui and crossterm.

pub mod theme;
pub mod widgets;
