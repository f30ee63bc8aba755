//! Builds what a tab shows, when it is to be drawn: at once, or on another thread where that takes
//! longer than a key may wait.

use std::sync::Arc;
use std::time::Duration;

use super::around::Around;
use super::known::Told;
use super::rows::{Rows, Scroll};
use super::value::{self, Value};
use super::{Detail, Shown, Tab, again, headers, known};
use crate::schema::Decoder;
use crate::tui::model::feed::Feed;
use crate::tui::msg::{Effect, Msg};

/// Larger values are read on another thread.
const LARGE: usize = 1024 * 1024;

impl Detail {
    /// Builds what the tab shows, and nothing else.
    pub(super) fn build(&mut self, feed: &Feed, now: Duration, decoder: &Decoder) {
        let (columns, height) = self.size;
        if self.compare.is_some() {
            self.build_compare(decoder);
            return;
        }
        if matches!(self.tab, Tab::Value | Tab::Schema) {
            self.look_again(now, decoder);
            self.open_value(now, decoder);
        }
        let Some(shown) = &mut self.shown else {
            return;
        };
        let mut more = false;
        match self.tab {
            Tab::Value => match &mut shown.value {
                Some(Value::Tree(view)) => view.scroll.settle(view.tree.len(), height),
                Some(Value::Text { note, text, .. }) => {
                    let height = height.saturating_sub(usize::from(note.is_some()));
                    more = text.settle(columns, height);
                }
                Some(Value::Bytes { dump, .. }) => dump.settle(columns, height.saturating_sub(1)),
                Some(Value::Working | Value::Words(_)) | None => {}
            },
            Tab::Headers => {
                let event = shown.batch.get(shown.at);
                let rows = || Rows::new(headers::lines(event.headers));
                let rows = shown.headers.get_or_insert_with(rows);
                rows.scroll.settle(rows.lines.len(), height);
            }
            Tab::Schema => {
                if shown.known.is_none()
                    && let Some(value) = &shown.value
                    && !matches!(value, Value::Working)
                {
                    let event = shown.batch.get(shown.at);
                    let told = shown.told.get_or_insert_default();
                    shown.known = Some(known::rows(&event, told, value));
                }
                if let Some(rows) = &mut shown.known {
                    rows.scroll.settle(rows.lines.len(), height);
                }
            }
            Tab::Raw => more = shown.raw(columns).settle(columns, height),
            Tab::Hex => shown.hex().settle(columns, height),
            Tab::Trace => build_around(shown, feed, now, height),
        }
        if more {
            self.pending.push(again());
        }
    }

    /// A schema that was not known may have come meanwhile.
    fn look_again(&mut self, now: Duration, decoder: &Decoder) {
        let Some(shown) = &mut self.shown else {
            return;
        };
        let Some(told) = shown.told.as_mut().filter(|told| told.is_old(now)) else {
            return;
        };
        told.made = now;
        let event = shown.batch.get(shown.at);
        if event.value.is_none_or(|value| value.len() > LARGE) {
            return;
        }
        let mut reader = decoder.reader();
        if !told.is_still(reader.see(&event).schema) {
            (shown.value, shown.known, shown.told) = (None, None, None);
        }
    }

    /// Reads the value: at once, or on another thread when it is large.
    fn open_value(&mut self, now: Duration, decoder: &Decoder) {
        let Some(shown) = &mut self.shown else {
            return;
        };
        let size = shown.event().value.map_or(0, <[u8]>::len);
        let waits = matches!(shown.value, Some(Value::Working));
        if shown.value.is_some() && !waits {
            return;
        }
        if size <= LARGE {
            let bytes = shown.bytes();
            let (value, told) = value::read(decoder, &shown.event(), bytes, now);
            self.opened(value, told);
            return;
        }
        shown.value = Some(Value::Working);
        // One at a time: who goes past many large ones does not start a thread for each.
        if self.working {
            return;
        }
        self.working = true;
        let (batch, at, number) = (shown.batch.clone(), shown.at, self.number);
        let decoder = decoder.clone();
        self.pending.push(Effect::Work(Box::new(move || {
            let bytes: Option<Arc<[u8]>> = batch.get(at).value.map(Arc::from);
            let (value, told) = value::read(&decoder, &batch.get(at), bytes.clone(), now);
            Msg::Done(Box::new(move |model| {
                let detail = &mut model.stream.detail;
                detail.working = false;
                if detail.number == number {
                    if let Some(shown) = &mut detail.shown {
                        shown.bytes = bytes;
                    }
                    detail.opened(value, told);
                }
                Vec::new()
            }))
        })));
    }

    fn opened(&mut self, mut value: Value, told: Told) {
        if let Value::Tree(view) = &mut value {
            view.like(self.last.0, &self.last.1);
        }
        if let Some(shown) = &mut self.shown {
            shown.value = Some(value);
            shown.told = Some(told);
        }
    }

    fn build_compare(&mut self, decoder: &Decoder) {
        let (_, height) = self.size;
        let Some(compare) = &mut self.compare else {
            return;
        };
        if compare.diff.is_none() && !compare.asked {
            compare.asked = true;
            let work = compare.work(decoder.clone());
            if compare.is_large() {
                self.number += 1;
                let number = self.number;
                compare.number = number;
                self.pending.push(Effect::Work(Box::new(move || {
                    let diff = work();
                    Msg::Done(Box::new(move |model| {
                        let compare = model.stream.detail.compare.as_mut();
                        if let Some(compare) = compare.filter(|c| c.number == number) {
                            compare.diff = Some(diff);
                        }
                        Vec::new()
                    }))
                })));
            } else {
                compare.diff = Some(work());
            }
        }
        compare.scroll.settle(compare.len(), height);
    }
}

fn build_around(shown: &mut Shown, feed: &Feed, now: Duration, height: usize) {
    let key = shown.batch.get(shown.at).key;
    let old = shown.around.as_ref().is_none_or(|a| a.is_old(feed, now));
    if old && let Some(key) = key {
        let mut fresh = Around::of(feed, shown.id, key, now);
        if let Some(before) = &shown.around
            && let Some(id) = before.rows.get(before.scroll.at)
            && let Some(at) = fresh.rows.iter().position(|row| row == id)
        {
            fresh.scroll = Scroll {
                at,
                ..before.scroll
            };
        }
        shown.around = Some(fresh);
    }
    if let Some(around) = &mut shown.around {
        around.scroll.settle(around.rows.len(), height);
    }
}
