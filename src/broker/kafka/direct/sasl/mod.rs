//! Logging in: the mechanism is agreed on, then its messages go to and fro. What stands in them is
//! `scram`'s and `oauth`'s business.

mod oauth;
mod oidc;
mod scram;
mod unsecured;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use kafka_protocol::messages::{ApiKey, SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;
use rdkafka::types::RDKafkaErrorCode as Code;
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::super::error::Failure;
use super::connection::Connection;
use super::settings::Settings;
use super::wire::{Reader, garbled};

pub(super) use self::oauth::{Source, is_extension};
pub(in crate::broker::kafka) use self::oauth::{TOKEN_HINT, Tokens};
pub(super) use self::oidc::Endpoint;
pub(super) use self::scram::Hash;
pub(super) use self::unsecured::Unsecured;

/// Versions of `SaslAuthenticate` that are spoken.
const AUTHENTICATE: (i16, i16) = (0, 2);
const HANDSHAKE: (i16, i16) = (1, 1);
const REFUSED: i16 = 58;
/// The listener knows of no logins.
const NO_LOGINS: i16 = 34;
/// A server's own words are cut here.
const LONGEST_WORDS: usize = 300;
/// The part of a session's life after which it is time for a new one.
const USED_UP: f64 = 0.85;

/// Who we are and how it is proved.
#[derive(Clone)]
pub(super) enum Login {
    Plain(Account),
    Scram(Hash, Account),
    OAuth(Arc<Tokens>),
}

#[derive(Clone)]
pub(super) struct Account {
    pub(super) user: String,
    pub(super) password: SecretString,
}

impl Login {
    const fn mechanism(&self) -> &'static str {
        match self {
            Self::Plain(_) => "PLAIN",
            Self::Scram(hash, _) => hash.mechanism(),
            Self::OAuth(_) => "OAUTHBEARER",
        }
    }
}

/// Proves who we are, where the settings ask for it. Gives when to do it again, for brokers that
/// end sessions. May be called again on a connection whose answers have all come.
pub(super) async fn log_in(
    connection: &mut Connection,
    settings: &Settings,
) -> Result<Option<Instant>, Failure> {
    let Some(login) = &settings.login else {
        return Ok(None);
    };
    // Before the handshake: fetching a token can take longer than a broker waits.
    let token = match login {
        Login::OAuth(tokens) => Some(tokens.token(settings.setup_timeout).await?),
        Login::Plain(_) | Login::Scram(..) => None,
    };
    agree(connection, login.mechanism()).await?;
    let version = connection.version(ApiKey::SaslAuthenticate, AUTHENTICATE)?;
    let mut talk = Talk {
        connection,
        version,
        lifetime: Duration::ZERO,
    };
    match login {
        Login::Plain(account) => talk.plain(account).await?,
        Login::Scram(hash, account) => talk.scram(*hash, account).await?,
        Login::OAuth(tokens) => {
            if let Some(token) = token
                && let Err(failure) = talk.bear(&token).await
            {
                tokens.forget().await;
                if token.used && failure.code == Code::Authentication {
                    // It may have ended meanwhile: another connection brings another token.
                    return Err(Failure::new(Code::BrokerTransportFailure, failure.text));
                }
                return Err(failure);
            }
        }
    }
    let lifetime = talk.lifetime;
    Ok((!lifetime.is_zero()).then(|| Instant::now() + lifetime.mul_f64(USED_UP)))
}

async fn agree(connection: &mut Connection, mechanism: &'static str) -> Result<(), Failure> {
    let version = connection.version(ApiKey::SaslHandshake, HANDSHAKE)?;
    let asked =
        SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism));
    let answer = connection
        .call(ApiKey::SaslHandshake, version, &asked)
        .await?;
    let mut reader = Reader::new(&answer, false);
    let error = reader.i16()?;
    if error == 0 {
        return Ok(());
    }
    if error == NO_LOGINS {
        return Err(
            Failure::new(Code::Authentication, "the listener takes no login")
                .hint("try -X security.protocol=PLAINTEXT (or SSL where it was SASL_SSL), or another port"),
        );
    }
    let mut offered = Vec::new();
    for _ in 0..reader.count()? {
        offered.push(reader.text()?);
    }
    if offered.is_empty() || offered.contains(&mechanism) {
        return Err(Failure::from_number(error.into()));
    }
    let offered = shortened(&offered.join(", "));
    Err(Failure::new(
        Code::UnsupportedSASLMechanism,
        format!("the broker does not offer {mechanism}, but {offered}"),
    )
    .hint("choose one that it offers: -X sasl.mechanism=…"))
}

/// The messages of one login.
struct Talk<'c> {
    connection: &'c mut Connection,
    version: i16,
    /// What the broker gives the session; zero is for ever.
    lifetime: Duration,
}

/// What a broker said to a message.
struct Said {
    error: i16,
    words: String,
    bytes: Vec<u8>,
    lifetime: Duration,
}

impl Said {
    fn read(answer: &[u8], version: i16) -> Result<Self, Failure> {
        let mut reader = Reader::new(answer, version >= 2);
        let error = reader.i16()?;
        let words = reader.string()?.unwrap_or_default();
        let bytes = reader.blob()?.to_vec();
        let millis = if version >= 1 { reader.i64()? } else { 0 };
        Ok(Self {
            error,
            words: shortened(words),
            bytes,
            // Whatever is claimed: nobody waits for years.
            lifetime: Duration::from_millis(millis.clamp(0, 1 << 40).unsigned_abs()),
        })
    }
}

impl Talk<'_> {
    async fn say(&mut self, message: Vec<u8>) -> Result<Said, Failure> {
        let asked = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from(message));
        let answer = self
            .connection
            .call(ApiKey::SaslAuthenticate, self.version, &asked)
            .await?;
        let said = Said::read(&answer, self.version)?;
        self.lifetime = said.lifetime;
        Ok(said)
    }

    /// Says something that has to be taken, and gives the answer.
    async fn convince(&mut self, message: Vec<u8>) -> Result<Vec<u8>, Failure> {
        let said = self.say(message).await?;
        match said.error {
            0 => Ok(said.bytes),
            REFUSED if !said.words.is_empty() => {
                Err(Failure::new(Code::Authentication, said.words))
            }
            number => Err(Failure::from_number(number.into())),
        }
    }

    async fn plain(&mut self, account: &Account) -> Result<(), Failure> {
        let message = format!("\0{}\0{}", account.user, account.password.expose_secret());
        self.convince(message.into_bytes()).await.map(drop)
    }

    async fn scram(&mut self, hash: Hash, account: &Account) -> Result<(), Failure> {
        let first = scram::First::new(hash, &account.user)?;
        let challenge = self.convince(first.message()).await?;
        let password = account.password.clone();
        // Milliseconds as a rule; a server may ask for a second's worth.
        let proved =
            tokio::task::spawn_blocking(move || first.answer(&challenge, password.expose_secret()));
        let last = proved
            .await
            .map_err(|_| garbled("its challenge cannot be met"))??;
        let verdict = self.convince(last.message()).await?;
        last.check(&verdict)
    }

    async fn bear(&mut self, token: &oauth::Token<'_>) -> Result<(), Failure> {
        let said = self.say(token.message()).await?;
        if said.error == 0 && said.bytes.is_empty() {
            return Ok(());
        }
        let told = oauth::refusal(&said.bytes);
        let words = if said.error == 0 {
            // The server tells in JSON what is wrong, and waits for a byte before it ends.
            self.say(vec![1]).await?.words
        } else {
            said.words
        };
        let why = told.unwrap_or(words);
        let message = if why.is_empty() {
            "the broker refuses the token".to_owned()
        } else {
            format!("the broker refuses the token: {}", shortened(&why))
        };
        Err(Failure::new(Code::Authentication, message).hint(TOKEN_HINT))
    }
}

/// Words of a server: as long as a person reads.
fn shortened(words: &str) -> String {
    match words.char_indices().nth(LONGEST_WORDS) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_each_version_is_read() {
        let mut old = vec![0, 58, 0, 2];
        old.extend(b"no");
        old.extend([0, 0, 0, 1, 7]);
        let said = Said::read(&old, 0).unwrap();
        assert_eq!(
            (said.error, said.words.as_str(), said.bytes),
            (58, "no", vec![7])
        );

        let mut newer = vec![0, 0, 0xff, 0xff, 0, 0, 0, 0];
        newer.extend(60_000i64.to_be_bytes());
        assert_eq!(
            Said::read(&newer, 1).unwrap().lifetime,
            Duration::from_mins(1)
        );

        let mut newest = vec![0, 0, 0, 2, 9];
        newest.extend((-5i64).to_be_bytes());
        newest.push(0);
        let said = Said::read(&newest, 2).unwrap();
        assert_eq!((said.bytes, said.lifetime), (vec![9], Duration::ZERO));
    }

    #[test]
    fn an_answer_that_is_cut_or_lies_is_no_crash() {
        for answer in [
            &[][..],
            &[0],
            &[0, 0, 0x7f, 0xff, 1],
            &[0, 0, 0xff, 0xff, 0x7f, 0, 0, 0],
        ] {
            for version in 0..3 {
                assert!(Said::read(answer, version).is_err(), "{answer:?}");
            }
        }
        let mut ages = vec![0, 0, 0, 1];
        ages.extend(i64::MAX.to_be_bytes());
        let said = Said::read(&ages, 2).unwrap();
        assert!(Instant::now().checked_add(said.lifetime).is_some());
    }

    #[test]
    fn a_servers_words_are_cut() {
        assert_eq!(shortened("no"), "no");
        assert_eq!(
            shortened(&"ü".repeat(4000)).chars().count(),
            LONGEST_WORDS + 1
        );
    }
}

#[cfg(test)]
#[path = "talk_tests.rs"]
mod talk_tests;
