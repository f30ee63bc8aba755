//! Freezing the bounds of a subscription through librdkafka. Reads no event; what the answers come
//! to is `bounds`.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::admin;
use super::bounds::{self, Log};
use super::client::Client;
use super::terms::Row;
use super::topics::{self, offsets};
use crate::broker::{PartitionRange, Range, Result, Subscription, TopicSelector};

/// The ranges of a subscription, ordered by topic and partition. `committed_only` makes an end the
/// last stable offset: a reader of committed records can get no further.
pub(super) fn resolve(
    client: &Arc<Client>,
    sub: &Subscription,
    committed_only: bool,
) -> Result<Vec<PartitionRange>> {
    if let Range::Frozen(ranges) = &sub.range {
        // The first contact: it tells a wrong password or a topic that is gone, and the reader
        // needs the leaders.
        let names: BTreeSet<&Arc<str>> = ranges.iter().map(|r| &r.topic).collect();
        for name in names {
            topics::find(client, &TopicSelector::one(name))?;
        }
        return Ok(ranges.clone());
    }
    let found = topics::find(client, &sub.topics)?;
    let places = bounds::selected(&found, &sub.partitions)?;
    let offsets = offsets(client, &places, &bounds::questions(sub, committed_only))?;
    let commits = bounds::groups(sub)
        .map(|group| Ok((group.to_owned(), commits(client, group)?)))
        .collect::<Result<_>>()?;
    let log = Log {
        places,
        offsets,
        commits,
    };
    log.ranges(sub)
}

/// What a group has committed.
pub(super) fn commits(client: &Arc<Client>, group: &str) -> Result<Vec<Row>> {
    admin::ask_commits(client, group)
        .and_then(admin::commits)
        .map_err(|f| f.into_error(&format!("ask for the commits of the group {group}")))
}
