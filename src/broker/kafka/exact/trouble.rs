//! What went wrong, and whether it is worth waiting: the cluster may be gone for a while.

use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::time::sleep;

use super::super::contact::{Contact, LOST_AFTER};
use super::super::error::Failure;
use crate::broker::{Error, ErrorKind, Notices, Result};

/// How long a cluster that is gone, or a transaction of a host that died, is waited for.
const PATIENCE: Duration = Duration::from_mins(2);
const FIRST_PAUSE: Duration = Duration::from_millis(20);
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// An error on the way to a share.
pub(super) struct Trouble {
    pub(super) error: Error,
    /// It ends by itself, or by asking again.
    pub(super) passes: bool,
}

impl Trouble {
    pub(super) fn of(failure: Failure, what: &str) -> Self {
        Self {
            passes: passes(failure.code),
            error: failure.into_error(what),
        }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self {
            passes: error.kind == ErrorKind::Unreachable,
            error,
        }
    }
}

/// Errors that end by themselves, or by asking again.
fn passes(code: Code) -> bool {
    matches!(
        code,
        Code::BrokerTransportFailure
            | Code::AllBrokersDown
            | Code::Resolve
            | Code::OperationTimedOut
            | Code::RequestTimedOut
            | Code::NetworkException
            | Code::BrokerNotAvailable
            | Code::MessageTimedOut
            | Code::BadMessage
            | Code::NotCoordinator
            | Code::CoordinatorNotAvailable
            | Code::CoordinatorLoadInProgress
            | Code::WaitingForCoordinator
            | Code::LeaderNotAvailable
            | Code::NotLeaderForPartition
            | Code::NotEnoughReplicas
            | Code::NotEnoughReplicasAfterAppend
            | Code::ConcurrentTransactions
            | Code::UnstableOffsetCommit
            | Code::RebalanceInProgress
            | Code::IllegalGeneration
            | Code::UnknownMemberId
    )
}

/// Waits longer each time, and not for ever. Says when the cluster is lost and when it is there
/// again; each once.
pub(super) struct Patience {
    contact: Contact,
    brokers: String,
    since: Option<Instant>,
    pause: Duration,
}

impl Patience {
    /// `told`: it was said already that the cluster is lost.
    pub(super) const fn new(notices: Notices, brokers: String, told: bool) -> Self {
        Self {
            contact: Contact::new(notices, told),
            brokers,
            since: None,
            pause: FIRST_PAUSE,
        }
    }

    /// Gives the error back when it does not pass, or did not for too long.
    pub(super) async fn bear(&mut self, trouble: Trouble) -> Result<()> {
        let since = *self.since.get_or_insert_with(Instant::now);
        if !trouble.passes || since.elapsed() > PATIENCE {
            return Err(trouble.error);
        }
        let lost = trouble.error.kind == ErrorKind::Unreachable;
        if lost && since.elapsed() >= LOST_AFTER {
            self.contact.lose(&self.brokers);
        }
        sleep(self.pause).await;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        Ok(())
    }

    /// Something was answered.
    pub(super) fn settle(&mut self) {
        self.since = None;
        self.pause = FIRST_PAUSE;
        self.contact.find(&self.brokers);
    }
}
