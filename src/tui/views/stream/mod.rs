//! The stream: rows merged by time, and the event under the cursor beside or below them.

mod acts;
mod columns;
mod draw;
mod goto;
mod keep;
mod looks;
#[cfg(test)]
mod tests;

use ratatui::layout::Rect;

use crate::tui::actions::Action;
use crate::tui::model::Model;
use crate::tui::model::stream::{Focus, Layout};
use crate::tui::msg::Effect;

pub use acts::{alone, note, place_text, show_event, sought};
pub use columns::{add_column, toggle_column};
pub use draw::{draw, preview};
pub use goto::go_to;
pub use keep::{export, export_over, load_marks, place_marks, save_filter};
pub use looks::Looks;

pub fn act(model: &mut Model, action: Action) -> Option<Vec<Effect>> {
    acts::act(model, action)
}

/// Narrower than this, list and detail do not stand beside each other.
const BESIDE: u16 = 110;
/// Lower than this, they do not stand above each other.
const BELOW: u16 = 27;

/// The parts of the view.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parts {
    pub histogram: Option<Rect>,
    pub header: Option<Rect>,
    pub list: Rect,
    pub detail: Option<Rect>,
}

/// Who gets which part of the view's place.
pub fn parts(model: &Model, area: Rect) -> Parts {
    let stream = &model.stream;
    let detail_only =
        stream.focus == Focus::Detail && (stream.maximised || layout(model, area) == Layout::Off);
    if detail_only {
        return Parts {
            detail: Some(area),
            ..Parts::default()
        };
    }
    let mut list = area;
    let mut detail = None;
    if !stream.maximised {
        match layout(model, area) {
            Layout::Beside => {
                let width = area.width * 45 / 100;
                list.width = area.width - width - 1;
                detail = Some(Rect {
                    x: list.right() + 1,
                    width,
                    ..area
                });
            }
            Layout::Below => {
                let height = area.height * 2 / 5;
                list.height = area.height - height;
                detail = Some(Rect {
                    y: list.bottom(),
                    height,
                    ..area
                });
            }
            Layout::Auto | Layout::Off => {}
        }
    }
    let histogram = (list.height >= 8).then(|| {
        let top = Rect { height: 1, ..list };
        list.y += 1;
        list.height -= 1;
        top
    });
    let header = (list.height >= 3).then(|| {
        let top = Rect { height: 1, ..list };
        list.y += 1;
        list.height -= 1;
        top
    });
    Parts {
        histogram,
        header,
        list,
        detail,
    }
}

fn layout(model: &Model, area: Rect) -> Layout {
    match model.stream.layout {
        Layout::Auto if area.width >= BESIDE => Layout::Beside,
        Layout::Auto if area.height >= BELOW => Layout::Below,
        Layout::Auto => Layout::Off,
        other => other,
    }
}

pub fn step(model: &mut Model, by: isize) {
    if model.stream.focus == Focus::Detail {
        // Keys may come faster than frames.
        super::settle(model);
        model.stream.detail.step(by);
        return;
    }
    match by {
        isize::MIN => {
            model.stream.follow = false;
            model.stream.put(&model.feed, 0);
        }
        isize::MAX => {
            let last = model.stream.len(&model.feed).saturating_sub(1);
            model.stream.put(&model.feed, last);
            model.stream.follow = true;
        }
        _ => model.stream.step(&model.feed, by),
    }
}

pub fn click(model: &mut Model, column: u16, row: u16) {
    let area = super::chrome::content(Rect::new(0, 0, model.size.0, model.size.1));
    let parts = parts(model, area);
    let at = (column, row).into();
    if parts.list.contains(at) {
        model.stream.focus = Focus::List;
        model.stream.follow = false;
        let place = model.stream.top + usize::from(row - parts.list.y);
        if place < model.stream.len(&model.feed) {
            model.stream.put(&model.feed, place);
        }
    } else if parts.detail.is_some_and(|d| d.contains(at)) {
        model.stream.focus = Focus::Detail;
    }
}

/// Brings cursor, scroll and detail up to date with what came.
pub fn settle(model: &mut Model, area: Rect) {
    let parts = parts(model, area);
    let height = usize::from(parts.list.height);
    if height > 0 {
        model.stream.settle(&model.feed, height);
    } else {
        model
            .stream
            .settle(&model.feed, usize::from(area.height).max(1));
    }
    decode(model, height);
    if let Some(area) = parts.detail {
        super::detail::settle(model, area);
    }
}

/// Decodes the rows on the screen. Plain bytes are read where they are drawn.
fn decode(model: &mut Model, height: usize) {
    let decoder = &model.source.decoder;
    if decoder.plain().is_some() {
        return;
    }
    let (stream, feed) = (&mut model.stream, &mut model.feed);
    let rows: Vec<_> = (stream.top..stream.top + height)
        .map_while(|at| stream.row(feed, at))
        .filter_map(|row| {
            let (batch, at) = stream.event(feed, &row)?;
            Some((row, batch, at))
        })
        .collect();
    let now = model.now.mono;
    let verdicts = stream.looks.settle(decoder, &rows, &stream.columns, now);
    feed.judge(&verdicts);
}
