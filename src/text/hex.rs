//! Bytes as hexadecimal digits.

pub(super) const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// The two digits of a byte.
pub const fn hex_byte(byte: u8) -> [u8; 2] {
    [DIGITS[(byte >> 4) as usize], DIGITS[(byte & 15) as usize]]
}

/// Appends two digits a byte.
pub fn push_hex(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(bytes.iter().flat_map(|byte| hex_byte(*byte)));
}

/// Two digits a byte.
pub fn hex(bytes: &[u8]) -> String {
    let mut out = Vec::with_capacity(2 * bytes.len());
    push_hex(&mut out, bytes);
    out.into_iter().map(char::from).collect()
}
