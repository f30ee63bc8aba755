//! Redis Streams. Looking is XRANGE, XREAD, XINFO and SCAN: never a command of a group, so nothing
//! changes on the server.
//!
//! A stream is a topic of one partition, number 0. An entry's id is its position, and its
//! milliseconds are its timestamp. Fields become an event like this:
//!
//! - A field `value` is the value, byte for byte; a field `key` beside it is the key; the others
//!   are headers, in their order. Of several `value` or `key` fields the first one counts.
//! - Without a `value`, the value is one JSON object of all fields in their order, each a string
//!   (bytes that are no UTF-8: `{"base64":"…"}`), fields of one name an array. The key is null.
//!
//! Written (`XADD key *`) are `key` unless it is null, `value`, and each header as a field. What
//! Redis has no word for is spelled out, and read back as it was:
//!
//! - a null value is a field `evtap-null` instead of `value`;
//! - a header whose name means something (`key`, `value`, `evtap-null`, or one that begins like
//!   these escapes) is the field `evtap-header:NAME`;
//! - a header with a null value is the field `evtap-null-header:NAME`.
//!
//! The server gives the id, hence the time: an event's own timestamp is not kept.
//!
//! Properties: `db`, `username`, `password` (these win over the address's), `tls.ca`, `tls.cert`,
//! `tls.key` (PEM files, for `rediss://`).

mod connect;
mod cursor;
mod fault;
mod fields;
mod look;
mod range;
mod reply;
mod resume;
mod sink;
mod source;
mod watch;
mod wire;

use std::collections::BTreeMap;
use std::sync::Arc;

use ::redis::aio::MultiplexedConnection;
use ::redis::{Cmd, cmd};
use tokio::sync::Mutex;

use self::connect::{ANSWER, Server};
use self::look::Look;
use self::reply::GroupInfo;
use super::topic::PartitionInfo;
use super::{
    Adapter, Address, BoxFuture, Broker, Capabilities, Error, ErrorKind, Group, GroupOffset,
    LookCost, Member, NewTopic, PartitionRange, Result, Settings, Sink, Source, Subscription,
    Target, TopicInfo, TopicSelector, guard::Guarded,
};
use crate::event::PositionStyle;

pub const ADAPTER: Adapter = Adapter {
    name: "redis",
    schemes: &["redis", "rediss"],
    about: "Redis Streams",
    capabilities: CAPABILITIES,
    open,
};

const CAPABILITIES: Capabilities = Capabilities {
    adapter: "redis",
    look: LookCost::Free,
    history: true,
    positions: Some(PositionStyle::Entry),
    seek_by_time: true,
    partitions: false,
    groups: true,
    keys: true,
    headers: true,
    null_values: true,
    keeps_timestamp: false,
    transactions: false,
    batch_metadata: false,
    time_ordered: false,
    follow: true,
    write: true,
    create_topics: true,
};

fn open(address: &Address, settings: &Settings) -> Result<Arc<dyn Broker>> {
    let broker = RedisBroker {
        server: Arc::new(Server::new(address, settings)?),
        conn: Mutex::new(None),
    };
    Ok(Arc::new(Guarded::new(broker, settings.clone())))
}

struct RedisBroker {
    server: Arc<Server>,
    /// For questions. Sources and sinks have their own: theirs may be busy with a long answer.
    conn: Mutex<Option<MultiplexedConnection>>,
}

impl RedisBroker {
    /// The connection for questions, made anew when the server hung up meanwhile.
    async fn look(&self) -> Result<Look<'_>> {
        let mut kept = self.conn.lock().await;
        if let Some(conn) = kept.as_mut() {
            let alive = cmd("PING").query_async::<()>(conn).await;
            if alive
                .as_ref()
                .err()
                .is_none_or(|error| !fault::is_passing(error))
            {
                return Ok(Look {
                    server: &self.server,
                    conn: conn.clone(),
                });
            }
        }
        *kept = None;
        let conn = self.server.connect_first(ANSWER).await?;
        *kept = Some(conn.clone());
        Ok(Look {
            server: &self.server,
            conn,
        })
    }

    async fn list_groups(&self) -> Result<Vec<Group>> {
        let mut look = self.look().await?;
        let streams = look.find(&TopicSelector::all(), None).await?;
        let names: Vec<&str> = streams.iter().map(|s| &*s.name).collect();
        let groups = look.groups_of(&names).await?;
        let mut rows: Vec<(usize, GroupInfo)> = Vec::new();
        for (stream, infos) in groups.into_iter().enumerate() {
            rows.extend(infos.into_iter().map(|info| (stream, info)));
        }
        let consumers = consumers(&mut look, &names, &rows).await?;
        // Redis's groups belong to one stream; those of one name are shown as one group.
        let mut merged: BTreeMap<String, Group> = BTreeMap::new();
        for ((stream, info), consumers) in rows.into_iter().zip(consumers) {
            let found = &streams[stream];
            let group = merged.entry(info.name.clone()).or_insert_with(|| Group {
                name: info.name.clone(),
                state: "empty".to_owned(),
                kind: "stream".to_owned(),
                ..Group::default()
            });
            if info.consumers > 0 {
                "consumers".clone_into(&mut group.state);
            }
            group.offsets.push(GroupOffset {
                topic: found.name.clone(),
                partition: 0,
                style: PositionStyle::Entry,
                committed: Some(info.delivered.next(PositionStyle::Entry)),
                first: found.info.start(),
                end: found.info.end(),
                raw_lag: info.lag,
                pending: Some(info.pending),
                member: match consumers.as_slice() {
                    [only] => Some(only.clone()),
                    _ => None,
                },
                ..GroupOffset::default()
            });
            for consumer in consumers {
                if !group.members.iter().any(|m| m.id == consumer) {
                    group.members.push(Member::named(&consumer));
                }
            }
        }
        Ok(merged.into_values().collect())
    }
}

/// The names of the consumers of each group.
async fn consumers(
    look: &mut Look<'_>,
    streams: &[&str],
    rows: &[(usize, GroupInfo)],
) -> Result<Vec<Vec<String>>> {
    let questions: Vec<Cmd> = rows
        .iter()
        .map(|(stream, info)| {
            let mut question = cmd("XINFO");
            question
                .arg("CONSUMERS")
                .arg(streams[*stream])
                .arg(&info.name);
            question
        })
        .collect();
    let answers = look.ask_all("list the consumers of", &questions).await?;
    Ok(answers
        .into_iter()
        .map(|answer| match answer {
            ::redis::Value::Array(rows) => rows
                .iter()
                .filter_map(|row| reply::field(row, "name").and_then(reply::text))
                .collect(),
            // The group went away between the two questions.
            _ => Vec::new(),
        })
        .collect())
}

impl Broker for RedisBroker {
    fn capabilities(&self) -> Capabilities {
        CAPABILITIES
    }

    fn topics<'a>(&'a self, which: &'a TopicSelector) -> BoxFuture<'a, Result<Vec<TopicInfo>>> {
        Box::pin(async move {
            let found = self.look().await?.find(which, None).await?;
            Ok(found
                .into_iter()
                .map(|stream| TopicInfo {
                    name: stream.name,
                    internal: false,
                    style: PositionStyle::Entry,
                    partitions: vec![PartitionInfo {
                        partition: 0,
                        first: stream.info.start(),
                        end: stream.info.end(),
                        events: Some(stream.info.length),
                    }],
                })
                .collect())
        })
    }

    fn groups(&self) -> BoxFuture<'_, Result<Vec<Group>>> {
        Box::pin(self.list_groups())
    }

    fn resolve<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Vec<PartitionRange>>> {
        Box::pin(async move {
            let rows = range::freeze(&mut self.look().await?, sub).await?;
            Ok(rows.into_iter().map(|row| row.range).collect())
        })
    }

    fn source<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Box<dyn Source>>> {
        Box::pin(async move {
            let rows = range::freeze(&mut self.look().await?, sub).await?;
            let source = source::RedisSource::open(self.server.clone(), rows, sub).await?;
            Ok(Box::new(source) as Box<dyn Source>)
        })
    }

    fn sink<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Box<dyn Sink>>> {
        Box::pin(async move {
            let only = TopicSelector::one(&target.topic);
            let found = match self.look().await?.find(&only, None).await {
                Err(error) if error.kind == ErrorKind::MissingTopic => {
                    let told = error.hint.unwrap_or_default();
                    let hint = format!("{told}; --create-topic makes a new stream");
                    return Err(Error::new(error.kind, error.message).hint(hint));
                }
                other => other?,
            };
            let last_id = found.first().map(|f| f.info.last_id).unwrap_or_default();
            let sink = sink::RedisSink::open(self.server.clone(), &target.topic, last_id).await?;
            Ok(Box::new(sink) as Box<dyn Sink>)
        })
    }

    fn create_topic<'a>(&'a self, topic: &'a NewTopic) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { create(&mut self.look().await?, topic).await })
    }
}

/// Makes an empty stream: a group with MKSTREAM makes one, and leaves it when it is destroyed. The
/// number of partitions is not looked at: there is one.
async fn create(look: &mut Look<'_>, topic: &NewTopic) -> Result<()> {
    let name = topic.name.as_str();
    if let Some((key, _)) = topic.config.first() {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("a Redis stream has no configuration, so no '{key}'"),
        )
        .hint("its length is bounded by whoever writes to it (XADD MAXLEN)"));
    }
    let doing = format!("create the stream '{name}' on");
    let mut exists = cmd("EXISTS");
    exists.arg(name);
    if look.ask(&doing, &exists).await? != ::redis::Value::Int(0) {
        return Err(Error::new(
            ErrorKind::Usage,
            format!("the key '{name}' exists already on {}", look.server.name),
        )
        .hint("write into it without creating it, or choose another name"));
    }
    let group = format!("evtap-create-{}", std::process::id());
    let mut make = cmd("XGROUP");
    make.arg("CREATE")
        .arg(name)
        .arg(&group)
        .arg("$")
        .arg("MKSTREAM");
    look.ask(&doing, &make).await?;
    let mut destroy = cmd("XGROUP");
    destroy.arg("DESTROY").arg(name).arg(&group);
    look.ask(&doing, &destroy).await?;
    Ok(())
}
