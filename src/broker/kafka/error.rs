//! librdkafka's error codes as the errors that a person can act on. No I/O.

use rdkafka::types::{RDKafkaErrorCode as Code, RDKafkaRespErr};

use crate::broker::{Error, ErrorKind};

/// What librdkafka said: its code, and the text that often says more than the code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    pub(super) code: Code,
    pub(super) text: String,
    /// What to try, where whoever met it knows better than the code tells.
    pub(super) hint: Option<&'static str>,
}

impl Failure {
    pub(super) fn new(code: impl Into<Code>, text: impl Into<String>) -> Self {
        Self {
            code: code.into(),
            text: text.into(),
            hint: None,
        }
    }

    pub(super) const fn hint(mut self, hint: &'static str) -> Self {
        self.hint = Some(hint);
        self
    }

    /// A number as it stands in librdkafka's structures. It is not trusted to be a known one.
    pub(super) fn from_number(number: i32) -> Self {
        RDKafkaRespErr::try_from(number).map_or_else(
            |_| Self::new(Code::Unknown, format!("error {number} of the broker")),
            |code| Self::of(code.into()),
        )
    }

    pub(super) fn of(code: Code) -> Self {
        // `Display` writes `Name (description)`; the description alone reads better.
        let shown = code.to_string();
        let text = shown
            .split_once(" (")
            .and_then(|(_, rest)| rest.strip_suffix(')'))
            .unwrap_or(&shown);
        Self::new(code, plain(text))
    }

    /// The error for a failure of `what` ("read orders/0").
    pub(super) fn into_error(self, what: &str) -> Error {
        let message = format!("{what}: {}", self.text);
        self.with_message(message)
    }

    /// The error for a cluster that cannot be reached. An address that was typed is not repeated.
    pub(super) fn into_contact_error(self, brokers: &str) -> Error {
        let connect = self.text.strip_prefix("Connect to ").and_then(|rest| {
            let (address, why) = rest.split_once(" failed: ")?;
            let (_, address) = address.split_once('#')?;
            let typed = brokers.split(',').any(|broker| broker == address);
            Some(if typed {
                why.to_owned()
            } else {
                format!("{address}: {why}")
            })
        });
        let message = connect.unwrap_or_else(|| self.text.clone());
        self.with_message(message)
    }

    fn with_message(&self, message: String) -> Error {
        let (kind, hint) = classify(self.code, &self.text);
        let error = Error::new(kind, message);
        match self.hint.map(str::to_owned).or(hint) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }
}

/// Cuts what librdkafka puts around what it has to say: the thread's name and the broker's address
/// in front (`sasl_ssl://h:9094/bootstrap: `), `Broker: `, and the connection's age behind.
pub(super) fn plain(text: &str) -> String {
    let mut rest = text.trim();
    if rest.starts_with("[thrd:")
        && let Some((_, after)) = rest.split_once("]: ")
    {
        rest = after;
    }
    if let Some((head, after)) = rest.split_once(": ")
        && (head.contains("://") || head.ends_with("/bootstrap"))
        && !head.contains(' ')
    {
        rest = after;
    }
    if let Some((before, age)) = rest.rsplit_once(" (after ")
        && age.contains(" in state ")
    {
        rest = before;
    }
    rest = rest.strip_prefix("Broker: ").unwrap_or(rest);
    rest.trim_end_matches('.').to_owned()
}

/// The first four letters of an HTTP answer, read as the length of a Kafka one.
const HTTP_AS_LENGTH: &str = "1213486160";

/// The kind of a failure and what to try.
pub(super) fn classify(code: Code, text: &str) -> (ErrorKind, Option<String>) {
    match code {
        _ if text.contains(HTTP_AS_LENGTH) => (
            ErrorKind::Unreachable,
            Some("an HTTP server answers there: is it the right port?".into()),
        ),
        Code::Authentication | Code::SaslAuthenticationFailed | Code::UnsupportedSASLMechanism => (
            ErrorKind::Authentication,
            Some(
                "check sasl.username, sasl.password and sasl.mechanism (PLAIN, SCRAM-SHA-256, \
                 SCRAM-SHA-512)"
                    .into(),
            ),
        ),
        Code::TopicAuthorizationFailed
        | Code::ClusterAuthorizationFailed
        | Code::TransactionalIdAuthorizationFailed
        | Code::GroupAuthorizationFailed => (
            ErrorKind::Authorization,
            Some(permission_hint(code).to_owned()),
        ),
        Code::UnknownTopicOrPartition | Code::UnknownTopic | Code::UnknownPartition => (
            ErrorKind::MissingTopic,
            Some("`evtap topics` lists the topics".into()),
        ),
        Code::SSL
        | Code::Resolve
        | Code::BrokerTransportFailure
        | Code::AllBrokersDown
        | Code::OperationTimedOut
        | Code::RequestTimedOut
        | Code::BrokerNotAvailable
        | Code::NetworkException => (
            ErrorKind::Unreachable,
            Some(unreachable_hint(code, text).to_owned()),
        ),
        Code::UnsupportedFeature | Code::UnsupportedVersion => (
            ErrorKind::Unreachable,
            Some("is it a broker's listener? A controller's answers like this".into()),
        ),
        Code::InvalidTopic => (
            ErrorKind::Usage,
            Some(
                "a topic's name has up to 249 letters, digits, dots, dashes and underscores".into(),
            ),
        ),
        Code::MessageSizeTooLarge => (
            ErrorKind::Broker,
            Some("raise max.message.bytes of the topic".into()),
        ),
        Code::TopicAlreadyExists => (ErrorKind::Refused, None),
        Code::InvalidConfig
        | Code::PolicyViolation
        | Code::InvalidPartitions
        | Code::InvalidReplicationFactor => (ErrorKind::Usage, None),
        _ => (ErrorKind::Broker, None),
    }
}

const fn permission_hint(code: Code) -> &'static str {
    match code {
        Code::GroupAuthorizationFailed => {
            "ask for an ACL that allows this user to describe the group"
        }
        Code::ClusterAuthorizationFailed => "ask for an ACL that allows this user that operation",
        Code::TransactionalIdAuthorizationFailed => {
            "ask for an ACL that allows this user the transactional id"
        }
        _ => "ask for an ACL that allows this user the topic (to read: Describe and Read)",
    }
}

fn unreachable_hint(code: Code, text: &str) -> &'static str {
    let wants_tls = text.contains("SSL listener");
    let has_tls = code == Code::SSL || text.contains("SSL");
    if text.contains("certificate") {
        "give the CA that signed the broker's certificate: -X ssl.ca.location=FILE"
    } else if has_tls && !wants_tls {
        "the listener does not speak TLS, or not this kind: try another port or security.protocol"
    } else if text.contains("Disconnected") || text.contains("receive.message.max.bytes") {
        // It hangs up at once: what a TLS listener does with plain text.
        "if the listener speaks TLS, try -X security.protocol=SSL, or SASL_SSL with a login"
    } else if code == Code::Resolve {
        "check the host's name"
    } else {
        "is the broker up, and are host and port right?"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_http_server_is_known_by_its_first_four_letters() {
        assert_eq!(u32::from_be_bytes(*b"HTTP").to_string(), HTTP_AS_LENGTH);
        let said = "Receive failed: Invalid response size 1213486160 (0..100000000)";
        let (kind, hint) = classify(Code::BadMessage, said);
        assert_eq!(kind, ErrorKind::Unreachable);
        assert!(hint.is_some_and(|hint| hint.contains("HTTP")));
    }

    #[test]
    fn each_way_to_be_turned_away_has_its_own_kind() {
        for (code, kind) in [
            (Code::Authentication, ErrorKind::Authentication),
            (Code::TopicAuthorizationFailed, ErrorKind::Authorization),
            (Code::GroupAuthorizationFailed, ErrorKind::Authorization),
            (Code::ClusterAuthorizationFailed, ErrorKind::Authorization),
            (
                Code::TransactionalIdAuthorizationFailed,
                ErrorKind::Authorization,
            ),
            (Code::UnknownTopicOrPartition, ErrorKind::MissingTopic),
            (Code::Resolve, ErrorKind::Unreachable),
            (Code::SSL, ErrorKind::Unreachable),
            (Code::BrokerTransportFailure, ErrorKind::Unreachable),
            (Code::InvalidTopic, ErrorKind::Usage),
        ] {
            let error = Failure::of(code).into_error("read t");
            assert_eq!(error.kind, kind, "{code:?}");
            assert!(error.hint.is_some(), "{code:?}");
        }
    }

    #[test]
    fn the_text_loses_what_only_librdkafka_needs() {
        assert_eq!(
            plain("[thrd:sasl_ssl://h:1/bootstrap]: sasl_ssl://h:1/bootstrap: Connect failed"),
            "Connect failed"
        );
        assert_eq!(
            plain("Broker: Topic authorization failed"),
            "Topic authorization failed"
        );
        assert_eq!(plain("a: b"), "a: b");
        assert_eq!(
            plain(
                "h:1/bootstrap: Disconnected: why? (after 1ms in state APIVERSION_QUERY, 1 more)"
            ),
            "Disconnected: why?"
        );
    }

    #[test]
    fn a_broker_that_is_not_there_is_named_once() {
        let failure = Failure::new(
            Code::BrokerTransportFailure,
            "Connect to ipv4#127.0.0.1:1 failed: Connection refused",
        );
        for (brokers, message) in [
            ("h:9092,127.0.0.1:1", "Connection refused"),
            ("localhost:1", "127.0.0.1:1: Connection refused"),
        ] {
            let error = failure.clone().into_contact_error(brokers);
            assert_eq!(error.kind, ErrorKind::Unreachable);
            assert_eq!(error.message, message);
        }
    }

    #[test]
    fn an_unknown_number_is_no_crash() {
        let failure = Failure::from_number(31_999);
        assert_eq!(failure.code, Code::Unknown);
        assert!(failure.text.contains("31999"));
    }
}
