//! A broker for the tests of this room that tells of its topics and holds no event.

use std::sync::Mutex;

use crate::broker::topic::PartitionInfo;
use crate::broker::{
    BoxFuture, Broker, Capabilities, Error, ErrorKind, LookCost, NewTopic, PartitionRange, Result,
    Source, Subscription, TopicInfo, TopicSelector,
};
use crate::event::{Position, PositionStyle};

/// A broker that only tells of its topics: name and number of partitions.
pub(super) struct FakeBroker {
    pub topics: Mutex<Vec<(String, u32)>>,
    pub cluster: Option<String>,
    /// Where all partitions begin; they end at 10.
    pub first: u64,
    pub can: Capabilities,
}

impl FakeBroker {
    pub(super) fn new(topics: &[(&str, u32)]) -> Self {
        Self {
            topics: Mutex::new(topics.iter().map(|(t, n)| ((*t).to_owned(), *n)).collect()),
            cluster: None,
            first: 0,
            can: Capabilities {
                adapter: "fake",
                look: LookCost::Free,
                history: true,
                positions: Some(PositionStyle::Offset),
                seek_by_time: true,
                partitions: true,
                groups: false,
                keys: true,
                headers: true,
                null_values: true,
                keeps_timestamp: true,
                transactions: false,
                batch_metadata: false,
                time_ordered: false,
                follow: false,
                write: true,
                create_topics: true,
            },
        }
    }
}

fn unasked<T>() -> BoxFuture<'static, Result<T>> {
    Box::pin(async { Err(Error::new(ErrorKind::Broker, "not asked in these tests")) })
}

impl Broker for FakeBroker {
    fn capabilities(&self) -> Capabilities {
        self.can
    }

    fn cluster(&self) -> BoxFuture<'_, Result<Option<String>>> {
        let cluster = self.cluster.clone();
        Box::pin(async { Ok(cluster) })
    }

    fn topics<'a>(&'a self, which: &'a TopicSelector) -> BoxFuture<'a, Result<Vec<TopicInfo>>> {
        let all = self.topics.lock().unwrap().clone();
        let found: Vec<TopicInfo> = all
            .iter()
            .filter(|(name, _)| which.takes(name, false))
            .map(|(name, count)| TopicInfo {
                name: name.as_str().into(),
                internal: false,
                style: PositionStyle::Offset,
                partitions: (0..*count)
                    .map(|partition| PartitionInfo {
                        partition,
                        first: Position::offset(self.first),
                        end: Position::offset(10),
                        events: None,
                    })
                    .collect(),
            })
            .collect();
        let missing = found.is_empty() && which.single().is_some();
        Box::pin(async move {
            if missing {
                return Err(Error::new(ErrorKind::MissingTopic, "no such topic"));
            }
            Ok(found)
        })
    }

    fn resolve<'a>(&'a self, _: &'a Subscription) -> BoxFuture<'a, Result<Vec<PartitionRange>>> {
        unasked()
    }

    fn source<'a>(&'a self, _: &'a Subscription) -> BoxFuture<'a, Result<Box<dyn Source>>> {
        unasked()
    }

    fn create_topic<'a>(&'a self, topic: &'a NewTopic) -> BoxFuture<'a, Result<()>> {
        let topic = (topic.name.clone(), topic.partitions);
        self.topics.lock().unwrap().push(topic);
        Box::pin(async { Ok(()) })
    }
}
