//! What evtap promises, shown through the program itself on a real Kafka and a real Redis: what
//! another producer wrote is read as it was, survives a recording and a replay, and brokers that
//! die and readers that go away do no harm.
//!
//! `EVTAP_TEST_KAFKA` and `EVTAP_TEST_REDIS` name the servers, `EVTAP_TEST_PYTHON` a Python with
//! confluent-kafka, `EVTAP_TEST_EVENTS` another number of events. What is absent is said, and its
//! tests are skipped, unless `EVTAP_TEST_REQUIRE` is set.
#![cfg(unix)]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends by panicking"
)]

mod ends;
mod program;
#[path = "../support/mod.rs"]
mod shared;
mod signals;

#[cfg(feature = "kafka")]
mod demo;
#[cfg(feature = "kafka")]
mod events;
#[cfg(feature = "kafka")]
mod foreign;
#[cfg(feature = "kafka")]
mod outage;
#[cfg(feature = "kafka")]
#[path = "../support/own_kafka.rs"]
mod own_kafka;
#[cfg(all(feature = "kafka", feature = "redis"))]
mod redis;
