//! Where a dead letter came from and why it died, by the headers that frameworks and brokers leave.

use std::borrow::Cow;
use std::fmt;

use serde_json::Value;

use crate::event::Headers;

/// What a dead letter says of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Origin<'a> {
    pub topic: Cow<'a, str>,
    pub partition: Option<u32>,
    /// Its offset there.
    pub offset: Option<u64>,
    /// Beginnings of the names of the headers that tell of the failure; the event had none of them
    /// before.
    pub told_by: &'static [&'static str],
}

impl fmt::Display for Origin<'_> {
    /// `payments/1@4`, as far as it is known.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.topic)?;
        if let Some(partition) = self.partition {
            write!(f, "/{partition}")?;
        }
        match self.offset {
            Some(offset) => write!(f, "@{offset}"),
            None => Ok(()),
        }
    }
}

/// How numbers are written.
#[derive(Debug, Clone, Copy)]
enum Number {
    /// Big-endian, of 4 or 8 bytes.
    Binary,
    Text,
}

/// One way to leave an origin.
struct Convention {
    topic: &'static str,
    partition: &'static str,
    offset: &'static str,
    number: Number,
    /// What may hold the kind of the failure, the better first.
    kinds: &'static [&'static str],
    messages: &'static [&'static str],
    prefixes: &'static [&'static str],
}

const NONE: &str = "";

/// By header names; of several headers of one name the first is the oldest, so the true origin.
const KNOWN: &[Convention] = &[
    // Spring Kafka, DeadLetterPublishingRecoverer (KafkaHeaders.DLT_*).
    Convention {
        topic: "kafka_dlt-original-topic",
        partition: "kafka_dlt-original-partition",
        offset: "kafka_dlt-original-offset",
        number: Number::Binary,
        kinds: &[
            "kafka_dlt-exception-cause-fqcn",
            "kafka_dlt-exception-fqcn",
            "kafka_dlt-key-exception-fqcn",
        ],
        messages: &[
            "kafka_dlt-exception-message",
            "kafka_dlt-key-exception-message",
        ],
        prefixes: &["kafka_dlt-"],
    },
    // Spring Kafka, retry topics (KafkaHeaders.ORIGINAL_*, EXCEPTION_*).
    Convention {
        topic: "kafka_original-topic",
        partition: "kafka_original-partition",
        offset: "kafka_original-offset",
        number: Number::Binary,
        kinds: &["kafka_exception-cause-fqcn", "kafka_exception-fqcn"],
        messages: &["kafka_exception-message"],
        prefixes: &["kafka_original-", "kafka_exception-"],
    },
    // Kafka Connect, DeadLetterQueueReporter.
    Convention {
        topic: "__connect.errors.topic",
        partition: "__connect.errors.partition",
        offset: "__connect.errors.offset",
        number: Number::Text,
        kinds: &["__connect.errors.exception.class.name"],
        messages: &["__connect.errors.exception.message"],
        prefixes: &["__connect.errors."],
    },
    // Spring Cloud Stream's Kafka binder.
    Convention {
        topic: "x-original-topic",
        partition: "x-original-partition",
        offset: "x-original-offset",
        number: Number::Binary,
        kinds: &["x-exception-fqcn"],
        messages: &["x-exception-message"],
        prefixes: &["x-original-", "x-exception-"],
    },
    // SmallRye Reactive Messaging (Quarkus).
    Convention {
        topic: "dead-letter-topic",
        partition: "dead-letter-partition",
        offset: "dead-letter-offset",
        number: Number::Text,
        kinds: &["dead-letter-exception-class-name"],
        messages: &["dead-letter-reason"],
        prefixes: &["dead-letter-"],
    },
    // RabbitMQ; `x-death` itself is an array, read by `x_death`.
    Convention {
        topic: "x-first-death-queue",
        partition: NONE,
        offset: NONE,
        number: Number::Text,
        kinds: &["x-first-death-reason", "x-last-death-reason"],
        messages: &["x-exception-message"],
        prefixes: RABBIT,
    },
    // Azure Service Bus.
    Convention {
        topic: "DeadLetterSource",
        partition: NONE,
        offset: NONE,
        number: Number::Text,
        kinds: &["DeadLetterReason"],
        messages: &["DeadLetterErrorDescription"],
        prefixes: SERVICE_BUS,
    },
    Convention {
        topic: "x-opt-deadletter-source",
        partition: NONE,
        offset: NONE,
        number: Number::Text,
        kinds: &["DeadLetterReason"],
        messages: &["DeadLetterErrorDescription"],
        prefixes: SERVICE_BUS,
    },
];

const RABBIT: &[&str] = &["x-death", "x-first-death-", "x-last-death-", "x-exception-"];
const SERVICE_BUS: &[&str] = &["DeadLetter", "x-opt-deadletter-"];
/// Amazon SQS: the ARN of the queue that it came from.
const SQS: &str = "DeadLetterQueueSourceArn";
/// The end of the name of Service Bus's own sub-queue.
const SUB_QUEUE: &str = "/$deadletterqueue";

/// The first header of this name that is text and not empty.
fn text<'a>(headers: Headers<'a>, name: &str) -> Option<&'a str> {
    let mut of_name = headers.iter().filter(|(own, _)| *own == name.as_bytes());
    let text = of_name.find_map(|(_, value)| str::from_utf8(value?).ok());
    text.filter(|text| !text.is_empty())
}

fn number(headers: Headers<'_>, name: &str, written: Number) -> Option<u64> {
    let mut of_name = headers.iter().filter(|(own, _)| *own == name.as_bytes());
    let bytes = of_name.next()?.1?;
    let binary = match (written, bytes.len()) {
        (Number::Binary, 4) => bytes.try_into().ok().map(i32::from_be_bytes).map(i64::from),
        (Number::Binary, 8) => bytes.try_into().ok().map(i64::from_be_bytes),
        _ => None,
    };
    match binary {
        Some(number) => u64::try_from(number).ok(),
        None => str::from_utf8(bytes).ok()?.parse().ok(),
    }
}

/// What the headers say; `topic` is the one that the dead letter stands in. `None` where they name
/// no origin.
pub(super) fn read<'a>(headers: Headers<'a>, topic: &'a str) -> Option<Origin<'a>> {
    for known in KNOWN {
        if let Some(topic) = text(headers, known.topic) {
            let partition = number(headers, known.partition, known.number);
            return Some(Origin {
                topic: topic.into(),
                partition: partition.and_then(|p| u32::try_from(p).ok()),
                offset: number(headers, known.offset, known.number),
                told_by: known.prefixes,
            });
        }
    }
    let plain = |topic: Cow<'a, str>, told_by| {
        Some(Origin {
            topic,
            partition: None,
            offset: None,
            told_by,
        })
    };
    if let Some(queue) = text(headers, "x-death").and_then(x_death) {
        return plain(queue.into(), RABBIT);
    }
    if let Some(queue) = text(headers, SQS).and_then(|arn| arn.rsplit(':').next()) {
        return plain(queue.into(), &[SQS]);
    }
    let cut = topic.len().checked_sub(SUB_QUEUE.len())?;
    let (queue, end) = topic.split_at_checked(cut)?;
    if end.eq_ignore_ascii_case(SUB_QUEUE) {
        return plain(queue.into(), SERVICE_BUS);
    }
    None
}

/// The queue where it died first: RabbitMQ puts the newest death first.
fn x_death(json: &str) -> Option<String> {
    let deaths: Value = serde_json::from_str(json).ok()?;
    let first = deaths.as_array()?.last()?;
    let queue = first.get("queue")?.as_str()?;
    (!queue.is_empty()).then(|| queue.to_owned())
}

/// Appends why it died: the kind of the failure and the first line of its message. Nothing where
/// the headers do not tell.
pub(super) fn push_reason(headers: Headers<'_>, out: &mut String) {
    let first = |names: &[&str]| names.iter().find_map(|name| last_text(headers, name));
    for known in KNOWN {
        let (kind, message) = (first(known.kinds), first(known.messages));
        if kind.is_none() && message.is_none() {
            continue;
        }
        out.push_str(kind.unwrap_or_default());
        if let Some(line) = message.and_then(|message| message.lines().next()) {
            if kind.is_some() {
                out.push_str(": ");
            }
            out.push_str(line);
        }
        return;
    }
    if let Some(json) = text(headers, "x-death")
        && let Ok(deaths) = serde_json::from_str::<Value>(json)
        && let Some(reason) = deaths.get(0).and_then(|death| death.get("reason"))
    {
        out.push_str(reason.as_str().unwrap_or_default());
    }
}

/// The newest of several failures is told last.
fn last_text<'a>(headers: Headers<'a>, name: &str) -> Option<&'a str> {
    let of_name = headers.iter().filter(|(own, _)| *own == name.as_bytes());
    let mut texts = of_name.filter_map(|(_, value)| str::from_utf8(value?).ok());
    let first = texts.next()?;
    Some(texts.last().unwrap_or(first)).filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::HeaderBuf;

    fn buf(headers: &[(&str, &[u8])]) -> HeaderBuf {
        let mut buf = HeaderBuf::default();
        for (name, value) in headers {
            buf.push(name.as_bytes(), Some(value));
        }
        buf
    }

    /// Origin as `topic/partition@offset`, and the reason.
    fn told(topic: &str, headers: &[(&str, &[u8])]) -> (String, String) {
        let buf = buf(headers);
        let mut reason = String::new();
        push_reason(buf.as_headers(), &mut reason);
        let origin = read(buf.as_headers(), topic);
        let origin = origin.map(|origin| origin.to_string()).unwrap_or_default();
        (origin, reason)
    }

    fn is(topic: &str, headers: &[(&str, &[u8])], origin: &str, reason: &str) {
        assert_eq!(told(topic, headers), (origin.to_owned(), reason.to_owned()));
    }

    #[test]
    fn spring_kafka_writes_binary_numbers() {
        let headers: &[(&str, &[u8])] = &[
            ("kafka_dlt-original-topic", b"payments"),
            ("kafka_dlt-original-partition", &[0, 0, 0, 1]),
            ("kafka_dlt-original-offset", &[0, 0, 0, 0, 0, 0, 1, 4]),
            ("kafka_dlt-exception-fqcn", b"org.x.ListenerFailed"),
            ("kafka_dlt-exception-cause-fqcn", b"java.net.Timeout"),
            ("kafka_dlt-exception-message", b"read timed out\nat x.y"),
            ("kafka_dlt-original-topic", b"payments-retry-0"),
            ("kafka_dlt-exception-message", b"gave up"),
        ];
        is("d", headers, "payments/1@260", "java.net.Timeout: gave up");
        let retry: &[(&str, &[u8])] = &[
            ("kafka_original-topic", b"a"),
            ("kafka_original-partition", &[0, 0, 0, 2]),
            ("kafka_exception-message", b"m"),
        ];
        is("d", retry, "a/2", "m");
    }

    #[test]
    fn kafka_connect_writes_text() {
        let headers: &[(&str, &[u8])] = &[
            ("__connect.errors.topic", b"orders"),
            ("__connect.errors.partition", b"3"),
            ("__connect.errors.offset", b"99"),
            (
                "__connect.errors.exception.class.name",
                b"org.apache.kafka.connect.errors.DataException",
            ),
            ("__connect.errors.exception.message", b"Invalid JSON"),
        ];
        let reason = "org.apache.kafka.connect.errors.DataException: Invalid JSON";
        is("d", headers, "orders/3@99", reason);
    }

    #[test]
    fn other_kafka_frameworks_are_known() {
        let cloud: &[(&str, &[u8])] = &[
            ("x-original-topic", b"orders"),
            ("x-original-partition", &[0, 0, 0, 0]),
            ("x-original-offset", &[0, 0, 0, 0, 0, 0, 0, 9]),
            ("x-exception-fqcn", b"E"),
        ];
        is("d", cloud, "orders/0@9", "E");
        let quarkus: &[(&str, &[u8])] = &[
            ("dead-letter-topic", b"orders"),
            ("dead-letter-partition", b"1"),
            ("dead-letter-reason", b"bad"),
        ];
        is("d", quarkus, "orders/1", "bad");
    }

    #[test]
    fn queues_name_where_it_died_first() {
        let death =
            br#"[{"queue":"retry","reason":"expired"},{"queue":"orders","reason":"rejected"}]"#;
        is("d", &[("x-death", death)], "orders", "expired");
        let first: &[(&str, &[u8])] = &[
            ("x-first-death-queue", b"orders"),
            ("x-first-death-reason", b"rejected"),
            ("x-death", death),
        ];
        is("d", first, "orders", "rejected");
        let sqs: &[(&str, &[u8])] = &[(SQS, b"arn:aws:sqs:eu-west-1:1234:orders")];
        is("d", sqs, "orders", "");
        let bus: &[(&str, &[u8])] = &[
            ("DeadLetterSource", b"orders"),
            ("DeadLetterReason", b"MaxDeliveryCountExceeded"),
            ("DeadLetterErrorDescription", b"10 times"),
        ];
        is("d", bus, "orders", "MaxDeliveryCountExceeded: 10 times");
        is(
            "orders/$DeadLetterQueue",
            &bus[1..2],
            "orders",
            "MaxDeliveryCountExceeded",
        );
    }

    #[test]
    fn what_is_no_origin_is_none() {
        is("d", &[], "", "");
        is("d", &[("kafka_dlt-original-topic", b"")], "", "");
        is("d", &[("kafka_dlt-original-topic", b"\xff")], "", "");
        is("d", &[("x-death", b"[{\"queue\":")], "", "");
        is("d", &[("x-death", b"{}")], "", "");
        is("é/$DeadLetterQueu", &[], "", "");
        // A number that is none leaves the topic.
        let odd: &[(&str, &[u8])] = &[
            ("kafka_dlt-original-topic", b"t"),
            ("kafka_dlt-original-partition", &[0xff; 4]),
            ("kafka_dlt-original-offset", b"x"),
        ];
        is("d", odd, "t", "");
    }
}
