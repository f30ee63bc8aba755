//! Consumer groups through librdkafka, where the protocol is not spoken directly: who they are,
//! what they have committed, and how far that is from the end.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::admin;
use super::client::Client;
use super::error::Failure;
use super::group_rows::{self, Ends};
use super::terms::{self, Ask, Place, Row};
use super::topics;
use crate::broker::{Group, Member, Result, TopicSelector};

/// Requests for commits that are under way at the same time.
const AT_ONCE: usize = 64;
/// What librdkafka has no calls for.
const UNTOLD: &str =
    "epochs, open transactions and retention are not told: librdkafka asks for the groups";

/// All groups, by name. Never joins one.
pub(super) fn list(client: &Arc<Client>) -> Result<Vec<Group>> {
    let fail = |failure: Failure| failure.into_error("list the consumer groups");
    // The first contact: it tells a wrong host or password at once. And it says which topics are
    // still there: a group keeps the commits of deleted ones.
    let known: BTreeSet<Place> =
        topics::find(client, &TopicSelector::all()).map(|found| terms::places(&found).collect())?;
    let mut listed = admin::list_groups(client).map_err(fail)?;
    listed.sort_by(|a, b| a.name.cmp(&b.name));
    let names: Vec<String> = listed.iter().map(|g| g.name.clone()).collect();
    let mut members: HashMap<String, Vec<Member>> = admin::members(client, &names)
        .map_err(fail)?
        .into_iter()
        .collect();
    let commits = commits(client, &names).map_err(fail)?;
    let mut groups: Vec<Group> = Vec::with_capacity(listed.len());
    for (listed, commits) in listed.into_iter().zip(commits) {
        let members = members.remove(&listed.name).unwrap_or_default();
        let mut group = group_rows::group(listed.name, listed.kind, listed.state, members);
        group.untold = Some(UNTOLD.to_owned());
        group_rows::place(&mut group, &commits, &known);
        groups.push(group);
    }
    let places = group_rows::places(&groups);
    let end = |committed_only| Ask::End { committed_only };
    let asked = topics::offsets(client, &places, &[Ask::First, end(false), end(true)])?;
    let row = |(i, place)| {
        let ends = Ends {
            first: asked[0][i],
            end: asked[1][i],
            stable: Some(asked[2][i]),
        };
        (place, ends)
    };
    let ends = places.iter().enumerate().map(row).collect();
    group_rows::finish(&mut groups, &ends, &HashMap::new());
    Ok(groups)
}

/// The commits of each group, in their order.
fn commits(client: &Arc<Client>, names: &[String]) -> Result<Vec<Vec<Row>>, Failure> {
    let mut rows = Vec::with_capacity(names.len());
    for some in names.chunks(AT_ONCE) {
        let calls = some
            .iter()
            .map(|name| admin::ask_commits(client, name))
            .collect::<Result<Vec<_>, _>>()?;
        for call in calls {
            rows.push(admin::commits(call)?);
        }
    }
    Ok(rows)
}
