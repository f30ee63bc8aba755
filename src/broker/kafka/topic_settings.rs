//! How a topic keeps its events, by Kafka's names of what is set.

use crate::broker::TopicSettings;

/// What is asked for.
pub(super) const NAMES: [&str; 6] = [POLICY, AGE, LARGEST, OLDEST, OLDEST_BEFORE_3_6, TIMES];

const POLICY: &str = "cleanup.policy";
const AGE: &str = "retention.ms";
const LARGEST: &str = "max.message.bytes";
const OLDEST: &str = "message.timestamp.before.max.ms";
/// Its name before Kafka 3.6, where it held for both directions; later only where it is set.
const OLDEST_BEFORE_3_6: &str = "message.timestamp.difference.max.ms";
const TIMES: &str = "message.timestamp.type";

/// Takes one setting over; what is none of [`NAMES`] is passed by.
pub(super) fn take(settings: &mut TopicSettings, name: &str, value: &str) {
    // Below 0, and the largest number, are for ever.
    let bound = || value.parse::<u64>().ok().filter(|n| *n < i64::MAX as u64);
    let policy = |word: &str| value.split(',').any(|p| p.trim() == word);
    match name {
        POLICY => {
            settings.compacts = Some(policy("compact"));
            settings.deletes = Some(policy("delete"));
        }
        AGE => settings.retention_ms = bound(),
        LARGEST => settings.max_message_bytes = bound(),
        OLDEST | OLDEST_BEFORE_3_6 => {
            let both = settings.oldest_ms.into_iter().chain(bound());
            settings.oldest_ms = both.min();
        }
        TIMES => settings.append_time = Some(value == "LogAppendTime"),
        _ => {}
    }
}
