//! One librdkafka client: its events, its health, and metadata with a first contact that does not
//! hang. What is asked of it lives in the files beside.
#![expect(
    unsafe_code,
    reason = "the events that a client reports are chosen on its native configuration"
)]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::bindings as sys;
use rdkafka::client::{Client as Native, DefaultClientContext};
use rdkafka::metadata::Metadata;
use rdkafka::types::{RDKafkaErrorCode as Code, RDKafkaType};
use tokio::sync::oneshot;

use super::bearer::Bearer;
use super::error::{Failure, plain};
use super::ffi::{Queue, Told};
use super::properties::{Properties, refused};
use crate::broker::{Error, ErrorKind, Result};

/// Nobody answered for this long: give up. Users wait ten seconds at most.
const FIRST_CONTACT: Duration = Duration::from_secs(9);
/// Every broker refused for this long: it is not just coming up.
const REFUSED_FOR: Duration = Duration::from_secs(2);
/// A connected cluster may take this long for an answer.
pub(super) const ANSWER: Duration = Duration::from_secs(30);

/// A client of one cluster. All methods may be called from any thread.
pub(super) struct Client {
    // Before `native`: the queue must go first.
    main: Queue,
    native: Native<DefaultClientContext>,
    brokers: String,
    /// Where tokens come from, if it logs in with those.
    bearer: Option<Bearer>,
    health: Health,
}

/// What the client's own events said of the connection.
#[derive(Default)]
struct Health {
    connected: AtomicBool,
    down: AtomicBool,
    /// The last thing that went wrong on a connection.
    last: Mutex<Option<Failure>>,
    /// Messages that a producer gave up on, and why the first.
    undelivered: Mutex<(u64, Option<Failure>)>,
}

impl Client {
    /// Makes the client; it connects on its own threads. Fails on properties that do not fit
    /// together and on files that they name.
    pub(super) fn new(
        config: &ClientConfig,
        kind: RDKafkaType,
        properties: &Properties,
    ) -> Result<Self> {
        let bearer = Bearer::of(properties)?;
        let native_config = config.create_native_config().map_err(|e| refused(&e))?;
        let mut events = sys::RD_KAFKA_EVENT_LOG | sys::RD_KAFKA_EVENT_ERROR;
        if matches!(kind, RDKafkaType::RD_KAFKA_PRODUCER) {
            events |= sys::RD_KAFKA_EVENT_DR;
        }
        if bearer.is_some() {
            events |= sys::RD_KAFKA_EVENT_OAUTHBEARER_TOKEN_REFRESH;
        }
        // SAFETY: the configuration is alive and not yet given away.
        unsafe { sys::rd_kafka_conf_set_events(native_config.ptr(), events) };
        let native = Native::new(config, native_config, kind, DefaultClientContext)
            .map_err(|e| refused(&e))?;
        let main = Queue::main(native.native_ptr()).ok_or_else(|| {
            Error::new(
                ErrorKind::Broker,
                "librdkafka gave a client without a queue",
            )
        })?;
        Ok(Self {
            main,
            native,
            brokers: properties.brokers().to_owned(),
            bearer,
            health: Health::default(),
        })
    }

    pub(super) fn native(&self) -> *mut sys::rd_kafka_t {
        self.native.native_ptr()
    }

    pub(super) fn brokers(&self) -> &str {
        &self.brokers
    }

    /// Takes what librdkafka reports: log lines go to `tracing`, errors into the health.
    pub(super) fn pump(&self) {
        while let Some(event) = self.main.poll(Duration::ZERO) {
            match event.told() {
                Told::Log {
                    level,
                    facility,
                    text,
                } => {
                    log(level, &facility, &text);
                    if facility == "FAIL" {
                        self.hear(&text);
                    }
                }
                Told::Error(failure) => self.note(failure),
                Told::Undelivered(count, why) => {
                    let mut undelivered = lock(&self.health.undelivered);
                    undelivered.0 += count;
                    if undelivered.1.is_none() {
                        undelivered.1 = why;
                    }
                }
                Told::TokenWanted => {
                    if let Some(bearer) = &self.bearer
                        && let Err(failure) = bearer.renew(&self.native)
                    {
                        self.note(failure);
                    }
                }
                Told::Other => {}
            }
        }
    }

    fn note(&self, failure: Failure) {
        tracing::warn!(target: "librdkafka", "{:?}: {}", failure.code, failure.text);
        if failure.code == Code::AllBrokersDown {
            self.health.down.store(true, Ordering::Relaxed);
        }
        self.remember(failure);
    }

    /// Keeps the failure that says most: a second attempt often tells less than the first.
    fn remember(&self, failure: Failure) {
        let mut last = lock(&self.health.last);
        if last
            .as_ref()
            .is_none_or(|l| telling(l) <= telling(&failure))
        {
            *last = Some(failure);
        }
    }

    /// A connection that failed is not always an error event: when the other side hangs up at once
    /// (as TLS does on plain text, and the reverse), only the log says why.
    fn hear(&self, text: &str) {
        self.remember(Failure::new(Code::BrokerTransportFailure, plain(text)));
    }

    /// True since the last broker was lost, until [`Client::revive`].
    pub(super) fn is_down(&self) -> bool {
        self.health.down.load(Ordering::Relaxed)
    }

    /// Somebody answered: what went wrong is past.
    pub(super) fn revive(&self) {
        self.health.connected.store(true, Ordering::Relaxed);
        self.health.down.store(false, Ordering::Relaxed);
        *lock(&self.health.last) = None;
    }

    /// The cluster is there and does not know us any more: waiting would not help.
    pub(super) fn rejected(&self) -> Option<Failure> {
        let last = lock(&self.health.last).clone();
        last.filter(|failure| failure.code == Code::Authentication)
    }

    /// How many messages a producer gave up on since it was made, and why the first.
    pub(super) fn undelivered(&self) -> (u64, Option<Failure>) {
        lock(&self.health.undelivered).clone()
    }

    /// Why a producer can do nothing more.
    pub(super) fn fatal(&self) -> Option<Code> {
        // SAFETY: the client is alive, and no text is asked for.
        let code = unsafe { sys::rd_kafka_fatal_error(self.native(), std::ptr::null_mut(), 0) };
        (code != sys::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR).then(|| code.into())
    }

    /// Forgets what a producer gave up on: it was taken back on purpose.
    pub(super) fn forgive(&self) {
        *lock(&self.health.undelivered) = (0, None);
    }

    /// Metadata of one topic, or of all. Before the first answer it watches the client's errors,
    /// so that a wrong password or host is told at once instead of as a time-out. Its errors say
    /// only what was wrong: whoever asks names the broker.
    pub(super) fn metadata(&self, topic: Option<&str>) -> Result<Metadata> {
        let started = Instant::now();
        let mut slice = Duration::from_millis(250);
        if self.bearer.is_some() {
            // Nothing can be asked before there is a token.
            self.pump();
        }
        loop {
            let connected = self.health.connected.load(Ordering::Relaxed);
            let limit = if connected { ANSWER } else { FIRST_CONTACT };
            let left = limit.saturating_sub(started.elapsed());
            let failure = match self.native.fetch_metadata(topic, slice.min(left)) {
                Ok(metadata) => {
                    self.pump();
                    self.revive();
                    return Ok(metadata);
                }
                Err(error) => Failure::of(error.rdkafka_error_code().unwrap_or(Code::Fail)),
            };
            self.pump();
            if let Some(error) = self.verdict(&failure, started.elapsed(), limit) {
                return Err(error);
            }
            slice = (slice * 2).min(Duration::from_secs(8));
        }
    }

    /// Metadata if the cluster gives it soon; no error, no second try.
    pub(super) fn glance(&self, topic: Option<&str>, within: Duration) -> Option<Metadata> {
        self.native.fetch_metadata(topic, within).ok()
    }

    /// Whether to give up.
    fn verdict(&self, failure: &Failure, waited: Duration, limit: Duration) -> Option<Error> {
        let waiting = matches!(
            failure.code,
            Code::BrokerTransportFailure | Code::OperationTimedOut | Code::RequestTimedOut
        );
        if !waiting {
            return Some(failure.clone().into_contact_error(&self.brokers));
        }
        let last = lock(&self.health.last).clone();
        let hopeless = match last.as_ref().map(|f| f.code) {
            Some(Code::Authentication | Code::SSL) => true,
            Some(_) => self.is_down() && waited >= REFUSED_FOR,
            None => false,
        };
        if !hopeless && waited < limit {
            return None;
        }
        let failure = last.unwrap_or_else(|| {
            Failure::new(
                Code::OperationTimedOut,
                format!("no answer within {} s", waited.as_secs()),
            )
        });
        Some(failure.into_contact_error(&self.brokers))
    }
}

/// Guards hold plain data: a panic elsewhere does not spoil it.
fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How much a failure says: "1/1 brokers are down" the least.
fn telling(failure: &Failure) -> u8 {
    match failure.code {
        Code::AllBrokersDown => 0,
        Code::BrokerTransportFailure => 1,
        _ => 2,
    }
}

/// librdkafka's syslog levels.
fn log(level: i32, facility: &str, text: &str) {
    match level {
        0..=3 => tracing::error!(target: "librdkafka", "{facility} {text}"),
        4 => tracing::warn!(target: "librdkafka", "{facility} {text}"),
        5 | 6 => tracing::info!(target: "librdkafka", "{facility} {text}"),
        _ => tracing::debug!(target: "librdkafka", "{facility} {text}"),
    }
}

/// Runs a call that blocks on a thread of its own. When the future is dropped the thread ends by
/// itself, and nobody waits for it: tokio's own pool would hold up the end of the program.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    let (tell, told) = oneshot::channel();
    thread::Builder::new()
        .name("kafka-look".into())
        .spawn(move || drop(tell.send(work())))
        .map_err(|e| Error::new(ErrorKind::Broker, format!("start a thread: {e}")))?;
    told.await.map_err(|_| {
        Error::new(
            ErrorKind::Broker,
            "a look at the broker ended without an answer",
        )
    })?
}
