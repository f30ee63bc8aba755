//! The flags of `evtap redrive`, and what they mean to the engine.

use std::sync::Arc;

use clap::Args;

use crate::broker::Address;
use crate::cli::args::Select;
use crate::cli::error::{Failure, Result};
use crate::cli::opened::Opened;
use crate::cli::replay_args::selection;
use crate::cli::session::Session;
use crate::cli::topics::Report;
use crate::cli::{examples, units};
use crate::query::JqMap;
use crate::replay::Pace;
use crate::replay::redrive::{Asked, Custom, Endpoint, Parked, Picks, Rules};

/// Replay dead letters to where they came from: plan, preview by reason, confirm, run, verify
#[derive(Debug, Args)]
#[command(after_help = examples::REDRIVE)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "flags are booleans, and clap wants them as fields"
)]
pub struct Redrive {
    /// Topics with dead letters: CONTEXT/TOPIC, kafka://HOST:PORT/TOPIC, demo:TOPIC, a capture file
    #[arg(required = true, value_name = "DLQ")]
    pub sources: Vec<String>,
    #[command(flatten)]
    pub select: Select,
    /// Only dead letters of this reason, a part of it or a glob of the whole; repeatable, one must
    /// fit
    #[arg(long, value_name = "TEXT", help_heading = "Redriving")]
    pub reason: Vec<String>,
    /// Another broker for the same topics, or one topic or file for all
    #[arg(long, value_name = "TARGET", help_heading = "Redriving")]
    pub to: Option<String>,
    /// Where what cannot be redriven goes: a topic of the same broker, an address, or a file
    /// [default: it stays where it is]
    #[arg(long, value_name = "TOPIC|FILE", help_heading = "Redriving")]
    pub parked: Option<String>,
    /// The header with the topic that an event came from, where no framework's header tells
    #[arg(
        long,
        value_name = "NAME",
        help_heading = "Redriving",
        conflicts_with = "origin"
    )]
    pub origin_header: Option<String>,
    /// jq over the event object that gives the topic, or {topic, partition}
    #[arg(long, value_name = "JQ", help_heading = "Redriving")]
    pub origin: Option<String>,
    /// Park events that were redriven this many times
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        help_heading = "Redriving"
    )]
    pub max_redrives: u32,
    /// Keep the headers that tell of the failure
    #[arg(long, help_heading = "Redriving")]
    pub keep_headers: bool,
    /// Redrive also what was redriven before
    #[arg(long, help_heading = "Redriving")]
    pub again: bool,
    /// Stop after the preview
    #[arg(long, help_heading = "Redriving")]
    pub dry_run: bool,
    /// Do not ask; without it a terminal is needed
    #[arg(long, conflicts_with = "dry_run", help_heading = "Redriving")]
    pub yes: bool,
    /// Replace target files that exist
    #[arg(long, help_heading = "Redriving")]
    pub overwrite: bool,
    /// Events a second, or max
    #[arg(long, value_name = "N|max", value_parser = units::rate, help_heading = "Redriving")]
    pub rate: Option<f64>,
    /// Refuse to redrive more than this
    #[arg(long, value_name = "N", help_heading = "Redriving")]
    pub max_events: Option<u64>,
    /// How to print the counts; text is told on standard error
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: Report,
}

/// Where the dead letters of each source go.
pub struct To {
    pub endpoints: Vec<Endpoint>,
    pub of_source: Vec<usize>,
    /// The one topic for all of them.
    pub topic: Option<Arc<str>>,
    /// Whose schemas judge.
    shown: Vec<String>,
}

impl Redrive {
    /// How an origin is found; a mistake in it must not wait for a network.
    pub(super) fn custom(&self) -> Result<Option<Custom>> {
        if let Some(header) = &self.origin_header {
            return Ok(Some(Custom::Header(header.clone())));
        }
        let origin = self.origin.as_deref();
        let map = origin
            .map(|text| JqMap::compile("--origin", text))
            .transpose()?;
        Ok(map.map(Custom::Jq))
    }

    fn endpoint(&self, opened: Opened) -> Endpoint {
        Endpoint {
            address: opened.address,
            shown: opened.shown,
            broker: opened.broker,
            settings: opened.settings,
            env: opened.env,
            overwrite: self.overwrite,
        }
    }

    pub(super) fn to(&self, session: &Session, sources: &[Opened]) -> Result<To> {
        let Some(to) = &self.to else {
            return self.back(session, sources);
        };
        let opened = session.open(to)?;
        let topics = opened.address.topics();
        let topic = match &opened.address {
            Address::File { .. } => None,
            Address::Stdin => return Err(Failure::usage("- is no target")),
            _ if topics.is_all() => None,
            address => match topics.single() {
                Some(topic) => Some(Arc::from(topic)),
                None => {
                    return Err(
                        Failure::usage(format!("--to {address} names several topics")).hint(
                            "name one, or none: then each event goes to the topic it came from",
                        ),
                    );
                }
            },
        };
        Ok(To {
            endpoints: vec![self.endpoint(opened)],
            of_source: vec![0; sources.len()],
            topic,
            shown: vec![to.clone()],
        })
    }

    /// Each to the broker that it was read from.
    fn back(&self, session: &Session, sources: &[Opened]) -> Result<To> {
        let mut endpoints = Vec::with_capacity(sources.len());
        for (text, source) in self.sources.iter().zip(sources) {
            if matches!(source.address, Address::File { .. }) {
                return Err(Failure::usage(format!(
                    "{} is a file: its events came from a broker that it does not name",
                    source.shown
                ))
                .hint("say where to with --to kafka://HOST:PORT or --to CONTEXT"));
            }
            endpoints.push(self.endpoint(session.open(text)?));
        }
        Ok(To {
            of_source: (0..endpoints.len()).collect(),
            endpoints,
            topic: None,
            shown: self.sources.clone(),
        })
    }

    /// A bare name is a topic where the first dead letters go.
    pub(super) fn parked(&self, session: &Session, to: &To) -> Result<Option<Parked>> {
        let Some(text) = &self.parked else {
            return Ok(None);
        };
        let named =
            text.contains([':', '/']) || matches!(Address::parse(text), Ok(Address::File { .. }));
        let first = to.shown.first().filter(|_| !named);
        let mut opened = session.open(first.unwrap_or(text))?;
        if first.is_some() {
            let topics = crate::broker::TopicSelector::one(text);
            if matches!(opened.address, Address::File { .. }) {
                return Err(
                    Failure::usage(format!("--parked {text} is a topic of no broker"))
                        .hint("name a file, CONTEXT/TOPIC or a URL"),
                );
            }
            opened.address = opened.address.with_topics(topics.clone());
            let place = Address::parse(&opened.shown).map(|place| place.with_topics(topics));
            opened.shown = place.map_or_else(|_| text.clone(), |place| place.to_string());
        }
        let topic = crate::replay::guard::target_topic(&opened.address)?;
        Ok(Some(Parked {
            endpoint: self.endpoint(opened),
            topic,
        }))
    }

    pub(super) fn asked(
        &self,
        session: &Session,
        custom: Option<Custom>,
        to: &To,
    ) -> Result<Asked> {
        Ok(Asked {
            selection: selection(&self.select, &session.global)
                .flags()
                .into_iter()
                .map(|(flag, value)| match value {
                    Some(value) => format!("{flag} {value}"),
                    None => flag.to_owned(),
                })
                .collect(),
            rules: Rules {
                picks: Picks::new(&self.reason),
                max_redrives: self.max_redrives,
                custom,
                to_topic: to.topic.clone(),
                keep_headers: self.keep_headers,
                again: self.again,
                decoder: session.decoder(&to.shown)?,
            },
            pace: self.rate.map_or(Pace::Max, Pace::rate),
            max_events: self.max_events,
            memory: session.global.mem / 4,
        })
    }
}
