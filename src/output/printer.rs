//! Where formatted bytes are gathered and handed to standard output, in large pieces.

use std::io::{self, Write};

use super::{MappedWriter, Writer};
use crate::event::EventRef;

/// The buffer is handed on at this size. Pipes take 64 KiB at once.
const FLUSH_BYTES: usize = 64 * 1024;
/// Room for the event that fills it; a buffer that one huge event made larger is given back.
const BUFFER_BYTES: usize = 4 * FLUSH_BYTES;

/// Why printing ended.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// Whoever read our output is gone (`| head`). Not a failure: the command ends quietly.
    #[error("standard output was closed")]
    Closed,
    #[error("failed to write to standard output: {0}")]
    Write(io::Error),
}

impl From<io::Error> for PrintError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Write(error),
        }
    }
}

enum Inner {
    Events(Box<dyn Writer>),
    Mapped(Box<dyn MappedWriter>),
}

/// Prints events, or what `--map` made of them.
pub struct Printer {
    inner: Inner,
    buffer: Vec<u8>,
    sink: Box<dyn Write + Send>,
}

impl Printer {
    pub fn events(mut writer: Box<dyn Writer>, sink: Box<dyn Write + Send>) -> Self {
        let mut buffer = Vec::with_capacity(BUFFER_BYTES);
        writer.begin(&mut buffer);
        Self {
            inner: Inner::Events(writer),
            buffer,
            sink,
        }
    }

    pub fn mapped(mut writer: Box<dyn MappedWriter>, sink: Box<dyn Write + Send>) -> Self {
        let mut buffer = Vec::with_capacity(BUFFER_BYTES);
        writer.begin(&mut buffer);
        Self {
            inner: Inner::Mapped(writer),
            buffer,
            sink,
        }
    }

    /// Prints an event. A printer of mapped texts has no place for events and ignores them.
    pub fn event(&mut self, event: &EventRef<'_>) -> Result<(), PrintError> {
        if let Inner::Events(writer) = &mut self.inner {
            writer.event(&mut self.buffer, event);
        }
        self.flush_when_full()
    }

    /// Prints one JSON text that `--map` gave. A printer of events ignores it.
    pub fn line(&mut self, json: &[u8]) -> Result<(), PrintError> {
        if let Inner::Mapped(writer) = &mut self.inner {
            writer.mapped(&mut self.buffer, json);
        }
        self.flush_when_full()
    }

    fn flush_when_full(&mut self) -> Result<(), PrintError> {
        if self.buffer.len() < FLUSH_BYTES {
            return Ok(());
        }
        self.flush()
    }

    /// Hands on what is gathered: at the end of a batch when somebody watches, on a tick, at the
    /// end.
    pub fn flush(&mut self) -> Result<(), PrintError> {
        let written = self.sink.write_all(&self.buffer);
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_BYTES);
        written?;
        Ok(self.sink.flush()?)
    }

    /// Closes what the format opened, an array for one, and hands on everything. To be called
    /// however the run ended, so that the output is whole.
    pub fn finish(mut self) -> Result<(), PrintError> {
        match &mut self.inner {
            Inner::Events(writer) => writer.finish(&mut self.buffer),
            Inner::Mapped(writer) => writer.finish(&mut self.buffer),
        }
        self.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample::Sample;
    use crate::output::{Look, mapped_writer, writer};
    use std::sync::{Arc, Mutex};

    /// Keeps each piece that it is given.
    #[derive(Clone, Default)]
    struct Pieces(Arc<Mutex<Vec<Vec<u8>>>>);

    impl Write for Pieces {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().push(bytes.to_vec());
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    struct Failing(io::ErrorKind);

    impl Write for Failing {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(self.0.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn raw() -> Box<dyn Writer> {
        writer("raw", &Look::default()).unwrap()
    }

    #[test]
    fn bytes_leave_in_large_pieces_and_none_is_lost() {
        let pieces = Pieces::default();
        let mut printer = Printer::events(raw(), Box::new(pieces.clone()));
        let sample = Sample::new(None, Some(&[b'x'; 999]));
        for _ in 0..1000 {
            printer.event(&sample.event()).unwrap();
        }
        printer.finish().unwrap();
        let pieces = pieces.0.lock().unwrap();
        assert_eq!(
            pieces.concat(),
            [[b'x'; 999].as_slice(), b"\n"].concat().repeat(1000)
        );
        assert!(pieces.len() <= 1_000_000 / FLUSH_BYTES + 1);
    }

    #[test]
    fn a_huge_event_leaves_no_huge_buffer_behind() {
        let mut printer = Printer::events(raw(), Box::new(io::sink()));
        let sample = Sample::new(None, Some(&vec![b'x'; 8 << 20]));
        printer.event(&sample.event()).unwrap();
        assert!(printer.buffer.is_empty());
        assert!(printer.buffer.capacity() <= 2 * BUFFER_BYTES);
    }

    #[test]
    fn a_closed_pipe_differs_from_a_full_disk() {
        for (kind, closed) in [
            (io::ErrorKind::BrokenPipe, true),
            (io::ErrorKind::StorageFull, false),
        ] {
            let mut printer = Printer::events(raw(), Box::new(Failing(kind)));
            printer.event(&Sample::bytes(b"x").event()).unwrap();
            let error = printer.flush().unwrap_err();
            assert_eq!(matches!(error, PrintError::Closed), closed, "{error}");
        }
    }

    #[test]
    fn an_array_is_closed_at_the_end() {
        let pieces = Pieces::default();
        let array = mapped_writer("json", &Look::default()).unwrap();
        let mut printer = Printer::mapped(array, Box::new(pieces.clone()));
        printer.line(b"1").unwrap();
        printer.line(b"2").unwrap();
        printer.finish().unwrap();
        assert_eq!(pieces.0.lock().unwrap().concat(), b"[\n1,\n2\n]\n");
    }
}
