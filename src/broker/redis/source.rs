//! A running read: pages of entries, one asked for while the last is handed on. Pages of several
//! streams take turns. What the connection needs (asking, waiting, connecting again) is in `wire`.
//!
//! The client library makes a vector of every id, field and value in a reply; from there on nothing
//! is allocated for an event. Measured: 1.7 µs of CPU and 15 MB for events of three fields, 440 B.

use std::collections::VecDeque;
use std::sync::Arc;

use futures_util::FutureExt as _;
use redis::aio::MultiplexedConnection;
use redis::{Cmd, Value, cmd};
use tokio::time::Instant;

use super::connect::{LONG_ANSWER, Server};
use super::cursor::{Cursor, PAGE, PAGE_BYTES};
use super::fault;
use super::fields::Scratch;
use super::look::{missing_or_code, strange, xinfo_stream};
use super::range::{Frozen, id_text, last_of};
use super::reply::{self, StreamInfo};
use super::watch::Watch;
use super::wire::{self, Answer};
use crate::broker::{BoxFuture, Error, ErrorKind, Notices, Result, Source, Subscription};
use crate::event::{
    Batch, BatchPool, EventRef, PositionStyle, SelectWorker, Stream, Streams, Timestamp,
    TimestampType,
};

/// The server holds a question for new entries this long before it answers "none".
const BLOCK_MS: u64 = 1000;

/// What the question that is under way will be answered with.
#[derive(Clone, Copy)]
enum Asked {
    /// A page of this stream, of so many entries at most.
    Page(usize, u64),
    /// New entries of all streams.
    New(u64),
    /// How this stream stands.
    Check(usize),
    /// Streams that were not there before.
    Scan,
}

pub(super) struct RedisSource {
    server: Arc<Server>,
    streams: Streams,
    cursors: Vec<Cursor>,
    turn: usize,
    follow: bool,
    watch: Option<Watch>,
    conn: Option<MultiplexedConnection>,
    /// Kept here, so that a dropped `next_batch` loses no answer.
    asked: Option<(Asked, BoxFuture<'static, Result<Answer>>)>,
    /// Entries that came and were not handed on yet, by stream.
    pages: VecDeque<(usize, std::vec::IntoIter<Value>)>,
    scratch: Scratch,
    select: Box<dyn SelectWorker>,
    keeps_all: bool,
    pool: BatchPool,
    page_bytes: usize,
    notices: Notices,
}

impl RedisSource {
    pub(super) async fn open(
        server: Arc<Server>,
        rows: Vec<Frozen>,
        sub: &Subscription,
    ) -> Result<Self> {
        let conn = server.connect_first(LONG_ANSWER).await?;
        let streams: Streams = rows
            .iter()
            .map(|row| stream(row.range.topic.clone()))
            .collect();
        let watch = Watch::of(sub, streams.iter().map(|s| s.topic.clone()));
        let cursors = rows
            .iter()
            .map(|row| Cursor::new(row, sub.follow, &sub.notices))
            .collect();
        Ok(Self {
            server,
            streams,
            cursors,
            turn: 0,
            follow: sub.follow,
            watch,
            conn: Some(conn),
            asked: None,
            pages: VecDeque::new(),
            scratch: Scratch::default(),
            select: sub.select.worker(),
            keeps_all: sub.select.keeps_all(),
            pool: BatchPool::default(),
            // Two pages at a time, each some four times its payload as the client keeps it.
            page_bytes: PAGE_BYTES.min(sub.memory / 16).max(1),
            notices: sub.notices.clone(),
        })
    }

    /// Chooses the next question and sends it. Nothing when everything was read.
    fn ask_next(&mut self) {
        let Some((asked, question)) = self.next_question() else {
            return;
        };
        let asking = wire::ask(
            self.server.clone(),
            self.conn.take(),
            question,
            (!self.follow).then_some(wire::PATIENCE),
            self.notices.clone(),
        );
        let mut answer: BoxFuture<'static, Result<Answer>> = match (&self.watch, asked) {
            // With no stream at all, that is the only thing to wait for.
            (Some(watch), Asked::Scan) => {
                let due = watch.due();
                Box::pin(async move {
                    tokio::time::sleep_until(due).await;
                    asking.await
                })
            }
            _ => Box::pin(asking),
        };
        // A first poll puts the question on the wire; the answer is parsed by the client's own
        // task while the page before it is handed on.
        if let Some(ready) = answer.as_mut().now_or_never() {
            answer = Box::pin(std::future::ready(ready));
        }
        self.asked = Some((asked, answer));
    }

    fn next_question(&mut self) -> Option<(Asked, Cmd)> {
        if let Some(index) = self.cursors.iter().position(|c| c.check) {
            let question = xinfo_stream(&self.streams[index].topic);
            return Some((Asked::Check(index), question));
        }
        if let Some(watch) = &self.watch
            && (self.cursors.is_empty() || watch.due() <= Instant::now())
        {
            return Some((Asked::Scan, watch.question()));
        }
        if self.cursors.is_empty() {
            return None;
        }
        if self.follow {
            return Some(self.question_for_new());
        }
        let count = self.cursors.len();
        let index = (0..count)
            .map(|i| (self.turn + i) % count)
            .find(|&i| !self.cursors[i].done)?;
        self.turn = index + 1;
        let cursor = &self.cursors[index];
        let mut question = cmd("XRANGE");
        question
            .arg(&*self.streams[index].topic)
            .arg(id_text(cursor.next))
            .arg(last_of(cursor.end))
            .arg("COUNT")
            .arg(cursor.page);
        Some((Asked::Page(index, cursor.page), question))
    }

    fn question_for_new(&self) -> (Asked, Cmd) {
        let smallest = self.cursors.iter().map(|c| c.page).min().unwrap_or(PAGE);
        let each = (smallest / self.cursors.len() as u64).max(1);
        let mut question = cmd("XREAD");
        question
            .arg("COUNT")
            .arg(each)
            .arg("BLOCK")
            .arg(BLOCK_MS)
            .arg("STREAMS");
        for stream in self.streams.iter() {
            question.arg(&*stream.topic);
        }
        for cursor in &self.cursors {
            question.arg(id_text(reply::before(cursor.next)));
        }
        (Asked::New(each), question)
    }

    fn take(&mut self, asked: Asked, answer: Answer) -> Result<()> {
        self.conn = Some(answer.conn);
        if answer.reconnected {
            // Entries may have been trimmed, or lost by the server, while nobody looked.
            for cursor in &mut self.cursors {
                cursor.check = self.follow;
            }
        }
        match (asked, answer.value) {
            (Asked::Page(index, wanted), Value::Array(entries)) => {
                let short = (entries.len() as u64) < wanted;
                self.take_page(index, entries)?;
                let cursor = &mut self.cursors[index];
                if short || cursor.next >= cursor.end {
                    cursor.finish(&self.streams[index].topic, &self.notices);
                }
                Ok(())
            }
            (Asked::New(_), Value::Nil) => Ok(()),
            (Asked::New(each), Value::Array(rows)) => self.take_new(rows, each),
            (Asked::Check(index), value) => self.take_check(index, value),
            (_, Value::ServerError(error)) => {
                Err(fault::explain(&self.server, "read from", &error.into()))
            }
            (Asked::Scan, value) => self.take_scan(&value),
            _ => Err(self.strange()),
        }
    }

    /// What came into being while it was followed is read from its first entry.
    fn take_scan(&mut self, answer: &Value) -> Result<()> {
        let new = self.watch.as_mut().map(|watch| watch.take(answer));
        let new = new.flatten().ok_or_else(|| self.strange())?;
        if new.is_empty() {
            return Ok(());
        }
        let rows = new.into_iter().map(stream);
        self.streams = self.streams.iter().cloned().chain(rows).collect();
        self.cursors.resize_with(self.streams.len(), Cursor::of_new);
        Ok(())
    }

    fn take_new(&mut self, rows: Vec<Value>, each: u64) -> Result<()> {
        for row in rows {
            let Value::Array(mut parts) = row else {
                return Err(self.strange());
            };
            let (Some(Value::Array(entries)), Some(name)) = (parts.pop(), parts.pop()) else {
                return Err(self.strange());
            };
            let name = reply::bytes(&name).unwrap_or_default();
            let index = self.streams.iter().position(|s| s.topic.as_bytes() == name);
            let index = index.ok_or_else(|| self.strange())?;
            let full = entries.len() as u64 >= each;
            let cursor = &mut self.cursors[index];
            // Caught up after having been behind: time to see whether something was missed.
            cursor.check |= cursor.behind && !full;
            cursor.behind |= full;
            self.take_page(index, entries)?;
        }
        Ok(())
    }

    fn take_page(&mut self, index: usize, entries: Vec<Value>) -> Result<()> {
        let Some(last) = entries.last() else {
            return Ok(());
        };
        let last = reply::entry_id(last).ok_or_else(|| self.strange())?;
        let bytes: usize = entries.iter().map(reply::entry_bytes).sum();
        self.cursors[index].came(last, entries.len(), bytes, self.page_bytes);
        self.pages.push_back((index, entries.into_iter()));
        Ok(())
    }

    fn take_check(&mut self, index: usize, value: Value) -> Result<()> {
        let topic = self.streams[index].topic.clone();
        let cursor = &mut self.cursors[index];
        cursor.check = false;
        let info = match value.extract_error() {
            Ok(value) => StreamInfo::read(&value),
            Err(error) if missing_or_code(&error) == "missing" => {
                self.notices.tell(&format!(
                    "the stream {topic} is gone from {}",
                    self.server.name
                ));
                cursor.ordinal = None;
                return Ok(());
            }
            Err(error) => {
                let doing = format!("look at the stream '{topic}' of");
                return Err(fault::explain(&self.server, &doing, &error));
            }
        };
        let info = info.ok_or_else(|| strange(&self.server, "look at the streams of"))?;
        cursor.compare(&info, &topic, &self.notices);
        Ok(())
    }

    /// Copies what the selection keeps into a batch, until it is full or nothing is left.
    fn fill(&mut self) -> Result<Batch> {
        let mut batch = self.pool.batch(self.streams.clone());
        while let Some((index, entries)) = self.pages.front_mut() {
            let index = *index;
            for entry in entries.by_ref() {
                let (id, fields) = reply::entry(&entry)
                    .ok_or_else(|| strange(&self.server, "read the entries of"))?;
                let (parts, headers) = self.scratch.split(fields);
                let event = EventRef {
                    stream: &self.streams[index],
                    stream_index: index as u32,
                    position: id,
                    timestamp: Timestamp(i64::try_from(id.major).unwrap_or(i64::MAX)),
                    timestamp_type: TimestampType::Append,
                    key: parts.key,
                    value: parts.value,
                    headers: headers.as_headers(),
                    meta: None,
                };
                self.cursors[index].handed = id.next(PositionStyle::Entry);
                batch.scanned.events += 1;
                batch.scanned.bytes += event.size() as u64;
                let kept = if self.keeps_all {
                    Some(event)
                } else {
                    self.select.kept(&event, &mut batch.scanned)?
                };
                if let Some(kept) = kept {
                    let pushed = batch.push(&kept);
                    pushed.map_err(|full| Error::new(ErrorKind::Broker, full.to_string()))?;
                }
                if batch.is_full() {
                    return Ok(batch);
                }
            }
            self.pages.pop_front();
        }
        Ok(batch)
    }

    async fn next(&mut self) -> Result<Option<Batch>> {
        loop {
            if self.asked.is_none() {
                self.ask_next();
            }
            if !self.pages.is_empty() {
                return self.fill().map(Some);
            }
            let Some((asked, answer)) = self.asked.as_mut() else {
                return Ok(None);
            };
            let asked = *asked;
            let answer = answer.await;
            self.asked = None;
            self.take(asked, answer?)?;
        }
    }

    fn strange(&self) -> Error {
        strange(&self.server, "read the streams of")
    }
}

const fn stream(topic: Arc<str>) -> Stream {
    Stream {
        topic,
        partition: 0,
        style: PositionStyle::Entry,
    }
}

impl Source for RedisSource {
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Batch>>> {
        Box::pin(self.next())
    }

    /// In milliseconds of the ids: how many entries lie between two ids nobody knows.
    fn progress(&self) -> Option<(u64, u64)> {
        if self.follow {
            return None;
        }
        let mut sum = (0_u64, 0_u64);
        for cursor in &self.cursors {
            let whole = (cursor.end.major - cursor.start.major).saturating_add(1);
            let behind = if cursor.done && self.pages.is_empty() {
                whole
            } else {
                cursor.handed.major.min(cursor.end.major) - cursor.start.major
            };
            sum = (sum.0.saturating_add(behind), sum.1.saturating_add(whole));
        }
        Some(sum)
    }
}
