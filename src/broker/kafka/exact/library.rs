//! librdkafka's transactional producer, waited for without blocking the runtime. For clusters that
//! our own protocol code cannot log in to, and for properties that only librdkafka honours.

use std::pin::pin;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rdkafka::types::{RDKafkaErrorCode as Code, RDKafkaType};
use tokio::time::sleep;

use super::super::client::{Client, blocking};
use super::super::error::Failure;
use super::super::terms::{Commit, Committer};
use super::super::transactions::{Commits, Fault, STEP, Transactions};
use super::super::writer::Writer;
use super::producer::{BEGIN, Made, explained};
use super::trouble::Trouble;
use crate::broker::{Error, Result, Written};
use crate::event::Batch;

/// How often a producer that is at work elsewhere is asked for its reports.
const PUMP: Duration = Duration::from_millis(5);

/// Where its transaction stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    None,
    Open,
    /// A step failed or was given up on: only a new producer knows again.
    Doubtful,
}

pub(super) struct Library {
    /// Taken when it is dropped.
    writer: Option<Writer>,
    topic: Arc<str>,
    state: State,
}

impl Library {
    /// Ends what an earlier one of the same id left open.
    pub(super) async fn new(made: Made) -> Result<Self, Trouble> {
        let topic = Arc::clone(&made.topic);
        let writer = blocking(move || {
            let config = made.properties.transactional(&made.id, made.longest);
            let kind = RDKafkaType::RD_KAFKA_PRODUCER;
            let client = Arc::new(Client::new(&config, kind, &made.properties)?);
            Writer::new(&client, &made.topic, made.partitions, made.notices)
        });
        let mut producer = Self {
            writer: Some(writer.await?),
            topic,
            state: State::None,
        };
        let begun = producer
            .step(|transactions| patiently(|left| transactions.init(left)))
            .await;
        begun.map_err(|fault| Trouble::of(explained(fault.failure), BEGIN))?;
        Ok(producer)
    }

    fn writer(&mut self) -> Result<&mut Writer> {
        let gone = || Failure::of(Code::State).into_error("write exactly once");
        self.writer.as_mut().ok_or_else(gone)
    }

    /// Fit to begin or go on with a transaction.
    pub(super) fn is_sound(&self) -> bool {
        self.state != State::Doubtful
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    fn begin(&mut self) -> Result<()> {
        if self.state == State::Open {
            return Ok(());
        }
        let topic = Arc::clone(&self.topic);
        let begun = Transactions(self.writer()?.client()).begin();
        begun.map_err(|fault| {
            let what = format!("begin a transaction for {topic}");
            self.state = State::Doubtful;
            fault.failure.into_error(&what)
        })?;
        self.state = State::Open;
        Ok(())
    }

    pub(super) async fn send(&mut self, batch: &Batch) -> Result<()> {
        self.begin()?;
        self.state = State::Doubtful;
        self.writer()?.send(batch).await?;
        self.state = State::Open;
        Ok(())
    }

    /// Commits what was sent together with these commits, and tells how much was sent.
    pub(super) async fn commit(
        &mut self,
        commits: &[Commit],
        of: Committer,
    ) -> Result<Written, (Code, Error)> {
        self.begin().map_err(|error| (Code::State, error))?;
        let what = format!("commit to {}", self.topic);
        let commits =
            Commits::new(commits).map_err(|failure| (failure.code, failure.into_error(&what)))?;
        self.state = State::Doubtful;
        let ended = self
            .step(move |transactions| {
                patiently(|left| transactions.commits(&commits, &of, left))?;
                patiently(|left| transactions.commit(left))
            })
            .await;
        if let Err(fault) = ended {
            let failure = self.reason(fault.failure);
            let code = failure.code;
            return Err((code, explained(failure).into_error(&what)));
        }
        self.state = State::None;
        let writer = self.writer().map_err(|error| (Code::State, error))?;
        writer.tell_undated();
        Ok(writer.take_sent())
    }

    /// Why an event was refused says more than that the transaction failed for it; that it was
    /// thrown away because the transaction failed says less.
    fn reason(&self, failure: Failure) -> Failure {
        let Some(writer) = &self.writer else {
            return failure;
        };
        writer.client().pump();
        let (_, why) = writer.client().undelivered();
        let purged = |why: &Failure| matches!(why.code, Code::PurgeQueue | Code::PurgeInflight);
        why.filter(|why| !purged(why)).unwrap_or(failure)
    }

    /// Takes back what was sent.
    pub(super) async fn abort(&mut self) -> Result<()> {
        if self.state == State::None {
            return Ok(());
        }
        self.state = State::Doubtful;
        let ended = self
            .step(|transactions| patiently(|left| transactions.abort(left)))
            .await;
        ended.map_err(|fault| {
            let what = format!("take back what was sent to {}", self.topic);
            explained(fault.failure).into_error(&what)
        })?;
        let writer = self.writer()?;
        writer.client().pump();
        writer.client().forgive();
        writer.take_sent();
        self.state = State::None;
        Ok(())
    }

    /// What a producer gave up on first.
    pub(super) fn refusal(&self) -> Option<Code> {
        let (_, why) = self.writer.as_ref()?.client().undelivered();
        why.map(|why| why.code)
    }

    /// It was said that the cluster is lost.
    pub(super) fn is_lost(&self) -> bool {
        self.writer.as_ref().is_some_and(Writer::is_lost)
    }

    /// Another one has its id, or the broker ended a transaction that was open for too long.
    pub(super) fn is_fenced(&self) -> bool {
        let fatal = self.writer.as_ref().and_then(|w| w.client().fatal());
        matches!(
            fatal,
            Some(Code::Fenced | Code::ProducerFenced | Code::InvalidProducerEpoch)
        )
    }

    /// Runs a step that blocks, and takes the producer's reports meanwhile: some steps wait for
    /// these.
    async fn step(
        &mut self,
        step: impl FnOnce(Transactions<'_>) -> Result<(), Fault> + Send + 'static,
    ) -> Result<(), Fault> {
        let Some(writer) = &mut self.writer else {
            return Err(Failure::of(Code::State).into());
        };
        let client = Arc::clone(writer.client());
        let mut done = pin!(blocking(move || Ok(step(Transactions(&client)))));
        loop {
            tokio::select! {
                ended = &mut done => {
                    if matches!(ended, Ok(Ok(()))) {
                        writer.found();
                    }
                    return ended.unwrap_or_else(|error| {
                        Err(Failure::new(Code::Fail, error.message).into())
                    });
                }
                () = sleep(PUMP) => writer.look(),
            }
        }
    }
}

impl Drop for Library {
    /// Ending a producer may take a while, which nobody has to wait for.
    fn drop(&mut self) {
        let writer = self.writer.take();
        let ended = thread::Builder::new()
            .name("kafka-end".into())
            .spawn(move || drop(writer));
        if let Err(error) = ended {
            tracing::warn!("end a producer: {error}");
        }
    }
}

/// Tries again what may be tried again.
fn patiently(step: impl Fn(Duration) -> Result<(), Fault>) -> Result<(), Fault> {
    let began = Instant::now();
    loop {
        match step(STEP.saturating_sub(began.elapsed())) {
            Err(fault) if fault.retriable && began.elapsed() + PUMP < STEP => thread::sleep(PUMP),
            ended => return ended,
        }
    }
}
