//! The answers to a member in every version, whole and cut.

use bytes::Bytes;
use kafka_protocol::messages::join_group_response::JoinGroupResponseMember;
use kafka_protocol::messages::{JoinGroupResponse, SyncGroupResponse};
use rdkafka::types::RDKafkaErrorCode as Code;

use super::super::fixture::encoded;
use super::super::wire::text;
use super::talk;

fn joined(version: i16, id: &'static str) -> JoinGroupResponse {
    let member = |id| {
        JoinGroupResponseMember::default()
            .with_member_id(text(id))
            .with_group_instance_id(Some(text("host")))
            .with_metadata(Bytes::from_static(b"about"))
    };
    let answer = JoinGroupResponse::default()
        .with_generation_id(7)
        .with_protocol_name(Some(text("evtap")))
        .with_leader(text("m1"))
        .with_member_id(text(id))
        .with_members(vec![member("m1"), member("m2")]);
    if version >= 7 {
        return answer.with_protocol_type(Some(text("consumer")));
    }
    answer
}

#[test]
fn who_leads_is_told_of_all_in_every_version() {
    for version in talk::JOIN.0..=talk::JOIN.1 {
        let bytes = encoded(&joined(version, "m1"), version);
        let told = talk::joined(&bytes, version).unwrap();
        assert_eq!((told.id.as_str(), told.generation), ("m1", 7));
        let companions = told.companions.unwrap();
        assert_eq!(companions.len(), 2);
        assert_eq!(companions[1].id, "m2");
        assert_eq!(companions[1].instance, "host");
        let follower = encoded(&joined(version, "m2"), version);
        assert!(
            talk::joined(&follower, version)
                .unwrap()
                .companions
                .is_none()
        );
        for end in 0..bytes.len() - 1 {
            assert!(
                talk::joined(&bytes[..end], version).is_err(),
                "{version} {end}"
            );
        }
    }
}

#[test]
fn a_leader_that_came_back_shares_nothing_out() {
    let bytes = encoded(&joined(9, "m1").with_skip_assignment(true), 9);
    assert!(talk::joined(&bytes, 9).unwrap().companions.is_none());
}

#[test]
fn a_refusal_is_told_by_its_number() {
    let refused = joined(9, "m1").with_error_code(82);
    let failure = talk::joined(&encoded(&refused, 9), 9).err().unwrap();
    assert_eq!(failure.code, Code::FencedInstanceId);
}

#[test]
fn a_share_is_read_in_every_version() {
    for version in talk::SYNC.0..=talk::SYNC.1 {
        let mut answer = SyncGroupResponse::default().with_assignment(Bytes::from_static(b"share"));
        if version >= 5 {
            answer = answer.with_protocol_name(Some(text("evtap")));
        }
        let bytes = encoded(&answer, version);
        assert_eq!(talk::given(&bytes, version).unwrap(), b"share");
    }
}
