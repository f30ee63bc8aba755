//! Writes deterministic order-pipeline events into a topic, for the benchmarks: about 476 bytes of
//! JSON each (`--size` makes them larger, or small ones of about 100 bytes), a key, two headers; 1 %
//! match `.eventType=="PaymentFailed" and .amount>500`. The types come in any order; with `--orders`
//! each order goes its way, thousands of them side by side, and each event has an id.
//!
//! `cargo run --release --example bench-gen -- kafka://HOST:PORT/TOPIC COUNT [--partitions N]
//! [--size BYTES] [--codec none|gzip|snappy|lz4|zstd] [--compacted] [--orders] [--fresh]
//! [--rate EVENTS_A_SECOND]`
#![expect(
    clippy::print_stderr,
    clippy::expect_used,
    reason = "a tool for developers, not a part of the program"
)]

use std::fmt::Write as _;
use std::sync::Arc;

use evtap::broker::{Address, NewTopic, Settings, Target, registry};
use evtap::event::{
    ANY_PARTITION, Batch, BatchPool, EventRef, HeaderBuf, Position, PositionStyle, Stream,
    Timestamp, TimestampType,
};
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::config::FromClientConfig as _;

const TYPES: [(&str, u64); 8] = [
    ("OrderCreated", 22),
    ("PaymentAuthorized", 40),
    ("PaymentFailed", 44),
    ("InventoryReserved", 60),
    ("OrderShipped", 74),
    ("OrderDelivered", 86),
    ("OrderCancelled", 92),
    ("RefundIssued", 100),
];
const NAMES: [&str; 8] = [
    "Ada Lovelace",
    "Grace Hopper",
    "Zoë Núñez",
    "José Müller",
    "Edsger Dijkstra",
    "Barbara Liskov",
    "Radia Perlman",
    "美咲 Turing",
];
const CITIES: [&str; 4] = ["Oslo", "Zürich", "São Paulo", "Nairobi"];
/// 2025-10-09T08:53:20Z: events are 3 ms apart from there.
const T0: i64 = 1_760_000_000_000;

/// Events that are to be smaller than this have fewer members.
const SMALL: usize = 300;

/// xorshift64*: enough for test data, the same on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 33) % n
    }
}

const USAGE: &str = "usage: bench-gen kafka://HOST:PORT/TOPIC COUNT [--partitions N] [--size BYTES] \
                     [--codec none|gzip|snappy|lz4|zstd] [--compacted] [--orders] [--fresh] [--rate N]";

/// What to make.
struct Wanted {
    address: String,
    count: u64,
    partitions: u32,
    size: usize,
    codec: String,
    /// Kafka's cleaner leaves the newest event of each key.
    compacted: bool,
    /// Each order goes its way, and each event has an id in a header, `ce_id`.
    orders: bool,
    /// A topic of this name goes first, with all that is in it.
    fresh: bool,
    /// Events a second; as fast as the broker takes them when absent.
    rate: Option<u64>,
}

impl Wanted {
    fn parse(mut args: impl Iterator<Item = String>) -> Option<Self> {
        let mut wanted = Self {
            address: args.next()?,
            count: args.next()?.parse().ok()?,
            partitions: 6,
            size: 0,
            codec: "lz4".to_owned(),
            compacted: false,
            orders: false,
            fresh: false,
            rate: None,
        };
        while let Some(flag) = args.next() {
            match flag.as_str() {
                "--partitions" => wanted.partitions = args.next()?.parse().ok()?,
                "--size" => wanted.size = args.next()?.parse().ok()?,
                "--codec" => wanted.codec = args.next()?,
                "--rate" => wanted.rate = args.next()?.parse().ok().filter(|r| *r > 0),
                "--compacted" => wanted.compacted = true,
                "--orders" => wanted.orders = true,
                "--fresh" => wanted.fresh = true,
                _ => return None,
            }
        }
        Some(wanted)
    }

    fn topic(&self, name: &str) -> NewTopic {
        let mut config = vec![("retention.ms".into(), "-1".into())];
        if self.compacted {
            // Small segments, because the newest one is never cleaned.
            config.extend([
                ("cleanup.policy".into(), "compact".into()),
                ("segment.bytes".into(), "4194304".into()),
                ("min.cleanable.dirty.ratio".into(), "0.01".into()),
            ]);
        }
        NewTopic {
            name: name.to_owned(),
            partitions: self.partitions,
            config,
        }
    }
}

#[tokio::main(flavor = "multi_thread", worker_threads = 2)]
async fn main() {
    let Some(wanted) = Wanted::parse(std::env::args().skip(1)) else {
        eprintln!("{USAGE}");
        return;
    };
    let address = Address::parse(&wanted.address).expect("an address");
    let topic: Arc<str> = address.topics().single().expect("one topic").into();
    if wanted.fresh {
        remove(&address, &topic).await;
    }
    let broker = registry::open(&address, &settings(&address, &wanted.codec)).expect("a broker");
    if let Err(error) = broker.create_topic(&wanted.topic(&topic)).await {
        eprintln!("{error}");
    }
    let target = Target {
        topic: topic.clone(),
        overwrite: false,
    };
    let mut sink = broker.sink(&target).await.expect("a sink");
    let streams = [Stream {
        topic,
        partition: ANY_PARTITION,
        style: PositionStyle::Offset,
    }]
    .into();
    let pool = BatchPool::default();
    let mut maker = Maker::new(&wanted);
    let mut n = 0;
    let started = tokio::time::Instant::now();
    while n < wanted.count {
        let mut batch = pool.batch(Arc::clone(&streams));
        // Paced by an absolute clock, fifty times a second.
        let most = wanted.rate.map_or(u64::MAX, |rate| rate.div_ceil(50));
        while n < wanted.count && !batch.is_full() && (batch.len() as u64) < most {
            maker.push(n, &streams[0], &mut batch);
            n += 1;
        }
        sink.send(&batch).await.expect("sent");
        if let Some(rate) = wanted.rate {
            let due = started + std::time::Duration::from_millis(n * 1000 / rate);
            tokio::time::sleep_until(due).await;
        }
    }
    let written = sink.flush().await.expect("stored");
    eprintln!("{} events, {} bytes", written.events, written.bytes);
}

/// Deletes the topic, and comes back once the broker has forgotten it.
async fn remove(address: &Address, topic: &str) {
    let Address::Url { authority, .. } = address else {
        return;
    };
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", authority);
    let client = AdminClient::from_config(&config).expect("a client");
    let removed = client
        .delete_topics(&[topic], &AdminOptions::new())
        .await
        .expect("an answer");
    if removed.iter().all(Result::is_ok) {
        let patience = std::time::Duration::from_secs(5);
        let there = || {
            let told = client.inner().fetch_metadata(None, patience);
            told.expect("metadata")
                .topics()
                .iter()
                .any(|t| t.name() == topic)
        };
        while there() {
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
    }
}

fn settings(address: &Address, codec: &str) -> Settings {
    let mut settings = Settings::default();
    settings
        .properties
        .insert("compression.type".to_owned(), codec.to_owned());
    if let Address::Url { properties, .. } = address {
        settings.properties.extend(properties.iter().cloned());
    }
    settings
}

/// An event of any order, of any type.
fn anything(random: &mut Random) -> (u64, &'static str) {
    let order = random.below(200_000);
    let roll = random.below(100);
    let kind = TYPES.iter().find(|(_, upto)| roll < *upto);
    (order, kind.map_or("OrderCreated", |t| t.0))
}

/// Orders that are under way, each with what happens to it next.
#[derive(Default)]
struct Orders {
    open: Vec<(u64, &'static str)>,
    begun: u64,
}

impl Orders {
    /// Orders under way at a time.
    const OPEN: u64 = 20_000;

    /// One of them goes on; one that ends makes room for another.
    fn next(&mut self, random: &mut Random) -> (u64, &'static str) {
        let place = random.below(Self::OPEN) as usize;
        while self.open.len() <= place {
            self.begin();
        }
        let (order, kind) = self.open[place];
        let then = match kind {
            "OrderCreated" => "PaymentAuthorized",
            "PaymentAuthorized" if random.below(100) < 10 => "PaymentFailed",
            "PaymentAuthorized" => "InventoryReserved",
            "PaymentFailed" => "OrderCancelled",
            "InventoryReserved" => "OrderShipped",
            "OrderShipped" => "OrderDelivered",
            "OrderDelivered" if random.below(100) < 10 => "RefundIssued",
            _ => "",
        };
        if then.is_empty() {
            self.begin();
            self.open.swap_remove(place);
        } else {
            self.open[place] = (order, then);
        }
        (order, kind)
    }

    fn begin(&mut self) {
        self.open.push((self.begun, "OrderCreated"));
        self.begun += 1;
    }
}

/// Makes the events in reused buffers.
struct Maker {
    random: Random,
    key: String,
    value: String,
    trace: String,
    headers: HeaderBuf,
    size: usize,
    orders: Option<Orders>,
    /// Letters to pad with, from a place that differs from event to event.
    letters: String,
}

impl Maker {
    fn new(wanted: &Wanted) -> Self {
        let size = wanted.size;
        let mut random = Random(7);
        let letters = (0..2 * size).map(|_| char::from(b'a' + random.below(26) as u8));
        Self {
            random: Random(42),
            letters: letters.collect(),
            key: String::new(),
            value: String::new(),
            trace: String::new(),
            headers: HeaderBuf::default(),
            size,
            orders: wanted.orders.then(Orders::default),
        }
    }

    fn push(&mut self, n: u64, stream: &Stream, batch: &mut Batch) {
        let random = &mut self.random;
        let (order, kind) = match &mut self.orders {
            Some(orders) => orders.next(random),
            None => anything(random),
        };
        // A quarter of the failed payments is above 500.
        let cents = random.below(if kind == "PaymentFailed" {
            66_700
        } else {
            240_000
        });
        let time = T0 + n.cast_signed() * 3;
        self.key.clear();
        self.value.clear();
        self.trace.clear();
        let (a, b, c) = (random.next(), random.next(), random.next());
        let name = NAMES[random.below(8) as usize];
        let city = CITIES[random.below(4) as usize];
        let customer = order % 5000;
        let written = write!(self.key, "ORD-{order:08}")
            .and_then(|()| write!(self.trace, "00-{a:016x}{b:016x}-{c:016x}-01"))
            .and_then(|()| if (1..SMALL).contains(&self.size) { write!(
                self.value,
                r#"{{"eventType":"{kind}","amount":{}.{:02},"sequence":{n},"id":"{:08x}""#,
                cents / 100, cents % 100, a >> 32,
            ) } else { write!(
                self.value,
                r#"{{"eventId":"{:08x}-{:04x}-4{:03x}-a{:03x}-{:012x}","eventType":"{kind}","orderId":"ORD-{order:08}","timestamp":{time},"sequence":{n},"customer":{{"id":"C{customer:06}","name":"{name}","email":"c.{customer}@example.com","tier":"silver","address":{{"city":"{city}","zip":"{:05}"}}}},"amount":{}.{:02},"currency":"EUR","items":[{{"sku":"SKU-{:05}","qty":{},"price":{}.{:02}}}],"source":{{"service":"order-pipeline","host":"node-{}","version":"2.{}.{}"}}"#,
                a >> 32, (a >> 16) & 0xffff, a & 0xfff, b & 0xfff, c & 0xffff_ffff_ffff,
                random.below(99_999), cents / 100, cents % 100, random.below(99_999), 1 + random.below(4),
                random.below(200), random.below(100), random.below(16), random.below(4), random.below(8),
            ) });
        written.expect("a String takes everything");
        let missing = self.size.saturating_sub(self.value.len() + 10);
        if missing > 0 {
            let start = random.below(self.size as u64) as usize;
            self.value.push_str(r#","pad":""#);
            self.value.push_str(&self.letters[start..start + missing]);
            self.value.push('"');
        }
        self.value.push('}');
        self.headers.clear();
        if self.orders.is_some() {
            let id = format!("{a:016x}{n:016x}");
            self.headers.push(b"ce_id", Some(id.as_bytes()));
        }
        self.headers
            .push(b"traceparent", Some(self.trace.as_bytes()));
        self.headers
            .push(b"content-type", Some(b"application/json"));
        let event = EventRef {
            stream,
            stream_index: 0,
            position: Position::offset(n),
            timestamp: Timestamp(time),
            timestamp_type: TimestampType::Create,
            key: Some(self.key.as_bytes()),
            value: Some(self.value.as_bytes()),
            headers: self.headers.as_headers(),
            meta: None,
        };
        batch.push(&event).expect("far below 4 GiB");
    }
}
