//! The canonical text of a plan: TOML, in one order and one spelling, so that its hash is the
//! plan's. Each fact stands on a line of its own.

use std::fmt::{Display, Write};

use serde::Serialize;

use super::{
    PartitionEnd, PartitionPolicy, Plan, PlanSchema, PlanSelection, PlanSource, TimestampPolicy,
};
use crate::broker::PartitionRange;
use crate::event::{Position, PositionStyle};
use crate::replay::alter::Alterations;
use crate::replay::{Holds, Pace, Place};
use crate::text::is_hostile;

/// The version of the form. It goes up when a field changes its meaning; a plan of another version
/// is refused.
pub(super) const FORMAT: u32 = 1;

impl Plan {
    /// Everything that makes this plan what it is. What stands in no field of it decides nothing.
    pub fn canonical(&self) -> String {
        let mut out = Out(String::new());
        out.pair("format", FORMAT);
        out.text("made", &self.made.to_string());
        for source in &self.sources {
            out.source(source);
        }
        out.selection(&self.selection);
        out.target(self);
        out.section("write");
        match self.partitions {
            PartitionPolicy::Same => out.text("partitions", "same"),
            PartitionPolicy::Key => out.text("partitions", "key"),
            PartitionPolicy::Fixed(number) => out.pair("partitions", number),
        }
        out.text("timestamps", timestamps(self.timestamps));
        out.pair("provenance", self.provenance);
        out.pace(self.pace);
        out.section("guards");
        out.pair("allow_self", self.guards.allow_self);
        out.pair("max_replays", self.guards.max_replays);
        out.some("max_events", self.guards.max_events);
        let most = self.guards.max_duration;
        out.some("max_duration_ms", most.map(|d| d.as_millis()));
        let more = More {
            holds: &self.holds,
            alterations: &self.alterations,
            schemas: &self.schemas,
        };
        // Texts, numbers and lists of them: TOML has a form for each.
        let more = toml::to_string(&more).unwrap_or_default();
        out.line(format_args!("\n{more}"));
        out.0.truncate(out.0.trim_end().len());
        out.line("");
        out.0
    }

    /// The file: the canonical text with its hash in front.
    pub fn to_toml(&self) -> String {
        format!(
            "# A frozen replay, made by evtap {}. `evtap apply FILE` runs it, and again to resume.\n\
             # Do not edit: the id is the SHA-256 of all fields below, and a plan that does not fit\n\
             # its id is refused.\nid = \"{}\"\n{}",
            env!("CARGO_PKG_VERSION"),
            self.long_id(),
            self.canonical()
        )
    }
}

/// What most plans have none of.
#[derive(Serialize)]
struct More<'p> {
    #[serde(skip_serializing_if = "is_nothing")]
    holds: &'p Holds,
    #[serde(skip_serializing_if = "is_nothing")]
    alterations: &'p Alterations,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    schemas: &'p [PlanSchema],
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "serde hands over a reference to the field, which is one"
)]
fn is_nothing<T: Default + PartialEq>(part: &&T) -> bool {
    **part == T::default()
}

const fn timestamps(policy: TimestampPolicy) -> &'static str {
    match policy {
        TimestampPolicy::Now => "now",
        TimestampPolicy::Keep => "keep",
        TimestampPolicy::Shift => "shift",
    }
}

/// TOML that grows.
struct Out(String);

impl Out {
    fn line(&mut self, line: impl Display) {
        // Writing into a String does not fail.
        let written = writeln!(self.0, "{line}");
        debug_assert!(written.is_ok());
    }

    fn section(&mut self, name: &str) {
        self.line(format_args!("\n[{name}]"));
    }

    fn pair(&mut self, name: &str, value: impl Display) {
        self.line(format_args!("{name} = {value}"));
    }

    fn text(&mut self, name: &str, value: &str) {
        self.pair(name, quoted(value));
    }

    fn some(&mut self, name: &str, value: Option<impl Display>) {
        if let Some(value) = value {
            self.pair(name, value);
        }
    }

    fn some_text(&mut self, name: &str, value: Option<&str>) {
        self.some(name, value.map(quoted));
    }

    /// Left out when there is none.
    fn texts(&mut self, name: &str, values: &[String]) {
        if values.is_empty() {
            return;
        }
        self.rows(name, values.iter().map(|v| quoted(v)));
    }

    fn rows(&mut self, name: &str, rows: impl Iterator<Item = String>) {
        self.line(format_args!("{name} = ["));
        for row in rows {
            self.line(format_args!("  {row},"));
        }
        self.line("]");
    }

    /// Left out when it is false, as it is without the flag.
    fn flag(&mut self, name: &str, value: bool) {
        if value {
            self.pair(name, true);
        }
    }

    fn place(&mut self, place: &Place) {
        self.text("broker", &place.address.to_string());
        self.some_text("cluster", place.cluster.as_deref());
    }

    fn source(&mut self, source: &PlanSource) {
        self.line("\n[[sources]]");
        self.text("address", &source.address.to_string());
        self.place(&source.place);
        self.text("name", &source.name);
        self.rows("ranges", source.ranges.iter().map(range));
    }

    fn selection(&mut self, selection: &PlanSelection) {
        self.section("selection");
        self.pair("language", PlanSelection::LANGUAGE);
        self.texts("where", &selection.where_);
        self.texts("filter", &selection.filters);
        self.texts("grep", &selection.grep);
        self.flag("ignore_case", selection.ignore_case);
        self.flag("fixed_strings", selection.fixed);
        self.texts("keys", &selection.keys);
        self.some("limit", selection.limit);
        self.some("last", selection.last);
        self.some_text("decode", selection.decode.as_deref());
        self.some_text("schemas", selection.schemas.as_deref());
        self.flag("formats", selection.formats);
    }

    fn target(&mut self, plan: &Plan) {
        let target = &plan.target;
        self.section("target");
        self.text("address", &target.address.to_string());
        self.place(&target.place);
        self.some_text("topic", target.topic.as_deref());
        self.some("partitions", target.partitions);
        self.pair("create", target.create);
        self.pair("overwrite", target.overwrite);
        if !target.ends.is_empty() {
            self.rows("ends", target.ends.iter().map(end));
        }
    }

    fn pace(&mut self, pace: Pace) {
        self.section("pace");
        match pace {
            Pace::Max => self.text("speed", "max"),
            Pace::Rate(rate) => self.pair("rate", format_args!("{rate:?}")),
            Pace::Speed { factor, max_gap } => {
                self.pair("speed", format_args!("{factor:?}"));
                self.some("max_gap_ms", max_gap.map(|gap| gap.as_millis()));
            }
        }
    }
}

fn range(range: &PartitionRange) -> String {
    format!(
        "{{ topic = {}, partition = {}, start = {}, end = {} }}",
        quoted(&range.topic),
        range.partition,
        position(range.start, range.style),
        position(range.end, range.style)
    )
}

fn end(end: &PartitionEnd) -> String {
    let at = position(end.end, end.style);
    format!("{{ partition = {}, end = {at} }}", end.partition)
}

/// An offset as a number where TOML has one that large; what is no offset has a dash.
fn position(position: Position, style: PositionStyle) -> String {
    let text = position.display(style).to_string();
    match style {
        PositionStyle::Offset if i64::try_from(position.major).is_ok() => text,
        PositionStyle::Offset | PositionStyle::Entry => quoted(&text),
    }
}

/// A basic string on one line; what a terminal could take for an order is escaped.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if is_hostile(c) => {
                let written = match u32::from(c) {
                    code @ 0..=0xffff => write!(out, "\\u{code:04X}"),
                    code => write!(out, "\\U{code:08X}"),
                };
                debug_assert!(written.is_ok());
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
