//! What the TOML parser says, turned into a message for a person: with line and column, a guess at
//! what was meant, and without the values that the parser quotes, since they can be secrets.

use std::path::Path;

use super::{ConfigError, did_you_mean};

/// An error of the parser in the config file.
pub(super) fn describe(error: &toml::de::Error, text: &str, path: &Path) -> ConfigError {
    let told = describe_toml(error, text, path);
    if told.hint.is_some() {
        return told;
    }
    told.hint("correct that line; `evtap config check` tells when the file reads")
}

/// An error of the parser with its place, without the source line that its own text quotes. A hint
/// is there only where it can be guessed what was meant.
pub fn describe_toml(error: &toml::de::Error, text: &str, path: &Path) -> ConfigError {
    let place = match error.span() {
        Some(span) => {
            let (line, column) = line_and_column(text, span.start);
            format!("{}:{line}:{column}", path.display())
        }
        None => path.display().to_string(),
    };
    let message = without_value(error.message());
    let out = ConfigError::new(format!("{place}: {message}"));
    match guess_field(&message) {
        Some(guess) => out.hint(format!("did you mean {guess}?")),
        None => out,
    }
}

/// Line and column of a byte offset, both from 1, the column in characters.
pub fn line_and_column(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |i| i + 1);
    (line, before[start..].chars().count() + 1)
}

/// serde quotes the value that it found where it expected something else; only its kind is kept.
fn without_value(message: &str) -> String {
    let message = message.replace('\n', ", ");
    let Some(found) = message
        .strip_prefix("invalid type: ")
        .or_else(|| message.strip_prefix("invalid value: "))
    else {
        return message;
    };
    let kind = found.split(['"', '`', ',']).next().unwrap_or_default();
    match found.rsplit_once(", expected ") {
        Some((_, expected)) => format!("found {}, expected {expected}", kind.trim()),
        None => format!("found {}", kind.trim()),
    }
}

/// Reads "unknown field `a`, expected one of `b`, `c`" as serde writes it.
fn guess_field(message: &str) -> Option<String> {
    let mut quoted = message
        .strip_prefix("unknown field ")?
        .split('`')
        .skip(1)
        .step_by(2);
    let wrong = quoted.next()?;
    did_you_mean(wrong, quoted).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    fn said(text: &str) -> String {
        let error = Config::parse(text, Path::new("c.toml")).unwrap_err();
        format!("{} | {}", error.message, error.hint.unwrap_or_default())
    }

    #[test]
    fn mistakes_are_told_with_line_and_column() {
        let unknown = said("[contexts.a]\nurl = 'kafka://h'\nreadonly = true\n");
        assert!(
            unknown.starts_with("c.toml:3:1: unknown field `readonly`"),
            "{unknown}"
        );
        assert!(unknown.ends_with("did you mean read_only?"), "{unknown}");
        let syntax = said("[contexts.a]\nurl = \n");
        assert!(syntax.starts_with("c.toml:2:"), "{syntax}");
        assert!(said("[contexts.a]\nenv = 'x'").contains("missing field `url`"));
        assert!(said("[contexts.'a/b']\nurl = 'x'").contains("'a/b' cannot be"));
        assert!(said("[contexts.a]\nurl='x'\nread_only='yes'").contains("expected a boolean"));
    }

    #[test]
    fn a_name_with_dots_that_is_not_quoted_is_explained() {
        let text = "[contexts.a]\nurl='x'\n[contexts.a.properties]\nsasl.password='hush'\n";
        let said = said(text);
        assert!(said.contains("stands in quotes"), "{said}");
        assert!(!said.contains("hush"), "{said}");
    }

    #[test]
    fn errors_do_not_quote_secrets() {
        for line in [
            "properties = 'hush'",
            "properties = { 'sasl.password' = ['hush'] }",
            "properties = { 'sasl.password' = { command = 'hush' } }",
            "properties = { 'sasl.password' = 'hush' ",
            "properties = { 'sasl.password' = 'hush }",
            "read_only = 'hush'",
        ] {
            let said = said(&format!("[contexts.a]\nurl='x'\n{line}\n"));
            assert!(said.starts_with("c.toml:"), "{said}");
            assert!(!said.contains("hush"), "{said}");
        }
    }
}
