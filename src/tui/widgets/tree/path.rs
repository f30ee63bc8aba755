//! The jq path of a row: what can be pasted into a filter to get at the same value.

use super::Tree;
use crate::text::push_string;

impl Tree {
    /// The path of a row below the path of the whole text, `.value` or nothing:
    /// `.value.data["a b"][3]`. Of members of one name all have one path, and jq takes the last.
    pub fn path(&self, row: usize, below: &str) -> String {
        let mut steps = Vec::new();
        let mut at = self.node(row);
        while let Some(node) = at {
            let parent = self.index.parent(node);
            if parent.is_some() {
                steps.push(node);
            }
            at = parent.map(|container| self.index.node_of(container));
        }
        let mut path = below.to_owned();
        for &node in steps.iter().rev() {
            match self.index.name(&self.bytes, node) {
                Some(name) => push_name(&mut path, self.bytes.get(name).unwrap_or_default()),
                None => push_index(&mut path, self.index.place(node)),
            }
        }
        if path.is_empty() {
            ".".to_owned()
        } else {
            path
        }
    }
}

/// Appends a member by its name as it stands in the JSON text, with its quotes.
pub(in crate::tui::widgets) fn push_name(path: &mut String, quoted: &[u8]) {
    let raw = quoted.get(1..quoted.len().saturating_sub(1));
    let raw = raw.unwrap_or_default();
    if is_word(raw) {
        path.push('.');
        path.push_str(&String::from_utf8_lossy(raw));
        return;
    }
    // Decoded and written anew: jq knows no escaped slash, and a bare one must not hide in a path.
    let mut out = Vec::new();
    match serde_json::from_slice::<String>(quoted) {
        Ok(name) => push_string(&mut out, &name),
        // Half a surrogate pair: no text can hold it.
        Err(_) => crate::text::push_value(&mut out, quoted),
    }
    if path.is_empty() {
        path.push('.');
    }
    path.push('[');
    path.push_str(&String::from_utf8_lossy(&out));
    path.push(']');
}

pub(in crate::tui::widgets) fn push_index(path: &mut String, place: usize) {
    if path.is_empty() {
        path.push('.');
    }
    path.push('[');
    path.push_str(&place.to_string());
    path.push(']');
}

/// True for a name that may follow a dot.
fn is_word(name: &[u8]) -> bool {
    let starts = name
        .first()
        .is_some_and(|b| b.is_ascii_alphabetic() || *b == b'_');
    starts && name.iter().all(|b| b.is_ascii_alphanumeric() || *b == b'_')
}
