//! A running write into one topic: an idempotent producer.

use std::sync::Arc;

use rdkafka::types::RDKafkaType;

use super::client::Client;
use super::properties::Properties;
use super::terms::{Ask, Found, Place, places};
use super::topics;
use super::writer::Writer;
use crate::broker::{BoxFuture, Error, ErrorKind, Notices, Result, Sink, TopicSelector, Written};
use crate::event::Batch;

/// A write into one topic.
pub(super) struct KafkaSink(Writer);

/// Opens a topic, which must exist; blocks until every partition answers. `looker` is a consumer's
/// client: a producer's would create the topic by asking.
pub(super) fn open(
    looker: &Arc<Client>,
    properties: &Properties,
    topic: &str,
    notices: Notices,
) -> Result<KafkaSink> {
    let partitions = target(looker, topic)?;
    let client = Client::new(
        &properties.writer(),
        RDKafkaType::RD_KAFKA_PRODUCER,
        properties,
    )
    .map(Arc::new)?;
    Writer::new(&client, topic, partitions, notices).map(KafkaSink)
}

/// How many partitions a topic to write to has; waits until each answers.
pub(super) fn target(looker: &Arc<Client>, topic: &str) -> Result<u32> {
    let found = topics::find(looker, &TopicSelector::one(topic)).map_err(creatable)?;
    await_leaders(looker, &found)?;
    Ok(found.first().map_or(0, |t| t.partitions.len() as u32))
}

/// A topic that is not there, and is not another's name mistyped, can be created.
pub(super) fn creatable(error: Error) -> Error {
    let mistyped = |hint: &String| hint.contains("mean");
    if error.kind == ErrorKind::MissingTopic && !error.hint.as_ref().is_some_and(mistyped) {
        return error.hint("--create-topic creates it");
    }
    error
}

/// Waits until the leader of each partition knows that it leads, as it shows by telling an offset.
/// In a topic that was just made, the metadata names a leader before it does. It would refuse the
/// producer's first request then and might take the second, which is on its way already, as the
/// first of all: a broker that knows nothing of a producer takes any sequence. The first, tried
/// again, would come to stand after it.
fn await_leaders(looker: &Arc<Client>, found: &[Found]) -> Result<()> {
    let places: Vec<Place> = places(found).collect();
    let end = Ask::End {
        committed_only: false,
    };
    topics::offsets(looker, &places, &[end]).map(|_| ())
}

impl Sink for KafkaSink {
    fn send<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<()>> {
        Box::pin(self.0.send(batch))
    }

    fn flush(&mut self) -> BoxFuture<'_, Result<Written>> {
        Box::pin(self.0.settle())
    }
}
