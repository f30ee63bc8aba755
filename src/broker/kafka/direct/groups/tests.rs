//! The answers about groups, in every version that is spoken, and cut anywhere.

use bytes::Bytes;
use kafka_protocol::messages::consumer_group_describe_response as consumer;
use kafka_protocol::messages::describe_groups_response::{DescribedGroup, DescribedGroupMember};
use kafka_protocol::messages::describe_producers_response as producers;
use kafka_protocol::messages::list_groups_response::ListedGroup;
use kafka_protocol::messages::offset_fetch_response::{
    OffsetFetchResponseGroup, OffsetFetchResponsePartition, OffsetFetchResponsePartitions,
    OffsetFetchResponseTopic, OffsetFetchResponseTopics,
};
use kafka_protocol::messages::{
    ConsumerGroupDescribeResponse, DescribeGroupsResponse, DescribeProducersResponse,
    DescribeTransactionsResponse, GroupId, ListGroupsResponse, ListTransactionsResponse,
    OffsetFetchResponse, ProducerId, TopicName, TransactionalId, describe_transactions_response,
    list_transactions_response,
};

use super::super::fixture::{encoded, survives};
use super::super::wire::text;
use super::{told, transactions};

#[test]
fn lists_are_read_in_every_version() {
    for version in told::LIST.0..=told::LIST.1 {
        let mut group = ListedGroup::default()
            .with_group_id(GroupId(text("g")))
            .with_protocol_type(text("consumer"));
        if version >= 4 {
            group = group.with_group_state(text("Stable"));
        }
        if version >= 5 {
            group = group.with_group_type(text("Consumer"));
        }
        let bytes = encoded(
            &ListGroupsResponse::default().with_groups(vec![group]),
            version,
        );
        let listed = told::list(&bytes, version).unwrap();
        assert_eq!(listed[0].name, "g");
        let kind = if version >= 5 { "consumer" } else { "classic" };
        assert_eq!(listed[0].kind, kind, "v{version}");
        survives(&bytes, |bytes| told::list(bytes, version));
    }
}

#[test]
fn classic_groups_are_read_in_every_version() {
    let given = [
        0, 1, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 1, 0, 0, 0, 3, 0, 0, 0, 0,
    ];
    for version in told::DESCRIBE.0..=told::DESCRIBE.1 {
        let member = DescribedGroupMember::default()
            .with_member_id(text("m-1"))
            .with_client_id(text("app"))
            .with_client_host(text("/10.0.0.1"))
            .with_member_assignment(Bytes::copy_from_slice(&given));
        let group = DescribedGroup::default()
            .with_group_id(GroupId(text("g")))
            .with_group_state(text("PreparingRebalance"))
            .with_protocol_type(text("consumer"))
            .with_members(vec![member]);
        let answer = DescribeGroupsResponse::default().with_groups(vec![group]);
        let bytes = encoded(&answer, version);
        let described = &told::classic_groups(&bytes, version).unwrap()[0];
        assert_eq!(described.state, "PreparingRebalance", "v{version}");
        let member = &described.members[0];
        assert_eq!((&*member.client, &*member.host), ("app", "10.0.0.1"));
        assert_eq!(member.owned, [("t".into(), 3)]);
        survives(&bytes, |bytes| told::classic_groups(bytes, version));
    }
}

#[test]
fn groups_of_the_new_protocol_tell_epochs_and_targets() {
    let places = |partitions: &[i32]| {
        let topic = consumer::TopicPartitions::default()
            .with_topic_name(TopicName(text("t")))
            .with_partitions(partitions.to_vec());
        consumer::Assignment::default().with_topic_partitions(vec![topic])
    };
    for version in told::DESCRIBE_CONSUMERS.0..=told::DESCRIBE_CONSUMERS.1 {
        let member = consumer::Member::default()
            .with_member_id(text("m-1"))
            .with_member_epoch(6)
            .with_client_id(text("app"))
            .with_client_host(text("/h"))
            .with_subscribed_topic_names(vec![TopicName(text("t"))])
            .with_assignment(places(&[1, 0]))
            .with_target_assignment(places(&[0]));
        let group = consumer::DescribedGroup::default()
            .with_group_id(GroupId(text("g")))
            .with_group_state(text("Reconciling"))
            .with_group_epoch(7)
            .with_assignment_epoch(7)
            .with_members(vec![member]);
        let answer = ConsumerGroupDescribeResponse::default().with_groups(vec![group]);
        let bytes = encoded(&answer, version);
        let described = &told::consumer_groups(&bytes, version).unwrap()[0];
        let epochs = described.epochs.unwrap();
        assert_eq!((epochs.group, epochs.assignment), (7, 7));
        let member = &described.members[0];
        assert_eq!(member.epoch, Some(6));
        assert_eq!(member.owned, [("t".into(), 0), ("t".into(), 1)]);
        assert_eq!(member.target, Some(vec![("t".into(), 0)]));
        survives(&bytes, |bytes| told::consumer_groups(bytes, version));
    }
}

#[test]
fn commits_are_read_in_every_version() {
    for version in told::COMMITS.0..=told::COMMITS.1 {
        let answer = if version < told::MANY {
            let partition = OffsetFetchResponsePartition::default()
                .with_partition_index(2)
                .with_committed_offset(42)
                .with_metadata(Some(text("beside")));
            let topic = OffsetFetchResponseTopic::default()
                .with_name(TopicName(text("t")))
                .with_partitions(vec![partition]);
            OffsetFetchResponse::default().with_topics(vec![topic])
        } else {
            let partition = OffsetFetchResponsePartitions::default()
                .with_partition_index(2)
                .with_committed_offset(42)
                .with_metadata(Some(text("beside")));
            let topic = OffsetFetchResponseTopics::default()
                .with_name(TopicName(text("t")))
                .with_partitions(vec![partition]);
            let group = OffsetFetchResponseGroup::default()
                .with_group_id(GroupId(text("g")))
                .with_topics(vec![topic]);
            OffsetFetchResponse::default().with_groups(vec![group])
        };
        let bytes = encoded(&answer, version);
        let commits = &told::commits(&bytes, version, "g").unwrap()[0];
        assert_eq!((&*commits.name, commits.error), ("g", 0), "v{version}");
        let row = &commits.rows[0];
        assert_eq!((&*row.place.0, row.place.1, row.offset), ("t", 2, 42));
        survives(&bytes, |bytes| told::commits(bytes, version, "g"));
        let (row, beside) = &told::commits_with_text(&bytes, version).unwrap()[0];
        assert_eq!((row.place.1, row.offset, &**beside), (2, 42, "beside"));
        survives(&bytes, |bytes| told::commits_with_text(bytes, version));
    }
}

#[test]
fn the_oldest_open_transaction_of_a_partition_is_found_and_named() {
    let producer = |id, first| {
        producers::ProducerState::default()
            .with_producer_id(ProducerId(id))
            .with_last_timestamp(99)
            .with_current_txn_start_offset(first)
    };
    let partition = producers::PartitionResponse::default()
        .with_partition_index(3)
        .with_active_producers(vec![producer(1, -1), producer(2, 40), producer(3, 38)]);
    let topic = producers::TopicResponse::default()
        .with_name(TopicName(text("t")))
        .with_partitions(vec![partition]);
    let answer = DescribeProducersResponse::default().with_topics(vec![topic]);
    let bytes = encoded(&answer, 0);
    let found = transactions::read_producers(&bytes).unwrap();
    let (place, open) = &found[0];
    assert_eq!((&*place.0, place.1), ("t", 3));
    assert_eq!((open.producer, open.first.major), (3, 38));
    survives(&bytes, transactions::read_producers);

    let listed = list_transactions_response::TransactionState::default()
        .with_transactional_id(TransactionalId(text("tx")))
        .with_producer_id(ProducerId(3))
        .with_transaction_state(text("Ongoing"));
    let answer = ListTransactionsResponse::default().with_transaction_states(vec![listed]);
    let bytes = encoded(&answer, 0);
    assert_eq!(transactions::read_names(&bytes).unwrap(), ["tx"]);
    survives(&bytes, transactions::read_names);

    let topic = describe_transactions_response::TopicData::default()
        .with_topic(TopicName(text("t")))
        .with_partitions(vec![3]);
    let state = describe_transactions_response::TransactionState::default()
        .with_transactional_id(TransactionalId(text("tx")))
        .with_producer_id(ProducerId(3))
        .with_transaction_start_time_ms(77)
        .with_topics(vec![topic]);
    let answer = DescribeTransactionsResponse::default().with_transaction_states(vec![state]);
    let bytes = encoded(&answer, 0);
    let began = transactions::read_transactions(&bytes).unwrap();
    assert!(
        format!("{began:?}").contains("since: Some(Timestamp(77))"),
        "{began:?}"
    );
    survives(&bytes, transactions::read_transactions);
}
