//! Names: with and without their namespace, and in messages.

use crate::text::Visible;

/// Characters of a name that an error quotes.
const QUOTED: usize = 100;

/// A name with a dot is full already; one that begins with a dot is in no namespace.
pub(super) fn full_name(name: &str, space: &str) -> String {
    match name.strip_prefix('.') {
        Some(rest) => rest.to_owned(),
        None if name.contains('.') || space.is_empty() => name.to_owned(),
        None => format!("{space}.{name}"),
    }
}

/// The namespace of a full name; empty where there is none.
pub(super) fn space_of(full: &str) -> &str {
    full.rsplit_once('.').map_or("", |(space, _)| space)
}

/// A name of somebody else's in a message of ours.
pub(in crate::schema) fn quoted(name: &str) -> String {
    match name.char_indices().nth(QUOTED) {
        Some((end, _)) => format!("`{}…`", Visible(name.get(..end).unwrap_or(name))),
        None => format!("`{}`", Visible(name)),
    }
}
