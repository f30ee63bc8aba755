//! What a plan is made of and what is refused, between brokers that are not there.

use super::*;
use crate::broker::ErrorKind;
use crate::event::{Position, PositionStyle};
use crate::replay::TargetState;
use crate::replay::fake_broker::FakeBroker;

struct Case {
    source: FakeBroker,
    target: FakeBroker,
    from: &'static str,
    to: &'static str,
    /// Partitions of `orders` that are read.
    read: u32,
    create: Create,
    how: How,
}

/// `orders` with three partitions, to `copy` with three.
fn case() -> Case {
    Case {
        source: FakeBroker::new(&[("orders", 3)]),
        target: FakeBroker::new(&[("copy", 3), ("small", 2)]),
        from: "kafka://h/orders",
        to: "kafka://t/copy",
        read: 3,
        create: Create::Never,
        how: How {
            provenance: true,
            ..How::default()
        },
    }
}

fn ranges(partitions: u32) -> Vec<PartitionRange> {
    (0..partitions)
        .map(|partition| PartitionRange {
            topic: "orders".into(),
            partition,
            style: PositionStyle::Offset,
            start: Position::ZERO,
            end: Position::offset(5),
        })
        .collect()
}

impl Case {
    async fn freeze(&self) -> Result<Plan> {
        let from = Address::parse(self.from).unwrap();
        let from = [From {
            address: &from,
            shown: self.from,
            broker: &self.source,
            ranges: ranges(self.read),
        }];
        let to = To {
            address: &Address::parse(self.to).unwrap(),
            shown: self.to,
            broker: &self.target,
            create: self.create,
            overwrite: false,
        };
        freeze(&from, &to, self.how.clone()).await
    }

    async fn refused(&self) -> (ErrorKind, String) {
        let error = self.freeze().await.unwrap_err();
        assert!(error.hint.is_some(), "{error}");
        (error.kind, error.message)
    }
}

#[tokio::test]
async fn partitions_stay_when_the_counts_are_equal_else_the_key_decides() {
    let mut case = case();
    let plan = case.freeze().await.unwrap();
    assert_eq!(plan.partitions, PartitionPolicy::Same);
    // Equal is meant of the topics, not of what is read of them.
    case.read = 2;
    assert_eq!(
        case.freeze().await.unwrap().partitions,
        PartitionPolicy::Same
    );
    case.to = "kafka://t/small";
    assert_eq!(
        case.freeze().await.unwrap().partitions,
        PartitionPolicy::Key
    );
    case.to = "out.mcap";
    let plan = case.freeze().await.unwrap();
    assert_eq!(
        (plan.partitions, plan.target.topic),
        (PartitionPolicy::Same, None)
    );
}

#[tokio::test]
async fn a_partition_that_the_target_lacks_is_refused() {
    let mut case = case();
    case.to = "kafka://t/small";
    case.how.partitions = Some(PartitionPolicy::Same);
    let (kind, message) = case.refused().await;
    assert_eq!(kind, ErrorKind::Usage);
    assert!(message.starts_with("small has no partition 2"), "{message}");
    case.read = 2;
    assert!(case.freeze().await.is_ok());
    case.how.partitions = Some(PartitionPolicy::Fixed(2));
    assert_eq!(case.refused().await.0, ErrorKind::Usage);
}

#[tokio::test]
async fn a_missing_target_is_refused_unless_it_is_to_be_created() {
    let mut case = case();
    case.to = "kafka://t/new";
    assert_eq!(case.refused().await.0, ErrorKind::MissingTopic);
    case.create = Create::LikeSource;
    let plan = case.freeze().await.unwrap();
    assert_eq!(
        (plan.target.partitions, plan.target.create),
        (Some(3), true)
    );
    assert_eq!(case.target.topics.lock().unwrap().len(), 2);
    create_target(&plan, &case.target).await.unwrap();
    let state = TargetState::look(&plan, &case.target).await.unwrap();
    assert!(state.is_some());
    // It is there now: the same command goes on.
    assert!(!case.freeze().await.unwrap().target.create);
    case.create = Create::Partitions(7);
    assert_eq!(case.refused().await.0, ErrorKind::Usage);
    case.target.can.create_topics = false;
    case.to = "kafka://t/newer";
    assert_eq!(case.refused().await.0, ErrorKind::Unsupported);
}

#[tokio::test]
async fn an_alias_of_the_source_is_seen_through() {
    let mut case = case();
    case.target = FakeBroker::new(&[("orders", 3)]);
    case.to = "kafka://alias/orders";
    assert!(case.freeze().await.is_ok());
    case.source.cluster = Some("c1".into());
    case.target.cluster = Some("c1".into());
    let (kind, message) = case.refused().await;
    assert_eq!(kind, ErrorKind::Refused);
    assert!(message.starts_with("guard same topic"), "{message}");
    case.how.guards.allow_self = true;
    let plan = case.freeze().await.unwrap();
    assert_eq!(plan.sources[0].name, "c1");
}

#[tokio::test]
async fn what_the_target_cannot_keep_is_refused() {
    let mut case = case();
    case.how.timestamps = TimestampPolicy::Keep;
    case.target.can.keeps_timestamp = false;
    assert_eq!(case.refused().await.0, ErrorKind::Unsupported);
    case.how.timestamps = TimestampPolicy::Now;
    assert!(case.freeze().await.is_ok());
    case.target.can.headers = false;
    assert_eq!(case.refused().await.0, ErrorKind::Unsupported);
    case.how.provenance = false;
    assert!(case.freeze().await.is_ok());
    case.target.can.write = false;
    assert_eq!(case.refused().await.0, ErrorKind::Unsupported);
}

#[tokio::test]
async fn a_partition_that_two_sources_read_is_refused() {
    let case = case();
    let address = Address::parse(case.from).unwrap();
    let from = |ranges| From {
        address: &address,
        shown: case.from,
        broker: &case.source,
        ranges,
    };
    let to = To {
        address: &Address::parse(case.to).unwrap(),
        shown: case.to,
        broker: &case.target,
        create: Create::Never,
        overwrite: false,
    };
    let twice = [from(ranges(3)), from(ranges(1))];
    let error = freeze(&twice, &to, case.how.clone()).await.unwrap_err();
    assert!(
        error.message.contains("orders/0 is read by two sources"),
        "{error}"
    );
    let mut later = ranges(1);
    later[0].start = Position::offset(5);
    later[0].end = Position::offset(9);
    let apart = [from(ranges(3)), from(later)];
    assert!(freeze(&apart, &to, case.how.clone()).await.is_ok());
}
