//! The same read by both readers, and what of it must be equal.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use evtap::broker::{Broker, PartitionRange, Source, Subscription};
use evtap::event::{Batch, EventRef, Scanned, TimestampType};

use crate::support::open;

/// A read of a test takes seconds; one that hangs must fail.
const PATIENCE: Duration = Duration::from_mins(2);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader {
    Rdkafka,
    Direct,
}

pub const BOTH: [Reader; 2] = [Reader::Rdkafka, Reader::Direct];

impl Reader {
    /// The client property that asks for this one.
    pub const fn property(self) -> &'static str {
        match self {
            Self::Rdkafka => "evtap.reader=rdkafka",
            Self::Direct => "evtap.reader=direct",
        }
    }

    /// A broker that reads with this reader and has these properties (`a=b&c=d`, or nothing).
    pub fn open(self, host: &str, properties: &str) -> Arc<dyn Broker> {
        open(&format!("kafka://{host}?{}&{properties}", self.property()))
    }
}

/// All of an event.
#[derive(Clone, PartialEq, Eq)]
pub struct Event {
    pub topic: Arc<str>,
    pub partition: u32,
    pub offset: u64,
    pub time: (TimestampType, i64),
    pub key: Option<Vec<u8>>,
    pub value: Option<Vec<u8>>,
    pub headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

impl From<EventRef<'_>> for Event {
    fn from(event: EventRef<'_>) -> Self {
        let headers = event.headers.iter();
        Self {
            topic: Arc::clone(&event.stream.topic),
            partition: event.stream.partition,
            offset: event.position.major,
            time: (event.timestamp_type, event.timestamp.0),
            key: event.key.map(<[u8]>::to_vec),
            value: event.value.map(<[u8]>::to_vec),
            headers: headers
                .map(|(k, v)| (k.to_vec(), v.map(<[u8]>::to_vec)))
                .collect(),
        }
    }
}

/// Cut short, for an event can have megabytes.
impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let short = |part: &Option<Vec<u8>>| match part {
            None => "null".to_owned(),
            Some(part) => {
                let shown = String::from_utf8_lossy(&part[..part.len().min(200)]);
                format!("{shown:?} ({} bytes)", part.len())
            }
        };
        write!(f, "{}/{}@{} ", self.topic, self.partition, self.offset)?;
        write!(f, "{:?} ", self.time)?;
        write!(f, "{} = {} ", short(&self.key), short(&self.value))?;
        write!(f, "{:?}", self.headers)
    }
}

/// What a read gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub ranges: Vec<PartitionRange>,
    /// Ordered by topic, partition and offset.
    pub events: Vec<Event>,
    pub scanned: Scanned,
    pub progress: Option<(u64, u64)>,
}

impl Seen {
    pub fn values(&self) -> Vec<String> {
        let value = |e: &Event| String::from_utf8_lossy(e.value.as_deref().unwrap()).into_owned();
        self.events.iter().map(value).collect()
    }
}

/// Reads the subscription to its end, which must be reached, in the order of every partition.
pub async fn read(broker: &dyn Broker, sub: &Subscription) -> Seen {
    let ranges = broker.resolve(sub).await.unwrap();
    let mut source = broker.source(sub).await.unwrap();
    let mut taken = Taken::default();
    taken.until(&mut *source, usize::MAX).await;
    let progress = source.progress();
    let (done, all) = progress.unwrap();
    assert_eq!(done, all, "a range that was read lies behind");
    Seen {
        ranges,
        events: taken.ordered(),
        scanned: taken.scanned,
        progress,
    }
}

/// What was taken from a source so far.
#[derive(Default)]
pub struct Taken {
    pub events: Vec<Event>,
    pub scanned: Scanned,
}

impl Taken {
    /// Goes on until there are so many events, or to the end of the read.
    pub async fn until(&mut self, source: &mut dyn Source, count: usize) {
        let take = async {
            while self.events.len() < count {
                let Some(batch) = source.next_batch().await.unwrap() else {
                    return;
                };
                self.push(&batch);
            }
        };
        let done = tokio::time::timeout(PATIENCE, take).await;
        let so_far = self.events.len();
        assert!(done.is_ok(), "the read hangs after {so_far} events");
    }

    pub fn push(&mut self, batch: &Batch) {
        self.scanned += batch.scanned;
        self.events.extend(batch.iter().map(Event::from));
    }

    /// The events by partition; within one they came in order, and each once.
    pub fn ordered(&mut self) -> Vec<Event> {
        let mut events = std::mem::take(&mut self.events);
        // Stable: what came in the wrong order stays so.
        events.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
        for pair in events.windows(2) {
            let same = (&pair[0].topic, pair[0].partition) == (&pair[1].topic, pair[1].partition);
            assert!(
                !same || pair[0].offset < pair[1].offset,
                "out of order: {:?} then {:?}",
                pair[0],
                pair[1]
            );
        }
        events
    }
}

/// Reads the subscription with both readers, and gives what they agree on.
#[track_caller]
pub fn agreed(host: &str, properties: &str, sub: &Subscription) -> impl Future<Output = Seen> {
    let brokers = BOTH.map(|reader| reader.open(host, properties));
    let sub = sub.clone();
    async move {
        let [rdkafka, direct] = brokers;
        let wanted = read(&*rdkafka, &sub).await;
        let got = read(&*direct, &sub).await;
        equal(&got, &wanted);
        if sub.select.keeps_all() {
            // A selection that looks at no headers keeps librdkafka's from counting them.
            assert_eq!(got.scanned, wanted.scanned, "scanned: direct, rdkafka");
        }
        got
    }
}

/// Fails with the first thing that differs.
#[track_caller]
pub fn equal(got: &Seen, wanted: &Seen) {
    assert_eq!(got.ranges, wanted.ranges, "ranges: direct, rdkafka");
    same_events(&got.events, &wanted.events);
    let counts = |seen: &Seen| (seen.scanned.events, seen.scanned.failed);
    assert_eq!(counts(got), counts(wanted), "scanned: direct, rdkafka");
    assert_eq!(got.progress, wanted.progress, "progress: direct, rdkafka");
}

#[track_caller]
pub fn same_events(got: &[Event], wanted: &[Event]) {
    for (got, wanted) in got.iter().zip(wanted) {
        assert!(got == wanted, "got    {got:?}\nwanted {wanted:?}");
    }
    let beyond = |longer: &[Event], shorter: &[Event]| longer.get(shorter.len()).cloned();
    assert_eq!(
        got.len(),
        wanted.len(),
        "events; the first that is too many {:?}, that is missing {:?}",
        beyond(got, wanted),
        beyond(wanted, got)
    );
}
