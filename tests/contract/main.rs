//! One suite, every adapter: what `Broker`, `Source` and `Sink` promise, capability by capability.
//! An adapter joins by one line in `suite!` below and a fixture that says how it is reached.
//!
//! An adapter whose server is not there is skipped with a word about how to start it;
//! `EVTAP_TEST_REQUIRE=1` makes that a failure.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says why it was skipped"
)]

mod data;
mod fixture;
mod lag;
mod look;
mod order;
mod ranges;
mod reading;
mod round_trip;
#[path = "../support/mod.rs"]
mod support;
mod volume;
mod world;

/// One `#[test]` for each adapter and contract, so that a failure names both.
macro_rules! suite {
    ($($(#[$meta:meta])* $adapter:ident),+ $(,)?) => {
        $($(#[$meta])* mod $adapter {
            contracts! {
                $adapter,
                crate::round_trip::bytes_survive,
                crate::round_trip::a_value_of_one_mebibyte_survives,
                crate::round_trip::many_headers_survive,
                crate::round_trip::timestamps_are_kept_or_given,
                crate::order::order_is_kept_in_each_partition,
                crate::order::any_partition_takes_events_of_one_key_together,
                crate::ranges::frozen_end,
                crate::ranges::an_empty_topic_ends_at_once,
                crate::ranges::seek_by_position,
                crate::ranges::last_n,
                crate::ranges::seek_by_time,
                crate::ranges::frozen_ranges_are_read_as_resolved,
                crate::ranges::only_the_partitions_asked_for,
                crate::ranges::an_unknown_partition_is_a_usage_error,
                crate::reading::a_selection_drops_and_counts,
                crate::reading::a_selection_that_cannot_go_on_ends_the_read,
                crate::reading::following_sees_a_later_write,
                crate::reading::a_source_dropped_midway_leaves_nothing_behind,
                crate::reading::a_dropped_question_loses_nothing,
                crate::reading::progress_reaches_the_whole,
                crate::look::topics_tell_the_range,
                crate::look::looking_twice_changes_nothing,
                crate::look::an_unknown_topic_is_missing,
                crate::look::an_existing_topic_is_not_created_again,
                crate::look::a_glob_takes_the_topics_that_match,
                crate::look::a_read_only_context_refuses_to_write,
                crate::lag::lag_is_the_brokers_own_figure,
                crate::lag::a_stored_position_is_where_a_read_begins,
                crate::volume::a_hundred_thousand_events,
            }
        })+
    };
}

macro_rules! contracts {
    ($adapter:ident, $(crate::$room:ident::$contract:ident),+ $(,)?) => {
        $(#[test]
        fn $contract() {
            crate::world::run(&crate::fixture::$adapter(), crate::$room::$contract);
        })+
    };
}

suite! {
    capture_mcap,
    capture_jsonl,
    capture_jsonl_zst,
    demo,
    #[cfg(feature = "kafka")]
    kafka,
    #[cfg(feature = "kafka")]
    kafka_rdkafka,
    #[cfg(feature = "redis")]
    redis,
}
