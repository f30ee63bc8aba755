//! Where a read stands in one stream: what to ask for next, how large a page may be, and whether
//! anything was missed.

use super::range::{Frozen, id_text};
use super::reply::StreamInfo;
use crate::broker::Notices;
use crate::event::{Position, PositionStyle};

/// Entries in a page at most.
pub(super) const PAGE: u64 = 1000;
/// Entries in the first page: nobody knows yet how large they are.
const FIRST_PAGE: u64 = 16;
/// A page grows by this factor at most, for the same reason.
const GROWTH: u64 = 8;
/// A page is sized to hold about this many bytes.
pub(super) const PAGE_BYTES: usize = 512 * 1024;
/// Where one stream stands.
pub(super) struct Cursor {
    pub(super) start: Position,
    /// The next entry to ask for.
    pub(super) next: Position,
    /// Exclusive; `Position::MAX` when it follows.
    pub(super) end: Position,
    /// Handed on up to here.
    pub(super) handed: Position,
    /// Entries of the next page.
    pub(super) page: u64,
    /// How many entries stood in front of `next`, counted since the stream began.
    pub(super) ordinal: Option<u64>,
    /// What `ordinal` comes to at the end of the range when nothing is missed.
    pub(super) expected: Option<u64>,
    pub(super) seen: Option<Position>,
    pub(super) done: bool,
    /// The last page was full: more waits on the server.
    pub(super) behind: bool,
    /// To be looked at whether it was trimmed under us.
    pub(super) check: bool,
}

impl Cursor {
    pub(super) fn new(row: &Frozen, follow: bool, notices: &Notices) -> Self {
        let (range, info) = (&row.range, &row.found.info);
        let end = if follow { Position::MAX } else { range.end };
        if range.start < info.start() && range.start < end && info.removed() != Some(0) {
            notices.tell(&format!(
                "the stream {} was trimmed: the range begins at {}, the stream at {}",
                range.topic,
                id_text(range.start),
                id_text(info.start())
            ));
        }
        let before = info.removed().unwrap_or(0);
        let ordinal = if range.start <= info.start() {
            Some(before)
        } else {
            (range.start >= info.end()).then_some(before + info.length)
        };
        Self {
            start: range.start,
            next: range.start,
            end,
            handed: range.start,
            page: FIRST_PAGE,
            ordinal,
            expected: (range.end >= info.end()).then_some(before + info.length),
            seen: None,
            done: range.start >= end,
            behind: false,
            check: false,
        }
    }

    /// For a stream that came into being while it was followed.
    pub(super) const fn of_new() -> Self {
        Self {
            start: Position::ZERO,
            next: Position::ZERO,
            end: Position::MAX,
            handed: Position::ZERO,
            page: FIRST_PAGE,
            ordinal: Some(0),
            expected: None,
            seen: None,
            done: false,
            behind: false,
            check: false,
        }
    }

    /// Goes on behind a page of `count` entries, and sizes the next one by their bytes.
    pub(super) fn came(&mut self, last: Position, count: usize, bytes: usize, budget: usize) {
        let each = (bytes / count.max(1)).max(1);
        let fitting = (budget / each) as u64;
        self.page = fitting.min(self.page * GROWTH).clamp(1, PAGE);
        self.next = last.next(PositionStyle::Entry);
        self.seen = Some(last);
        self.ordinal = self.ordinal.map(|n| n + count as u64);
    }

    /// Nothing is left in the range.
    pub(super) fn finish(&mut self, topic: &str, notices: &Notices) {
        self.done = true;
        if let (Some(ordinal), Some(expected)) = (self.ordinal, self.expected) {
            tell_missed(notices, topic, ordinal, expected);
        }
    }

    /// Compares what came with what the stream has seen. Only with nothing new since the last
    /// answer do the two counts mean the same.
    pub(super) fn compare(&mut self, info: &StreamInfo, topic: &str, notices: &Notices) {
        if let (Some(ordinal), Some(added)) = (self.ordinal, info.added)
            && self.seen == Some(info.last_id)
        {
            tell_missed(notices, topic, ordinal, added);
            self.ordinal = Some(added);
            self.behind = false;
        }
    }
}

/// Entries that were there and did not come: trimmed or deleted while the read was on its way.
fn tell_missed(notices: &Notices, topic: &str, read: u64, there: u64) {
    if let Some(missed @ 1..) = there.checked_sub(read) {
        notices.tell(&format!(
            "{missed} events of {topic} were trimmed or deleted before they could be read"
        ));
    }
}
