//! Plan, preview and report as lines for a person. Names from events and servers are made visible.

use std::collections::BTreeMap;

use super::plan::{PartitionPolicy, Plan, TimestampPolicy};
use super::{Pace, Preview, Report, Sample, Tally, Verification};
use crate::text::{Visible, human};

/// More rows than this are summed up.
const ROWS: usize = 16;
/// Characters of a sample's key and value.
const SAMPLE_CHARS: usize = 60;
/// Bars of the histogram.
const BARS: usize = 24;

impl Plan {
    pub fn describe(&self) -> Vec<String> {
        let mut lines = vec![format!("plan {}", self.id())];
        for source in &self.sources {
            lines.push(format!("  from    {}", Visible(&source.place.shown())));
            if source.ranges.is_empty() {
                lines.push("          all that comes".to_owned());
            }
            let mut topics: BTreeMap<&str, Vec<String>> = BTreeMap::new();
            for range in &source.ranges {
                topics.entry(&range.topic).or_default().push(format!(
                    "{} [{}, {})",
                    range.partition,
                    range.start.display(range.style),
                    range.end.display(range.style)
                ));
            }
            for (topic, ranges) in topics {
                let more = ranges.len().saturating_sub(ROWS);
                let shown = ranges.iter().take(ROWS).cloned().collect::<Vec<_>>();
                let more = match more {
                    0 => String::new(),
                    more => format!(" and {more} more"),
                };
                let shown = shown.join(" ");
                lines.push(format!("          {} {shown}{more}", Visible(topic)));
            }
        }
        for (flag, value) in self.selection.flags() {
            let value = value.map_or_else(String::new, |value| format!(" {value}"));
            lines.push(format!("  select  {flag}{}", Visible(&value)));
        }
        lines.push(format!("  to      {}", self.target_line()));
        lines.push(format!("  write   {}", self.manner()));
        lines.push(format!("  guards  {}", self.guard_line()));
        lines
    }

    fn target_line(&self) -> String {
        let target = &self.target;
        let place = target.place.shown();
        let place = Visible(&place);
        match (&target.topic, target.partitions) {
            (Some(topic), Some(partitions)) => format!(
                "{} with {partitions} {}{} on {place}",
                Visible(topic),
                if partitions == 1 {
                    "partition"
                } else {
                    "partitions"
                },
                if target.create {
                    ", to be created,"
                } else {
                    ""
                }
            ),
            _ if target.overwrite => format!("{place}, replaced if it is there"),
            _ => place.to_string(),
        }
    }

    fn manner(&self) -> String {
        let partitions = match self.partitions {
            PartitionPolicy::Same => "each event into the partition that it had".to_owned(),
            PartitionPolicy::Key => "partitions by key".to_owned(),
            PartitionPolicy::Fixed(partition) => format!("all into partition {partition}"),
        };
        let timestamps = match self.timestamps {
            TimestampPolicy::Now => "timestamps now",
            TimestampPolicy::Keep => "timestamps kept",
            TimestampPolicy::Shift => "timestamps shifted, the first is now",
        };
        let provenance = if self.provenance {
            "provenance headers"
        } else {
            "NO provenance headers"
        };
        format!("{partitions} · {timestamps} · {provenance} · {}", self.pace)
    }

    fn guard_line(&self) -> String {
        let guards = &self.guards;
        let mut parts = vec![match guards.max_replays {
            1 => "events replayed before are skipped".to_owned(),
            n => format!("events replayed {n} times are skipped"),
        }];
        if guards.allow_self {
            parts.push("the source topic is allowed as target".to_owned());
        }
        parts.extend(
            guards
                .max_events
                .map(|n| format!("at most {} events", human::count(n))),
        );
        parts.extend(
            guards
                .max_duration
                .map(|d| format!("at most {}", human::duration(d))),
        );
        parts.join(" · ")
    }
}

impl std::fmt::Display for Pace {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Max => f.write_str("as fast as possible"),
            Self::Rate(rate) => write!(f, "{rate} events/s"),
            Self::Speed { factor, max_gap } => {
                write!(f, "{factor}x the recorded speed")?;
                match max_gap {
                    Some(gap) => write!(f, ", gaps at most {}", human::duration(*gap)),
                    None => Ok(()),
                }
            }
        }
    }
}

impl Preview {
    pub fn describe(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "preview: {} of {} events match, {} would be written ({})",
            human::count(self.matched),
            human::count(self.scanned),
            human::count(self.sent()),
            human::size(self.tally.bytes())
        )];
        lines.extend(skip_lines(&self.tally));
        lines.extend(partition_lines(&self.tally));
        if let (Some(earliest), Some(latest)) = (self.earliest, self.latest) {
            lines.push(format!("  time    {earliest} to {latest}"));
            lines.extend(self.bars());
        }
        lines.extend(self.first.iter().map(|s| format!("  first   {s}")));
        // A short selection has the same events at both ends.
        let last = self.last.iter().filter(|s| !self.first.contains(s));
        lines.extend(last.map(|s| format!("  last    {s}")));
        if let Some(expected) = self.expected {
            lines.push(format!("  takes   {}", human::duration(expected)));
        }
        lines
    }

    /// The histogram, in as many bars as fit.
    fn bars(&self) -> Vec<String> {
        let buckets = self.times.buckets();
        let per_bar = buckets.len().div_ceil(BARS).max(1);
        let bars: Vec<_> = buckets
            .chunks(per_bar)
            .filter_map(|c| Some((c.first()?.0, c.iter().map(|(_, n)| n).sum::<u64>())))
            .collect();
        if bars.len() < 2 {
            return Vec::new();
        }
        let most = bars.iter().map(|(_, n)| *n).max().unwrap_or(1).max(1);
        bars.into_iter()
            .map(|(start, count)| {
                let width = (u128::from(count) * 30).div_ceil(u128::from(most));
                let bar = "#".repeat(usize::try_from(width).unwrap_or_default());
                format!("          {start} {bar} {}", human::count(count))
            })
            .collect()
    }
}

impl std::fmt::Display for Sample {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let text = |bytes: &Option<Vec<u8>>| match bytes {
            None => "null".to_owned(),
            Some(bytes) => {
                let text = String::from_utf8_lossy(bytes);
                let cut: String = text.chars().take(SAMPLE_CHARS).collect();
                let mark = if cut.len() < text.len() { "…" } else { "" };
                format!("{}{mark}", Visible(&cut))
            }
        };
        write!(f, "{}", Visible(&self.at))?;
        if let Some(time) = self.time {
            write!(f, " {time}")?;
        }
        write!(f, " {} {}", text(&self.key), text(&self.value))
    }
}

impl Report {
    pub fn describe(&self) -> Vec<String> {
        let millis = self.elapsed.as_millis();
        let rate = match u128::from(self.sent) * 1000 {
            events if events > 0 && millis > 0 => format!(
                " · {} events/s",
                human::count(u64::try_from(events / millis).unwrap_or(u64::MAX))
            ),
            _ => String::new(),
        };
        // What the target has not confirmed is not claimed.
        let unconfirmed = self.sent.saturating_sub(self.acknowledged);
        let did = if unconfirmed > 0 { "sent" } else { "replayed" };
        let mut lines = vec![format!(
            "{did} {} of {} events ({}) in {}{rate}",
            human::count(self.sent),
            human::count(self.tally.read()),
            human::size(self.tally.bytes()),
            human::duration(self.elapsed)
        )];
        lines.extend(skip_lines(&self.tally));
        lines.extend(partition_lines(&self.tally));
        if unconfirmed > 0 {
            lines.push(format!(
                "  stored  {} for sure; {} more may be there or not",
                human::count(self.acknowledged),
                human::count(unconfirmed)
            ));
        }
        if self.in_doubt > 0 {
            lines.push(format!(
                "  stopped while {} more were being sent: they may be there or not",
                human::count(self.in_doubt)
            ));
        }
        if !self.paused.is_zero() {
            lines.push(format!("  paused  {}", human::duration(self.paused)));
        }
        if let Some(late) = self.late {
            lines.push(format!("  drift   at most {}", human::duration(late)));
        }
        lines.extend(self.overall_line());
        lines.push(format!("  promise {}", self.promise));
        lines
    }
}

impl Report {
    /// What this run alone does not tell: earlier runs and other hosts took part.
    fn overall_line(&self) -> Option<String> {
        let all = self.overall?;
        let others = all.counts.copied.saturating_sub(self.acknowledged);
        let mut line = format!(
            "  plan    {} of {} partitions done",
            human::count(all.done as u64),
            human::count(all.partitions as u64)
        );
        if others > 0 {
            line.push_str(" · ");
            line.push_str(&human::count(others));
            line.push_str(" events by earlier runs or other hosts");
        }
        Some(line)
    }
}

impl Verification {
    pub fn describe(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "verified: {} ({})",
            if self.problems.is_empty() {
                "good"
            } else {
                "NOT good"
            },
            self.compared
        )];
        lines.extend(self.problems.iter().map(|p| format!("  {p}")));
        lines
    }
}

fn skip_lines(tally: &Tally) -> impl Iterator<Item = String> + '_ {
    tally
        .skipped()
        .map(|(why, n)| format!("  skip    {} {}", human::count(n), why.reason()))
}

fn partition_lines(tally: &Tally) -> Vec<String> {
    let mut rows: Vec<_> = tally.partitions.iter().filter(|p| p.read > 0).collect();
    rows.sort_by(|a, b| (a.source, &a.topic, a.partition).cmp(&(b.source, &b.topic, b.partition)));
    let mut lines: Vec<String> = rows
        .iter()
        .take(ROWS)
        .map(|p| {
            format!(
                "  part    {}/{}: {} of {} ({})",
                Visible(&p.topic),
                p.partition,
                human::count(p.copied),
                human::count(p.read),
                human::size(p.bytes)
            )
        })
        .collect();
    if rows.len() > ROWS {
        lines.push(format!(
            "          and {} more partitions",
            rows.len() - ROWS
        ));
    }
    lines
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::event::Scanned;
    use crate::pipeline::Consumer;
    use crate::replay::PreviewRun;
    use crate::replay::fake::{batch, event, plan, streams};

    #[test]
    fn a_plan_tells_what_where_and_how() {
        let mut plan = plan();
        plan.selection.where_ = vec!["'.a\u{1b}[2J'".into()];
        plan.target.create = true;
        plan.pace = Pace::speed(10.0, Some(Duration::from_secs(5)));
        plan.guards.max_events = Some(1_000_000);
        let lines = plan.describe();
        let expected = [
            format!("plan {}", plan.id()),
            "  from    kafka://h:9092".to_owned(),
            "          orders 0 [0, 1000) 1 [0, 1000)".to_owned(),
            format!("  select  {}", Visible("--where '.a\u{1b}[2J'")),
            "  to      copy with 2 partitions, to be created, on kafka://t:9092".to_owned(),
            "  write   each event into the partition that it had · timestamps now · provenance \
             headers · 10x the recorded speed, gaps at most 5.0 s"
                .to_owned(),
            "  guards  events replayed before are skipped · at most 1,000,000 events".to_owned(),
        ];
        assert_eq!(lines, expected);
    }

    #[tokio::test]
    async fn no_control_character_of_an_event_reaches_a_preview() {
        let mut hostile = event(0, 1);
        hostile.key = Some(b"\x1b]0;pwned\x07");
        hostile.value = Some("\u{202e}\r\u{9b}2J\u{200b}\n".as_bytes());
        let mut run = PreviewRun::new(&plan());
        run.batch(batch(&streams(), &[hostile])).await.unwrap();
        let lines = run.finish(Scanned::default()).describe();
        assert!(lines.iter().any(|l| l.contains("pwned")), "{lines:?}");
        for line in &lines {
            assert!(!line.contains(crate::text::is_hostile), "{line:?}");
        }
    }

    #[tokio::test]
    async fn many_minutes_become_a_few_bars() {
        let mut run = PreviewRun::new(&plan());
        let events: Vec<_> = (0..200)
            .map(|i| {
                let mut event = event(0, i);
                event.time = Some(i.cast_signed() * 60_000);
                event
            })
            .collect();
        run.batch(batch(&streams(), &events)).await.unwrap();
        let bars = run.finish(Scanned::default()).bars();
        assert!(bars.len() > 1 && bars.len() <= BARS, "{}", bars.len());
    }

    #[test]
    fn a_report_claims_only_what_the_target_confirmed() {
        let mut report = Report {
            plan: String::new(),
            tally: Tally::default(),
            sent: 10,
            in_doubt: 0,
            acknowledged: 10,
            elapsed: Duration::from_secs(2),
            paused: Duration::ZERO,
            late: None,
            failure: None,
            overall: None,
            promise: Report::AT_LEAST_ONCE,
        };
        assert!(report.describe()[0].starts_with("replayed 10 of "));
        report.acknowledged = 4;
        let lines = report.describe();
        assert!(lines[0].starts_with("sent 10 of "), "{lines:?}");
        let stored = "  stored  4 for sure; 6 more may be there or not";
        assert!(lines.contains(&stored.to_owned()), "{lines:?}");
    }
}
