//! Well-formed answers that say no: what passes is asked again, what does not is told.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use evtap::broker::{Error, ErrorKind, TopicSelector};
use kafka_protocol::messages::{ApiKey, FetchResponse, ListOffsetsResponse, MetadataResponse};

use crate::both::{Reader, Taken, equal, read};
use crate::made::{WAIT, numbered, produce};
use crate::proxy::{self, Asked, Meddle, Proxy, Weather};
use crate::support::{all_of, kafka, remembering, with_topic};

/// Puts an error into the partitions of some answers to the direct reader.
struct Says {
    api: ApiKey,
    error: i16,
    /// Of the answers of that kind.
    which: std::ops::Range<u64>,
    seen: AtomicU64,
}

impl Says {
    const fn new(api: ApiKey, error: i16, which: std::ops::Range<u64>) -> Self {
        Self {
            api,
            error,
            which,
            seen: AtomicU64::new(0),
        }
    }
}

impl Meddle for Says {
    fn answer(&self, asked: &Asked, frame: &mut Vec<u8>) -> bool {
        if !asked.direct || asked.api != self.api {
            return false;
        }
        let number = self.seen.fetch_add(1, Ordering::Relaxed);
        if !self.which.contains(&number) {
            return false;
        }
        match self.api {
            ApiKey::Fetch => proxy::change(asked, frame, |answer: &mut FetchResponse| {
                for topic in &mut answer.responses {
                    for partition in &mut topic.partitions {
                        partition.error_code = self.error;
                        partition.records = None;
                        partition.high_watermark = -1;
                        partition.last_stable_offset = -1;
                    }
                }
            }),
            ApiKey::ListOffsets => {
                proxy::change(asked, frame, |answer: &mut ListOffsetsResponse| {
                    for topic in &mut answer.topics {
                        for partition in &mut topic.partitions {
                            partition.error_code = self.error;
                            partition.offset = -1;
                        }
                    }
                });
            }
            _ => proxy::change(asked, frame, |answer: &mut MetadataResponse| {
                for topic in &mut answer.topics {
                    for partition in &mut topic.partitions {
                        partition.error_code = self.error;
                        partition.leader_id = (-1).into();
                    }
                }
            }),
        }
        false
    }
}

const UNKNOWN_SERVER_ERROR: i16 = -1;
const UNKNOWN_TOPIC_OR_PARTITION: i16 = 3;
const LEADER_NOT_AVAILABLE: i16 = 5;
const NOT_LEADER_OR_FOLLOWER: i16 = 6;
const REQUEST_TIMED_OUT: i16 = 7;
const REPLICA_NOT_AVAILABLE: i16 = 9;
const TOPIC_AUTHORIZATION_FAILED: i16 = 29;
const KAFKA_STORAGE_ERROR: i16 = 56;
const FENCED_LEADER_EPOCH: i16 = 74;
const UNKNOWN_LEADER_EPOCH: i16 = 75;
const OFFSET_NOT_AVAILABLE: i16 = 78;

async fn topic(host: &str) -> String {
    let (_, topic) = with_topic(host, "answers", 2, &[]).await;
    let how = [("linger.ms", "20"), ("batch.size", "20000")];
    produce(host, &topic, &how, (0..4000).map(|n| numbered(n, 2, 300)));
    topic
}

#[tokio::test]
async fn what_passes_is_asked_again() {
    let Some(host) = kafka() else { return };
    let topic = topic(&host).await;
    let sub = all_of(&topic);
    let wanted = read(&*Reader::Rdkafka.open(&host, ""), &sub).await;
    let fetch = [
        NOT_LEADER_OR_FOLLOWER,
        LEADER_NOT_AVAILABLE,
        REQUEST_TIMED_OUT,
        REPLICA_NOT_AVAILABLE,
        KAFKA_STORAGE_ERROR,
        FENCED_LEADER_EPOCH,
        UNKNOWN_LEADER_EPOCH,
        OFFSET_NOT_AVAILABLE,
    ];
    let fetch = fetch.map(|error| (ApiKey::Fetch, error));
    let others = [
        (ApiKey::ListOffsets, NOT_LEADER_OR_FOLLOWER),
        (ApiKey::ListOffsets, LEADER_NOT_AVAILABLE),
        (ApiKey::ListOffsets, OFFSET_NOT_AVAILABLE),
        (ApiKey::Metadata, LEADER_NOT_AVAILABLE),
    ];
    for (api, error) in fetch.into_iter().chain(others) {
        let proxy = Proxy::start(&host, Says::new(api, error, 0..2));
        let got = read(&*Reader::Direct.open(&proxy.address(), ""), &sub).await;
        equal(&got, &wanted);
        let asked = proxy.asked();
        let ours = asked.iter().filter(|a| a.direct && a.api == api);
        assert!(ours.count() > 1, "{api:?} {error}: {asked:?}");
    }
}

async fn error_of(host: &str, says: Says, topic: &str) -> Error {
    let proxy = Proxy::start(host, says);
    let broker = Reader::Direct.open(&proxy.address(), "");
    let sub = all_of(topic);
    let fail = async {
        let mut source = broker.source(&sub).await?;
        let mut taken = Taken::default();
        while let Some(batch) = source.next_batch().await? {
            taken.push(&batch);
        }
        Ok(taken.events.len())
    };
    let ended = tokio::time::timeout(WAIT, fail).await.expect("an end");
    ended.expect_err("an error")
}

#[tokio::test]
async fn what_does_not_pass_is_told() {
    let Some(host) = kafka() else { return };
    let topic = topic(&host).await;
    for (api, error, kind) in [
        (
            ApiKey::Fetch,
            TOPIC_AUTHORIZATION_FAILED,
            ErrorKind::Authorization,
        ),
        (
            ApiKey::ListOffsets,
            TOPIC_AUTHORIZATION_FAILED,
            ErrorKind::Authorization,
        ),
    ] {
        let found = error_of(&host, Says::new(api, error, 0..u64::MAX), &topic).await;
        assert_eq!(found.kind, kind, "{api:?} {error}: {found}");
        assert!(found.message.contains(&topic), "{api:?} {error}: {found}");
        assert!(found.hint.is_some(), "{api:?} {error}: {found}");
    }
    // What the broker itself cannot explain is asked again, but not for ever.
    let says = Says::new(ApiKey::Fetch, UNKNOWN_SERVER_ERROR, 0..u64::MAX);
    let found = error_of(&host, says, &topic).await;
    assert!(found.message.contains(&topic), "{found}");
}

/// "None" is an answer about a time, not about an end: taken as one, the log would look empty.
#[tokio::test]
async fn an_end_that_is_no_offset_is_not_taken_for_an_empty_log() {
    let Some(host) = kafka() else { return };
    let topic = topic(&host).await;
    let says = Says::new(ApiKey::ListOffsets, 0, 0..u64::MAX);
    let found = error_of(&host, says, &topic).await;
    assert!(found.message.contains(&topic), "{found}");
    assert!(found.message.contains("an offset below 0"), "{found}");
}

/// The leader says that it has no such partition, the others that it leads it: that may pass.
#[tokio::test]
async fn what_does_not_pass_for_long_is_told_while_it_is_asked_again() {
    let Some(host) = kafka() else { return };
    let topic = topic(&host).await;
    let says = Says::new(ApiKey::Fetch, UNKNOWN_TOPIC_OR_PARTITION, 0..u64::MAX);
    let proxy = Proxy::start(&host, says);
    let (notices, told) = remembering();
    let mut sub = all_of(&topic);
    sub.notices = notices;
    let broker = Reader::Direct.open(&proxy.address(), "");
    let mut source = broker.source(&sub).await.unwrap();
    let hear = async {
        loop {
            let next = tokio::time::timeout(Duration::from_millis(100), source.next_batch());
            if let Ok(next) = next.await {
                assert_eq!(next.unwrap().map(|batch| batch.len()), Some(0));
            }
            let told = told.lock().unwrap();
            let cannot = told.iter().find(|text| text.starts_with("cannot read"));
            if let Some(text) = cannot {
                assert!(
                    text.contains(&topic) && text.ends_with("trying again"),
                    "{text}"
                );
                return;
            }
        }
    };
    let heard = tokio::time::timeout(WAIT, hear).await;
    assert!(heard.is_ok(), "nothing was told");
}

/// A broker that asks for slower clients.
struct Throttles;

impl Meddle for Throttles {
    fn answer(&self, asked: &Asked, frame: &mut Vec<u8>) -> bool {
        if asked.direct && asked.api == ApiKey::Fetch {
            proxy::change(asked, frame, |answer: &mut FetchResponse| {
                answer.throttle_time_ms = 40;
            });
        }
        false
    }

    /// Slow enough that the read takes several fetches.
    fn delay(&self, _asked: &Asked) -> Duration {
        Duration::from_millis(5)
    }
}

#[tokio::test]
async fn a_throttled_read_is_complete() {
    let Some(host) = kafka() else { return };
    let topic = topic(&host).await;
    let sub = all_of(&topic);
    let wanted = read(&*Reader::Rdkafka.open(&host, ""), &sub).await;
    let proxy = Proxy::start(&host, Throttles);
    let got = read(&*Reader::Direct.open(&proxy.address(), ""), &sub).await;
    equal(&got, &wanted);
    assert!(proxy.asked().iter().any(|asked| asked.direct));
}

/// A firewall forgot the connections that there were when it was told to: what is asked on them
/// has no answer, and nobody hangs up.
#[derive(Clone, Default)]
struct Firewall {
    newest: Arc<AtomicUsize>,
    forgotten: Arc<AtomicUsize>,
}

impl Firewall {
    fn forget(&self) {
        let known = self.newest.load(Ordering::Relaxed) + 1;
        self.forgotten.store(known, Ordering::Relaxed);
    }
}

impl Meddle for Firewall {
    fn weather(&self, connection: usize) -> Weather {
        self.newest.fetch_max(connection, Ordering::Relaxed);
        Weather::default()
    }

    fn delay(&self, asked: &Asked) -> Duration {
        let forgotten = asked.connection < self.forgotten.load(Ordering::Relaxed);
        Duration::from_secs(if forgotten { 60 } else { 0 })
    }
}

#[tokio::test]
async fn kept_connections_that_are_dead_hold_nothing_up_for_long() {
    let Some(host) = kafka() else { return };
    let topic = topic(&host).await;
    let which = TopicSelector::parse(&topic).unwrap();
    let firewall = Firewall::default();
    let proxy = Proxy::start(&host, firewall.clone());
    let broker = Reader::Direct.open(&proxy.address(), "");
    let before = broker.topics(&which).await.unwrap();
    firewall.forget();
    // What was told a moment ago would be taken as true.
    tokio::time::sleep(Duration::from_millis(2500)).await;
    let began = Instant::now();
    let after = broker.topics(&which).await.unwrap();
    let took = began.elapsed();
    assert_eq!(after, before);
    // It did meet a dead one.
    assert!(took > Duration::from_millis(900), "{took:?}");
    assert!(took < Duration::from_secs(8), "{took:?}");
}
