//! New streams while following a glob: SCAN, one step at a time between two reads.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use redis::{Cmd, Value};
use tokio::time::Instant;

use super::look::{scan_reply, scan_step, server_pattern};
use super::reply;
use crate::broker::{Subscription, TopicSelector};

/// Rest between two walks over the keys.
const REST: Duration = Duration::from_secs(10);
/// And at least this many times as long as the walk took: a server with very many keys has other
/// things to do.
const REST_FACTOR: u32 = 20;

/// Looks for streams that a selector takes and that nobody has seen yet.
pub(super) struct Watch {
    selector: TopicSelector,
    pattern: String,
    known: HashSet<Arc<str>>,
    cursor: Vec<u8>,
    begun: Instant,
    due: Instant,
}

impl Watch {
    /// Nothing to watch for unless the read follows a glob.
    pub(super) fn of(sub: &Subscription, known: impl Iterator<Item = Arc<str>>) -> Option<Self> {
        let open = sub.topics.is_all() || sub.topics.globs().next().is_some();
        let now = Instant::now();
        (sub.follow && open).then(|| Self {
            selector: sub.topics.clone(),
            pattern: server_pattern(&sub.topics),
            known: known.collect(),
            cursor: b"0".to_vec(),
            begun: now,
            due: now + REST,
        })
    }

    /// When the next step is due.
    pub(super) const fn due(&self) -> Instant {
        self.due
    }

    pub(super) fn question(&self) -> Cmd {
        scan_step(&self.cursor, &self.pattern)
    }

    /// The names in an answer that are new. `None` when it makes no sense.
    pub(super) fn take(&mut self, answer: &Value) -> Option<Vec<Arc<str>>> {
        let (next, keys) = scan_reply(answer)?;
        let now = Instant::now();
        if self.cursor == b"0" {
            self.begun = now;
        }
        // Steps of one walk follow each other, each after whatever else there is to ask.
        self.due = now;
        if next == b"0" {
            self.due += REST.max(self.begun.elapsed() * REST_FACTOR);
        }
        self.cursor = next.to_vec();
        let mut new = Vec::new();
        for key in keys.iter().filter_map(reply::bytes) {
            let Ok(name) = std::str::from_utf8(key) else {
                continue;
            };
            if self.selector.takes(name, false) && !self.known.contains(name) {
                let name: Arc<str> = name.into();
                self.known.insert(name.clone());
                new.push(name);
            }
        }
        Some(new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sub(topics: &str, follow: bool) -> Subscription {
        Subscription {
            follow,
            ..Subscription::all_of(TopicSelector::parse(topics).unwrap(), 1 << 20)
        }
    }

    fn answer(next: &str, keys: &[&str]) -> Value {
        let bulk = |text: &&str| Value::BulkString(text.as_bytes().to_vec());
        Value::Array(vec![
            bulk(&next),
            Value::Array(keys.iter().map(bulk).collect()),
        ])
    }

    #[test]
    fn only_a_following_glob_is_watched() {
        assert!(Watch::of(&sub("orders", true), std::iter::empty()).is_none());
        assert!(Watch::of(&sub("o*", false), std::iter::empty()).is_none());
        assert!(Watch::of(&sub("o*", true), std::iter::empty()).is_some());
        assert!(Watch::of(&sub("", true), std::iter::empty()).is_some());
    }

    #[test]
    fn a_name_is_new_once_and_a_walk_rests_at_its_end() {
        let mut watch = Watch::of(&sub("o*", true), std::iter::once("o1".into())).unwrap();
        let new = watch.take(&answer("7", &["o1", "o2", "p", "o2"])).unwrap();
        assert_eq!(new, [Arc::<str>::from("o2")]);
        assert!(watch.due() <= Instant::now(), "the walk goes on");
        assert!(watch.take(&answer("0", &["o2"])).unwrap().is_empty());
        assert!(watch.due() > Instant::now() + REST / 2);
        assert!(watch.take(&Value::Okay).is_none());
    }
}
