//! Text in XML, as reports for CI servers need it.

use std::fmt::{self, Write};

/// Text for XML: markup is escaped, and what XML 1.0 cannot hold or a terminal would obey is shown
/// by its number.
pub struct Xml<'a>(pub &'a str);

impl fmt::Display for Xml<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for c in self.0.chars() {
            match c {
                '<' => f.write_str("&lt;")?,
                '>' => f.write_str("&gt;")?,
                '&' => f.write_str("&amp;")?,
                '"' => f.write_str("&quot;")?,
                '\n' => f.write_char(c)?,
                c if crate::text::is_hostile(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {
                    write!(f, "\\u{{{:04x}}}", u32::from(c))?;
                }
                c => f.write_char(c)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_xml_cannot_hold_is_shown_by_its_number() {
        let shown = Xml("a<b>&\"\u{1b}[2J\u{202e}\u{ffff}\nz").to_string();
        assert_eq!(
            shown,
            "a&lt;b&gt;&amp;&quot;\\u{001b}[2J\\u{202e}\\u{ffff}\nz"
        );
    }
}
