//! The flags of `evtap replay` that change events on their way or hold the run, and what the config
//! says of masks.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use super::error::{Failure, Result};
use super::session::Session;
use crate::broker::Address;
use crate::config::Config;
use crate::query::JqMap;
use crate::replay::alter::{Alterations, Mask, MaskKey, Means, SetHeader};
use crate::replay::{Holds, PauseIf};

#[derive(Debug, Args)]
#[command(next_help_heading = "Changing events")]
pub struct AlterArgs {
    /// Disguise a value: .value.customer.email=hash, key=hash, header:user=redact. hash keeps
    /// joins, fake looks like the original, redact is ***. Repeatable; `mask` of the config counts
    /// too, and comes after these
    #[arg(long, value_name = "PATH=hash|redact|fake", value_parser = mask)]
    pub mask: Vec<Mask>,
    /// The key of hash and fake: a file, or env:NAME [default: a random one, kept in the plan]
    #[arg(long, value_name = "FILE|env:NAME")]
    pub mask_key: Option<String>,
    /// The event object in, an event object or nothing out; key, value and headers may change
    #[arg(long, value_name = "JQ")]
    pub map: Option<String>,
    /// Leave out headers of this name or glob; repeatable
    #[arg(long, value_name = "NAME")]
    pub drop_header: Vec<String>,
    /// Set a header, in the place of all of its name; repeatable
    #[arg(long, value_name = "NAME=VALUE", value_parser = SetHeader::parse)]
    pub set_header: Vec<SetHeader>,
    /// Hold what is written against the target's schemas: auto does so where a broker's context or
    /// --schemas names some
    #[arg(long, value_name = "WHEN", default_value = "auto")]
    pub validate: Validate,
    /// The file for events that cannot be masked or mapped, or do not fit the schema [default:
    /// rejects-PLAN.jsonl]
    #[arg(long, value_name = "FILE")]
    pub rejects: Option<PathBuf>,
    /// Wait after this many events are written, until they have been looked at. Without a terminal
    /// it stops there: exit 6
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub canary: Option<u64>,
    /// Pause while a consumer group of the target's broker is too far behind: 'lag(GROUP)>N';
    /// repeatable
    #[arg(long, value_name = "CONDITION")]
    pub pause_if: Vec<PauseIf>,
}

/// When what is written is held against schemas.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Validate {
    Auto,
    Always,
    Never,
}

fn mask(text: &str) -> Result<Mask, String> {
    Mask::parse(text, None)
}

/// The masks that the config has for the topics of sources.
pub(super) fn config_masks(config: &Config) -> Result<Vec<Mask>> {
    let mut masks = Vec::new();
    for (topic, known) in &config.topics {
        for text in &known.mask {
            let mask = Mask::parse(text, Some(topic)).map_err(|why| {
                Failure::usage(format!("the config, topics.\"{topic}\".mask: {why}"))
            })?;
            masks.push(mask);
        }
    }
    Ok(masks)
}

impl AlterArgs {
    /// What the plan says of it, and what it goes by. Asks no network.
    pub(super) fn engine(
        &self,
        session: &Session,
        sources: &[String],
        to: &str,
    ) -> Result<(Alterations, Means)> {
        if let Some(map) = &self.map {
            JqMap::compile("--map", map)?;
        }
        let mut masks = self.mask.clone();
        masks.extend(config_masks(&session.config)?);
        let target = self.judge(session, to)?;
        let mut alterations = Alterations {
            map: self.map.clone(),
            drop_headers: self.drop_header.clone(),
            set_headers: self.set_header.clone(),
            masks,
            mask_key: None,
            validate: target.is_some(),
        };
        alterations.mask_key = match &self.mask_key {
            _ if !alterations.needs_key() => None,
            Some(place) => Some(MaskKey::at(place)?),
            None => Some(MaskKey::random()?),
        };
        let means = Means {
            source: session.decoder(sources)?,
            target,
        };
        Ok((alterations, means))
    }

    /// The decoder that what is written is judged by. A file takes what comes: its events are
    /// judged where they go next.
    fn judge(&self, session: &Session, to: &str) -> Result<Option<crate::schema::Decoder>> {
        let is_file = matches!(Address::parse(to)?, Address::File { .. });
        if self.validate == Validate::Never || (self.validate == Validate::Auto && is_file) {
            return Ok(None);
        }
        let decoder = super::decoding::decoder(session, &[to.to_owned()])?;
        if decoder.has_schemas() {
            return Ok(Some(decoder));
        }
        match self.validate {
            Validate::Always => Err(Failure::usage(
                "--validate always: no schemas are known of the target",
            )
            .hint("name them by --schemas WHERE, or `schemas` in its context")),
            _ => Ok(None),
        }
    }

    pub(super) fn holds(&self) -> Holds {
        Holds {
            canary: self.canary,
            pause_if: self.pause_if.clone(),
        }
    }
}
