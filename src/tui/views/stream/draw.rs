//! Draws the stream. Only the rows on the screen are decoded.

use ratatui::layout::Rect;

use super::columns::{self, Wanted};
use super::looks::Look;
use super::parts;
use crate::event::EventRef;
use crate::text::{self, human};
use crate::tui::actions::Action;
use crate::tui::canvas::{Canvas, line_of, middle_of, rest_of};
use crate::tui::model::feed::Reading;
use crate::tui::model::shown::Row;
use crate::tui::model::stream::{Focus, Place};
use crate::tui::model::{Model, ZoneMode};
use crate::tui::theme::{Role, Verdict};
use crate::tui::views::{detail, list};
use crate::tui::widgets::table::{self, Placed};

pub fn draw(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let parts = parts(model, area);
    if let Some(at) = parts.histogram {
        histogram(model, canvas, at);
    }
    if parts.list.height > 0 {
        list(model, canvas, parts.header, parts.list);
    }
    if let Some(at) = parts.detail {
        if parts.list.height > 0 && at.x > area.x && at.y == area.y {
            let line = model.options.glyphs.vertical;
            for row in 0..area.height {
                canvas.put(Rect::new(at.x - 1, area.y + row, 1, 1), line, Role::Border);
            }
        }
        detail::draw(model, canvas, at, model.stream.focus == Focus::Detail);
    }
}

/// The first time of the histogram and the width of a bucket, in milliseconds, for so many columns.
/// The window is that of the rows that are shown.
pub fn buckets(model: &Model, columns: u16) -> Option<(i64, i64)> {
    let first = model.feed.shown.get(0)?.time;
    let last = model.feed.shown.last()?.time;
    let span = last.saturating_sub(first).saturating_add(1);
    let columns = i64::from(columns.max(1));
    Some((
        first,
        (span / columns + i64::from(span % columns != 0)).max(1),
    ))
}

/// The rate over the rows that are shown, coloured by the worst verdict of each bucket.
fn histogram(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let Some((first, width)) = buckets(model, area.width) else {
        return;
    };
    let shown = &model.feed.shown;
    let mut counts = Vec::with_capacity(usize::from(area.width));
    let mut from = 0;
    for column in 0..i64::from(area.width) {
        let to = shown.at_time(first.saturating_add((column + 1).saturating_mul(width)));
        counts.push((from, to));
        from = to;
    }
    let most = counts.iter().map(|(a, b)| b - a).max().unwrap_or(0) as u64;
    let cursor = model.stream.cursor.map(|r| (r.time - first) / width);
    for (column, (from, to)) in counts.iter().enumerate() {
        let level = model.options.glyphs.level((to - from) as u64, most);
        let worst = shown.worst(*from, *to);
        let mut role = match worst {
            Verdict::None | Verdict::Valid => Role::Spark,
            worst => worst.role(),
        };
        let here = cursor.is_some_and(|at| usize::try_from(at).is_ok_and(|at| at == column));
        if here {
            role = Role::Cursor;
        }
        let at = Rect::new(area.x + column as u16, area.y, 1, 1);
        canvas.put(at, level, role);
    }
}

fn list(model: &Model, canvas: &mut Canvas<'_>, header: Option<Rect>, area: Rect) {
    // The first two cells are those of the cursor and the mark.
    let inner = rest_of(area, 2);
    let wanted = columns::wanted(model, usize::from(inner.width));
    let asked: Vec<table::Column> = wanted.iter().map(|w| w.column).collect();
    let placed = table::layout(&asked, usize::from(inner.width), 2);
    if let Some(header) = header {
        let header = rest_of(header, 2);
        for at in &placed {
            let cell = list::cell(header, at);
            canvas.put(cell, &wanted[at.column].name, Role::Title);
        }
    }
    let len = model.stream.len(&model.feed);
    if len == 0 {
        empty(model, canvas, area);
        return;
    }
    let range = model
        .stream
        .anchor
        .and_then(|_| model.stream.range(&model.feed));
    for line in 0..usize::from(area.height) {
        let at = model.stream.top + line;
        let Some(row) = model.stream.row(&model.feed, at) else {
            break;
        };
        let place = line_of(area, line);
        let in_range = range.is_some_and(|(a, b)| (a..=b).contains(&at));
        let cursor = at == model.stream.at;
        draw_row(model, canvas, place, &row, (&wanted, &placed));
        if cursor || in_range {
            let focused = model.stream.focus == Focus::List;
            let role = if cursor && focused {
                Role::Cursor
            } else {
                Role::CursorUnfocused
            };
            canvas.paint(place, role);
            if cursor {
                let sign = model.options.glyphs.cursor;
                canvas.put(Rect { width: 1, ..place }, sign, role);
            }
        }
    }
}

fn draw_row(
    model: &Model,
    canvas: &mut Canvas<'_>,
    place: Rect,
    row: &Row,
    (wanted, placed): (&[Wanted], &[Placed]),
) {
    let Some((batch, index)) = model.stream.event(&model.feed, row) else {
        canvas.put(rest_of(place, 2), "evicted", Role::Dim);
        return;
    };
    let event = batch.get(index);
    if model.stream.marks.contains_key(&Place::of(&event)) {
        let at = Rect {
            width: 1,
            ..rest_of(place, 1)
        };
        canvas.put(at, model.options.glyphs.mark, Role::Marked);
    }
    let line = rest_of(place, 2);
    let look = model.stream.looks.get(row.id());
    for at in placed {
        let column = &wanted[at.column];
        let cell = list::cell(line, at);
        let (role, text) = match (&column.path, look) {
            (Some(path), Some(look)) => (Role::Text, look.field(&model.stream.columns, path)),
            (Some(path), None) => (Role::Text, columns::field(event.value, path)),
            (None, Some(look)) => match decoded(model, column, look, row.verdict, at.width) {
                Some(told) => told,
                None => fixed(model, column, &event, row.verdict, at.width),
            },
            (None, None) => fixed(model, column, &event, row.verdict, at.width),
        };
        let text = if column.path.is_none() && column.name == "value" {
            text
        } else {
            table::cell(&text, at.width, column.align, model.options.glyphs.ellipsis)
        };
        canvas.put(cell, &text, role);
    }
}

/// What a column shows of an event that was decoded, where that makes a difference.
fn decoded(
    model: &Model,
    column: &Wanted,
    look: &Look,
    verdict: Verdict,
    width: usize,
) -> Option<(Role, String)> {
    let right = model.stream.right;
    Some(match &*column.name {
        "key" => match &look.key {
            Some(key) => (Role::EventKey, preview(key, 0, width)),
            None => (Role::Dim, "null".to_owned()),
        },
        "" => {
            let verdict = look.verdict.unwrap_or(verdict);
            let glyph = verdict.glyph(model.options.glyphs);
            (verdict.role(), glyph.to_owned())
        }
        "value" => {
            let value = look.value.as_ref()?;
            let lead = match (&look.lead, verdict) {
                (Some(lead), _) => lead,
                (None, Verdict::Undecodable) if look.verdict.is_none() => "undecodable: ",
                _ => "",
            };
            (
                Role::Text,
                format!("{lead}{}", preview(value, right, width)),
            )
        }
        _ => return None,
    })
}

fn fixed(
    model: &Model,
    column: &Wanted,
    event: &EventRef<'_>,
    verdict: Verdict,
    width: usize,
) -> (Role, String) {
    match &*column.name {
        "time" => (
            Role::Time,
            event
                .time()
                .map_or_else(|| "no time".to_owned(), |t| model.time_in(t, width)),
        ),
        "key" => match event.key {
            Some(key) => (Role::EventKey, preview(key, 0, width)),
            None => (Role::Dim, "null".to_owned()),
        },
        "" => (
            verdict.role(),
            verdict.glyph(model.options.glyphs).to_owned(),
        ),
        "size" => (Role::Dim, human::size(event.size() as u64)),
        "value" => match event.value {
            Some(value) if verdict == Verdict::Undecodable => (
                Role::Text,
                format!("undecodable: {}", preview(value, model.stream.right, width)),
            ),
            Some(value) => (Role::Text, preview(value, model.stream.right, width)),
            None => (Role::Dim, "tombstone".to_owned()),
        },
        _ => {
            let position = event.position.display(event.stream.style).to_string();
            let tail = format!("/{}@{position}", event.stream.partition);
            let room = width.saturating_sub(tail.len());
            let topic = text::Visible(&event.stream.topic).to_string();
            let topic = text::width::truncate(&topic, room, model.options.glyphs.ellipsis);
            (Role::Topic, format!("{topic}{tail}"))
        }
    }
}

/// The beginning of bytes as visible text, from a column on.
pub fn preview(bytes: &[u8], skip: usize, width: usize) -> String {
    // Four bytes are the most that a column of text takes.
    let end = bytes.len().min((skip + width + 2) * 4);
    let mut out = Vec::with_capacity(end + 16);
    text::write_visible(&mut out, &bytes[..end]);
    let text = String::from_utf8_lossy(&out);
    if skip == 0 {
        return text.into_owned();
    }
    text.chars().skip(skip).collect()
}

/// Why there is nothing, and what to do.
fn empty(model: &Model, canvas: &mut Canvas<'_>, area: Rect) {
    let keymap = &model.options.keymap;
    let hint = |action| keymap.hint(action);
    let mut lines: Vec<String> = Vec::new();
    match &model.feed.reading {
        Reading::Failed(message) => {
            lines.push(message.clone());
            if let Some(hint) = model.source.trouble.as_ref().and_then(|t| t.hint.clone()) {
                lines.push(hint);
            }
            lines.push(format!(
                "{} tries again, {} chooses another source",
                hint(Action::Reload),
                hint(Action::Sources)
            ));
        }
        Reading::Idle | Reading::Opening => {
            lines.push(format!(
                "Connecting to {}",
                crate::tui::views::chrome::source_name(model)
            ));
        }
        _ if model.feed.filter().is_some() && model.feed.store.events() > 0 => {
            if model.feed.unsearched() > 0 {
                lines.push("Searching".to_owned());
            } else {
                lines.push("No event matches the filter.".to_owned());
                lines.push(format!(
                    "{} changes it, {} drops it",
                    hint(Action::Filter),
                    hint(Action::ClearFilter)
                ));
            }
        }
        Reading::Ended => lines.push("There is no event in this range.".to_owned()),
        Reading::Live => {
            lines.push("No event yet. New ones appear here.".to_owned());
            lines.push(format!(
                "{} and `start` reads from the beginning",
                hint(Action::GoTo)
            ));
        }
    }
    let at = middle_of(area, area.width.saturating_sub(4), lines.len() as u16);
    for (index, line) in lines.iter().enumerate() {
        canvas.put(
            line_of(at, index),
            line,
            if index == 0 { Role::Text } else { Role::Dim },
        );
    }
}

impl Model {
    /// The zone of times that are typed.
    pub fn typed_zone(&self) -> jiff::tz::TimeZone {
        match self.zone {
            ZoneMode::Local => self.options.zone.clone(),
            _ => jiff::tz::TimeZone::UTC,
        }
    }

    /// A time in the zone that is chosen.
    pub fn time(&self, time: crate::event::Timestamp) -> String {
        self.time_in(time, 23)
    }

    /// The same in so many columns: what is cut is the date, as its end tells more.
    pub fn time_in(&self, time: crate::event::Timestamp, width: usize) -> String {
        let text = match self.zone {
            ZoneMode::Epoch => time.0.to_string(),
            ZoneMode::Age => {
                let age = self.clock().0.saturating_sub(time.0);
                let length = human::duration(std::time::Duration::from_millis(age.unsigned_abs()));
                return if age < 0 {
                    format!("in {length}")
                } else {
                    format!("{length} ago")
                };
            }
            ZoneMode::Utc => time.to_string().trim_end_matches('Z').replace('T', " "),
            ZoneMode::Local => {
                let local = jiff::Timestamp::from_millisecond(time.0)
                    .map(|t| t.to_zoned(self.options.zone.clone()));
                match local {
                    Ok(zoned) => zoned.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string(),
                    Err(_) => time.to_string(),
                }
            }
        };
        // From the right: milliseconds, seconds, … the date goes first.
        if text.len() > width && width >= 12 && text.is_ascii() && text.len() >= 12 {
            return text[text.len() - 12..].to_owned();
        }
        text
    }
}
