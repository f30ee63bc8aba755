//! What is to be read: topics, range, selection. Text becomes these types in `cli`.

use std::sync::Arc;

use super::{Error, ErrorKind, Notices, Result};
use crate::event::{Position, PositionStyle, Select, SelectAll, Timestamp};

/// Which topics of a broker: names and globs. Empty means all that are not internal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TopicSelector {
    patterns: Vec<String>,
}

impl TopicSelector {
    pub fn all() -> Self {
        Self::default()
    }

    /// Reads a comma list of names and globs: `orders,payment*`.
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Ok(Self::all());
        }
        let patterns: Vec<String> = text.split(',').map(str::to_owned).collect();
        if patterns.iter().any(String::is_empty) {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("an empty name in the topic list '{text}'"),
            )
            .hint("write names separated by single commas: orders,payments"));
        }
        Ok(Self { patterns })
    }

    pub fn one(name: &str) -> Self {
        Self {
            patterns: vec![name.to_owned()],
        }
    }

    pub fn is_all(&self) -> bool {
        self.patterns.is_empty()
    }

    /// The names that are asked for literally, so that a missing one is an error.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.patterns
            .iter()
            .map(String::as_str)
            .filter(|p| !is_glob(p))
    }

    /// The patterns that are globs.
    pub fn globs(&self) -> impl Iterator<Item = &str> {
        self.patterns
            .iter()
            .map(String::as_str)
            .filter(|p| is_glob(p))
    }

    /// True when it holds only literal names: what is asked for does not depend on what exists.
    pub fn is_literal(&self) -> bool {
        !self.patterns.is_empty() && !self.patterns.iter().any(|p| is_glob(p))
    }

    /// The only topic, when exactly one is named literally.
    pub fn single(&self) -> Option<&str> {
        match self.patterns.as_slice() {
            [one] if !is_glob(one) => Some(one),
            _ => None,
        }
    }

    /// True when the selector takes this topic. Internal topics are taken only by their name.
    pub fn takes(&self, topic: &str, internal: bool) -> bool {
        if self.patterns.is_empty() {
            return !internal;
        }
        self.patterns
            .iter()
            .any(|p| p == topic || (!internal && is_glob(p) && glob_matches(p, topic)))
    }
}

impl std::fmt::Display for TopicSelector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.patterns.is_empty() {
            f.write_str("*")
        } else {
            f.write_str(&self.patterns.join(","))
        }
    }
}

fn is_glob(pattern: &str) -> bool {
    pattern.contains(['*', '?'])
}

/// `*` is any run of characters, `?` any one. Linear in practice, never exponential.
pub fn glob_matches(pattern: &str, text: &str) -> bool {
    let (p, t): (Vec<char>, Vec<char>) = (pattern.chars().collect(), text.chars().collect());
    let (mut pi, mut ti, mut star) = (0, 0, None);
    while ti < t.len() {
        if pi < p.len() && p[pi] == '*' {
            star = Some((pi, ti));
            pi += 1;
        } else if pi < p.len() && (p[pi] == '?' || p[pi] == t[ti]) {
            pi += 1;
            ti += 1;
        } else if let Some((star_p, star_t)) = star {
            star = Some((star_p, star_t + 1));
            pi = star_p + 1;
            ti = star_t + 1;
        } else {
            return false;
        }
    }
    p[pi..].iter().all(|&c| c == '*')
}

/// One end of a range, before it is frozen. Ages have become times already.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Bound {
    /// The first event that is still there.
    Start,
    /// After the last event, as of now.
    End,
    /// This position in every partition.
    At(Position),
    /// The last N positions of each partition.
    Last(u64),
    /// The first event at or after this time, by the broker's own index.
    Time(Timestamp),
    /// Where this consumer group stands.
    Group(String),
}

/// What part of each partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Range {
    /// `until` is exclusive.
    Bounds { from: Bound, until: Bound },
    /// Frozen earlier; partitions that are not listed are not read.
    Frozen(Vec<PartitionRange>),
}

impl Default for Range {
    fn default() -> Self {
        Self::Bounds {
            from: Bound::Start,
            until: Bound::End,
        }
    }
}

/// A frozen range `[start, end)` of one partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PartitionRange {
    pub topic: Arc<str>,
    pub partition: u32,
    pub style: PositionStyle,
    pub start: Position,
    /// Exclusive. A range may be empty; `end` is never below `start`.
    pub end: Position,
}

/// A read, as a source is asked for it.
#[derive(Clone)]
pub struct Subscription {
    pub topics: TopicSelector,
    /// Empty means all. A number that no selected topic has is an error of kind `Usage`.
    pub partitions: Vec<u32>,
    pub range: Range,
    /// Go on past the end; `until` is then ignored.
    pub follow: bool,
    pub select: Arc<dyn Select>,
    /// Bytes that the source may hold in its queues and buffers together.
    pub memory: usize,
    /// The consumer takes whole record batches as they came, where the source has them: of a batch
    /// that lies in the range as a whole, `Batch::raws` in the place of its events. Means nothing
    /// where `select` drops anything. A source that has none ignores it.
    pub raw: bool,
    /// Where the source says what a person should know: reconnects, skipped damage.
    pub notices: Notices,
}

impl Subscription {
    /// Everything that these topics hold up to their end as of now, each event by itself; nothing is
    /// said meanwhile. The source may hold `memory` bytes. Other reads are made of it.
    pub fn all_of(topics: TopicSelector, memory: usize) -> Self {
        Self {
            topics,
            partitions: Vec::new(),
            range: Range::default(),
            follow: false,
            select: Arc::new(SelectAll),
            memory,
            raw: false,
            notices: Notices::silent(),
        }
    }
}
