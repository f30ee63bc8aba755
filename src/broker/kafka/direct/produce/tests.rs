//! What the steps are answered, in every version and cut; and what stands in the batches.

use std::time::Duration;

use kafka_protocol::messages::add_partitions_to_txn_response::{
    AddPartitionsToTxnPartitionResult, AddPartitionsToTxnTopicResult,
};
use kafka_protocol::messages::produce_response::{
    BatchIndexAndErrorMessage, PartitionProduceResponse, TopicProduceResponse,
};
use kafka_protocol::messages::{
    AddPartitionsToTxnResponse, EndTxnResponse, InitProducerIdResponse, ProduceResponse,
    ProducerId, TopicName,
};
use rdkafka::types::RDKafkaErrorCode as Code;

use super::super::answers::alone;
use super::super::fixture::encoded;
use super::super::wire::text;
use super::lanes::{Lanes, Whole};
use super::press::Press;
use super::steps::{self, Epoch};
use super::{Made, pipe, steps::begun};
use crate::broker::Notices;
use crate::event::codec::{BatchHeader, Decoder};
use crate::event::{
    ANY_PARTITION, Compression, EventRef, Headers, Position, PositionStyle, Stream, Timestamp,
    TimestampType,
};

const ME: Epoch = Epoch {
    producer: 7,
    epoch: 3,
};

fn name(name: &str) -> TopicName {
    TopicName(text(name))
}

#[test]
fn a_producer_is_told_its_epoch_in_every_version() {
    for version in 0..=4 {
        let answer = InitProducerIdResponse::default()
            .with_producer_id(ProducerId(7))
            .with_producer_epoch(3);
        let bytes = encoded(&answer, version);
        assert_eq!(begun(&bytes, version).unwrap(), ME);
        for end in 0..16 {
            assert!(begun(&bytes[..end], version).is_err(), "{version} {end}");
        }
        let refused = encoded(&answer.with_error_code(51), version);
        let failure = begun(&refused, version).unwrap_err();
        assert_eq!(failure.code, Code::ConcurrentTransactions);
    }
}

#[test]
fn an_end_that_is_refused_is_told_in_every_version() {
    for version in 0..=3 {
        let refused = EndTxnResponse::default().with_error_code(90);
        let failure = alone(&encoded(&refused, version), version >= 3).unwrap_err();
        assert_eq!(failure.code, Code::ProducerFenced);
        let ended = encoded(&EndTxnResponse::default(), version);
        alone(&ended, version >= 3).unwrap();
    }
}

#[test]
fn of_many_partitions_the_one_that_was_refused_tells_why() {
    for version in 0..=3 {
        let row = |index, error| {
            AddPartitionsToTxnPartitionResult::default()
                .with_partition_index(index)
                .with_partition_error_code(error)
        };
        let told = |errors: &[i16]| {
            let rows = errors
                .iter()
                .zip(0..)
                .map(|(error, index)| row(index, *error));
            let topic = AddPartitionsToTxnTopicResult::default()
                .with_name(name("t"))
                .with_results_by_partition(rows.collect());
            let answer = AddPartitionsToTxnResponse::default()
                .with_results_by_topic_v3_and_below(vec![topic]);
            steps::by_partition(&encoded(&answer, version), version >= 3)
        };
        told(&[0, 0]).unwrap();
        let failure = told(&[55, 29, 55]).unwrap_err();
        assert_eq!(failure.code, Code::TopicAuthorizationFailed);
        assert_eq!(
            told(&[0, 3]).unwrap_err().code,
            Code::UnknownTopicOrPartition
        );
    }
}

#[test]
fn the_first_batch_that_was_refused_tells_why_in_every_version() {
    for version in pipe::VERSIONS.0..=pipe::VERSIONS.1 {
        let row = |index, error| {
            let row = PartitionProduceResponse::default()
                .with_index(index)
                .with_error_code(error);
            if version < 8 || error == 0 {
                return row;
            }
            let why = BatchIndexAndErrorMessage::default()
                .with_batch_index(4)
                .with_batch_index_error_message(Some(text("no key")));
            row.with_record_errors(vec![why])
        };
        let told = |errors: &[i16]| {
            let rows = errors
                .iter()
                .zip(0..)
                .map(|(error, index)| row(index, *error));
            let topic = TopicProduceResponse::default()
                .with_name(name("t"))
                .with_partition_responses(rows.collect());
            encoded(
                &ProduceResponse::default().with_responses(vec![topic]),
                version,
            )
        };
        pipe::stored(&told(&[0, 0]), version).unwrap();
        let refused = told(&[0, 87, 6]);
        let failure = pipe::stored(&refused, version).unwrap_err();
        assert_eq!(failure.code, Code::InvalidRecord);
        assert_eq!(failure.text == "no key", version >= 8, "{}", failure.text);
        for end in 0..refused.len() - 5 {
            assert!(
                pipe::stored(&refused[..end], version).is_err(),
                "{version} {end}"
            );
        }
    }
}

fn event<'a>(stream: &'a Stream, key: Option<&'a [u8]>, value: &'a [u8]) -> EventRef<'a> {
    EventRef {
        stream,
        stream_index: 0,
        position: Position::ZERO,
        timestamp: Timestamp(0),
        timestamp_type: TimestampType::Create,
        key,
        value: Some(value),
        headers: Headers::default(),
        meta: None,
    }
}

fn stream(partition: u32) -> Stream {
    Stream {
        topic: "t".into(),
        partition,
        style: PositionStyle::Offset,
    }
}

fn lanes(partitions: u32, compression: Compression) -> Lanes {
    let made = Made {
        id: "id".to_owned(),
        longest: Duration::from_secs(1),
        topic: "t".into(),
        partitions,
        compression,
        notices: Notices::silent(),
    };
    Lanes::new(&made, ME)
}

#[test]
fn batches_say_whose_they_are_and_go_on_counting() {
    let mut lanes = lanes(2, Compression::None);
    let stream = stream(1);
    let large = vec![b'x'; 400_000];
    let mut whole = Vec::new();
    for _ in 0..5 {
        lanes
            .push(&event(&stream, None, &large), &mut whole)
            .unwrap();
    }
    lanes.close_all(&mut whole);
    let mut next = 0;
    for Whole {
        partition,
        mut encoder,
    } in whole
    {
        assert_eq!(partition, 1);
        let mut bytes = Vec::new();
        encoder.finish(None, &mut bytes).unwrap();
        let header = BatchHeader::check(&bytes).unwrap();
        assert!(header.transactional && bytes.len() <= 1_000_000);
        assert_eq!((header.producer_id, header.producer_epoch), (7, 3));
        assert_eq!((header.base_offset, header.base_sequence), (0, next));
        // Midnight of 1970 is a time like any other.
        assert_eq!(header.base_timestamp, Timestamp(0));
        next += header.records.cast_signed();
    }
    assert_eq!(next, 5);
}

#[test]
fn keys_choose_as_javas_client_does_and_what_has_none_moves_on() {
    let stream = stream(ANY_PARTITION);
    let mut lanes = lanes(1000, Compression::None);
    let mut whole = Vec::new();
    lanes
        .push(&event(&stream, Some(b"foobar"), b""), &mut whole)
        .unwrap();
    lanes.close_all(&mut whole);
    let java: i32 = -790_332_482;
    let wanted = (java.cast_unsigned() & 0x7fff_ffff) % 1000;
    assert_eq!(whole.pop().map(|w| w.partition), Some(wanted));
    let mut places = Vec::new();
    for _ in 0..3 {
        lanes.push(&event(&stream, None, b""), &mut whole).unwrap();
        lanes.push(&event(&stream, None, b""), &mut whole).unwrap();
        lanes.close_all(&mut whole);
        places.extend(whole.drain(..).map(|w| (w.partition, w.encoder.len())));
    }
    assert_eq!(places, [(0, 2), (1, 2), (2, 2)]);
}

#[test]
fn what_is_held_in_many_batches_has_an_end() {
    let mut lanes = lanes(100, Compression::None);
    let mut whole = Vec::new();
    let value = vec![b'x'; 10_000];
    let streams: Vec<Stream> = (0..100).map(stream).collect();
    for _ in 0..9 {
        for stream in &streams {
            lanes
                .push(&event(stream, None, &value), &mut whole)
                .unwrap();
        }
    }
    assert_eq!(whole.len(), 100);
}

#[tokio::test]
async fn what_is_compressed_comes_back_in_order_and_whole() {
    let mut lanes = lanes(1, Compression::Lz4);
    let mut press = Press::default();
    let (stream, mut whole) = (stream(0), Vec::new());
    for n in 0..20u8 {
        let value = vec![n; usize::from(n) * 10_000 + 1];
        lanes
            .push(&event(&stream, None, &value), &mut whole)
            .unwrap();
        lanes.close_all(&mut whole);
        whole.drain(..).for_each(|whole| press.add(whole));
    }
    let mut decoder = Decoder::new(1 << 20);
    for n in 0..20u8 {
        let (batch, encoder) = press.next(true).await.unwrap().unwrap();
        lanes.give_back(encoder);
        let header = BatchHeader::check(&batch.bytes).unwrap();
        assert_eq!(header.base_sequence, i32::from(n));
        let mut records = decoder.decode(&batch.bytes).unwrap();
        let record = records.next().unwrap().unwrap();
        let value = record.value.unwrap();
        assert_eq!(value.len(), usize::from(n) * 10_000 + 1);
        assert!(value.iter().all(|byte| *byte == n));
    }
    assert!(press.next(true).await.unwrap().is_none());
}
