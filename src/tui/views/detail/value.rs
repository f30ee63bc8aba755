//! The tab of the value: a tree of JSON, wrapped text, a dump of bytes, or words.

use std::sync::Arc;
use std::time::Duration;

use super::known::Told;
use super::rows::Scroll;
use super::wrapped::Wrapped;
use crate::event::{Content, Decoded, Decoding, EventRef, Format};
use crate::schema::Decoder;
use crate::text::{JsonText, human};
use crate::tui::widgets::hex::{self, Hex, Section};
use crate::tui::widgets::tree::{Tree, TreeFault};

/// The width that a text is wrapped to before its place is known.
const COLUMNS: usize = 80;

/// What is shown of a value.
pub enum Value {
    /// A thread is reading it.
    Working,
    Tree(TreeView),
    Text {
        /// Why it is not what was expected.
        note: Option<String>,
        text: Wrapped,
        /// Where it stopped being JSON.
        fault: Option<usize>,
    },
    Bytes {
        note: String,
        dump: Dump,
    },
    Words(&'static str),
}

impl Value {
    /// Says why it is not what was expected, where nothing is said yet.
    fn remark(&mut self, why: &str) {
        match self {
            Self::Text { note, text, fault } => {
                *note = Some(why.to_owned());
                if begins_as_json(text.bytes()) {
                    *fault = JsonText::parse(text.bytes()).err().map(|fault| fault.at);
                }
            }
            Self::Bytes { note, .. } => *note = format!("{note}; {why}"),
            Self::Working | Self::Tree(_) | Self::Words(_) => {}
        }
    }
}

/// A tree and where a person stands in it.
pub struct TreeView {
    pub tree: Tree,
    pub scroll: Scroll,
}

impl TreeView {
    pub fn step(&mut self, by: isize) {
        self.scroll.step(by, self.tree.len());
    }

    /// Closes the branch, or goes to the one that it stands in.
    pub fn left(&mut self) {
        let at = self.scroll.at;
        if self.tree.is_open(at) == Some(true) {
            self.tree.set_open(at, false);
        } else if let Some(parent) = self.tree.parent(at) {
            self.scroll.at = parent;
        }
    }

    /// Opens the branch, or goes into it.
    pub fn right(&mut self) {
        let at = self.scroll.at;
        match self.tree.is_open(at) {
            Some(false) => {
                self.tree.set_open(at, true);
            }
            Some(true) => self.step(1),
            None => {}
        }
    }

    /// Closes or opens all; false when it was too much to open.
    pub fn all(&mut self, open: bool) -> bool {
        let byte = self.tree.span(self.scroll.at).map_or(0, |s| s.start);
        let whole = if open {
            self.tree.expand_all()
        } else {
            self.tree.collapse_all();
            true
        };
        self.scroll.at = self.tree.row_at(byte);
        whole
    }

    /// Puts the cursor on the row that it had in another tree, where the path is the same.
    pub fn like(&mut self, row: usize, path: &str) {
        if row < self.tree.len() && self.tree.path(row, "") == path {
            self.scroll.at = row;
        }
    }
}

/// A dump and its first row on the screen.
pub struct Dump {
    pub hex: Hex,
    pub top: usize,
    /// Bytes a row.
    pub per_row: usize,
}

impl Dump {
    pub fn new(sections: Vec<Section>) -> Self {
        Self {
            hex: Hex::new(sections),
            top: 0,
            per_row: 16,
        }
    }

    pub fn step(&mut self, by: isize) {
        let motion = match by {
            isize::MIN => hex::Motion::First,
            isize::MAX => hex::Motion::Last,
            _ if by < 0 => hex::Motion::Up(by.unsigned_abs()),
            _ => hex::Motion::Down(by.unsigned_abs()),
        };
        self.hex.go(motion, self.per_row);
    }

    pub fn settle(&mut self, columns: usize, height: usize) {
        self.per_row = hex::per_row(columns);
        let height = height.max(1);
        let len = self.hex.len(self.per_row);
        if let Some(place) = self.hex.cursor() {
            let row = self.hex.row_of(place, self.per_row);
            // The title of a section comes into sight with its first row.
            let first = if place.at < self.per_row && height > 1 {
                row.saturating_sub(1)
            } else {
                row
            };
            self.top = self.top.min(first).max((row + 1).saturating_sub(height));
        }
        self.top = self.top.min(len.saturating_sub(height));
    }
}

/// Reads a value by its schema, or by what it says of itself, and tells how.
pub fn read(
    decoder: &Decoder,
    event: &EventRef<'_>,
    bytes: Option<Arc<[u8]>>,
    now: Duration,
) -> (Value, Told) {
    let mut reader = decoder.reader();
    let explained = reader.explain(event);
    let told = Told::of(&explained, now);
    let mut value = match decoder.plain() {
        Some(Decoding { value, .. }) => open(bytes, value),
        None => decoded(&explained.seen.value, bytes),
    };
    if let Value::Tree(view) = &mut value {
        let paths = told.faults.iter().map(|fault| fault.path.as_str());
        view.tree.set_faults(paths);
    }
    (value, told)
}

fn decoded(content: &Content<'_>, bytes: Option<Arc<[u8]>>) -> Value {
    let (data, format) = match content.data {
        Decoded::Null => return open(None, Format::Auto),
        Decoded::Json(json) => (json.as_bytes(), Format::Json),
        Decoded::Text(text) => (text.as_bytes(), Format::Text),
        Decoded::Binary(bytes) => (bytes, Format::Binary),
    };
    // What the bytes are themselves is shared with the other tabs.
    let own = bytes.filter(|bytes| **bytes == *data);
    let mut value = open(Some(own.unwrap_or_else(|| data.into())), format);
    if let Some(refused) = content.refused {
        value.remark(&refused.to_string());
    }
    value
}

/// Reads a value. Of many megabytes it takes some time.
pub fn open(bytes: Option<Arc<[u8]>>, format: Format) -> Value {
    let Some(bytes) = bytes else {
        return Value::Words("A tombstone: there is no value (null). Compaction deletes its key.");
    };
    if bytes.is_empty() {
        return Value::Words("The value is empty: no bytes, which is not null.");
    }
    let json = match format {
        Format::Auto => JsonText::may_be(&bytes),
        Format::Json => true,
        Format::Text | Format::Binary => false,
    };
    let mut note = None;
    let mut fault = None;
    if json {
        match Tree::open(bytes.clone()) {
            Ok(tree) => {
                return Value::Tree(TreeView {
                    tree,
                    scroll: Scroll::default(),
                });
            }
            Err(TreeFault::NotJson(reason)) => {
                if format == Format::Json || begins_as_json(&bytes) {
                    note = Some(format!("not JSON: {reason}"));
                    fault = Some(reason.at);
                }
            }
            Err(other) => note = Some(format!("no tree: {other}")),
        }
    }
    text_or_bytes(bytes, format, note, fault)
}

fn text_or_bytes(
    bytes: Arc<[u8]>,
    format: Format,
    note: Option<String>,
    fault: Option<usize>,
) -> Value {
    let why = match str::from_utf8(&bytes) {
        Ok(_) if format == Format::Binary => "shown as bytes, as was asked".to_owned(),
        Ok(_) => {
            return Value::Text {
                note,
                text: Wrapped::new(bytes, COLUMNS),
                fault,
            };
        }
        Err(error) => format!("binary: not UTF-8 at byte {}", error.valid_up_to()),
    };
    let why = note.unwrap_or(why);
    let note = format!("{why} ({})", human::size(bytes.len() as u64));
    let section = Section {
        title: "value".to_owned(),
        bytes: Some(bytes),
    };
    Value::Bytes {
        note,
        dump: Dump::new(vec![section]),
    }
}

fn begins_as_json(bytes: &[u8]) -> bool {
    let first = bytes.iter().find(|b| !b.is_ascii_whitespace());
    matches!(first, Some(b'{' | b'['))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(bytes: Option<&[u8]>, format: Format) -> String {
        match open(bytes.map(Arc::from), format) {
            Value::Working => "working".to_owned(),
            Value::Tree(view) => format!("tree {}", view.tree.len()),
            Value::Text { note, fault, .. } => {
                format!("text {} {fault:?}", note.unwrap_or_default())
            }
            Value::Bytes { note, .. } => format!("bytes {note}"),
            Value::Words(words) => words.to_owned(),
        }
    }

    #[test]
    fn a_value_is_shown_as_what_it_is() {
        for (bytes, format, expected) in [
            (None, Format::Auto, "A tombstone"),
            (Some(&b""[..]), Format::Auto, "The value is empty"),
            (Some(b"{\"a\":[1,2]}"), Format::Auto, "tree 4"),
            (Some(b"12"), Format::Auto, "tree 1"),
            (Some(b"12 apples"), Format::Auto, "text  None"),
            (
                Some(b"{\"a\":"),
                Format::Auto,
                "text not JSON: the text ends early at byte 5 Some(5)",
            ),
            (Some(b"{\"a\":1}"), Format::Text, "text  None"),
            (
                Some(b"hello"),
                Format::Json,
                "text not JSON: expected a value",
            ),
            (
                Some(b"ab\xff"),
                Format::Auto,
                "bytes binary: not UTF-8 at byte 2 (3 B)",
            ),
            (Some(b"{\"\xff"), Format::Auto, "bytes not JSON: "),
            (
                Some(b"ab"),
                Format::Binary,
                "bytes shown as bytes, as was asked (2 B)",
            ),
        ] {
            let told = told(bytes, format);
            assert!(told.starts_with(expected), "{told}");
        }
    }
}
