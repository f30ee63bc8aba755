//! Which paths a comparison passes over: `.offset`, `.value.meta`, `.value.items[*].id`.

/// Whether one of the patterns names the path or something that it stands in. A star stands for
/// any text.
pub(super) fn is_ignored(patterns: &[String], path: &str) -> bool {
    patterns.iter().any(|pattern| covers(pattern.trim(), path))
}

fn covers(pattern: &str, path: &str) -> bool {
    if pattern.is_empty() {
        return false;
    }
    let mut parts = pattern.split('*');
    let Some(mut rest) = parts.next().and_then(|first| path.strip_prefix(first)) else {
        return false;
    };
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        // All but the last may stand at their first place; that leaves the most for what follows.
        if parts.peek().is_some() {
            match rest.find(part) {
                Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
                None => return false,
            }
        } else {
            let mut places = rest.match_indices(part);
            return part.is_empty()
                || places.any(|(at, _)| is_end(rest.get(at + part.len()..).unwrap_or_default()));
        }
    }
    is_end(rest)
}

/// What may follow a path that is named: nothing, or a step further in.
fn is_end(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with(['.', '['])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_covers_what_it_names_and_what_is_in_it() {
        for (pattern, path, covered) in [
            (".offset", ".offset", true),
            (".value", ".value.a[2]", true),
            (".value.a", ".value.ab", false),
            (".value.*.id", ".value.a.b.id", true),
            (".value.*.id", ".value.id", false),
            ("*.id", ".value.id[0]", true),
            ("*.id", ".value.idea", false),
            (".value.items[*].at", ".value.items[12].at", true),
            (".value.items[*].at", ".value.items[12].atom", false),
            ("*.a*.b", ".a.b.c", true),
            ("*", ".topic", true),
            ("*", "", true),
            ("", ".topic", false),
            ("a", ".a", false),
            (r#".headers["x y"]"#, r#".headers["x y"][1]"#, true),
        ] {
            let patterns = [pattern.to_owned()];
            assert_eq!(is_ignored(&patterns, path), covered, "{pattern} {path}");
        }
    }
}
