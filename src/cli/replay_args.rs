//! The flags of `evtap replay`, and what they mean to the engine.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use super::args::{Global, Select};
use super::error::{Failure, Result};
use super::replay_alter::AlterArgs;
use super::{examples, units};
use crate::broker::address::without_password;
use crate::event::Timestamp;
use crate::replay::{Create, Guards, How, Pace, PartitionPolicy, PlanSelection, TimestampPolicy};

/// Replay events into a topic or a file: plan, preview, confirm, run, verify
#[derive(Debug, Args)]
#[command(after_help = examples::REPLAY)]
pub struct Replay {
    /// CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC, a capture file, or - for JSON lines
    #[arg(required = true, value_name = "SOURCE")]
    pub sources: Vec<String>,
    /// Where to: CONTEXT/TOPIC, a URL with one topic, or a capture file
    #[arg(long, value_name = "TARGET")]
    pub to: String,
    #[command(flatten)]
    pub select: Select,
    #[command(flatten)]
    pub how: HowArgs,
    #[command(flatten)]
    pub alter: AlterArgs,
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Replaying")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags are booleans, and clap wants them as fields"
)]
pub struct HowArgs {
    /// Stop after the preview
    #[arg(long)]
    pub dry_run: bool,
    /// Only write the plan into this file, for `evtap apply`
    #[arg(long, value_name = "FILE",
        conflicts_with_all = ["dry_run", "idle", "timeout", "fail_empty", "summary", "explain"])]
    pub plan_out: Option<PathBuf>,
    /// Do not ask; without it a terminal is needed. The preview is left out, unless --max-events,
    /// --max-duration or --timestamps shift need it
    #[arg(long, conflicts_with = "dry_run")]
    pub yes: bool,
    /// same, key, or a partition number [default: same when the counts are equal, else key]
    #[arg(long = "partitions", id = "policy", value_name = "POLICY", value_parser = partitions)]
    pub policy: Option<PartitionPolicy>,
    /// now, keep, or shift (the first event is now, distances kept)
    #[arg(long, value_name = "POLICY", default_value = "now", value_parser = timestamps)]
    pub timestamps: TimestampPolicy,
    /// Make a missing target topic, by default with the source's partitions
    #[arg(long, value_name = "PARTITIONS", num_args = 0..=1, default_missing_value = "source")]
    pub create_topic: Option<String>,
    /// Replace a target file or a plan that exists
    #[arg(long)]
    pub overwrite: bool,
    /// Leave out the headers that tell where an event came from
    #[arg(long)]
    pub no_provenance: bool,
    /// Events a second, or max
    #[arg(long, value_name = "N|max", value_parser = units::rate, conflicts_with = "speed")]
    pub rate: Option<f64>,
    /// As it happened, this many times faster: 1x, 10x, or max
    #[arg(long, value_name = "X", value_parser = units::speed)]
    pub speed: Option<f64>,
    /// With --speed: no wait is longer than this
    #[arg(long, value_name = "DUR", value_parser = units::duration, requires = "speed")]
    pub max_gap: Option<Duration>,
    /// Allow the source topic as the target
    #[arg(long)]
    pub allow_self: bool,
    /// Skip events that were replayed this many times
    #[arg(long, value_name = "N", default_value_t = 1)]
    pub max_replays: u32,
    /// Refuse to write more than this
    #[arg(long, value_name = "N")]
    pub max_events: Option<u64>,
    /// Refuse to take longer than this
    #[arg(long, value_name = "DUR", value_parser = units::duration)]
    pub max_duration: Option<Duration>,
}

fn partitions(text: &str) -> Result<PartitionPolicy, String> {
    match text {
        "same" => Ok(PartitionPolicy::Same),
        "key" => Ok(PartitionPolicy::Key),
        number => number
            .parse()
            .map(PartitionPolicy::Fixed)
            .map_err(|_| format!("'{text}' is none of same, key or a partition number")),
    }
}

fn timestamps(text: &str) -> Result<TimestampPolicy, String> {
    match text {
        "now" => Ok(TimestampPolicy::Now),
        "keep" => Ok(TimestampPolicy::Keep),
        "shift" => Ok(TimestampPolicy::Shift),
        _ => Err(format!("'{text}' is none of now, keep or shift")),
    }
}

impl HowArgs {
    pub(super) fn create(&self) -> Result<Create> {
        match self.create_topic.as_deref() {
            None => Ok(Create::Never),
            Some("source") => Ok(Create::LikeSource),
            Some(number) => number.parse().map(Create::Partitions).map_err(|_| {
                Failure::usage(format!("'{number}' is no number of partitions"))
                    .hint("--create-topic 6, or --create-topic alone")
            }),
        }
    }

    pub(super) fn engine(&self, select: &Select, global: &Global) -> How {
        let pace = match (self.rate, self.speed) {
            (Some(rate), _) => Pace::rate(rate),
            (None, Some(speed)) => Pace::speed(speed, self.max_gap),
            (None, None) => Pace::Max,
        };
        How {
            made: Timestamp::wall_clock(),
            selection: selection(select, global),
            partitions: self.policy,
            timestamps: self.timestamps,
            provenance: !self.no_provenance,
            pace,
            guards: Guards {
                allow_self: self.allow_self,
                max_replays: self.max_replays,
                max_events: self.max_events,
                max_duration: self.max_duration,
            },
            ..How::default()
        }
    }
}

/// The selection as a plan keeps it.
pub(super) fn selection(select: &Select, global: &Global) -> PlanSelection {
    PlanSelection {
        where_: select.where_.clone(),
        filters: select.filters.clone(),
        grep: select.grep.clone(),
        ignore_case: select.ignore_case,
        fixed: select.fixed_strings,
        keys: select.keys.clone(),
        limit: select.limit,
        last: select.last,
        decode: global.decode.map(|pins| pins.to_string()),
        schemas: global.schemas.as_deref().map(without_password),
        formats: global.formats,
    }
}
