//! What a run did, and whether the counts agree, in words.

use super::{partition_lines, skip_lines};
use crate::replay::{Report, Verification};
use crate::text::{Visible, human};

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
        let rejects = self.rejects.iter().map(|path| path.display().to_string());
        lines.extend(rejects.map(|path| format!("  rejects are in {}", Visible(&path))));
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

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::replay::Tally;

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
            rejects: None,
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
