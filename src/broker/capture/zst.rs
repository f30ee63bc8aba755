//! zstd streams: by the C library with the feature `zstd`, else by `ruzstd`. Several frames in a
//! row are one stream.

use std::io::{self, Read};

/// Decompresses what `input` gives. A stream that ends within a frame is `UnexpectedEof`.
#[cfg(feature = "zstd")]
pub(super) fn reader<'a>(input: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(Box::new(zstd::stream::read::Decoder::new(input)?))
}

/// Decompresses what `input` gives. A stream that ends within a frame is `UnexpectedEof`.
#[cfg(not(feature = "zstd"))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the C library's way can fail, and both have one signature"
)]
pub(super) fn reader<'a>(input: impl Read + Send + 'a) -> io::Result<Box<dyn Read + Send + 'a>> {
    Ok(Box::new(pure::Frames::new(input)))
}

/// Appends one frame that holds `bytes`.
#[cfg(feature = "zstd")]
pub(super) fn push_frame(bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    let frame = zstd::bulk::compress(bytes, zstd::DEFAULT_COMPRESSION_LEVEL)?;
    out.extend_from_slice(&frame);
    Ok(())
}

/// Appends one frame that holds `bytes`.
#[cfg(not(feature = "zstd"))]
#[expect(
    clippy::unnecessary_wraps,
    reason = "the C library's way can fail, and both have one signature"
)]
pub(super) fn push_frame(bytes: &[u8], out: &mut Vec<u8>) -> io::Result<()> {
    use ruzstd::encoding::{CompressionLevel, compress};
    compress(bytes, out, CompressionLevel::Fastest);
    Ok(())
}

#[cfg(not(feature = "zstd"))]
mod pure {
    use std::io::{self, BufRead, BufReader, Read};

    use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

    type Input<R> = BufReader<R>;

    /// One frame after the other.
    pub(super) struct Frames<R: Read> {
        state: State<R>,
    }

    enum State<R: Read> {
        Between(Input<R>, Box<FrameDecoder>),
        Within(Box<StreamingDecoder<Input<R>, FrameDecoder>>),
        Done,
    }

    impl<R: Read> Frames<R> {
        pub(super) fn new(input: R) -> Self {
            Self {
                state: State::Between(BufReader::new(input), Box::new(FrameDecoder::new())),
            }
        }
    }

    impl<R: Read> Read for Frames<R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            loop {
                match std::mem::replace(&mut self.state, State::Done) {
                    State::Done => return Ok(0),
                    State::Between(mut input, decoder) => {
                        if input.fill_buf()?.is_empty() {
                            return Ok(0);
                        }
                        let frame = StreamingDecoder::new_with_decoder(input, *decoder)
                            .map_err(|e| broken(&e))?;
                        self.state = State::Within(Box::new(frame));
                    }
                    State::Within(mut frame) => {
                        let n = frame.read(buffer)?;
                        if n > 0 || buffer.is_empty() {
                            self.state = State::Within(frame);
                            return Ok(n);
                        }
                        let (input, decoder) = frame.into_parts();
                        self.state = State::Between(input, Box::new(decoder));
                    }
                }
            }
        }
    }

    fn broken(error: &impl std::fmt::Display) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_in_a_row_are_one_stream() {
        let mut packed = Vec::new();
        let mut plain = Vec::new();
        let long = vec![7; 100_000];
        for part in [&b"one\n"[..], b"", &long, b"end"] {
            push_frame(part, &mut packed).unwrap();
            plain.extend_from_slice(part);
        }
        let mut out = Vec::new();
        reader(&packed[..]).unwrap().read_to_end(&mut out).unwrap();
        assert!(out == plain);
    }

    #[test]
    fn a_cut_stream_is_an_error_after_what_could_be_read() {
        let mut packed = Vec::new();
        push_frame(b"first\n", &mut packed).unwrap();
        push_frame(&[b'x'; 5000], &mut packed).unwrap();
        packed.truncate(packed.len() - 3);
        let mut out = Vec::new();
        let result = reader(&packed[..]).unwrap().read_to_end(&mut out);
        assert!(result.is_err());
        assert!(out.starts_with(b"first\n"));
    }
}
