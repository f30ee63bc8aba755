//! Who is asked about the target and about how far the job is: the cluster by its own protocol, or
//! librdkafka where that cannot log in. Writes nothing.

use std::sync::Arc;

use super::super::admin;
use super::super::client::{Client, blocking};
use super::super::direct::Direct;
use super::super::sink;
use super::super::terms::{Place, Row};
use super::trouble::Trouble;
use crate::broker::Result;

pub(in super::super) enum Looker {
    Direct(Arc<Direct>),
    /// A consumer's client: a producer's would create the target by asking.
    Library(Arc<Client>),
}

impl Looker {
    pub(super) fn brokers(&self) -> &str {
        match self {
            Self::Direct(direct) => direct.brokers(),
            Self::Library(client) => client.brokers(),
        }
    }

    pub(super) fn direct(&self) -> Option<&Direct> {
        match self {
            Self::Direct(direct) => Some(direct),
            Self::Library(_) => None,
        }
    }

    /// How many partitions the target has; waits until the leader of each answers.
    pub(super) async fn target(&self, topic: &Arc<str>) -> Result<u32> {
        match self {
            Self::Direct(direct) => direct.partitions(topic).await.map_err(sink::creatable),
            Self::Library(client) => {
                let (client, topic) = (Arc::clone(client), Arc::clone(topic));
                blocking(move || sink::target(&client, &topic)).await
            }
        }
    }

    /// The commits of a group for these places, with the text beside each.
    pub(super) async fn commits(
        &self,
        group: &str,
        places: Vec<Place>,
        stable_only: bool,
    ) -> Result<Vec<(Row, String)>, Trouble> {
        let told = match self {
            Self::Direct(direct) => direct.commits_with_text(group, &places, stable_only).await,
            Self::Library(client) => {
                let (client, group) = (Arc::clone(client), group.to_owned());
                let ask = move || admin::commits_with_text(&client, &group, &places, stable_only);
                blocking(move || Ok(ask())).await?
            }
        };
        told.map_err(|failure| Trouble::of(failure, &asking(group)))
    }
}

/// What failed.
pub(super) fn asking(group: &str) -> String {
    format!("ask for the commits of the group {group}")
}
