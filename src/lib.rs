//! evtap: inspect and replay events of Kafka, Redis Streams and other brokers.
//!
//! This file is the map of the rooms and holds no logic. Imports point down only: a room may use
//! the rooms listed below it, never one above (`tests/architecture.rs` holds that).
//! `docs/architecture.md` follows one event through them.

pub mod cli;

pub mod tui;

pub mod output;

pub mod replay;

pub mod inspect;

pub mod pipeline;

pub mod query;

pub mod schema;

pub mod broker;

pub mod event;

pub mod text;

pub mod config;
