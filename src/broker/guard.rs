//! The guards that hold whatever the command above them does: a read-only context, and the list of
//! topics that may be written to. Every adapter wraps its broker in them but the one of files: a
//! recording is no write to a broker.

use std::sync::Arc;

use super::{
    BoxFuture, Broker, Capabilities, Error, ErrorKind, ExactSink, Group, History, NewTopic,
    Overview, PartitionRange, Result, Settings, Sink, Source, Subscription, Target, TopicInfo,
    TopicSelector, TopicSettings, exact::Job, subscription::glob_matches,
};
use crate::event::Timestamp;

/// A broker that refuses the writes which its settings forbid, before the network is used.
pub struct Guarded<B> {
    inner: B,
    settings: Settings,
}

impl<B: Broker> Guarded<B> {
    pub fn new(inner: B, settings: Settings) -> Self {
        Self { inner, settings }
    }
}

/// Says whether these settings allow a write to the topic.
pub fn allows_write(settings: &Settings, topic: &str) -> Result<()> {
    let place = match &settings.context {
        Some(context) => format!("{context}/{topic}"),
        None => topic.to_owned(),
    };
    if settings.read_only {
        let hint = match &settings.context {
            Some(context) => format!(
                "the context '{context}' has read_only = true, or --read-only was given; \
                 replay into another context"
            ),
            None => "--read-only was given; leave it out to write".to_owned(),
        };
        return Err(Error::new(
            ErrorKind::Refused,
            format!("guard read-only: a write to {place} is refused"),
        )
        .hint(hint));
    }
    let allowed = &settings.allow_replay_to;
    if !allowed.is_empty() && !allowed.iter().any(|p| glob_matches(p, topic)) {
        return Err(Error::new(
            ErrorKind::Refused,
            format!("guard allow_replay_to: a write to {place} is refused"),
        )
        .hint(format!("the context allows only: {}", allowed.join(", "))));
    }
    Ok(())
}

impl<B: Broker> Broker for Guarded<B> {
    fn capabilities(&self) -> Capabilities {
        self.inner.capabilities()
    }

    fn reader(&self) -> Option<String> {
        self.inner.reader()
    }

    fn topics<'a>(&'a self, which: &'a TopicSelector) -> BoxFuture<'a, Result<Vec<TopicInfo>>> {
        self.inner.topics(which)
    }

    fn overview<'a>(&'a self, which: &'a TopicSelector) -> BoxFuture<'a, Result<Overview>> {
        self.inner.overview(which)
    }

    fn groups(&self) -> BoxFuture<'_, Result<Vec<Group>>> {
        self.inner.groups()
    }

    fn topic_settings<'a>(
        &'a self,
        topics: &'a [Arc<str>],
    ) -> BoxFuture<'a, Result<Vec<TopicSettings>>> {
        self.inner.topic_settings(topics)
    }

    fn cluster(&self) -> BoxFuture<'_, Result<Option<String>>> {
        self.inner.cluster()
    }

    fn clock(&self) -> BoxFuture<'_, Result<Option<Timestamp>>> {
        self.inner.clock()
    }

    fn resolve<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Vec<PartitionRange>>> {
        self.inner.resolve(sub)
    }

    fn source<'a>(&'a self, sub: &'a Subscription) -> BoxFuture<'a, Result<Box<dyn Source>>> {
        self.inner.source(sub)
    }

    fn sink<'a>(&'a self, target: &'a Target) -> BoxFuture<'a, Result<Box<dyn Sink>>> {
        match allows_write(&self.settings, &target.topic) {
            Ok(()) => self.inner.sink(target),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    fn exact_sink<'a>(&'a self, job: &'a Job) -> BoxFuture<'a, Result<Option<Box<dyn ExactSink>>>> {
        match allows_write(&self.settings, &job.target.topic) {
            Ok(()) => self.inner.exact_sink(job),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    fn create_topic<'a>(&'a self, topic: &'a NewTopic) -> BoxFuture<'a, Result<()>> {
        match allows_write(&self.settings, &topic.name) {
            Ok(()) => self.inner.create_topic(topic),
            Err(error) => Box::pin(async { Err(error) }),
        }
    }

    fn load_history<'a>(&'a self, history: &'a History) -> BoxFuture<'a, Result<()>> {
        for topic in &history.topics {
            if let Err(error) = allows_write(&self.settings, &topic.name) {
                return Box::pin(async { Err(error) });
            }
        }
        self.inner.load_history(history)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_read_only_context_refuses_every_write() {
        let settings = Settings {
            read_only: true,
            context: Some("prod".into()),
            ..Settings::default()
        };
        let error = allows_write(&settings, "orders").unwrap_err();
        assert_eq!(error.kind, ErrorKind::Refused);
        assert!(error.message.contains("prod/orders"), "{error}");
    }

    #[test]
    fn the_list_of_allowed_targets_takes_globs() {
        let settings = Settings {
            allow_replay_to: vec!["*.replay".into()],
            ..Settings::default()
        };
        assert!(allows_write(&settings, "orders.replay").is_ok());
        assert!(allows_write(&settings, "orders").is_err());
        assert!(allows_write(&settings, "orders.replay.x").is_err());
    }
}
