//! Speaking Kafka's protocol ourselves: no librdkafka between the wire and the events, and every
//! batch header in hand. Reading and looking leave no trace. Two rooms do, and are asked for only by
//! an exactly-once write: `member`, which joins a group, and `produce`, which has transactions.
//! Administration and every other write go through librdkafka.

mod answers;
mod cluster;
mod configs;
mod connection;
mod coordinator;
mod fetch;
#[cfg(test)]
mod fixture;
mod groups;
pub(super) mod identity;
mod look;
pub(super) mod member;
mod offsets;
pub(super) mod produce;
mod sasl;
mod settings;
mod transport;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use self::cluster::Cluster;
use self::identity::Identity;
use self::member::Member;
pub(super) use self::sasl::{TOKEN_HINT, Tokens};
use self::settings::Settings;
pub(super) use self::settings::tokens;
use super::error::Failure;
use super::own::ReaderChoice;
use super::properties::Properties;
use super::terms::{Place, Row};
use crate::broker::{
    Error, ErrorKind, Group, Overview, PartitionRange, Result, Source, Subscription, TopicInfo,
    TopicSelector, TopicSettings,
};

/// A cluster that is read without librdkafka.
pub(super) struct Direct {
    cluster: Arc<Cluster>,
}

impl Direct {
    /// The inner error says why librdkafka has to read instead.
    pub(super) fn new(properties: &Properties) -> Result<Result<Self, String>> {
        let choice = properties.reader_choice();
        if choice == Some(ReaderChoice::Rdkafka) {
            return Ok(Err("evtap.reader says so".to_owned()));
        }
        match Settings::of(properties)? {
            Ok(settings) => Ok(Ok(Self {
                cluster: Arc::new(Cluster::new(settings, properties.brokers())),
            })),
            Err(unable) if choice.is_some() => Err(Error::new(
                ErrorKind::Usage,
                format!("evtap.reader=direct: {}", unable.0),
            )
            .hint("leave evtap.reader out, and librdkafka reads")),
            Err(unable) => Ok(Err(unable.0)),
        }
    }

    pub(super) async fn cluster_id(&self) -> Result<Option<String>> {
        Ok(self.cluster.metadata(Some(&[])).await?.cluster.clone())
    }

    pub(super) async fn topics(&self, which: &TopicSelector) -> Result<Vec<TopicInfo>> {
        look::list(&self.cluster, which).await
    }

    pub(super) async fn overview(&self, which: &TopicSelector) -> Result<Overview> {
        look::overview(&self.cluster, which).await
    }

    pub(super) async fn groups(&self) -> Result<Vec<Group>> {
        groups::list(&self.cluster).await
    }

    /// As they were typed.
    pub(super) fn brokers(&self) -> &str {
        self.cluster.brokers()
    }

    /// How many partitions a topic to write to has; waits until the leader of each answers.
    pub(super) async fn partitions(&self, topic: &str) -> Result<u32> {
        look::partitions(&self.cluster, topic).await
    }

    /// The commits of a group for these partitions, with the text beside each.
    pub(super) async fn commits_with_text(
        &self,
        group: &str,
        places: &[Place],
        stable_only: bool,
    ) -> Result<Vec<(Row, String)>, Failure> {
        groups::commits_with_text(&self.cluster, group, places, stable_only).await
    }

    /// What a topic is now, to be compared with later.
    pub(super) async fn identity(&self, topic: &Arc<str>) -> Result<Identity> {
        Identity::of(&self.cluster, topic).await
    }

    /// A producer of transactions.
    pub(super) async fn producer(&self, made: produce::Made) -> Result<produce::Producer, Failure> {
        produce::Producer::new(Arc::clone(&self.cluster), made).await
    }

    /// A place in a group, not yet joined.
    pub(super) fn member(&self, group: &str, instance: &str, session: Duration) -> Member {
        let cluster = Arc::clone(&self.cluster);
        Member::new(cluster, group.to_owned(), instance.to_owned(), session)
    }

    /// How these topics keep their events.
    pub(super) async fn topic_settings(&self, topics: &[Arc<str>]) -> Result<Vec<TopicSettings>> {
        let metadata = self.cluster.metadata(Some(&[])).await?;
        let Some((node, _)) = metadata.brokers.first() else {
            return Ok(Vec::new());
        };
        let names: Vec<&str> = topics.iter().map(|t| &**t).collect();
        let told = configs::of_topics(&self.cluster, *node, &names).await;
        told.map_err(|failure| failure.into_error("look up how topics are kept"))
    }

    /// `commits` are those of each group that the subscription names.
    pub(super) async fn resolve(
        &self,
        sub: &Subscription,
        commits: Vec<(String, Vec<Row>)>,
    ) -> Result<Vec<PartitionRange>> {
        look::resolve(&self.cluster, sub, commits).await
    }

    /// Begins to read.
    pub(super) async fn source(
        &self,
        sub: &Subscription,
        commits: Vec<(String, Vec<Row>)>,
    ) -> Result<Box<dyn Source>> {
        let ranges = look::resolve(&self.cluster, sub, commits).await?;
        let source = fetch::start(Arc::clone(&self.cluster), sub, &ranges)?;
        Ok(Box::new(source))
    }
}
