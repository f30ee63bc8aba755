//! The colours of the command line, by meaning. What is painted has been made safe before, so
//! that the only escape sequences in an output are these.

/// A style by its parameters of the SGR sequence; 16 colours, so that the terminal's theme rules.
#[derive(Debug, Clone, Copy)]
pub struct Style(&'static str);

/// What can be overlooked: times, headers.
pub const MUTED: Style = Style("2");
/// Where an event stands.
pub const PLACE: Style = Style("36");
pub const KEY: Style = Style("33");
/// Words of ours in the place of data: a tombstone.
pub const WORD: Style = Style("2;3");
/// Titles of columns.
pub const TITLE: Style = Style("1");

impl Style {
    pub const fn of(parameters: &'static str) -> Self {
        Self(parameters)
    }

    /// Appends what `write` appends, in this style when `on`.
    pub fn paint(self, out: &mut Vec<u8>, on: bool, write: impl FnOnce(&mut Vec<u8>)) {
        if !on {
            write(out);
            return;
        }
        out.extend_from_slice(b"\x1b[");
        out.extend_from_slice(self.0.as_bytes());
        out.push(b'm');
        write(out);
        out.extend_from_slice(b"\x1b[0m");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paint_ends_what_it_begins_and_is_silent_when_off() {
        let mut out = Vec::new();
        KEY.paint(&mut out, true, |out| out.push(b'k'));
        KEY.paint(&mut out, false, |out| out.push(b'k'));
        assert_eq!(out, b"\x1b[33mk\x1b[0mk");
    }
}
