//! What is wrong with an event: where, by which keyword, in a few words.

use std::fmt::{self, Write};

use jsonschema::ValidationError;
use jsonschema::error::ValidationErrorKind;

use super::tape::{Kind, Part};
use super::view::unescaped;

/// Faults of one event that are kept.
pub const MOST_FAULTS: usize = 16;
/// Letters of a value that are shown.
const LONGEST_VALUE: usize = 80;
/// Letters of a message.
const LONGEST_MESSAGE: usize = 300;
/// Letters of a path.
const LONGEST_PATH: usize = 1024;

/// A place in an event that its schema does not allow.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// JSON pointer into the event, such as `/data/totalAmount`; empty for the whole. At most 1024
    /// characters are kept.
    pub path: String,
    /// The keyword of the schema, such as `type`; empty when the event could not be judged.
    pub keyword: String,
    /// In words, such as `"59.98" is not of type "number"`. Values are cut at 80 characters, the
    /// whole at 300. Characters of the event are as they are: print it by way of `text`.
    pub message: String,
}

/// The first [`MOST_FAULTS`] faults of an event.
#[derive(Debug, Clone, Default)]
pub struct Faults {
    list: Vec<Fault>,
    more: bool,
}

impl Faults {
    pub fn clear(&mut self) {
        self.list.clear();
        self.more = false;
    }

    pub fn list(&self) -> &[Fault] {
        &self.list
    }

    /// True when there were more than are kept.
    pub fn has_more(&self) -> bool {
        self.more
    }

    pub(super) fn push(&mut self, fault: Fault) {
        if self.list.len() < MOST_FAULTS {
            self.list.push(fault);
        } else {
            self.more = true;
        }
    }

    /// The event could not be judged.
    pub(super) fn give_up(&mut self, why: &str) {
        self.push(Fault {
            path: String::new(),
            keyword: String::new(),
            message: why.to_owned(),
        });
    }
}

/// An error of the library, with the value as it is written in the event.
pub(super) fn fault(error: &ValidationError<'_>, text: &str, parts: &[Part]) -> Fault {
    let path = error.instance_path().as_str();
    let value = find(path, text, parts).unwrap_or_default();
    let message = match error.kind() {
        ValidationErrorKind::BacktrackLimitExceeded { .. }
        | ValidationErrorKind::RegexEngineFailure { .. } => {
            let value = shortened(value, LONGEST_VALUE);
            format!("pattern gave up on {value}: it would take too many steps")
        }
        _ => {
            let masked = error.masked_with(shortened(value, LONGEST_VALUE));
            shortened(masked, LONGEST_MESSAGE)
        }
    };
    Fault {
        path: shortened(path, LONGEST_PATH),
        keyword: error.kind().keyword().to_owned(),
        message,
    }
}

/// The text of what a JSON pointer leads to.
fn find<'a>(path: &str, text: &'a str, parts: &[Part]) -> Option<&'a str> {
    let mut at = 0;
    for token in path.split('/').skip(1) {
        let token = token.replace("~1", "/").replace("~0", "~");
        let outer = parts.get(at as usize)?;
        let wanted = token.parse::<u32>();
        let mut index = 0;
        let mut next = at + 1;
        at = loop {
            let part = parts.get(next as usize).filter(|_| next < outer.next)?;
            if outer.kind() == Kind::Object {
                if unescaped(part.of(text)) == token {
                    break next + 1;
                }
                next = parts.get(next as usize + 1)?.next;
            } else {
                if wanted == Ok(index) {
                    break next;
                }
                index += 1;
                next = part.next;
            }
        };
    }
    Some(parts.get(at as usize)?.of(text))
}

/// Its first `most` characters; where there are more, `…` takes the place of the last.
pub(super) fn shortened(what: impl fmt::Display, most: usize) -> String {
    struct Cut {
        text: String,
        left: usize,
    }
    impl Write for Cut {
        fn write_str(&mut self, piece: &str) -> fmt::Result {
            for c in piece.chars() {
                if self.left == 0 {
                    return Err(fmt::Error);
                }
                self.left -= 1;
                self.text.push(c);
            }
            Ok(())
        }
    }
    let mut cut = Cut {
        text: String::new(),
        left: most,
    };
    // Writing is ended where it is enough, not only where it is done.
    if write!(cut, "{what}").is_err() {
        cut.text.pop();
        cut.text.push('…');
    }
    cut.text
}
