//! The broker is killed while it is written to exactly once: nothing is lost, nothing comes twice.

use std::time::Duration;

use evtap::broker::exact::{Job, Progress, Unit};
use evtap::broker::{ExactSink, Settings, Target};
use evtap::event::Position;

use crate::restart::{are_numbers, hears, numbers};
use crate::server::Own;
use crate::support::{all_of, open, open_with, read, remembering, unique, with_topic};

const ROUNDS: u64 = 60;
const EACH: usize = 100;

/// Does the job as an engine does: what was committed is told by the share, whatever failed.
async fn work(sink: &mut dyn ExactSink) {
    loop {
        let share = sink.share().await.unwrap();
        if share.mine.is_empty() {
            return sink.finish().await.unwrap();
        }
        let told = share.progress[0].as_ref();
        let mut round = told.map_or(0, |progress| progress.next.major);
        while round < ROUNDS && !sink.is_stale() {
            let first = round as usize * EACH;
            let next = Progress {
                next: Position::offset(round + 1),
                note: String::new(),
            };
            let done = match sink.send(&numbers(first..first + EACH)).await {
                Ok(()) => sink.commit(&[(0, next)]).await,
                Err(error) => Err(error),
            };
            if let Err(error) = done {
                sink.recover(error).await.unwrap();
                break;
            }
            round += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}

pub async fn an_exactly_once_write_goes_on_with_nothing_twice(server: &Own) {
    let host = server.plain();
    let (_, topic) = with_topic(&host, "exact", 1, &[]).await;
    let (notices, told) = remembering();
    let settings = Settings {
        notices,
        ..Settings::default()
    };
    let broker = open_with(&format!("kafka://{host}"), &settings);
    let job = Job {
        name: unique("job"),
        worker: "one".into(),
        target: Target {
            topic: topic.as_str().into(),
            overwrite: false,
        },
        units: vec![Unit {
            home: None,
            start: Position::ZERO,
            end: Position::offset(ROUNDS),
        }],
        undivided: false,
    };
    let mut sink = broker.exact_sink(&job).await.unwrap().unwrap();
    let work = tokio::spawn(async move { work(&mut *sink).await });
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    assert!(!work.is_finished(), "the broker was needed");
    server.kill();
    hears(&told, "lost the connection").await;
    // Longer than a topic that is not known is waited for: one that comes up may not know it at once.
    tokio::time::sleep(Duration::from_secs(6)).await;
    server.revive();
    let limit = Duration::from_mins(2);
    tokio::time::timeout(limit, work).await.unwrap().unwrap();
    // It may be lost more than once while it starts; each time it is found again.
    for pair in told.lock().unwrap().chunks(2) {
        assert_eq!(pair.len(), 2, "{pair:?}");
        assert!(pair[0].starts_with("lost the connection"), "{pair:?}");
        assert!(pair[1].starts_with("connected to"), "{pair:?}");
    }
    let fresh = open(&format!("kafka://{host}"));
    are_numbers(
        &read(&*fresh, &all_of(&topic)).await,
        ROUNDS as usize * EACH,
    );
}
