//! Blocks of other writers, blocks made by chance, and damaged ones, each held against a reader
//! that goes byte by byte.

use proptest::prelude::*;

use super::*;

/// As [`expand`], byte by byte.
fn plainly(block: &[u8], out: &mut [u8], mut at: usize) -> Option<usize> {
    let mut bytes = block.iter().copied();
    loop {
        let token = bytes.next()?;
        for _ in 0..plain_length(usize::from(token >> 4), &mut bytes)? {
            *out.get_mut(at)? = bytes.next()?;
            at += 1;
        }
        let Some(low) = bytes.next() else {
            return Some(at);
        };
        let back = usize::from(u16::from_le_bytes([low, bytes.next()?]));
        for _ in 0..plain_length(usize::from(token & 15), &mut bytes)? + 4 {
            if back == 0 {
                return None;
            }
            let byte = out[at.checked_sub(back)?];
            *out.get_mut(at)? = byte;
            at += 1;
        }
    }
}

fn plain_length(short: usize, bytes: &mut impl Iterator<Item = u8>) -> Option<usize> {
    let mut length = short;
    if short == 15 {
        loop {
            let byte = bytes.next()?;
            length += usize::from(byte);
            if byte < 255 {
                break;
            }
        }
    }
    Some(length)
}

/// Both readers agree on what `block` is, in a room of `room` bytes of which `at` are used.
fn agree(block: &[u8], room: usize, at: usize) -> Option<usize> {
    let used: Vec<u8> = (0..at).map(|i| i as u8 | 1).collect();
    let mut out = [used.clone(), vec![0; room - at]].concat();
    let mut expected = out.clone();
    let told = expand(block, &mut out, at).ok();
    assert_eq!(told, plainly(block, &mut expected, at), "{block:?}");
    if let Some(end) = told {
        assert!(out[..end] == expected[..end], "{block:?}");
    }
    told
}

/// One sequence of a block: literals, how far back, how long.
#[derive(Debug, Clone)]
struct Sequence(Vec<u8>, u16, usize);

fn write(sequences: &[Sequence], last: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    for Sequence(literals, back, len) in sequences {
        let short = len - LEAST;
        block.push(((literals.len().min(15) << 4) | short.min(15)) as u8);
        write_more(literals.len(), &mut block);
        block.extend_from_slice(literals);
        block.extend_from_slice(&back.to_le_bytes());
        write_more(short, &mut block);
    }
    block.push((last.len().min(15) << 4) as u8);
    write_more(last.len(), &mut block);
    block.extend_from_slice(last);
    block
}

fn write_more(length: usize, block: &mut Vec<u8>) {
    if let Some(mut more) = length.checked_sub(15) {
        while more >= 255 {
            block.push(255);
            more -= 255;
        }
        block.push(more as u8);
    }
}

/// Lengths and distances on both sides of every bound, with those that JSON has most often.
fn sequence() -> impl Strategy<Value = Sequence> {
    let literals = prop_oneof![4 => 0..20_usize, 2 => 14..70_usize, 1 => 250..300_usize];
    let back = prop_oneof![4 => 14..300_u16, 2 => 1..70_u16, 1 => 0..5000_u16];
    let len = prop_oneof![4 => 4..30_usize, 2 => 16..90_usize, 1 => 250..700_usize];
    (literals, back, len, any::<u8>()).prop_map(|(literals, back, len, first)| {
        let literals = (0..literals).map(|i| first.wrapping_add(i as u8)).collect();
        Sequence(literals, back, len)
    })
}

proptest! {
    #[test]
    fn sequences_of_any_kind(
        sequences in prop::collection::vec(sequence(), 0..60),
        last in prop::collection::vec(any::<u8>(), 0..40),
        at in 0..3000_usize,
        more in 0..300_usize,
        less in 1..300_usize,
    ) {
        let block = write(&sequences, &last);
        let size = sequences.iter().map(|s| s.0.len() + s.2).sum::<usize>() + last.len();
        let whole = agree(&block, at + size + more, at);
        prop_assert!(whole.is_none_or(|end| end == at + size));
        agree(&block, at + size, at);
        prop_assert_eq!(agree(&block, at + size.saturating_sub(less), at), whole.filter(|_| size == 0));
    }

    #[test]
    fn damage_of_any_kind(
        sequences in prop::collection::vec(sequence(), 0..40),
        damage in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6),
        cut in any::<prop::sample::Index>(),
        at in 0..300_usize,
    ) {
        let mut block = write(&sequences, b"the end");
        for (place, byte) in damage {
            let place = place.index(block.len());
            block[place] = byte;
        }
        agree(&block, at + 20_000, at);
        agree(&block[..cut.index(block.len())], at + 20_000, at);
    }

    #[test]
    fn what_another_writer_compressed(
        words in prop::collection::vec((0..6_usize, 1..90_usize), 0..400),
    ) {
        const WORDS: [&str; 6] =
            ["\"orderId\":", "\u{0}", "aé", "{\"eventType\":\"OrderPlaced\",\"amount\":12.50}", "0123456789", "z"];
        let input: String = words.iter().map(|&(word, times)| WORDS[word].repeat(times)).collect();
        let block = lz4_flex::block::compress(input.as_bytes());
        let mut out = vec![0; input.len()];
        prop_assert_eq!(expand(&block, &mut out, 0), Ok(input.len()));
        prop_assert!(out == input.as_bytes());
    }
}

#[test]
fn each_fault_is_told() {
    let mut out = [0; 400];
    let block = write(&[Sequence(b"abcd".to_vec(), 4, 20)], b"end");
    assert_eq!(expand(&block, &mut out, 0), Ok(27));
    assert_eq!(&out[..27], b"abcdabcdabcdabcdabcdabcdend");
    assert_eq!(expand(&block, &mut out[..26], 0), Err(Fault::Full));
    assert_eq!(expand(&block[..6], &mut out, 0), Err(Fault::Cut));
    assert_eq!(expand(&[], &mut out, 0), Err(Fault::Cut));
    for back in [0, 5] {
        let block = write(&[Sequence(b"abcd".to_vec(), back, 20)], b"end");
        assert_eq!(expand(&block, &mut out, 0), Err(Fault::Reach));
    }
    // Beyond the beginning, where the quick way meets it.
    let long = Sequence(vec![b'x'; 40], 41, 20);
    let block = write(&[long.clone(), long], &[b'y'; 100]);
    assert_eq!(expand(&block, &mut out, 0), Err(Fault::Reach));
    assert_eq!(expand(&block, &mut out, 1), Ok(221));
}
