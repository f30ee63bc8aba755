//! Which subjects of a registry a topic's schemas are filed under: the three naming strategies.

use super::Side;

/// How producers name subjects. Where none is pinned, all three are tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SubjectStrategy {
    /// `orders-value`
    TopicName,
    /// `com.acme.Order`
    RecordName,
    /// `orders-com.acme.Order`
    TopicRecordName,
}

impl SubjectStrategy {
    /// Reads the short name or the class of the Java client.
    pub fn parse(text: &str) -> Option<Self> {
        let last = text.rsplit('.').next().unwrap_or(text);
        let name = last.strip_suffix("Strategy").unwrap_or(last);
        match name.to_ascii_lowercase().as_str() {
            "topicname" => Some(Self::TopicName),
            "recordname" => Some(Self::RecordName),
            "topicrecordname" => Some(Self::TopicRecordName),
            _ => None,
        }
    }

    fn subject(self, topic: &str, side: Side, record: Option<&str>) -> Option<String> {
        match self {
            Self::TopicName => Some(format!("{topic}-{}", side.word())),
            Self::RecordName => record.map(str::to_owned),
            Self::TopicRecordName => record.map(|record| format!("{topic}-{record}")),
        }
    }
}

/// The subjects to look under, the most likely first: what names topic and record, then what names
/// the record, then the topic's own; only the pinned one where there is one. Strategies that need
/// a record's name give nothing without it.
pub fn subjects_for(
    topic: &str,
    side: Side,
    record_name: Option<&str>,
    pinned: Option<SubjectStrategy>,
) -> Vec<String> {
    let all = [
        SubjectStrategy::TopicRecordName,
        SubjectStrategy::RecordName,
        SubjectStrategy::TopicName,
    ];
    all.into_iter()
        .filter(|strategy| pinned.is_none_or(|pinned| pinned == *strategy))
        .filter_map(|strategy| strategy.subject(topic, side, record_name))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_has_its_subjects_in_order_of_likeness() {
        let name = Some("com.acme.Order");
        assert_eq!(
            subjects_for("orders", Side::Value, None, None),
            ["orders-value"]
        );
        assert_eq!(
            subjects_for("orders", Side::Key, name, None),
            ["orders-com.acme.Order", "com.acme.Order", "orders-key"]
        );
        let pinned = Some(SubjectStrategy::RecordName);
        assert_eq!(
            subjects_for("orders", Side::Value, name, pinned),
            ["com.acme.Order"]
        );
        assert!(subjects_for("orders", Side::Value, None, pinned).is_empty());
    }

    #[test]
    fn a_strategy_is_known_by_its_short_name_and_its_java_class() {
        for (text, strategy) in [
            ("TopicName", Some(SubjectStrategy::TopicName)),
            (
                "io.confluent.kafka.serializers.subject.TopicRecordNameStrategy",
                Some(SubjectStrategy::TopicRecordName),
            ),
            ("record", None),
        ] {
            assert_eq!(SubjectStrategy::parse(text), strategy, "{text}");
        }
    }
}
