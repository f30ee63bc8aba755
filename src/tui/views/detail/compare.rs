//! Two events against each other in the place of the tabs.

use std::sync::Arc;

use super::rows::Scroll;
use crate::event::Batch;
use crate::schema::Decoder;
use crate::tui::model::stream::Focus;
use crate::tui::widgets::diff::{self, Diff};

/// Events of more bytes together are compared on another thread.
const LARGE: usize = 256 * 1024;

/// An event by itself, which outlives the buffer, and how it is called.
#[derive(Clone)]
pub struct Side {
    pub batch: Arc<Batch>,
    pub name: String,
}

impl Side {
    fn size(&self) -> usize {
        self.batch.iter().map(|e| e.size()).sum()
    }
}

/// A comparison that is shown.
pub struct Compare {
    pub old: Side,
    pub new: Side,
    /// What is the same is told too.
    pub all: bool,
    /// `None` while a thread compares.
    pub diff: Option<Diff>,
    pub scroll: Scroll,
    /// Who had the keys before.
    pub focus: Focus,
    /// A thread was asked, and the number of what it was asked.
    pub asked: bool,
    pub number: u64,
}

impl Compare {
    pub fn new(old: Side, new: Side, focus: Focus) -> Self {
        Self {
            old,
            new,
            all: false,
            diff: None,
            scroll: Scroll::default(),
            focus,
            asked: false,
            number: 0,
        }
    }

    /// The other way round.
    pub fn swap(&mut self) {
        std::mem::swap(&mut self.old, &mut self.new);
        self.again();
    }

    pub fn toggle_all(&mut self) {
        self.all = !self.all;
        self.again();
    }

    fn again(&mut self) {
        self.diff = None;
        self.asked = false;
        self.scroll = Scroll::default();
    }

    pub fn is_large(&self) -> bool {
        self.old.size() + self.new.size() > LARGE
    }

    /// The comparison as a piece of work of its own.
    pub fn work(&self, decoder: Decoder) -> impl FnOnce() -> Diff + Send + 'static {
        let (old, new) = (self.old.batch.clone(), self.new.batch.clone());
        let options = diff::Options {
            all: self.all,
            decoder,
            ..diff::Options::default()
        };
        move || match (old.iter().next(), new.iter().next()) {
            (Some(old), Some(new)) => diff::diff(&old, &new, &options),
            _ => Diff::default(),
        }
    }

    pub fn len(&self) -> usize {
        self.diff.as_ref().map_or(0, |d| d.rows().len())
    }

    /// To the next difference, or the one before; false when there is none.
    pub fn walk(&mut self, forward: bool) -> bool {
        let diff = self.diff.as_ref();
        let next = diff.and_then(|diff| diff.next(self.scroll.at, forward));
        if let Some(at) = next {
            self.scroll.at = at;
        }
        next.is_some()
    }
}
