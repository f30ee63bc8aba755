//! The cluster: finding it, asking it who leads what, and connections to its brokers that are kept
//! for the next question. Reading events is not done here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;
use kafka_protocol::messages::metadata_request::MetadataRequestTopic;
use kafka_protocol::messages::{ApiKey, MetadataRequest, TopicName};
use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::time::{sleep, timeout};

use super::super::error::Failure;
use super::answers::Metadata;
use super::connection::Connection;
use super::settings::{Host, Settings};
use super::wire::text;
use crate::broker::{Error, Result};

/// Nobody answered for this long: give up. Users wait ten seconds at most.
const FIRST_CONTACT: Duration = Duration::from_secs(9);
/// Every broker refused for this long: it is not just coming up.
const REFUSED_FOR: Duration = Duration::from_secs(2);
/// Between two rounds over the brokers.
const PAUSE: Duration = Duration::from_millis(100);
/// How much later the next broker of a list is tried, when the one before is silent.
const STAGGER: Duration = Duration::from_millis(500);
/// A connection that was kept may be dead without a word; after this long a new one is quicker.
pub(super) const SILENT: Duration = Duration::from_secs(1);
/// As [`SILENT`], for an answer that a large cluster has to put together.
const SILENT_LONGER: Duration = Duration::from_secs(3);
/// Idle connections that are kept.
const KEPT: usize = 8;
/// What was told this long ago is taken as true: a read asks the same things twice in a row.
const FRESH: Duration = Duration::from_secs(2);

/// One cluster, as it is known so far. All methods may be called from any task.
pub(super) struct Cluster {
    pub(super) settings: Settings,
    brokers: String,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    /// Where its brokers say that they are.
    nodes: Vec<(i32, Host)>,
    idle: Vec<(Host, Connection)>,
    /// The last answer about some topics by name.
    named: Option<(Instant, Vec<String>, Arc<Metadata>)>,
}

impl Cluster {
    pub(super) fn new(settings: Settings, brokers: &str) -> Self {
        Self {
            settings,
            brokers: brokers.to_owned(),
            known: Mutex::default(),
        }
    }

    /// As they were typed.
    pub(super) fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Metadata of these topics, or of all. Tries every broker, and for as long as a user waits.
    pub(super) async fn metadata(&self, topics: Option<&[&str]>) -> Result<Arc<Metadata>> {
        let began = Instant::now();
        let mut before = None;
        loop {
            let left = FIRST_CONTACT.saturating_sub(began.elapsed());
            let failure = match timeout(left, self.ask_metadata(topics)).await {
                Ok(Ok(metadata)) => return Ok(metadata),
                Ok(Err(failure)) => failure,
                // The try before failed by itself, and says more.
                Err(_) => return Err(self.unreachable(before.unwrap_or_else(silent))),
            };
            let limit = match failure.code {
                Code::BrokerTransportFailure => REFUSED_FOR,
                Code::OperationTimedOut | Code::RequestTimedOut | Code::BadMessage => FIRST_CONTACT,
                _ => Duration::ZERO,
            };
            if began.elapsed() + PAUSE >= limit {
                return Err(self.unreachable(failure));
            }
            before = Some(failure);
            sleep(PAUSE).await;
        }
    }

    fn unreachable(&self, failure: Failure) -> Error {
        failure.into_contact_error(&self.brokers)
    }

    /// The same, unless it was asked a moment ago.
    pub(super) async fn recent_metadata(&self, topics: &[&str]) -> Result<Arc<Metadata>> {
        if let Some((at, names, metadata)) = &self.known().named
            && at.elapsed() < FRESH
            && topics.iter().all(|t| names.iter().any(|name| name == t))
        {
            return Ok(Arc::clone(metadata));
        }
        self.metadata(Some(topics)).await
    }

    /// One try, at whichever broker answers.
    pub(super) async fn ask_metadata(
        &self,
        topics: Option<&[&str]>,
    ) -> Result<Arc<Metadata>, Failure> {
        if let Some((host, mut connection)) = self.idle()
            && let Ok(Ok(metadata)) =
                timeout(SILENT_LONGER, metadata_by(&mut connection, topics)).await
        {
            return Ok(self.learn(host, connection, topics, metadata));
        }
        let (host, mut connection) = self.any().await?;
        let metadata = metadata_by(&mut connection, topics).await?;
        Ok(self.learn(host, connection, topics, metadata))
    }

    fn learn(
        &self,
        host: Host,
        connection: Connection,
        topics: Option<&[&str]>,
        metadata: Metadata,
    ) -> Arc<Metadata> {
        let metadata = Arc::new(metadata);
        let mut known = self.known();
        known.nodes.clone_from(&metadata.brokers);
        // A topic that is not there may be made a moment later.
        let settled = metadata.topics.iter().all(|topic| topic.error == 0);
        known.named = None;
        if let Some(topics) = topics.filter(|_| settled) {
            let names = topics.iter().map(|&t| t.to_owned()).collect();
            known.named = Some((Instant::now(), names, Arc::clone(&metadata)));
        }
        drop(known);
        self.keep(host, connection);
        metadata
    }

    /// A connection to the first broker that answers: those that were typed, then those that the
    /// cluster named.
    pub(super) async fn any(&self) -> Result<(Host, Connection), Failure> {
        let mut hosts = self.settings.bootstrap.clone();
        for (_, host) in &self.known().nodes {
            if !hosts.contains(host) {
                hosts.push(host.clone());
            }
        }
        let tries: FuturesUnordered<_> = hosts
            .into_iter()
            .enumerate()
            .map(|(i, host)| async move {
                sleep(STAGGER * i as u32).await;
                let opened = Connection::open(&self.settings, &host).await;
                opened
                    .map(|connection| (host.clone(), connection))
                    .map_err(|failure| self.named(&host, failure))
            })
            .collect();
        let mut tries = tries;
        let mut worst: Option<Failure> = None;
        while let Some(tried) = tries.next().await {
            match tried {
                Ok(opened) => return Ok(opened),
                Err(failure) if is_final(&failure) => return Err(failure),
                Err(failure) => worst = worst.or(Some(failure)),
            }
        }
        Err(worst.unwrap_or_else(|| Failure::of(Code::AllBrokersDown)))
    }

    /// An address that was typed alone is not repeated.
    fn named(&self, host: &Host, failure: Failure) -> Failure {
        if self.settings.bootstrap.len() == 1 && self.settings.bootstrap[0] == *host {
            return failure;
        }
        Failure::new(failure.code, format!("{host}: {}", failure.text))
    }

    /// A connection to this broker: one that is kept, or a new one.
    pub(super) async fn connect(&self, node: i32) -> Result<(Host, Connection), Failure> {
        let found = self
            .known()
            .nodes
            .iter()
            .find(|(id, _)| *id == node)
            .cloned();
        let (_, host) = found.ok_or_else(|| Failure::of(Code::LeaderNotAvailable))?;
        if let Some(connection) = self.kept(&host) {
            return Ok((host, connection));
        }
        match Connection::open(&self.settings, &host).await {
            Ok(connection) => Ok((host, connection)),
            Err(failure) => Err(self.named(&host, failure)),
        }
    }

    /// A connection that is kept. It may have been closed meanwhile, which says nothing.
    pub(super) fn idle(&self) -> Option<(Host, Connection)> {
        self.known().idle.pop()
    }

    /// The same to the broker at this address.
    pub(super) fn kept(&self, host: &Host) -> Option<Connection> {
        let mut known = self.known();
        let at = known.idle.iter().position(|(kept, _)| kept == host)?;
        Some(known.idle.swap_remove(at).1)
    }

    /// Keeps a connection that has no answer outstanding.
    pub(super) fn keep(&self, host: Host, connection: Connection) {
        let mut known = self.known();
        if known.idle.len() < KEPT {
            known.idle.push((host, connection));
        }
    }

    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Asking another broker would not help.
pub(super) fn is_final(failure: &Failure) -> bool {
    matches!(
        failure.code,
        Code::Authentication | Code::SaslAuthenticationFailed | Code::UnsupportedSASLMechanism
    )
}

/// Whoever was asked is there and does not answer.
fn silent() -> Failure {
    let text = format!("no answer within {} s", FIRST_CONTACT.as_secs());
    Failure::new(Code::RequestTimedOut, text)
}

async fn metadata_by(
    connection: &mut Connection,
    topics: Option<&[&str]>,
) -> Result<Metadata, Failure> {
    let version = connection.version(ApiKey::Metadata, Metadata::VERSIONS)?;
    let named = topics.map(|topics| {
        let topic = |name: &&str| {
            let name = TopicName(text(name));
            MetadataRequestTopic::default().with_name(Some(name))
        };
        topics.iter().map(topic).collect()
    });
    // Looking must not create the topic.
    let request = MetadataRequest::default()
        .with_topics(named)
        .with_allow_auto_topic_creation(version < 4);
    let answer = connection.call(ApiKey::Metadata, version, &request).await?;
    Metadata::read(&answer, version)
}
