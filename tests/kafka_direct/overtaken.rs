//! Logs that change while they are read: the beginning is deleted, the topic is deleted and made
//! anew.

use std::time::Duration;

use evtap::broker::{Bound, Error, ErrorKind, Source};
use evtap::event::Position;
use rdkafka::ClientConfig;
use rdkafka::admin::{AdminClient, AdminOptions, NewTopic, TopicReplication};

use crate::both::{BOTH, Reader, Taken};
use crate::made::{WAIT, numbered, produce};
use crate::ranges::delete_before;
use crate::support::{all_of, between, kafka, remembering, with_topic};

/// Enough that most of it is still on the broker when the first of it is read.
const EVENTS: u64 = 60_000;
const KEPT: u64 = 1000;

#[tokio::test]
async fn a_slow_reader_is_told_what_was_deleted_before_it_came_there() {
    let Some(host) = kafka() else { return };
    for reader in BOTH {
        let (_, topic) = with_topic(&host, "overtaken", 1, &[]).await;
        let how = [("linger.ms", "20"), ("batch.size", "100000")];
        produce(
            &host,
            &topic,
            &how,
            (0..EVENTS).map(|n| numbered(n, 1, 1000)),
        );
        let (notices, told) = remembering();
        let mut sub = all_of(&topic);
        sub.notices = notices;
        sub.memory = 4 << 20;
        let mut source = reader.open(&host, "").source(&sub).await.unwrap();
        let mut taken = Taken::default();
        taken.until(&mut *source, 1).await;
        delete_before(&host, &topic, 0, (EVENTS - KEPT).cast_signed()).await;
        taken.until(&mut *source, usize::MAX).await;
        let events = taken.ordered();
        let offsets: Vec<u64> = events.iter().map(|event| event.offset).collect();
        // What was on its way, then the rest.
        let jump = offsets.windows(2).position(|pair| pair[1] != pair[0] + 1);
        let jump = jump.unwrap_or_else(|| panic!("{reader:?}: the reader was faster"));
        assert_eq!(offsets[0], 0, "{reader:?}");
        assert_eq!(offsets[jump + 1], EVENTS - KEPT, "{reader:?}");
        assert_eq!(offsets[jump + 1..].len() as u64, KEPT, "{reader:?}");
        assert_eq!(source.progress(), Some((EVENTS, EVENTS)), "{reader:?}");
        let told = told.lock().unwrap().clone();
        let gone = EVENTS - KEPT - offsets[jump] - 1;
        let [one] = &told[..] else {
            panic!("{reader:?}: {told:?}")
        };
        let said = format!("{topic}/0: {gone} positions from {} ", offsets[jump] + 1);
        assert!(one.starts_with(&said), "{reader:?}: no '{said}': {one}");
    }
}

fn admin(host: &str) -> AdminClient<rdkafka::client::DefaultClientContext> {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", host);
    config.create().unwrap()
}

async fn create(host: &str, topic: &str) {
    // Deleting takes effect a moment after it is confirmed.
    for _ in 0..100 {
        let new = NewTopic::new(topic, 1, TopicReplication::Fixed(1));
        let done = admin(host)
            .create_topics([&new], &AdminOptions::new())
            .await;
        if done.unwrap()[0].is_ok() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{topic} cannot be made again");
}

async fn fails(source: &mut dyn Source, taken: &mut Taken) -> Error {
    let fail = async {
        loop {
            match source.next_batch().await {
                Ok(batch) => taken.push(&batch.expect("no end")),
                Err(error) => return error,
            }
        }
    };
    let failed = tokio::time::timeout(WAIT, fail).await;
    failed.unwrap_or_else(|_| panic!("no error after {} events", taken.events.len()))
}

#[tokio::test]
async fn a_topic_that_is_deleted_while_it_is_followed_ends_the_read() {
    let Some(host) = kafka() else { return };
    for again in [false, true] {
        let (_, topic) = with_topic(&host, "deleted", 1, &[]).await;
        produce(&host, &topic, &[], (0..10).map(|n| numbered(n, 1, 20)));
        let mut sub = between(&topic, Bound::At(Position::ZERO), Bound::End);
        sub.follow = true;
        let mut source = Reader::Direct.open(&host, "").source(&sub).await.unwrap();
        let mut taken = Taken::default();
        taken.until(&mut *source, 10).await;
        let deleted = admin(&host).delete_topics(&[&topic], &AdminOptions::new());
        deleted.await.unwrap()[0].as_ref().unwrap();
        if again {
            // Longer than the old one: its offsets alone do not tell.
            create(&host, &topic).await;
            produce(&host, &topic, &[], (100..130).map(|n| numbered(n, 1, 20)));
        }
        let error = fails(&mut *source, &mut taken).await;
        let (kind, said) = if again {
            (ErrorKind::Broker, "made anew")
        } else {
            (ErrorKind::MissingTopic, "no longer there")
        };
        assert_eq!(error.kind, kind, "{error}");
        let place = format!("read {topic}/0: ");
        let clear = error.message.starts_with(&place) && error.message.contains(said);
        assert!(clear && error.hint.is_some(), "{error} {:?}", error.hint);
        assert_eq!(taken.ordered().len(), 10, "of another topic: {error}");
    }
}
