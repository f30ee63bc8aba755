//! The tab of the trace: the events of the same key that the buffer holds around this one.

use std::time::Duration;

use super::rows::Scroll;
use crate::tui::model::feed::Feed;
use crate::tui::model::store::EventId;

/// Events that are listed.
const MOST: usize = 50;
/// Events that are looked at in each direction.
const FAR: usize = 100_000;
/// What is listed is looked for again after this time, where events came or went.
pub const OLD: Duration = Duration::from_secs(1);

/// The list, oldest first.
#[derive(Debug, Default)]
pub struct Around {
    pub rows: Vec<EventId>,
    /// The row of the event itself.
    pub here: Option<usize>,
    /// Not all that is held was looked at.
    pub cut: bool,
    pub scroll: Scroll,
    /// Events that had come when it was made, and when that was.
    came: u64,
    made: Duration,
}

impl Around {
    pub fn of(feed: &Feed, id: Option<EventId>, key: &[u8], now: Duration) -> Self {
        let chunks: Vec<_> = feed.store.chunks().collect();
        let same = |id: &EventId| {
            let event = feed.store.get(*id);
            event.is_some_and(|e| e.key == Some(key))
        };
        let ids = |from: usize| {
            chunks.get(from..).unwrap_or_default().iter().flat_map(|c| {
                let chunk = c.id;
                (0..c.batch.len() as u32).map(move |index| EventId { chunk, index })
            })
        };
        let ids_back = |to: usize| {
            let before = chunks.get(..to).unwrap_or_default().iter().rev();
            before.flat_map(|c| {
                let chunk = c.id;
                let indexes = (0..c.batch.len() as u32).rev();
                indexes.map(move |index| EventId { chunk, index })
            })
        };
        // An event that the buffer let go of is older than all that it holds.
        let at = id.map_or(0, |id| chunks.partition_point(|c| c.id < id.chunk));
        let to = id.map_or(0, |id| chunks.partition_point(|c| c.id <= id.chunk));
        let mut cut = false;
        let mut near = |ids: &mut dyn Iterator<Item = EventId>| {
            let mut found = Vec::new();
            for (looked, id) in ids.enumerate() {
                if looked >= FAR || found.len() >= MOST {
                    cut = true;
                    break;
                }
                if same(&id) {
                    found.push(id);
                }
            }
            found
        };
        let before = near(&mut ids_back(to).filter(|i| Some(*i) < id));
        let after = near(&mut ids(at).filter(|i| Some(*i) > id));
        let mut rows = nearest(before, after);
        rows.extend(id);
        let time = |id: &EventId| feed.store.get(*id).and_then(|e| e.time());
        rows.sort_by_key(|id| (time(id), *id));
        let here = rows.iter().position(|row| Some(*row) == id);
        Self {
            scroll: Scroll {
                at: here.unwrap_or(0),
                ..Scroll::default()
            },
            rows,
            here,
            cut,
            came: came(feed),
            made: now,
        }
    }

    /// Whether it may not be true any more.
    pub fn is_old(&self, feed: &Feed, now: Duration) -> bool {
        came(feed) != self.came && now.saturating_sub(self.made) >= OLD
    }
}

fn came(feed: &Feed) -> u64 {
    feed.store.events() + feed.store.evicted
}

/// The nearest ones of both directions, each of which begins with its nearest.
fn nearest(mut before: Vec<EventId>, mut after: Vec<EventId>) -> Vec<EventId> {
    let room = MOST - 1;
    let half = room / 2;
    let first = before.len().min(room - after.len().min(room - half));
    before.truncate(first);
    after.truncate(room - first);
    before.extend(after);
    before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::fixture::batch_of;

    fn ids(around: &Around) -> Vec<(u64, u32)> {
        around.rows.iter().map(|i| (i.chunk, i.index)).collect()
    }

    #[test]
    fn events_of_the_same_key_are_listed_by_time() {
        let mut feed = Feed::new(1 << 20);
        let now = Duration::ZERO;
        feed.batch(&batch_of(&[(0, 1, "1"), (1, 9, "2")]), now);
        feed.batch(&batch_of(&[(0, 3, "3"), (0, 4, "4")]), now);
        let id = EventId { chunk: 1, index: 0 };
        let around = Around::of(&feed, Some(id), b"order-1", now);
        assert_eq!(ids(&around), [(0, 0), (1, 0), (1, 1), (0, 1)]);
        assert_eq!((around.here, around.scroll.at), (Some(1), 1));
        assert!(!around.cut && !around.is_old(&feed, OLD));
        let other = Around::of(&feed, Some(id), b"order-2", now);
        assert_eq!(ids(&other), [(1, 0)]);
        feed.batch(&batch_of(&[(0, 5, "5")]), now);
        assert!(around.is_old(&feed, OLD));
    }

    #[test]
    fn the_nearest_ones_are_taken() {
        let mut feed = Feed::new(1 << 20);
        let many: Vec<_> = (0..200).map(|i| (0, i, "1")).collect();
        feed.batch(&batch_of(&many), Duration::ZERO);
        for (index, first, here) in [(100, 76, 24), (0, 0, 0), (199, 150, 49), (10, 0, 10)] {
            let id = EventId { chunk: 0, index };
            let around = Around::of(&feed, Some(id), b"order-1", Duration::ZERO);
            assert_eq!(around.rows.len(), MOST);
            assert_eq!(around.rows[0].index, first, "{index}");
            assert_eq!(around.here, Some(here));
        }
    }

    #[test]
    fn an_event_that_was_let_go_of_has_those_after_it() {
        let mut feed = Feed::new(1 << 20);
        feed.batch(&batch_of(&[(0, 1, "1"), (0, 2, "2")]), Duration::ZERO);
        let around = Around::of(&feed, None, b"order-1", Duration::ZERO);
        assert_eq!((ids(&around).len(), around.here), (2, None));
    }
}
