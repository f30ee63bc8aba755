//! A proxy before a Kafka broker, on loopback: it hands requests and answers through whole, tells
//! clients its own port as the broker's, and lets a test meddle with answers and with connections.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use kafka_protocol::messages::{ApiKey, MetadataResponse, RequestHeader, ResponseHeader};
use kafka_protocol::protocol::{Decodable, Encodable};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio::sync::mpsc;

/// How a connection fares.
#[derive(Debug, Clone, Copy, Default)]
pub struct Weather {
    /// It ends after that time, in the middle of whatever it does.
    pub life: Option<Duration>,
    /// Before it ends it takes what it is sent and says nothing, that long.
    pub silence: Duration,
    /// Bytes a second that reach the client.
    pub rate: Option<u64>,
}

/// A request that was seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    pub connection: usize,
    pub api: ApiKey,
    pub version: i16,
    pub id: i32,
    /// The client called itself evtap, not librdkafka.
    pub direct: bool,
}

/// What becomes of a request.
pub enum Then {
    Pass,
    /// It is answered by this, after the length and the number of the request.
    Answer(Vec<u8>),
    HangUp,
}

/// What a test does to what passes.
pub trait Meddle: Send + Sync + 'static {
    fn weather(&self, _connection: usize) -> Weather {
        Weather::default()
    }

    fn request(&self, _asked: &Asked) -> Then {
        Then::Pass
    }

    /// Changes an answer, its length in front included. True: the connection ends after it.
    fn answer(&self, _asked: &Asked, _frame: &mut Vec<u8>) -> bool {
        false
    }

    fn delay(&self, _asked: &Asked) -> Duration {
        Duration::ZERO
    }
}

pub struct Proxy {
    port: u16,
    shared: Arc<Shared>,
    runtime: Option<Runtime>,
}

struct Shared {
    port: u16,
    meddle: Box<dyn Meddle>,
    asked: Mutex<Vec<Asked>>,
    died: AtomicUsize,
}

impl Proxy {
    /// A proxy before the broker at `upstream`.
    pub fn start(upstream: &str, meddle: impl Meddle) -> Self {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .unwrap();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let port = listener.local_addr().unwrap().port();
        let shared = Arc::new(Shared {
            port,
            meddle: Box::new(meddle),
            asked: Mutex::default(),
            died: AtomicUsize::new(0),
        });
        runtime.spawn(listen(listener, upstream.to_owned(), Arc::clone(&shared)));
        Self {
            port,
            shared,
            runtime: Some(runtime),
        }
    }

    pub fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The requests so far.
    pub fn asked(&self) -> Vec<Asked> {
        self.shared.asked.lock().unwrap().clone()
    }

    /// How many connections ended by the weather.
    pub fn died(&self) -> usize {
        self.shared.died.load(Ordering::Relaxed)
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            // It may be dropped where waiting is not allowed.
            runtime.shutdown_background();
        }
    }
}

async fn listen(listener: std::net::TcpListener, upstream: String, shared: Arc<Shared>) {
    let listener = TcpListener::from_std(listener).unwrap();
    let count = AtomicUsize::new(0);
    while let Ok((client, _)) = listener.accept().await {
        let number = count.fetch_add(1, Ordering::Relaxed);
        let (upstream, shared) = (upstream.clone(), Arc::clone(&shared));
        tokio::spawn(async move { serve(client, &upstream, number, &shared).await });
    }
}

async fn serve(client: TcpStream, upstream: &str, number: usize, shared: &Shared) {
    let Ok(server) = TcpStream::connect(upstream).await else {
        return;
    };
    client.set_nodelay(true).unwrap();
    server.set_nodelay(true).unwrap();
    let weather = shared.meddle.weather(number);
    let (mut from_client, mut to_client) = client.into_split();
    let (mut from_server, mut to_server) = server.into_split();
    let (sent, mut waiting) = mpsc::channel(256);
    let pass = async {
        tokio::select! {
            () = requests(number, &mut from_client, &mut to_server, &sent, shared) => {}
            () = answers(&mut from_server, &mut to_client, &mut waiting, weather, shared) => {}
        }
    };
    let life = weather.life.unwrap_or(Duration::from_hours(1));
    if tokio::time::timeout(life, pass).await.is_err() {
        let mut swallowed = [0; 4096];
        let swallow = async { while matches!(from_client.read(&mut swallowed).await, Ok(1..)) {} };
        drop(tokio::time::timeout(weather.silence, swallow).await);
        shared.died.fetch_add(1, Ordering::Relaxed);
    }
}

/// A request that waits for its answer, with the answer if it is not the broker's.
type Waiting = (Asked, Option<Vec<u8>>);

/// From the client to the broker, until either is gone.
async fn requests(
    connection: usize,
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    sent: &mpsc::Sender<Waiting>,
    shared: &Shared,
) {
    let mut direct = false;
    while let Some(frame) = frame(from).await {
        let word = |at: usize| i16::from_be_bytes([frame[at], frame[at + 1]]);
        let api = ApiKey::try_from(word(4)).unwrap();
        let version = word(6);
        let mut rest = Bytes::copy_from_slice(&frame[4..]);
        let header = RequestHeader::decode(&mut rest, api.request_header_version(version)).unwrap();
        // Its name for itself opens every conversation.
        direct |= api == ApiKey::ApiVersions && rest.starts_with(b"\x06evtap");
        let asked = Asked {
            connection,
            api,
            version,
            id: header.correlation_id,
            direct,
        };
        shared.asked.lock().unwrap().push(asked);
        let answer = match shared.meddle.request(&asked) {
            Then::Pass => None,
            Then::Answer(body) => Some(framed(asked.id, &body)),
            Then::HangUp => return,
        };
        let pass = answer.is_none();
        if sent.send((asked, answer)).await.is_err() {
            return;
        }
        if pass && to.write_all(&frame).await.is_err() {
            return;
        }
    }
}

/// From the broker to the client, until either is gone.
async fn answers(
    from: &mut OwnedReadHalf,
    to: &mut OwnedWriteHalf,
    waiting: &mut mpsc::Receiver<Waiting>,
    weather: Weather,
    shared: &Shared,
) {
    while let Some((asked, answer)) = waiting.recv().await {
        let mut answer = match answer {
            Some(answer) => answer,
            None => match frame(from).await {
                Some(frame) => frame,
                None => return,
            },
        };
        if asked.api == ApiKey::Metadata {
            change(&asked, &mut answer, |metadata: &mut MetadataResponse| {
                for broker in &mut metadata.brokers {
                    broker.port = shared.port.into();
                }
            });
        }
        let last = shared.meddle.answer(&asked, &mut answer);
        tokio::time::sleep(shared.meddle.delay(&asked)).await;
        for chunk in answer.chunks(64 << 10) {
            if to.write_all(chunk).await.is_err() {
                return;
            }
            if let Some(rate) = weather.rate {
                let micros = chunk.len() as u64 * 1_000_000 / rate;
                tokio::time::sleep(Duration::from_micros(micros)).await;
            }
        }
        if last {
            return;
        }
    }
}

/// A request or an answer with its length in front.
async fn frame(from: &mut OwnedReadHalf) -> Option<Vec<u8>> {
    let length = from.read_u32().await.ok()?;
    let mut frame = vec![0; length as usize + 4];
    frame[..4].copy_from_slice(&length.to_be_bytes());
    from.read_exact(&mut frame[4..]).await.ok()?;
    Some(frame)
}

fn framed(id: i32, body: &[u8]) -> Vec<u8> {
    let length = body.len() as u32 + 4;
    [&length.to_be_bytes()[..], &id.to_be_bytes(), body].concat()
}

/// Changes a well-formed answer.
pub fn change<T: Decodable + Encodable>(
    asked: &Asked,
    frame: &mut Vec<u8>,
    edit: impl FnOnce(&mut T),
) {
    let header_version = asked.api.response_header_version(asked.version);
    let mut rest = Bytes::copy_from_slice(&frame[4..]);
    ResponseHeader::decode(&mut rest, header_version).unwrap();
    let mut message = T::decode(&mut rest, asked.version).unwrap();
    edit(&mut message);
    let mut bytes = BytesMut::new();
    let header = ResponseHeader::default().with_correlation_id(asked.id);
    header.encode(&mut bytes, header_version).unwrap();
    message.encode(&mut bytes, asked.version).unwrap();
    *frame = framed(asked.id, &bytes[4..]);
}
