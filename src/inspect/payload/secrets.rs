//! Keys and tokens that open something: known by the prefixes that their issuers give them for just
//! this purpose. A password that is only a word cannot be told from other words.

use std::ops::Range;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

/// A prefix, how many characters of its alphabet must follow at least, and what else holds.
struct Kind {
    prefix: &'static str,
    least: usize,
    shape: Shape,
}

/// What follows a prefix.
#[derive(Clone, Copy)]
enum Shape {
    /// Letters, digits, `_` and `-`.
    Word,
    /// Exactly so many capitals and digits.
    Capitals,
    /// A JSON web token: two more parts behind dots.
    Jwt,
    /// The frame of a PEM file that holds a private key.
    Pem,
    /// A URL with a password: `://name:password@`.
    Login,
}

const fn word(prefix: &'static str, least: usize) -> Kind {
    Kind {
        prefix,
        least,
        shape: Shape::Word,
    }
}

/// The formats are documented by those who issue them.
const KINDS: &[Kind] = &[
    Kind {
        prefix: "AKIA",
        least: 16,
        shape: Shape::Capitals,
    },
    Kind {
        prefix: "ASIA",
        least: 16,
        shape: Shape::Capitals,
    },
    word("AIza", 35),
    word("ghp_", 36),
    word("gho_", 36),
    word("ghu_", 36),
    word("ghs_", 36),
    word("ghr_", 36),
    word("github_pat_", 22),
    word("glpat-", 20),
    word("sk_live_", 16),
    word("rk_live_", 16),
    word("xoxb-", 20),
    word("xoxp-", 20),
    word("xapp-", 20),
    word("npm_", 36),
    Kind {
        prefix: "eyJ",
        least: 10,
        shape: Shape::Jwt,
    },
    Kind {
        prefix: "-----BEGIN ",
        least: 0,
        shape: Shape::Pem,
    },
    Kind {
        prefix: "://",
        least: 1,
        shape: Shape::Login,
    },
];

static PREFIXES: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| {
    AhoCorasick::builder()
        .match_kind(MatchKind::LeftmostFirst)
        .build(KINDS.iter().map(|kind| kind.prefix))
        .ok()
});

/// The secrets in a text.
pub(super) fn find(text: &[u8]) -> impl Iterator<Item = Range<usize>> + '_ {
    let prefixes = PREFIXES.as_ref();
    let places = prefixes
        .into_iter()
        .flat_map(move |all| all.find_iter(text));
    places.filter_map(move |found| {
        let kind = KINDS.get(found.pattern().as_usize())?;
        let before = found.start().checked_sub(1).and_then(|i| text.get(i));
        let joined = before.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_');
        let rest = text.get(found.end()..)?;
        let len = match kind.shape {
            Shape::Login => login(rest)?,
            _ if joined => return None,
            Shape::Word => run(rest, kind.least, is_word)?,
            Shape::Capitals => run(rest, kind.least, |b| {
                b.is_ascii_uppercase() || b.is_ascii_digit()
            })
            .filter(|len| *len == kind.least)?,
            Shape::Jwt => token(rest, kind.least)?,
            Shape::Pem => pem(rest)?,
        };
        Some(found.start()..found.end() + len)
    })
}

/// How much of a secret may be shown: what tells its kind.
pub(super) fn shown(secret: &[u8]) -> usize {
    let kind = KINDS
        .iter()
        .find(|kind| secret.starts_with(kind.prefix.as_bytes()));
    kind.map_or(0, |kind| match kind.shape {
        Shape::Pem => secret.len(),
        _ => kind.prefix.len(),
    })
}

const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

fn run(text: &[u8], least: usize, part: impl Fn(u8) -> bool) -> Option<usize> {
    let len = text.iter().take_while(|b| part(**b)).count();
    (len >= least).then_some(len)
}

/// Three parts, the second of which is a JSON object too.
fn token(rest: &[u8], least: usize) -> Option<usize> {
    let head = run(rest, least, is_word)?;
    let body = rest.get(head..)?.strip_prefix(b".eyJ")?;
    let len = run(body, least, is_word)?;
    let signature = body.get(len..)?.strip_prefix(b".")?;
    Some(head + 4 + len + 1 + run(signature, least, is_word)?)
}

fn pem(rest: &[u8]) -> Option<usize> {
    let len = run(rest, 0, |b| b.is_ascii_uppercase() || b == b' ')?;
    let label = rest.get(..len)?;
    let private = label.ends_with(b"PRIVATE KEY") && rest.get(len..)?.starts_with(b"-----");
    private.then_some(len + 5)
}

/// `name:password@`, as the authority of a URL begins.
fn login(rest: &[u8]) -> Option<usize> {
    let part = |b: u8| b.is_ascii_graphic() && !b"/?#@:\"'<>\\{}$*".contains(&b);
    let name = run(rest, 1, part)?;
    let password = rest.get(name..)?.strip_prefix(b":")?;
    let len = run(password, 1, part)?;
    (password.get(len) == Some(&b'@')).then_some(name + 1 + len)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Put together here, so that nobody who looks for secrets in this file finds one.
    fn secrets() -> Vec<String> {
        let long = "a1B2".repeat(12);
        vec![
            format!("AKIA{}", "IOSFODNN7EXAMPLE"),
            format!("ghp_{}", &long[..36]),
            format!("github_pat_{long}"),
            format!("glpat-{}", &long[..20]),
            format!("sk_live_{}", &long[..24]),
            format!("xoxb-{}", &long[..30]),
            format!("eyJ{}.eyJ{}.{}", &long[..20], &long[..30], &long[..40]),
            format!("-----BEGIN {}PRIVATE KEY-----", "RSA "),
            format!("://{}:{}", "ada", "lovelace"),
        ]
    }

    #[test]
    fn secrets_are_found_where_they_stand_in_json() {
        for secret in secrets() {
            let tail = if secret.starts_with("://") {
                "@host/db"
            } else {
                "\""
            };
            let text = format!("{{\"note\":\"key: {secret}{tail}}}");
            let found: Vec<_> = find(text.as_bytes()).map(|range| &text[range]).collect();
            assert_eq!(found, [secret.as_str()], "{text}");
        }
    }

    #[test]
    fn what_is_shown_tells_the_kind_alone() {
        assert_eq!(shown(b"AKIAIOSFODNN7EXAMPLE"), 4);
        assert_eq!(shown(b"://ada:lovelace"), 3);
    }

    #[test]
    fn what_only_looks_like_one_is_none() {
        for text in [
            "https://example.com/a:b@c",
            "http://host:8080/x",
            "http://${USER}:${PASS}@host",
            "AKIA AKIAxxxxxxxxxxxxxxxx MAKIAIOSFODNN7EXAMPLE",
            "AKIAIOSFODNN7EXAMPLETOOLONG",
            "ghp_short sk_live_",
            "eyJhbGciOi.x.y eyJhbGciOiJIUzI1NiJ9",
            "-----BEGIN CERTIFICATE-----",
            "-----BEGIN PUBLIC KEY-----",
        ] {
            assert_eq!(find(text.as_bytes()).count(), 0, "{text}");
        }
    }
}
