//! One connection to one broker: requests out, answers in, each read no further than it is. What
//! the answers mean is not known here, beyond the list of versions that opens every connection.

use std::time::Duration;

use bytes::BytesMut;
use kafka_protocol::messages::{ApiKey, ApiVersionsRequest, RequestHeader};
use kafka_protocol::protocol::{Encodable, StrBytes};
use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::{Instant, timeout};

use super::super::error::Failure;
use super::answers::Versions;
use super::sasl;
use super::settings::{Host, Settings};
use super::transport::{self, Transport};
use super::wire::{Reader, garbled};

/// Small reads come out of this; large ones go past it.
const INBOX: usize = 64 * 1024;
/// What is reserved ahead of the bytes that have come, at most.
const AHEAD: usize = 1 << 20;
/// `HTTP`, read as the length of an answer, and the first bytes of a TLS alert.
const TLS_ALERT: [u8; 2] = [0x15, 0x03];

/// Requests are answered in the order in which they were sent.
pub(super) struct Connection {
    stream: Transport,
    inbox: Inbox,
    client_id: StrBytes,
    last_id: i32,
    versions: Versions,
    largest: usize,
    patience: Duration,
    /// A little before the broker ends this session.
    expires: Option<Instant>,
}

/// Bytes that have come and were not taken.
struct Inbox {
    bytes: Box<[u8]>,
    start: usize,
    end: usize,
}

impl Inbox {
    fn waiting(&self) -> &[u8] {
        &self.bytes[self.start..self.end]
    }
}

impl Connection {
    /// Connects, asks for the versions and logs in.
    pub(super) async fn open(settings: &Settings, host: &Host) -> Result<Self, Failure> {
        let setup = async {
            let stream = transport::connect(settings, host).await?;
            let mut connection = Self {
                stream,
                inbox: Inbox {
                    bytes: vec![0; INBOX].into_boxed_slice(),
                    start: 0,
                    end: 0,
                },
                client_id: StrBytes::from_string(settings.client_id.clone()),
                last_id: 0,
                versions: Versions::default(),
                largest: settings.largest_answer,
                patience: settings.patience,
                expires: None,
            };
            connection.versions = connection.ask_versions().await?;
            connection.expires = sasl::log_in(&mut connection, settings).await?;
            Ok(connection)
        };
        match timeout(settings.setup_timeout, setup).await {
            Ok(opened) => opened,
            Err(_) => Err(Failure::new(
                Code::OperationTimedOut,
                format!("no answer within {} s", settings.setup_timeout.as_secs()),
            )),
        }
    }

    /// The newest version of a request that both sides know.
    pub(super) fn version(&self, api: ApiKey, ours: (i16, i16)) -> Result<i16, Failure> {
        self.versions.pick(api, ours)
    }

    async fn ask_versions(&mut self) -> Result<Versions, Failure> {
        let asked = ApiVersionsRequest::default()
            .with_client_software_name(StrBytes::from_static_str("evtap"))
            .with_client_software_version(StrBytes::from_static_str(env!("CARGO_PKG_VERSION")));
        // The answer has no tags in its header, whatever its version.
        let answer = self
            .call_with(ApiKey::ApiVersions, 3, &asked, false)
            .await?;
        // A broker that is older than the request answers in the oldest form.
        if answer.starts_with(&Versions::UNSUPPORTED) {
            let asked = ApiVersionsRequest::default();
            let answer = self
                .call_with(ApiKey::ApiVersions, 0, &asked, false)
                .await?;
            return Versions::read(&answer, 0);
        }
        Versions::read(&answer, 3)
    }

    /// Asks, and waits for the whole answer.
    pub(super) async fn call(
        &mut self,
        api: ApiKey,
        version: i16,
        request: &impl Encodable,
    ) -> Result<Vec<u8>, Failure> {
        let flexible = api.response_header_version(version) > 0;
        self.call_with(api, version, request, flexible).await
    }

    async fn call_with(
        &mut self,
        api: ApiKey,
        version: i16,
        request: &impl Encodable,
        flexible: bool,
    ) -> Result<Vec<u8>, Failure> {
        let id = self.send(api, version, request).await?;
        self.whole(id, flexible).await
    }

    /// Sends a request; the answer is to be received later, after those to earlier requests.
    pub(super) async fn send(
        &mut self,
        api: ApiKey,
        version: i16,
        request: &impl Encodable,
    ) -> Result<i32, Failure> {
        self.last_id = self.last_id.wrapping_add(1) & i32::MAX;
        let header = RequestHeader::default()
            .with_request_api_key(api as i16)
            .with_request_api_version(version)
            .with_correlation_id(self.last_id)
            .with_client_id(Some(self.client_id.clone()));
        let mut bytes = BytesMut::new();
        bytes.extend_from_slice(&[0; 4]);
        header
            .encode(&mut bytes, api.request_header_version(version))
            .and_then(|()| request.encode(&mut bytes, version))
            .map_err(|e| Failure::new(Code::InvalidArgument, format!("write a request: {e}")))?;
        let length = (bytes.len() - 4) as u32;
        bytes[..4].copy_from_slice(&length.to_be_bytes());
        let sent = async {
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        };
        match timeout(self.patience, sent).await {
            Ok(Ok(())) => Ok(self.last_id),
            Ok(Err(error)) => Err(transport::broken(&error)),
            Err(_) => Err(self.silent()),
        }
    }

    /// The body of the answer to the request `id`, whole.
    pub(super) async fn whole(&mut self, id: i32, flexible: bool) -> Result<Vec<u8>, Failure> {
        let length = self.answer(id, flexible).await?;
        let mut body = Vec::new();
        self.take(&mut body, length).await?;
        Ok(body)
    }

    /// The head of the answer to the request `id`; gives the length of the body that follows.
    pub(super) async fn answer(&mut self, id: i32, flexible: bool) -> Result<usize, Failure> {
        let head = self.peek(4).await?;
        if head.starts_with(&TLS_ALERT) {
            return Err(Failure::new(
                Code::BrokerTransportFailure,
                "Disconnected: a TLS listener answered",
            ));
        }
        let claimed = i32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        let length = usize::try_from(claimed).ok();
        let Some(mut length) = length.filter(|&l| l >= 4 && l <= self.largest) else {
            return Err(Failure::new(
                Code::BadMessage,
                format!("Invalid response size {claimed} (0..{})", self.largest),
            ));
        };
        self.pass(4);
        let head = self.peek(4).await?;
        let got = i32::from_be_bytes([head[0], head[1], head[2], head[3]]);
        if got != id {
            return Err(garbled("it answers another question"));
        }
        self.pass(4);
        length -= 4;
        if flexible {
            length = self.header_tags(length).await?;
        }
        Ok(length)
    }

    /// Passes the tagged fields of a header. There are none today, which is one byte.
    async fn header_tags(&mut self, length: usize) -> Result<usize, Failure> {
        let most = length.min(INBOX);
        let mut want = 1;
        loop {
            let have = self.peek(want.min(most)).await?;
            let seen = have.len().min(most);
            let mut reader = Reader::new(&have[..seen], true);
            match reader.tags() {
                Ok(()) => {
                    let used = seen - reader.left();
                    self.pass(used);
                    return Ok(length - used);
                }
                Err(_) if seen < most => want = seen + 1,
                Err(error) => return Err(error),
            }
        }
    }

    /// At least `count` bytes that wait, without taking them; `count` is at most what fits.
    pub(super) async fn peek(&mut self, count: usize) -> Result<&[u8], Failure> {
        let inbox = &mut self.inbox;
        if count > inbox.bytes.len() {
            return Err(garbled("a part of it is too long"));
        }
        if inbox.start + count > inbox.bytes.len() || inbox.start == inbox.end {
            inbox.bytes.copy_within(inbox.start..inbox.end, 0);
            inbox.end -= inbox.start;
            inbox.start = 0;
        }
        while self.inbox.end - self.inbox.start < count {
            let room = &mut self.inbox.bytes[self.inbox.end..];
            let got = match timeout(self.patience, self.stream.read(room)).await {
                Ok(got) => got.map_err(|e| transport::broken(&e))?,
                Err(_) => return Err(self.silent()),
            };
            if got == 0 {
                return Err(self.hung_up());
            }
            self.inbox.end += got;
        }
        Ok(self.inbox.waiting())
    }

    /// Takes bytes that were peeked at.
    pub(super) fn pass(&mut self, count: usize) {
        debug_assert!(count <= self.inbox.end - self.inbox.start);
        self.inbox.start += count;
    }

    /// Appends exactly `count` bytes to `into`. Reserves little more than has come, however large
    /// the count.
    pub(super) async fn take(&mut self, into: &mut Vec<u8>, count: usize) -> Result<(), Failure> {
        let ready = count.min(self.inbox.end - self.inbox.start);
        into.reserve(count.min(ready + AHEAD));
        into.extend_from_slice(&self.inbox.waiting()[..ready]);
        self.inbox.start += ready;
        let mut left = count - ready;
        while left > 0 {
            if left < INBOX / 4 {
                // The next header comes along with the end of this body.
                let ready = self.peek(left).await?;
                into.extend_from_slice(&ready[..left]);
                self.pass(left);
                return Ok(());
            }
            if into.capacity() == into.len() {
                into.reserve(left.min(AHEAD.max(into.len())));
            }
            let room = bytes::BufMut::limit(&mut *into, left);
            left -= self.read_some(room).await?;
        }
        Ok(())
    }

    async fn read_some(&mut self, mut room: impl bytes::BufMut) -> Result<usize, Failure> {
        match timeout(self.patience, self.stream.read_buf(&mut room)).await {
            Ok(Ok(0)) => Err(self.hung_up()),
            Ok(Ok(got)) => Ok(got),
            Ok(Err(error)) => Err(transport::broken(&error)),
            Err(_) => Err(self.silent()),
        }
    }

    /// Throws `count` bytes away.
    pub(super) async fn drop_bytes(&mut self, mut count: usize) -> Result<(), Failure> {
        while count > 0 {
            let ready = self.peek(1).await?.len().min(count);
            self.pass(ready);
            count -= ready;
        }
        Ok(())
    }

    fn silent(&self) -> Failure {
        Failure::new(
            Code::RequestTimedOut,
            format!("no answer within {} s", self.patience.as_secs()),
        )
    }

    /// The broker ends the session of this login soon.
    pub(super) fn expires_soon(&self) -> bool {
        self.expires.is_some_and(|due| due <= Instant::now())
    }

    fn hung_up(&self) -> Failure {
        let failure = Failure::new(
            Code::BrokerTransportFailure,
            "Disconnected: the other side hung up",
        );
        match &self.stream {
            Transport::Plain(_) => failure,
            Transport::Tls(_) => failure.hint(
                "if the listener wants a login, try -X security.protocol=SASL_SSL with \
                 sasl.mechanism, sasl.username and sasl.password",
            ),
        }
    }

    /// How long silence is borne where an answer is due.
    pub(super) fn set_patience(&mut self, patience: Duration) {
        self.patience = patience;
    }
}
