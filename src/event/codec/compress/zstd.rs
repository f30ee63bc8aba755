//! zstd: by the C library with the feature `zstd`, else by ruzstd.

#[cfg(feature = "zstd")]
pub(super) use native::{Deflate, Inflate};
#[cfg(not(feature = "zstd"))]
pub(super) use pure::{Deflate, Inflate};

const NAME: &str = "zstd";

#[cfg(feature = "zstd")]
mod native {
    use zstd::zstd_safe::{CCtx, DCtx, compress_bound, get_error_name, zstd_sys::ZSTD_ErrorCode};

    use super::super::{Room, broken, failed};
    use super::NAME;
    use crate::event::codec::CodecError;

    /// What Kafka's clients take by default.
    const LEVEL: i32 = 3;

    /// Made with the first zstd batch.
    pub(in super::super) struct Inflate(Option<DCtx<'static>>);

    impl Inflate {
        pub(in super::super) const fn new() -> Self {
            Self(None)
        }

        /// In one call each time: the library then needs no window of its own, whose size a frame
        /// could claim. The buffer is recycled, so few batches need a second try.
        pub(in super::super) fn inflate(
            &mut self,
            input: &[u8],
            room: &mut Room,
        ) -> Result<(), CodecError> {
            if self.0.is_none() {
                self.0 = DCtx::try_create();
            }
            let state = self.0.as_mut();
            let state = state.ok_or_else(|| broken(NAME, "there is no memory for it"))?;
            let mut want = input.len().saturating_mul(2);
            loop {
                let free = room.free(want.max(1))?;
                match state.decompress(free, input) {
                    Ok(written) => {
                        room.used += written;
                        return Ok(());
                    }
                    Err(code) if is_too_small(code) => {
                        if room.bytes.len() > room.limit {
                            return Err(room.too_large());
                        }
                        want = room.bytes.len() + 1;
                    }
                    Err(code) => return Err(broken(NAME, get_error_name(code))),
                }
            }
        }
    }

    /// The library gives its errors as small negative numbers in an unsigned type.
    fn is_too_small(code: usize) -> bool {
        code.wrapping_neg() == ZSTD_ErrorCode::ZSTD_error_dstSize_tooSmall as usize
    }

    /// Made with the first zstd batch.
    #[derive(Default)]
    pub(in super::super) struct Deflate(Option<CCtx<'static>>);

    impl Deflate {
        pub(in super::super) fn deflate(
            &mut self,
            input: &[u8],
            out: &mut Vec<u8>,
        ) -> Result<(), CodecError> {
            if self.0.is_none() {
                self.0 = CCtx::try_create();
            }
            let state = self.0.as_mut();
            let state = state.ok_or_else(|| failed(NAME, "there is no memory for it"))?;
            let start = out.len();
            out.resize(start + compress_bound(input.len()), 0);
            let written = state
                .compress(&mut out[start..], input, LEVEL)
                .map_err(|code| failed(NAME, get_error_name(code)))?;
            out.truncate(start + written);
            Ok(())
        }
    }
}

#[cfg(not(feature = "zstd"))]
mod pure {
    use std::io::Read;

    use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};
    use ruzstd::encoding::{CompressionLevel, compress};

    use super::super::{Room, STEP, broken};
    use super::NAME;
    use crate::event::codec::CodecError;

    /// Windows up to this size are taken whatever the limit: level 19 of the C library.
    const WINDOW: usize = 8 * 1024 * 1024;

    pub(in super::super) struct Inflate;

    impl Inflate {
        pub(in super::super) const fn new() -> Self {
            Self
        }

        #[expect(clippy::unused_self, reason = "the C library's decoder has state")]
        pub(in super::super) fn inflate(
            &mut self,
            mut input: &[u8],
            room: &mut Room,
        ) -> Result<(), CodecError> {
            while !input.is_empty() {
                // A decoder that is used again allocates the window that the frame claims; a new
                // one grows with what it decodes, up to the window.
                let mut state = FrameDecoder::new();
                state.set_max_window_size(room.limit.max(WINDOW) as u64);
                state
                    .init(&mut input)
                    .map_err(|error| broken(NAME, error))?;
                frame(&mut state, &mut input, room)?;
            }
            Ok(())
        }
    }

    fn frame(
        state: &mut FrameDecoder,
        input: &mut &[u8],
        room: &mut Room,
    ) -> Result<(), CodecError> {
        loop {
            state
                .decode_blocks(&mut *input, BlockDecodingStrategy::UptoBytes(STEP))
                .map_err(|error| broken(NAME, error))?;
            while state.can_collect() > 0 {
                let free = room.free(state.can_collect())?;
                let written = state.read(free).map_err(|error| broken(NAME, error))?;
                room.used += written;
            }
            if state.is_finished() {
                return Ok(());
            }
        }
    }

    #[derive(Default)]
    pub(in super::super) struct Deflate;

    impl Deflate {
        #[expect(
            clippy::unused_self,
            clippy::unnecessary_wraps,
            reason = "the C library's encoder has state and errors"
        )]
        pub(in super::super) fn deflate(
            &mut self,
            input: &[u8],
            out: &mut Vec<u8>,
        ) -> Result<(), CodecError> {
            compress(input, out, CompressionLevel::Fastest);
            Ok(())
        }
    }
}
