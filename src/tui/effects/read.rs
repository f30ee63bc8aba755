//! The read behind the stream: opens the sources, hands their batches on, tries again while the
//! broker is not there.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::broker::{
    self, Bound, BoxFuture, ErrorKind, Notices, Range, Source, Subscription, TopicSelector,
};
use crate::event::{Batch, Position};
use crate::pipeline;
use crate::tui::connect::Connection;
use crate::tui::msg::{From, Intake, Msg, ReadRequest, Trouble};

/// How long to wait before a broker that is not there is asked again.
const AGAIN: Duration = Duration::from_secs(3);
/// How often the progress is told.
const TELL: Duration = Duration::from_millis(100);
/// Positions before an event that is gone to.
const BEFORE: u64 = 200;

/// The screen's side of a read.
#[derive(Clone)]
struct Teller {
    read: u64,
    screen: mpsc::Sender<Msg>,
}

impl Teller {
    /// False when nobody listens any more.
    async fn tell(&self, what: Intake) -> bool {
        let read = self.read;
        self.screen.send(Msg::Intake { read, what }).await.is_ok()
    }
}

/// Reads until the range ends, or for ever.
pub async fn run(request: ReadRequest, screen: mpsc::Sender<Msg>) {
    let teller = Teller {
        read: request.read,
        screen,
    };
    loop {
        let Err(error) = pump(&request, &teller).await else {
            teller.tell(Intake::End).await;
            return;
        };
        let gone = error.kind == ErrorKind::Unreachable;
        if !teller.tell(Intake::Failed(Trouble::from(error))).await || !gone {
            return;
        }
        tokio::time::sleep(AGAIN).await;
    }
}

async fn pump(request: &ReadRequest, teller: &Teller) -> broker::Result<()> {
    let mut source = open(request, teller).await?;
    let mut told = Instant::now();
    teller.tell(Intake::Progress(source.progress())).await;
    while let Some(batch) = source.next_batch().await? {
        if !teller.tell(Intake::Batch(batch)).await {
            return Ok(());
        }
        if told.elapsed() >= TELL {
            told = Instant::now();
            teller.tell(Intake::Progress(source.progress())).await;
        }
    }
    teller.tell(Intake::Progress(source.progress())).await;
    Ok(())
}

async fn open(request: &ReadRequest, teller: &Teller) -> broker::Result<Box<dyn Source>> {
    let mut sources = Vec::with_capacity(request.connections.len());
    let mut ordered = !request.follow;
    for (index, connection) in request.connections.iter().enumerate() {
        ordered &= connection.capabilities().time_ordered;
        if let Some(sub) = subscription(request, index, connection, teller).await? {
            let origin = u16::try_from(index).unwrap_or(u16::MAX);
            sources.push(pipeline::tag(connection.broker.source(&sub).await?, origin));
        }
    }
    if sources.is_empty() {
        return Ok(Box::new(Nothing));
    }
    Ok(pipeline::merge(sources, ordered))
}

/// A source that has ended.
struct Nothing;

impl Source for Nothing {
    fn next_batch(&mut self) -> BoxFuture<'_, broker::Result<Option<Batch>>> {
        Box::pin(async { Ok(None) })
    }
}

/// What one connection is asked for; `None` when nothing of it was chosen.
async fn subscription(
    request: &ReadRequest,
    index: usize,
    connection: &Connection,
    teller: &Teller,
) -> broker::Result<Option<Subscription>> {
    let chosen = request.topics.as_ref().map(|t| t.get(index));
    let topics = match chosen {
        Some(Some(None) | None) => return Ok(None),
        Some(Some(Some(topics))) => topics.clone(),
        None => connection.address.topics(),
    };
    let from = match &request.from {
        From::Bound(from) => from.clone(),
        From::Around { .. } => Bound::Start,
    };
    let mut sub = Subscription {
        topics,
        partitions: request.partitions.clone(),
        range: Range::Bounds {
            from,
            until: request.until.clone(),
        },
        follow: request.follow,
        select: request.select.clone(),
        memory: request.memory / request.connections.len().max(1),
        raw: false,
        notices: notices(teller),
    };
    if let From::Around {
        topic,
        partition,
        position,
    } = &request.from
    {
        sub.topics = TopicSelector::one(topic);
        sub.partitions = vec![*partition];
        let mut ranges = match connection.broker.resolve(&sub).await {
            // Another of the sources has it.
            Err(e) if e.kind == ErrorKind::MissingTopic && request.connections.len() > 1 => {
                return Ok(None);
            }
            other => other?,
        };
        ranges.retain(|r| r.partition == *partition);
        for range in &mut ranges {
            let from = Position::offset(position.major.saturating_sub(BEFORE));
            range.start = range.start.max(from).min(range.end);
        }
        sub.range = Range::Frozen(ranges);
    }
    Ok(Some(sub))
}

fn notices(teller: &Teller) -> Notices {
    let teller = teller.clone();
    Notices::new(move |text| {
        tracing::info!("{text}");
        let (read, what) = (teller.read, Intake::Notice(text.to_owned()));
        // Told from threads that must not wait; a full channel means that events are coming, which
        // tells enough.
        teller.screen.try_send(Msg::Intake { read, what }).ok();
    })
}
