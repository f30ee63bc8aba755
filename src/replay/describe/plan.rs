//! A plan in words: from where, what, to where, and how.

use std::collections::BTreeMap;

use super::ROWS;
use crate::replay::Pace;
use crate::replay::plan::{PartitionPolicy, Plan, TimestampPolicy};
use crate::text::{Visible, human};

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
        let altered = self.alterations.describe();
        lines.extend(
            altered
                .iter()
                .map(|(what, how)| format!("  {what:<7} {}", Visible(how))),
        );
        let rows = self.schemas.iter().take(ROWS).map(ToString::to_string);
        lines.extend(rows.map(|row| format!("  schema  {}", Visible(&row))));
        if self.schemas.len() > ROWS {
            let more = self.schemas.len() - ROWS;
            lines.push(format!("          and {more} more"));
        }
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
        let holds = &self.holds;
        let canary = holds.canary.iter();
        parts.extend(canary.map(|n| format!("waits after {} events", human::count(*n))));
        let conditions = holds.pause_if.iter();
        parts.extend(conditions.map(|c| format!("pauses while {}", Visible(&c.to_string()))));
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::replay::fake::plan;

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
}
