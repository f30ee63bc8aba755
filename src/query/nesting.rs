//! How deep JSON may be nested: parsers recurse, and a stack that overflows ends the process.

use crate::text::MAX_DEPTH;

/// Whether what jaq reads as JSON is nested deeper than an event may be. It also reads comments.
pub(crate) fn too_deep(text: &[u8]) -> bool {
    // The brackets that open bound the depth, and counting them is nearly free.
    let opened = text.iter().filter(|&&b| b == b'[' || b == b'{').count();
    opened > MAX_DEPTH && depth(text) > MAX_DEPTH
}

/// The depth of brackets outside of strings.
fn depth(text: &[u8]) -> usize {
    let (mut depth, mut deepest) = (0usize, 0);
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        match byte {
            b'[' | b'{' => {
                depth += 1;
                deepest = deepest.max(depth);
            }
            b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' => {
                while let Some(byte) = bytes.next() {
                    match byte {
                        b'"' => break,
                        b'\\' => {
                            bytes.next();
                        }
                        _ => {}
                    }
                }
            }
            b'#' => {
                bytes.find(|&&b| b == b'\n');
            }
            _ => {}
        }
    }
    deepest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_brackets_outside_of_strings_nest() {
        assert!(!too_deep(&b"[]".repeat(1000)));
        assert!(!too_deep("[".repeat(MAX_DEPTH).as_bytes()));
        assert!(too_deep("[{".repeat(MAX_DEPTH).as_bytes()));
        let text = format!("\"\\\"{}\"", "[".repeat(1000));
        assert!(!too_deep(text.as_bytes()));
        let text = format!("#\"\n{}", "[".repeat(1000));
        assert!(too_deep(text.as_bytes()));
    }
}
