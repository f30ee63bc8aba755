//! Fetches tokens from an OAuth 2.0 token endpoint by the grant of client credentials (RFC 6749,
//! section 4.4).

use std::fmt::Write as _;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use bytes::Buf as _;
use hyper::body::{Body as _, Incoming};
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, Response, StatusCode, Uri};
use hyper_util::rt::TokioIo;
use rdkafka::types::RDKafkaErrorCode as Code;
use rustls::ClientConfig;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::Value;
use tokio::time::timeout;

use super::super::super::error::Failure;
use super::super::settings::{Host, Socket};
use super::super::transport::connect_with;
use crate::event::Timestamp;

/// Bytes of an answer; tokens have a few thousand.
const LARGEST: usize = 1 << 20;
/// How long a token is taken to last when nobody says.
const UNKNOWN_LIFE: Duration = Duration::from_mins(1);
/// And at most, whatever is claimed.
const LONGEST_LIFE: Duration = Duration::from_hours(24);
const URL: &str = "check sasl.oauthbearer.token.endpoint.url";
const CLIENT: &str =
    "check sasl.oauthbearer.client.id, sasl.oauthbearer.client.secret and sasl.oauthbearer.scope";
const TRUST: &str = "give the CA that signed the endpoint's certificate: -X https.ca.location=FILE";

/// A token endpoint, and who asks it.
pub(in super::super) struct Endpoint {
    host: Host,
    tls: Option<Arc<ClientConfig>>,
    /// The path and the query.
    path: String,
    client: String,
    secret: SecretString,
    scope: Option<String>,
}

impl Endpoint {
    /// `tls` is asked for when the URL is one of HTTPS. The error says what is wrong with the URL.
    pub(in super::super) fn new<E: From<&'static str>>(
        url: &str,
        tls: impl FnOnce() -> Result<Arc<ClientConfig>, E>,
        (client, secret): (&str, SecretString),
        scope: Option<&str>,
    ) -> Result<Self, E> {
        let uri: Uri = url.parse().map_err(|_| "it is no URL")?;
        let (tls, port) = match uri.scheme_str() {
            Some("https") => (Some(tls()?), 443),
            Some("http") => (None, 80),
            _ => return Err("it begins with neither https:// nor http://".into()),
        };
        let authority = uri.authority().ok_or("it names no host")?;
        if authority.as_str().contains('@') {
            return Err("it takes no login".into());
        }
        if authority.port_u16().is_none() && authority.as_str() != authority.host() {
            return Err("its port is no number from 1 to 65535".into());
        }
        let name = authority.host().trim_matches(['[', ']']).to_owned();
        Ok(Self {
            host: Host {
                name,
                port: authority.port_u16().unwrap_or(port),
            },
            tls,
            path: uri.path_and_query().map_or("/", |p| p.as_str()).to_owned(),
            client: client.to_owned(),
            secret,
            scope: scope.map(str::to_owned),
        })
    }

    /// A new token and how long it lasts.
    pub(super) async fn fetch(
        &self,
        patience: Duration,
    ) -> Result<(SecretString, Duration), Failure> {
        // Less than a connection may take: the endpoint is told of, not the broker.
        let patience = patience.mul_f64(0.7);
        let Ok(answered) = timeout(patience, self.ask(patience)).await else {
            let why = format!("no answer within {} s", patience.as_secs());
            return Err(self.failure(Code::OperationTimedOut, &why).hint(URL));
        };
        let (status, body) = answered?;
        self.read(status, &body)
    }

    async fn ask(&self, patience: Duration) -> Result<(StatusCode, Vec<u8>), Failure> {
        let stream = connect_with(Socket::default(), self.tls.as_ref(), &self.host, patience);
        let stream = stream.await.map_err(|mut failure| {
            let of_trust = failure
                .hint
                .is_some_and(|hint| hint.contains("ssl.ca.location"));
            let text = failure.text.replace("broker", "endpoint");
            // "Connect to ipv4#A failed: why", where the address says nothing new.
            let text = text
                .split_once(" failed: ")
                .map_or(text.as_str(), |(_, why)| why);
            failure = self.failure(failure.code, text);
            failure.hint(if of_trust { TRUST } else { URL })
        })?;
        let broken = |e: hyper::Error| {
            self.failure(Code::BrokerTransportFailure, &format!("no HTTP: {e}"))
                .hint(URL)
        };
        let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broken)?;
        let request = self.request()?;
        let exchange = async move {
            let answer = sender.send_request(request).await.map_err(broken)?;
            let status = answer.status();
            Ok((status, body(answer).await.map_err(broken)?))
        };
        // The connection ends when the sender is gone, and what breaks it the exchange tells.
        tokio::join!(exchange, connection).0
    }

    fn request(&self) -> Result<Request<String>, Failure> {
        let login = format!("{}:{}", self.client, self.secret.expose_secret());
        let mut form = "grant_type=client_credentials".to_owned();
        if let Some(scope) = &self.scope {
            form.push_str("&scope=");
            form.push_str(&form_value(scope));
        }
        Request::post(self.path.as_str())
            .header(HOST, self.host.to_string())
            .header(USER_AGENT, concat!("evtap/", env!("CARGO_PKG_VERSION")))
            .header(ACCEPT, "application/json")
            .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(AUTHORIZATION, format!("Basic {}", STANDARD.encode(login)))
            .body(form)
            .map_err(|_| {
                self.failure(Code::InvalidArgument, "it cannot be asked")
                    .hint(URL)
            })
    }

    fn read(&self, status: StatusCode, body: &[u8]) -> Result<(SecretString, Duration), Failure> {
        let json: Option<Value> = serde_json::from_slice(body).ok();
        let field = |name: &str| json.as_ref()?.get(name)?.as_str();
        if status.is_success() {
            let token = field("access_token").filter(|token| !token.is_empty());
            let token = token.ok_or_else(|| {
                self.failure(Code::Authentication, "an answer without an access_token")
                    .hint(URL)
            })?;
            let claimed = json.as_ref().and_then(|json| json.get("expires_in"));
            return Ok((token.to_owned().into(), life(claimed, token)));
        }
        let Some(error) = field("error") else {
            let code = match status {
                StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Code::Authentication,
                _ => Code::BrokerTransportFailure,
            };
            let hint = if code == Code::Authentication {
                CLIENT
            } else {
                URL
            };
            return Err(self
                .failure(code, &format!("it answers {status}"))
                .hint(hint));
        };
        let why = match field("error_description") {
            Some(more) => format!("{error}: {more}"),
            None => error.to_owned(),
        };
        let why = super::shortened(&why).replace(self.secret.expose_secret(), "…");
        Err(self.failure(Code::Authentication, &why).hint(CLIENT))
    }

    /// The URL's query may hold a secret: the host alone is told.
    fn failure(&self, code: Code, why: &str) -> Failure {
        Failure::new(code, format!("the token endpoint on {}: {why}", self.host))
    }
}

async fn body(answer: Response<Incoming>) -> Result<Vec<u8>, hyper::Error> {
    let mut incoming = answer.into_body();
    let mut whole = Vec::new();
    while let Some(frame) = poll_fn(|cx| Pin::new(&mut incoming).poll_frame(cx)).await {
        if let Ok(mut data) = frame?.into_data() {
            let fits = data.remaining().min(LARGEST - whole.len());
            whole.extend_from_slice(&data.copy_to_bytes(fits));
            if whole.len() == LARGEST {
                // No token is that long; what is cut makes no JSON.
                break;
            }
        }
    }
    Ok(whole)
}

/// How long a token lasts: as the endpoint says and as the token itself says, whichever is less.
pub(super) fn life(claimed: Option<&Value>, token: &str) -> Duration {
    let claimed: Option<u64> = claimed.and_then(|claimed| match claimed {
        Value::String(text) => text.parse().ok(),
        other => other
            .as_u64()
            .or_else(|| Some(whole(other.as_f64()?).unsigned_abs())),
    });
    let claimed = claimed.map(|seconds| Duration::from_secs(seconds).min(LONGEST_LIFE));
    let own = expiry(token).map(|end| {
        let now = Timestamp::wall_clock().0;
        let left = end.saturating_mul(1000).saturating_sub(now).max(0);
        Duration::from_millis(left.unsigned_abs()).min(LONGEST_LIFE)
    });
    match (claimed, own) {
        (Some(claimed), Some(own)) => claimed.min(own),
        (one, other) => one.or(other).unwrap_or(UNKNOWN_LIFE),
    }
}

/// The `exp` of a JWT, in seconds.
fn expiry(token: &str) -> Option<i64> {
    let claims = token.split('.').nth(1)?;
    let claims = URL_SAFE_NO_PAD.decode(claims.trim_end_matches('=')).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims.get("exp")?.as_f64().map(whole)
}

/// Cut to what fits; negative numbers are 0.
fn whole(seconds: f64) -> i64 {
    seconds.max(0.0) as i64
}

/// A form's value. What is escaped already stays as it is: librdkafka escapes nothing.
fn form_value(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        match byte {
            b' ' => escaped.push('+'),
            b'&' | b'=' | b'#' | b'"' | 0..0x20 | 0x7f.. => {
                // Writing to a string cannot fail.
                let _done = write!(escaped, "%{byte:02X}");
            }
            other => escaped.push(other.into()),
        }
    }
    escaped
}

#[cfg(test)]
#[path = "oidc_tests.rs"]
mod tests;
