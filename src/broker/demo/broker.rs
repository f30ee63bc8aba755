//! What the embedded broker answers: topics, groups, its clock, ranges, sources and sinks.

use std::sync::{Arc, OnceLock, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Instant;

use tokio::sync::Notify;

use super::append::Appender;
use super::history::{GROUPS, GroupState, Past};
use super::live::{Live, Pace};
use super::log::{Store, TopicLog};
use super::orders::{NOW, Topic};
use super::sink::DemoSink;
use super::source::DemoSource;
use super::{CAPABILITIES, resolve};
use crate::broker::topic::PartitionInfo;
use crate::broker::{
    Bound, BoxFuture, Broker, Capabilities, Epochs, Error, ErrorKind, Group, GroupOffset, Member,
    NewTopic, PartitionRange, Place, Range, Result, Settings, Sink, Source, Subscription, Target,
    TopicInfo, TopicSelector, TopicSettings,
};
use crate::event::{Position, PositionStyle, Timestamp};

/// What the broker, its sources and its sinks have in common.
pub(super) struct Shared {
    store: RwLock<Store>,
    /// Something was written.
    pub(super) changed: Notify,
    pub(super) past: Past,
    /// As the producers stand at the end of the history.
    pub(super) appender: Appender,
    /// When the live part began: with the first source that followed.
    began: OnceLock<Instant>,
}

impl Shared {
    pub(super) fn read(&self) -> RwLockReadGuard<'_, Store> {
        self.store.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn write(&self) -> RwLockWriteGuard<'_, Store> {
        self.store.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// The virtual clock: it stands still until the live part begins.
    pub(super) fn now(&self) -> Timestamp {
        let elapsed = self.began.get().map_or(0, |b| b.elapsed().as_millis());
        Timestamp(
            NOW.0
                .saturating_add(i64::try_from(elapsed).unwrap_or(i64::MAX)),
        )
    }
}

/// The embedded broker.
pub(super) struct Demo {
    shared: Arc<Shared>,
    /// Aborted records are left out.
    committed: bool,
    /// `None` when nothing happens after the history.
    pace: Option<Pace>,
}

/// The client property that decides whether aborted records are seen.
const ISOLATION: &str = "isolation.level";

impl Demo {
    pub(super) fn new(settings: &Settings) -> Result<Self> {
        let committed = match settings.properties.get(ISOLATION).map(String::as_str) {
            None | Some("read_committed") => true,
            Some("read_uncommitted") => false,
            Some(other) => {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("{ISOLATION} cannot be '{other}'"),
                )
                .hint("it is read_committed or read_uncommitted"));
            }
        };
        let pace = if settings.frozen {
            None
        } else {
            Some(Pace::new(settings.rate)?)
        };
        let past = Past::new();
        let mut appender = Appender::default();
        let store = Store::new(&past, &mut appender)?;
        Ok(Self {
            shared: Arc::new(Shared {
                store: RwLock::new(store),
                changed: Notify::new(),
                past,
                appender,
                began: OnceLock::new(),
            }),
            committed,
            pace,
        })
    }

    /// The live part of a source that follows.
    fn live(&self, sub: &Subscription, ranges: &[PartitionRange]) -> Option<Live> {
        let pace = self.pace.filter(|_| sub.follow)?;
        let topics: Vec<Topic> = Topic::ALL
            .into_iter()
            .filter(|topic| ranges.iter().any(|range| *range.topic == *topic.name()))
            .collect();
        if topics.is_empty() {
            return None;
        }
        // One look at the clock: whoever starts it passes over nothing, however long this takes.
        let now = Instant::now();
        let began = *self.shared.began.get_or_init(|| now);
        let mut live = Live::new(&self.shared, pace, began, &topics);
        let from_end = matches!(
            sub.range,
            Range::Bounds {
                from: Bound::End,
                ..
            }
        );
        if from_end {
            live.skip_to(now, &self.shared.read());
        }
        Some(live)
    }
}

impl Broker for Demo {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn topic_settings<'a>(
        &'a self,
        topics: &'a [Arc<str>],
    ) -> BoxFuture<'a, Result<Vec<TopicSettings>>> {
        let order_events = Topic::OrderEvents.name();
        let told = topics.iter().map(|topic| TopicSettings {
            compacts: Some(**topic == *order_events),
            ..TopicSettings::of(Arc::clone(topic))
        });
        let told = told.collect();
        Box::pin(async { Ok(told) })
    }

    fn topics<'a>(&'a self, which: &'a TopicSelector) -> BoxFuture<'a, Result<Vec<TopicInfo>>> {
        Box::pin(async move {
            let store = self.shared.read();
            Ok(resolve::topics(&store, which)?
                .into_iter()
                .map(topic_info)
                .collect())
        })
    }

    fn groups(&self) -> BoxFuture<'_, Result<Vec<Group>>> {
        Box::pin(async move {
            let store = self.shared.read();
            Ok(GROUPS
                .iter()
                .map(|group| group_info(group, &store, &self.shared.past))
                .collect())
        })
    }

    fn clock(&self) -> BoxFuture<'_, Result<Option<Timestamp>>> {
        Box::pin(async move { Ok(Some(self.shared.now())) })
    }

    fn resolve<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Vec<PartitionRange>>> {
        Box::pin(async move { resolve::ranges(&self.shared.read(), &self.shared.past, sub) })
    }

    fn source<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Box<dyn Source>>> {
        Box::pin(async move {
            let ranges = resolve::ranges(&self.shared.read(), &self.shared.past, sub)?;
            let source = DemoSource::new(
                Arc::clone(&self.shared),
                &ranges,
                sub,
                self.committed,
                self.live(sub, &ranges),
            );
            Ok(Box::new(source) as Box<dyn Source>)
        })
    }

    fn sink<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Box<dyn Sink>>> {
        Box::pin(async move {
            let sink = DemoSink::new(Arc::clone(&self.shared), &target.topic)?;
            Ok(Box::new(sink) as Box<dyn Sink>)
        })
    }

    fn create_topic<'a>(&'a self, topic: &'a NewTopic) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            check_new(topic)?;
            if self.shared.write().create(&topic.name, topic.partitions) {
                return Ok(());
            }
            Err(Error::new(
                ErrorKind::Usage,
                format!("the topic '{}' exists already on demo:", topic.name),
            )
            .hint("leave out --create-topic, or choose another name"))
        })
    }
}

/// More would be a slip of the finger.
const MAX_PARTITIONS: u32 = 10_000;
/// Kafka's limit.
const MAX_NAME: usize = 249;

fn check_new(topic: &NewTopic) -> Result<()> {
    let name = topic.name.as_str();
    let legal = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if name.is_empty()
        || name.len() > MAX_NAME
        || matches!(name, "." | "..")
        || !name.bytes().all(legal)
    {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("'{name}' cannot be a topic's name"),
        )
        .hint("1 to 249 letters, digits, dots, underscores and dashes"));
    }
    if !(1..=MAX_PARTITIONS).contains(&topic.partitions) {
        return Err(Error::new(
            ErrorKind::Usage,
            format!(
                "the topic '{name}' cannot have {} partitions",
                topic.partitions
            ),
        )
        .hint(format!("1 to {MAX_PARTITIONS}")));
    }
    Ok(())
}

fn topic_info(topic: &TopicLog) -> TopicInfo {
    TopicInfo {
        name: Arc::clone(&topic.name),
        internal: false,
        style: PositionStyle::Offset,
        partitions: topic
            .partitions
            .iter()
            .zip(0..)
            .map(|(log, partition)| PartitionInfo {
                partition,
                first: Position::ZERO,
                end: Position::offset(log.end()),
                events: Some(log.events()),
            })
            .collect(),
    }
}

/// What topics are kept that nobody configured: seven days. The order's state is compacted.
const RETENTION_MS: u64 = 7 * 24 * 3600 * 1000;
const EPOCHS: Epochs = Epochs {
    group: 7,
    assignment: 7,
};

fn member(group: &GroupState, (name, partitions): &(&str, &[u32])) -> Member {
    let topics: Vec<Arc<str>> = group.topics.iter().map(|t| t.name().into()).collect();
    let places = |topic: &Arc<str>| {
        let topic = Arc::clone(topic);
        partitions.iter().map(move |p| (Arc::clone(&topic), *p))
    };
    let owned: Vec<Place> = topics.iter().flat_map(places).collect();
    Member {
        client: group.name.to_owned(),
        epoch: Some(EPOCHS.group),
        target: Some(owned.clone()),
        topics,
        owned,
        ..Member::named(name)
    }
}

fn group_info(group: &GroupState, store: &Store, past: &Past) -> Group {
    let mut offsets = Vec::new();
    for &topic in group.topics {
        let Some(log) = store.topic(topic.name()) else {
            continue;
        };
        for (partition, log_of) in (0..).zip(&log.partitions) {
            let committed = group.committed(partition, past.after_last(topic, partition));
            offsets.push(GroupOffset {
                topic: Arc::clone(&log.name),
                partition,
                style: PositionStyle::Offset,
                committed: Some(Position::offset(committed)),
                first: Position::ZERO,
                // Every transaction of the history was ended.
                stable: Some(Position::offset(log_of.end())),
                end: Position::offset(log_of.end()),
                raw_lag: Some(log_of.end().saturating_sub(committed)),
                member: group.owner(partition).map(str::to_owned),
                retention_ms: (topic != Topic::OrderEvents).then_some(RETENTION_MS),
                ..GroupOffset::default()
            });
        }
    }
    Group {
        name: group.name.to_owned(),
        state: group.state().to_owned(),
        kind: "consumer".to_owned(),
        members: group.members.iter().map(|m| member(group, m)).collect(),
        epochs: (!group.members.is_empty()).then_some(EPOCHS),
        offsets,
        untold: None,
    }
}
