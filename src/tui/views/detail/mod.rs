//! The event under the cursor: its tabs, or two events against each other. Here is the state and
//! what brings it up to date; drawing, keys and each tab have files of their own.

mod acts;
mod around;
mod build;
mod compare;
mod draw;
mod filters;
mod find;
mod headers;
mod known;
mod pane;
mod rows;
#[cfg(test)]
mod tests;
mod value;
mod wrapped;

use std::sync::Arc;

use ratatui::layout::Rect;

use crate::event::{Batch, EventRef};
use crate::tui::model::Model;
use crate::tui::model::store::EventId;
use crate::tui::model::stream::Focus;
use crate::tui::msg::{Effect, Msg, Say};
use crate::tui::widgets::hex::{Place, Section};
use crate::tui::widgets::needle::Needle;
use around::Around;
use compare::Compare;
use find::Search;
use known::Told;
use rows::Rows;
use value::{Dump, Value};
use wrapped::Wrapped;

pub use acts::{act, diff, find};
pub use draw::draw;

/// The ways to look at an event, in the order of the tabs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Tab {
    #[default]
    Value,
    Headers,
    Schema,
    Raw,
    Hex,
    Trace,
}

impl Tab {
    const ALL: [Self; 6] = [
        Self::Value,
        Self::Headers,
        Self::Schema,
        Self::Raw,
        Self::Hex,
        Self::Trace,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Value => "Value",
            Self::Headers => "Headers",
            Self::Schema => "Schema",
            Self::Raw => "Raw",
            Self::Hex => "Hex",
            Self::Trace => "Trace",
        }
    }

    /// The one to the right, or to the left, round the end.
    fn turn(self, forward: bool) -> Self {
        let count = Self::ALL.len();
        let by = if forward { 1 } else { count - 1 };
        Self::ALL[(self as usize + by) % count]
    }
}

/// An event with what was built of it so far.
struct Shown {
    batch: Arc<Batch>,
    at: usize,
    id: Option<EventId>,
    /// The value, for what outlives a frame.
    bytes: Option<Arc<[u8]>>,
    value: Option<Value>,
    headers: Option<Rows>,
    known: Option<Rows>,
    /// What the schema says, and how the value was read.
    told: Option<Told>,
    raw: Option<Wrapped>,
    hex: Option<Dump>,
    around: Option<Around>,
    /// The byte of the value that tree, text and dump last had in common.
    byte: Option<usize>,
}

impl Shown {
    fn of(batch: Arc<Batch>, at: usize, id: Option<EventId>) -> Self {
        Self {
            batch,
            at,
            id,
            bytes: None,
            value: None,
            headers: None,
            known: None,
            told: None,
            raw: None,
            hex: None,
            around: None,
            byte: None,
        }
    }

    fn event(&self) -> EventRef<'_> {
        self.batch.get(self.at)
    }

    fn bytes(&mut self) -> Option<Arc<[u8]>> {
        if self.bytes.is_none() {
            self.bytes = self.batch.get(self.at).value.map(Arc::from);
        }
        self.bytes.clone()
    }

    /// Whether the places in what is shown of the value are those in its bytes: what was decoded
    /// is another text.
    fn is_in_place(&self) -> bool {
        match (&self.value, &self.bytes) {
            (Some(Value::Tree(view)), Some(bytes)) => Arc::ptr_eq(view.tree.bytes(), bytes),
            _ => true,
        }
    }

    /// The sections of the dump; the value is the second.
    fn sections(&mut self) -> Vec<Section> {
        let value = self.bytes();
        let event = self.event();
        let section = |title: String, bytes: Option<Arc<[u8]>>| Section { title, bytes };
        let mut sections = vec![
            section("key".to_owned(), event.key.map(Arc::from)),
            section("value".to_owned(), value),
        ];
        for (name, value) in event.headers {
            let mut title = b"header ".to_vec();
            title.extend_from_slice(name);
            let title = String::from_utf8_lossy(&title).into_owned();
            sections.push(section(title, value.map(Arc::from)));
        }
        sections
    }

    fn raw(&mut self, columns: usize) -> &mut Wrapped {
        let bytes = self.bytes().unwrap_or_default();
        self.raw.get_or_insert_with(|| Wrapped::new(bytes, columns))
    }

    fn hex(&mut self) -> &mut Dump {
        if self.hex.is_none() {
            self.hex = Some(Dump::new(self.sections()));
        }
        self.hex.get_or_insert_with(|| Dump::new(Vec::new()))
    }

    /// Puts the cursor of a tab on a byte of the value, unless it is there already.
    fn point_at(&mut self, tab: Tab, byte: usize, columns: usize) {
        match tab {
            Tab::Value => {
                if let Some(Value::Tree(view)) = &mut self.value {
                    let span = view.tree.span(view.scroll.at);
                    if span.is_none_or(|span| span.start != byte) {
                        view.scroll.at = view.tree.reveal_byte(byte);
                    }
                }
            }
            Tab::Raw => self.raw(columns).show(byte),
            Tab::Hex => {
                // All of the value is no part to point at.
                let part = match &self.value {
                    Some(Value::Tree(view)) if view.scroll.at > 0 => view.tree.span(view.scroll.at),
                    _ => None,
                };
                let hex = &mut self.hex().hex;
                match part {
                    Some(part) if part.start == byte => hex.link(VALUE, part),
                    _ => {
                        hex.unlink();
                        hex.set_cursor(Place {
                            section: VALUE,
                            at: byte,
                        });
                    }
                }
            }
            Tab::Headers | Tab::Schema | Tab::Trace => {}
        }
    }
}

/// The section of the dump that is the value.
const VALUE: usize = 1;

/// What of an event is shown, and where a person stands in it.
#[derive(Default)]
pub struct Detail {
    shown: Option<Shown>,
    /// Counts the events that were shown: an answer for an earlier one is dropped.
    number: u64,
    tab: Tab,
    /// Columns and rows of the part below the tabs.
    size: (usize, usize),
    needle: Option<Needle>,
    search: Option<Search>,
    /// A thread reads a value.
    working: bool,
    compare: Option<Compare>,
    /// What is to be done outside, for the next frame to begin.
    pending: Vec<Effect>,
    /// The row and path of the cursor in the last tree: it stays there in the next one like it.
    last: (usize, String),
}

/// Brings the pane up to date before it is drawn or used.
pub fn settle(model: &mut Model, area: Rect) {
    let selected = model.stream.selected(&model.feed);
    let id = model.stream.cursor.map(|row| row.id());
    let id = id.filter(|id| model.feed.store.get(*id).is_some());
    let decoder = model.source.decoder.impatient();
    let detail = &mut model.stream.detail;
    detail.show(selected, id, area);
    let nowhere = detail.go_on_searching();
    detail.build(&model.feed, model.now.mono, &decoder);
    if let Some(nowhere) = nowhere {
        model.say(Say::info(nowhere));
    }
}

/// Nothing but another frame.
fn again() -> Effect {
    Effect::Work(Box::new(|| Msg::Done(Box::new(|_| Vec::new()))))
}

impl Detail {
    /// Shows this event in this place. The same one stays as it is.
    fn show(&mut self, event: Option<(Arc<Batch>, usize)>, id: Option<EventId>, area: Rect) {
        let body = draw::parts(area).body;
        self.size = (usize::from(body.width), usize::from(body.height));
        let same = match (&self.shown, &event) {
            (Some(shown), Some((batch, at))) => Arc::ptr_eq(&shown.batch, batch) && shown.at == *at,
            (None, None) => true,
            _ => false,
        };
        if same {
            return;
        }
        if let Some(Value::Tree(view)) = self.shown.as_ref().and_then(|s| s.value.as_ref()) {
            self.last = (view.scroll.at, view.tree.path(view.scroll.at, ""));
        }
        self.number += 1;
        self.search = None;
        self.shown = event.map(|(batch, at)| Shown::of(batch, at, id));
    }

    /// What is to be done outside.
    pub fn take_pending(&mut self) -> Vec<Effect> {
        std::mem::take(&mut self.pending)
    }

    /// Moves the cursor by rows; the extremes are the first and the last.
    pub fn step(&mut self, by: isize) {
        self.search = None;
        if let Some(compare) = &mut self.compare {
            let len = compare.len();
            compare.scroll.step(by, len);
            return;
        }
        let Some(shown) = &mut self.shown else {
            return;
        };
        let rows = |rows: &mut Option<Rows>| {
            if let Some(rows) = rows {
                rows.scroll.step(by, rows.lines.len());
            }
        };
        match self.tab {
            Tab::Value => match &mut shown.value {
                Some(Value::Tree(view)) => view.step(by),
                Some(Value::Text { text, .. }) => text.step(by),
                Some(Value::Bytes { dump, .. }) => dump.step(by),
                Some(Value::Working | Value::Words(_)) | None => {}
            },
            Tab::Headers => rows(&mut shown.headers),
            Tab::Schema => rows(&mut shown.known),
            Tab::Raw => {
                if let Some(raw) = &mut shown.raw {
                    raw.step(by);
                }
            }
            Tab::Hex => {
                if let Some(dump) = &mut shown.hex {
                    dump.hex.unlink();
                    dump.step(by);
                }
            }
            Tab::Trace => {
                if let Some(around) = &mut shown.around {
                    around.scroll.step(by, around.rows.len());
                }
            }
        }
    }

    /// Goes to another tab. Tree, text and dump are three looks at the same bytes: what is under
    /// the cursor of one comes under that of the other.
    fn go_to(&mut self, tab: Tab) {
        self.search = None;
        let from = std::mem::replace(&mut self.tab, tab);
        let Some(shown) = &mut self.shown else {
            return;
        };
        if !shown.is_in_place() {
            return;
        }
        match (from, &shown.value, &shown.hex) {
            (Tab::Value, Some(Value::Tree(view)), _) => {
                shown.byte = view.tree.span(view.scroll.at).map(|s| s.start);
            }
            (Tab::Hex, _, Some(dump)) => {
                let place = dump.hex.cursor().filter(|p| p.section == VALUE);
                shown.byte = place.map(|p| p.at).or(shown.byte);
            }
            _ => {}
        }
        if let Some(byte) = shown.byte {
            shown.point_at(tab, byte, self.size.0);
        }
    }

    /// Closes a comparison, and gives who had the keys before it; `None` when there is none.
    pub fn close_diff(&mut self) -> Option<Focus> {
        self.compare.take().map(|compare| compare.focus)
    }
}
