//! One question over HTTP, with its limits: time, size, redirects, and errors in plain words that
//! tell no secret. No caching, no threads.

use std::time::{Duration, Instant};

use secrecy::ExposeSecret;
use ureq::Agent;
use ureq::http::{Response, header};
use ureq::{Body, Error, Timeout};

use super::super::Settings;
use super::url::Base;
use crate::schema::SchemaError;

/// For TCP and TLS.
pub(super) const CONNECT: Duration = Duration::from_secs(2);
/// For everything that one question costs, redirects and references included.
const WHOLE: Duration = Duration::from_secs(10);
/// Bytes of one answer.
const LARGEST: u64 = 16 << 20;
const MOST_REDIRECTS: usize = 5;
/// Characters of a registry's own words that are passed on.
const WORDS: usize = 200;
const ACCEPT: &str = "application/vnd.schemaregistry.v1+json, application/json, */*;q=0.5";

/// Asks one registry.
pub(super) struct Client {
    agent: Agent,
    pub(super) base: Base,
    /// For one question with all that it leads to.
    pub(super) patience: Duration,
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The registry says that it does not have this.
    Missing,
    /// Nobody is there who knows this kind of question.
    Unknown(String),
    /// The registry did not answer at all, or turns everything away: others fare no better now.
    Down(String),
    /// This answer cannot be used.
    Bad(String),
}

impl Client {
    pub(super) fn new(url: &str, settings: &Settings) -> Result<Self, SchemaError> {
        let base = Base::parse(url, settings)?;
        let mut config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .timeout_connect(Some(CONNECT))
            .max_response_header_size(64 << 10)
            .user_agent(concat!("evtap/", env!("CARGO_PKG_VERSION")))
            .accept(ACCEPT);
        if base.is_local() {
            // No proxy stands between a machine and itself, whatever the environment says.
            config = config.proxy(None);
        }
        if base.is_https() {
            config = super::tls::apply(config, settings)?;
        }
        Ok(Self {
            agent: config.build().new_agent(),
            base,
            patience: WHOLE,
        })
    }

    /// Asks for a path below the registry's URL.
    pub(super) fn get(&self, path: &str, until: Instant) -> Result<String, Failure> {
        self.get_url(format!("{}{path}", self.base.url), until)
    }

    /// Follows redirects that stay where the login belongs.
    pub(super) fn get_url(&self, mut url: String, until: Instant) -> Result<String, Failure> {
        for _ in 0..=MOST_REDIRECTS {
            let response = self.call(&url, until)?;
            if !response.status().is_redirection() {
                return self.read(response);
            }
            let to = response.headers().get(header::LOCATION);
            let to = to.and_then(|to| to.to_str().ok()).unwrap_or_default();
            let next = super::super::uri::join(&url, to);
            let home = next.strip_prefix(&self.base.root);
            if to.is_empty() || !home.is_some_and(|path| path.starts_with('/')) {
                return Err(self.down("it sends us to another host, where our login does not belong; give the URL that it means"));
            }
            url = next;
        }
        Err(self.down(&format!("it redirects more than {MOST_REDIRECTS} times")))
    }

    fn call(&self, url: &str, until: Instant) -> Result<Response<Body>, Failure> {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Err(self.down(&self.too_slow()));
        }
        let mut request = self.agent.get(url);
        if let Some(value) = &self.base.authorization {
            request = request.header(header::AUTHORIZATION, value.expose_secret());
        }
        let config = request.config().timeout_global(Some(left));
        config.build().call().map_err(|error| self.failed(&error))
    }

    fn read(&self, mut response: Response<Body>) -> Result<String, Failure> {
        let status = response.status().as_u16();
        let body = response
            .body_mut()
            .with_config()
            .limit(LARGEST)
            .read_to_vec();
        let body = match body {
            Ok(body) => body,
            // What it says of its failure is not worth another one.
            Err(_) if status >= 400 => Vec::new(),
            Err(error) => return Err(self.failed(&error)),
        };
        match status {
            200 => String::from_utf8(body)
                .map_err(|_| self.bad("its answer is no text; is this a schema registry?")),
            404 => self.not_found(&body),
            401 => Err(self.down(&format!(
                "it wants a login (401){}; give schema.registry.basic.auth.user.info or schema.registry.bearer.auth.token",
                self.words(&body)
            ))),
            403 => Err(self.bad(&format!(
                "our login may not read this (403){}",
                self.words(&body)
            ))),
            429 | 500.. => Err(self.bad(&format!("it failed ({status}){}", self.words(&body)))),
            _ => Err(self.bad(&format!("it answered {status}{}", self.words(&body)))),
        }
    }

    /// A registry that lacks a schema says so in JSON; a web server that is none does not.
    fn not_found(&self, body: &[u8]) -> Result<String, Failure> {
        let json = serde_json::from_slice::<serde_json::Value>(body);
        if json.is_ok_and(|json| json.is_object()) {
            return Err(Failure::Missing);
        }
        Err(Failure::Unknown(self.about(
            "it answers 404 as no schema registry does: is the path of its URL right? (Apicurio's is /apis/ccompat/v7)",
        )))
    }

    /// `: …`, what the registry itself says.
    fn words(&self, body: &[u8]) -> String {
        let json = serde_json::from_slice::<serde_json::Value>(body).unwrap_or_default();
        let said = ["message", "title", "detail"]
            .iter()
            .find_map(|name| json.get(name)?.as_str());
        said.map_or_else(String::new, |said| {
            let said: String = said.chars().take(WORDS).collect();
            format!(": {}", self.base.redact(&said))
        })
    }

    pub(super) fn bad(&self, why: &str) -> Failure {
        Failure::Bad(self.about(why))
    }

    fn down(&self, why: &str) -> Failure {
        Failure::Down(self.about(why))
    }

    fn about(&self, why: &str) -> String {
        format!("the schema registry {}: {why}", self.base.url)
    }

    fn failed(&self, error: &Error) -> Failure {
        match error {
            Error::Timeout(Timeout::Connect | Timeout::Resolve) => self.down(&format!(
                "it cannot be reached within {} s; is it running, and is a firewall between?",
                CONNECT.as_secs()
            )),
            Error::Timeout(_) => self.down(&self.too_slow()),
            Error::HostNotFound => self.down("there is no such host"),
            Error::BodyExceedsLimit(_) => {
                self.bad(&format!("its answer is larger than {} MiB", LARGEST >> 20))
            }
            Error::Io(error) => match error.kind() {
                std::io::ErrorKind::ConnectionRefused => {
                    self.down("nothing listens there; is it running?")
                }
                std::io::ErrorKind::UnexpectedEof => self.down("it broke off its answer"),
                _ => self.other(&error.to_string()),
            },
            Error::Protocol(_) | Error::Http(_) => {
                self.down("what it says is no HTTP; is this a schema registry?")
            }
            other => self.other(&other.to_string()),
        }
    }

    fn other(&self, why: &str) -> Failure {
        let hint = if why.contains("certificate") {
            "; whom to trust is said by schema.registry.ssl.ca.location, who we are by \
             schema.registry.ssl.certificate.location"
        } else {
            ""
        };
        self.down(&format!("{}{hint}", self.base.redact(why)))
    }

    fn too_slow(&self) -> String {
        format!("it did not answer within {} s", self.patience.as_secs())
    }
}
