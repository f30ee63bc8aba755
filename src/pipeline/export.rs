//! Writing events that somebody picked out of batches into a file, as a recording is written.

use std::path::Path;
use std::sync::Arc;

use crate::broker::{
    Address, Error, ErrorKind, Mark, Origin, Result, Settings, Sink, Target, Written, registry,
};
use crate::event::{Batch, EventRef};

/// The file to write. Its name says what kind: `.mcap`, `.jsonl` or `.jsonl.zst`.
#[derive(Debug, Clone, Copy)]
pub struct Export<'a> {
    pub path: &'a Path,
    /// Replace a file that is there. It must not be one that is being read.
    pub overwrite: bool,
    /// Where the events come from.
    pub origin: &'a Origin,
    /// Kept with the file.
    pub marks: &'a [Mark],
}

/// Events of one batch, by their index, in the order in which they are written.
pub type Pick = (Arc<Batch>, Vec<u32>);

/// Writes the events in the order of the picks, and tells how many are stored. It blocks on the
/// disk: call it where that holds nobody up.
pub async fn export(to: &Export<'_>, picks: &[Pick]) -> Result<Written> {
    let address = Address::File {
        path: to.path.to_owned(),
    };
    let broker = registry::open(&address, &Settings::default())?;
    let target = Target {
        topic: "".into(),
        overwrite: to.overwrite,
    };
    let mut sink = broker.sink(&target).await?;
    sink.describe(to.origin)?;
    let sent = send(&mut *sink, picks).await;
    // Whatever happened, what came so far can be read.
    let kept = match &sent {
        Ok(()) if !to.marks.is_empty() => sink.mark(to.marks),
        _ => Ok(true),
    };
    let written = sink.flush().await;
    let finished = sink.finish().await;
    sent?;
    let (kept, written) = (kept?, written?);
    finished?;
    if !kept {
        broker.set_marks(to.marks).await?;
    }
    Ok(written)
}

async fn send(sink: &mut dyn Sink, picks: &[Pick]) -> Result<()> {
    let mut gather = Gather::default();
    for (batch, indices) in picks {
        if !gather.has_table_of(batch) {
            gather.hand_on(sink).await?;
            gather.begin(batch);
        }
        for &index in indices {
            let index = index as usize;
            if index >= batch.len() {
                return Err(Error::new(
                    ErrorKind::Usage,
                    format!("a batch of {} events has no event {index}", batch.len()),
                ));
            }
            gather.push(&batch.get(index))?;
            if gather.out.is_full() {
                gather.hand_on(sink).await?;
                gather.begin(batch);
            }
        }
    }
    gather.hand_on(sink).await
}

/// The batch that is filled.
#[derive(Default)]
struct Gather {
    out: Batch,
    /// For each partition of the table, the number of the record batch that was noted last.
    noted: Vec<Option<u32>>,
}

impl Gather {
    fn has_table_of(&self, batch: &Batch) -> bool {
        let (streams, origins) = (self.out.streams(), self.out.origins());
        Arc::ptr_eq(streams, batch.streams()) && Arc::ptr_eq(origins, batch.origins())
    }

    fn begin(&mut self, like: &Batch) {
        self.out = Batch::new(like.streams().clone());
        self.out.set_origins(like.origins().clone());
        self.noted.clear();
        self.noted.resize(like.streams().len(), None);
    }

    /// Copies an event with what is known of the record batch that it came in.
    fn push(&mut self, event: &EventRef<'_>) -> Result<()> {
        let meta = event.meta.map(|meta| {
            let noted = self.noted.get_mut(event.stream_index as usize);
            let same = |at: &u32| self.out.metas().get(*at as usize) == Some(meta);
            if let Some(at) = noted.as_deref().copied().flatten().filter(same) {
                return at;
            }
            let at = self.out.push_meta(*meta);
            if let Some(noted) = noted {
                *noted = Some(at);
            }
            at
        });
        self.out
            .push_of_meta(event, meta)
            .map_err(|error| Error::new(ErrorKind::Usage, error.to_string()))
    }

    async fn hand_on(&mut self, sink: &mut dyn Sink) -> Result<()> {
        if self.out.is_empty() {
            return Ok(());
        }
        sink.send(&std::mem::take(&mut self.out)).await
    }
}
