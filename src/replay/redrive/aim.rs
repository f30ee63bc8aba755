//! What a redrive aims at: topics that are there, files, the place of what is parked; and what
//! stands there already from an earlier time.

use std::sync::Arc;

use super::done::{Done, Names};
use super::job::{Job, Outgoing};
use super::judge::Target;
use super::lanes::lanes;
use crate::broker::guard::allows_write;
use crate::broker::{Address, Error, ErrorKind, Result, TopicSelector};
use crate::event::{ANY_PARTITION, PositionStyle, Stream, Streams, Timestamp};
use crate::pipeline::StopWhenBegun;
use crate::replay::{Place, guard};

/// Partitions of a file that are named one by one.
const FILE_PARTITIONS: u32 = 65_536;

impl Job {
    /// Makes a target of a topic, if it is there.
    pub(super) async fn aim(
        &mut self,
        destination: usize,
        topic: &str,
        highest: u32,
    ) -> Result<()> {
        let at = |endpoint| Some((endpoint, self.plan.destinations.get(destination)?));
        let Some((endpoint, place)) = self.endpoints.get(destination).and_then(at) else {
            return Ok(());
        };
        let place = place.clone();
        let to = self.plan.rules.to_topic.is_some();
        if self.plan.reads(&place, topic) {
            // What names the dead letters as its origin is parked.
            return if to {
                Err(own_target(&place, topic))
            } else {
                Ok(())
            };
        }
        let topic: Arc<str> = topic.into();
        if matches!(endpoint.address, Address::File { .. }) {
            self.aim_file((destination, place), topic, highest);
            return Ok(());
        }
        allows_write(&endpoint.settings, &topic)?;
        let found = match endpoint.broker.topics(&TopicSelector::one(&topic)).await {
            Ok(found) => found.into_iter().find(|found| found.name == topic),
            Err(error) if error.kind == ErrorKind::MissingTopic => None,
            Err(error) => return Err(error),
        };
        let Some(found) = found else {
            return if to { Err(missing(&topic)) } else { Ok(()) };
        };
        let partitions = found.partitions.len() as u32;
        let stream = |partition| Stream {
            topic: Arc::clone(&topic),
            partition,
            style: found.style,
        };
        let table: Vec<Stream> = [ANY_PARTITION]
            .into_iter()
            .chain(0..partitions)
            .map(stream)
            .collect();
        self.add(destination, topic, partitions, 0, self.outgoing.len());
        self.outgoing.push(Outgoing {
            destination: Some(destination),
            place,
            topic: self.targets.last().map(|target| Arc::clone(&target.topic)),
            table: table.into(),
        });
        Ok(())
    }

    /// A file takes all topics, so its targets share one table.
    fn aim_file(&mut self, (destination, place): (usize, Place), topic: Arc<str>, highest: u32) {
        let mut all = self.outgoing.iter();
        let number = all.position(|out| out.destination == Some(destination));
        let number = number.unwrap_or_else(|| {
            self.outgoing.push(Outgoing {
                destination: Some(destination),
                place,
                topic: None,
                table: Streams::default(),
            });
            self.outgoing.len() - 1
        });
        let partitions = highest.saturating_add(1).min(FILE_PARTITIONS);
        let mut base = 0;
        if let Some(outgoing) = self.outgoing.get_mut(number) {
            base = outgoing.table.len() as u32;
            // A file chooses no partition: what names none stands in the first.
            let new = [0]
                .into_iter()
                .chain(0..partitions)
                .map(|partition| Stream {
                    topic: Arc::clone(&topic),
                    partition,
                    style: PositionStyle::Offset,
                });
            outgoing.table = outgoing.table.iter().cloned().chain(new).collect();
        }
        self.add(destination, topic, partitions, base, number);
    }

    fn add(
        &mut self,
        destination: usize,
        topic: Arc<str>,
        partitions: u32,
        base: u32,
        outlet: usize,
    ) {
        if let Some(of) = self.by_name.get_mut(destination) {
            of.insert(Arc::clone(&topic), self.targets.len());
        }
        self.targets.push(Target {
            outlet,
            topic,
            partitions,
            base,
        });
    }

    /// The last of what is written to is where the parked ones go.
    pub(super) async fn aim_parked(&mut self) -> Result<()> {
        let Some(parked) = &self.parked else {
            return Ok(());
        };
        let mut place = Place::new(parked.endpoint.address.clone(), None);
        let table: Streams = match &parked.topic {
            None => lanes(&self.plan.sources)
                .iter()
                .map(|lane| Stream {
                    topic: Arc::clone(&lane.range.topic),
                    partition: lane.range.partition,
                    style: lane.range.style,
                })
                .collect(),
            Some(topic) => {
                allows_write(&parked.endpoint.settings, topic)?;
                let broker = &parked.endpoint.broker;
                place.cluster = broker.cluster().await?;
                if self.plan.reads(&place, topic) {
                    return Err(own_target(&place, topic));
                }
                let found = broker.topics(&TopicSelector::one(topic)).await?;
                let Some(found) = found.into_iter().find(|found| found.name == *topic) else {
                    return Err(missing(topic));
                };
                [Stream {
                    topic: Arc::clone(topic),
                    partition: ANY_PARTITION,
                    style: found.style,
                }]
                .into()
            }
        };
        self.outgoing.push(Outgoing {
            destination: None,
            place,
            topic: parked.topic.clone(),
            table,
        });
        Ok(())
    }

    /// False when it was stopped.
    pub(super) async fn seek_done(
        &mut self,
        earliest: Option<Timestamp>,
        memory: usize,
        stop: StopWhenBegun<'_>,
    ) -> Result<bool> {
        if self.plan.rules.again {
            return Ok(true);
        }
        let names = Names::new(&self.plan.sources, memory)?;
        let mut done = Done::default();
        let mut stop = stop();
        for outgoing in &self.outgoing {
            let (Some(topic), Some(endpoint)) = (&outgoing.topic, self.endpoint(outgoing)) else {
                continue;
            };
            tokio::select! {
                biased;
                () = stop.stopped() => return Ok(false),
                sought = names.seek(&*endpoint.broker, topic, earliest, &mut done) => sought?,
            }
        }
        done.sort();
        self.done = done;
        Ok(true)
    }
}

/// Dead letters that are written among those that are read.
fn own_target(place: &Place, topic: &str) -> Error {
    let told = guard::check_self(place, Some(topic), false).err();
    let told = told.map_or_else(String::new, |error| error.message);
    Error::new(ErrorKind::Refused, told).hint("name another topic")
}

fn missing(topic: &str) -> Error {
    Error::new(
        ErrorKind::MissingTopic,
        format!("the topic {topic} is not there"),
    )
    .hint("create it first; a redrive makes no topics")
}
