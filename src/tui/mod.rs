//! The terminal's screens. The only room that names ratatui and crossterm. It knows the rooms
//! below it and nothing of arguments or exit codes.

pub mod actions;
mod app;
mod canvas;
mod command;
pub mod connect;
mod effects;
pub mod keymap;
pub mod model;
pub mod msg;
mod terminal;
pub mod theme;
pub mod update;
mod views;
pub mod widgets;

#[cfg(test)]
mod fixture;
#[cfg(test)]
mod screens;

pub use app::{Ended, Start, run};
pub use model::{Model, Options, View};
pub use terminal::give_back;
