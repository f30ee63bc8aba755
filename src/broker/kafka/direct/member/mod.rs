//! Membership in a consumer group by the classic protocol: joining, being given a share, staying,
//! leaving. Who gets what, and what members tell each other, is the caller's. Nothing that looks or
//! reads comes here: only a write that hosts share joins a group.

mod pulse;
mod talk;
#[cfg(test)]
mod tests;
pub(in crate::broker::kafka) mod words;

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::types::RDKafkaErrorCode as Code;
use tokio::time::sleep;

use self::pulse::{Health, Pulse};
use self::talk::Joined;
use super::super::error::Failure;
use super::super::terms;
use super::cluster::Cluster;
use super::connection::Connection;
use super::coordinator::{self, Of};

/// How long the others wait for a member that has to finish its work before it joins anew.
const REBALANCE: Duration = Duration::from_secs(30);
/// Sessions that are tried when the broker refuses the one before.
const SESSIONS: [Duration; 4] = [
    Duration::from_secs(6),
    Duration::from_secs(30),
    Duration::from_mins(2),
    Duration::from_secs(1),
];
/// How often a group that is in the middle of something is asked again, and how long.
const AGAIN: Duration = Duration::from_millis(100);
const AGAIN_FOR: Duration = Duration::from_secs(20);

/// A place in a group that is kept by name: a process that is killed and started again takes its
/// own place at once. Dropped, it is silent, and the broker counts it as gone when the session is
/// over.
pub(in crate::broker::kafka) struct Member {
    cluster: Arc<Cluster>,
    group: String,
    /// Its name, which no other member has.
    instance: String,
    session: Duration,
    /// What the broker calls it; empty before it has joined.
    id: String,
    generation: i32,
    pulse: Option<Pulse>,
    fenced: bool,
}

/// Another member, as the one that leads is told of it.
pub(in crate::broker::kafka) struct Companion {
    pub(in crate::broker::kafka) id: String,
    pub(in crate::broker::kafka) instance: String,
}

/// A group that waits for its leader to share out.
pub(in crate::broker::kafka) struct Round {
    connection: Connection,
    /// All members, where this one leads.
    pub(in crate::broker::kafka) led: Option<Vec<Companion>>,
}

impl Member {
    pub(super) const fn new(
        cluster: Arc<Cluster>,
        group: String,
        instance: String,
        session: Duration,
    ) -> Self {
        Self {
            cluster,
            group,
            instance,
            session,
            id: String::new(),
            generation: -1,
            pulse: None,
            fenced: false,
        }
    }

    /// As whom it commits.
    pub(in crate::broker::kafka) fn identity(&self) -> terms::Membership {
        terms::Membership {
            generation: self.generation,
            id: self.id.clone(),
            instance: self.instance.clone(),
        }
    }

    pub(in crate::broker::kafka) fn id(&self) -> &str {
        &self.id
    }

    /// True when the group shares out anew, or does not know this member any more.
    pub(in crate::broker::kafka) fn is_stale(&self) -> bool {
        self.pulse
            .as_ref()
            .is_none_or(|pulse| pulse.health() != Health::Well)
    }

    /// Another process joined under the same name.
    pub(in crate::broker::kafka) fn is_fenced(&self) -> bool {
        self.fenced
            || self
                .pulse
                .as_ref()
                .is_some_and(|pulse| pulse.health() == Health::Fenced)
    }

    /// Waits until the group shares out anew, at most that long.
    pub(in crate::broker::kafka) async fn stale_within(&self, limit: Duration) {
        if let Some(pulse) = &self.pulse {
            drop(tokio::time::timeout(limit, pulse.changed()).await);
        }
    }

    /// Asks the broker whether it still knows this member, as [`Member::is_fenced`] then tells.
    pub(in crate::broker::kafka) async fn ask(&mut self) -> Result<(), Failure> {
        if self.id.is_empty() || self.is_fenced() {
            return Ok(());
        }
        let mut connection = self.coordinator().await?;
        let me = self.me();
        match talk::heartbeat(&mut connection, &me).await {
            Err(failure) if failure.code == Code::FencedInstanceId => self.fenced = true,
            Err(failure) if pulse::is_verdict(&failure) => {}
            told => told?,
        }
        Ok(())
    }

    /// Joins, or joins again, and waits until all that are in the group did.
    pub(in crate::broker::kafka) async fn join(&mut self, about: &[u8]) -> Result<Round, Failure> {
        self.pulse = None;
        let began = Instant::now();
        let mut sessions = SESSIONS.iter();
        loop {
            let mut connection = self.coordinator().await?;
            connection.set_patience(REBALANCE + self.session + AGAIN_FOR);
            let failure = match self.try_join(&mut connection, about).await {
                Ok(joined) => {
                    self.id = joined.id;
                    self.generation = joined.generation;
                    let led = joined.companions;
                    return Ok(Round { connection, led });
                }
                Err(failure) => failure,
            };
            match failure.code {
                // The broker forgot it: it comes as a new one.
                Code::UnknownMemberId if !self.id.is_empty() => self.id.clear(),
                Code::FencedInstanceId => {
                    self.fenced = true;
                    return Err(failure);
                }
                Code::InvalidSessionTimeout => match sessions.next() {
                    Some(session) => self.session = *session,
                    None => return Err(failure),
                },
                _ if coordinator::moved(&failure) && began.elapsed() < AGAIN_FOR => {
                    sleep(AGAIN).await;
                }
                _ => return Err(failure),
            }
        }
    }

    async fn try_join(&self, connection: &mut Connection, about: &[u8]) -> Result<Joined, Failure> {
        let asked = talk::Join {
            me: self.me(),
            session: self.session,
            rebalance: REBALANCE.max(self.session),
            about,
        };
        talk::join(connection, &asked).await
    }

    /// Hands over what each member gets, where this one leads, and is given its own. From then on
    /// it stays by itself.
    pub(in crate::broker::kafka) async fn sync(
        &mut self,
        round: Round,
        shares: Vec<(String, Vec<u8>)>,
    ) -> Result<Vec<u8>, Failure> {
        let mut connection = round.connection;
        let me = self.me();
        let given = talk::sync(&mut connection, &me, shares).await;
        if given
            .as_ref()
            .is_err_and(|f| f.code == Code::FencedInstanceId)
        {
            self.fenced = true;
        }
        let given = given?;
        self.pulse = Some(Pulse::start(
            Arc::clone(&self.cluster),
            connection,
            me,
            self.session,
        ));
        Ok(given)
    }

    /// Leaves: the others need not wait until the session is over.
    pub(in crate::broker::kafka) async fn leave(&mut self) -> Result<(), Failure> {
        self.pulse = None;
        if self.id.is_empty() || self.fenced {
            return Ok(());
        }
        let mut connection = self.coordinator().await?;
        talk::leave(&mut connection, &self.me()).await?;
        self.id.clear();
        Ok(())
    }

    fn me(&self) -> talk::Me {
        talk::Me {
            group: self.group.clone(),
            generation: self.generation,
            id: self.id.clone(),
            instance: self.instance.clone(),
        }
    }

    async fn coordinator(&self) -> Result<Connection, Failure> {
        coordinator::connect(&self.cluster, Of::Group(&self.group)).await
    }
}
