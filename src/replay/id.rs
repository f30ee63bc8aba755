//! What plans and redrives are called by: the SHA-256 of all that makes one what it is, in hex, and
//! the beginning of that, which names runs and stands in provenance headers.

use sha2::{Digest, Sha256};

use crate::text::hex;

/// Digits of a short id: 64 bits, enough to tell the plans of one target apart.
const SHORT: usize = 16;
const LONG: usize = 64;

/// The id of what is written so: the same text has the same id.
pub(super) fn long(canonical: &str) -> String {
    hex(&Sha256::digest(canonical.as_bytes()))
}

/// The beginning of a long id.
pub(super) fn short(mut long: String) -> String {
    long.truncate(SHORT);
    long
}

/// The short id that a short or long one stands for; `None` for a text that is neither.
pub(super) fn shortened(text: &str) -> Option<&str> {
    let is_hex = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let is_id = is_hex && matches!(text.len(), SHORT | LONG);
    text.get(..SHORT).filter(|_| is_id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_told_by_its_digits() {
        let whole = long("a plan");
        let beginning = short(whole.clone());
        assert_eq!((whole.len(), beginning.len()), (LONG, SHORT));
        assert_eq!(shortened(&whole), Some(&*beginning));
        assert_eq!(shortened(&beginning), Some(&*beginning));
        assert_eq!(shortened(&beginning[1..]), None);
        assert_eq!(shortened(&whole.to_uppercase()), None);
        assert_eq!(shortened("../../../../etcä"), None);
    }
}
