//! The flags that commands share, and the list of commands. Each command's own flags stand in its
//! file.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};

use super::position::Pos;
use super::{
    apply, brokers, check, completions, config, demo, expect, keys, lag, man, open, position, read,
    record, replay_args, schema, search, state, tail, themes, topics, trace, units, verify,
};
use crate::event::Timestamp;

/// Inspect and replay the events of Kafka, Redis Streams and other brokers
#[derive(Debug, Parser)]
#[command(
    name = "evtap",
    version = super::version::SHORT,
    long_version = super::version::long(),
    arg_required_else_help = true,
    disable_help_subcommand = true,
    max_term_width = 100,
    after_help = super::examples::EVTAP,
    after_long_help = super::examples::evtap_long()
)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    /// Without one: the screen, on the contexts of the config or on the embedded demo.
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    Open(open::Open),
    Topics(topics::Topics),
    Read(read::Read),
    Tail(tail::Tail),
    Check(check::Check),
    Trace(trace::Trace),
    Record(record::Record),
    Replay(Box<replay_args::Replay>),
    Apply(apply::Apply),
    Verify(verify::Verify),
    Lag(lag::Lag),
    State(Box<state::State>),
    Expect(Box<expect::Expect>),
    Bisect(Box<search::bisect::Bisect>),
    Minimize(Box<search::minimize::Minimize>),
    Schema(schema::Schema),
    Demo(demo::Demo),
    Brokers(brokers::Brokers),
    Keys(keys::Keys),
    Themes(themes::Themes),
    Config(config::Config),
    Completions(completions::Completions),
    Man(man::Man),
}

#[derive(Debug, Args)]
#[command(next_help_heading = "Global options")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags are booleans, and clap wants them as fields"
)]
pub struct Global {
    /// Config file; without it `$EVTAP_CONFIG`, then evtap/config.toml in the config folder
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Client property of the broker, for example security.protocol=SSL; repeatable
    #[arg(short = 'X', global = true, value_name = "KEY=VALUE", value_parser = property)]
    pub property: Vec<(String, String)>,
    /// Pin the decoders: key=FORMAT,value=FORMAT of auto, detect, json, text, binary, avro, protobuf
    #[arg(long, global = true, value_name = "LIST", value_parser = crate::schema::Pins::parse)]
    pub decode: Option<crate::schema::Pins>,
    /// Schemas to check events by: a registry's URL, an `AsyncAPI` document, or a folder of
    /// TOPIC.json, TOPIC.avsc, TOPIC.proto, TOPIC/EVENTTYPE.json; demo: names the demo's own
    #[arg(long, global = true, value_name = "WHERE")]
    pub schemas: Option<String>,
    /// Let JSON Schema's `format` be a rule; it is a remark otherwise
    #[arg(long, global = true)]
    pub formats: bool,
    /// Model of the sagas in the events (YAML or TOML): what must follow what; demo: is the demo's
    #[arg(long, global = true, value_name = "FILE")]
    pub saga: Option<String>,
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub color: ColorWhen,
    /// Theme of the screens; `evtap themes` lists them
    #[arg(long, global = true, value_name = "NAME")]
    pub theme: Option<String>,
    /// Draw with ASCII only
    #[arg(long, global = true)]
    pub ascii: bool,
    /// Buffer budget of the whole tool
    #[arg(long, global = true, value_name = "SIZE", default_value = "256MiB", value_parser = units::memory)]
    pub mem: usize,
    /// Refuse every write
    #[arg(long, global = true)]
    pub read_only: bool,
    /// Write the log, the client library's lines included, to this file
    #[arg(long, global = true, value_name = "FILE")]
    pub log: Option<PathBuf>,
    /// The clock of ages [default: the wall clock; the demo's and a capture's own]
    #[arg(long, global = true, value_name = "TIME", value_parser = position::now)]
    pub now: Option<Timestamp>,
    /// Time zone of times in text, an IANA name or local [default: UTC]
    #[arg(long, global = true, value_name = "ZONE")]
    pub tz: Option<String>,
    /// Say only what failed
    #[arg(short, long, global = true)]
    pub quiet: bool,
    /// Say more
    #[arg(short, long, global = true, conflicts_with = "quiet")]
    pub verbose: bool,
}

fn property(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE, for example security.protocol=SSL".to_owned()),
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColorWhen {
    /// On a terminal, unless `NO_COLOR` is set
    Auto,
    Always,
    Never,
}

/// What is read, the same for every command that reads.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Selecting events")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags are booleans, and clap wants them as fields"
)]
pub struct Select {
    /// Where to begin: start, end, N, -N, a time, an age (-15m), stored:GROUP
    #[arg(long, value_name = "POS", allow_hyphen_values = true, value_parser = Pos::parse)]
    pub from: Option<Pos>,
    /// Where to end, exclusive: the same forms
    #[arg(long, value_name = "POS", allow_hyphen_values = true, value_parser = Pos::parse)]
    pub until: Option<Pos>,
    /// Only this partition; repeatable
    #[arg(short, long = "partition", value_name = "N")]
    pub partitions: Vec<u32>,
    /// Only events with exactly this key; repeatable
    #[arg(short, long = "key", value_name = "KEY")]
    pub keys: Vec<String>,
    /// Regex over key, value and headers; repeatable, all must match
    #[arg(short, long, value_name = "REGEX", allow_hyphen_values = true)]
    pub grep: Vec<String>,
    /// Let --grep ignore case
    #[arg(short, long)]
    pub ignore_case: bool,
    /// Let --grep take its text literally
    #[arg(short = 'F', long)]
    pub fixed_strings: bool,
    /// jq expression over the event object that must be truthy; repeatable, all must hold
    #[arg(
        short = 'w',
        long = "where",
        value_name = "JQ",
        allow_hyphen_values = true
    )]
    pub where_: Vec<String>,
    /// What the screen's filter bar takes: words, "phrases", /regex/i, topic: key: partition:,
    /// -leave-out, or jq from . or ( on; repeatable, all must hold
    #[arg(long = "filter", value_name = "TEXT", allow_hyphen_values = true)]
    pub filters: Vec<String>,
    /// Stop after N events that match
    #[arg(short = 'n', long, value_name = "N")]
    pub limit: Option<u64>,
    /// Only the newest N events that match, in order
    #[arg(long, value_name = "N")]
    pub last: Option<usize>,
    /// Give up after this long without an event
    #[arg(long, value_name = "DUR", value_parser = units::duration)]
    pub idle: Option<Duration>,
    /// Give up after this long in all
    #[arg(long, value_name = "DUR", value_parser = units::duration)]
    pub timeout: Option<Duration>,
    /// Print how the selection will run, and read nothing
    #[arg(long)]
    pub explain: bool,
    /// Exit with 1 when nothing matched
    #[arg(long)]
    pub fail_empty: bool,
    /// Write the closing summary as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub summary: Option<PathBuf>,
}

/// How events are printed.
#[derive(Debug, Args)]
#[command(next_help_heading = "Output")]
pub struct Output {
    /// text, jsonl, json, csv, raw or template=TEXT
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: String,
    /// Print the outputs of this jq expression instead of the event
    #[arg(long, value_name = "JQ", allow_hyphen_values = true)]
    pub map: Option<String>,
}
