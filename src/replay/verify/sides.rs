//! The two sides of a verification as they are read: the source in the windows of a ledger, the
//! target from where it ended when the plan was made, and what retention took from either.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::ledger::{Lane, Ledger};
use crate::broker::{
    Broker, Notices, PartitionRange, Range, Result, Subscription, TopicInfo, TopicSelector,
};
use crate::event::{Position, PositionStyle, Select};
use crate::pipeline::{Consumer, End, Input, Limits, Reading, StopWhenBegun, Ticker, run};
use crate::replay::Part;
use crate::replay::alter::Means;
use crate::replay::plan::{PartitionPolicy, Plan};

/// A transaction that nobody ends is given up after a minute at most, by what our own ask for.
const DECIDED_WITHIN: Duration = Duration::from_secs(75);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Both sides, opened.
pub struct Sides<'a> {
    pub plan: &'a Plan,
    /// The plan's selection, its ranges frozen.
    pub reading: &'a Reading,
    pub target: &'a Arc<dyn Broker>,
    /// What the plan's alterations are done with.
    pub means: &'a Means,
    /// For people.
    pub shown: &'a str,
    /// The run was to end before the selection does: each partition is looked at up to its last
    /// copy.
    pub cut_short: bool,
    /// Partitions of the sources that others see to: they are not looked at, where each copy says
    /// where it came from.
    pub elsewhere: &'a [Part],
    /// Bytes that may be remembered at a time.
    pub memory: usize,
    pub notices: Notices,
}

/// How the read of one side ended.
pub(super) enum Pass {
    Whole,
    /// The consumer had enough.
    Full,
    /// The reason.
    Broken(String),
    Interrupted,
}

impl Pass {
    fn of(end: End) -> Self {
        match end {
            End::Complete | End::Limit => Self::Whole,
            End::Closed => Self::Full,
            End::Interrupted => Self::Interrupted,
            End::Failed(error) => Self::Broken(error.to_string()),
            // No limits were given.
            End::Idle | End::Timeout => Self::Broken("it ended before its time".to_owned()),
        }
    }

    /// Notes that the side could not be read to its end. True when the user ended it.
    pub(super) fn note(&self, side: &str, notes: &mut Vec<String>) -> bool {
        if let Self::Broken(why) = self {
            notes.push(format!("the {side} could not be read to its end: {why}"));
        }
        matches!(self, Self::Interrupted)
    }

    pub(super) const fn is_broken(&self) -> bool {
        matches!(self, Self::Broken(_))
    }
}

/// The user's hands on a verification.
pub(super) struct Hands<'a> {
    pub stop: StopWhenBegun<'a>,
    pub ticker: &'a mut dyn Ticker,
}

impl Sides<'_> {
    /// Each copy goes into the partition that its original has.
    pub(super) fn keeps_partitions(&self) -> bool {
        self.plan.partitions == PartitionPolicy::Same
    }

    pub(super) async fn read_inputs(
        &self,
        inputs: Vec<Input>,
        limits: Limits,
        hands: &mut Hands<'_>,
        consumer: &mut dyn Consumer,
    ) -> Result<Pass> {
        let narrowed = Reading {
            query: self.reading.query.clone(),
            inputs,
            limits,
            last: self.reading.last,
            follow: false,
        };
        let outcome = narrowed.run(hands.stop, consumer, hands.ticker).await?;
        Ok(Pass::of(outcome.end))
    }

    /// The sources, with `[from, to)` of each lane.
    pub(super) fn narrowed(&self, windows: &[(Position, Position)], ledger: &Ledger) -> Vec<Input> {
        let sources = self.reading.inputs.iter().zip(&self.plan.sources);
        sources
            .map(|(input, source)| {
                let ranges = source.ranges.iter().map(|range| {
                    let lane = ledger.find(&source.name, &range.topic, range.partition);
                    let window = lane.and_then(|lane| windows.get(lane));
                    let (from, to) = window.copied().unwrap_or_default();
                    let start = range.start.max(from).min(range.end);
                    PartitionRange {
                        start,
                        end: range.end.min(to).max(start),
                        ..range.clone()
                    }
                });
                Input {
                    address: input.address.clone(),
                    shown: input.shown.clone(),
                    broker: input.broker.clone(),
                    sub: Subscription {
                        range: Range::Frozen(ranges.collect()),
                        follow: false,
                        raw: false,
                        ..input.sub.clone()
                    },
                    origin: input.origin,
                }
            })
            .collect()
    }

    /// The range of the target that this plan can have written to, and what is gone of it.
    pub(super) async fn target_range(&self, notes: &mut Vec<String>) -> Result<Range> {
        let Some(topic) = &self.plan.target.topic else {
            return Ok(Range::default());
        };
        let found = self.target.topics(&TopicSelector::one(topic)).await?;
        let found: Vec<&TopicInfo> = found.iter().filter(|t| t.name == *topic).collect();
        let mut ranges = Vec::new();
        for info in found {
            for partition in &info.partitions {
                let start = self.plan.target.end_of(partition.partition);
                let place = format!("{topic}/{}", partition.partition);
                let dense = info.style == PositionStyle::Offset;
                if dense && partition.first > start {
                    notes.push(format!(
                        "retention has passed part of the target: {place} begins at {}, and was \
                         written to from {} on",
                        partition.first.display(info.style),
                        start.display(info.style)
                    ));
                }
                if partition.end < start {
                    notes.push(format!(
                        "{place} of the target ends at {} and was at {} when the plan was made: \
                         it was made anew",
                        partition.end.display(info.style),
                        start.display(info.style)
                    ));
                }
                let start = start.min(partition.end);
                let start = if dense {
                    start.max(partition.first)
                } else {
                    start
                };
                ranges.push(PartitionRange {
                    topic: topic.clone(),
                    partition: partition.partition,
                    style: info.style,
                    start,
                    end: partition.end.max(start),
                });
            }
        }
        Ok(Range::Frozen(ranges))
    }

    /// Waits until what stands in the range is decided: a host that died may have left a
    /// transaction open, which the target gives up after a while, and nobody reads past before
    /// that. What is not decided in time, the read tells.
    pub(super) async fn wait_until_decided(&self, range: &Range, stop: StopWhenBegun<'_>) {
        let (Some(topic), Range::Frozen(ranges)) = (&self.plan.target.topic, range) else {
            return;
        };
        let sub = self.target_sub(TopicSelector::one(topic), Range::default());
        let mut stop = stop();
        let deadline = Instant::now() + DECIDED_WITHIN;
        let mut told = false;
        // Who cannot tell has nothing to wait for.
        while let Ok(now) = self.target.resolve(&sub).await {
            let is_behind = |range: &PartitionRange| {
                let mut same = now.iter().filter(|r| r.partition == range.partition);
                same.any(|r| r.end < range.end)
            };
            if !ranges.iter().any(is_behind) || Instant::now() >= deadline {
                return;
            }
            if !std::mem::replace(&mut told, true) {
                self.notices.tell(
                    "a transaction is open on the target: waiting until it ends or is given up",
                );
            }
            tokio::select! {
                () = stop.stopped() => return,
                () = sleep(LOOK_EVERY) => {}
            }
        }
    }

    fn target_sub(&self, topics: TopicSelector, range: Range) -> Subscription {
        Subscription {
            range,
            notices: self.notices.clone(),
            ..Subscription::all_of(topics, self.memory / 4)
        }
    }

    pub(super) async fn read_target(
        &self,
        range: &Range,
        select: Arc<dyn Select>,
        hands: &mut Hands<'_>,
        consumer: &mut dyn Consumer,
    ) -> Result<Pass> {
        let topics = self.plan.target.topic.as_deref();
        let topics = topics.map_or_else(TopicSelector::all, TopicSelector::one);
        let sub = Subscription {
            select,
            ..self.target_sub(topics, range.clone())
        };
        let cannot = || format!("cannot read {}", self.shown);
        let source = self.target.source(&sub).await;
        let mut source = source.map_err(|error| error.on(cannot()))?;
        let stop = (hands.stop)();
        let limits = Limits::default();
        let outcome = run(&mut *source, consumer, limits, stop, hands.ticker).await;
        Ok(Pass::of(outcome.end))
    }

    /// Where retention has come to in the partitions that are read. What it took is a note; where
    /// positions are not dense, only copies of events that are gone can tell that it took any.
    pub(super) async fn note_retention(
        &self,
        ledger: &mut Ledger,
        notes: &mut Vec<String>,
    ) -> Result<()> {
        if ledger.is_known() {
            return Ok(());
        }
        for (input, source) in self.reading.inputs.iter().zip(&self.plan.sources) {
            let mut topics: Vec<&Arc<str>> = source.ranges.iter().map(|r| &r.topic).collect();
            topics.dedup();
            let mut found = Vec::new();
            for topic in topics {
                found.extend(input.broker.topics(&TopicSelector::one(topic)).await?);
            }
            for range in source.ranges.iter().filter(|r| r.start < r.end) {
                let topic = found.iter().find(|t| t.name == range.topic);
                let partitions = topic.map_or(&[][..], |t| &t.partitions);
                let there = partitions.iter().find(|p| p.partition == range.partition);
                let lane = ledger.find(&source.name, &range.topic, range.partition);
                let lane = lane.and_then(|lane| ledger.lanes.get_mut(lane));
                // What was noted while it was read needs no source any more.
                if let (Some(lane), Some(there)) = (lane.filter(|lane| !lane.known), there) {
                    note_first(lane, range, there.first, input.begins(range), notes);
                    note_end(lane, range, there.end, notes);
                }
            }
        }
        Ok(())
    }
}

/// `accepted` is where the run began to read: the user knew of a gap before it.
fn note_first(
    lane: &mut Lane,
    range: &PartitionRange,
    first: Position,
    accepted: Position,
    notes: &mut Vec<String>,
) {
    if first <= range.start || first <= lane.first {
        return;
    }
    lane.first = first;
    if range.style == PositionStyle::Offset && first > accepted {
        notes.push(format!(
            "retention has passed part of the source: {} begins at {}, and the plan at {}",
            lane.name,
            first.display(range.style),
            range.start.display(range.style)
        ));
    }
}

fn note_end(lane: &Lane, range: &PartitionRange, end: Position, notes: &mut Vec<String>) {
    let note = format!(
        "the source was made anew or cut: {} ends at {}, and the plan reads up to {}",
        lane.name,
        end.display(range.style),
        range.end.display(range.style)
    );
    if end < range.end && !notes.contains(&note) {
        notes.push(note);
    }
}
