//! The floor of librdkafka, for the benchmarks: consumes a whole topic with
//! `rd_kafka_consume_batch_queue` and counts, nothing else. Metadata is fetched first and the back-off
//! of a full queue is short: the two waits that the defaults have are not librdkafka's speed.
//!
//! `cargo run --release --example bench-floor -- HOST:PORT TOPIC`
#![expect(unsafe_code, reason = "rust-rdkafka does not wrap batch consumption")]
#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    clippy::panic,
    reason = "a tool for developers, not a part of the program"
)]

use std::ffi::CString;
use std::ptr;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::bindings as sys;
use rdkafka::config::FromClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};

/// Messages taken off the queue at once.
const AT_ONCE: usize = 10_000;
const BEGINNING: i64 = -2;

fn main() {
    let mut args = std::env::args().skip(1);
    let (Some(broker), Some(topic)) = (args.next(), args.next()) else {
        println!("usage: bench-floor HOST:PORT TOPIC");
        return;
    };
    let started = Instant::now();
    let mut config = ClientConfig::new();
    config
        .set("bootstrap.servers", &broker)
        .set("fetch.queue.backoff.ms", "5")
        .set("fetch.wait.max.ms", "10")
        .set("enable.partition.eof", "true");
    let client = BaseConsumer::from_config(&config).expect("a client");
    let metadata = client
        .fetch_metadata(Some(&topic), Duration::from_secs(10))
        .expect("metadata");
    let partitions = metadata
        .topics()
        .first()
        .map_or(0, |t| t.partitions().len());
    let (events, bytes) = consume(client.client().native_ptr(), &topic, partitions);
    println!(
        "{events} events, {bytes} bytes, {:.3} s",
        started.elapsed().as_secs_f64()
    );
    // Closing a consumer waits for its threads; what is measured is over.
    std::mem::forget(client);
}

/// Reads every partition to its end.
fn consume(client: *mut sys::rd_kafka_t, topic: &str, partitions: usize) -> (u64, u64) {
    let name = CString::new(topic).expect("a topic's name");
    // SAFETY: the client outlives the topic and the queue, which are never destroyed.
    let (topic, queue) = unsafe {
        (
            sys::rd_kafka_topic_new(client, name.as_ptr(), ptr::null_mut()),
            sys::rd_kafka_queue_new(client),
        )
    };
    assert!(!topic.is_null() && !queue.is_null(), "no topic or no queue");
    for partition in 0..partitions {
        let partition = i32::try_from(partition).expect("a partition's number");
        // SAFETY: both handles were just made.
        let failed =
            unsafe { sys::rd_kafka_consume_start_queue(topic, partition, BEGINNING, queue) };
        assert_eq!(failed, 0, "partition {partition} cannot be read");
    }
    let mut messages = vec![ptr::null_mut(); AT_ONCE];
    let (mut ended, mut events, mut bytes) = (0, 0, 0);
    while ended < partitions {
        // SAFETY: there is room for as many messages as are asked for.
        let count = unsafe {
            sys::rd_kafka_consume_batch_queue(queue, 1000, messages.as_mut_ptr(), AT_ONCE)
        };
        let count = usize::try_from(count).expect("messages");
        for message in messages.iter().take(count) {
            // SAFETY: librdkafka filled in so many messages; each is destroyed once, here.
            unsafe {
                match (**message).err {
                    sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR => {
                        events += 1;
                        bytes += (**message).len as u64;
                    }
                    sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR__PARTITION_EOF => ended += 1,
                    error => panic!("{error:?}"),
                }
                sys::rd_kafka_message_destroy(*message);
            }
        }
    }
    (events, bytes)
}
