//! Compressed streams: limits, damage, and the shapes that other clients write.

use std::io::Write;

use super::*;

#[test]
fn a_bomb_stops_at_the_limit() {
    let bomb = [plain(0, &vec![0; 8 * 1024 * 1024])];
    for codec in CODECS.into_iter().skip(1) {
        let batch = encode(0, &compressed(codec), &bomb, None);
        assert!(batch.len() < 600_000, "{codec:?}: {}", batch.len());
        let mut decoder = Decoder::new(1024 * 1024);
        let error = decoder.decode(&batch).unwrap_err();
        assert_eq!(
            error,
            CodecError::TooLarge { limit: 1024 * 1024 },
            "{codec:?}"
        );
    }
}

#[test]
fn the_limit_itself_is_not_too_large() {
    let records = [plain(0, &vec![7; 300_000])];
    for codec in CODECS.into_iter().skip(1) {
        let batch = encode(0, &compressed(codec), &records, None);
        let size = Decoder::new(LIMIT).decode(&batch).unwrap().body().len();
        assert!(Decoder::new(size).decode(&batch).is_ok(), "{codec:?}");
        assert_eq!(
            Decoder::new(size - 1).decode(&batch).unwrap_err(),
            CodecError::TooLarge { limit: size - 1 },
            "{codec:?}"
        );
    }
}

#[test]
fn a_decoder_is_reused_across_codecs_and_sizes() {
    let mut decoder = Decoder::new(LIMIT);
    for size in [10, 9_000_000, 100, 70_000, 3] {
        for codec in CODECS {
            let records = [plain(5, &vec![size as u8; size])];
            let batch = encode(5, &compressed(codec), &records, None);
            let record = decoder.decode(&batch).unwrap().next().unwrap().unwrap();
            assert_eq!(Owned::of(&record), records[0]);
        }
    }
}

#[test]
fn bytes_that_do_not_compress_survive_every_codec() {
    let mut state = 1u64;
    let noise: Vec<u8> = std::iter::repeat_with(|| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 33) as u8
    })
    .take(500_000)
    .collect();
    let records = [plain(0, &noise), plain(1, &noise)];
    for codec in CODECS {
        let batch = encode(0, &compressed(codec), &records, None);
        assert_eq!(decode(&batch).unwrap(), records, "{codec:?}");
    }
}

/// A batch of one record whose stored bytes are these.
fn hand_made(codec: Compression, stored: &[u8]) -> Vec<u8> {
    let mut batch = encode(0, &BatchOptions::default(), &[plain(0, b"")], None);
    batch.truncate(BatchHeader::LEN);
    batch[22] |= codec as u8;
    batch.extend_from_slice(stored);
    reseal(&mut batch);
    batch
}

/// The body of a batch of one record with this value.
fn body(value: &[u8]) -> Vec<u8> {
    let batch = encode(0, &BatchOptions::default(), &[plain(0, value)], None);
    batch[BatchHeader::LEN..].to_vec()
}

#[test]
fn bare_snappy_as_librdkafka_writes_it_is_read() {
    let bare = snap::raw::Encoder::new()
        .compress_vec(&body(b"bare"))
        .unwrap();
    let batch = hand_made(Compression::Snappy, &bare);
    assert_eq!(decode(&batch).unwrap(), [plain(0, b"bare")]);
}

#[test]
fn joined_snappy_streams_are_one() {
    let whole = encode(
        0,
        &compressed(Compression::Snappy),
        &[plain(0, &vec![7; 40_000])],
        None,
    );
    let body = body(&vec![7; 40_000]);
    let mut joined = Vec::new();
    for half in [&body[..9000], &body[9000..]] {
        joined.extend_from_slice(b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01");
        let chunk = snap::raw::Encoder::new().compress_vec(half).unwrap();
        joined.extend_from_slice(&(chunk.len() as u32).to_be_bytes());
        joined.extend_from_slice(&chunk);
    }
    let batch = hand_made(Compression::Snappy, &joined);
    assert_eq!(decode(&batch).unwrap(), decode(&whole).unwrap());
}

#[test]
fn a_snappy_block_that_claims_gigabytes_is_refused() {
    let batch = hand_made(Compression::Snappy, b"\xff\xff\xff\xff\x0f\x00a");
    let mut decoder = Decoder::new(usize::MAX);
    assert!(matches!(
        decoder.decode(&batch),
        Err(CodecError::Inflate {
            codec: "snappy",
            ..
        })
    ));
}

#[test]
fn lz4_frames_of_every_shape_are_read() {
    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
    let value: Vec<u8> = (0..300_000u32)
        .flat_map(|i| (i / 7).to_le_bytes())
        .collect();
    let body = body(&value);
    for mode in [BlockMode::Independent, BlockMode::Linked] {
        for size in [BlockSize::Max64KB, BlockSize::Max256KB, BlockSize::Max4MB] {
            for checks in [false, true] {
                let info = FrameInfo::new()
                    .block_mode(mode)
                    .block_size(size)
                    .block_checksums(checks)
                    .content_checksum(checks)
                    .content_size(checks.then_some(body.len() as u64));
                let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
                encoder.write_all(&body).unwrap();
                let batch = hand_made(Compression::Lz4, &encoder.finish().unwrap());
                assert_eq!(decode(&batch).unwrap(), [plain(0, &value)]);
            }
        }
    }
}

/// Whatever is written, another reader of frames reads it, and what does not shrink is stored.
#[test]
fn an_lz4_frame_of_ours_is_a_frame() {
    let mut seed = 7u32;
    let noise = std::iter::repeat_with(|| {
        seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (seed >> 24) as u8
    });
    let noise: Vec<u8> = noise.take(200_000).collect();
    let text = b"{\"orderId\":17,\"eventType\":\"OrderPlaced\"}".repeat(6000);
    let mixed = [&text[..70_000], &noise[..70_000], &text[..]].concat();
    let sizes = [0, 1, 12, 65_535, 65_536, 65_537, 131_072, 200_000];
    for data in [&noise, &text, &mixed] {
        for size in sizes {
            let input = &data[..size];
            let mut frame = Vec::new();
            let mut deflater = compress::Deflater::default();
            deflater
                .deflate(Compression::Lz4, input, &mut frame)
                .unwrap();
            let mut read = Vec::new();
            let mut decoder = lz4_flex::frame::FrameDecoder::new(&frame[..]);
            std::io::Read::read_to_end(&mut decoder, &mut read).unwrap();
            assert!(read == input, "{size}");
            assert!(
                frame.len() <= 15 + size + 4 * size.div_ceil(65_536),
                "{size}"
            );
        }
    }
}

#[test]
fn a_cut_stream_is_an_error_in_every_codec() {
    let value: Vec<u8> = (0..50_000u32).flat_map(u32::to_le_bytes).collect();
    for codec in CODECS {
        let whole = encode(0, &compressed(codec), &[plain(0, &value)], None);
        for cut in [1, 4, 5, 100, 10_000] {
            let mut batch = whole[..whole.len() - cut].to_vec();
            reseal(&mut batch);
            assert!(
                decode(&batch).is_err(),
                "{codec:?} without its last {cut} bytes"
            );
        }
    }
}

#[test]
fn joined_gzip_members_are_one() {
    let body = body(&vec![7; 40_000]);
    let mut joined = Vec::new();
    for half in [&body[..9000], &body[9000..]] {
        let mut encoder = flate2::write::GzEncoder::new(&mut joined, flate2::Compression::fast());
        encoder.write_all(half).unwrap();
        encoder.finish().unwrap();
    }
    let batch = hand_made(Compression::Gzip, &joined);
    assert_eq!(decode(&batch).unwrap(), [plain(0, &vec![7; 40_000])]);
}
