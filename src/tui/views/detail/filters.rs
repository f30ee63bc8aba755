//! Conditions of jq made of a value on the screen, and how they join the filter in force.

use crate::event::Headers;
use crate::text::push_string;

/// Longer values are not put into a filter: nobody could read it.
const LONGEST: usize = 1024;

/// A condition on one path.
#[derive(Debug, PartialEq, Eq)]
pub struct Condition {
    path: String,
    /// As jq writes it.
    value: String,
}

impl Condition {
    /// Of a value as it stands in its JSON text.
    pub fn of_json(path: String, raw: &[u8]) -> Result<Self, String> {
        if raw.len() > LONGEST {
            return Err("the value is too long for a filter".to_owned());
        }
        let value = match raw.first() {
            Some(b'{' | b'[') => return Err("choose a value; this is a branch".to_owned()),
            Some(b'"') => {
                // Written anew: JSON knows escapes that jq does not.
                let text: String = serde_json::from_slice(raw)
                    .map_err(|_| "the text has half a character; jq cannot hold it".to_owned())?;
                quoted(&text)
            }
            _ => String::from_utf8_lossy(raw).into_owned(),
        };
        Ok(Self { path, value })
    }

    /// Of a header by its number.
    pub fn of_header(headers: Headers<'_>, number: usize) -> Result<Self, String> {
        let (name, value) = headers
            .iter()
            .nth(number)
            .ok_or("there is no header here")?;
        if headers.iter().filter(|(other, _)| *other == name).count() > 1 {
            return Err("the header stands there more than once".to_owned());
        }
        let text = |bytes| str::from_utf8(bytes).map_err(|_| "the header is binary".to_owned());
        let value = value.map(text).transpose()?;
        if name.len() + value.map_or(0, str::len) > LONGEST {
            return Err("the header is too long for a filter".to_owned());
        }
        Ok(Self {
            path: format!(".headers[{}]", quoted(text(name)?)),
            value: value.map_or_else(|| "null".to_owned(), quoted),
        })
    }

    /// As it stands in a filter.
    pub fn text(&self, equal: bool) -> String {
        let sign = if equal { "==" } else { "!=" };
        format!("{} {sign} {}", self.path, self.value)
    }
}

fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    push_string(&mut out, text);
    String::from_utf8_lossy(&out).into_owned()
}

/// Joins a condition to a filter; `None` when the filter is not of jq, so that it must be replaced.
/// The last condition of the filter goes when it is the same or its opposite.
pub fn join(before: &str, condition: &Condition, equal: bool) -> Option<String> {
    let mut before = before.trim();
    // A comment would swallow what stands behind it.
    if !before.starts_with(['.', '(']) || before.contains('#') {
        return None;
    }
    for same in [condition.text(true), condition.text(false)] {
        if before == same {
            return Some(condition.text(equal));
        }
        if let Some(rest) = before.strip_suffix(&same) {
            before = rest.strip_suffix(" and ").unwrap_or(before);
        }
    }
    let condition = condition.text(equal);
    if is_plain(before) {
        Some(format!("{before} and {condition}"))
    } else {
        Some(format!("({before}) and {condition}"))
    }
}

/// True when `and` can follow without parentheses, what stands in quotes or parentheses aside. In
/// doubt it is not.
fn is_plain(filter: &str) -> bool {
    let (mut quoted, mut escaped, mut depth) = (false, false, 0usize);
    let mut outside = String::new();
    for c in filter.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            _ if quoted => {}
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ if depth == 0 => outside.push(c),
            _ => {}
        }
    }
    let words = ["or", "as", "if", "def", "reduce", "foreach", "label", "try"];
    let loose = outside.contains(['|', ',', '/', ';', '\n', '\t']) || filter.contains("\\(");
    !quoted && depth == 0 && !loose && !outside.split(' ').any(|word| words.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::HeaderBuf;
    use crate::query::FilterText;

    #[test]
    fn a_condition_compares_what_stands_there() {
        for (raw, text) in [
            (&br#""PAID""#[..], r#".value.a == "PAID""#),
            (br#""a\/b\"c""#, r#".value.a == "a/b\"c""#),
            (br#""\\(1)""#, r#".value.a == "\\(1)""#),
            (b"1.50", ".value.a == 1.50"),
            (b"null", ".value.a == null"),
            (b"true", ".value.a == true"),
        ] {
            let condition = Condition::of_json(".value.a".to_owned(), raw).unwrap();
            assert_eq!(condition.text(true), text);
            assert!(FilterText::parse(text).is_ok(), "{text}");
        }
        for raw in [&b"{}"[..], b"[1]", br#""\ud800""#] {
            assert!(Condition::of_json(".value".to_owned(), raw).is_err());
        }
        let long = format!("\"{}\"", "x".repeat(2000));
        assert!(Condition::of_json(".value".to_owned(), long.as_bytes()).is_err());
    }

    #[test]
    fn a_header_is_compared_where_it_stands_once() {
        let mut block = HeaderBuf::default();
        for (name, value) in [
            ("type", Some(&b"a\"b"[..])),
            ("none", None),
            ("twice", Some(b"1")),
            ("twice", Some(b"2")),
            ("bytes", Some(b"\xff")),
        ] {
            block.push(name.as_bytes(), value);
        }
        let text = |number| {
            let condition = Condition::of_header(block.as_headers(), number);
            condition.map(|c| c.text(false))
        };
        assert_eq!(text(0).unwrap(), r#".headers["type"] != "a\"b""#);
        assert_eq!(text(1).unwrap(), r#".headers["none"] != null"#);
        for number in [2, 3, 4, 5] {
            assert!(text(number).is_err());
        }
    }

    #[test]
    fn a_condition_joins_a_filter_of_jq_and_no_other() {
        let condition = Condition::of_json(".value.b".to_owned(), br#""x|y""#).unwrap();
        for (before, joined) in [
            (
                ".value.a > 1",
                Some(r#".value.a > 1 and .value.b == "x|y""#),
            ),
            (
                r#".a == "p or q" and .b != 2"#,
                Some(r#".a == "p or q" and .b != 2 and .value.b == "x|y""#),
            ),
            (".a or .b", Some(r#"(.a or .b) and .value.b == "x|y""#)),
            (
                ".items | length > 2",
                Some(r#"(.items | length > 2) and .value.b == "x|y""#),
            ),
            (
                "(.a or .b) and .c",
                Some(r#"(.a or .b) and .c and .value.b == "x|y""#),
            ),
            (r#".value.b == "x|y""#, Some(r#".value.b == "x|y""#)),
            (r#".value.b != "x|y""#, Some(r#".value.b == "x|y""#)),
            (
                r#".a and .value.b != "x|y""#,
                Some(r#".a and .value.b == "x|y""#),
            ),
            ("paid", None),
            (".a # == 1", None),
        ] {
            assert_eq!(join(before, &condition, true).as_deref(), joined);
            if let Some(joined) = joined {
                assert!(FilterText::parse(joined).is_ok(), "{joined}");
            }
        }
    }
}
