//! Captures: standard MCAP files of Kafka record batches, as a broker. `layout` says what goes
//! where; `index` and `scan` find it, `lane` and `read` read it, `sink` writes it.

mod attachment;
mod group;
mod index;
mod lane;
mod layout;
mod locate;
mod read;
mod scan;
mod sink;
mod spots;
mod store;
mod tally;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use super::CAPABILITIES;
use super::feed::Feed;
use super::file::{self, Remembered};
use super::groups;
use super::marks;
use super::range::{self, Held, Window};
use crate::broker::{
    Bound, BoxFuture, Broker, Capabilities, Error, ErrorKind, Group, Mark, NewTopic,
    PartitionRange, Range, Result, Sink, Source, Subscription, Target, TopicInfo, TopicSelector,
    TopicSettings,
};
use crate::event::{ArenaFull, Timestamp};

use index::Index;
use store::Store;
use tally::Tally;

/// A capture file: read, or yet to be written.
pub(super) struct McapFile {
    path: PathBuf,
    known: Remembered<Recording>,
    /// Whether it holds where groups stood, once somebody asked.
    has_groups: OnceLock<bool>,
}

/// An opened capture.
struct Recording {
    path: PathBuf,
    index: Index,
    /// For each stream of the index.
    tallies: Vec<Tally>,
}

impl Recording {
    fn open(path: &Path) -> Result<Self> {
        let index = Index::open(path)?;
        let tallies = tally::tally(&index, &mut Store::new(index.file.clone()));
        Ok(Self {
            path: path.to_owned(),
            index,
            tallies,
        })
    }

    fn held(&self, stream: usize) -> Held {
        self.tallies[stream].held(&self.index.streams[stream])
    }

    fn all_held(&self) -> Vec<Held> {
        (0..self.tallies.len()).map(|i| self.held(i)).collect()
    }

    /// The clock that the recorder noted, else the greatest timestamp.
    fn clock(&self) -> Option<Timestamp> {
        let noted = self
            .index
            .about(layout::ABOUT)
            .and_then(|about| about.get(layout::CLOCK)?.parse().ok());
        let last = self.tallies.iter().filter_map(|t| t.last_time).max();
        noted.or(last).map(Timestamp)
    }
}

/// What is attached to a capture under this name, where its summary lists it.
pub(super) fn attached(path: &Path, name: &str) -> Option<Vec<u8>> {
    attachment::listed(path, name)
}

impl McapFile {
    pub(super) fn new(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            known: Remembered::default(),
            has_groups: OnceLock::new(),
        }
    }

    async fn open(&self) -> Result<Arc<Recording>> {
        let path = self.path.clone();
        let open = move || Recording::open(&path);
        self.known.get(Some(&self.path), open).await
    }
}

impl Broker for McapFile {
    fn capabilities(&self) -> Capabilities {
        let listed = || attached(&self.path, groups::NAME).is_some();
        Capabilities {
            groups: *self.has_groups.get_or_init(listed),
            ..CAPABILITIES
        }
    }

    fn groups(&self) -> BoxFuture<'_, Result<Vec<Group>>> {
        Box::pin(async {
            let recording = self.open().await?;
            let found = file::on_thread(move || attachment::groups(&recording)).await?;
            found.ok_or_else(|| {
                Error::unsupported("capture", "was recorded without consumer groups")
                    .hint("record from a broker that has them")
            })
        })
    }

    fn topic_settings<'a>(
        &'a self,
        topics: &'a [Arc<str>],
    ) -> BoxFuture<'a, Result<Vec<TopicSettings>>> {
        Box::pin(async {
            let recording = self.open().await?;
            let mut known = file::on_thread(move || attachment::topics(&recording)).await?;
            known.retain(|kept| topics.contains(&kept.topic));
            Ok(known)
        })
    }

    fn topics<'a>(&'a self, which: &'a TopicSelector) -> BoxFuture<'a, Result<Vec<TopicInfo>>> {
        Box::pin(async move { range::topics(&self.open().await?.all_held(), which) })
    }

    fn clock(&self) -> BoxFuture<'_, Result<Option<Timestamp>>> {
        Box::pin(async move { Ok(self.open().await?.clock()) })
    }

    fn resolve<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Vec<PartitionRange>>> {
        Box::pin(async move {
            let recording = self.open().await?;
            let sub = sub.clone();
            file::on_thread(move || resolve(&recording, &sub)).await
        })
    }

    fn source<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Box<dyn Source>>> {
        Box::pin(async move {
            if sub.follow {
                return Err(
                    Error::unsupported("capture", "files end: they cannot be followed")
                        .hint("read it without --follow"),
                );
            }
            let recording = self.open().await?;
            let sub = sub.clone();
            let (sub, windows, recording) = file::on_thread(move || {
                let windows = windows(&recording, &sub)?;
                Ok((sub, windows, recording))
            })
            .await?;
            Feed::start(sub.memory, move |outlet| {
                read::read(&recording, &sub, &windows, outlet)
            })
        })
    }

    fn sink<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Box<dyn Sink>>> {
        Box::pin(async move {
            let sink: Box<dyn Sink> = Box::new(sink::McapSink::create(&self.path, target)?);
            Ok(sink)
        })
    }

    fn marks(&self) -> BoxFuture<'_, Result<Vec<Mark>>> {
        Box::pin(async {
            let path = self.path.clone();
            let beside = file::on_thread(move || marks::read(&path)).await?;
            if let Some(marks) = beside {
                return Ok(marks);
            }
            let recording = self.open().await?;
            file::on_thread(move || attachment::marks(&recording)).await
        })
    }

    fn set_marks<'a>(&'a self, marks: &'a [Mark]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async {
            let (path, marks) = (self.path.clone(), marks.to_vec());
            file::on_thread(move || marks::write(&path, &marks)).await
        })
    }

    /// A file takes every topic.
    fn create_topic<'a>(&'a self, _topic: &'a NewTopic) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { Ok(()) })
    }
}

fn resolve(recording: &Recording, sub: &Subscription) -> Result<Vec<PartitionRange>> {
    range::freeze(&recording.all_held(), sub, |stream, wanted| {
        Ok(locate::locate(recording, stream, wanted))
    })
}

/// What to read of each stream. The whole file needs no looking into it.
fn windows(recording: &Recording, sub: &Subscription) -> Result<Vec<Option<Window>>> {
    let held = recording.all_held();
    if let Range::Bounds {
        from: Bound::Start,
        until: Bound::End,
    } = sub.range
    {
        let mut windows = vec![None; held.len()];
        for index in range::choose(&held, &sub.topics, &sub.partitions)? {
            windows[index] = Some(Window::ALL);
        }
        return Ok(windows);
    }
    range::windows(&held, &resolve(recording, sub)?)
}

fn too_large(_: ArenaFull) -> Error {
    Error::new(
        ErrorKind::Damaged,
        "a record batch inflates to more than 4 GiB",
    )
}
