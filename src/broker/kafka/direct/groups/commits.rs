//! Where one group stands, asked of its coordinator: the commits of some partitions, with the text
//! beside each.

use kafka_protocol::messages::offset_fetch_request::{
    OffsetFetchRequestGroup, OffsetFetchRequestTopic, OffsetFetchRequestTopics,
};
use kafka_protocol::messages::{ApiKey, GroupId, OffsetFetchRequest, TopicName};
use tokio::time::timeout;

use super::super::super::error::Failure;
use super::super::super::terms::{Place, Row};
use super::super::cluster::{Cluster, SILENT};
use super::super::connection::Connection;
use super::super::coordinator::{self, Of};
use super::super::wire::text;
use super::told;

/// From this version on a broker tells that a commit is in doubt.
const STABLE: i16 = 7;

/// The commits of these partitions, -1 where there is none. With `stable_only` a commit that an open
/// transaction may still change is the error of its row. Never joins the group.
pub(in super::super) async fn commits_with_text(
    cluster: &Cluster,
    group: &str,
    places: &[Place],
    stable_only: bool,
) -> Result<Vec<(Row, String)>, Failure> {
    let host = coordinator::find(cluster, Of::Group(group)).await?;
    // A host that waits for others looks once a second: it does not log in each time.
    if let Some(mut kept) = cluster.kept(&host)
        && let Ok(Ok(told)) = timeout(SILENT, ask(&mut kept, group, places, stable_only)).await
    {
        cluster.keep(host, kept);
        return Ok(told);
    }
    let mut connection = Connection::open(&cluster.settings, &host).await?;
    let told = ask(&mut connection, group, places, stable_only).await?;
    cluster.keep(host, connection);
    Ok(told)
}

async fn ask(
    connection: &mut Connection,
    group: &str,
    places: &[Place],
    stable_only: bool,
) -> Result<Vec<(Row, String)>, Failure> {
    let least = if stable_only { STABLE } else { told::COMMITS.0 };
    let version = connection.version(ApiKey::OffsetFetch, (least, told::COMMITS.1))?;
    let request = request(group, places, version).with_require_stable(stable_only);
    let answer = connection
        .call(ApiKey::OffsetFetch, version, &request)
        .await?;
    told::commits_with_text(&answer, version)
}

fn request(group: &str, places: &[Place], version: i16) -> OffsetFetchRequest {
    let group = GroupId(text(group));
    let topics = by_topic(places).into_iter();
    if version < told::MANY {
        let topics = topics.map(|(topic, partitions)| {
            OffsetFetchRequestTopic::default()
                .with_name(topic)
                .with_partition_indexes(partitions)
        });
        return OffsetFetchRequest::default()
            .with_group_id(group)
            .with_topics(Some(topics.collect()));
    }
    let topics = topics.map(|(topic, partitions)| {
        OffsetFetchRequestTopics::default()
            .with_name(topic)
            .with_partition_indexes(partitions)
    });
    let group = OffsetFetchRequestGroup::default()
        .with_group_id(group)
        .with_member_epoch(-1)
        .with_topics(Some(topics.collect()));
    OffsetFetchRequest::default().with_groups(vec![group])
}

/// Neighbours of one topic are asked for together.
fn by_topic(places: &[Place]) -> Vec<(TopicName, Vec<i32>)> {
    let same = places.chunk_by(|a, b| a.0 == b.0);
    same.map(|places| {
        let partitions = places.iter().map(|(_, partition)| partition.cast_signed());
        (TopicName(text(&places[0].0)), partitions.collect())
    })
    .collect()
}
