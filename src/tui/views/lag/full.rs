//! What is told in full of the group or partition under the cursor, below the list.

use ratatui::layout::Rect;

use super::draw::{age, seconds, sign};
use super::meant;
use crate::inspect::lag::{Eta, GroupReport, Row};
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, below, line_of};
use crate::tui::model::Model;
use crate::tui::theme::{Glyphs, Role};
use crate::tui::views::flow::{self, Part};

/// The reason in words, the figures, the event that is waited on, the members.
pub(super) fn in_full(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let Some(group) = model.lag.group() else {
        return;
    };
    canvas.rule(line_of(area, 0), &group.name, false);
    let mut lines = Vec::new();
    if let Some(row) = meant(&model.lag) {
        lines.push(told(model, group, row, canvas.glyphs));
        lines.push(figures(row));
        lines.extend(next(model, row));
    }
    lines.push(who(group));
    flow::draw(canvas, below(area, 1), &lines);
}

/// The reason: the partition's where one is chosen, else the group's.
fn told(model: &Model, group: &GroupReport, row: &Row, glyphs: &'static Glyphs) -> Vec<Part> {
    let (why, detail) = if model.lag.opened {
        (row.why, &row.detail)
    } else {
        (group.why, &group.detail)
    };
    let (role, sign) = sign(why, glyphs);
    let place = format!("{}/{}", row.topic, row.partition);
    let mut parts = vec![
        Part::new(role, format!("{sign} {}", why.word())),
        Part::new(Role::Text, why.meaning()),
        Part::new(Role::Topic, place),
    ];
    // The fault of an event stands beside the event.
    let fault = row.waiting.as_ref().and_then(|w| w.fault.as_ref());
    if let Some(detail) = detail.as_ref().filter(|d| Some(*d) != fault) {
        parts.push(Part::new(Role::Strong, detail.clone()));
    }
    parts
}

fn figures(row: &Row) -> Vec<Part> {
    let mut parts = Vec::new();
    if let (Some(visible), Some(raw)) = (row.visible, row.raw) {
        let about = if row.estimated { "~" } else { "" };
        let text = if visible == raw {
            flow::number(visible, "event")
        } else {
            format!("{about}{visible} events of {raw} offsets")
        };
        parts.push(Part::new(Role::Text, text));
    }
    if let Some(left) = row.to_loss_ms {
        let text = format!("kept for {} more", age(Some(left)));
        parts.push(Part::new(Role::Text, text));
    }
    if let Some(ms) = row.still_ms.filter(|ms| *ms > 0 && row.lag() != Some(0)) {
        let text = format!("the commit has stood for {}", age(Some(ms)));
        parts.push(Part::new(Role::Dim, text));
    }
    if let Eta::Seconds {
        soonest, latest, ..
    } = row.eta
        && soonest < latest
    {
        let latest = if latest.is_finite() {
            seconds(latest)
        } else {
            "never".to_owned()
        };
        let text = format!("done in {} to {latest}", seconds(soonest));
        parts.push(Part::new(Role::Dim, text));
    }
    for hot in row.hot.iter().take(2) {
        let share = (hot.count - hot.error) * 100 / hot.of.max(1);
        parts.push(Part::new(Role::Warn, format!("{share} % have the key")));
        parts.push(Part::new(Role::EventKey, flow::bytes(Some(&hot.key))));
    }
    parts
}

/// The event that the group will be given next.
fn next(model: &Model, row: &Row) -> Option<Vec<Part>> {
    let waiting = row.waiting.as_ref()?;
    let key = model.options.keymap.hint(Action::LagEvent);
    let mut next = vec![
        Part::new(Role::Text, "next is"),
        Part::new(Role::PartitionOffset, waiting.at.to_string()),
        Part::new(Role::EventKey, flow::bytes(waiting.key.as_deref())),
    ];
    if let Some(fault) = &waiting.fault {
        next.push(Part::new(Role::Bad, fault.clone()));
    }
    next.push(Part::new(Role::Key, format!("{key} shows it")));
    Some(next)
}

/// State, protocol, epochs and members.
fn who(group: &GroupReport) -> Vec<Part> {
    let epochs = group.epochs.map_or_else(String::new, |epochs| {
        format!(" epoch {}/{}", epochs.assignment, epochs.group)
    });
    let mut who = vec![Part::new(
        Role::Dim,
        format!("{} {}{epochs}, members:", group.state, group.kind),
    )];
    match group.members.as_slice() {
        [] => who.push(Part::new(Role::Warn, "none")),
        // More than stand on a screen are not written out.
        members => who.extend(members.iter().take(32).map(|m| {
            let host = if m.host.is_empty() {
                String::new()
            } else {
                format!("@{}", m.host)
            };
            Part::new(Role::Text, format!("{}{host}", m.id))
        })),
    }
    if let Some(untold) = &group.untold {
        who.push(Part::new(Role::Dim, untold.clone()));
    }
    who
}
