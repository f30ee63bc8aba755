//! The adapters built in: one line each. `evtap brokers` prints this table.

use std::sync::Arc;

use super::{Address, Broker, Capabilities, Error, ErrorKind, Result, Settings, capture, demo};

/// One adapter: what it answers to, and how it is opened.
pub struct Adapter {
    pub name: &'static str,
    /// The schemes of its URLs, without the colon. Empty for files.
    pub schemes: &'static [&'static str],
    pub about: &'static str,
    pub capabilities: Capabilities,
    /// Makes the broker. Does not wait for the network: the first question does.
    pub open: fn(&Address, &Settings) -> Result<Arc<dyn Broker>>,
}

/// Every adapter of this build, in the order in which they are shown.
pub const ADAPTERS: &[Adapter] = &[
    #[cfg(feature = "kafka")]
    super::kafka::ADAPTER,
    #[cfg(feature = "redis")]
    super::redis::ADAPTER,
    capture::ADAPTER,
    demo::ADAPTER,
];

/// Opens what an address names. `Address::Context` must have been resolved before.
pub fn open(address: &Address, settings: &Settings) -> Result<Arc<dyn Broker>> {
    let adapter = match address {
        Address::Url { scheme, .. } => by_scheme(scheme)?,
        Address::File { .. } | Address::Stdin => &capture::ADAPTER,
        Address::Demo { .. } => &demo::ADAPTER,
        Address::Context { name, .. } => {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("the context '{name}' has no URL"),
            ));
        }
    };
    (adapter.open)(address, settings)
}

/// Schemes of the mission whose adapters are not part of this build.
const PLANNED: &[&str] = &[
    "kafka",
    "redis",
    "rediss",
    "rabbitmq",
    "amqp",
    "amqps",
    "nats",
    "pulsar",
    "sqs",
    "servicebus",
    "kurrentdb",
    "eventbridge",
    "eventgrid",
];

fn by_scheme(scheme: &str) -> Result<&'static Adapter> {
    if let Some(adapter) = ADAPTERS.iter().find(|a| a.schemes.contains(&scheme)) {
        return Ok(adapter);
    }
    let known: Vec<String> = ADAPTERS
        .iter()
        .flat_map(|a| a.schemes)
        .map(|s| format!("{s}://"))
        .collect();
    let message = if PLANNED.contains(&scheme) {
        format!("this build of evtap has no adapter for {scheme}://")
    } else {
        format!("unknown scheme {scheme}://")
    };
    Err(Error::new(ErrorKind::Usage, message).hint(format!("it knows: {}", known.join(" "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_schemes_are_unique() {
        let mut seen = std::collections::HashSet::new();
        for adapter in ADAPTERS {
            assert!(seen.insert(adapter.name), "{}", adapter.name);
            assert_eq!(adapter.name, adapter.capabilities.adapter);
            for scheme in adapter.schemes {
                assert!(seen.insert(scheme) || *scheme == adapter.name, "{scheme}");
            }
        }
    }

    #[test]
    fn an_unknown_scheme_names_the_known_ones() {
        let error = by_scheme("kafak").err().unwrap();
        assert_eq!(error.kind, ErrorKind::Usage);
        assert!(error.hint.unwrap().contains("demo://"));
    }
}
