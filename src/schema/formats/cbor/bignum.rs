//! Big numbers of CBOR (tags 2 and 3): bytes, big end first, to decimal digits.

use std::io::Write as _;

use super::super::write::drop_front;
use crate::text::hex_byte;

/// Decimal digits take time by the square of the size: longer numbers are written in hexadecimal.
/// 256 bytes are 617 digits, which holds every key and product that people put into events.
const DECIMAL_BYTES: usize = 256;
/// Of 32 bits, with one for the carry of -1 - n.
const LIMBS: usize = DECIMAL_BYTES / 4 + 1;
/// Of nine digits: log10(2^32) = 9.64 digits a limb.
const GROUPS: usize = LIMBS * 964 / 900 + 1;
const GROUP: u64 = 1_000_000_000;

/// Turns the raw bytes that stand at the end of `out`, from `start` on, into the number n that
/// they are, or into -1 - n; in decimal where that is asked for and not too long.
pub(super) fn write_from(out: &mut Vec<u8>, start: usize, negative: bool, decimal: bool) {
    let raw = out.get(start..).unwrap_or_default();
    let zeros = raw.iter().take_while(|byte| **byte == 0).count();
    drop_front(out, start, start + zeros);
    let raw = out.get(start..).unwrap_or_default();
    if !decimal || raw.len() > DECIMAL_BYTES {
        write_hex(out, start, negative);
        return;
    }
    let mut limbs = [0u32; LIMBS];
    for (limb, bytes) in limbs.iter_mut().zip(raw.rchunks(4)) {
        *limb = bytes
            .iter()
            .fold(0, |sum, byte| sum << 8 | u32::from(*byte));
    }
    if negative {
        add_one(&mut limbs);
    }
    out.truncate(start);
    if negative {
        out.push(b'-');
    }
    write_decimal(out, &mut limbs);
}

/// The least limb is the first one.
fn add_one(limbs: &mut [u32; LIMBS]) {
    for limb in limbs {
        let (sum, carry) = limb.overflowing_add(1);
        *limb = sum;
        if !carry {
            return;
        }
    }
}

fn write_decimal(out: &mut Vec<u8>, limbs: &mut [u32; LIMBS]) {
    let mut groups = [0u32; GROUPS];
    let mut used = 0;
    let mut top = limbs.len();
    for group in &mut groups {
        while top > 0 && limbs.get(top - 1) == Some(&0) {
            top -= 1;
        }
        if top == 0 {
            break;
        }
        let mut rest = 0u64;
        for limb in limbs.iter_mut().take(top).rev() {
            let number = rest << 32 | u64::from(*limb);
            *limb = (number / GROUP) as u32;
            rest = number % GROUP;
        }
        *group = rest as u32;
        used += 1;
    }
    // A Vec takes all that is written.
    let mut written = Ok(());
    for (i, group) in groups.iter().take(used.max(1)).rev().enumerate() {
        written = written.and(if i == 0 {
            write!(out, "{group}")
        } else {
            write!(out, "{group:09}")
        });
    }
    debug_assert!(written.is_ok());
}

fn write_hex(out: &mut Vec<u8>, start: usize, negative: bool) {
    let end = out.len();
    let mut carried = false;
    if negative {
        let raw = out.get_mut(start..).unwrap_or_default();
        carried = raw.iter_mut().rev().all(|byte| {
            *byte = byte.wrapping_add(1);
            *byte == 0
        });
    }
    out.extend_from_slice(if negative { b"\"-0x" } else { b"\"0x" });
    if carried {
        out.extend_from_slice(b"01");
    }
    let digits = out.len();
    out.resize(digits + (end - start) * 2, 0);
    let (raw, room) = out.split_at_mut(digits);
    let raw = raw.get(start..end).unwrap_or_default();
    for (byte, room) in raw.iter().zip(room.chunks_exact_mut(2)) {
        room.copy_from_slice(&hex_byte(*byte));
    }
    out.push(b'"');
    drop_front(out, start, end);
}
