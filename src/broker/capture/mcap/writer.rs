//! The file that a recording goes to: record batches in, MCAP out, the index at the end. Which
//! events make a record batch is not known here.
//!
//! Nothing is buffered: a batch that was written is there when the process is killed right after.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use ::mcap::records::{MessageHeader, Metadata};
use ::mcap::{Attachment, McapError, WriteOptions, Writer};

use super::layout::{ABOUT, CLOCK, Channel, ENCODING, LIBRARY, PROFILE, STREAMS, nanos};
use super::tally::{self, Tally};
use crate::broker::capture::{file, groups, marks, saga, topics};
use crate::broker::{Error, ErrorKind, Group, Mark, Origin, Result, SagaText, TopicSettings};
use crate::event::codec::BatchHeader;
use crate::event::{Stream, Timestamp};

/// A chunk closes when it is larger: an index entry for each 4 MiB.
const CHUNK_BYTES: u64 = 4 * 1024 * 1024;

/// A capture that is being written.
pub(super) struct Recorder {
    path: PathBuf,
    /// For `sync`, which the MCAP writer does not have.
    file: File,
    /// `None` when the file is finished.
    writer: Option<Writer<File>>,
    channels: BTreeMap<Channel, u16>,
    described: Option<Origin>,
}

impl Recorder {
    pub(super) fn create(path: &Path, overwrite: bool) -> Result<Self> {
        let file = file::create(path, overwrite)?;
        let fail = |error: io::Error| file::unwritable(path, &error);
        let handle = file.try_clone().map_err(fail)?;
        let writer = WriteOptions::new()
            .compression(None)
            .profile(PROFILE)
            .library(LIBRARY)
            .chunk_size(Some(CHUNK_BYTES))
            .create(handle)
            .map_err(|error| failed(path, error))?;
        Ok(Self {
            path: path.to_owned(),
            file,
            writer: Some(writer),
            channels: BTreeMap::new(),
            described: None,
        })
    }

    fn with<T>(
        &mut self,
        work: impl FnOnce(&mut Writer<File>) -> Result<T, McapError>,
    ) -> Result<T> {
        let Some(writer) = &mut self.writer else {
            return Err(Error::new(
                ErrorKind::File,
                format!("'{}' is finished", self.path.display()),
            ));
        };
        work(writer).map_err(|error| failed(&self.path, error))
    }

    /// The number of a channel, which is written when it is new.
    pub(super) fn channel(&mut self, channel: Channel) -> Result<u16> {
        if let Some(id) = self.channels.get(&channel) {
            return Ok(*id);
        }
        let (name, metadata) = (channel.name(), channel.metadata());
        let id = self.with(|w| w.add_channel(0, &name, ENCODING, &metadata))?;
        self.channels.insert(channel, id);
        Ok(id)
    }

    /// Writes one record batch.
    pub(super) fn batch(
        &mut self,
        channel: u16,
        header: &BatchHeader,
        time: Timestamp,
        bytes: &[u8],
    ) -> Result<()> {
        let time = nanos(time);
        let message = MessageHeader {
            channel_id: channel,
            sequence: header.base_offset as u32,
            log_time: time,
            publish_time: time,
        };
        self.with(|w| w.write_to_known_channel(&message, bytes))
    }

    /// Writes where the events come from, when that is news.
    pub(super) fn describe(&mut self, origin: &Origin) -> Result<()> {
        if self.described.as_ref() == Some(origin) {
            return Ok(());
        }
        let mut metadata = BTreeMap::from([
            ("source".to_owned(), origin.sources.join(" ")),
            ("adapter".to_owned(), origin.adapters.join(" ")),
        ]);
        if let Some(clock) = origin.clock {
            metadata.insert(CLOCK.to_owned(), clock.0.to_string());
        }
        self.metadata(ABOUT, metadata)?;
        self.described = Some(origin.clone());
        Ok(())
    }

    /// Writes the marks of the recording; those that are written last count.
    pub(super) fn attach_marks(&mut self, marks: &[Mark]) -> Result<()> {
        let data = marks::to_json(marks)?;
        let time = marks.iter().map(|mark| nanos(mark.time)).max();
        self.attach(marks::NAME, time.unwrap_or_default(), data)
    }

    /// Writes where consumer groups stand; what is written last counts.
    pub(super) fn attach_groups(&mut self, groups: &[Group]) -> Result<()> {
        let clock = self.described.as_ref().and_then(|origin| origin.clock);
        let data = groups::to_json(groups)?;
        self.attach(groups::NAME, clock.map_or(0, nanos), data)
    }

    /// Writes how topics are kept.
    pub(super) fn attach_topics(&mut self, kept: &[TopicSettings]) -> Result<()> {
        self.attach(topics::NAME, 0, topics::to_json(kept)?)
    }

    /// Writes the model of the sagas.
    pub(super) fn attach_saga(&mut self, model: &SagaText) -> Result<()> {
        self.attach(saga::NAME, 0, saga::to_json(model))
    }

    fn attach(&mut self, name: &str, time: u64, data: Vec<u8>) -> Result<()> {
        let attachment = Attachment {
            log_time: time,
            create_time: time,
            name: name.to_owned(),
            media_type: marks::MEDIA_TYPE.to_owned(),
            data: data.into(),
        };
        self.with(|w| w.attach(&attachment))
    }

    fn metadata(&mut self, name: &str, metadata: BTreeMap<String, String>) -> Result<()> {
        let record = Metadata {
            name: name.to_owned(),
            metadata,
        };
        self.with(|w| w.write_metadata(&record))
    }

    /// Makes what was written survive a power cut.
    pub(super) fn sync(&self) -> Result<()> {
        self.file
            .sync_data()
            .map_err(|error| file::unwritable(&self.path, &error))
    }

    /// Writes the sums, the index and the end. Nothing can be written after this.
    pub(super) fn finish(&mut self, tallies: &[(&Stream, Tally)]) -> Result<()> {
        if self.writer.is_none() {
            return Ok(());
        }
        self.metadata(STREAMS, tally::to_metadata(tallies))?;
        let done = self.with(|w| w.finish().map(drop));
        self.writer = None;
        done?;
        self.file
            .sync_all()
            .map_err(|error| file::unwritable(&self.path, &error))
    }
}

fn failed(path: &Path, error: McapError) -> Error {
    match error {
        McapError::Io(error) => file::unwritable(path, &error),
        McapError::TooManyChannels => Error::new(
            ErrorKind::Unsupported,
            "a capture holds at most 65,535 partitions",
        )
        .hint("record fewer topics into one file"),
        other => Error::new(
            ErrorKind::File,
            format!("cannot write '{}': {other}", path.display()),
        )
        .hint("what was written before can be read"),
    }
}
