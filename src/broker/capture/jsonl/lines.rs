//! Lines of a file or a pipe, one at a time, none longer than a limit. What they say is not known
//! here.

use std::io::{self, BufRead, BufReader, Read};

/// Read at once; a batch is handed on when it is used up.
const BUFFER: usize = 256 * 1024;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// What comes next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    Line,
    /// A line longer than the limit was passed over.
    TooLong,
    End,
}

/// A reader of lines.
pub(super) struct Lines {
    from: BufReader<Box<dyn Read + Send>>,
    line: Vec<u8>,
    limit: usize,
    /// The line at hand was only begun when the input paused.
    partial: bool,
    too_long: bool,
    /// Of the line at hand, counted from 1.
    pub(super) number: u64,
    /// Bytes behind us, the line at hand included.
    pub(super) bytes: u64,
}

impl Lines {
    pub(super) fn new(from: Box<dyn Read + Send>, limit: usize) -> Self {
        Self {
            from: BufReader::with_capacity(BUFFER, from),
            line: Vec::new(),
            limit,
            partial: false,
            too_long: false,
            number: 0,
            bytes: 0,
        }
    }

    /// The line at hand, without its end and without a byte order mark.
    pub(super) fn line(&self) -> &[u8] {
        let line = self.line.strip_suffix(b"\n").unwrap_or(&self.line);
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match self.number {
            1 => line.strip_prefix(BOM).unwrap_or(line),
            _ => line,
        }
    }

    /// True when the next line must be waited for, maybe.
    pub(super) fn would_wait(&self) -> bool {
        memchr::memchr(b'\n', self.from.buffer()).is_none()
    }

    /// Goes to the next line. At the end of the input the last line needs no line end; with
    /// `more_may_come` it is held back until it has one.
    pub(super) fn advance(&mut self, more_may_come: bool) -> io::Result<Next> {
        if !self.partial {
            self.line.clear();
            self.too_long = false;
            self.number += 1;
        }
        self.partial = false;
        loop {
            let buffer = match self.from.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                return Ok(self.at_end(more_may_come));
            }
            let end = memchr::memchr(b'\n', buffer);
            let part = &buffer[..end.map_or(buffer.len(), |at| at + 1)];
            if self.line.len() + part.len() > self.limit {
                self.too_long = true;
                self.line = Vec::new();
            }
            if !self.too_long {
                self.line.extend_from_slice(part);
            }
            let used = part.len();
            self.from.consume(used);
            self.bytes += used as u64;
            if end.is_some() {
                return Ok(self.done());
            }
        }
    }

    const fn done(&self) -> Next {
        if self.too_long {
            Next::TooLong
        } else {
            Next::Line
        }
    }

    const fn at_end(&mut self, more_may_come: bool) -> Next {
        if !more_may_come && (self.too_long || !self.line.is_empty()) {
            return self.done();
        }
        // The number was counted for a line that is not there yet.
        self.partial = true;
        Next::End
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(bytes: &'static [u8], limit: usize) -> Lines {
        Lines::new(Box::new(bytes), limit)
    }

    #[test]
    fn ends_of_all_kinds_are_taken_off() {
        let mut lines = lines(b"\xef\xbb\xbfone\r\n\ntwo\nlast", 100);
        for (number, expected) in [(1, &b"one"[..]), (2, b""), (3, b"two"), (4, b"last")] {
            assert_eq!(lines.advance(false).unwrap(), Next::Line);
            assert_eq!((lines.number, lines.line()), (number, expected));
        }
        assert_eq!(lines.advance(false).unwrap(), Next::End);
        assert_eq!(lines.advance(false).unwrap(), Next::End);
        assert_eq!(lines.bytes, 17);
    }

    #[test]
    fn a_line_beyond_the_limit_is_passed_over() {
        let mut lines = lines(b"0123456789012345\nshort\n0123456789012345", 10);
        assert_eq!(lines.advance(false).unwrap(), Next::TooLong);
        assert_eq!(lines.advance(false).unwrap(), Next::Line);
        assert_eq!(lines.line(), b"short");
        assert_eq!(lines.advance(false).unwrap(), Next::TooLong);
        assert_eq!(lines.advance(false).unwrap(), Next::End);
    }

    /// Gives its parts one after the other, with an end of file between them.
    struct Parts(Vec<&'static [u8]>);

    impl Read for Parts {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let part = self.0.remove(0);
            buffer[..part.len()].copy_from_slice(part);
            Ok(part.len())
        }
    }

    #[test]
    fn a_line_that_grows_is_waited_for() {
        let parts = Parts(vec![b"one\ntw", b"", b"o\n", b""]);
        let mut lines = Lines::new(Box::new(parts), 100);
        assert_eq!(lines.advance(true).unwrap(), Next::Line);
        assert_eq!(lines.advance(true).unwrap(), Next::End);
        assert_eq!(lines.advance(true).unwrap(), Next::Line);
        assert_eq!((lines.number, lines.line()), (2, &b"two"[..]));
        assert_eq!(lines.advance(true).unwrap(), Next::End);
    }
}
