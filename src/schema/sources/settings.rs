//! How a registry is asked: login, TLS, naming strategy, where answers are kept. Read from
//! properties by the names that Confluent's clients use.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;

use secrecy::{ExposeSecret, SecretString};

use super::SubjectStrategy;
use crate::config::did_you_mean;
use crate::schema::SchemaError;

/// All of these begin so among a broker's properties.
const PREFIX: &str = "schema.registry.";

const NAMES: &[&str] = &[
    "basic.auth.user.info",
    "bearer.auth.token",
    "key.subject.name.strategy",
    "ssl.ca.location",
    "ssl.certificate.location",
    "ssl.key.location",
    "subject.name.strategy",
    "url",
    "value.subject.name.strategy",
];

/// Checked settings. Printing them tells no secret.
#[derive(Clone, Default)]
pub struct Settings {
    /// The registry that the properties name; it can hold a password.
    pub(super) url: Option<SecretString>,
    /// `user:password`
    pub(super) basic: Option<SecretString>,
    pub(super) bearer: Option<SecretString>,
    pub(super) ca: Option<PathBuf>,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
    /// Of keys and of values, where they are pinned.
    pub(super) strategies: [Option<SubjectStrategy>; 2],
    /// The folder in which schemas are kept from run to run; `None` keeps none.
    pub(super) cache: Option<PathBuf>,
}

impl Settings {
    /// Takes the properties that begin with `schema.registry.`; others are somebody else's.
    /// An unknown name or a strategy that is none is an error.
    pub fn new(properties: &BTreeMap<String, String>) -> Result<Self, SchemaError> {
        let mut settings = Self::default();
        for (name, value) in properties {
            if let Some(short) = name.strip_prefix(PREFIX) {
                settings.set(short, value)?;
            }
        }
        if settings.certificate.is_some() != settings.key.is_some() {
            return Err(SchemaError(format!(
                "of the client's certificate and key only one is given: give both, \
                 {PREFIX}ssl.certificate.location and {PREFIX}ssl.key.location"
            )));
        }
        Ok(settings)
    }

    fn set(&mut self, name: &str, value: &str) -> Result<(), SchemaError> {
        let secret = || Some(SecretString::from(value));
        let path = || Some(PathBuf::from(value));
        match name {
            "url" => self.url = secret(),
            "basic.auth.user.info" if !value.contains(':') => {
                return Err(SchemaError(format!(
                    "the property '{PREFIX}{name}' is USER:PASSWORD"
                )));
            }
            "basic.auth.user.info" => self.basic = secret(),
            "bearer.auth.token" => self.bearer = secret(),
            "ssl.ca.location" => self.ca = path(),
            "ssl.certificate.location" => self.certificate = path(),
            "ssl.key.location" => self.key = path(),
            "subject.name.strategy" => self.strategies = [Some(strategy(name, value)?); 2],
            "key.subject.name.strategy" => self.strategies[0] = Some(strategy(name, value)?),
            "value.subject.name.strategy" => self.strategies[1] = Some(strategy(name, value)?),
            _ => return Err(unknown(name)),
        }
        Ok(())
    }

    /// The registry that the properties themselves name. It can hold a password: do not show it.
    pub fn url(&self) -> Option<&str> {
        self.url.as_ref().map(ExposeSecret::expose_secret)
    }

    /// Keeps what is fetched in this folder; see [`cache_folder`].
    #[must_use]
    pub fn cached_in(mut self, folder: Option<PathBuf>) -> Self {
        self.cache = folder;
        self
    }
}

fn strategy(name: &str, value: &str) -> Result<SubjectStrategy, SchemaError> {
    SubjectStrategy::parse(value).ok_or_else(|| {
        SchemaError(format!(
            "the property '{PREFIX}{name}' is TopicName, RecordName or TopicRecordName"
        ))
    })
}

fn unknown(name: &str) -> SchemaError {
    let hint = did_you_mean(name, NAMES.iter().copied())
        .map_or_else(String::new, |close| format!(": is {PREFIX}{close} meant?"));
    SchemaError(format!(
        "there is no property '{PREFIX}{name}' of schema registries{hint}"
    ))
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("basic", &self.basic.is_some())
            .field("bearer", &self.bearer.is_some())
            .field("ca", &self.ca)
            .field("certificate", &self.certificate)
            .field("strategies", &self.strategies)
            .field("cache", &self.cache)
            .finish_non_exhaustive()
    }
}

/// Where fetched schemas are kept: `$XDG_CACHE_HOME/evtap/schemas`, else below the home folder.
/// `None` when there is no home.
pub fn cache_folder(env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    let absolute = |name| env(name).map(PathBuf::from).filter(|p| p.is_absolute());
    // The XDG specification: a relative path is invalid and is to be ignored.
    let base = absolute("XDG_CACHE_HOME")
        .or_else(|| absolute("LOCALAPPDATA"))
        .or_else(|| Some(absolute("HOME")?.join(".cache")))?;
    Some(base.join("evtap").join("schemas"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(pairs: &[(&str, &str)]) -> Result<Settings, SchemaError> {
        let map = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        Settings::new(&map)
    }

    #[test]
    fn what_is_not_the_registrys_is_left_alone() {
        let settings = of(&[
            ("sasl.password", "x"),
            ("schema.registry.basic.auth.user.info", "me:canary"),
            ("schema.registry.bearer.auth.token", "canary"),
            ("schema.registry.url", "http://me:canary@h:1"),
            ("schema.registry.subject.name.strategy", "RecordName"),
        ])
        .unwrap();
        assert_eq!(settings.strategies, [Some(SubjectStrategy::RecordName); 2]);
        assert_eq!(settings.url(), Some("http://me:canary@h:1"));
        assert!(!format!("{settings:?}").contains("canary"));
    }

    #[test]
    fn a_property_that_cannot_be_meant_is_refused_without_its_value() {
        for (name, value, said) in [
            ("bearer.auth.tokn", "canary", "bearer.auth.token"),
            ("basic.auth.user.info", "canary", "USER:PASSWORD"),
            ("subject.name.strategy", "canary", "TopicRecordName"),
            ("ssl.key.location", "canary", "certificate.location"),
        ] {
            let error = of(&[(&format!("{PREFIX}{name}"), value)]).unwrap_err();
            assert!(error.0.contains(said), "{error}");
            assert!(!error.0.contains("canary"), "{error}");
        }
    }

    #[test]
    fn the_cache_is_where_the_xdg_specification_says() {
        let folder = |pairs: &'static [(&str, &str)]| {
            cache_folder(&move |name| {
                let found = pairs.iter().find(|(key, _)| *key == name);
                found.map(|(_, value)| (*value).to_owned())
            })
        };
        let home = ("HOME", "/h");
        assert_eq!(folder(&[]), None);
        assert_eq!(
            folder(&[("HOME", "/h")]).unwrap(),
            PathBuf::from("/h/.cache/evtap/schemas")
        );
        assert_eq!(
            folder(&[("XDG_CACHE_HOME", "/c"), ("HOME", "/h")]).unwrap(),
            PathBuf::from("/c/evtap/schemas")
        );
        assert_eq!(
            folder(&[("XDG_CACHE_HOME", "c"), ("HOME", "/h")]).unwrap(),
            PathBuf::from(home.1).join(".cache/evtap/schemas")
        );
    }
}
