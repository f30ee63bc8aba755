//! Transactions: two producers on one partition, what they aborted, and what is still open.

use evtap::broker::{Bound, Range};
use evtap::event::Position;
use rdkafka::producer::{BaseProducer, Producer as _};

use crate::both::agreed;
use crate::made::{Dice, Made, WAIT, send};
use crate::support::{all_of, between, kafka, producer, with_topic};

fn event(text: &str, n: usize) -> Made {
    Made {
        key: Some(text.as_bytes().to_vec()),
        value: Some(format!("{text} {n}").into_bytes()),
        ..Made::default()
    }
}

/// Some more of a transaction, which its producer hands over at once.
fn some(producer: &BaseProducer, topic: &str, text: &str, count: usize) {
    for n in 0..count {
        send(producer, topic, &event(text, n));
    }
    producer.flush(WAIT).unwrap();
}

/// What is in the log of [`interleaved`].
pub struct Sent {
    pub committed: usize,
    pub aborted: usize,
}

/// Two producers, each with one transaction after the other, while the other's are open, and one
/// without transactions between them.
pub fn interleaved(host: &str, topic: &str) -> Sent {
    let open = |name: &str| {
        let id = format!("{topic}-{name}");
        let producer = producer(host, &[("transactional.id", &id), ("linger.ms", "5")]);
        producer.init_transactions(WAIT).unwrap();
        producer
    };
    let both = [open("a"), open("b")];
    let plain = producer(host, &[("compression.type", "zstd")]);
    let mut waiting = [0; 2];
    let mut sent = Sent {
        committed: 0,
        aborted: 0,
    };
    let mut dice = Dice(7);
    for step in 0..80 {
        let which = dice.below(2) as usize;
        let (producer, count) = (&both[which], &mut waiting[which]);
        match dice.below(5) {
            0 if *count > 0 => {
                producer.commit_transaction(WAIT).unwrap();
                sent.committed += std::mem::take(count);
            }
            1 | 2 if *count > 0 => {
                producer.abort_transaction(WAIT).unwrap();
                sent.aborted += std::mem::take(count);
            }
            3 => {
                some(&plain, topic, &format!("plain {step}"), 3);
                sent.committed += 3;
            }
            _ => {
                if *count == 0 {
                    producer.begin_transaction().unwrap();
                }
                let more = 1 + dice.below(20) as usize;
                some(producer, topic, &format!("{which} {step}"), more);
                *count += more;
            }
        }
    }
    for (producer, count) in both.iter().zip(waiting) {
        if count > 0 {
            producer.abort_transaction(WAIT).unwrap();
            sent.aborted += count;
        }
    }
    sent
}

#[tokio::test]
async fn what_was_aborted_is_left_out_or_read_as_asked() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "aborts", 1, &[]).await;
    let sent = interleaved(&host, &topic);
    assert!(sent.committed > 50 && sent.aborted > 50);

    let all = all_of(&topic);
    let seen = agreed(&host, "", &all).await;
    assert_eq!(seen.events.len(), sent.committed);
    let seen = agreed(&host, "isolation.level=read_uncommitted", &all).await;
    assert_eq!(seen.events.len(), sent.committed + sent.aborted);

    // A start in the middle of a transaction whose begin was before it, an end before its marker.
    let end = seen.ranges[0].end.major;
    let at = |offset| Bound::At(Position::offset(offset));
    for from in (0..end).step_by(37) {
        for until in [from + 1, from + 30, end] {
            let part = between(&topic, at(from), at(until));
            agreed(&host, "", &part).await;
        }
    }
}

#[tokio::test]
async fn an_open_transaction_is_where_a_committed_read_ends() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "still-open", 1, &[]).await;
    let aborting = producer(&host, &[("transactional.id", &format!("{topic}-1"))]);
    let open = producer(&host, &[("transactional.id", &format!("{topic}-2"))]);
    let plain = producer(&host, &[]);
    for producer in [&aborting, &open] {
        producer.init_transactions(WAIT).unwrap();
        producer.begin_transaction().unwrap();
    }
    some(&plain, &topic, "first", 10);
    some(&aborting, &topic, "aborted", 10);
    some(&open, &topic, "open", 10);
    some(&plain, &topic, "last", 10);
    aborting.abort_transaction(WAIT).unwrap();

    let all = all_of(&topic);
    let committed = agreed(&host, "", &all).await;
    assert_eq!(committed.events.len(), 10);
    let dirty = agreed(&host, "isolation.level=read_uncommitted", &all).await;
    assert_eq!(dirty.events.len(), 40);

    open.commit_transaction(WAIT).unwrap();
    let frozen = evtap::broker::Subscription {
        range: Range::Frozen(dirty.ranges),
        ..all
    };
    let later = agreed(&host, "", &frozen).await;
    assert_eq!(later.events.len(), 30);
}

#[tokio::test]
async fn a_log_of_nothing_but_aborted_events() {
    let Some(host) = kafka() else { return };
    let (_, topic) = with_topic(&host, "all-aborted", 2, &[]).await;
    let producer = producer(&host, &[("transactional.id", &topic)]);
    producer.init_transactions(WAIT).unwrap();
    for n in 0..4 {
        producer.begin_transaction().unwrap();
        for i in 0..500 {
            let mut event = event("gone", i);
            event.partition = n % 2;
            send(&producer, &topic, &event);
        }
        producer.flush(WAIT).unwrap();
        producer.abort_transaction(WAIT).unwrap();
    }
    let seen = agreed(&host, "", &all_of(&topic)).await;
    assert_eq!((seen.events.len(), seen.scanned.events), (0, 0));
    assert_eq!(seen.ranges[0].end.major, 1002);
}
