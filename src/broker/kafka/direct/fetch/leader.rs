//! The task of one broker: asks for the partitions that it leads, several requests ahead, and takes
//! the answers apart as they come in. What it cannot go on with goes to the steward.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use kafka_protocol::messages::ApiKey;
use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::sync::mpsc;

use super::super::super::error::Failure;
use super::super::cluster::Cluster;
use super::super::connection::Connection;
use super::super::wire::garbled;
use super::answer::{Body, TopicKey};
use super::lane::{Lane, Why};
use super::request::{self, Terms};
use super::shared::Shared;

/// Requests on their way: they hide the round trip, a broker answers one after the other.
const AHEAD: usize = 6;
/// Bytes that one request asks for. A batch that does not fit is cut, and its first part sent for
/// nothing: far more than a batch.
const FETCH: usize = 4 << 20;
/// Grown to this while a long round trip leaves the connection idle.
const LARGEST_FETCH: usize = 16 << 20;
/// A connection that was idle for longer before a full answer waits for round trips.
const STARVED: Duration = Duration::from_millis(3);
/// Of one partition, where many that have little are asked at once.
const TAIL_FETCH: usize = 1 << 20;
/// How often partitions at their end are asked for while others are far behind.
const GLANCE: Duration = Duration::from_millis(50);
/// A log may look shorter than it is while a new leader catches up.
const SHORT_FOR: Duration = Duration::from_secs(10);
/// The patience for an answer is doubled with each failure, up to this many times.
const DOUBLINGS: u32 = 3;

/// A request on its way.
#[derive(Default)]
struct Flight {
    id: i32,
    version: i16,
    lanes: Vec<u32>,
    /// Bytes that were asked for of each.
    size: usize,
    /// The lanes had nothing more when it was sent.
    resting: bool,
}

/// The lanes of one broker.
pub(super) struct Leader {
    shared: Arc<Shared>,
    node: i32,
    inbox: mpsc::Receiver<Vec<Lane>>,
    lanes: HashMap<u32, Lane>,
    /// Lanes with more to read, in the order in which they are asked for.
    behind: VecDeque<u32>,
    /// Lanes at the end of their log.
    resting: VecDeque<u32>,
    flights: VecDeque<Flight>,
    glanced: Instant,
    fetch: usize,
}

/// What became of a lane.
enum After {
    Behind,
    Resting,
    Done,
    Away(Why),
}

impl Leader {
    pub(super) fn new(shared: Arc<Shared>, node: i32, inbox: mpsc::Receiver<Vec<Lane>>) -> Self {
        let fetch = shared.wishes.partition_bytes.unwrap_or(FETCH);
        Self {
            shared,
            node,
            inbox,
            lanes: HashMap::new(),
            behind: VecDeque::new(),
            resting: VecDeque::new(),
            flights: VecDeque::new(),
            glanced: Instant::now(),
            fetch,
        }
    }

    /// The task's body: ends when no lane is left, or with the connection.
    pub(super) async fn run(mut self, cluster: Arc<Cluster>) {
        let ended = self.read(&cluster).await;
        // What was sent here and not taken in goes back as well.
        self.inbox.close();
        while let Ok(lanes) = self.inbox.try_recv() {
            for lane in lanes {
                self.shared.orphan(lane, Why::New).await;
            }
        }
        let Err(failure) = ended else { return };
        tracing::debug!(target: "kafka", "broker {}: {}", self.node, failure.text);
        for (_, mut lane) in self.lanes.drain() {
            lane.stumbles += 1;
            self.shared.orphan(lane, Why::Lost(failure.clone())).await;
        }
    }

    async fn read(&mut self, cluster: &Cluster) -> Result<(), Failure> {
        self.take_in();
        let (host, mut connection) = cluster.connect(self.node).await?;
        let stumbles = self.lanes.values().map(|l| l.stumbles).max().unwrap_or(0);
        let patience = cluster.settings.patience * 2u32.pow(stumbles.min(DOUBLINGS));
        connection.set_patience(patience + self.shared.wishes.wait);
        loop {
            self.take_in();
            if self.lanes.is_empty() && self.flights.is_empty() {
                connection.set_patience(cluster.settings.patience);
                cluster.keep(host, connection);
                return Ok(());
            }
            if connection.expires_soon() && self.flights.is_empty() {
                return Err(Failure::new(
                    Code::BrokerTransportFailure,
                    "the session ends",
                ));
            }
            self.ask(&mut connection).await?;
            self.receive(&mut connection).await?;
        }
    }

    fn take_in(&mut self) {
        while let Ok(lanes) = self.inbox.try_recv() {
            for lane in lanes {
                self.behind.push_back(lane.stream);
                self.lanes.insert(lane.stream, lane);
            }
        }
    }

    /// Sends as many requests as may be on their way.
    async fn ask(&mut self, connection: &mut Connection) -> Result<(), Failure> {
        if connection.expires_soon() {
            return Ok(());
        }
        while self.flights.len() < AHEAD
            && let Some(stream) = self.behind.pop_front()
        {
            let flight = Flight {
                lanes: vec![stream],
                size: self.fetch,
                ..Flight::default()
            };
            // A broker answers one request after the other: one that waits at the end of its
            // partition would hold up all others. Those at their end wait together, below.
            let wait = if self.lanes.len() == 1 {
                self.shared.wishes.wait
            } else {
                Duration::ZERO
            };
            self.send(connection, flight, wait).await?;
        }
        if self.resting.is_empty() || self.flights.iter().any(|flight| flight.resting) {
            return Ok(());
        }
        let busy = !self.flights.is_empty();
        if busy && self.glanced.elapsed() < GLANCE {
            return Ok(());
        }
        self.glanced = Instant::now();
        // So that none is always the last to be answered.
        self.resting.rotate_left(1);
        let mut streams: Vec<u32> = self.resting.drain(..).collect();
        let first = streams[0];
        streams.sort_unstable();
        let start = streams.iter().position(|&s| s == first).unwrap_or(0);
        streams.rotate_left(start);
        let wait = if busy {
            Duration::ZERO
        } else {
            self.shared.wishes.wait
        };
        let flight = Flight {
            lanes: streams,
            size: self.fetch.min(TAIL_FETCH),
            resting: true,
            ..Flight::default()
        };
        self.send(connection, flight, wait).await
    }

    async fn send(
        &mut self,
        connection: &mut Connection,
        mut flight: Flight,
        wait: Duration,
    ) -> Result<(), Failure> {
        let lanes: Vec<&Lane> = flight
            .lanes
            .iter()
            .filter_map(|s| self.lanes.get(s))
            .collect();
        let newest = connection.version(ApiKey::Fetch, request::VERSIONS)?;
        flight.version = request::version(newest, &lanes);
        let wishes = &self.shared.wishes;
        let terms = Terms {
            max_wait_ms: wait.as_millis() as i32,
            min_bytes: wishes.min_bytes,
            max_bytes: bytes(wishes.max_bytes.unwrap_or(self.fetch)),
            partition_max_bytes: bytes(flight.size),
            committed_only: wishes.committed_only,
            rack: wishes.rack.clone(),
        };
        let asked = request::request(flight.version, &lanes, &terms);
        flight.id = connection
            .send(ApiKey::Fetch, flight.version, &asked)
            .await?;
        self.flights.push_back(flight);
        Ok(())
    }

    /// Takes the answer to the oldest request.
    async fn receive(&mut self, connection: &mut Connection) -> Result<(), Failure> {
        let Some(flight) = self.flights.pop_front() else {
            return Ok(());
        };
        let starving = Instant::now();
        let flexible = ApiKey::Fetch.response_header_version(flight.version) > 0;
        let left = connection.answer(flight.id, flexible).await?;
        let starved = starving.elapsed() > STARVED;
        let free = self.shared.wishes.partition_bytes.is_none();
        if starved && left > flight.size / 4 * 3 && free {
            self.fetch = (self.fetch * 2).min(LARGEST_FETCH);
        }
        let mut body = Body::new(left, flight.version);
        let topics = body.begin(connection).await?;
        let mut unanswered = flight.lanes.clone();
        for _ in 0..topics {
            let (topic, partitions) = body.topic(connection).await?;
            for _ in 0..partitions {
                self.partition(connection, &mut body, &flight, &topic, &mut unanswered)
                    .await?;
            }
            body.tags(connection).await?;
        }
        body.end(connection).await?;
        if !flight.resting && !unanswered.is_empty() {
            return Err(garbled("the partition that was asked for is not in it"));
        }
        // Of the many that have nothing new, an answer may leave some out.
        self.resting.extend(unanswered);
        Ok(())
    }

    async fn partition(
        &mut self,
        connection: &mut Connection,
        body: &mut Body,
        flight: &Flight,
        topic: &TopicKey,
        unanswered: &mut Vec<u32>,
    ) -> Result<(), Failure> {
        let head = body.partition(connection).await?;
        let asked = unanswered.iter().position(|stream| {
            self.lanes.get(stream).is_some_and(|lane| {
                i64::from(lane.partition) == i64::from(head.partition)
                    && match topic {
                        TopicKey::Name(name) => *name == *lane.topic,
                        TopicKey::Id(id) => *id == lane.topic_id,
                    }
            })
        });
        let Some(mut lane) = asked.and_then(|at| self.lanes.remove(&unanswered.remove(at))) else {
            return Err(garbled("it has a partition that was not asked for"));
        };
        let (error, size, nearer) = (head.error, head.records, head.nearer);
        let before = lane.next;
        let taken = self.shared.take(connection, &mut lane, head).await;
        body.taken(size);
        let after = match taken {
            Ok(()) => body.partition_end(connection).await,
            Err(failure) => Err(failure),
        };
        let after = match after {
            Ok(diverged) => {
                let came = lane.next > before || size > 0;
                match judge(&mut lane, error, diverged, came) {
                    After::Resting | After::Behind if nearer >= 0 && nearer != self.node => {
                        After::Away(Why::Nearer(nearer))
                    }
                    after => after,
                }
            }
            Err(failure) => {
                // The lane goes back with the others.
                self.lanes.insert(lane.stream, lane);
                return Err(failure);
            }
        };
        if lane.next == before && size > 0 && matches!(after, After::Behind) {
            // Not one whole batch came.
            if flight.size >= LARGEST_FETCH.max(self.fetch) {
                self.lanes.insert(lane.stream, lane);
                return Err(garbled("no batch of it is whole"));
            }
            self.fetch = (self.fetch * 4).min(LARGEST_FETCH);
        }
        self.settle(lane, after).await;
        Ok(())
    }

    async fn settle(&mut self, mut lane: Lane, after: After) {
        match after {
            After::Behind => self.behind.push_back(lane.stream),
            After::Resting => self.resting.push_back(lane.stream),
            After::Done => return self.shared.done().await,
            After::Away(why) => {
                if matches!(why, Why::Lost(_)) {
                    lane.stumbles += 1;
                }
                return self.shared.orphan(lane, why).await;
            }
        }
        self.lanes.insert(lane.stream, lane);
    }
}

/// What to do with a lane after its answer.
fn judge(lane: &mut Lane, error: i16, diverged: Option<i64>, came: bool) -> After {
    match Failure::from_number(error.into()).code {
        Code::NoError => {}
        Code::OffsetOutOfRange => return After::Away(Why::OutOfRange),
        _ => return After::Away(Why::Lost(Failure::from_number(error.into()))),
    }
    if let Some(end) = diverged {
        return After::Away(Why::Diverged(end));
    }
    if lane.is_done() {
        return After::Done;
    }
    if came {
        return After::Behind;
    }
    if lane.end.is_some() {
        let since = *lane.short_since.get_or_insert_with(Instant::now);
        if since.elapsed() > SHORT_FOR {
            return After::Away(Why::Short);
        }
    }
    After::Resting
}

fn bytes(count: usize) -> i32 {
    i32::try_from(count).unwrap_or(i32::MAX)
}
