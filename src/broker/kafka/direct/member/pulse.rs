//! The sign of life of a member, given by a task of its own: it goes on while the member works.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::sleep;

use super::super::super::error::Failure;
use super::super::cluster::Cluster;
use super::super::connection::Connection;
use super::super::coordinator::{self, Of};
use super::talk::{self, Me};

/// The time between the first two signs of life. It doubles from one to the next: hosts that are
/// started together come one after the other, and each is to be noticed before much is done.
const FIRST: Duration = Duration::from_millis(25);
/// The longest time between two; a quarter of a short session.
const EVERY: Duration = Duration::from_millis(2_500);
const PAUSE: Duration = Duration::from_millis(200);

/// What the last sign of life was answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Health {
    Well,
    /// The group shares out anew: this member is expected to join again.
    Rebalancing,
    /// The group goes on without it.
    Lost,
    /// Another process has its name.
    Fenced,
}

/// Stops when it is dropped.
pub(super) struct Pulse {
    health: watch::Receiver<Health>,
    task: AbortHandle,
}

impl Pulse {
    pub(super) fn start(
        cluster: Arc<Cluster>,
        mut connection: Connection,
        me: Me,
        session: Duration,
    ) -> Self {
        let (tell, health) = watch::channel(Health::Well);
        let every = EVERY.min(session / 4);
        // An answer that is later is of no use: the session would be over.
        connection.set_patience(session / 2);
        let task = tokio::spawn(async move {
            beat(&cluster, connection, &me, every, session / 2, &tell).await;
        });
        Self {
            health,
            task: task.abort_handle(),
        }
    }

    pub(super) fn health(&self) -> Health {
        *self.health.borrow()
    }

    /// Ends when it is not well.
    pub(super) async fn changed(&self) {
        let mut health = self.health.clone();
        // The sender is gone only after the last word.
        drop(health.wait_for(|health| *health != Health::Well).await);
    }
}

impl Drop for Pulse {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// The broker's last word on a member, and not on the way to it.
pub(super) fn is_verdict(failure: &Failure) -> bool {
    health(failure).is_some()
}

fn health(failure: &Failure) -> Option<Health> {
    match failure.code {
        Code::RebalanceInProgress => Some(Health::Rebalancing),
        Code::FencedInstanceId => Some(Health::Fenced),
        Code::UnknownMemberId | Code::IllegalGeneration => Some(Health::Lost),
        _ => None,
    }
}

async fn beat(
    cluster: &Cluster,
    connection: Connection,
    me: &Me,
    every: Duration,
    patience: Duration,
    tell: &watch::Sender<Health>,
) {
    let mut connection = Some(connection);
    let mut wait = FIRST.min(every);
    loop {
        let Some(mut open) = connection.take() else {
            match coordinator::connect(cluster, Of::Group(&me.group)).await {
                Ok(mut open) => {
                    open.set_patience(patience);
                    connection = Some(open);
                }
                Err(failure) => {
                    tracing::debug!("no sign of life for {}: {}", me.group, failure.text);
                    sleep(PAUSE).await;
                }
            }
            continue;
        };
        match talk::heartbeat(&mut open, me).await {
            Ok(()) => connection = Some(open),
            Err(failure) => match health(&failure) {
                Some(health) => {
                    tell.send_replace(health);
                    if health != Health::Rebalancing {
                        return;
                    }
                    connection = Some(open);
                }
                // The coordinator moved, or cannot be reached.
                None => sleep(PAUSE).await,
            },
        }
        sleep(wait).await;
        wait = (wait * 2).min(every);
    }
}
