//! Whether a plan can work at all, from what is known before anything is read.

use super::plan::{PartitionPolicy, Plan, TimestampPolicy};
use crate::broker::{Capabilities, Error, ErrorKind, PartitionRange, Result};

pub(super) fn check(plan: &Plan, target: Capabilities) -> Result<()> {
    check_overlap(plan)?;
    check_partitions(plan)?;
    check_capabilities(plan, target)
}

/// An event that is read twice would be written twice.
fn check_overlap(plan: &Plan) -> Result<()> {
    let mut all: Vec<(&str, &PartitionRange)> = plan
        .sources
        .iter()
        .flat_map(|s| s.ranges.iter().map(|r| (s.name.as_str(), r)))
        .filter(|(_, r)| r.start < r.end)
        .collect();
    all.sort_by(|(a, x), (b, y)| {
        (a, &x.topic, x.partition, x.start).cmp(&(b, &y.topic, y.partition, y.start))
    });
    let twice = all.windows(2).find(|pair| {
        let ((a, x), (b, y)) = (pair[0], pair[1]);
        a == b && x.topic == y.topic && x.partition == y.partition && y.start < x.end
    });
    match twice {
        None => Ok(()),
        Some(pair) => {
            let (name, range) = pair[1];
            Err(Error::new(
                ErrorKind::Usage,
                format!(
                    "{name}/{}/{} is read by two sources: its events would be written twice",
                    range.topic, range.partition
                ),
            )
            .hint("name each source once"))
        }
    }
}

fn check_partitions(plan: &Plan) -> Result<()> {
    let (Some(count), Some(topic)) = (plan.target.partitions, &plan.target.topic) else {
        return Ok(());
    };
    let wrong = match plan.partitions {
        PartitionPolicy::Key => None,
        PartitionPolicy::Fixed(partition) => (partition >= count).then_some(partition),
        PartitionPolicy::Same => plan
            .sources
            .iter()
            .flat_map(|s| &s.ranges)
            .map(|r| r.partition)
            .find(|partition| *partition >= count),
    };
    match wrong {
        None => Ok(()),
        Some(partition) => Err(Error::new(
            ErrorKind::Usage,
            format!("{topic} has no partition {partition}: it has {count}, counted from 0"),
        )
        .hint("let the key choose with --partitions key, or name one that is there")),
    }
}

fn check_capabilities(plan: &Plan, can: Capabilities) -> Result<()> {
    let unsupported = |what: &str, hint: &str| {
        Err(Error::new(ErrorKind::Unsupported, format!("{} {what}", can.adapter)).hint(hint))
    };
    if !can.write {
        return unsupported(
            "cannot be written to",
            "`evtap brokers` shows which adapters can",
        );
    }
    if plan.timestamps != TimestampPolicy::Now && !can.keeps_timestamp {
        return unsupported(
            "gives every event its own timestamp",
            "leave --timestamps out: the original goes into the header evtap-time",
        );
    }
    if plan.provenance && !can.headers {
        return unsupported(
            "has no headers to write the provenance into",
            "give --no-provenance",
        );
    }
    Ok(())
}
