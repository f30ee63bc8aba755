//! What a config file holds, as types. Reading it is `file`'s work.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

use super::secret::{PropertyValue, hide_in_url};
use super::{ConfigError, is_secret_name};

/// A config file as written, before its names and paths are put in order.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Document {
    pub default: Option<String>,
    pub theme: Option<String>,
    pub audit: Option<PathBuf>,
    #[serde(default)]
    pub ascii: bool,
    #[serde(default)]
    pub keys: BTreeMap<String, Vec<String>>,
    #[serde(default)]
    pub contexts: BTreeMap<String, Context>,
    #[serde(default)]
    pub topics: BTreeMap<String, TopicConfig>,
}

/// A named broker.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Context {
    /// The key in the file.
    #[serde(skip)]
    pub name: String,
    /// Where the broker is. It can hold a password: show [`Context::shown_url`] instead.
    pub url: String,
    /// What kind of place it is; `prod` asks more before it is written to.
    pub env: Option<String>,
    #[serde(default)]
    pub read_only: bool,
    /// When not empty, the only topics that may be written to: names and globs.
    #[serde(default)]
    pub allow_replay_to: Vec<String>,
    #[serde(default)]
    pub(super) properties: BTreeMap<String, PropertyValue>,
    pub schemas: Option<Schemas>,
    /// The file with the model of the sagas in its topics.
    pub saga: Option<PathBuf>,
}

/// Where the schemas of a broker's topics are.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Schemas {
    pub registry: Option<String>,
    pub files: Option<PathBuf>,
    pub asyncapi: Option<PathBuf>,
}

/// What is known of the topics that a name or glob takes.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TopicConfig {
    pub decode: Decode,
    /// Where the event's id is, first found wins: `header:ce_id`, `value:.eventId`.
    pub event_id: Vec<String>,
    pub correlation: Vec<String>,
    /// Paths whose values are never shown.
    pub mask: Vec<String>,
}

/// The formats of key and value, where they are pinned.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Decode {
    pub key: Option<String>,
    pub value: Option<String>,
}

impl Context {
    /// The client properties with their secrets, which are fetched now: a command is run, a file
    /// is read. Call it when the broker is about to be opened, not before.
    pub fn resolve_properties(&self) -> Result<BTreeMap<String, String>, ConfigError> {
        self.properties
            .iter()
            .map(|(name, value)| {
                let what = format!("the property {name} of the context '{}'", self.name);
                Ok((name.clone(), value.resolve(&what)?))
            })
            .collect()
    }

    /// Name and printable form of each property; secrets are told by their origin or as `***`.
    pub fn shown_properties(&self) -> impl Iterator<Item = (&str, String)> {
        self.properties
            .iter()
            .map(|(name, value)| (name.as_str(), value.shown(is_secret_name(name))))
    }

    /// The URL without a password.
    pub fn shown_url(&self) -> String {
        hide_in_url(&self.url)
    }

    /// True when a secret stands in the file itself.
    pub fn holds_secret(&self) -> bool {
        self.shown_url() != self.url
            || self
                .properties
                .iter()
                .any(|(name, value)| value.is_literal() && is_secret_name(name))
    }
}
