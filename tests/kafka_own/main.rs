//! The Kafka adapter against a broker that may be killed, and that refuses: one of its own, started
//! by `tests/brokers/kafka.sh` when `EVTAP_TEST_KAFKA` says that Kafka runs here.
#![cfg(all(feature = "kafka", unix))]
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test ends by panicking"
)]

mod allowed;
#[path = "../support/kafka.rs"]
mod common;
mod exact;
mod expect;
#[path = "../kafka_replay/program.rs"]
mod program;
mod refuse;
mod restart;
#[path = "../support/own_kafka.rs"]
mod server;
#[path = "../support/mod.rs"]
mod shared;
#[path = "../kafka/support.rs"]
mod support;

/// One after the other, for they share the broker; starting it takes longest.
#[test]
fn a_broker_that_refuses_and_that_is_killed() {
    let Some(server) = server::Own::start(&["--secure", "--acl"]) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        refuse::a_user_without_permission_is_told_so(&server).await;
        allowed::a_replay_that_loses_its_permission_goes_on_when_it_is_back(&server).await;
        expect::a_broker_that_went_away_leaves_the_answer_open(&server).await;
        restart::a_following_read_goes_on_and_says_so(&server).await;
        restart::a_frozen_read_goes_on(&server).await;
        restart::a_write_waits_for_the_broker_and_loses_nothing(&server).await;
        exact::an_exactly_once_write_goes_on_with_nothing_twice(&server).await;
    });
}
