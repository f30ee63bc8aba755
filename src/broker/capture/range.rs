//! What a file holds of each partition, and the freezing of a subscription's bounds against it.
//! Where a time or the last N begin is asked of the format.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::broker::topic::PartitionInfo;
use crate::broker::{
    Bound, Error, ErrorKind, PartitionRange, Range, Result, Subscription, TopicInfo, TopicSelector,
};
use crate::event::{Position, Stream, Timestamp};

/// What a file holds of one partition: `[first, end)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) stream: Stream,
    pub(super) first: Position,
    pub(super) end: Position,
    pub(super) events: u64,
    /// The greatest timestamp.
    pub(super) last_time: Option<Timestamp>,
}

/// A bound for which the file must be looked into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Wanted {
    /// The first event at or after this time.
    Time(Timestamp),
    /// The event that has this many before it in its partition.
    Nth(u64),
}

/// The positions of `[start, end)` to read of one stream of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Window {
    pub(super) start: Position,
    pub(super) end: Position,
}

impl Window {
    pub(super) const ALL: Self = Self {
        start: Position::ZERO,
        end: Position::MAX,
    };

    pub(super) fn holds(&self, position: Position) -> bool {
        self.start <= position && position < self.end
    }
}

/// The streams that the subscription takes, as indices into `held`. A topic that is named and not
/// there is an error, and so is a partition that no topic has.
pub(super) fn choose(
    held: &[Held],
    topics: &TopicSelector,
    partitions: &[u32],
) -> Result<Vec<usize>> {
    for name in topics.names() {
        if !held.iter().any(|h| &*h.stream.topic == name) {
            return Err(Error::new(
                ErrorKind::MissingTopic,
                format!("the file holds no topic '{name}'"),
            )
            .hint("`evtap topics FILE` lists what it holds"));
        }
    }
    let taken = |h: &Held| topics.takes(&h.stream.topic, false);
    for &number in partitions {
        if !held
            .iter()
            .any(|h| taken(h) && h.stream.partition == number)
        {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("no topic of the file has a partition {number}"),
            )
            .hint("`evtap topics FILE` lists the partitions"));
        }
    }
    Ok((0..held.len())
        .filter(|&i| {
            let number = held[i].stream.partition;
            taken(&held[i]) && (partitions.is_empty() || partitions.contains(&number))
        })
        .collect())
}

/// Freezes the bounds of a subscription. `look` finds the first position in the stream `index` of
/// `held` that is wanted, if there is one.
pub(super) fn freeze(
    held: &[Held],
    sub: &Subscription,
    mut look: impl FnMut(usize, Wanted) -> Result<Option<Position>>,
) -> Result<Vec<PartitionRange>> {
    let (from, until) = match &sub.range {
        Range::Frozen(rows) => return Ok(rows.clone()),
        Range::Bounds { from, until } => (from, until),
    };
    let mut rows = Vec::new();
    for index in choose(held, &sub.topics, &sub.partitions)? {
        let of = &held[index];
        let start = place(of, from, |wanted| look(index, wanted))?;
        let end = if sub.follow {
            of.end
        } else {
            place(of, until, |wanted| look(index, wanted))?
        };
        rows.push(PartitionRange {
            topic: of.stream.topic.clone(),
            partition: of.stream.partition,
            style: of.stream.style,
            start,
            end: end.max(start),
        });
    }
    rows.sort_by(|a, b| (&a.topic, a.partition).cmp(&(&b.topic, b.partition)));
    Ok(rows)
}

fn place(
    held: &Held,
    bound: &Bound,
    look: impl FnOnce(Wanted) -> Result<Option<Position>>,
) -> Result<Position> {
    Ok(match bound {
        Bound::Start => held.first,
        Bound::End | Bound::Last(0) => held.end,
        Bound::At(position) => (*position).clamp(held.first, held.end),
        // Of the events that there are: a filtered recording has holes, which nobody asked for.
        Bound::Last(n) if *n >= held.events => held.first,
        Bound::Last(n) => look(Wanted::Nth(held.events - n))?.unwrap_or(held.end),
        Bound::Time(time) => look(Wanted::Time(*time))?.unwrap_or(held.end),
        Bound::Group(group) => return Err(no_groups(group)),
    })
}

pub(super) fn no_groups(group: &str) -> Error {
    Error::new(
        ErrorKind::Unsupported,
        format!("a file has no consumer groups (stored:{group})"),
    )
    .hint("give --from as an offset, a time or an age")
}

/// The window of each stream of `held`, `None` for those that are not read. A frozen row for a
/// partition that the file does not have is an error, unless it is empty.
pub(super) fn windows(held: &[Held], rows: &[PartitionRange]) -> Result<Vec<Option<Window>>> {
    let mut windows = vec![None; held.len()];
    for row in rows {
        let found = held.iter().position(|h| {
            h.stream.topic == row.topic
                && h.stream.partition == row.partition
                && h.stream.style == row.style
        });
        match found {
            Some(index) => {
                windows[index] = Some(Window {
                    start: row.start,
                    end: row.end,
                });
            }
            None if row.start >= row.end => {}
            None => {
                return Err(Error::new(
                    ErrorKind::MissingTopic,
                    format!("the file holds no {}/{}", row.topic, row.partition),
                )
                .hint("was it replaced since the range was frozen?"));
            }
        }
    }
    Ok(windows)
}

/// The rows of `topics`.
pub(super) fn topics(held: &[Held], which: &TopicSelector) -> Result<Vec<TopicInfo>> {
    let mut found: BTreeMap<Arc<str>, TopicInfo> = BTreeMap::new();
    for index in choose(held, which, &[])? {
        let of = &held[index];
        let topic = found
            .entry(of.stream.topic.clone())
            .or_insert_with(|| TopicInfo {
                name: of.stream.topic.clone(),
                internal: false,
                style: of.stream.style,
                partitions: Vec::new(),
            });
        topic.partitions.push(PartitionInfo {
            partition: of.stream.partition,
            first: of.first,
            end: of.end,
            events: Some(of.events),
        });
    }
    let mut topics: Vec<TopicInfo> = found.into_values().collect();
    for topic in &mut topics {
        topic.partitions.sort_by_key(|p| p.partition);
    }
    Ok(topics)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::PositionStyle;

    fn held() -> Vec<Held> {
        vec![Held {
            stream: Stream {
                topic: "orders".into(),
                partition: 2,
                style: PositionStyle::Offset,
            },
            first: Position::offset(10),
            end: Position::offset(20),
            events: 8,
            last_time: None,
        }]
    }

    fn sub(from: Bound, until: Bound) -> Subscription {
        Subscription {
            range: Range::Bounds { from, until },
            ..Subscription::all_of(TopicSelector::all(), 1 << 20)
        }
    }

    fn frozen(from: Bound, until: Bound) -> (u64, u64) {
        let rows = freeze(&held(), &sub(from, until), |index, wanted| {
            assert_eq!(index, 0);
            Ok(match wanted {
                Wanted::Nth(n) => Some(Position::offset(11 + n)),
                Wanted::Time(Timestamp(t)) => (t < 100).then(|| Position::offset(15)),
            })
        })
        .unwrap();
        (rows[0].start.major, rows[0].end.major)
    }

    #[test]
    fn every_kind_of_bound_becomes_a_position() {
        let at = |n| Bound::At(Position::offset(n));
        for (from, until, range) in [
            (Bound::Start, Bound::End, (10, 20)),
            (at(0), at(15), (10, 15)),
            (at(18), at(12), (18, 18)),
            (at(99), Bound::End, (20, 20)),
            (Bound::Last(3), Bound::End, (16, 20)),
            (Bound::Last(0), Bound::End, (20, 20)),
            (Bound::Last(80), Bound::End, (10, 20)),
            (Bound::Time(Timestamp(5)), Bound::End, (15, 20)),
            (Bound::Time(Timestamp(500)), Bound::End, (20, 20)),
            (Bound::Start, Bound::Time(Timestamp(5)), (10, 15)),
        ] {
            assert_eq!(
                frozen(from.clone(), until.clone()),
                range,
                "{from:?} {until:?}"
            );
        }
    }

    #[test]
    fn what_the_file_does_not_hold_is_an_error() {
        let group = freeze(
            &held(),
            &sub(Bound::Group("g".into()), Bound::End),
            |_, _| Ok(None),
        );
        assert_eq!(group.unwrap_err().kind, ErrorKind::Unsupported);
        let topic = choose(&held(), &TopicSelector::one("payments"), &[]);
        assert_eq!(topic.unwrap_err().kind, ErrorKind::MissingTopic);
        let partition = choose(&held(), &TopicSelector::all(), &[7]);
        assert_eq!(partition.unwrap_err().kind, ErrorKind::Usage);
        assert!(
            choose(&held(), &TopicSelector::parse("pay*").unwrap(), &[])
                .unwrap()
                .is_empty()
        );
    }
}
