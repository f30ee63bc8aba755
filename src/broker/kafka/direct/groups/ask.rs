//! What one broker is asked about the groups that it coordinates. Nothing joins, commits or resets.

use std::collections::HashMap;

use kafka_protocol::messages::offset_fetch_request::OffsetFetchRequestGroup;
use kafka_protocol::messages::{
    ApiKey, ConsumerGroupDescribeRequest, DescribeGroupsRequest, GroupId, ListGroupsRequest,
    OffsetFetchRequest,
};

use super::super::super::error::Failure;
use super::super::super::terms::Row;
use super::super::cluster::Cluster;
use super::super::connection::Connection;
use super::super::coordinator::moved;
use super::super::wire::text;
use super::told::{self, Commits, Described, Listed};
use crate::broker::{Epochs, Member};

/// Groups in one request.
const AT_ONCE: usize = 256;

/// One group, as far as its coordinator knows it.
pub(super) struct Told {
    pub(super) name: String,
    pub(super) state: String,
    pub(super) kind: String,
    pub(super) members: Vec<Member>,
    pub(super) epochs: Option<Epochs>,
    pub(super) commits: Vec<Row>,
    pub(super) untold: Option<String>,
}

/// All groups of one coordinator. It lists those that it coordinates, so nobody needs to be asked
/// who does.
pub(super) async fn coordinator(cluster: &Cluster, node: i32) -> Result<Vec<Told>, Failure> {
    let (host, mut connection) = cluster.connect(node).await?;
    let listed = list(&mut connection).await?;
    let described = describe(&mut connection, &listed).await?;
    let commits = commits(&mut connection, &listed).await?;
    cluster.keep(host, connection);
    together(listed, described, commits)
}

async fn list(connection: &mut Connection) -> Result<Vec<Listed>, Failure> {
    let version = connection.version(ApiKey::ListGroups, told::LIST)?;
    let request = ListGroupsRequest::default();
    let answer = connection
        .call(ApiKey::ListGroups, version, &request)
        .await?;
    let mut listed = told::list(&answer, version)?;
    // Workers of Connect and the like share out other things than partitions.
    listed.retain(|group| {
        matches!(
            group.protocol.as_str(),
            "consumer" | "share" | "streams" | ""
        )
    });
    Ok(listed)
}

fn id(name: &str) -> GroupId {
    GroupId(text(name))
}

async fn describe(
    connection: &mut Connection,
    listed: &[Listed],
) -> Result<Vec<Described>, Failure> {
    let of = |kind: &str| -> Vec<&Listed> { listed.iter().filter(|g| g.kind == kind).collect() };
    let mut described = Vec::with_capacity(listed.len());
    for some in of("classic").chunks(AT_ONCE) {
        let version = connection.version(ApiKey::DescribeGroups, told::DESCRIBE)?;
        let names = some.iter().map(|g| id(&g.name)).collect();
        let request = DescribeGroupsRequest::default().with_groups(names);
        let answer = connection
            .call(ApiKey::DescribeGroups, version, &request)
            .await?;
        described.extend(told::classic_groups(&answer, version)?);
    }
    for some in of("consumer").chunks(AT_ONCE) {
        let version =
            connection.version(ApiKey::ConsumerGroupDescribe, told::DESCRIBE_CONSUMERS)?;
        let names = some.iter().map(|g| id(&g.name)).collect();
        let request = ConsumerGroupDescribeRequest::default().with_group_ids(names);
        let answer = connection
            .call(ApiKey::ConsumerGroupDescribe, version, &request)
            .await?;
        described.extend(told::consumer_groups(&answer, version)?);
    }
    Ok(described)
}

async fn commits(connection: &mut Connection, listed: &[Listed]) -> Result<Vec<Commits>, Failure> {
    let version = connection.version(ApiKey::OffsetFetch, told::COMMITS)?;
    let at_once = if version < told::MANY { 1 } else { AT_ONCE };
    // Share groups commit nothing.
    let names: Vec<&str> = listed
        .iter()
        .filter(|g| g.kind != "share")
        .map(|g| g.name.as_str())
        .collect();
    let mut all = Vec::with_capacity(names.len());
    for some in names.chunks(at_once) {
        // No list of topics asks for all of them.
        let request = if version < told::MANY {
            OffsetFetchRequest::default()
                .with_group_id(id(some[0]))
                .with_topics(None)
        } else {
            let group = |name: &&str| {
                OffsetFetchRequestGroup::default()
                    .with_group_id(id(name))
                    .with_member_epoch(-1)
                    .with_topics(None)
            };
            OffsetFetchRequest::default().with_groups(some.iter().map(group).collect())
        };
        let answer = connection
            .call(ApiKey::OffsetFetch, version, &request)
            .await?;
        all.extend(told::commits(&answer, version, some[0])?);
    }
    Ok(all)
}

/// An error that asking again mends concerns the whole answer; any other only its group.
fn of_group(error: i16, untold: &mut Option<String>) -> Result<(), Failure> {
    if error == 0 {
        return Ok(());
    }
    let failure = Failure::from_number(error.into());
    if moved(&failure) {
        return Err(failure);
    }
    untold.get_or_insert(failure.text);
    Ok(())
}

fn together(
    listed: Vec<Listed>,
    described: Vec<Described>,
    commits: Vec<Commits>,
) -> Result<Vec<Told>, Failure> {
    let mut described: HashMap<String, Described> =
        described.into_iter().map(|d| (d.name.clone(), d)).collect();
    let mut commits: HashMap<String, Commits> =
        commits.into_iter().map(|c| (c.name.clone(), c)).collect();
    let one = |group: Listed| {
        let described = described.remove(&group.name);
        let commits = commits.remove(&group.name);
        let mut untold = None;
        if described.is_none() {
            untold = Some(format!(
                "members of a {} group are not asked for",
                group.kind
            ));
        }
        let mut told = Told {
            state: group.state,
            kind: group.kind,
            members: Vec::new(),
            epochs: None,
            commits: Vec::new(),
            untold: None,
            name: group.name,
        };
        if let Some(described) = described {
            of_group(described.error, &mut untold)?;
            if described.error == 0 {
                told.state = described.state;
                told.epochs = described.epochs;
                told.members = described.members;
            }
        }
        if let Some(commits) = commits {
            of_group(commits.error, &mut untold)?;
            told.commits = commits.rows;
        }
        for row in told.commits.iter().filter(|row| row.error != 0) {
            untold.get_or_insert_with(|| Failure::from_number(row.error).text);
        }
        told.commits.retain(|row| row.error == 0);
        told.untold = untold;
        Ok(told)
    };
    listed.into_iter().map(one).collect()
}
