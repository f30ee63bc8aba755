//! The producer of an exactly-once write: ours where our protocol code speaks to the cluster, else
//! librdkafka's. Both answer alike.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::types::RDKafkaErrorCode as Code;

use super::super::direct::Direct;
use super::super::direct::produce::{self, Producer as Own};
use super::super::error::Failure;
use super::super::properties::Properties;
use super::super::terms::{Commit, Committer};
use super::library::Library;
use super::trouble::Trouble;
use crate::broker::{Error, Notices, Result, Written};
use crate::event::Batch;

/// What a producer does first.
pub(super) const BEGIN: &str = "begin transactions";

/// What a producer is made for.
pub(super) struct Made {
    pub(super) properties: Arc<Properties>,
    pub(super) notices: Notices,
    pub(super) id: String,
    /// How long one of its transactions may be open.
    pub(super) longest: Duration,
    pub(super) topic: Arc<str>,
    pub(super) partitions: u32,
}

pub(super) enum Producer {
    Own(Box<Own>),
    Library(Library),
}

impl Producer {
    /// Ends what an earlier one of the same id left open.
    pub(super) async fn new(made: Made, direct: Option<&Direct>) -> Result<Self, Trouble> {
        let Some((direct, writing)) = direct.zip(made.properties.writes_directly()) else {
            return Library::new(made).await.map(Self::Library);
        };
        let own = produce::Made {
            id: made.id,
            longest: writing.longest.unwrap_or(made.longest),
            topic: made.topic,
            partitions: made.partitions,
            compression: writing.compression,
            notices: made.notices,
        };
        let begun = direct.producer(own).await;
        let own = begun.map_err(|failure| Trouble::of(explained(failure), BEGIN))?;
        Ok(Self::Own(Box::new(own)))
    }

    /// Fit to begin or go on with a transaction.
    pub(super) fn is_sound(&self) -> bool {
        match self {
            Self::Own(own) => own.is_sound(),
            Self::Library(library) => library.is_sound(),
        }
    }

    pub(super) fn is_open(&self) -> bool {
        match self {
            Self::Own(own) => own.is_open(),
            Self::Library(library) => library.is_open(),
        }
    }

    pub(super) async fn send(&mut self, batch: &Batch) -> Result<()> {
        match self {
            Self::Own(own) => own.send(batch).await,
            Self::Library(library) => library.send(batch).await,
        }
    }

    /// Commits what was sent together with these commits, and tells how much was sent.
    pub(super) async fn commit(
        &mut self,
        commits: &[Commit],
        of: Committer,
    ) -> Result<Written, (Code, Error)> {
        match self {
            Self::Own(own) => own.commit(commits, &of).await.map_err(|failure| {
                let what = format!("commit to {}", own.topic());
                (failure.code, explained(failure).into_error(&what))
            }),
            Self::Library(library) => library.commit(commits, of).await,
        }
    }

    /// Takes back what was sent.
    pub(super) async fn abort(&mut self) -> Result<()> {
        match self {
            Self::Own(own) => own.abort().await.map_err(|failure| {
                let what = format!("take back what was sent to {}", own.topic());
                explained(failure).into_error(&what)
            }),
            Self::Library(library) => library.abort().await,
        }
    }

    /// What it gave up on first.
    pub(super) fn refusal(&self) -> Option<Code> {
        match self {
            Self::Own(own) => own.refusal(),
            Self::Library(library) => library.refusal(),
        }
    }

    /// It was said that the cluster is lost.
    pub(super) fn is_lost(&self) -> bool {
        match self {
            Self::Own(own) => own.is_lost(),
            Self::Library(library) => library.is_lost(),
        }
    }

    /// Another one has its id, or the broker ended a transaction that was open for too long. With
    /// our own protocol it is the group that tells.
    pub(super) fn is_fenced(&self) -> bool {
        matches!(self, Self::Library(library) if library.is_fenced())
    }
}

/// What to try where the code alone does not tell.
pub(super) fn explained(failure: Failure) -> Failure {
    match failure.code {
        Code::InvalidTransactionTimeout => failure.hint(
            "the broker allows only shorter transactions (transaction.max.timeout.ms): \
             -X transaction.timeout.ms=5000",
        ),
        Code::RebalanceInProgress | Code::IllegalGeneration | Code::UnknownMemberId => failure
            .hint("the hosts shared the work anew meanwhile; what was not committed is read again"),
        _ => failure,
    }
}
