//! Events set down as JSON lines in a file that nobody else sees, in the order of time, so that any
//! few of them can be read again and again. Memory holds a row of 56 bytes an event.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::sync::Arc;

use crate::event::{Batch, Position, PositionStyle, object};
use crate::schema::Reader;

/// Takes events as they come.
pub struct Spool {
    file: BufWriter<File>,
    len: u64,
    reader: Reader,
    line: Vec<u8>,
    rows: Vec<Row>,
    most: usize,
    places: Vec<Place>,
    numbers: HashMap<(u16, Arc<str>, u32), u32>,
    keys: HashMap<Vec<u8>, u32>,
}

/// One event.
#[derive(Debug, Clone, Copy)]
struct Row {
    /// The latest time of its partition up to it: so partitions merge by time, and each keeps its
    /// own order.
    time: i64,
    position: Position,
    start: u64,
    len: u32,
    place: u32,
    /// Number of its key; events without one have none in common.
    key: u32,
}

/// One partition.
struct Place {
    topic: Arc<str>,
    partition: u32,
    style: PositionStyle,
    latest: i64,
}

/// Why an event could not be set down.
#[derive(Debug)]
pub enum SpoolError {
    Io(io::Error),
    /// There are more than this many.
    Full(usize),
}

const NO_KEY: u32 = u32::MAX;

impl Spool {
    /// Holds as many events as fit into so much memory.
    pub fn new(reader: Reader, memory: usize) -> io::Result<Self> {
        Ok(Self {
            file: BufWriter::with_capacity(1 << 18, tempfile::tempfile()?),
            len: 0,
            reader,
            line: Vec::new(),
            rows: Vec::new(),
            // Keys take about as much again.
            most: memory / (2 * size_of::<Row>()),
            places: Vec::new(),
            numbers: HashMap::new(),
            keys: HashMap::new(),
        })
    }

    /// Sets down the events of a batch; those of aborted transactions are left out.
    pub fn batch(&mut self, batch: &Batch) -> Result<(), SpoolError> {
        for event in batch.iter() {
            if event.is_aborted() {
                continue;
            }
            if self.rows.len() >= self.most {
                return Err(SpoolError::Full(self.most));
            }
            let place = self.place(batch, event.stream_index);
            self.line.clear();
            object::write(&mut self.line, &event, &self.reader.see(&event));
            self.line.push(b'\n');
            self.file.write_all(&self.line).map_err(SpoolError::Io)?;
            let known = &mut self.places[place as usize];
            known.latest = known
                .latest
                .max(event.time().map_or(i64::MIN, |time| time.0));
            let time = known.latest;
            let key = event.key.map_or(NO_KEY, |key| self.key(key));
            self.rows.push(Row {
                time,
                position: event.position,
                start: self.len,
                len: self.line.len() as u32,
                place,
                key,
            });
            self.len += self.line.len() as u64;
        }
        Ok(())
    }

    fn key(&mut self, key: &[u8]) -> u32 {
        if let Some(&number) = self.keys.get(key) {
            return number;
        }
        let number = self.keys.len() as u32;
        self.keys.insert(key.to_vec(), number);
        number
    }

    fn place(&mut self, batch: &Batch, stream: u32) -> u32 {
        let origin = batch.origin(stream);
        let stream = &batch.streams()[stream as usize];
        let name = (origin, Arc::clone(&stream.topic), stream.partition);
        let next = self.places.len() as u32;
        *self.numbers.entry(name).or_insert_with(|| {
            self.places.push(Place {
                topic: Arc::clone(&stream.topic),
                partition: stream.partition,
                style: stream.style,
                latest: i64::MIN,
            });
            next
        })
    }

    /// All of them, by time, then topic, partition and position.
    pub fn done(mut self) -> io::Result<Spooled> {
        self.file.flush()?;
        let file = self
            .file
            .into_inner()
            .map_err(io::IntoInnerError::into_error)?;
        let places = self.places;
        let name = |row: &Row| {
            let place = &places[row.place as usize];
            (&place.topic, place.partition)
        };
        // Stable: what one partition gave stays in its order, whatever its positions are.
        self.rows
            .sort_by(|a, b| (a.time, name(a)).cmp(&(b.time, name(b))));
        Ok(Spooled {
            file,
            rows: self.rows,
            places,
        })
    }
}

/// The events, numbered by time.
pub struct Spooled {
    file: File,
    rows: Vec<Row>,
    places: Vec<Place>,
}

impl Spooled {
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// `topic/partition@position` of an event; the topic is as it is.
    pub fn at(&self, event: usize) -> Option<String> {
        let row = self.rows.get(event)?;
        let place = &self.places[row.place as usize];
        let position = row.position.display(place.style);
        Some(format!("{}/{}@{position}", place.topic, place.partition))
    }

    /// The events of each key, by their first; each event without a key is alone.
    pub fn by_key(&self) -> Vec<Vec<usize>> {
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut of_key: HashMap<u32, usize> = HashMap::new();
        for (event, row) in self.rows.iter().enumerate() {
            let next = groups.len();
            let group = match row.key {
                NO_KEY => next,
                key => *of_key.entry(key).or_insert(next),
            };
            if group == next {
                groups.push(Vec::new());
            }
            groups[group].push(event);
        }
        groups
    }

    /// Writes the lines of these events.
    pub fn write(
        &self,
        events: impl IntoIterator<Item = usize>,
        out: &mut dyn Write,
    ) -> io::Result<()> {
        let mut file = BufReader::with_capacity(1 << 16, &self.file);
        let mut at = file.seek(SeekFrom::Start(0))?;
        let mut line = Vec::new();
        for event in events {
            let Some(row) = self.rows.get(event) else {
                continue;
            };
            if row.start != at {
                file.seek_relative(row.start.cast_signed() - at.cast_signed())?;
            }
            line.resize(row.len as usize, 0);
            file.read_exact(&mut line)?;
            at = row.start + u64::from(row.len);
            out.write_all(&line)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{EventRef, Headers, Timestamp, TimestampType};
    use crate::pipeline::fake::stream_table;
    use crate::schema::Decoder;

    /// An event of a stream, at an offset, a time, with a key.
    fn batch(events: &[(u32, u64, i64, Option<&str>)]) -> Batch {
        let streams = stream_table(&["a", "b"]);
        let mut batch = Batch::new(streams.clone());
        for &(stream, offset, time, key) in events {
            let event = EventRef {
                stream: &streams[stream as usize],
                stream_index: stream,
                position: Position::offset(offset),
                timestamp: Timestamp(time),
                timestamp_type: TimestampType::Create,
                key: key.map(str::as_bytes),
                value: Some(b"{}"),
                headers: Headers::default(),
                meta: None,
            };
            batch.push(&event).unwrap();
        }
        batch
    }

    fn spooled(batches: &[Batch]) -> Spooled {
        let mut spool = Spool::new(Decoder::default().looker(), 1 << 20).unwrap();
        for batch in batches {
            spool.batch(batch).unwrap();
        }
        spool.done().unwrap()
    }

    #[test]
    fn partitions_are_merged_by_time_and_each_keeps_its_order() {
        let spooled = spooled(&[
            batch(&[(1, 0, 50, None), (1, 1, 10, None), (1, 2, 70, None)]),
            batch(&[(0, 0, 20, None), (0, 1, 60, None)]),
        ]);
        let order: Vec<String> = (0..spooled.len()).filter_map(|e| spooled.at(e)).collect();
        // b/0@1 is older than what came before it, and stays behind it.
        assert_eq!(order, ["a/0@0", "b/0@0", "b/0@1", "a/0@1", "b/0@2"]);
        assert_eq!(spooled.at(5), None);
    }

    #[test]
    fn any_of_them_can_be_read_again() {
        let spooled = spooled(&[
            batch(&[(1, 0, 50, Some("k")), (1, 1, 51, Some("l"))]),
            batch(&[(0, 0, 20, Some("k")), (0, 1, 60, None)]),
        ]);
        assert_eq!(spooled.by_key(), [vec![0, 1], vec![2], vec![3]]);
        let places = |events: &[usize]| {
            let mut out = Vec::new();
            spooled.write(events.iter().copied(), &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            let lines = text.lines().map(|line| {
                let event: serde_json::Value = serde_json::from_str(line).unwrap();
                format!("{}@{}", event["topic"].as_str().unwrap(), event["offset"])
            });
            lines.collect::<Vec<_>>()
        };
        assert_eq!(places(&[0, 1, 2, 3]), ["a@0", "b@0", "b@1", "a@1"]);
        assert_eq!(places(&[3, 0]), ["a@1", "a@0"]);
        assert_eq!(places(&[]), Vec::<String>::new());
    }

    #[test]
    fn what_does_not_fit_is_told() {
        let mut spool = Spool::new(Decoder::default().looker(), 3 * 2 * size_of::<Row>()).unwrap();
        let events: Vec<_> = (0..4).map(|n| (0, n, 0, None)).collect();
        assert!(matches!(
            spool.batch(&batch(&events)),
            Err(SpoolError::Full(3))
        ));
    }
}
