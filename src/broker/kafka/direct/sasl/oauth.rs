//! OAUTHBEARER (RFC 7628): tokens, held until shortly before they end, and the messages they
//! travel in. Where tokens come from is `unsecured`'s and `oidc`'s business.

use std::time::Duration;

use rdkafka::types::RDKafkaErrorCode as Code;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::super::super::error::Failure;
use super::super::super::own::{TOKEN, TokenSource};
use super::oidc::{self, Endpoint};
use super::unsecured::Unsecured;

pub(in crate::broker::kafka) const TOKEN_HINT: &str = "is the token still valid, and for this cluster? Check evtap.sasl.oauthbearer.token, or \
     sasl.oauthbearer.scope and what goes with it";
/// The part of a token's life after which it is not used for another login.
const USED_UP: f64 = 0.8;

/// Gives tokens. Shared by all connections of a reader.
pub(in crate::broker::kafka) struct Tokens {
    source: Source,
    /// Sent along with each token.
    extensions: Vec<(String, String)>,
    held: Mutex<Option<Held>>,
}

pub(in super::super) enum Source {
    Ready(TokenSource),
    Unsecured(Unsecured),
    Endpoint(Box<Endpoint>),
}

struct Held {
    text: SecretString,
    ends: Instant,
    until: Instant,
}

/// One token as it is sent.
pub(in crate::broker::kafka) struct Token<'t> {
    pub(in crate::broker::kafka) text: SecretString,
    pub(in crate::broker::kafka) extensions: &'t [(String, String)],
    /// How long it is good for, as far as it is known.
    pub(in crate::broker::kafka) life: Duration,
    /// Fetched for an earlier login.
    pub(super) used: bool,
}

impl Tokens {
    pub(in super::super) fn new(source: Source, extensions: Vec<(String, String)>) -> Self {
        Self {
            source,
            extensions,
            held: Mutex::new(None),
        }
    }

    /// A token that is good for now.
    pub(in crate::broker::kafka) async fn token(
        &self,
        patience: Duration,
    ) -> Result<Token<'_>, Failure> {
        let (mut life, mut used) = (None, false);
        let text = match &self.source {
            Source::Ready(TokenSource::Text(text)) => text.clone(),
            Source::Ready(TokenSource::File(path)) => {
                let text = std::fs::read_to_string(path).map_err(|e| {
                    Failure::new(
                        Code::Authentication,
                        format!("{TOKEN}: cannot read {}: {e}", path.display()),
                    )
                    .hint("whoever renews the token has to write it there")
                })?;
                text.trim().to_owned().into()
            }
            Source::Unsecured(claims) => claims.token().into(),
            Source::Endpoint(endpoint) => {
                let fetched = self.fetched(endpoint, patience).await?;
                (life, used) = (Some(fetched.1), fetched.2);
                fetched.0
            }
        };
        if !is_token(text.expose_secret()) {
            return Err(Failure::new(
                Code::Authentication,
                "the token holds characters that no token holds, or none at all",
            )
            .hint("give the bare token: three Base64 parts with dots between, as a rule"));
        }
        Ok(Token {
            life: life.unwrap_or_else(|| oidc::life(None, text.expose_secret())),
            text,
            extensions: &self.extensions,
            used,
        })
    }

    /// A token, how long it lasts, and whether an earlier login had it: one look-up serves all
    /// connections.
    async fn fetched(
        &self,
        endpoint: &Endpoint,
        patience: Duration,
    ) -> Result<(SecretString, Duration, bool), Failure> {
        let mut held = self.held.lock().await;
        let now = Instant::now();
        if let Some(held) = held.as_ref().filter(|held| now < held.until) {
            return Ok((held.text.clone(), held.ends - now, true));
        }
        let (text, life) = endpoint.fetch(patience).await?;
        *held = Some(Held {
            text: text.clone(),
            ends: now + life,
            until: now + life.mul_f64(USED_UP),
        });
        Ok((text, life, false))
    }

    /// The token was refused: the next login brings another.
    pub(super) async fn forget(&self) {
        *self.held.lock().await = None;
    }
}

impl Token<'_> {
    pub(super) fn message(&self) -> Vec<u8> {
        let mut message = format!("n,,\u{1}auth=Bearer {}", self.text.expose_secret());
        for (name, value) in self.extensions {
            message.push('\u{1}');
            message.push_str(name);
            message.push('=');
            message.push_str(value);
        }
        message.push_str("\u{1}\u{1}");
        message.into_bytes()
    }
}

/// Visible ASCII: anything else could add fields to the message.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_graphic())
}

/// Whether both can be sent (RFC 7628, section 3.1).
pub(in super::super) fn is_extension(name: &str, value: &str) -> bool {
    !name.is_empty()
        && name != "auth"
        && name.bytes().all(|b| b.is_ascii_alphabetic())
        && value
            .bytes()
            .all(|b| b.is_ascii_graphic() || matches!(b, b' ' | b'\t' | b'\r' | b'\n'))
}

/// Why a token is refused, as the server's JSON tells it.
pub(super) fn refusal(json: &[u8]) -> Option<String> {
    let told: Value = serde_json::from_slice(json).ok()?;
    let mut why = told.get("status")?.as_str()?.to_owned();
    if let Some(scope) = told.get("scope").and_then(Value::as_str) {
        why.push_str(", it wants the scope ");
        why.push_str(scope);
    }
    Some(why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ready(text: &str) -> Tokens {
        let source = Source::Ready(TokenSource::Text(text.to_owned().into()));
        Tokens::new(source, vec![("traceId".into(), "7 up".into())])
    }

    #[tokio::test]
    async fn a_token_travels_with_its_extensions() {
        let tokens = ready("a.b.c");
        let token = tokens.token(Duration::ZERO).await.unwrap();
        assert_eq!(
            token.message(),
            b"n,,\x01auth=Bearer a.b.c\x01traceId=7 up\x01\x01"
        );
    }

    #[tokio::test]
    async fn a_text_that_would_add_fields_is_no_token() {
        for bad in ["", "a\u{1}b=c", "a b", "ä"] {
            let failure = ready(bad).token(Duration::ZERO).await.err().unwrap();
            assert_eq!(failure.code, Code::Authentication, "{bad:?}");
        }
        assert!(is_extension("traceId", "a\tb"));
        for (name, value) in [
            ("auth", "x"),
            ("", "x"),
            ("a1", "x"),
            ("a", "\u{1}"),
            ("a", "ä"),
        ] {
            assert!(!is_extension(name, value), "{name}={value:?}");
        }
    }

    #[tokio::test]
    async fn a_file_is_read_again_for_every_login() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let source = Source::Ready(TokenSource::File(file.path().to_owned()));
        let tokens = Tokens::new(source, Vec::new());
        for text in ["one", "two"] {
            std::fs::write(file.path(), format!("{text}\n")).unwrap();
            let token = tokens.token(Duration::ZERO).await.unwrap();
            assert_eq!(token.text.expose_secret(), text);
        }
        file.close().unwrap();
        assert!(tokens.token(Duration::ZERO).await.is_err());
    }

    #[test]
    fn the_servers_reason_is_told() {
        let told = refusal(br#"{"status":"insufficient_scope","scope":"kafka"}"#);
        assert_eq!(
            told.unwrap(),
            "insufficient_scope, it wants the scope kafka"
        );
        for none in [&b""[..], b"{}", b"[]", b"{\"status\":7}", b"\xff"] {
            assert_eq!(refusal(none), None);
        }
    }
}
