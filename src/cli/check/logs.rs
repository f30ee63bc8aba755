//! What brokers tell of the logs that are checked: where they begin and end, and whether they are
//! cleaned by key. It explains offsets that are missing; without it, less can be said.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::broker::{LookCost, PartitionRange};
use crate::cli::args::Select;
use crate::cli::position::Pos;
use crate::cli::session::Session;
use crate::event::PositionStyle;
use crate::inspect::check::Check;
use crate::inspect::order::Log;
use crate::pipeline::{Input, Reading};

/// The first offset and the end of each log, by source, topic and partition.
pub(super) type Ends = BTreeMap<(u16, Arc<str>, u32), (u64, u64)>;

/// True where looking costs no reading, and positions are numbers without holes.
fn tells(input: &Input) -> bool {
    let can = input.broker.capabilities();
    can.look == LookCost::Free && can.positions == Some(PositionStyle::Offset)
}

/// Asks for the ends of all logs. Who does not answer is not asked again: reading will tell why.
pub(super) async fn ends(session: &Session, reading: &Reading) -> Ends {
    let mut ends = Ends::new();
    for input in reading.inputs.iter().filter(|input| tells(input)) {
        match input.broker.overview(&input.sub.topics).await {
            Ok(found) => {
                for topic in found.topics {
                    for partition in topic.partitions {
                        let name = (input.origin, Arc::clone(&topic.name), partition.partition);
                        ends.insert(name, (partition.first.major, partition.end.major));
                    }
                }
            }
            Err(error) => session.say(&format!(
                "where the logs of {} end is not known: {error}",
                input.shown
            )),
        }
    }
    ends
}

/// Tells the detectors of each partition that is read.
pub(super) async fn tell(
    session: &Session,
    select: &Select,
    reading: &Reading,
    ranges: &[Vec<PartitionRange>],
    ends: &Ends,
    check: &mut Check,
) {
    let asked = match &select.from {
        Some(Pos::At(position)) => Some(position.major),
        _ => None,
    };
    let to_the_end = matches!(select.until, None | Some(Pos::End));
    for (input, ranges) in reading.inputs.iter().zip(ranges) {
        let mut topics: Vec<Arc<str>> = ranges.iter().map(|r| Arc::clone(&r.topic)).collect();
        topics.dedup();
        let told = input.broker.topic_settings(&topics).await;
        let compacted: BTreeMap<Arc<str>, bool> = match told {
            Ok(told) => {
                let told = told.into_iter();
                told.filter_map(|t| Some((t.topic, t.compacts?))).collect()
            }
            Err(error) => {
                // Who may read topics need not be allowed to see how they are kept.
                session.say(&format!(
                    "how the topics of {} are kept is not known: {error}",
                    input.shown
                ));
                BTreeMap::new()
            }
        };
        for range in ranges {
            let name = (input.origin, Arc::clone(&range.topic), range.partition);
            let compacts = compacted.get(&range.topic).copied();
            let Some((start, end)) = ends.get(&name).copied() else {
                if compacts == Some(true) {
                    check.log(recorded(input, range));
                }
                continue;
            };
            check.log(Log {
                origin: input.origin,
                topic: Arc::clone(&range.topic),
                partition: range.partition,
                asked,
                from: range.start.major,
                until: range.end.major,
                start,
                end: to_the_end.then_some(end),
                compacts,
            });
        }
    }
}

/// A log that was cleaned by key, of which only what was recorded is there.
fn recorded(input: &Input, range: &PartitionRange) -> Log {
    Log {
        origin: input.origin,
        topic: Arc::clone(&range.topic),
        partition: range.partition,
        asked: None,
        from: range.start.major,
        until: range.end.major,
        start: range.start.major,
        end: None,
        compacts: Some(true),
    }
}

/// Something is missing: retention may have taken it while it was read.
pub(super) async fn look_again(reading: &Reading, check: &mut Check) {
    for input in reading.inputs.iter().filter(|input| tells(input)) {
        // Without an answer, what was found stands.
        let Ok(found) = input.broker.overview(&input.sub.topics).await else {
            continue;
        };
        for topic in found.topics {
            for partition in topic.partitions {
                let start = partition.first.major;
                check.begins(input.origin, &topic.name, partition.partition, start);
            }
        }
    }
}
