//! Streams that other libraries wrote, damaged ones, and bombs.

use std::io::Write as _;

use super::*;

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zlib(data: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn lz4(data: &[u8]) -> Vec<u8> {
    let info = lz4_flex::frame::FrameInfo::new()
        .content_checksum(true)
        .block_checksums(true);
    let mut encoder = lz4_flex::frame::FrameEncoder::with_frame_info(info, Vec::new());
    encoder.write_all(data).unwrap();
    encoder.finish().unwrap()
}

fn zstd(data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    ruzstd::encoding::compress(data, &mut out, ruzstd::encoding::CompressionLevel::Fastest);
    out
}

/// Blocks of nothing but literals: what a snappy encoder writes for data that do not compress.
fn literal(data: &[u8]) -> Vec<u8> {
    assert!(data.len() <= 60);
    let mut block = vec![data.len() as u8, (data.len() as u8 - 1) << 2];
    block.extend_from_slice(data);
    block
}

fn snappy(data: &[u8]) -> Vec<u8> {
    let mut out = StreamKind::Snappy.magic().to_vec();
    // Padding, a compressed frame for each piece, and a stored one.
    out.extend_from_slice(b"\xfe\x03\0\0abc");
    for (i, piece) in data.chunks(60).enumerate() {
        let body = if i % 2 == 0 {
            literal(piece)
        } else {
            piece.to_vec()
        };
        let masked = crc(piece).rotate_right(15).wrapping_add(0xa282_ead8);
        out.push((i % 2) as u8);
        out.extend_from_slice(&(body.len() as u32 + 4).to_le_bytes()[..3]);
        out.extend_from_slice(&masked.to_le_bytes());
        out.extend_from_slice(&body);
    }
    out
}

/// CRC-32C bit by bit, so that the reader is not checked against its own.
fn crc(data: &[u8]) -> u32 {
    !data.iter().fold(!0, |sum: u32, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            sum >> 1 ^ if sum & 1 == 1 { 0x82f6_3b78 } else { 0 }
        })
    })
}

fn xerial(data: &[u8]) -> Vec<u8> {
    let mut out = b"\x82SNAPPY\0\0\0\0\x01\0\0\0\x01".to_vec();
    for piece in data.chunks(60) {
        let block = literal(piece);
        out.extend_from_slice(&(block.len() as u32).to_be_bytes());
        out.extend_from_slice(&block);
    }
    out
}

type Encode = fn(&[u8]) -> Vec<u8>;
const KINDS: [(StreamKind, Encode); 6] = [
    (StreamKind::Gzip, gzip),
    (StreamKind::Zlib, zlib),
    (StreamKind::Zstd, zstd),
    (StreamKind::Lz4, lz4),
    (StreamKind::Snappy, snappy),
    (StreamKind::SnappyJava, xerial),
];

fn sample() -> Vec<u8> {
    (0..5000u32)
        .flat_map(|n| format!("{{\"n\":{}}}", n * n % 977).into_bytes())
        .collect()
}

#[test]
fn what_others_compressed_is_recognised_and_inflated() {
    let mut inflater = Inflater::default();
    for (known, encode) in KINDS {
        for data in [sample(), b"{}".to_vec(), Vec::new()] {
            let stream = encode(&data);
            let found = kind(&stream);
            let expected = (known != StreamKind::Zlib).then_some(known);
            assert_eq!(found, expected, "{known:?}");
            let result = inflater.inflate(known, &stream, most(stream.len()));
            assert_eq!(result, Ok(data.as_slice()), "{known:?}");
        }
    }
}

#[test]
fn streams_that_follow_each_other_are_one_value() {
    let mut inflater = Inflater::default();
    for (kind, encode) in [(StreamKind::Gzip, gzip as Encode), (StreamKind::Lz4, lz4)] {
        let twice = [encode(b"one,"), encode(b"two")].concat();
        let result = inflater.inflate(kind, &twice, 100);
        assert_eq!(result, Ok(&b"one,two"[..]));
    }
}

#[test]
fn what_is_cut_or_followed_by_more_is_refused() {
    let mut inflater = Inflater::default();
    for (kind, encode) in KINDS {
        let stream = encode(b"{\"a\":1}");
        // A snappy stream has no end mark, so that it may be cut between its pieces.
        let least = if matches!(kind, StreamKind::Snappy | StreamKind::SnappyJava) {
            20
        } else {
            1
        };
        for cut in least..stream.len() {
            let refused = inflater.inflate(kind, &stream[..cut], 1000);
            let pieces = refused == Ok(b"");
            assert!(refused.is_err() || pieces && least == 20, "{kind:?} {cut}");
        }
        let more = [stream.as_slice(), b"x"].concat();
        let refusal = inflater.inflate(kind, &more, 1000).unwrap_err();
        assert!(refusal.0.contains("does not decompress"), "{refusal}");
    }
}

#[test]
fn a_checksum_that_is_wrong_is_refused() {
    let mut inflater = Inflater::default();
    for (kind, place) in [(StreamKind::Gzip, 6), (StreamKind::Zlib, 1)] {
        let encode = KINDS.iter().find(|(known, _)| *known == kind).unwrap().1;
        let mut stream = encode(b"{\"a\":1}");
        let at = stream.len() - place;
        stream[at] ^= 1;
        assert!(inflater.inflate(kind, &stream, 1000).is_err(), "{kind:?}");
    }
    let mut stream = snappy(b"{\"a\":1}");
    *stream.last_mut().unwrap() ^= 1;
    let refusal = inflater.inflate(StreamKind::Snappy, &stream, 1000);
    assert!(refusal.unwrap_err().0.contains("checksum"));
}

#[test]
fn a_value_may_become_as_large_as_the_limit_and_no_larger() {
    let mut inflater = Inflater::default();
    let data = sample();
    for (kind, encode) in KINDS {
        let stream = encode(&data);
        let whole = inflater.inflate(kind, &stream, data.len());
        assert!(whole.is_ok(), "{kind:?}");
        let refusal = inflater.inflate(kind, &stream, data.len() - 1).unwrap_err();
        let expected = format!("larger than {} bytes", data.len() - 1);
        assert!(refusal.0.contains(&expected), "{refusal}");
    }
    assert_eq!(most(0), FREE);
    assert_eq!(most(1000), FREE + 1_000_000);
    assert_eq!(most(usize::MAX), INFLATED);
}

#[test]
fn bombs_are_refused_in_time() {
    let zeros = vec![0; 200 * 1024 * 1024];
    let mut inflater = Inflater::default();
    for (kind, encode) in [
        (StreamKind::Gzip, gzip as Encode),
        (StreamKind::Zstd, zstd),
        (StreamKind::Lz4, lz4),
    ] {
        let bomb = encode(&zeros);
        let started = std::time::Instant::now();
        let refusal = inflater.inflate(kind, &bomb, most(bomb.len())).unwrap_err();
        assert!(refusal.0.contains("larger than"), "{refusal}");
        // 100 ms with optimisation; here there is none, and other tests run beside this one.
        assert!(started.elapsed().as_secs() < 2, "{kind:?}");
    }
}
