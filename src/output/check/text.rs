//! The report for people: findings by urgency, then what was and was not looked at.

use crate::inspect::Verdict;
use crate::inspect::check::CheckReport;
use crate::inspect::findings::Severity;
use crate::output::style::{KEY, MUTED, PLACE, Style};
use crate::output::{Align, Table};
use crate::text::{Visible, human};

const BAD: Style = Style::of("1;31");
const GOOD: Style = Style::of("1;32");
const DOUBT: Style = Style::of("1;33");

/// Appends the report.
pub fn text(out: &mut Vec<u8>, report: &CheckReport, color: bool) {
    for finding in &report.findings.findings {
        let urgent = finding.severity <= Severity::P2;
        let style = if urgent { BAD } else { DOUBT };
        style.paint(out, color, |out| push(out, finding.severity.name()));
        push(out, &format!("  {:<20}", finding.code.as_str()));
        push(out, "  ");
        PLACE.paint(out, color, |out| push(out, &finding.at.to_string()));
        if let Some(key) = &finding.key {
            push(out, "  ");
            let key = String::from_utf8_lossy(key);
            KEY.paint(out, color, |out| push(out, &Visible(&key).to_string()));
        }
        push(out, "  ");
        push(out, &finding.message);
        if let Some((code, at)) = &finding.cause {
            let because = format!("  (because of {at} {code})");
            MUTED.paint(out, color, |out| push(out, &because));
        }
        out.push(b'\n');
    }
    if !report.findings.findings.is_empty() {
        out.push(b'\n');
    }
    counts(out, report, color);
    for note in &report.notes {
        MUTED.paint(out, color, |out| {
            push(out, &format!("not judged  {}", Visible(note)));
        });
        out.push(b'\n');
    }
    let number = report.findings.findings.len() as u64;
    let (style, word) = match &report.verdict {
        Verdict::Violation => (BAD, format!("VIOLATION: {} findings", human::count(number))),
        Verdict::Clean => (GOOD, "CLEAN".to_owned()),
        doubt => (DOUBT, Visible(&doubt.to_string()).to_string()),
    };
    style.paint(out, color, |out| push(out, &word));
    let seen = human::count(report.counts.records + report.counts.dlq_records);
    push(out, &format!(" in {seen} events\n"));
}

/// The counts that somebody took, without those that are nought and expected to be.
fn counts(out: &mut Vec<u8>, report: &CheckReport, color: bool) {
    let counts = &report.counts;
    let mut table = Table::new(&[("COUNT", Align::Right), ("OF", Align::Left)]);
    let rows = [
        ("events", Some(counts.records)),
        ("dead letters", Some(counts.dlq_records)),
        ("events with an id", counts.ids),
        ("duplicate ids", counts.duplicates),
        ("duplicate effects", counts.duplicate_effects),
        ("unexplained gaps", counts.gaps_unexplained),
        ("transaction markers", counts.txn_markers),
        ("aborted events", counts.aborted),
        ("compacted offsets", counts.compacted),
        ("out of order by time", counts.out_of_order),
        ("late", counts.late),
        ("versions out of order", counts.version_inversions),
        ("sequence holes", counts.sequence_holes),
        ("schema violations", counts.schema_violations),
        ("undecodable values", counts.undecodable),
        ("pieces of personal data", counts.pii),
        ("events with control sequences", counts.control_sequences),
        ("groups in trouble", counts.groups_not_ok),
        ("sagas completed", counts.sagas.map(|s| s.completed)),
        ("sagas rejected", counts.sagas.map(|s| s.rejected)),
        ("sagas compensated", counts.sagas.map(|s| s.compensated)),
        ("sagas open", counts.sagas.map(|s| s.open)),
        ("sagas lost", counts.sagas.map(|s| s.lost)),
        ("sagas blocked", counts.sagas.map(|s| s.blocked)),
        (
            "sagas with a step that cannot be decoded",
            counts.sagas.map(|s| s.poison),
        ),
        (
            "sagas that went a way that is none",
            counts.sagas.map(|s| s.violation),
        ),
    ];
    for (what, number) in rows {
        if let Some(number) = number.filter(|n| *n > 0) {
            table.row([human::count(number).as_str(), what]);
        }
    }
    if !table.is_empty() {
        table.write(out, color);
        out.push(b'\n');
    }
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}
