//! A trace as a picture: a column for each topic, a row for each event, and between them what ties
//! them: double lines by causation id, single ones by traceparent, dotted ones by correlation.

use super::{Told, since_start};
use crate::inspect::trace::{Hop, Strength};
use crate::output::style::{MUTED, PLACE, Style, TITLE};
use crate::text::{Visible, human, width};

const BAD: Style = Style::of("1;31");
const GOOD: Style = Style::of("1;32");
const DOUBT: Style = Style::of("1;33");

/// Columns of a topic's name and of an event's type, at most.
const TOPIC: usize = 18;
const LABEL: usize = 24;
/// The place of an event within its column.
const INSET: usize = 2;

/// How it is drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Look {
    pub color: bool,
    pub ascii: bool,
}

/// The signs of an edge: to the side, down, and the corners to the right and to the left.
struct Signs {
    side: char,
    down: char,
    right: char,
    left: char,
}

const fn signs(side: char, down: char, right: char, left: char) -> Signs {
    Signs {
        side,
        down,
        right,
        left,
    }
}

impl Look {
    const fn signs(self, strength: Strength) -> Signs {
        match (strength, self.ascii) {
            (Strength::Causation, false) => signs('═', '║', '╚', '╝'),
            (Strength::Trace, false) => signs('─', '│', '└', '┘'),
            (Strength::Correlation, false) => signs('┄', '┆', '└', '┘'),
            (Strength::Causation, true) => signs('=', '|', '`', '\''),
            (Strength::Trace, true) => signs('-', '|', '`', '\''),
            (Strength::Correlation, true) => signs('.', ':', '`', '\''),
        }
    }

    const fn event(self) -> char {
        if self.ascii { 'o' } else { '●' }
    }

    const fn missing(self) -> char {
        if self.ascii { 'x' } else { '╳' }
    }

    const fn more(self) -> &'static str {
        if self.ascii { "." } else { "…" }
    }
}

/// The lines between the topics.
struct Grid {
    rows: Vec<Vec<char>>,
    width: usize,
}

impl Grid {
    fn put(&mut self, row: usize, column: usize, sign: char) {
        if let Some(cell) = self.rows.get_mut(row).and_then(|r| r.get_mut(column)) {
            *cell = sign;
        }
    }

    /// Where nothing is yet.
    fn fill(&mut self, row: usize, column: usize, sign: char) {
        let cell = self.rows.get_mut(row).and_then(|r| r.get_mut(column));
        if let Some(cell) = cell.filter(|c| **c == ' ') {
            *cell = sign;
        }
    }

    /// From an event down and over to another one, or a little to the right of where it hangs.
    fn edge(&mut self, from: (usize, usize), to: (usize, usize), signs: &Signs) {
        for row in from.0 + 1..to.0 {
            self.fill(row, from.1, signs.down);
        }
        if from.1 == to.1 {
            self.fill(to.0, from.1, signs.down);
            return;
        }
        let corner = if from.1 < to.1 {
            signs.right
        } else {
            signs.left
        };
        self.put(to.0, from.1, corner);
        for column in from.1.min(to.1) + 1..from.1.max(to.1) {
            self.put(to.0, column, signs.side);
        }
    }
}

/// A topic's column.
struct Column<'a> {
    topic: &'a str,
    start: usize,
}

fn columns(hops: &[Hop]) -> (Vec<Column<'_>>, usize) {
    let mut columns: Vec<Column<'_>> = Vec::new();
    let mut start = 0;
    for hop in hops {
        let topic = &*hop.at.topic;
        if !columns.iter().any(|c| c.topic == topic) {
            columns.push(Column { topic, start });
            let shown = width::width(&Visible(topic).to_string());
            start += shown.min(TOPIC) + 2;
        }
    }
    (columns, start.max(INSET + 4))
}

/// The picture in lines, and the verdict below it.
pub fn picture(told: &Told<'_>, look: Look) -> Vec<u8> {
    let hops = &told.report.hops;
    let (columns, width) = columns(hops);
    let missing = told.missing();
    let of = |hop: &Hop| {
        let column = columns.iter().find(|c| c.topic == &*hop.at.topic);
        column.map_or(0, |c| c.start) + INSET
    };
    let mut grid = Grid {
        rows: vec![vec![' '; width]; hops.len() + missing.len()],
        width,
    };
    for edge in told.edges {
        if let (Some(from), Some(to)) = (hops.get(edge.from), hops.get(edge.to)) {
            let signs = look.signs(edge.strength);
            grid.edge((edge.from, of(from)), (edge.to, of(to)), &signs);
        }
    }
    for (row, hop) in hops.iter().enumerate() {
        grid.put(row, of(hop), look.event());
    }
    for (n, (after, _)) in missing.iter().enumerate() {
        let Some(cause) = hops.get(*after) else {
            continue;
        };
        let (row, signs) = (hops.len() + n, look.signs(Strength::Causation));
        let end = (of(cause) + 4).min(width - 1);
        grid.edge((*after, of(cause)), (row, end - 1), &signs);
        grid.put(row, end - 1, ' ');
        grid.put(row, end, look.missing());
    }
    let mut out = Vec::new();
    let label = label_width(told, &missing);
    head(&mut out, told, &columns, (label, grid.width), look);
    let rows = grid.rows.iter().map(|row| row.iter().collect::<String>());
    for (row, lanes) in rows.enumerate() {
        match (hops.get(row), missing.get(row.wrapping_sub(hops.len()))) {
            (Some(hop), _) => event(&mut out, told, hop, &lanes, label, look),
            (None, Some((_, next))) => {
                name(&mut out, next, label, look);
                push(&mut out, &lanes);
                push(&mut out, "  ");
                verdict(&mut out, told, look);
                push(&mut out, "\n");
            }
            (None, None) => {}
        }
    }
    tail(&mut out, told, missing.is_empty(), look);
    out
}

fn label_width(told: &Told<'_>, missing: &[(usize, String)]) -> usize {
    let names = told.report.hops.iter().map(Hop::name);
    let names = names.chain(missing.iter().map(|(_, next)| next.clone()));
    let widest = names.map(|name| width::width(&name)).max();
    widest
        .unwrap_or(0)
        .max(width::width(&shown(told.id)))
        .clamp(8, LABEL)
}

fn shown(text: &str) -> String {
    Visible(text).to_string()
}

fn head(
    out: &mut Vec<u8>,
    told: &Told<'_>,
    columns: &[Column<'_>],
    (label, width): (usize, usize),
    look: Look,
) {
    let mut line = padded(&shown(told.id), label + 2, look);
    for column in columns {
        let name = shown(column.topic);
        let topic = width::truncate(&name, TOPIC, look.more());
        let used = width::width(&line) - label - 2;
        line.extend(std::iter::repeat_n(' ', column.start.saturating_sub(used)));
        line.push_str(&topic);
    }
    let used = width::width(&line) - label - 2;
    line.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
    line.push_str("      +ms  at");
    TITLE.paint(out, look.color, |out| push(out, &line));
    push(out, "\n");
}

fn padded(text: &str, columns: usize, look: Look) -> String {
    let mut line = width::truncate(text, columns.saturating_sub(1), look.more()).into_owned();
    let used = width::width(&line);
    line.extend(std::iter::repeat_n(' ', columns.saturating_sub(used)));
    line
}

fn name(out: &mut Vec<u8>, name: &str, label: usize, look: Look) {
    push(out, " ");
    push(out, &padded(name, label + 1, look));
}

fn event(out: &mut Vec<u8>, told: &Told<'_>, hop: &Hop, lanes: &str, label: usize, look: Look) {
    name(out, &hop.name(), label, look);
    push(out, lanes);
    let since = since_start(&told.report.hops, hop).map_or_else(|| "-".to_owned(), signed);
    push(out, &format!("{since:>9}  "));
    PLACE.paint(out, look.color, |out| push(out, &hop.at.to_string()));
    if let Some(producer) = &hop.producer {
        push(out, "  ");
        MUTED.paint(out, look.color, |out| push(out, producer));
    }
    let mut odd = Vec::new();
    if let Some(fault) = &hop.fault {
        odd.push(format!("cannot be decoded: {fault}"));
    }
    if hop.dead_letter {
        odd.push("dead letter".to_owned());
    } else if let Some(first) = hop.copy_of.and_then(|n| told.report.hops.get(n)) {
        odd.push(format!("has the id of {}", first.at));
    }
    if hop.parent.is_some()
        && let Some(gap) = hop.gap_ms.filter(|ms| *ms < 0)
    {
        odd.push(format!(
            "{} ms before its cause",
            human::count(gap.unsigned_abs())
        ));
    }
    for what in odd {
        push(out, "  ");
        DOUBT.paint(out, look.color, |out| push(out, &what));
    }
    push(out, "\n");
}

fn signed(ms: i64) -> String {
    let sign = match ms {
        0 => "",
        1.. => "+",
        _ => "-",
    };
    format!("{sign}{}", human::count(ms.unsigned_abs()))
}

fn verdict(out: &mut Vec<u8>, told: &Told<'_>, look: Look) {
    let style = match told.word() {
        "COMPLETED" | "COMPLETE" | "REJECTED" | "COMPENSATED" => GOOD,
        "OPEN" | "UNKNOWN" | "OVERDUE" | "BLOCKED" => DOUBT,
        _ => BAD,
    };
    style.paint(out, look.color, |out| push(out, &told.verdict()));
}

/// The verdict, where no row has it, and how long all of it took.
fn tail(out: &mut Vec<u8>, told: &Told<'_>, alone: bool, look: Look) {
    push(out, "\n");
    if alone {
        verdict(out, told, look);
        push(out, "\n");
    }
    let hops = told.report.hops.len() as u64;
    let long = |ms: i64| {
        let ms = u64::try_from(ms).unwrap_or_default();
        human::duration(std::time::Duration::from_millis(ms))
    };
    let report = told.report;
    let parts = [
        Some(format!("{} events", human::count(hops))),
        report.span_ms.map(|span| format!(" in {}", long(span))),
        report
            .quiet_ms
            .map(|quiet| format!(", the last {} ago", long(quiet))),
        report
            .truncated
            .then(|| "; more belong to it than are shown".to_owned()),
        Some(match told.saga {
            Some((name, _)) => format!("; judged by the saga {name}"),
            None => "; no saga model: judged by what usually follows".to_owned(),
        }),
    ];
    let line: String = parts.into_iter().flatten().collect();
    MUTED.paint(out, look.color, |out| push(out, &line));
    push(out, "\n");
}

fn push(out: &mut Vec<u8>, text: &str) {
    out.extend_from_slice(text.as_bytes());
}
