//! Recording as JSON lines: one event object a line, compressed in frames when the name says so.

use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};

use crate::broker::capture::{file, marks, zst};
use crate::broker::{BoxFuture, Result, Sink, Target, Written};
use crate::event::{ANY_PARTITION, Batch, Decoding, Stream, object};

/// Lines are written when they are this many bytes; compressed, it is a frame.
const BLOCK: usize = 1024 * 1024;

/// A running recording.
pub(super) struct JsonlSink {
    path: PathBuf,
    file: File,
    packed: bool,
    lines: Vec<u8>,
    frame: Vec<u8>,
    written: Written,
}

impl JsonlSink {
    pub(super) fn create(path: &Path, target: &Target, packed: bool) -> Result<Self> {
        let file = file::create(path, target.overwrite)?;
        marks::forget(path)?;
        Ok(Self {
            path: path.to_owned(),
            file,
            packed,
            lines: Vec::new(),
            frame: Vec::new(),
            written: Written::default(),
        })
    }

    fn take(&mut self, batch: &Batch) -> Result<()> {
        let decoding = Decoding::default();
        for mut event in batch.iter() {
            let settled;
            if event.stream.partition == ANY_PARTITION {
                // A recording of what has no partition yet has one.
                settled = Stream {
                    partition: 0,
                    ..event.stream.clone()
                };
                event.stream = &settled;
            }
            object::write(&mut self.lines, &event, &decoding.see(&event));
            self.lines.push(b'\n');
            self.written.events += 1;
            self.written.bytes += event.size() as u64;
            if self.lines.len() >= BLOCK {
                self.store()?;
            }
        }
        Ok(())
    }

    fn store(&mut self) -> Result<()> {
        if self.lines.is_empty() {
            return Ok(());
        }
        let bytes = if self.packed {
            self.frame.clear();
            zst::push_frame(&self.lines, &mut self.frame)
                .map_err(|error| file::unwritable(&self.path, &error))?;
            &self.frame
        } else {
            &self.lines
        };
        self.file
            .write_all(bytes)
            .map_err(|error| file::unwritable(&self.path, &error))?;
        self.lines.clear();
        Ok(())
    }
}

impl Sink for JsonlSink {
    fn send<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<()>> {
        Box::pin(async { self.take(batch) })
    }

    fn flush(&mut self) -> BoxFuture<'_, Result<Written>> {
        Box::pin(async {
            self.store()?;
            self.file
                .sync_data()
                .map_err(|error| file::unwritable(&self.path, &error))?;
            Ok(self.written)
        })
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async { self.flush().await.map(drop) })
    }
}

impl Drop for JsonlSink {
    fn drop(&mut self) {
        // Who wants to know whether this works calls `finish`.
        drop(self.store());
    }
}
