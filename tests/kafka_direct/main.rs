//! The two readers of the Kafka adapter side by side: what librdkafka reads, the direct reader reads,
//! event by event, also while brokers and connections die, and from brokers that speak old versions
//! or nonsense. `EVTAP_TEST_KAFKA` names the broker; without it each test says that it is skipped.
//!
//! `EVTAP_TEST_CHAOS` and `EVTAP_TEST_FUZZ` ask for more runs than the few that are always done.
#![cfg(all(feature = "kafka", unix))]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking"
)]

mod answers;
mod both;
mod broken;
mod chaos;
mod differential;
mod fuzz;
mod made;
mod offline;
mod overtaken;
#[path = "../support/own_kafka.rs"]
mod own_kafka;

#[path = "../support/kafka_proxy.rs"]
mod proxy;
mod ranges;
mod restart;
#[path = "../support/mod.rs"]
mod shared;
#[path = "../support/kafka.rs"]
mod support;
mod transactions;
mod versions;
mod watched;
