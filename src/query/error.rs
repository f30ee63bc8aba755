//! What is wrong with an expression, and where: drawn with a caret under the token.

use std::fmt;
use std::ops::Range;

use unicode_width::UnicodeWidthChar;

/// An expression that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueryError {
    /// Begins with the flag, for there may be several expressions: `--where: …`.
    pub message: String,
    pub expression: String,
    /// Bytes of the expression that are to blame; empty at the end when something is missing.
    pub span: Option<Range<usize>>,
    pub hint: Option<String>,
}

impl std::error::Error for QueryError {}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        let Some(span) = &self.span else {
            return Ok(());
        };
        let (before, token, after) = self.split(span);
        // Only the line at fault is drawn; an expression may come from a file.
        let before = before.rsplit('\n').next().unwrap_or_default();
        let (token, after) = match token.split_once('\n') {
            Some((first, _)) => (first, ""),
            None => (token, after.split('\n').next().unwrap_or_default()),
        };
        let (before, token, after) = (shown(before), shown(token), shown(after));
        write!(f, "\n  {before}{token}{after}\n  ")?;
        write!(f, "{:indent$}", "", indent = width(&before))?;
        f.write_str(&"^".repeat(width(&token).max(1)))
    }
}

impl QueryError {
    /// The expression before, in and after a span, which is cut to character boundaries.
    fn split(&self, span: &Range<usize>) -> (&str, &str, &str) {
        let floor = |at: usize| {
            let at = at.min(self.expression.len());
            (0..=at)
                .rev()
                .find(|&i| self.expression.is_char_boundary(i))
                .unwrap_or(0)
        };
        let (start, end) = (floor(span.start), floor(span.end.max(span.start)));
        (
            &self.expression[..start],
            &self.expression[start..end],
            &self.expression[end..],
        )
    }
}

/// Control characters would move the caret.
fn shown(text: &str) -> String {
    text.chars()
        .map(|c| if c.width().is_some() { c } else { ' ' })
        .collect()
}

fn width(text: &str) -> usize {
    text.chars().map(|c| c.width().unwrap_or(1)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(expression: &str, span: Range<usize>) -> String {
        QueryError {
            message: "--where: no".to_owned(),
            expression: expression.to_owned(),
            span: Some(span),
            hint: None,
        }
        .to_string()
    }

    #[test]
    fn the_caret_stands_under_the_token() {
        assert_eq!(drawn(".a ==", 5..5), "--where: no\n  .a ==\n       ^");
        assert_eq!(drawn(".a foo", 3..6), "--where: no\n  .a foo\n     ^^^");
    }

    #[test]
    fn wide_and_control_characters_do_not_move_the_caret() {
        assert_eq!(
            drawn("\"日本\"\t~", 9..10),
            "--where: no\n  \"日本\" ~\n         ^"
        );
        assert_eq!(drawn("é", 1..1), "--where: no\n  é\n  ^");
    }

    #[test]
    fn only_the_line_at_fault_is_drawn() {
        assert_eq!(
            drawn(".a |\n  ~ |\n.b", 7..8),
            "--where: no\n    ~ |\n    ^"
        );
        assert_eq!(drawn("[\n1", 0..3), "--where: no\n  [\n  ^");
    }
}
