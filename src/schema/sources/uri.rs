//! Joining URI references as RFC 3986, section 5.2, says; paths of files are joined the same way.
//! No I/O.

/// What a reference means, seen from a base. Both may be relative: the result then is too, and
/// `..` that leads above the start stays in front. The fragment is left out.
pub(super) fn join(base: &str, reference: &str) -> String {
    let reference = without_fragment(reference);
    let base = without_fragment(base);
    if reference.is_empty() {
        return base.to_owned();
    }
    if scheme(reference).is_some() {
        return reference.to_owned();
    }
    let (root, path) = split(base);
    if let Some(rest) = reference.strip_prefix("//") {
        let scheme = scheme(base).map_or_else(String::new, |s| format!("{s}:"));
        return format!("{scheme}//{rest}");
    }
    if reference.starts_with('/') {
        return format!("{root}{}", tidy(reference, !root.is_empty()));
    }
    let folder = path.rfind('/').map_or("", |at| &path[..=at]);
    let folder = if folder.is_empty() && root.contains("//") {
        "/"
    } else {
        folder
    };
    let whole = format!("{folder}{reference}");
    format!("{root}{}", tidy(&whole, !root.is_empty()))
}

/// True for `http://…`, `urn:…` and the like.
pub(super) fn is_absolute(text: &str) -> bool {
    scheme(text).is_some()
}

pub(super) fn without_fragment(text: &str) -> &str {
    text.split_once('#').map_or(text, |(front, _)| front)
}

fn scheme(text: &str) -> Option<&str> {
    let (scheme, _) = text.split_once(':')?;
    let mut chars = scheme.chars();
    let good = chars.next()?.is_ascii_alphabetic()
        && chars.all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c));
    good.then_some(scheme)
}

/// `http://host` and `/path`; a base without scheme is all path.
fn split(base: &str) -> (&str, &str) {
    let Some(scheme) = scheme(base) else {
        return ("", base);
    };
    let after = scheme.len() + 1;
    let rest = &base[after..];
    let Some(authority) = rest.strip_prefix("//") else {
        return base.split_at(after);
    };
    let end = authority.find('/').unwrap_or(authority.len());
    base.split_at(after + 2 + end)
}

/// Takes `.` and `..` out. With a root, nothing is above it. What is a folder stays one.
fn tidy(path: &str, rooted: bool) -> String {
    let absolute = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "." | "" => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => drop(parts.pop()),
                _ if rooted || absolute => {}
                _ => parts.push(".."),
            },
            part => parts.push(part),
        }
    }
    let slash = if absolute { "/" } else { "" };
    let folder = matches!(path.rsplit('/').next(), Some("" | "." | ".."));
    let end = if folder && !parts.is_empty() { "/" } else { "" };
    format!("{slash}{}{end}", parts.join("/"))
}

/// The path of `target` as a reference seen from `from`: what [`join`] turns back into `target`.
pub(super) fn relative(from: &str, target: &str) -> String {
    let folder: Vec<&str> = from.split('/').collect();
    let folder = &folder[..folder.len().saturating_sub(1)];
    let parts: Vec<&str> = target.split('/').collect();
    let shared = folder
        .iter()
        .zip(&parts[..parts.len().saturating_sub(1)])
        .take_while(|(a, b)| a == b)
        .count();
    let mut out = vec![".."; folder.len() - shared];
    out.extend(&parts[shared..]);
    out.join("/")
}

/// Text with everything but letters, digits and what is to be kept as percent escapes.
pub(super) fn percent_encode(text: &str, keep: &str) -> String {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || keep.as_bytes().contains(&byte) {
            out.push(char::from(byte));
        } else {
            let digit = |half: u8| char::from(DIGITS[usize::from(half & 15)]);
            out.extend(['%', digit(byte >> 4), digit(byte)]);
        }
    }
    out
}

/// Takes percent escapes out; `None` where one is none, or what comes out is no UTF-8.
pub(super) fn percent_decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        if first == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            let hex = |digit: u8| char::from(digit).to_digit(16);
            bytes.push((hex(digits[0])? * 16 + hex(digits[1])?) as u8);
            rest = after;
        } else {
            bytes.push(first);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_joined_as_the_rfc_says() {
        for (base, reference, joined) in [
            ("http://a/b/c/d", "g", "http://a/b/c/g"),
            ("http://a/b/c/d", "../../g", "http://a/g"),
            ("http://a/b/c/d", "../../../g", "http://a/g"),
            ("http://a/b/c/d", "/g", "http://a/g"),
            ("http://a/b/c/d", "g/", "http://a/b/c/g/"),
            ("http://a/b/c/d", "./", "http://a/b/c/"),
            ("http://a/b/c/d", "..", "http://a/b/"),
            ("http://a/b/c/d", "../..", "http://a/"),
            ("http://a/b/c/", "g", "http://a/b/c/g"),
            ("http://a/b/c/d", "//h/g", "http://h/g"),
            ("http://a/b/c/d", "urn:x:y", "urn:x:y"),
            ("http://a/b/c/d", "#x", "http://a/b/c/d"),
            ("http://a", "g", "http://a/g"),
            ("orders.json", "common/a.json#/x", "common/a.json"),
            ("common/a.json", "b.json", "common/b.json"),
            ("common/a.json", "../b.json", "b.json"),
            ("a.json", "../b.json", "../b.json"),
            ("a.json", "../../b.json", "../../b.json"),
            ("a.json", "./b.json", "b.json"),
        ] {
            assert_eq!(join(base, reference), joined, "{base} + {reference}");
        }
    }

    #[test]
    fn a_relative_path_leads_back() {
        for (from, target, path) in [
            ("orders.json", "common/a.json", "common/a.json"),
            ("orders/placed.json", "a.json", "../a.json"),
            ("x/y/z.json", "x/w/a.json", "../w/a.json"),
            ("x/a.json", "x/b.json", "b.json"),
        ] {
            assert_eq!(relative(from, target), path);
            assert_eq!(join(from, path), target);
        }
    }

    #[test]
    fn percent_escapes_are_made_and_taken_out() {
        assert_eq!(percent_encode("a/b é~", "/~"), "a/b%20%C3%A9~");
        assert_eq!(percent_decode("a/b%20%c3%A9~").unwrap(), "a/b é~");
        for wrong in ["%", "%2", "%+1", "%zz", "%ff"] {
            assert_eq!(percent_decode(wrong), None, "{wrong}");
        }
    }
}
