//! Events for the readers to read, written by librdkafka's own producer.

use std::time::Duration;

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use crate::support::producer;

pub const WAIT: Duration = Duration::from_mins(1);

/// Numbers that look random and are the same in every run.
#[derive(Clone)]
pub struct Dice(pub u64);

impl Dice {
    pub fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Below `limit`.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.roll() % limit
    }

    /// Bytes that do not compress.
    pub fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count + 8);
        while bytes.len() < count {
            bytes.extend_from_slice(&self.roll().to_le_bytes());
        }
        bytes.truncate(count);
        bytes
    }
}

#[derive(Clone, Default)]
pub struct Made {
    pub partition: i32,
    pub timestamp: Option<i64>,
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(&'static str, Option<Vec<u8>>)>,
}

/// The nth event: every shape that a log may hold, again and again.
pub fn shaped(n: u64, partitions: u64) -> Made {
    let mut dice = Dice(n);
    let kind = ["placed", "paid", "shipped", "failed"][dice.below(4) as usize];
    let json = format!(
        r#"{{"n":{n},"kind":"{kind}","amount":{},"note":"{}"}}"#,
        dice.below(1000),
        "some words that compress ".repeat(dice.below(8) as usize)
    );
    let value = match n % 11 {
        3 => None,
        5 => Some(Vec::new()),
        7 => {
            let count = dice.below(300) as usize;
            Some(dice.bytes(count))
        }
        _ => Some(json.into_bytes()),
    };
    let key = match n % 7 {
        1 => None,
        2 => Some(Vec::new()),
        4 => Some(dice.bytes(9)),
        _ => Some(format!("key-{}", n % 100).into_bytes()),
    };
    let headers = match n % 5 {
        0 => vec![
            ("same", Some(b"1".to_vec())),
            ("other", None),
            ("same", Some(Vec::new())),
            ("", Some(dice.bytes(3))),
        ],
        1 => vec![("trace", Some(format!("{:016x}", dice.roll()).into_bytes()))],
        _ => Vec::new(),
    };
    Made {
        partition: (n % partitions) as i32,
        timestamp: Some(1_700_000_000_000 + n.cast_signed() * 10 - dice.below(40).cast_signed()),
        key,
        value,
        headers,
    }
}

/// Half a kilobyte that begins with the number and does not compress.
pub fn numbered(n: u64, partitions: u64, size: usize) -> Made {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    let noise = STANDARD.encode(Dice(n).bytes(size * 3 / 4));
    Made {
        partition: (n % partitions) as i32,
        timestamp: Some(1_700_000_000_000 + n.cast_signed()),
        value: Some(format!("{n} {noise}").into_bytes()),
        ..Made::default()
    }
}

/// Writes the events, and waits until they are stored.
pub fn produce(host: &str, topic: &str, more: &[(&str, &str)], events: impl Iterator<Item = Made>) {
    // Idempotent, for the first requests about a new topic may be sent again: order must be kept.
    let how = [
        ("enable.idempotence", "true"),
        ("message.max.bytes", "50000000"),
    ];
    let producer = producer(host, &[&how, more].concat());
    for event in events {
        send(&producer, topic, &event);
    }
    producer.flush(WAIT).unwrap();
}

pub fn send(producer: &BaseProducer, topic: &str, event: &Made) {
    let mut headers = OwnedHeaders::new();
    for (key, value) in &event.headers {
        headers = headers.insert(Header {
            key,
            value: value.as_ref(),
        });
    }
    let mut record = BaseRecord::<Vec<u8>, Vec<u8>>::to(topic).partition(event.partition);
    record.key = event.key.as_ref();
    record.payload = event.value.as_ref();
    record.timestamp = event.timestamp;
    record.headers = (!event.headers.is_empty()).then_some(headers);
    while let Err((error, same)) = producer.send(record) {
        let full = KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull);
        assert_eq!(error, full);
        producer.poll(Duration::from_millis(10));
        record = same;
    }
}
