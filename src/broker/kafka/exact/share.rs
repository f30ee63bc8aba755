//! What a host does next: its place in the group, how far everything is, and what of the rest is
//! its own.

use std::sync::Arc;
use std::time::Duration;

use super::super::admin;
use super::super::client::blocking;
use super::super::direct::member::words;
use super::super::error::Failure;
use super::assign::Given;
use super::looker::Looker;
use super::producer::{Made, Producer};
use super::trouble::{Patience, Trouble};
use super::{KafkaExact, Member};
use crate::broker::exact::Share;
use crate::broker::{Error, ErrorKind, Result};

/// How often a host with nothing to do looks how far the others are.
const LOOK: Duration = Duration::from_secs(1);

/// How long a transaction may be open, which is how long one of a dead host holds up the others.
const SHARED: Duration = Duration::from_secs(15);
/// Nobody waits for it then; and that the broker ended it could not be told from another process.
const ALONE: Duration = Duration::from_mins(1);

impl KafkaExact {
    pub(super) async fn share_now(&mut self) -> Result<Share> {
        if self.books.ledger.units() == 0 {
            return Ok(Share::default());
        }
        let brokers = self.books.looker.brokers().to_owned();
        let mut patience = Patience::new(self.notices.clone(), brokers, self.lost);
        let mut idle = false;
        loop {
            match self.try_share(idle).await {
                Ok(Some(share)) => {
                    patience.settle();
                    self.lost = false;
                    return Ok(share);
                }
                Ok(None) => {
                    patience.settle();
                    self.lost = false;
                    idle = true;
                    self.rest().await;
                }
                Err(trouble) => {
                    if self.member.as_ref().is_some_and(Member::is_fenced) {
                        return Err(self.taken());
                    }
                    // What passes was waited for already.
                    self.lasting = trouble.passes;
                    patience.bear(trouble).await?;
                    self.lasting = false;
                }
            }
        }
    }

    /// Until it is worth looking again.
    async fn rest(&self) {
        match &self.member {
            Some(member) => member.stale_within(LOOK).await,
            None => tokio::time::sleep(LOOK).await,
        }
    }

    /// `None` while others hold all that is left, and when the hosts share anew meanwhile.
    async fn try_share(&mut self, idle: bool) -> Result<Option<Share>, Trouble> {
        self.ready().await?;
        if self.is_stale_now() {
            self.join().await?;
        }
        let progress = self.books.look(true).await?;
        if self.is_stale_now() {
            return Ok(None);
        }
        let slots: Vec<usize> = self.given.mine.iter().map(|&slot| slot as usize).collect();
        let mine = self.books.ledger.unfinished(&slots, &progress);
        let left = self.books.ledger.left(&progress);
        let unfinished = left.iter().filter(|left| **left > 0).count();
        self.progress.clone_from(&progress);
        if !mine.is_empty() || unfinished == 0 {
            self.same_target().await?;
            return Ok(Some(Share { mine, progress }));
        }
        // There is more than one thing for one of the others: it is told so by asking anew.
        if idle && !self.books.job.undivided && unfinished >= self.given.members as usize {
            self.asked_for_more += 1;
            self.join().await?;
        }
        Ok(None)
    }

    fn is_stale_now(&self) -> bool {
        self.member.as_ref().is_some_and(Member::is_stale)
    }

    /// Has a producer whose transaction is not open.
    async fn ready(&mut self) -> Result<(), Trouble> {
        if let Some(producer) = &mut self.producer {
            if producer.is_sound() && !producer.is_open() {
                return Ok(());
            }
            if producer.is_sound() && producer.abort().await.is_ok() {
                return Ok(());
            }
        }
        self.producer = None;
        self.not_fenced().await?;
        let mut id = self.books.job.name.clone();
        let longest = if self.member.is_some() {
            id = format!("{id}.{}", self.books.job.worker);
            SHARED
        } else {
            self.alone().await?;
            ALONE
        };
        let made = Made {
            properties: Arc::clone(&self.properties),
            notices: self.notices.clone(),
            id,
            longest,
            topic: Arc::clone(&self.books.job.target.topic),
            partitions: self.partitions,
        };
        let direct = self.books.looker.direct();
        self.producer = Some(Producer::new(made, direct).await?);
        Ok(())
    }

    /// Without a place in the group this host must be the only one: the group would take its
    /// commits beside those of its members.
    async fn alone(&mut self) -> Result<(), Trouble> {
        let Looker::Library(client) = &self.books.looker else {
            return Ok(());
        };
        let (client, group) = (Arc::clone(client), self.books.job.name.clone());
        let told = blocking(move || Ok(admin::members(&client, &[group]))).await?;
        let what = || format!("ask for the members of the group {}", self.books.job.name);
        let members = told.map_err(|failure| Trouble::of(failure, &what()))?;
        if members.iter().any(|(_, members)| !members.is_empty()) {
            let message = format!(
                "other hosts are at {} already, and this one cannot join them: it does not speak \
                 to the cluster by Kafka's own protocol",
                self.books.job.name
            );
            let error = Error::new(ErrorKind::Refused, message)
                .hint("let them end it, or log in as they do; --explain says why this one cannot");
            return Err(error.into());
        }
        self.given = Given {
            members: 1,
            slots: self.books.ledger.slots() as u32,
            mine: (0..self.books.ledger.slots() as u32).collect(),
        };
        Ok(())
    }

    /// Takes a place in the group, and the share that comes with it.
    async fn join(&mut self) -> Result<(), Trouble> {
        let Some(member) = &mut self.member else {
            return Ok(());
        };
        let books = &self.books;
        let what = format!("share the work in the group {}", books.job.name);
        let fail = |failure: Failure| Trouble::of(failure, &what);
        let places = books.ledger.all_places();
        let about = words::about(&words::topics(&places), &self.asked_for_more.to_be_bytes());
        let round = member.join(&about).await.map_err(fail)?;
        let shares = match &round.led {
            Some(companions) => books.lead(companions, member.id()).await?,
            None => Vec::new(),
        };
        let given = member.sync(round, shares).await.map_err(fail)?;
        let given = words::own_given(&given)
            .and_then(Given::read)
            .map_err(fail)?;
        if given.slots as usize != books.ledger.slots() {
            let message = format!(
                "{what}: the hosts do not see the same number of partitions of {}",
                books.job.target.topic
            );
            let error = Error::new(ErrorKind::Refused, message)
                .hint("start all of them again, with the same plan");
            return Err(error.into());
        }
        self.given = given;
        Ok(())
    }
}
