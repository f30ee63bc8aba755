//! The requests of a member and what they are answered. Answers are read by our own code, as all
//! are.

use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::join_group_request::JoinGroupRequestProtocol;
use kafka_protocol::messages::leave_group_request::MemberIdentity;
use kafka_protocol::messages::sync_group_request::SyncGroupRequestAssignment;
use kafka_protocol::messages::{
    ApiKey, GroupId, HeartbeatRequest, JoinGroupRequest, LeaveGroupRequest, SyncGroupRequest,
};

use super::super::super::error::Failure;
use super::super::answers::alone;
use super::super::connection::Connection;
use super::super::wire::{Reader, checked, text};
use super::Companion;

/// How other tools know what is in the members' words.
const TYPE: &str = "consumer";
/// How it is shared out: by nobody else's rules.
const PROTOCOL: &str = "evtap";

/// Who asks.
#[derive(Debug, Clone)]
pub(super) struct Me {
    pub(super) group: String,
    pub(super) generation: i32,
    pub(super) id: String,
    pub(super) instance: String,
}

impl Me {
    fn group(&self) -> GroupId {
        GroupId(text(&self.group))
    }
}

pub(super) struct Join<'a> {
    pub(super) me: Me,
    pub(super) session: Duration,
    pub(super) rebalance: Duration,
    pub(super) about: &'a [u8],
}

/// What a member is told when all have joined.
pub(super) struct Joined {
    pub(super) id: String,
    pub(super) generation: i32,
    /// Where it leads, and there is something to share out.
    pub(super) companions: Option<Vec<Companion>>,
}

/// From the first version on in which members have names.
pub(super) const JOIN: (i16, i16) = (5, 9);

pub(super) async fn join(connection: &mut Connection, join: &Join<'_>) -> Result<Joined, Failure> {
    let version = connection.version(ApiKey::JoinGroup, JOIN)?;
    let millis = |time: Duration| i32::try_from(time.as_millis()).unwrap_or(i32::MAX);
    let protocol = JoinGroupRequestProtocol::default()
        .with_name(text(PROTOCOL))
        .with_metadata(Bytes::copy_from_slice(join.about));
    let request = JoinGroupRequest::default()
        .with_group_id(join.me.group())
        .with_session_timeout_ms(millis(join.session))
        .with_rebalance_timeout_ms(millis(join.rebalance))
        .with_member_id(text(&join.me.id))
        .with_group_instance_id(Some(text(&join.me.instance)))
        .with_protocol_type(text(TYPE))
        .with_protocols(vec![protocol]);
    let answer = connection
        .call(ApiKey::JoinGroup, version, &request)
        .await?;
    joined(&answer, version)
}

pub(super) fn joined(answer: &[u8], version: i16) -> Result<Joined, Failure> {
    let mut reader = Reader::new(answer, version >= 6);
    let r = &mut reader;
    r.i32()?;
    checked(r.i16()?)?;
    let generation = r.i32()?;
    if version >= 7 {
        r.string()?;
    }
    r.string()?;
    let leader = r.text()?.to_owned();
    let skip = version >= 9 && r.bool()?;
    let id = r.text()?.to_owned();
    let mut companions = Vec::new();
    for _ in 0..r.count()? {
        companions.push(Companion {
            id: r.text()?.to_owned(),
            instance: r.string()?.unwrap_or_default().to_owned(),
        });
        // What it said is for others.
        r.blob()?;
        r.tags()?;
    }
    let leads = leader == id && !skip;
    Ok(Joined {
        id,
        generation,
        companions: leads.then_some(companions),
    })
}

pub(super) const SYNC: (i16, i16) = (3, 5);

/// What this member is given.
pub(super) async fn sync(
    connection: &mut Connection,
    me: &Me,
    shares: Vec<(String, Vec<u8>)>,
) -> Result<Vec<u8>, Failure> {
    let version = connection.version(ApiKey::SyncGroup, SYNC)?;
    let share = |(id, share): (String, Vec<u8>)| {
        SyncGroupRequestAssignment::default()
            .with_member_id(text(&id))
            .with_assignment(Bytes::from(share))
    };
    let mut request = SyncGroupRequest::default()
        .with_group_id(me.group())
        .with_generation_id(me.generation)
        .with_member_id(text(&me.id))
        .with_group_instance_id(Some(text(&me.instance)))
        .with_assignments(shares.into_iter().map(share).collect());
    if version >= 5 {
        request = request
            .with_protocol_type(Some(text(TYPE)))
            .with_protocol_name(Some(text(PROTOCOL)));
    }
    let answer = connection
        .call(ApiKey::SyncGroup, version, &request)
        .await?;
    given(&answer, version)
}

pub(super) fn given(answer: &[u8], version: i16) -> Result<Vec<u8>, Failure> {
    let mut reader = Reader::new(answer, version >= 4);
    let r = &mut reader;
    r.i32()?;
    checked(r.i16()?)?;
    if version >= 5 {
        r.string()?;
        r.string()?;
    }
    Ok(r.blob()?.to_vec())
}

const HEARTBEAT: (i16, i16) = (3, 4);

pub(super) async fn heartbeat(connection: &mut Connection, me: &Me) -> Result<(), Failure> {
    let version = connection.version(ApiKey::Heartbeat, HEARTBEAT)?;
    let request = HeartbeatRequest::default()
        .with_group_id(me.group())
        .with_generation_id(me.generation)
        .with_member_id(text(&me.id))
        .with_group_instance_id(Some(text(&me.instance)));
    let answer = connection
        .call(ApiKey::Heartbeat, version, &request)
        .await?;
    alone(&answer, version >= 4)
}

const LEAVE: (i16, i16) = (3, 5);

pub(super) async fn leave(connection: &mut Connection, me: &Me) -> Result<(), Failure> {
    let version = connection.version(ApiKey::LeaveGroup, LEAVE)?;
    let member = MemberIdentity::default()
        .with_member_id(text(&me.id))
        .with_group_instance_id(Some(text(&me.instance)));
    let request = LeaveGroupRequest::default()
        .with_group_id(me.group())
        .with_members(vec![member]);
    let answer = connection
        .call(ApiKey::LeaveGroup, version, &request)
        .await?;
    alone(&answer, version >= 4)
}
