//! Comments in a schema's text, which Java's parser takes and JSON does not have.

use std::borrow::Cow;

/// The text with spaces in the place of `// …` and `/* … */` outside of strings, so that every
/// position stays what it was. A byte order mark goes too.
pub(super) fn without_comments(text: &str) -> Cow<'_, str> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.contains('/') {
        return Cow::Borrowed(text);
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((plain, comment)) = to_comment(rest) {
        clean.push_str(plain);
        let end = if comment.starts_with("//") {
            comment.find(['\n', '\r'])
        } else {
            comment.get(2..).and_then(|c| c.find("*/")).map(|at| at + 4)
        };
        let (comment, after) = comment.split_at(end.unwrap_or(comment.len()));
        clean.extend(comment.bytes().map(|b| if b == b'\n' { '\n' } else { ' ' }));
        rest = after;
    }
    if clean.is_empty() {
        return Cow::Borrowed(text);
    }
    clean.push_str(rest);
    Cow::Owned(clean)
}

/// Splits before the first comment; `None` when there is none.
fn to_comment(text: &str) -> Option<(&str, &str)> {
    let (mut in_string, mut escaped) = (false, false);
    for (at, pair) in text.as_bytes().windows(2).enumerate() {
        match (pair, in_string) {
            _ if escaped => escaped = false,
            ([b'\\', _], true) => escaped = true,
            ([b'"', _], _) => in_string = !in_string,
            (b"//" | b"/*", false) => return text.split_at_checked(at),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_become_spaces_and_strings_stay() {
        for (text, clean) in [
            ("\"string\"", "\"string\""),
            ("\u{feff}\"int\"", "\"int\""),
            ("1 // one\n2", "1       \n2"),
            ("// é\n2", "     \n2"),
            ("1/* a\n\"b */2", "1    \n     2"),
            ("\"http://a/*b*/\"", "\"http://a/*b*/\""),
            (r#""\"//" // c"#, r#""\"//"     "#),
            (r#""\\" /*c*/"#, r#""\\"      "#),
            ("/* open", "       "),
            ("1 /", "1 /"),
            ("/*/ 2", "     "),
        ] {
            assert_eq!(without_comments(text), clean, "{text}");
        }
    }
}
