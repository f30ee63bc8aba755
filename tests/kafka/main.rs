//! The Kafka adapter against a real broker: `EVTAP_TEST_KAFKA=host:port cargo test --test kafka`.
//! Without the variable each test says that it is skipped; with `EVTAP_TEST_REQUIRE` it fails.
#![cfg(feature = "kafka")]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    reason = "a test ends by panicking"
)]

mod bounds;
mod check;
#[path = "../support/kafka.rs"]
mod common;
mod errors;
mod exact;
mod expect;
mod groups;
mod lag;
mod lag_java;
mod pausing;
mod recording;
mod redrive;
mod roundtrip;
mod secure;
#[path = "../support/mod.rs"]
mod shared;
mod stopped;
mod support;
mod tokens;
mod transactions;
