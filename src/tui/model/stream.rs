//! Where a person stands in the stream: cursor, follow, range, marks, columns, panes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::feed::Feed;
use super::shown::Row;
use super::store::EventId;
use crate::event::{Batch, EventRef, Position};
use crate::tui::views::detail::Detail;
use crate::tui::views::stream::Looks;

/// Which pane has the keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Focus {
    #[default]
    List,
    Detail,
}

/// Where the detail is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// As the width allows.
    #[default]
    Auto,
    Beside,
    Below,
    Off,
}

/// An event's name for as long as the broker keeps it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub topic: Arc<str>,
    pub partition: u32,
    pub position: Position,
}

impl Place {
    pub fn of(event: &EventRef<'_>) -> Self {
        Self {
            topic: event.stream.topic.clone(),
            partition: event.stream.partition,
            position: event.position,
        }
    }
}

/// A marked event; it stays when the buffer lets go of it.
#[derive(Debug, Clone)]
pub struct Mark {
    /// The event alone.
    pub event: Arc<Batch>,
    pub note: String,
    /// Its row when it was marked.
    pub row: Row,
}

/// The state of the stream view.
#[derive(Default)]
pub struct Stream {
    /// The row that the cursor is on; on the newest while `follow` holds.
    pub cursor: Option<Row>,
    /// Its place in the list, and the list's first row on the screen.
    pub at: usize,
    pub top: usize,
    pub follow: bool,
    pub focus: Focus,
    pub layout: Layout,
    pub maximised: bool,
    /// The other end of a range.
    pub anchor: Option<Row>,
    pub marks: BTreeMap<Place, Mark>,
    pub only_marked: bool,
    /// JSON paths that were made columns.
    pub columns: Vec<String>,
    /// Columns of the table that are switched off.
    pub hidden: Vec<&'static str>,
    /// Cells to the right.
    pub right: usize,
    /// What `=` was pressed on first.
    pub diff_from: Option<(Place, Arc<Batch>)>,
    pub detail: Detail,
    /// What the rows on the screen say.
    pub looks: Looks,
    /// Filters that were used, the oldest first.
    pub filters: Vec<String>,
    /// Marks of a capture whose events have not come yet.
    pub loaded: Vec<crate::broker::Mark>,
    /// The file that is to be written.
    pub export_to: Option<std::path::PathBuf>,
    /// Go to this event as soon as it is there.
    pub seek: Option<Seek>,
}

/// What to put the cursor on when it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seek {
    Event(Place),
    Time(i64),
}

impl Stream {
    pub fn new() -> Self {
        Self {
            follow: true,
            ..Self::default()
        }
    }

    /// The rows of the list: all that are shown, or the marked ones.
    pub fn len(&self, feed: &Feed) -> usize {
        if self.only_marked {
            self.marks.len()
        } else {
            feed.shown.len()
        }
    }

    pub fn row(&self, feed: &Feed, at: usize) -> Option<Row> {
        if self.only_marked {
            let mut rows: Vec<Row> = self.marks.values().map(|m| m.row).collect();
            rows.sort_unstable();
            rows.get(at).copied()
        } else {
            feed.shown.get(at)
        }
    }

    /// The event of a row: of the buffer, or of a mark.
    pub fn event(&self, feed: &Feed, row: &Row) -> Option<(Arc<Batch>, usize)> {
        let EventId { chunk, index } = row.id();
        if let Some(chunk) = feed.store.chunk(chunk) {
            return Some((chunk.batch.clone(), index as usize));
        }
        let mark = self.marks.values().find(|m| m.row == *row)?;
        Some((mark.event.clone(), 0))
    }

    /// The event under the cursor.
    pub fn selected(&self, feed: &Feed) -> Option<(Arc<Batch>, usize)> {
        self.event(feed, &self.cursor?)
    }

    /// Moves the cursor by rows; up ends the following.
    pub fn step(&mut self, feed: &Feed, by: isize) {
        let len = self.len(feed);
        if len == 0 {
            return;
        }
        let at = self.at.saturating_add_signed(by).min(len - 1);
        if by < 0 {
            self.follow = false;
        }
        self.put(feed, at);
    }

    /// Puts the cursor on a place of the list.
    pub fn put(&mut self, feed: &Feed, at: usize) {
        self.at = at;
        self.cursor = self.row(feed, at);
    }

    /// Finds the cursor's place again after rows came or went, and keeps it on the screen.
    pub fn settle(&mut self, feed: &Feed, height: usize) {
        let len = self.len(feed);
        let height = height.max(1);
        if len == 0 {
            (self.at, self.top, self.cursor) = (0, 0, None);
            return;
        }
        if self.follow && !feed.frozen {
            self.at = len - 1;
            self.cursor = self.row(feed, self.at);
        } else if let Some(row) = self.cursor {
            let distance = self.at.saturating_sub(self.top).min(height - 1);
            let place = if self.only_marked {
                self.marks.values().filter(|m| m.row < row).count()
            } else {
                feed.shown.place(&row)
            };
            self.at = place.min(len - 1);
            self.cursor = self.row(feed, self.at);
            // Rows that were sorted in above do not move what one looks at.
            self.top = self.at.saturating_sub(distance);
        } else {
            self.put(feed, 0);
        }
        self.top = self
            .top
            .min(self.at)
            .max((self.at + 1).saturating_sub(height))
            .min(len.saturating_sub(height));
    }

    /// The first and last place of the range, or of the cursor.
    pub fn range(&self, feed: &Feed) -> Option<(usize, usize)> {
        self.cursor?;
        let other = self.anchor.map_or(self.at, |row| feed.shown.place(&row));
        Some((self.at.min(other), self.at.max(other)))
    }

    pub fn is_marked(&self, event: &EventRef<'_>) -> bool {
        !self.marks.is_empty() && self.marks.contains_key(&Place::of(event))
    }
}
