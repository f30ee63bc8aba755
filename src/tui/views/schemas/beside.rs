//! Draws two versions of a schema beside each other.

use ratatui::layout::Rect;

use super::versions::{LINES, Listing, Version, Versions};
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, below, line_of, rest_of, safe};
use crate::tui::model::Model;
use crate::tui::theme::Role;
use crate::tui::views::flow::number;
use crate::tui::views::lines::note;
use crate::tui::views::list::top_of;
use crate::tui::widgets::diff::Beside;

pub fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect, versions: &Versions) {
    let found = match versions.rows.len() {
        0 => String::new(),
        _ => format!("; {}", number(versions.differences as u64, "difference")),
    };
    let title = format!("{}: schemas of {}{found}", versions.topic, versions.place);
    canvas.rule(line_of(area, 0), &safe(&title), true);
    let body = below(area, 1);
    let list = match &versions.listing {
        Listing::Asked => {
            note(canvas, body, (Role::Text, "Asking for the versions"), &[]);
            return;
        }
        Listing::Failed(why) => {
            let again = model.options.keymap.hint(Action::Reload);
            let again = format!("{again} asks again");
            note(canvas, body, (Role::Bad, why), &[again]);
            return;
        }
        Listing::Listed(list) if list.is_empty() => {
            let text = match versions.unread {
                0 => "There is no schema for this topic.".to_owned(),
                n => format!("The topic has {n} schemas, and none can be read now."),
            };
            note(canvas, body, (Role::Text, &text), &[]);
            return;
        }
        Listing::Listed(list) => list,
    };
    let half = body.width.saturating_sub(1) / 2;
    let columns = [
        Rect {
            width: half,
            ..body
        },
        rest_of(body, half + 1),
    ];
    for (side, column) in columns.iter().enumerate() {
        head(model, canvas, line_of(*column, 0), (versions, list), side);
    }
    let line = canvas.glyphs.vertical;
    for y in body.top()..body.bottom() {
        canvas.put(Rect::new(body.x + half, y, 1, 1), line, Role::Border);
    }
    if body.height < 2 {
        return;
    }
    let columns = columns.map(|column| below(column, 1));
    rows(canvas, columns, (versions, list));
}

/// Which version stands on a side, and which of how many it is.
fn head(
    model: &Model,
    canvas: &mut Canvas<'_>,
    area: Rect,
    (versions, list): (&Versions, &[Version]),
    side: usize,
) {
    let chosen = versions.chosen.get(side).copied().unwrap_or_default();
    let name = list.get(chosen).map_or("", |v| v.name.as_str());
    let is_chosen = versions.side == side;
    let role = if is_chosen { Role::Accent } else { Role::Title };
    let sign = if is_chosen {
        model.options.glyphs.cursor
    } else {
        " "
    };
    let letter = if side == 0 { "A " } else { "B " };
    let unread = match versions.unread {
        0 => String::new(),
        n => format!(", {n} cannot be read now"),
    };
    let count = format!("  {} of {}{unread}", chosen + 1, list.len());
    let used = canvas.parts_right(area, &[(Role::Dim, &count)]);
    let area = Rect {
        width: area.width.saturating_sub(used),
        ..area
    };
    canvas.parts(area, &[(role, sign), (role, letter), (role, name)]);
}

fn rows(canvas: &mut Canvas<'_>, columns: [Rect; 2], (versions, list): (&Versions, &[Version])) {
    let height = usize::from(columns[0].height);
    let lines = versions.chosen.map(|at| {
        let version = list.get(at);
        version.map_or(&[][..], |v| v.lines.as_slice())
    });
    if versions.rows.is_empty() {
        let text = if versions.is_comparing() {
            "comparing"
        } else {
            "empty"
        };
        canvas.put(line_of(columns[0], 0), text, Role::Dim);
    }
    let top = top_of(versions.at, height, versions.rows.len());
    for (line, row) in versions.rows.iter().skip(top).take(height).enumerate() {
        for (side, at) in [row.old, row.new].into_iter().enumerate() {
            let area = line_of(columns[side], line);
            let text = at.and_then(|at| lines[side].get(at));
            let (role, sign) = look(row, side);
            let sign = if text.is_some() { sign } else { " " };
            canvas.put(area, sign, role);
            let area = rest_of(area, 2);
            if let Some(text) = text {
                let text: String = text.chars().skip(versions.right).collect();
                canvas.put(area, &text, role);
            }
        }
        if top + line == versions.at {
            for column in columns {
                canvas.paint(line_of(column, line), Role::Cursor);
            }
        }
    }
    let cut = lines.iter().any(|lines| lines.len() >= LINES);
    if cut && top + height >= versions.rows.len() {
        let text = format!("only the first {LINES} lines are shown");
        let foot = line_of(columns[0], height.saturating_sub(1));
        canvas.put(foot, &text, Role::Warn);
    }
}

/// The role and the sign of a line: a colour alone is not seen by everybody.
const fn look(row: &Beside, side: usize) -> (Role, &'static str) {
    match (row.same, row.old, row.new, side) {
        (true, ..) => (Role::Text, " "),
        (false, Some(_), Some(_), _) => (Role::Changed, "~"),
        (false, _, _, 0) => (Role::Removed, "-"),
        (false, ..) => (Role::Added, "+"),
    }
}
