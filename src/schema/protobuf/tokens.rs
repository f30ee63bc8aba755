//! The words, strings and signs of a `.proto` text, as far as its size and its edition are to be
//! looked at before it is parsed.

use std::ops::Range;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// A name or a number.
    Word(&'a str),
    /// With its quotes.
    Text(&'a str),
    Sign(u8),
}

/// Goes over a text; comments and white space are left out. Never fails: what is no token of the
/// language is a sign.
#[derive(Debug, Clone)]
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Tokens<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Skips white space and comments.
    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let length = match rest {
                [b'/', b'*', rest @ ..] => memchr::memmem::find(rest, b"*/").map(|at| at + 4),
                [b'/', b'/', ..] | [b'#', ..] => memchr::memchr(b'\n', rest),
                [byte, ..] if byte.is_ascii_whitespace() || *byte == 0x0b => Some(1),
                _ => return,
            };
            self.at += length.unwrap_or(rest.len());
        }
    }
}

impl<'a> Iterator for Tokens<'a> {
    type Item = (Token<'a>, Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        self.skip();
        let rest = self.rest();
        let is_word = |b: &u8| b.is_ascii_alphanumeric() || *b == b'_';
        let first = *rest.first()?;
        let words = rest.iter().take_while(|b| is_word(b)).count();
        let length = match first {
            b'"' | b'\'' => string(rest),
            _ => words.max(1),
        };
        let range = self.at..self.at + length;
        self.at = range.end;
        let token = match self.text.get(range.clone()) {
            Some(text) if words > 0 => Token::Word(text),
            Some(text) if matches!(first, b'"' | b'\'') => Token::Text(text),
            _ => Token::Sign(first),
        };
        Some((token, range))
    }
}

/// How long the string at the beginning is, quotes included. It ends at its line's end at last.
fn string(rest: &[u8]) -> usize {
    let mut at = 1;
    while let Some(&byte) = rest.get(at) {
        match byte {
            b'\n' => return at,
            b'\\' if rest.get(at + 1).is_some_and(|b| *b != b'\n') => at += 2,
            _ if Some(&byte) == rest.first() => return at + 1,
            _ => at += 1,
        }
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_strings_hide_what_is_in_them() {
        let text = "a{ // { \n/* { */ \"}\\\"{\" # {\n 'x\ny é } /* open";
        let tokens: Vec<_> = Tokens::new(text).map(|(token, _)| token).collect();
        assert_eq!(
            tokens,
            [
                Token::Word("a"),
                Token::Sign(b'{'),
                Token::Text("\"}\\\"{\""),
                Token::Text("'x"),
                Token::Word("y"),
                Token::Sign(0xc3),
                Token::Sign(0xa9),
                Token::Sign(b'}'),
            ]
        );
        for (token, range) in Tokens::new(text) {
            if let Token::Word(word) | Token::Text(word) = token {
                assert_eq!(text.get(range), Some(word));
            }
        }
    }
}
