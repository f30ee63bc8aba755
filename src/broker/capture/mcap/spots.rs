//! The messages of one partition, in the order in which they were recorded. Holds the places of
//! one chunk at a time.

use std::io;

use ::mcap::records::{Record, op};

use super::index::{Index, record_at};
use super::scan::{self, Found};
use super::store::{Chunk, Spot, Spots, Store, invalid};

/// A message index record is never larger.
const INDEX_LIMIT: u64 = 64 * 1024 * 1024;

/// Walks over the messages of one stream of an index.
pub(super) struct SpotWalk<'i> {
    index: &'i Index,
    stream: usize,
    /// The chunk after the one whose spots are held.
    next_chunk: usize,
    spots: Vec<Spot>,
    next_spot: usize,
}

/// A message: the number of its chunk, and where it is in there.
type Place = (usize, Spot);

impl<'i> SpotWalk<'i> {
    pub(super) const fn new(index: &'i Index, stream: usize) -> Self {
        Self {
            index,
            stream,
            next_chunk: 0,
            spots: Vec::new(),
            next_spot: 0,
        }
    }

    /// The next message in the chunks that `takes` holds for. An error is one damaged chunk, of
    /// which what could be found comes next; the walk goes on behind it.
    pub(super) fn next(
        &mut self,
        store: &mut Store,
        takes: impl Fn(&Chunk) -> bool,
    ) -> Option<io::Result<Place>> {
        loop {
            if let Some(spot) = self.spots.get(self.next_spot) {
                self.next_spot += 1;
                return Some(Ok((self.next_chunk - 1, *spot)));
            }
            let chunk = self.index.chunks.get(self.next_chunk)?;
            self.next_chunk += 1;
            self.next_spot = 0;
            self.spots.clear();
            if !takes(chunk) {
                continue;
            }
            if self.load(store, chunk).is_err()
                && let Err(error) = self.walk(store, chunk)
            {
                return Some(Err(error));
            }
        }
    }

    /// Without the message index, which is damaged.
    fn walk(&mut self, store: &mut Store, chunk: &Chunk) -> io::Result<()> {
        let mut copy = Chunk {
            packing: chunk.packing.clone(),
            spots: Spots::Known(Vec::new()),
            ..*chunk
        };
        let walked = scan::walk(store, &mut copy, &mut Found::default());
        self.spots.clear();
        self.load(store, &copy)?;
        walked.map_err(|(_, error)| error)
    }

    fn load(&mut self, store: &Store, chunk: &Chunk) -> io::Result<()> {
        let ours = |channel: u16| {
            let lane = self.index.channels.get(&channel);
            lane.is_some_and(|lane| lane.stream == self.stream)
        };
        match &chunk.spots {
            Spots::Known(spots) => {
                self.spots.extend(spots.iter().filter(|s| ours(s.channel)));
            }
            Spots::Indexed(places) => {
                for (channel, at) in places.iter().filter(|(channel, _)| ours(*channel)) {
                    load_index(store, *channel, *at, &mut self.spots)?;
                }
                // Two channels of one partition, and writers that sort by time: file order is
                // what keeps a partition's order.
                self.spots.sort_by_key(|s| s.at);
            }
        }
        Ok(())
    }
}

fn load_index(store: &Store, channel: u16, at: u64, spots: &mut Vec<Spot>) -> io::Result<()> {
    let len = store.file().metadata()?.len();
    let body = record_at(store.file(), at, len, op::MESSAGE_INDEX, INDEX_LIMIT)?;
    match ::mcap::parse_record(op::MESSAGE_INDEX, &body) {
        Ok(Record::MessageIndex(index)) if index.channel_id == channel => {
            spots.extend(index.records.iter().map(|entry| Spot {
                channel,
                log_time: entry.log_time,
                at: entry.offset,
            }));
            Ok(())
        }
        _ => Err(invalid("a message index makes no sense")),
    }
}
