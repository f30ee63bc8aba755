//! How each adapter is reached, and what of it the suite cannot do through the traits.

use crate::world::World;

/// One adapter under test.
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
    /// Where topics live.
    pub(crate) place: Place,
    /// Of the client.
    pub(crate) properties: &'static [(&'static str, &'static str)],
    /// A topic can be written to again, and while it is read.
    pub(crate) grows: bool,
    /// Headers of several names keep their order where names repeat; JSON lines gather a repeated
    /// header into one array.
    pub(crate) header_order: bool,
    /// Reads `n` events for a group and commits, by the broker's own client, and gives the
    /// broker's own figures.
    pub(crate) commit: Option<fn(world: &World, group: &str, n: usize) -> Figures>,
}

/// Where a fixture's topics live.
pub(crate) enum Place {
    /// A server of this scheme, named by this environment variable.
    #[cfg_attr(
        not(any(feature = "kafka", feature = "redis")),
        expect(dead_code, reason = "every server has an adapter of its own feature")
    )]
    Server(&'static str, &'static str),
    /// This process: the address.
    Memory(&'static str),
    /// A file of its own for each contract: its ending.
    File(&'static str),
}

/// What the broker's own tools say of a group.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Figures {
    pub(crate) lag: u64,
    pub(crate) pending: Option<u64>,
}

pub(crate) fn demo() -> Fixture {
    Fixture {
        name: "demo",
        place: Place::Memory("demo:"),
        properties: &[],
        grows: true,
        header_order: true,
        commit: None,
    }
}

pub(crate) fn capture_mcap() -> Fixture {
    Fixture {
        name: "capture (.mcap)",
        place: Place::File("mcap"),
        properties: &[],
        grows: false,
        header_order: true,
        commit: None,
    }
}

pub(crate) fn capture_jsonl() -> Fixture {
    Fixture {
        name: "capture (.jsonl)",
        place: Place::File("jsonl"),
        header_order: false,
        ..capture_mcap()
    }
}

pub(crate) fn capture_jsonl_zst() -> Fixture {
    Fixture {
        name: "capture (.jsonl.zst)",
        place: Place::File("jsonl.zst"),
        header_order: false,
        ..capture_mcap()
    }
}

#[cfg(feature = "kafka")]
pub(crate) fn kafka() -> Fixture {
    Fixture {
        name: "kafka",
        place: Place::Server("kafka", "EVTAP_TEST_KAFKA"),
        properties: &[("evtap.reader", "direct")],
        grows: true,
        header_order: true,
        commit: Some(kafka_commit),
    }
}

/// What librdkafka reads where the adapter's own reader cannot.
#[cfg(feature = "kafka")]
pub(crate) fn kafka_rdkafka() -> Fixture {
    Fixture {
        name: "kafka (rdkafka)",
        properties: &[("evtap.reader", "rdkafka")],
        ..kafka()
    }
}

#[cfg(feature = "kafka")]
fn kafka_commit(world: &World, group: &str, n: usize) -> Figures {
    use rdkafka::config::ClientConfig;
    use rdkafka::consumer::{BaseConsumer, CommitMode, Consumer as _};
    use rdkafka::{Offset, TopicPartitionList};
    use std::time::Duration;

    let hosts = world.server.trim_start_matches("kafka://");
    let consumer: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", hosts)
        .set("group.id", group)
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    let next = i64::try_from(n).unwrap();
    list.add_partition_offset(&world.topic, 0, Offset::Offset(next))
        .unwrap();
    consumer.commit(&list, CommitMode::Sync).unwrap();
    let patience = Duration::from_secs(10);
    let (_, high) = consumer
        .fetch_watermarks(&world.topic, 0, patience)
        .unwrap();
    let committed = consumer.committed_offsets(list, patience).unwrap();
    let Offset::Offset(committed) = committed.elements()[0].offset() else {
        panic!("the broker does not hold the commit");
    };
    Figures {
        lag: u64::try_from(high - committed).unwrap(),
        pending: None,
    }
}

#[cfg(feature = "redis")]
pub(crate) fn redis() -> Fixture {
    Fixture {
        name: "redis",
        place: Place::Server("redis", "EVTAP_TEST_REDIS"),
        properties: &[],
        grows: true,
        header_order: true,
        commit: Some(redis_commit),
    }
}

#[cfg(feature = "redis")]
fn redis_commit(world: &World, group: &str, n: usize) -> Figures {
    use redis::{Value, cmd, from_redis_value};

    let client = redis::Client::open(world.server.as_str()).unwrap();
    let mut conn = client.get_connection().unwrap();
    let key = world.topic.as_str();
    let create = ["CREATE", key, group, "0"];
    cmd("XGROUP").arg(&create).exec(&mut conn).unwrap();
    // Delivered and not acknowledged: the lag goes down, and the pending list grows.
    let read: Value = cmd("XREADGROUP")
        .arg(&["GROUP", group, "someone", "COUNT"])
        .arg(n)
        .arg(&["STREAMS", key, ">"])
        .query(&mut conn)
        .unwrap();
    assert!(matches!(read, Value::Array(_)), "{read:?}");
    let rows: Vec<Value> = cmd("XINFO").arg(&["GROUPS", key]).query(&mut conn).unwrap();
    for row in rows {
        let row: std::collections::HashMap<String, Value> = from_redis_value(row).unwrap();
        let figure = |name: &str| from_redis_value::<u64>(row[name].clone()).unwrap();
        if from_redis_value::<String>(row["name"].clone()).unwrap() == group {
            return Figures {
                lag: figure("lag"),
                pending: Some(figure("pending")),
            };
        }
    }
    panic!("the server does not list the group {group}");
}
