//! From the text of an expression to its parsed form, and what to say when there is none.

use std::ops::Range;

use jaq_core::load::lex::{self, Lexer, Token};
use jaq_core::load::parse::{self, Parser, Term};

use crate::query::QueryError;

/// Longer expressions are refused: the parser recurses.
const MAX_TEXT: usize = 64 * 1024;
/// Brackets in brackets; the lexer recurses on them.
const MAX_BRACKETS: usize = 256;
/// Tokens of an expression; each may be a level of its tree.
pub(super) const MAX_TOKENS: usize = 10_000;

/// What is wrong, in an expression that is named elsewhere.
#[derive(Debug)]
pub(crate) struct Fault {
    pub message: String,
    pub span: Option<Range<usize>>,
    pub hint: Option<String>,
}

impl Fault {
    /// The error of an expression that was given with a flag.
    pub(crate) fn of(self, flag: &str, expression: &str) -> QueryError {
        QueryError {
            message: format!("{flag}: {}", self.message),
            expression: expression.to_owned(),
            span: self.span,
            hint: self.hint,
        }
    }

    fn at(message: impl Into<String>, span: Range<usize>) -> Self {
        Self {
            message: message.into(),
            span: Some(span),
            hint: None,
        }
    }
}

/// The place of a part of the text in the text; `None` when it is none of it.
pub(super) fn span(text: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(text.as_ptr().addr())?;
    (start + part.len() <= text.len()).then(|| start..start + part.len())
}

/// Parses an expression. Must run on a large stack: see [`super::on_a_large_stack`].
pub(super) fn parse(text: &str) -> Result<Term<&str>, Fault> {
    if text.len() > MAX_TEXT {
        let message = format!("an expression has at most {MAX_TEXT} bytes");
        return Err(Fault::at(message, 0..1));
    }
    if let Some(at) = too_nested(text) {
        return Err(Fault::at("nested too deeply", at..at + 1));
    }
    let tokens = Lexer::new(text)
        .lex()
        .map_err(|errors| lexical(text, &errors))?;
    if count(&tokens) > MAX_TOKENS {
        let message = format!("an expression has at most {MAX_TOKENS} words");
        return Err(Fault::at(message, 0..1));
    }
    Parser::new(&tokens)
        .parse(Parser::term)
        .map_err(|errors| grammatical(text, &errors))
}

/// Where a term assigns with `=`, outside of brackets.
pub(super) fn assignment(text: &str, term: &Term<&str>) -> Option<Range<usize>> {
    if !matches!(term, Term::BinOp(_, parse::BinaryOp::Assign, _)) {
        return None;
    }
    let tokens = Lexer::new(text).lex().ok()?;
    let sign = tokens.iter().find(|token| token.0 == "=")?;
    span(text, sign.0)
}

/// Where the brackets are nested too deeply; those in strings count too, to be simple.
fn too_nested(text: &str) -> Option<usize> {
    let mut depth = 0usize;
    text.bytes().position(|byte| {
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            _ => {}
        }
        depth > MAX_BRACKETS
    })
}

fn count(tokens: &[Token<&str>]) -> usize {
    let inner = |token: &Token<&str>| match &token.1 {
        lex::Tok::Block(tokens) => count(tokens),
        lex::Tok::Str(parts) => parts
            .iter()
            .map(|part| match part {
                lex::StrPart::Term(Token(_, lex::Tok::Block(tokens))) => count(tokens),
                _ => 1,
            })
            .sum(),
        _ => 0,
    };
    tokens.iter().map(|token| 1 + inner(token)).sum()
}

fn lexical(text: &str, errors: &[lex::Error<&str>]) -> Fault {
    // Unclosed brackets are said of the innermost, which is what is missing first.
    let Some((expected, rest)) = errors.first() else {
        return Fault::at("not a jq expression", 0..0);
    };
    let start = span(text, rest).map_or(text.len(), |s| s.start);
    let len = rest.chars().next().map_or(0, char::len_utf8);
    match expected {
        lex::Expect::Delim(open) => {
            let opened = span(text, open).unwrap_or(start..start);
            Fault::at(format!("{} is missing", expected.as_str()), opened)
        }
        lex::Expect::Token => {
            let mut fault = match rest.chars().next() {
                Some(c) => Fault::at(format!("unexpected {c:?}"), start..start + len),
                None => Fault::at("unexpected end", start..start),
            };
            fault.hint = hint(&rest[..len]);
            fault
        }
        other => Fault::at(format!("expected {}", other.as_str()), start..start + len),
    }
}

fn grammatical(text: &str, errors: &[parse::TError<'_, &str>]) -> Fault {
    let Some((expected, found)) = errors.first() else {
        return Fault::at("not a jq expression", 0..0);
    };
    let Some(found) = found else {
        let message = format!("unexpected end: expected {}", expected.as_str());
        let mut fault = Fault::at(message, text.len()..text.len());
        if text.trim().is_empty() {
            fault.hint = Some("an expression is, for instance, .value.amount > 500".to_owned());
        }
        return fault;
    };
    let at = span(text, found.as_str()).unwrap_or(0..0);
    let token = match found.1 {
        // Of a block only the bracket that opens it is to blame.
        lex::Tok::Block(_) => at.start..at.start + 1,
        _ => at,
    };
    let message = match expected {
        parse::Expect::Nothing => "unexpected token".to_owned(),
        other => format!("unexpected token: expected {}", other.as_str()),
    };
    let mut fault = Fault::at(message, token);
    let first = text.split_whitespace().next().unwrap_or_default();
    fault.hint = hint(found.as_str()).or_else(|| hint(first));
    fault
}

/// What people write who think of another language.
fn hint(token: &str) -> Option<String> {
    let hint = match token {
        "=" | "===" => "compare with ==",
        "&&" | "&" => "jq says `and`",
        "||" => "jq says `or`",
        "'" => "jq's strings stand in double quotes",
        "!" => "jq says `not` behind a pipe: .a | not",
        "import" | "include" | "module" => "modules are not available: an expression stands alone",
        _ => return None,
    };
    Some(hint.to_owned())
}
