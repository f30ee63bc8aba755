//! How deep JSON may be nested: parsers recurse, and a stack that overflows ends the process.

/// Deeper text is not read as JSON.
pub(crate) const MAX_NESTING: usize = 512;

/// Whether JSON text is nested deeper than [`MAX_NESTING`].
pub(crate) fn too_deep(text: &[u8]) -> bool {
    // The brackets that open bound the depth, and counting them is nearly free.
    let opened = text.iter().filter(|&&b| b == b'[' || b == b'{').count();
    opened > MAX_NESTING && depth(text) > MAX_NESTING
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
        assert!(!too_deep("[".repeat(MAX_NESTING).as_bytes()));
        assert!(too_deep("[{".repeat(MAX_NESTING).as_bytes()));
        let text = format!("\"\\\"{}\"", "[".repeat(1000));
        assert!(!too_deep(text.as_bytes()));
    }
}
