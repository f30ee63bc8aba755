//! Plan, groups and counts of a redrive as lines for a person. Names from events and servers are
//! made visible.

use super::job::{Job, Ran};
use super::tally::{Fate, Group, Tally};
use crate::text::{Visible, human};

/// Groups that are shown.
const SHOWN: usize = 20;

impl Job {
    pub fn describe(&self) -> Vec<String> {
        let plan = &self.plan;
        let mut lines = vec![format!("plan {}", plan.id())];
        for source in &plan.sources {
            lines.push(format!("  from    {}", Visible(&source.place.shown())));
            let of = source.ranges.iter().filter(|range| range.start < range.end);
            lines.extend(of.map(|r| {
                let (start, end) = (r.start.display(r.style), r.end.display(r.style));
                format!(
                    "          {} {} [{start}, {end})",
                    Visible(&r.topic),
                    r.partition
                )
            }));
        }
        lines.extend(
            plan.selection
                .iter()
                .map(|part| format!("  select  {}", Visible(part))),
        );
        let picks = plan.rules.picks.texts();
        lines.extend(
            picks
                .iter()
                .map(|pick| format!("  reason  {}", Visible(pick))),
        );
        for (place, endpoint) in plan.destinations.iter().zip(&self.endpoints) {
            let production = endpoint.env.as_deref() == Some("prod");
            let mark = if production { " (prod)" } else { "" };
            lines.push(format!("  to      {}{mark}", Visible(&place.shown())));
        }
        lines.extend(
            self.targets
                .iter()
                .map(|target| format!("          {}", Visible(&target.topic))),
        );
        let parked = plan.parked.as_deref();
        lines.push(format!(
            "  parked  {}",
            parked.map_or_else(
                || "stay where they are".to_owned(),
                |to| Visible(to).to_string()
            )
        ));
        lines.push(format!(
            "  write   into the partition that each came from, else by key · timestamps now · {} · {}",
            if plan.rules.keep_headers {
                "all headers"
            } else {
                "without the headers of the failure"
            },
            plan.pace
        ));
        lines
    }
}

impl Tally {
    /// The groups, the largest first, and what becomes of them.
    pub fn describe(&self) -> Vec<String> {
        let mut groups: Vec<&Group> = self.groups.iter().collect();
        groups.sort_by_key(|group| std::cmp::Reverse(group.count));
        let mut lines = Vec::new();
        for group in groups.iter().take(SHOWN) {
            lines.extend(group.describe());
        }
        if groups.len() > SHOWN {
            lines.push(format!(
                "and {} more reasons",
                human::count((groups.len() - SHOWN) as u64)
            ));
        }
        for fate in Fate::ALL {
            let count = self.count(fate);
            if count > 0 {
                let does = fate.verb();
                lines.push(format!(
                    "  {does:<7} {} {}",
                    human::count(count),
                    fate.reason()
                ));
            }
        }
        lines
    }

    /// `3 found, 2 redriven, 1 parked`
    pub fn summary(&self) -> String {
        let left = match self.left() {
            0 => String::new(),
            left => format!(", {} left", human::count(left)),
        };
        format!(
            "{} found, {} redriven, {} parked{left}",
            human::count(self.found),
            human::count(self.redriven()),
            human::count(self.parked())
        )
    }
}

impl Group {
    fn describe(&self) -> Vec<String> {
        let mut lines = vec![format!(
            "{:>6}  {}",
            human::count(self.count),
            Visible(&self.reason)
        )];
        if let (Some(first), Some(last)) = (self.first, self.last) {
            lines.push(format!("        {first} to {last}"));
        }
        lines.push(format!("        {}", Visible(&self.sample)));
        let fates = Fate::ALL
            .into_iter()
            .filter(|fate| self.count_of(*fate) > 0);
        let fates: Vec<String> = fates
            .map(|fate| format!("{} {}", human::count(self.count_of(fate)), fate.verb()))
            .collect();
        lines.push(format!("        {}", fates.join(", ")));
        lines
    }
}

impl Ran {
    /// What is promised.
    pub const GUARANTEE: &'static str = "at least once: run again after an interruption, and what \
        is there already is left alone; what was under way when it ended can be there twice";

    /// What is stored for sure, where that is not all.
    pub fn describe(&self, places: &[String]) -> Vec<String> {
        let mut lines = Vec::new();
        for (place, sent) in places.iter().zip(&self.sent) {
            let unsure = sent.sent - sent.acknowledged.min(sent.sent) + sent.in_doubt;
            if unsure > 0 {
                lines.push(format!(
                    "  {}: {} stored for sure; {} more may be there or not",
                    Visible(place),
                    human::count(sent.acknowledged),
                    human::count(unsure)
                ));
            } else if sent.sent > 0 {
                lines.push(format!(
                    "  {}: {} stored",
                    Visible(place),
                    human::count(sent.acknowledged)
                ));
            }
        }
        lines.push(format!("  promise {}", Self::GUARANTEE));
        lines
    }
}
