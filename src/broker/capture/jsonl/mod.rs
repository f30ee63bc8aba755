//! JSON lines as a broker: files, compressed or not, and standard input. `line` knows the forms of
//! a line, `events` reads them, `survey` finds ranges, `sink` writes.

mod events;
mod input;
mod line;
mod lines;
mod read;
mod sink;
mod survey;

pub use line::{Member, Reason, read_data, read_object_headers};

use std::path::Path;
use std::sync::{Arc, Mutex};

use super::CAPABILITIES;
use super::feed::Feed;
use super::file::{self, Remembered};
use super::marks;
use super::range::{self, Held};
use crate::broker::{
    Bound, BoxFuture, Broker, Capabilities, Error, ErrorKind, Mark, NewTopic, PartitionRange,
    Range, Result, Sink, Source, Subscription, Target, TopicInfo, TopicSelector,
};
use crate::event::Timestamp;

use events::Events;
use input::{Input, Pipe};

/// Files of JSON lines and standard input keep the order of their lines.
const OF_LINES: Capabilities = Capabilities {
    batch_metadata: false,
    time_ordered: false,
    follow: true,
    ..CAPABILITIES
};

/// JSON lines: read, or yet to be written.
pub(super) struct Jsonl {
    input: Arc<Input>,
    known: Remembered<Vec<Held>>,
}

impl Jsonl {
    pub(super) fn file(path: &Path) -> Self {
        Self::of(Input::File(path.to_owned()))
    }

    pub(super) fn stdin() -> Self {
        Self::of(Input::Stdin(Mutex::new(Pipe::Fresh)))
    }

    fn of(input: Input) -> Self {
        Self {
            input: Arc::new(input),
            known: Remembered::default(),
        }
    }

    async fn held(&self) -> Result<Arc<Vec<Held>>> {
        let input = self.input.clone();
        let path = match &*self.input {
            Input::File(path) => Some(path.as_path()),
            Input::Stdin(_) => None,
        };
        self.known.get(path, move || survey::survey(&input)).await
    }

    async fn rows(&self, sub: &Subscription) -> Result<Vec<PartitionRange>> {
        let held = self.held().await?;
        let (input, sub) = (self.input.clone(), sub.clone());
        file::on_thread(move || survey::resolve(&input, &held, &sub)).await
    }

    /// What to read; `None` is everything, for which nothing must be known before.
    async fn part(&self, sub: &Subscription) -> Result<Option<Vec<PartitionRange>>> {
        let of_all = sub.topics.is_all() && sub.partitions.is_empty();
        let live = sub.follow && matches!(*self.input, Input::Stdin(_));
        match &sub.range {
            // Standard input has no past: its end as of now is its beginning.
            Range::Bounds {
                from: Bound::Start | Bound::End,
                ..
            } if live => Ok(None),
            _ if live => Err(Error::new(
                ErrorKind::Unsupported,
                "standard input cannot be followed from a position",
            )
            .hint("leave out --from, or read it without --follow")),
            Range::Bounds {
                from: Bound::Start,
                until: Bound::End,
            } if of_all => Ok(None),
            _ => {
                let rows = self.rows(sub).await?;
                range::windows(&self.held().await?, &rows)?;
                Ok(Some(rows))
            }
        }
    }
}

impl Broker for Jsonl {
    fn capabilities(&self) -> Capabilities {
        OF_LINES
    }

    fn topics<'a>(&'a self, which: &'a TopicSelector) -> BoxFuture<'a, Result<Vec<TopicInfo>>> {
        Box::pin(async move { range::topics(&self.held().await?, which) })
    }

    fn clock(&self) -> BoxFuture<'_, Result<Option<Timestamp>>> {
        Box::pin(async move {
            // To look into standard input would take it away from whoever reads it.
            if matches!(*self.input, Input::Stdin(_)) {
                return Ok(None);
            }
            let input = self.input.clone();
            file::on_thread(move || survey::end_time(&input)).await
        })
    }

    fn resolve<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Vec<PartitionRange>>> {
        Box::pin(self.rows(sub))
    }

    fn source<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Box<dyn Source>>> {
        Box::pin(async move {
            let rows = self.part(sub).await?;
            let part = read::Part {
                rows,
                sub: sub.clone(),
            };
            let grows = sub.follow && matches!(*self.input, Input::File(_));
            let opened = if part.rows.is_none() && !grows {
                self.input.open_live()?
            } else {
                self.input.open(grows)?
            };
            let input = self.input.clone();
            Feed::start(sub.memory, move |outlet| {
                let notices = part.sub.notices.clone();
                let len = opened.len;
                let events = Events::new(&input, opened, grows, part.sub.memory, notices);
                if grows && !events.grows() {
                    return Err(compressed().into());
                }
                // Of a compressed file it is not known how far its lines have come.
                if let Some(len) = len.filter(|_| events.plain) {
                    outlet.way.set_total(len);
                }
                read::read(events, &part, outlet)
            })
        })
    }

    fn sink<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Box<dyn Sink>>> {
        Box::pin(async move {
            let Input::File(path) = &*self.input else {
                return Err(
                    Error::new(ErrorKind::Usage, "standard input cannot be written to")
                        .hint("name a file, or print with -o jsonl"),
                );
            };
            let name = path.to_string_lossy();
            let packed = name.ends_with(".jsonl.zst");
            if !packed && !name.ends_with(".jsonl") {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("the name '{name}' does not say what to write"),
                )
                .hint("end it in .mcap, .jsonl or .jsonl.zst"));
            }
            let sink: Box<dyn Sink> = Box::new(sink::JsonlSink::create(path, target, packed)?);
            Ok(sink)
        })
    }

    fn marks(&self) -> BoxFuture<'_, Result<Vec<Mark>>> {
        Box::pin(async {
            let Input::File(path) = &*self.input else {
                return Ok(Vec::new());
            };
            let path = path.clone();
            let beside = file::on_thread(move || marks::read(&path)).await?;
            Ok(beside.unwrap_or_default())
        })
    }

    fn set_marks<'a>(&'a self, marks: &'a [Mark]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async {
            let Input::File(path) = &*self.input else {
                return Err(
                    Error::new(ErrorKind::Unsupported, "standard input keeps no marks")
                        .hint("record it first: evtap record - --out FILE.mcap"),
                );
            };
            let (path, marks) = (path.clone(), marks.to_vec());
            file::on_thread(move || marks::write(&path, &marks)).await
        })
    }

    /// A file takes every topic.
    fn create_topic<'a>(&'a self, _topic: &'a NewTopic) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

fn compressed() -> Error {
    Error::new(
        ErrorKind::Unsupported,
        "a compressed file cannot be followed",
    )
    .hint("read it without --follow")
}
