//! The steps of a replay, on the embedded broker and on brokers that do not answer.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::*;
use crate::broker::{
    BoxFuture, Capabilities, PartitionRange, Settings, Source, Subscription, TopicInfo,
    TopicSelector, registry,
};
use crate::pipeline::{Input, Limits, Stop, Unwatched};
use crate::query::{Query, QuerySpec};
use crate::replay::fake_broker::FakeBroker;
use crate::replay::{Pace, RunState};

pub(in crate::replay) fn open_broker(text: &str) -> Arc<dyn Broker> {
    open(text).1
}

fn open(text: &str) -> (Address, Arc<dyn Broker>) {
    let address = Address::parse(text).unwrap();
    let broker = registry::open(&address, &Settings::default()).unwrap();
    (address, broker)
}

pub(in crate::replay) fn reading_of(source: &str, broker: Option<Arc<dyn Broker>>) -> Reading {
    let address = Address::parse(source).unwrap();
    let sub = Subscription::all_of(address.topics(), 64 << 20);
    Reading {
        query: Arc::new(Query::compile(&QuerySpec::default()).unwrap()),
        inputs: vec![Input {
            broker: broker.unwrap_or_else(|| open(source).1),
            address,
            shown: source.to_owned(),
            sub,
            origin: 0,
        }],
        limits: Limits::default(),
        last: None,
        follow: false,
    }
}

pub(in crate::replay) fn destination(text: &str) -> Destination {
    let (address, broker) = open(text);
    Destination {
        address,
        shown: text.to_owned(),
        broker,
        env: None,
        create: Create::LikeSource,
        overwrite: false,
    }
}

pub(in crate::replay) fn how(pace: Pace) -> How {
    How {
        provenance: true,
        pace,
        ..How::default()
    }
}

async fn job(to: &str, pace: Pace) -> Job {
    let reading = reading_of("demo:orders", None);
    Job::plan(reading, destination(to), how(pace))
        .await
        .unwrap()
}

async fn preview(job: &mut Job) -> Preview {
    let (_handle, stop) = Stop::new();
    let seen = job.preview(&|| stop.clone(), &mut Unwatched).await;
    seen.unwrap().unwrap()
}

async fn target_grew(job: &Job) -> u64 {
    let which = TopicSelector::one("copy");
    let topics = job.destination().broker.topics(&which).await;
    // Not there yet.
    let Ok(topics) = topics else { return 0 };
    let partitions = topics.iter().flat_map(|t| &t.partitions);
    partitions.map(|p| p.end.major).sum()
}

#[tokio::test]
async fn a_replay_goes_from_its_plan_to_its_verification() {
    let mut job = job("demo:copy", Pace::Max).await;
    assert!(job.the_plan().target.create);
    let foretold = preview(&mut job).await;
    assert_eq!((foretold.sent(), job.to_send()), (62, Some(62)));
    job.judge(&foretold).unwrap();
    assert_eq!(target_grew(&job).await, 0, "a preview writes nothing");
    let control = job.control();
    let ran = job.run(&control).await.unwrap().unwrap();
    assert_eq!((ran.report.sent, ran.report.acknowledged), (62, 62));
    assert!(matches!(ran.outcome.as_ref().unwrap().end, End::Complete));
    let verified = job.verify(&ran).await.unwrap().unwrap();
    assert_eq!((verified.problems.len(), verified.grown), (0, Some(62)));
    assert_eq!(target_grew(&job).await, 62);
    let figures = control.figures();
    assert_eq!((figures.state, figures.sent), (RunState::Ended, 62));
}

#[tokio::test]
async fn an_aborted_run_has_stored_what_it_counted_and_is_not_verified() {
    let job = job("demo:copy", Pace::Rate(50.0)).await;
    let control = job.control();
    let (ran, ()) = tokio::join!(job.run(&control), async {
        while control.figures().sent < 5 {
            sleep(Duration::from_millis(5)).await;
        }
        control.pause();
        while control.figures().state != RunState::Paused {
            sleep(Duration::from_millis(5)).await;
        }
        control.abort();
    });
    let ran = ran.unwrap().unwrap();
    assert!(matches!(
        ran.outcome.as_ref().unwrap().end,
        End::Interrupted
    ));
    assert!((5..62).contains(&ran.report.sent), "{}", ran.report.sent);
    assert_eq!(ran.report.acknowledged, ran.report.sent);
    assert_eq!(target_grew(&job).await, ran.report.sent);
    assert!(job.verify(&ran).await.unwrap().is_none());
}

#[tokio::test]
async fn an_abort_before_the_run_writes_nothing() {
    let job = job("demo:copy", Pace::Max).await;
    let control = job.control();
    control.abort();
    assert!(job.run(&control).await.unwrap().is_none());
    assert_eq!(target_grew(&job).await, 0);
}

#[tokio::test]
async fn production_asks_for_the_name_of_its_topic() {
    let mut job = job("demo:copy", Pace::Max).await;
    assert_eq!(job.name_to_type(), None);
    job.to.env = Some("prod".to_owned());
    assert_eq!(job.name_to_type(), Some("copy"));
}

/// Tells of its topics, takes part in a plan, and never hands on an event.
struct Silent(FakeBroker);

impl Broker for Silent {
    fn capabilities(&self) -> Capabilities {
        self.0.can
    }

    fn topics<'a>(&'a self, which: &'a TopicSelector) -> BoxFuture<'a, Result<Vec<TopicInfo>>> {
        self.0.topics(which)
    }

    fn resolve<'a>(&'a self, _: &'a Subscription) -> BoxFuture<'a, Result<Vec<PartitionRange>>> {
        let ranges = crate::replay::fake::plan().sources[0].ranges.clone();
        Box::pin(async { Ok(ranges) })
    }

    fn source<'a>(&'a self, _: &'a Subscription) -> BoxFuture<'a, Result<Box<dyn Source>>> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test]
async fn an_abort_does_not_wait_for_a_source_that_does_not_answer() {
    for pace in [Pace::Max, Pace::speed(1.0, None)] {
        let silent = Silent(FakeBroker::new(&[("orders", 2)]));
        let reading = reading_of("kafka://h/orders", Some(Arc::new(silent)));
        let job = Job::plan(reading, destination("demo:copy"), how(pace)).await;
        let job = job.unwrap();
        let control = job.control();
        let run = async {
            tokio::join!(job.run(&control), async {
                sleep(Duration::from_millis(30)).await;
                control.abort();
            })
        };
        let (ran, ()) = timeout(Duration::from_secs(5), run).await.unwrap();
        let ran = ran.unwrap().unwrap();
        assert!(matches!(ran.outcome.unwrap().end, End::Interrupted));
        assert_eq!(ran.report.sent, 0);
    }
}

#[tokio::test]
async fn a_file_is_written_and_verified_by_what_was_acknowledged() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("copy.mcap");
    let to = path.to_str().unwrap();
    let mut job = job(to, Pace::speed(1000.0, None)).await;
    preview(&mut job).await;
    assert!(!path.exists());
    let ran = job.run(&job.control()).await.unwrap().unwrap();
    assert_eq!(ran.report.sent, 62);
    assert!(job.verify(&ran).await.unwrap().unwrap().problems.is_empty());
    // A second run does not replace it.
    let error = job.run(&job.control()).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Usage);
    assert!(guard::existing_file(&job.destination().address, false).is_err());
    assert!(guard::existing_file(&job.destination().address, true).is_ok());
}
