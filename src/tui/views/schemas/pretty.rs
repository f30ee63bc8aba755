//! A schema as lines: JSON with one member a line, whatever it was registered as, so that what
//! differs between two versions is what was changed. The order of the members stays.

use crate::schema::{Language, Source};
use crate::text::{JsonText, Visit};

/// Blanks of a level.
const STEP: usize = 2;

/// The lines of a schema, at most so many.
pub fn pretty(source: &Source, most: usize) -> Vec<String> {
    if source.language != Language::Protobuf {
        let mut made = Pretty {
            text: source.text.as_bytes(),
            lines: Vec::new(),
            open: Vec::new(),
            name: None,
            most,
        };
        if JsonText::walk(source.text.as_bytes(), &mut made).is_some() {
            return made.lines;
        }
    }
    source.text.lines().take(most).map(str::to_owned).collect()
}

struct Pretty<'t> {
    text: &'t [u8],
    lines: Vec<String>,
    /// The containers that are open, and whether something stands in them.
    open: Vec<bool>,
    name: Option<String>,
    most: usize,
}

impl Pretty<'_> {
    /// Begins the line of a value.
    fn begin(&mut self) {
        if let Some(some) = self.open.last_mut()
            && std::mem::replace(some, true)
            && let Some(last) = self.lines.last_mut()
        {
            last.push(',');
        }
        let mut line = " ".repeat(STEP * self.open.len());
        if let Some(name) = self.name.take() {
            line.push('"');
            line.push_str(&name);
            line.push_str("\": ");
        }
        self.line(line);
    }

    fn line(&mut self, line: String) {
        if self.lines.len() < self.most {
            self.lines.push(line);
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        if let Some(last) = self.lines.last_mut() {
            last.push_str(&String::from_utf8_lossy(bytes));
        }
    }
}

impl Visit for Pretty<'_> {
    fn name(&mut self, name: &[u8]) {
        self.name = Some(String::from_utf8_lossy(name).into_owned());
    }

    fn open(&mut self, _: usize, object: bool) {
        self.begin();
        self.append(if object { b"{" } else { b"[" });
        self.open.push(false);
    }

    fn close(&mut self, end: usize) {
        let some = self.open.pop().unwrap_or_default();
        if some {
            self.line(" ".repeat(STEP * self.open.len()));
        }
        let bracket = self.text.get(end.saturating_sub(1)..end);
        self.append(bracket.unwrap_or_default());
    }

    fn scalar(&mut self, start: usize, end: usize) {
        self.begin();
        let text = self.text;
        self.append(text.get(start..end).unwrap_or_default());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(language: Language, text: &str) -> Vec<String> {
        let source = Source {
            language,
            text: text.to_owned(),
            references: Vec::new(),
        };
        pretty(&source, 100)
    }

    #[test]
    fn json_has_a_member_a_line_in_its_own_order() {
        let text = r#"{"b":{"x":[1,"y\n"]},"a":[],"c":{}}"#;
        let expected = [
            "{",
            "  \"b\": {",
            "    \"x\": [",
            "      1,",
            "      \"y\\n\"",
            "    ]",
            "  },",
            "  \"a\": [],",
            "  \"c\": {}",
            "}",
        ];
        assert_eq!(lines(Language::Json, text), expected);
        assert_eq!(lines(Language::Avro, "\"string\""), ["\"string\""]);
    }

    #[test]
    fn other_texts_keep_their_lines() {
        let proto = "syntax = \"proto3\";\nmessage A {}";
        assert_eq!(
            lines(Language::Protobuf, proto),
            ["syntax = \"proto3\";", "message A {}"]
        );
        assert_eq!(lines(Language::Json, "{no"), ["{no"]);
    }
}
