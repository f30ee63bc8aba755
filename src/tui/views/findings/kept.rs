//! How the topics that are read are kept: asked of their brokers once a read, before the first
//! event is looked at. What the folds make of it is theirs.

use std::sync::Arc;
use std::time::Duration;

use crate::broker::{Result, TopicSelector};
use crate::tui::connect::Connection;
use crate::tui::model::Model;
use crate::tui::msg::{Effect, Msg};

/// So long the first events wait for the answers. One that comes later counts from then on.
const PATIENCE: Duration = Duration::from_secs(1);

/// A topic of a source, and whether its cleaner keeps only the newest value of a key.
pub(super) type Cleaned = (u16, Arc<str>, bool);

/// What was asked and what was told.
#[derive(Default)]
pub(super) struct Kept {
    /// Sources that did not answer yet.
    asked: usize,
    /// When they were asked.
    since: Duration,
    /// Told, and not handed on yet.
    told: Vec<Cleaned>,
}

impl Kept {
    /// True while events had better wait.
    pub(super) fn is_awaited(&self, mono: Duration) -> bool {
        self.asked > 0 && mono.saturating_sub(self.since) < PATIENCE
    }

    /// What came since it was asked last.
    pub(super) fn take(&mut self) -> Vec<Cleaned> {
        std::mem::take(&mut self.told)
    }
}

/// Asks every source of which something is read.
pub(super) fn ask(model: &mut Model) -> Vec<Effect> {
    let source = &model.source;
    let mut effects = Vec::new();
    for (index, connection) in source.connections.iter().enumerate() {
        let topics = match source.topics.as_ref().map(|chosen| chosen.get(index)) {
            None => connection.address.topics(),
            Some(Some(Some(chosen))) => chosen.clone(),
            Some(Some(None) | None) => continue,
        };
        let origin = u16::try_from(index).unwrap_or(u16::MAX);
        let (connection, read) = (Arc::clone(connection), source.read);
        effects.push(Effect::Wait(Box::pin(async move {
            let told = settings(&connection, &topics, origin).await;
            Msg::Done(Box::new(move |model| answered(model, read, told)))
        })));
    }
    model.findings.watch.kept = Kept {
        asked: effects.len(),
        since: model.now.mono,
        told: Vec::new(),
    };
    effects
}

async fn settings(
    connection: &Connection,
    topics: &TopicSelector,
    origin: u16,
) -> Result<Vec<Cleaned>> {
    let topics = connection.broker.topics(topics).await?;
    let names: Vec<Arc<str>> = topics.into_iter().map(|topic| topic.name).collect();
    let told = connection.broker.topic_settings(&names).await?;
    let told = told.into_iter();
    Ok(told
        .filter_map(|topic| Some((origin, topic.topic, topic.compacts?)))
        .collect())
}

fn answered(model: &mut Model, read: u64, told: Result<Vec<Cleaned>>) -> Vec<Effect> {
    let watch = &mut model.findings.watch;
    if watch.read != read {
        return Vec::new();
    }
    watch.kept.asked = watch.kept.asked.saturating_sub(1);
    // Who may read topics need not be allowed to see how they are kept; the rest goes on without.
    watch.kept.told.extend(told.unwrap_or_default());
    super::watch::go(model)
}
