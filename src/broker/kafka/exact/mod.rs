//! Writing exactly once: transactions that hold events together with the progress that they stand
//! for, as commits of the job's group on the cluster that is written to. Hosts that share a job are
//! members of that group, which is also what fences a host that was taken for dead: its commits are
//! refused, and with them its events.
//!
//! `ledger` knows where progress stands, `assign` who gets what, `share` asks for both, `producer`
//! has the transactions. The protocol is spoken by `direct::member` and `direct::produce`. Where those
//! cannot log in there is one host, its transactions are librdkafka's (`library`), and the
//! transactional id alone is the fence.

mod assign;
mod books;
mod ledger;
#[cfg(test)]
mod ledger_tests;
mod library;
mod looker;
mod producer;
mod share;
mod trouble;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode as Code;

use self::assign::Given;
use self::books::Books;
use self::ledger::Ledger;
pub(super) use self::looker::Looker;
use self::producer::Producer;
use super::direct::identity::Identity;
use super::direct::member::Member;
use super::properties::Properties;
use super::terms::Committer;
use crate::broker::exact::{Job, Progress, Share};
use crate::broker::{BoxFuture, Error, ErrorKind, ExactSink, Notices, Result, Written};
use crate::event::Batch;

/// A host that gives no sign of life for this long is taken for dead.
const SESSION: Duration = Duration::from_secs(10);

/// How often the target is asked for, at most, while it is written to.
const CHECK: Duration = Duration::from_secs(1);

/// A part in a job.
pub(super) struct KafkaExact {
    books: Books,
    properties: Arc<Properties>,
    notices: Notices,
    partitions: u32,
    /// `None`: this host does it alone.
    member: Option<Member>,
    /// The target as it was at first, where that is told.
    target: Option<Identity>,
    checked: Instant,
    producer: Option<Producer>,
    given: Given,
    /// How often this host found nothing to do while others had more than one thing.
    asked_for_more: u32,
    progress: Vec<Option<Progress>>,
    committed: Written,
    /// It was said that the cluster is lost, and not yet that it is back.
    lost: bool,
    /// The last error was one that another try does not mend.
    lasting: bool,
}

/// Takes part in a job, whose target must exist. Neither joins nor writes yet.
pub(super) async fn open(
    looker: Looker,
    properties: Arc<Properties>,
    notices: Notices,
    job: &Job,
) -> Result<KafkaExact> {
    named(&job.name, "job")?;
    named(&job.worker, "worker")?;
    let topic = &job.target.topic;
    let partitions = looker.target(topic).await?;
    let ledger = Ledger::new(job, partitions)?;
    let session = session(&properties)?;
    let target = match looker.direct() {
        Some(direct) => Some(direct.identity(topic).await?),
        None => None,
    };
    let member = looker
        .direct()
        .map(|direct| direct.member(&job.name, &job.worker, session));
    Ok(KafkaExact {
        books: Books {
            looker,
            job: job.clone(),
            ledger,
        },
        properties,
        notices,
        progress: vec![None; job.units.len()],
        partitions,
        member,
        target,
        checked: Instant::now(),
        producer: None,
        given: Given::default(),
        asked_for_more: 0,
        committed: Written::default(),
        lost: false,
        lasting: false,
    })
}

/// Names stand in groups and transactional ids, which other tools show and take as they are.
fn named(name: &str, what: &str) -> Result<()> {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-".contains(&b);
    if !name.is_empty() && name.len() <= 200 && name.bytes().all(plain) {
        return Ok(());
    }
    let message = format!("'{name}' cannot be the name of a {what}");
    Err(Error::new(ErrorKind::Usage, message)
        .hint("up to 200 letters, digits, dots, dashes and underscores"))
}

fn session(properties: &Properties) -> Result<Duration> {
    let Some(given) = properties.get("session.timeout.ms") else {
        return Ok(SESSION);
    };
    let millis = given.parse().ok().filter(|millis| *millis > 0);
    millis.map(Duration::from_millis).ok_or_else(|| {
        let message = "the property 'session.timeout.ms' is no number of milliseconds";
        Error::new(ErrorKind::Usage, message)
    })
}

impl KafkaExact {
    fn committer(&self) -> Committer {
        Committer {
            group: self.books.job.name.clone(),
            member: self.member.as_ref().map(Member::identity),
        }
    }

    /// The producer of the share that is under way.
    fn producer(&mut self) -> Result<&mut Producer> {
        let sound = self.producer.as_mut().filter(|p| p.is_sound());
        sound.ok_or_else(|| {
            Error::new(
                ErrorKind::Broker,
                "write exactly once: what was sent is in doubt, and a new share is needed",
            )
        })
    }

    async fn commit_now(&mut self, changes: &[(usize, Progress)]) -> Result<Written> {
        if changes.is_empty() {
            return match &self.producer {
                Some(producer) if producer.is_open() => Err(Error::new(
                    ErrorKind::Usage,
                    "a commit of events needs the progress that they stand for",
                )),
                _ => Ok(self.committed),
            };
        }
        let mut progress = self.progress.clone();
        let units: Vec<usize> = changes.iter().map(|(unit, _)| *unit).collect();
        for (unit, change) in changes {
            let told = progress.get_mut(*unit).ok_or_else(|| {
                Error::new(ErrorKind::Usage, format!("the job has no unit {unit}"))
            })?;
            *told = Some(change.clone());
        }
        let entries = self.books.ledger.entries(&units, &progress)?;
        let committer = self.committer();
        let sent = match self.producer()?.commit(&entries, committer).await {
            Ok(sent) => sent,
            Err((code, error)) => {
                self.lasting |= is_lasting(code);
                return Err(error);
            }
        };
        self.progress = progress;
        self.committed.events += sent.events;
        self.committed.bytes += sent.bytes;
        if self.checked.elapsed() > CHECK {
            self.same_target().await?;
        }
        Ok(self.committed)
    }

    /// An error when the target was deleted meanwhile, even if it is there again.
    async fn same_target(&mut self) -> Result<()> {
        self.checked = Instant::now();
        match &self.target {
            Some(target) => target.check().await,
            None => Ok(()),
        }
    }

    async fn recover_now(&mut self, error: Error) -> Result<()> {
        let refused = self.producer.as_ref().and_then(Producer::refusal);
        let lasting = std::mem::take(&mut self.lasting) || refused.is_some_and(is_lasting);
        // A broker that came up a moment ago may not know its topics yet: that is asked below.
        let missing = error.kind == ErrorKind::MissingTopic;
        if lasting || (gives_up(error.kind) && !missing) {
            return Err(error);
        }
        if self.member.is_none() && self.producer.as_ref().is_some_and(Producer::is_fenced) {
            return Err(self.taken());
        }
        // What it left open is ended by the next one, which has its id.
        self.lost |= self.producer.take().is_some_and(|p| p.is_lost());
        let found = self.books.looker.target(&self.books.job.target.topic);
        match found.await {
            Ok(partitions) => self.partitions = partitions,
            Err(error) if gives_up(error.kind) => return Err(error),
            // The next share waits for it.
            Err(error) => tracing::debug!("recover: {error}"),
        }
        self.same_target().await?;
        self.not_fenced().await
    }

    /// An error when another process has this one's place: two would fence each other for ever.
    async fn not_fenced(&mut self) -> Result<()> {
        let Some(member) = &mut self.member else {
            return Ok(());
        };
        if let Err(failure) = member.ask().await {
            tracing::debug!("ask for the membership: {}", failure.text);
        }
        if member.is_fenced() {
            return Err(self.taken());
        }
        Ok(())
    }

    fn taken(&self) -> Error {
        let (job, worker) = (&self.books.job.name, &self.books.job.worker);
        let message = format!("another process took this one's place in {job}");
        if self.member.is_some() {
            return Error::new(
                ErrorKind::Refused,
                format!("{message}: it was started as '{worker}' too"),
            )
            .hint("run it once a host, or give each its own name");
        }
        Error::new(ErrorKind::Refused, message).hint(
            "hosts share a job only where evtap speaks Kafka's own protocol: --explain says why \
             it does not here",
        )
    }

    async fn finish_now(&mut self) -> Result<()> {
        if let Some(mut producer) = self.producer.take()
            && producer.is_sound()
        {
            producer.abort().await?;
        }
        let Some(member) = &mut self.member else {
            return Ok(());
        };
        let what = format!("leave the group {}", self.books.job.name);
        member.leave().await.map_err(|f| f.into_error(&what))
    }
}

/// Another try meets the same.
const fn gives_up(kind: ErrorKind) -> bool {
    matches!(
        kind,
        ErrorKind::Usage
            | ErrorKind::Damaged
            | ErrorKind::Authentication
            | ErrorKind::Authorization
            | ErrorKind::MissingTopic
            | ErrorKind::Refused
            | ErrorKind::Unsupported
    )
}

/// The same of what has no kind of its own: an event that the broker does not take, a commit that
/// it does not keep.
const fn is_lasting(code: Code) -> bool {
    matches!(
        code,
        Code::MessageSizeTooLarge
            | Code::MessageBatchTooLarge
            | Code::InvalidRecord
            | Code::InvalidTimestamp
            | Code::PolicyViolation
            | Code::OffsetMetadataTooLarge
            | Code::InvalidTransactionTimeout
            | Code::UnsupportedVersion
    )
}

impl ExactSink for KafkaExact {
    fn share(&mut self) -> BoxFuture<'_, Result<Share>> {
        Box::pin(self.share_now())
    }

    fn is_stale(&self) -> bool {
        self.member.as_ref().is_some_and(Member::is_stale)
    }

    fn send<'a>(&'a mut self, batch: &'a Batch) -> BoxFuture<'a, Result<()>> {
        Box::pin(async move { self.producer()?.send(batch).await })
    }

    fn commit<'a>(
        &'a mut self,
        progress: &'a [(usize, Progress)],
    ) -> BoxFuture<'a, Result<Written>> {
        Box::pin(self.commit_now(progress))
    }

    fn abort(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(async move {
            match &mut self.producer {
                Some(producer) => producer.abort().await,
                None => Ok(()),
            }
        })
    }

    fn recover(&mut self, error: Error) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.recover_now(error))
    }

    fn finish(&mut self) -> BoxFuture<'_, Result<()>> {
        Box::pin(self.finish_now())
    }
}
