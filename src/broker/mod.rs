//! The adapter layer: what every broker is asked for, and what it can answer.
//! The traits, the shared words and the registry live here; each broker is a folder beside them.

pub mod address;
pub mod capabilities;
pub mod error;
pub mod exact;
pub mod group;
pub mod guard;
pub mod marks;
mod partitioner;
pub mod registry;
pub mod settings;
pub mod subscription;
pub mod topic;

pub mod capture;
pub mod demo;
#[cfg(feature = "kafka")]
pub mod kafka;
#[cfg(feature = "redis")]
pub mod redis;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

pub use address::Address;
pub use capabilities::{Capabilities, LookCost};
pub use error::{Error, ErrorKind, Result};
pub use exact::ExactSink;
pub use group::{Epochs, Group, GroupOffset, Member, OpenTransaction, Place};
pub use marks::Mark;
pub use registry::{ADAPTERS, Adapter};
pub use settings::{Notices, Settings};
pub use subscription::{Bound, PartitionRange, Range, Subscription, TopicSelector};
pub use topic::{
    History, HistoryRecord, NewTopic, Origin, Overview, PartitionInfo, SagaText, Silent, Target,
    TopicInfo, TopicSettings, Written,
};

use crate::event::{Batch, Timestamp};

/// What the async methods of a `dyn` trait give; one allocation a batch, never an event.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A connected broker, a file, or the embedded broker. Looking through it changes nothing on the
/// server: it never joins a group, commits, acknowledges, creates or deletes, unless the method's
/// name says so.
pub trait Broker: Send + Sync {
    fn capabilities(&self) -> Capabilities;

    /// How it is read, and why so, where there is more than one way: for `--explain`.
    fn reader(&self) -> Option<String> {
        None
    }

    /// The topics that the selector names, with their partitions. A topic that is named (not
    /// matched by a glob) and missing is [`ErrorKind::MissingTopic`].
    fn topics<'a>(&'a self, which: &'a TopicSelector) -> BoxFuture<'a, Result<Vec<TopicInfo>>>;

    /// The same for who shows what there is: where some partitions do not answer it gives the others,
    /// and says so.
    fn overview<'a>(&'a self, which: &'a TopicSelector) -> BoxFuture<'a, Result<Overview>> {
        Box::pin(async move { Ok(self.topics(which).await?.into()) })
    }

    /// The consumer groups and where they stand. A broker that has none says so in its
    /// capabilities, and this is [`ErrorKind::Unsupported`].
    fn groups(&self) -> BoxFuture<'_, Result<Vec<Group>>> {
        Box::pin(async {
            Err(Error::unsupported(
                self.capabilities().adapter,
                "has no consumer groups",
            ))
        })
    }

    /// How each of these topics keeps its events. Those of which the broker does not tell are left
    /// out.
    fn topic_settings<'a>(
        &'a self,
        _topics: &'a [Arc<str>],
    ) -> BoxFuture<'a, Result<Vec<TopicSettings>>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// The cluster's own name for itself, the same by whatever address it was reached; `None` where
    /// there is no such thing.
    fn cluster(&self) -> BoxFuture<'_, Result<Option<String>>> {
        Box::pin(async { Ok(None) })
    }

    /// The broker's own clock where it has one: the embedded broker's virtual time, the end of a
    /// recording. `None` is the wall clock.
    fn clock(&self) -> BoxFuture<'_, Result<Option<Timestamp>>> {
        Box::pin(async { Ok(None) })
    }

    /// Freezes the bounds of a subscription into positions, one row a partition, ordered by topic
    /// and partition. Reads no event.
    fn resolve<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Vec<PartitionRange>>>;

    /// Begins to read. The source owns its threads and connections; dropping it ends them.
    fn source<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Box<dyn Source>>>;

    /// Opens a topic for writing. A missing topic is [`ErrorKind::MissingTopic`], never created.
    fn sink<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Box<dyn Sink>>> {
        let topic = &target.topic;
        Box::pin(async move {
            Err(Error::unsupported(
                self.capabilities().adapter,
                &format!("cannot be written to (topic {topic})"),
            ))
        })
    }

    /// Takes part in a job that writes exactly once; `None` where this broker cannot: then a
    /// [`Broker::sink`] is what there is. The topic must exist. Reads and writes no event by
    /// itself.
    fn exact_sink<'a>(
        &'a self,
        _job: &'a exact::Job,
    ) -> BoxFuture<'a, Result<Option<Box<dyn ExactSink>>>> {
        Box::pin(async { Ok(None) })
    }

    /// Creates a topic; an existing one is an error.
    fn create_topic<'a>(&'a self, topic: &'a NewTopic) -> BoxFuture<'a, Result<()>> {
        let name = &topic.name;
        Box::pin(async move {
            Err(Error::unsupported(
                self.capabilities().adapter,
                &format!("cannot create topics (topic {name})"),
            ))
        })
    }

    /// The marks that are kept with a recording.
    fn marks(&self) -> BoxFuture<'_, Result<Vec<Mark>>> {
        Box::pin(async { Ok(Vec::new()) })
    }

    /// Keeps these marks with a recording that is there, in the place of those before. The
    /// recording itself is not written to.
    fn set_marks<'a>(&'a self, _marks: &'a [Mark]) -> BoxFuture<'a, Result<()>> {
        Box::pin(async {
            Err(
                Error::unsupported(self.capabilities().adapter, "keeps no marks")
                    .hint("record or export into a file: marks are kept with it"),
            )
        })
    }

    /// Writes a whole prepared history: topics, transactions with their aborts, group commits.
    fn load_history<'a>(&'a self, _history: &'a History) -> BoxFuture<'a, Result<()>> {
        Box::pin(async {
            Err(Error::unsupported(
                self.capabilities().adapter,
                "cannot take the demo's history",
            ))
        })
    }
}

/// A running read. Pulled: not asking is the backpressure, all the way to the broker.
pub trait Source: Send {
    /// The next events that the subscription's selection keeps. `None` is the end of the frozen
    /// range, reached by position; a source that follows never ends by itself. A batch may hold no
    /// event: then its `scanned` counts tell what was looked at meanwhile. Dropping the future
    /// loses nothing: the next call goes on where this one stood.
    fn next_batch(&mut self) -> BoxFuture<'_, Result<Option<Batch>>>;

    /// How much of the frozen range lies behind, and how long it is, in positions summed over the
    /// partitions. `None` when the source follows or cannot tell.
    fn progress(&self) -> Option<(u64, u64)> {
        None
    }

    /// True when nothing went wrong on the way so far: no connection was lost, nothing was asked for
    /// a second time. Who must be sure of having seen all reads again where that is not known.
    fn undisturbed(&self) -> bool {
        false
    }
}

/// A running write into one topic.
pub trait Sink: Send {
    /// Sends the events in order. An event goes to its stream's partition; with
    /// [`crate::event::ANY_PARTITION`] the target chooses by key as its own producers do. The
    /// stream's topic is not looked at. An event's timestamp is written where the broker keeps
    /// timestamps; [`crate::event::TimestampType::None`] means now. Returns when the events are
    /// taken over, not when they are stored: that is [`Sink::flush`]'s word.
    fn send<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<()>>;

    /// Waits until everything sent is stored as safely as the broker can, and tells how much that
    /// is. An event that the broker refused is an error here or in a later `send`.
    fn flush(&mut self) -> BoxFuture<'_, Result<Written>>;

    /// Closes what has an end of its own, a file's index. Called once, after the last `flush`.
    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { Ok(()) })
    }

    /// Keeps marks in a recording that is being written; those that are given last count. False
    /// where there is no place for them.
    fn mark(&mut self, _marks: &[Mark]) -> Result<bool> {
        Ok(false)
    }

    /// Keeps where consumer groups stand in a recording that is being written; what is given last
    /// counts. False where there is no place for it.
    fn groups(&mut self, _groups: &[Group]) -> Result<bool> {
        Ok(false)
    }

    /// Keeps how topics keep their events in a recording that is being written. False where there is
    /// no place for it.
    fn topic_settings(&mut self, _topics: &[TopicSettings]) -> Result<bool> {
        Ok(false)
    }

    /// Keeps what must follow what in a recording that is being written. False where there is no
    /// place for it.
    fn saga(&mut self, _model: &SagaText) -> Result<bool> {
        Ok(false)
    }

    /// Tells a sink that keeps a recording where its events come from, before the first `send`,
    /// and again when the clock is known better. Others do not care.
    fn describe(&mut self, _origin: &Origin) -> Result<()> {
        Ok(())
    }
}
