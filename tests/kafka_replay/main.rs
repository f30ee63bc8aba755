//! What a replay promises, on a real Kafka: nothing lost, nothing twice, nothing in another order
//! and no byte different, whatever is killed while it runs. `EVTAP_TEST_KAFKA` names the broker;
//! without it each test says that it is skipped. docs/replay.md has the promises by these tests.
//!
//! The short form is always done. The long one: `EVTAP_TEST_REPLAY_EVENTS=1000000
//! EVTAP_TEST_REPLAY_KILLS=100 cargo test --release --test kafka_replay -- --nocapture`.
#![cfg(all(feature = "kafka", unix))]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking"
)]

mod copies;
mod demo;
mod ends;
mod hosts;
mod kills;
#[path = "../kafka_direct/made.rs"]
mod made;
#[path = "../support/own_kafka.rs"]
mod own_kafka;
mod program;
mod promises;
#[path = "../support/mod.rs"]
mod shared;
#[path = "../support/kafka.rs"]
mod support;
mod tampered;
