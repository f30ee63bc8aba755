//! Where formatted pieces are joined in their order and handed to standard output, in large
//! writes. Knows neither events nor threads.

use std::io::{self, Write};

use crate::event::SelectError;

/// What is held back is handed on at this size. Pipes take 64 KiB at once.
const FLUSH_BYTES: usize = 64 * 1024;
/// A piece of this size is handed on by itself instead of being copied.
const LARGE_PIECE: usize = FLUSH_BYTES / 2;

/// Why printing ended.
#[derive(Debug, thiserror::Error)]
pub enum PrintError {
    /// Whoever read our output is gone (`| head`). Not a failure: the command ends quietly.
    #[error("standard output was closed")]
    Closed,
    #[error("failed to write to standard output: {0}")]
    Write(io::Error),
    /// `--map` cannot go on.
    #[error(transparent)]
    Map(#[from] SelectError),
    /// A thread of the printer is gone without a word.
    #[error("a printing thread ended unexpectedly")]
    Died,
}

impl From<io::Error> for PrintError {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::BrokenPipe => Self::Closed,
            _ => Self::Write(error),
        }
    }
}

/// Joins pieces. After a write that failed it takes everything and writes nothing.
pub(super) struct Out {
    sink: Box<dyn Write + Send>,
    held: Vec<u8>,
    separator: &'static [u8],
    any: bool,
    broken: bool,
}

impl Out {
    /// `held` is what stands before the first piece.
    pub(super) fn new(
        sink: Box<dyn Write + Send>,
        held: Vec<u8>,
        separator: &'static [u8],
    ) -> Self {
        Self {
            sink,
            held,
            separator,
            any: false,
            broken: false,
        }
    }

    /// Takes the next piece. An empty one holds no event.
    pub(super) fn put(&mut self, piece: &[u8]) -> Result<(), PrintError> {
        if piece.is_empty() {
            return Ok(());
        }
        if self.any {
            self.held.extend_from_slice(self.separator);
        }
        self.any = true;
        if piece.len() < LARGE_PIECE {
            self.held.extend_from_slice(piece);
            if self.held.len() < FLUSH_BYTES {
                return Ok(());
            }
            return self.write_held();
        }
        self.write_held()?;
        self.write(piece)
    }

    /// Hands on what is held back.
    pub(super) fn flush(&mut self) -> Result<(), PrintError> {
        self.write_held()?;
        if self.broken {
            return Ok(());
        }
        let flushed = self.sink.flush();
        self.broken = flushed.is_err();
        Ok(flushed?)
    }

    /// Takes what stands after the last piece, as `end` writes it, and hands on everything.
    pub(super) fn finish(
        &mut self,
        end: impl FnOnce(&mut Vec<u8>, bool),
    ) -> Result<(), PrintError> {
        end(&mut self.held, self.any);
        self.flush()
    }

    fn write_held(&mut self) -> Result<(), PrintError> {
        if self.held.is_empty() {
            return Ok(());
        }
        let held = std::mem::take(&mut self.held);
        let written = self.write(&held);
        self.held = held;
        self.held.clear();
        written
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), PrintError> {
        if self.broken {
            return Ok(());
        }
        let written = self.sink.write_all(bytes);
        self.broken = written.is_err();
        Ok(written?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::sample::{Failing, Pieces};

    #[test]
    fn bytes_leave_in_large_writes_and_none_is_lost() {
        let pieces = Pieces::default();
        let mut out = Out::new(Box::new(pieces.clone()), b"head".to_vec(), b"");
        let mut expected = b"head".to_vec();
        for i in 0..1000u32 {
            let piece = vec![b'a' + (i % 26) as u8; if i == 500 { 900_000 } else { 999 }];
            expected.extend_from_slice(&piece);
            out.put(&piece).unwrap();
        }
        out.finish(|end, any| end.push(b'0' + u8::from(any)))
            .unwrap();
        expected.push(b'1');
        assert!(pieces.all() == expected);
        assert!(pieces.count() <= expected.len() / FLUSH_BYTES + 3);
    }

    #[test]
    fn separators_stand_between_pieces_that_hold_something() {
        for large in [1, LARGE_PIECE] {
            let pieces = Pieces::default();
            let mut out = Out::new(Box::new(pieces.clone()), b"[".to_vec(), b",");
            let piece = vec![b'x'; large];
            for piece in [&b""[..], &piece, b"", b"y", &piece, b""] {
                out.put(piece).unwrap();
            }
            out.flush().unwrap();
            let x = String::from_utf8(piece).unwrap();
            assert_eq!(pieces.all(), format!("[{x},y,{x}").into_bytes());
        }
    }

    #[test]
    fn a_closed_pipe_differs_from_a_full_disk_and_each_is_told_once() {
        for (kind, closed) in [
            (io::ErrorKind::BrokenPipe, true),
            (io::ErrorKind::StorageFull, false),
        ] {
            let mut out = Out::new(Box::new(Failing(kind)), Vec::new(), b"");
            out.put(b"x").unwrap();
            let error = out.flush().unwrap_err();
            assert_eq!(matches!(error, PrintError::Closed), closed, "{error}");
            out.put(b"y").unwrap();
            out.finish(|_, _| ()).unwrap();
        }
    }
}
