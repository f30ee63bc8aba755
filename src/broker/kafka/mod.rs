//! Kafka: the adapter's front. `direct` looks and reads by the protocol itself, and writes what is
//! to be there exactly once (`exact`). Through librdkafka go other writes (`sink`), and what `direct`
//! cannot: reading (`source` and what it uses) and looking (`topics`, `groups`, `resolve`); all
//! unsafe code is in `ffi`, `messages`, `admin`, `client`, `produce` and `transactions`.

mod admin;
mod bearer;
mod bounds;
mod client;
mod contact;
mod direct;
mod error;
mod exact;
mod ffi;
mod filter;
mod group_rows;
mod groups;
mod history;
mod ingest;
mod lanes;
mod messages;
mod own;
mod produce;
mod properties;
mod resolve;
mod sink;
mod source;
mod terms;
mod topic_settings;
mod topics;
mod transactions;
mod writer;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use rdkafka::types::RDKafkaType;

use self::client::{Client, blocking};
use self::direct::Direct;
use self::properties::{FOLLOWING, FROZEN, Properties, QUEUE_BYTES};
use super::exact::Job;
use super::guard::Guarded;
use super::{
    Adapter, Address, BoxFuture, Broker, Capabilities, Error, ErrorKind, ExactSink, Group, History,
    LookCost, NewTopic, Notices, Overview, PartitionRange, Result, Settings, Sink, Source,
    Subscription, Target, TopicInfo, TopicSelector, TopicSettings,
};
use crate::event::PositionStyle;

pub const ADAPTER: Adapter = Adapter {
    name: "kafka",
    schemes: &["kafka"],
    about: "Apache Kafka and what speaks its protocol",
    capabilities: CAPABILITIES,
    open,
};

const CAPABILITIES: Capabilities = Capabilities {
    adapter: "kafka",
    look: LookCost::Free,
    history: true,
    positions: Some(PositionStyle::Offset),
    seek_by_time: true,
    partitions: true,
    groups: true,
    keys: true,
    headers: true,
    null_values: true,
    keeps_timestamp: true,
    transactions: true,
    batch_metadata: true,
    time_ordered: false,
    follow: true,
    write: true,
    create_topics: true,
};

fn open(address: &Address, settings: &Settings) -> Result<Arc<dyn Broker>> {
    let Address::Url {
        authority,
        properties,
        ..
    } = address
    else {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("'{address}' is no kafka:// address"),
        ));
    };
    let mut given = settings.properties.clone();
    given.extend(properties.iter().cloned());
    let properties = Properties::new(authority, given)?;
    let kafka = Kafka {
        direct: Direct::new(&properties)?.map(Arc::new),
        properties: Arc::new(properties),
        notices: settings.notices.clone(),
        looker: Mutex::new(None),
        reading: Arc::new(AtomicBool::new(false)),
    };
    Ok(Arc::new(Guarded::new(kafka, settings.clone())))
}

/// A Kafka cluster.
struct Kafka {
    properties: Arc<Properties>,
    /// What looks and reads, or why librdkafka does.
    direct: Result<Arc<Direct>, String>,
    /// For what is written; a read brings its own.
    notices: Notices,
    /// The client that looks, made with the first question.
    looker: Mutex<Option<Arc<Client>>>,
    /// A source reads through the looking client. A second one needs a client of its own: two
    /// cannot read the same partition through one.
    reading: Arc<AtomicBool>,
}

impl Kafka {
    fn looker(&self) -> Result<Arc<Client>> {
        let mut looker = self.looker.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(client) = &*looker {
            return Ok(Arc::clone(client));
        }
        let client = self.reader(QUEUE_BYTES, FROZEN)?;
        *looker = Some(Arc::clone(&client));
        Ok(client)
    }

    fn reader(&self, memory: usize, patience: usize) -> Result<Arc<Client>> {
        Client::new(
            &self.properties.reader(memory, patience),
            RDKafkaType::RD_KAFKA_CONSUMER,
            &self.properties,
        )
        .map(Arc::new)
    }

    /// The commits of the groups that a subscription names.
    async fn commits(&self, sub: &Subscription) -> Result<Vec<(String, Vec<terms::Row>)>> {
        let groups: Vec<String> = bounds::groups(sub).map(str::to_owned).collect();
        if groups.is_empty() {
            return Ok(Vec::new());
        }
        let client = self.looker()?;
        blocking(move || {
            // The first contact tells a wrong host or password; the admin call would time out.
            client.metadata(None)?;
            groups
                .into_iter()
                .map(|group| {
                    let rows = resolve::commits(&client, &group)?;
                    Ok((group, rows))
                })
                .collect()
        })
        .await
    }

    /// A client to read through. One that is connected already saves the time of connecting.
    fn lend(&self, memory: usize, follow: bool) -> Result<(Arc<Client>, Option<Lease>)> {
        if follow {
            return Ok((self.reader(memory, FOLLOWING)?, None));
        }
        if memory >= QUEUE_BYTES && !self.reading.swap(true, Ordering::AcqRel) {
            let lease = Lease(Arc::clone(&self.reading));
            return Ok((self.looker()?, Some(lease)));
        }
        Ok((self.reader(memory, FROZEN)?, None))
    }
}

/// The looking client is lent to a source for as long as this lives.
struct Lease(Arc<AtomicBool>);

impl Drop for Lease {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl Broker for Kafka {
    fn capabilities(&self) -> Capabilities {
        Capabilities {
            batch_metadata: self.direct.is_ok(),
            ..CAPABILITIES
        }
    }

    fn reader(&self) -> Option<String> {
        Some(match &self.direct {
            Ok(_) => "read by Kafka's own protocol (evtap.reader=direct)".to_owned(),
            Err(why) => format!("read through librdkafka, slower: {why}"),
        })
    }

    fn cluster(&self) -> BoxFuture<'_, Result<Option<String>>> {
        Box::pin(async move {
            if let Ok(direct) = &self.direct {
                return direct.cluster_id().await;
            }
            let client = self.looker()?;
            blocking(move || {
                // Only the look-up tells an unreachable broker from one without a name.
                client.metadata(None)?;
                Ok(ffi::cluster_id(&client, client::ANSWER))
            })
            .await
        })
    }

    fn topics<'a>(&'a self, which: &'a TopicSelector) -> BoxFuture<'a, Result<Vec<TopicInfo>>> {
        Box::pin(async move {
            if let Ok(direct) = &self.direct {
                return direct.topics(which).await;
            }
            let (client, which) = (self.looker()?, which.clone());
            blocking(move || topics::list(&client, &which)).await
        })
    }

    fn overview<'a>(&'a self, which: &'a TopicSelector) -> BoxFuture<'a, Result<Overview>> {
        Box::pin(async move {
            match &self.direct {
                Ok(direct) => direct.overview(which).await,
                // librdkafka gives up on all when one does not answer.
                Err(_) => Ok(self.topics(which).await?.into()),
            }
        })
    }

    fn resolve<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Vec<PartitionRange>>> {
        Box::pin(async move {
            if let Ok(direct) = &self.direct {
                return direct.resolve(sub, self.commits(sub).await?).await;
            }
            let (client, sub) = (self.looker()?, sub.clone());
            let committed_only = self.properties.committed_only();
            blocking(move || resolve::resolve(&client, &sub, committed_only)).await
        })
    }

    fn source<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Box<dyn Source>>> {
        Box::pin(async move {
            if let Ok(direct) = &self.direct {
                return direct.source(sub, self.commits(sub).await?).await;
            }
            // Half for librdkafka's queue, half for the batches on their way and the pool.
            let (client, lease) = self.lend(sub.memory / 2, sub.follow)?;
            let sub = sub.clone();
            let committed_only = self.properties.committed_only();
            let source =
                blocking(move || source::start(client, &sub, committed_only, lease)).await?;
            Ok(Box::new(source) as Box<dyn Source>)
        })
    }

    fn groups(&self) -> BoxFuture<'_, Result<Vec<Group>>> {
        Box::pin(async move {
            if let Ok(direct) = &self.direct {
                return direct.groups().await;
            }
            let client = self.looker()?;
            blocking(move || groups::list(&client)).await
        })
    }

    fn topic_settings<'a>(
        &'a self,
        topics: &'a [Arc<str>],
    ) -> BoxFuture<'a, Result<Vec<TopicSettings>>> {
        Box::pin(async move {
            if topics.is_empty() {
                return Ok(Vec::new());
            }
            if let Ok(direct) = &self.direct {
                return direct.topic_settings(topics).await;
            }
            let (client, topics) = (self.looker()?, topics.to_vec());
            blocking(move || {
                // The first contact tells a wrong host or password; the call would time out.
                client.metadata(None)?;
                let told = admin::topic_settings(&client, &topics);
                told.map_err(|failure| failure.into_error("look up how topics are kept"))
            })
            .await
        })
    }

    fn sink<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Box<dyn Sink>>> {
        Box::pin(async move {
            let (client, topic) = (self.looker()?, Arc::clone(&target.topic));
            let (properties, notices) = (Arc::clone(&self.properties), self.notices.clone());
            let sink = blocking(move || sink::open(&client, &properties, &topic, notices)).await?;
            Ok(Box::new(sink) as Box<dyn Sink>)
        })
    }

    fn exact_sink<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Option<Box<dyn ExactSink>>>> {
        Box::pin(async move {
            let (properties, notices) = (Arc::clone(&self.properties), self.notices.clone());
            let looker = match &self.direct {
                Ok(direct) => exact::Looker::Direct(Arc::clone(direct)),
                Err(_) => exact::Looker::Library(self.looker()?),
            };
            let sink = exact::open(looker, properties, notices, job).await?;
            Ok(Some(Box::new(sink) as Box<dyn ExactSink>))
        })
    }

    fn load_history<'a>(&'a self, history: &'a History) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (client, history) = (self.looker()?, history.clone());
            let properties = Arc::clone(&self.properties);
            blocking(move || history::load(&client, &properties, &history)).await
        })
    }

    fn create_topic<'a>(&'a self, topic: &'a NewTopic) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move {
            let (client, topic) = (self.looker()?, topic.clone());
            blocking(move || topics::create(&client, &[topic])).await
        })
    }
}
