//! The copies that a plan made, as they stand in its target: which events they are, and where they
//! say that they come from.

use std::collections::HashMap;
use std::sync::Arc;

use memchr::memmem::Finder;

use super::others::Others;
use super::plan::Plan;
use super::provenance::Own;
use crate::event::{EventRef, Position, PositionStyle, Select, SelectError, SelectWorker, Verdict};

/// The partitions that a plan reads, numbered; two ranges of one partition are one.
#[derive(Debug, Clone)]
pub(super) struct Places {
    /// By the beginning of `evtap-source`: `PLACE/TOPIC/PARTITION`.
    by_place: HashMap<Vec<u8>, usize>,
    styles: Vec<PositionStyle>,
}

impl Places {
    pub(super) fn of(plan: &Plan) -> Self {
        let mut places = Self {
            by_place: HashMap::new(),
            styles: Vec::new(),
        };
        for source in &plan.sources {
            for range in &source.ranges {
                let place = format!("{}/{}/{}", source.name, range.topic, range.partition);
                places
                    .by_place
                    .entry(place.into_bytes())
                    .or_insert_with(|| {
                        places.styles.push(range.style);
                        places.styles.len() - 1
                    });
            }
        }
        places
    }

    /// The number of `PLACE/TOPIC/PARTITION`.
    pub(super) fn find(&self, place: &[u8]) -> Option<usize> {
        self.by_place.get(place).copied()
    }

    /// The number of a partition of one of the plan's sources, by the source's name.
    pub(super) fn number(&self, source: &str, topic: &str, partition: u32) -> Option<usize> {
        self.find(format!("{source}/{topic}/{partition}").as_bytes())
    }

    pub(super) fn len(&self) -> usize {
        self.styles.len()
    }

    pub(super) fn style(&self, place: usize) -> Option<PositionStyle> {
        self.styles.get(place).copied()
    }
}

/// Where a copy says that it comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    At(usize, Position),
    /// Of this plan, and from no place that it reads.
    Unknown,
}

/// Finds the lane of a copy; the lane before is most often the right one.
#[derive(Debug, Default)]
pub(super) struct Reader {
    place: Vec<u8>,
    lane: Option<usize>,
}

impl Reader {
    /// Where the event comes from by its headers; `None` when it is no copy of this plan.
    pub(super) fn origin(
        &mut self,
        places: &Places,
        plan: &str,
        event: &EventRef<'_>,
    ) -> Option<Origin> {
        let marks = Marks::of(event, plan)?;
        Some(self.origin_by(places, &marks))
    }

    pub(super) fn origin_by(&mut self, places: &Places, marks: &Marks<'_>) -> Origin {
        self.parse(places, marks).unwrap_or(Origin::Unknown)
    }

    fn parse(&mut self, places: &Places, marks: &Marks<'_>) -> Option<Origin> {
        let source = marks.source?;
        let slash = memchr::memrchr(b'/', source)?;
        let (place, position) = source.split_at(slash);
        if self.lane.is_none() || self.place != place {
            self.lane = places.find(place);
            self.place.clear();
            self.place.extend_from_slice(place);
        }
        let lane = self.lane?;
        let text = std::str::from_utf8(position.get(1..)?).ok()?;
        let position = Position::parse(text, places.style(lane)?)?;
        Some(Origin::At(lane, position))
    }
}

/// What the headers of a copy say of it. Of two of one name the last one counts.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks<'a> {
    source: Option<&'a [u8]>,
    /// Its original had a timestamp.
    pub timed: bool,
    /// The headers that its original had.
    pub others: Others<'a>,
}

impl<'a> Marks<'a> {
    /// `None` for an event that is no copy of this plan.
    pub(super) fn of(event: &EventRef<'a>, plan: &str) -> Option<Self> {
        if event.is_aborted() {
            return None;
        }
        let mut source = None;
        let mut timed = false;
        let mut is_copy = false;
        let others = Others::beside(event.headers, |own, value| match own {
            Own::Source => source = value,
            Own::Time => timed = true,
            Own::Replay => is_copy = value == Some(plan.as_bytes()),
            Own::Count => {}
        });
        is_copy.then_some(Self {
            source,
            timed,
            others,
        })
    }
}

/// Selects the copies that a plan made; others need not be looked at.
pub(super) struct Copies {
    plan: Arc<str>,
}

impl Copies {
    pub(super) fn of(plan: &str) -> Arc<Self> {
        Arc::new(Self { plan: plan.into() })
    }
}

impl Select for Copies {
    fn worker(&self) -> Box<dyn SelectWorker> {
        Box::new(CopiesWorker {
            search: Search::of(&self.plan),
        })
    }
}

struct CopiesWorker {
    search: Search,
}

impl SelectWorker for CopiesWorker {
    fn test(&mut self, event: &EventRef<'_>) -> Result<Verdict, SelectError> {
        Ok(if self.search.look(event).is_some() {
            Verdict::Keep
        } else {
            Verdict::Drop
        })
    }

    fn seek(&mut self, bytes: &[u8], from: usize) -> Option<usize> {
        self.search.seek(bytes, from)
    }
}

/// So many copies in a row are taken for more to come.
const ROW: u32 = 16;

/// The search for the copies that a plan made: by its id for events that may be some, see
/// [`SelectWorker::seek`], then by what their headers say. Where all are copies nothing is sought,
/// as that would end in the next event each time.
pub(super) struct Search {
    plan: Arc<str>,
    finder: Finder<'static>,
    /// Copies since something else was looked at.
    in_a_row: u32,
}

impl Search {
    pub(super) fn of(plan: &str) -> Self {
        Self {
            plan: plan.into(),
            finder: Finder::new(plan.as_bytes()).into_owned(),
            in_a_row: 0,
        }
    }

    /// As [`Marks::of`].
    pub(super) fn look<'e>(&mut self, event: &EventRef<'e>) -> Option<Marks<'e>> {
        let marks = Marks::of(event, &self.plan);
        self.met(marks.is_some());
        marks
    }

    /// An event was looked at.
    fn met(&mut self, is_copy: bool) {
        self.in_a_row = if is_copy {
            self.in_a_row.saturating_add(1)
        } else {
            0
        };
    }

    pub(super) fn seek(&self, bytes: &[u8], from: usize) -> Option<usize> {
        if self.in_a_row >= ROW {
            return Some(from);
        }
        let hit = self.finder.find(bytes.get(from..)?)?;
        Some(from + hit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn among_copies_the_next_event_is_looked_at_and_else_one_is_sought() {
        let bytes = b"....plan-1....";
        let mut search = Search::of("plan-1");
        for _ in 0..ROW {
            assert_eq!(
                (search.seek(bytes, 2), search.seek(bytes, 5)),
                (Some(4), None)
            );
            search.met(true);
        }
        assert_eq!(
            (search.seek(bytes, 2), search.seek(bytes, 5)),
            (Some(2), Some(5))
        );
        search.met(false);
        assert_eq!(
            (search.seek(bytes, 2), search.seek(bytes, 5)),
            (Some(4), None)
        );
    }
}
