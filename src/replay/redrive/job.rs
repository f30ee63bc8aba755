//! A redrive from its plan to its verification: what every front end does in this order. Talk and
//! questions are theirs; so is opening the brokers.

use std::collections::HashMap;
use std::sync::Arc;

use super::done::Done;
use super::judge::{Aims, Rules, Target, Targets};
use super::outlet::{Nowhere, Outlet, Sent};
use super::plan::Plan;
use super::run::{Runner, Survey};
use super::tally::Tally;
use crate::broker::{self, Address, Broker, Result, Settings, Sink, TopicSelector};
use crate::event::Streams;
use crate::pipeline::{Consumer, End, Outcome, Reading, StopWhenBegun, Ticker};
use crate::replay::freeze::{From, sources};
use crate::replay::runs::Claim;
use crate::replay::{Pace, Place, TargetState};

/// A broker or file that is written to, opened.
pub struct Endpoint {
    /// With its context resolved.
    pub address: Address,
    /// As the user typed it, secrets hidden.
    pub shown: String,
    pub broker: Arc<dyn Broker>,
    pub settings: Settings,
    /// What the context says of it; `prod` asks more.
    pub env: Option<String>,
    /// A file that is there is replaced.
    pub overwrite: bool,
}

/// Where what is parked goes.
pub struct Parked {
    pub endpoint: Endpoint,
    /// `None` for a file.
    pub topic: Option<Arc<str>>,
}

/// What a redrive is made of.
pub struct Asked {
    pub selection: Vec<String>,
    pub rules: Rules,
    pub pace: Pace,
    pub max_events: Option<u64>,
    /// Bytes that may be held while it is found out what was redriven before.
    pub memory: usize,
}

/// One sink of a run.
pub(super) struct Outgoing {
    /// `None` for what is parked.
    pub destination: Option<usize>,
    pub place: Place,
    /// `None` for a file, which holds several topics.
    pub topic: Option<Arc<str>>,
    pub table: Streams,
}

/// A redrive that was planned.
pub struct Job {
    reading: Reading,
    pub(super) plan: Plan,
    pub(super) endpoints: Vec<Endpoint>,
    pub(super) parked: Option<Parked>,
    pub(super) targets: Vec<Target>,
    pub(super) by_name: Targets,
    pub(super) done: Done,
    pub(super) outgoing: Vec<Outgoing>,
    max_events: Option<u64>,
    /// Its place among the processes of this host, while it is kept and has not been noted.
    pub(super) claim: Option<Claim>,
}

/// A run that is over.
pub struct Ran {
    pub tally: Tally,
    /// What went to each place, as [`Job::places`] names them.
    pub sent: Vec<Sent>,
    /// How the read ended, or why it could not even begin.
    pub outcome: Result<Outcome>,
    before: Vec<Option<TargetState>>,
}

impl Job {
    /// Freezes the ranges, finds out where the dead letters came from, whether that is there, and
    /// what was redriven before. Writes nothing. `None` when it was stopped.
    ///
    /// `of_source` tells which endpoint the dead letters of each source go to.
    pub async fn plan(
        mut reading: Reading,
        endpoints: Vec<Endpoint>,
        of_source: Vec<usize>,
        parked: Option<Parked>,
        asked: Asked,
        stop: StopWhenBegun<'_>,
        ticker: &mut dyn Ticker,
    ) -> Result<Option<Self>> {
        let ranges = reading.resolve().await?;
        reading.freeze(ranges.clone());
        let sources = sources(&From::all(&reading, ranges)).await?;
        let mut destinations = Vec::with_capacity(endpoints.len());
        for endpoint in &endpoints {
            let cluster = endpoint.broker.cluster().await?;
            destinations.push(Place::new(endpoint.address.clone(), cluster));
        }
        let plan = Plan {
            sources,
            of_source,
            destinations,
            selection: asked.selection,
            rules: asked.rules,
            pace: asked.pace,
            parked: parked.as_ref().map(Parked::name),
        };
        let mut survey = Survey::new(&plan);
        if !read(&reading, stop, &mut survey, ticker).await? {
            return Ok(None);
        }
        let met = survey.met;
        let mut job = Self {
            reading,
            by_name: vec![HashMap::new(); endpoints.len()],
            plan,
            endpoints,
            parked,
            targets: Vec::new(),
            done: Done::default(),
            outgoing: Vec::new(),
            max_events: asked.max_events,
            claim: None,
        };
        for ((destination, topic), highest) in met.topics {
            job.aim(destination, &topic, highest).await?;
        }
        job.aim_parked().await?;
        let unstopped = job.seek_done(met.earliest, asked.memory, stop).await?;
        Ok(unstopped.then_some(job))
    }

    pub(super) fn endpoint(&self, outgoing: &Outgoing) -> Option<&Endpoint> {
        match outgoing.destination {
            Some(destination) => self.endpoints.get(destination),
            None => self.parked.as_ref().map(|parked| &parked.endpoint),
        }
    }

    /// What is written to, for people: topics, and files by their name.
    pub fn places(&self) -> Vec<String> {
        let name = |outgoing: &Outgoing| match (&outgoing.topic, self.endpoint(outgoing)) {
            (Some(topic), _) => topic.to_string(),
            (None, Some(endpoint)) => endpoint.shown.clone(),
            (None, None) => String::new(),
        };
        self.outgoing.iter().map(name).collect()
    }

    /// What a person must type before production is written to; else a yes is enough.
    pub fn names_to_type(&self) -> Option<String> {
        let production = |outgoing: &&Outgoing| {
            let endpoint = self.endpoint(outgoing);
            endpoint.is_some_and(|endpoint| endpoint.env.as_deref() == Some("prod"))
        };
        let topics = self.outgoing.iter().filter(production);
        let topics: Vec<&str> = topics.filter_map(|out| out.topic.as_deref()).collect();
        (!topics.is_empty()).then(|| topics.join(", "))
    }

    /// True when what is parked is written somewhere.
    pub const fn parks(&self) -> bool {
        self.parked.is_some()
    }

    fn runner(&self, sinks: Vec<Box<dyn Sink>>) -> Runner<'_> {
        let outlets = sinks.into_iter().zip(&self.outgoing);
        let outlets = outlets
            .map(|(sink, outgoing)| Outlet::new(sink, &outgoing.table, outgoing.topic.is_none()));
        let aims = Aims {
            targets: &self.targets,
            by_name: &self.by_name,
            done: &self.done,
        };
        let parked = self
            .outgoing
            .iter()
            .position(|out| out.destination.is_none());
        Runner::new(&self.plan, aims, outlets.collect(), parked, self.max_events)
    }

    /// The whole way into sinks that drop everything. `None` when it was stopped.
    pub async fn preview(
        &self,
        stop: StopWhenBegun<'_>,
        ticker: &mut dyn Ticker,
    ) -> Result<Option<Tally>> {
        let nowhere = |_: &Outgoing| -> Box<dyn Sink> { Box::new(Nowhere(0)) };
        let mut runner = self.runner(self.outgoing.iter().map(nowhere).collect());
        let went = read(&self.reading, stop, &mut runner, ticker).await?;
        Ok(went.then(|| runner.tally().clone()))
    }

    /// Writes. Whatever ends it, what was sent is stored and counted.
    pub async fn run(&self, stop: StopWhenBegun<'_>, ticker: &mut dyn Ticker) -> Result<Ran> {
        let before = self.states().await?;
        let mut sinks = Vec::with_capacity(self.outgoing.len());
        for outgoing in &self.outgoing {
            let Some(endpoint) = self.endpoint(outgoing) else {
                continue;
            };
            let target = broker::Target {
                topic: outgoing.topic.clone().unwrap_or_default(),
                overwrite: endpoint.overwrite,
            };
            sinks.push(endpoint.broker.sink(&target).await?);
        }
        let mut runner = self.runner(sinks).paced();
        let mut outcome = self.reading.run(stop, &mut runner, ticker).await;
        let (tally, outlets, failure) = runner.finish().await;
        if let (Some(error), Ok(outcome)) = (failure, &mut outcome)
            && !matches!(outcome.end, End::Failed(_))
        {
            outcome.end = End::Failed(error);
        }
        Ok(Ran {
            tally,
            sent: outlets.iter().map(|outlet| outlet.sent).collect(),
            outcome,
            before,
        })
    }

    /// How many events each place holds, where it counts them.
    async fn states(&self) -> Result<Vec<Option<TargetState>>> {
        let mut states = Vec::with_capacity(self.outgoing.len());
        for outgoing in &self.outgoing {
            let (Some(topic), Some(endpoint)) = (&outgoing.topic, self.endpoint(outgoing)) else {
                states.push(None);
                continue;
            };
            let found = endpoint.broker.topics(&TopicSelector::one(topic)).await?;
            let found = found.iter().find(|found| found.name == *topic);
            states.push(found.and_then(TargetState::of));
        }
        Ok(states)
    }

    /// What does not fit between what was sent and what the places have. Empty is good.
    pub async fn verify(&self, ran: &Ran) -> Result<Vec<String>> {
        let after = self.states().await?;
        let mut problems = Vec::new();
        let states = ran.before.iter().zip(&after);
        for ((place, sent), (before, after)) in self.places().iter().zip(&ran.sent).zip(states) {
            if sent.sent != sent.acknowledged {
                problems.push(format!(
                    "{place}: {} were sent and {} stored",
                    sent.sent, sent.acknowledged
                ));
            }
            if let (Some(before), Some(after)) = (before, after) {
                let grown: i128 = after.growth(before).values().sum();
                if grown < i128::from(sent.acknowledged) {
                    problems.push(format!(
                        "{place} stored {} and grew by {grown}",
                        sent.acknowledged
                    ));
                }
            }
        }
        Ok(problems)
    }
}

impl Parked {
    fn name(&self) -> String {
        self.endpoint.shown.clone()
    }
}

/// Reads the selection into a consumer; false when it was stopped.
async fn read(
    reading: &Reading,
    stop: StopWhenBegun<'_>,
    consumer: &mut dyn Consumer,
    ticker: &mut dyn Ticker,
) -> Result<bool> {
    match reading.run(stop, consumer, ticker).await?.end {
        End::Failed(error) => Err(error),
        End::Interrupted => Ok(false),
        _ => Ok(true),
    }
}
