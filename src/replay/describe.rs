//! Plan, preview and report as lines for a person. Names from events and servers are made visible.
//! What several of them tell is here.

mod plan;
mod preview;
mod report;

use super::Tally;
use crate::text::{Visible, human};

/// More rows than this are summed up.
const ROWS: usize = 16;

fn skip_lines(tally: &Tally) -> impl Iterator<Item = String> + '_ {
    let skipped = tally.skipped();
    let skipped = skipped.map(|(why, n)| format!("  skip    {} {}", human::count(n), why.reason()));
    let told = tally.rejects.iter();
    skipped.chain(told.map(|one| format!("          {}", Visible(one))))
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
