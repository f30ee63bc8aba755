//! Whether a topic is still the one that it was: a topic that is deleted while it is written to may
//! be made anew under its name, by the cluster itself, and would hold only the rest.

use std::sync::Arc;

use rdkafka::types::RDKafkaErrorCode as Code;

use super::super::error::Failure;
use super::cluster::Cluster;
use crate::broker::{Error, ErrorKind, Result};

/// A topic as it was when it was first asked for.
pub(in crate::broker::kafka) struct Identity {
    cluster: Arc<Cluster>,
    topic: Arc<str>,
    /// Zeros where the cluster has no ids.
    id: [u8; 16],
}

impl Identity {
    pub(super) async fn of(cluster: &Arc<Cluster>, topic: &Arc<str>) -> Result<Self> {
        let metadata = cluster.recent_metadata(&[topic]).await?;
        let found = metadata.topics.iter().find(|t| t.name == **topic);
        Ok(Self {
            cluster: Arc::clone(cluster),
            topic: Arc::clone(topic),
            id: found.map_or([0; 16], |topic| topic.id),
        })
    }

    /// An error when the topic is gone, or is another one; none when the cluster does not tell.
    pub(in crate::broker::kafka) async fn check(&self) -> Result<()> {
        let Ok(metadata) = self.cluster.ask_metadata(Some(&[&self.topic])).await else {
            return Ok(());
        };
        let Some(found) = metadata.topics.iter().find(|t| t.name == *self.topic) else {
            return Ok(());
        };
        let error = Failure::from_number(found.error.into()).code;
        let what = if error == Code::UnknownTopicOrPartition {
            "was deleted while it was written to"
        } else if found.error == 0 && found.id != self.id {
            "was deleted while it was written to, and is there anew: what was written before is gone"
        } else {
            return Ok(());
        };
        let message = format!("the topic {} {what}", self.topic);
        Err(Error::new(ErrorKind::MissingTopic, message)
            .hint("make a new plan: what this one had written is not there any more"))
    }
}
