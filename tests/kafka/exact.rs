//! Exactly-once writes: what is committed is committed whole, whoever dies meanwhile.

use std::sync::Arc;
use std::time::{Duration, Instant};

use evtap::broker::exact::{Job, Progress, Share, Unit};
use evtap::broker::{Broker, Error, ErrorKind, ExactSink, History, NewTopic, Target};
use evtap::event::Position;

use crate::support::{all_of, batch, kafka, open, read, unique, values, with_topic};

/// Sessions that end soon, so that a test need not wait for a dead host.
const QUICK: &str = "session.timeout.ms=2000&transaction.timeout.ms=4000";

/// The target, and as many units as the last argument says, each of 100 events.
struct World {
    host: String,
    broker: Arc<dyn Broker>,
    topic: String,
    job: Job,
}

impl World {
    async fn new(name: &str, partitions: u32, units: usize) -> Option<Self> {
        let host = kafka()?;
        let (_, topic) = with_topic(&host, name, partitions, &[]).await;
        let unit = Unit {
            home: None,
            start: Position::ZERO,
            end: Position::offset(100),
        };
        Some(Self {
            broker: open(&format!("kafka://{host}?{QUICK}")),
            job: Job {
                name: unique("job"),
                worker: "one".into(),
                target: Target {
                    topic: topic.as_str().into(),
                    overwrite: false,
                },
                units: vec![unit; units],
                undivided: false,
            },
            host,
            topic,
        })
    }

    async fn host(&self, worker: &str) -> Box<dyn ExactSink> {
        let job = Job {
            worker: worker.into(),
            ..self.job.clone()
        };
        self.broker.exact_sink(&job).await.unwrap().unwrap()
    }

    async fn committed(&self) -> Vec<String> {
        let broker = open(&format!("kafka://{}", self.host));
        values(&read(&*broker, &all_of(&self.topic)).await)
    }

    /// What committed readers see: this, as soon as the coordinator has told all partitions.
    async fn sees(&self, expected: &[&str]) {
        let began = Instant::now();
        loop {
            let got = self.committed().await;
            if got == expected {
                return;
            }
            assert!(began.elapsed() < Duration::from_secs(40), "{got:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Committed or not.
    async fn written(&self) -> Vec<String> {
        let url = format!("kafka://{}?isolation.level=read_uncommitted", self.host);
        values(&read(&*open(&url), &all_of(&self.topic)).await)
    }
}

fn at(next: u64, note: &str) -> Progress {
    Progress {
        next: Position::offset(next),
        note: note.into(),
    }
}

/// A share that does not come fails the test.
async fn share(sink: &mut dyn ExactSink) -> Share {
    tokio::time::timeout(Duration::from_secs(40), sink.share())
        .await
        .expect("a share")
        .unwrap()
}

async fn stale(sink: &dyn ExactSink) {
    let wait = async {
        while !sink.is_stale() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(20), wait)
        .await
        .expect("a new share is due");
}

async fn fails(sink: &mut dyn ExactSink, progress: &[(usize, Progress)]) -> Error {
    sink.commit(progress).await.unwrap_err()
}

/// Two hosts that have shared.
async fn two(world: &World) -> [(Box<dyn ExactSink>, Share); 2] {
    let mut one = world.host("one").await;
    let first = share(&mut *one).await;
    assert_eq!(first.mine.len(), world.job.units.len(), "alone");
    let mut two = world.host("two").await;
    while !one.is_stale() {
        // Giving up asking is allowed.
        let asked = tokio::time::timeout(Duration::from_secs(2), two.share()).await;
        assert!(asked.is_err(), "it waits for the first");
    }
    let (first, second) = tokio::join!(share(&mut *one), share(&mut *two));
    [(one, first), (two, second)]
}

#[tokio::test(flavor = "multi_thread")]
async fn events_and_progress_are_seen_together() {
    let Some(world) = World::new("exact", 2, 2).await else {
        return;
    };
    let mut sink = world.host("one").await;
    let got = share(&mut *sink).await;
    assert_eq!(got.mine, [0, 1]);
    assert_eq!(got.progress, [None, None]);
    sink.send(&batch(0, &["a", "b"])).await.unwrap();
    sink.send(&batch(1, &["c"])).await.unwrap();
    let written = sink.commit(&[(0, at(2, "n=2"))]).await.unwrap();
    assert_eq!(written.events, 3);
    world.sees(&["a", "b", "c"]).await;
    sink.send(&batch(0, &["d"])).await.unwrap();
    sink.abort().await.unwrap();
    sink.send(&batch(0, &["e"])).await.unwrap();
    let written = sink.commit(&[(0, at(100, "n=3"))]).await.unwrap();
    assert_eq!(written.events, 4);
    world.sees(&["a", "b", "e", "c"]).await;
    // Progress alone.
    let written = sink.commit(&[(1, at(50, ""))]).await.unwrap();
    assert_eq!(written.events, 4);
    let got = share(&mut *sink).await;
    assert_eq!(got.mine, [1]);
    assert_eq!(got.progress, [Some(at(100, "n=3")), Some(at(50, ""))]);
    sink.commit(&[(1, at(100, ""))]).await.unwrap();
    let got = share(&mut *sink).await;
    assert_eq!(got.mine, [0usize; 0]);
    sink.finish().await.unwrap();
    // Who comes too late has nothing to do.
    let mut late = world.host("late").await;
    assert_eq!(share(&mut *late).await, got);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_host_goes_on_at_once_where_it_committed_last() {
    let Some(world) = World::new("killed", 2, 3).await else {
        return;
    };
    let mut sink = world.host("one").await;
    share(&mut *sink).await;
    for round in 1..=3 {
        sink.send(&batch(0, &["kept"])).await.unwrap();
        sink.commit(&[(0, at(round, "x"))]).await.unwrap();
        sink.send(&batch(1, &["lost"; 500])).await.unwrap();
        drop(sink);
        let began = Instant::now();
        sink = world.host("one").await;
        let got = share(&mut *sink).await;
        assert!(
            began.elapsed() < Duration::from_millis(1_900),
            "no session is waited for"
        );
        assert_eq!(got.mine, [0, 1, 2]);
        assert_eq!(got.progress, [Some(at(round, "x")), None, None]);
    }
    world.sees(&["kept"; 3]).await;
    assert!(world.written().await.len() >= 3);
}

#[tokio::test(flavor = "multi_thread")]
async fn hosts_share_and_the_last_takes_over_what_a_dead_one_had() {
    let Some(world) = World::new("shared", 4, 4).await else {
        return;
    };
    let [(mut one, first), (mut two, second)] = two(&world).await;
    let mut all = [first.mine.clone(), second.mine.clone()].concat();
    all.sort_unstable();
    assert_eq!(all, [0, 1, 2, 3]);
    assert_eq!(first.mine.len(), 2);
    let (mine, theirs) = (first.mine[0], second.mine[0]);
    one.send(&batch(0, &["one"])).await.unwrap();
    one.commit(&[(mine, at(7, ""))]).await.unwrap();
    two.send(&batch(1, &["two"])).await.unwrap();
    two.commit(&[(theirs, at(9, ""))]).await.unwrap();
    two.send(&batch(1, &["never seen"])).await.unwrap();
    drop(two);
    stale(&*one).await;
    let got = share(&mut *one).await;
    assert_eq!(got.mine, [0, 1, 2, 3]);
    assert_eq!(got.progress[mine], Some(at(7, "")));
    assert_eq!(got.progress[theirs], Some(at(9, "")));
    one.send(&batch(0, &["end"])).await.unwrap();
    let end: Vec<_> = (0..4).map(|unit| (unit, at(100, ""))).collect();
    one.commit(&end).await.unwrap();
    assert_eq!(share(&mut *one).await.mine, [0usize; 0]);
    // The dead one's transaction ends by itself; only then does anybody see what lies behind it.
    world.sees(&["one", "end", "two"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_leaves_is_not_waited_for_and_an_idle_one_gets_more() {
    let Some(world) = World::new("leaves", 4, 4).await else {
        return;
    };
    let [(mut one, first), (mut two, second)] = two(&world).await;
    let done: Vec<_> = second
        .mine
        .iter()
        .map(|unit| (*unit, at(100, "")))
        .collect();
    two.commit(&done).await.unwrap();
    // It asks for more, of the two that the other still has.
    let (got, ours) = tokio::join!(share(&mut *two), async {
        stale(&*one).await;
        share(&mut *one).await
    });
    assert_eq!(got.mine.len(), 1);
    assert_eq!(ours.mine.len(), 1);
    assert!(first.mine.contains(&got.mine[0]));
    let began = Instant::now();
    two.finish().await.unwrap();
    stale(&*one).await;
    assert_eq!(share(&mut *one).await.mine, first.mine);
    assert!(began.elapsed() < Duration::from_millis(1_900), "it left");
}

#[tokio::test(flavor = "multi_thread")]
async fn who_was_replaced_cannot_commit_and_knows_why() {
    let Some(world) = World::new("zombie", 1, 1).await else {
        return;
    };
    let mut zombie = world.host("one").await;
    share(&mut *zombie).await;
    zombie.send(&batch(0, &["zombie"])).await.unwrap();
    let mut sink = world.host("one").await;
    assert_eq!(share(&mut *sink).await.mine, [0]);
    let error = fails(&mut *zombie, &[(0, at(50, ""))]).await;
    let error = zombie.recover(error).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
    assert!(error.message.contains("took this one's place"), "{error}");
    // It must not take the place back.
    let error = zombie.share().await.unwrap_err();
    assert!(error.message.contains("took this one's place"), "{error}");
    sink.send(&batch(0, &["new"])).await.unwrap();
    sink.commit(&[(0, at(10, ""))]).await.unwrap();
    world.sees(&["new"]).await;
    zombie.finish().await.unwrap();
    assert!(!sink.is_stale());
    assert_eq!(share(&mut *sink).await.progress, [Some(at(10, ""))]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_that_was_taken_for_dead_cannot_commit_and_may_come_back() {
    let Some(world) = World::new("late", 1, 2).await else {
        return;
    };
    let mut one = world.host("one").await;
    share(&mut *one).await;
    one.send(&batch(0, &["late"])).await.unwrap();
    // The group is given to others behind its back.
    let mut two = world.host("two").await;
    drop(tokio::time::timeout(Duration::from_secs(1), two.share()).await);
    let error = {
        // Its session goes on, so it is asked for; it does not come in time and is passed over.
        stale(&*one).await;
        let joined = tokio::time::timeout(Duration::from_secs(40), two.share()).await;
        assert!(joined.is_ok(), "the other does not wait for ever");
        fails(&mut *one, &[(0, at(50, "")), (1, at(50, ""))]).await
    };
    one.recover(error).await.unwrap();
    world.sees(&[]).await;
    drop(two);
    let got = share(&mut *one).await;
    assert_eq!(got.progress, [None, None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn many_units_keep_their_progress_on_few_partitions() {
    let Some(world) = World::new("columns", 2, 5).await else {
        return;
    };
    let mut sink = world.host("one").await;
    share(&mut *sink).await;
    let progress: Vec<_> = (0..5)
        .map(|unit| (unit, at(unit as u64, "a=1,b-2")))
        .collect();
    sink.send(&batch(0, &["a"])).await.unwrap();
    sink.commit(&progress).await.unwrap();
    let entry = Position { major: 7, minor: 3 };
    let next = Progress {
        next: entry,
        note: String::new(),
    };
    sink.commit(&[(3, next.clone())]).await.unwrap();
    drop(sink);
    let mut sink = world.host("one").await;
    let got = share(&mut *sink).await;
    assert_eq!(got.mine, [0, 1, 2, 3, 4]);
    assert_eq!(got.progress[3], Some(next));
    assert_eq!(got.progress[4], Some(at(4, "a=1,b-2")));
    // What can never fit is refused at once.
    let job = Job {
        units: vec![world.job.units[0].clone(); 500],
        ..world.job.clone()
    };
    let error = world.broker.exact_sink(&job).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Usage);
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_of_the_same_cluster_stands_under_the_sources_name() {
    let Some(mut world) = World::new("home", 1, 2).await else {
        return;
    };
    let (_, source) = with_topic(&world.host, "source", 3, &[]).await;
    for (unit, partition) in world.job.units.iter_mut().zip([0, 2]) {
        unit.home = Some((source.as_str().into(), partition));
    }
    let mut sink = world.host("one").await;
    share(&mut *sink).await;
    sink.send(&batch(0, &["a"])).await.unwrap();
    sink.commit(&[(1, at(42, "n"))]).await.unwrap();
    assert_eq!(
        share(&mut *sink).await.progress,
        [None, Some(at(42, "n"))],
        "and what is not settled is waited for"
    );
    let groups = world.broker.groups().await.unwrap();
    let group = groups.iter().find(|g| g.name == world.job.name).unwrap();
    let offsets: Vec<_> = group
        .offsets
        .iter()
        .filter(|o| o.committed.is_some())
        .map(|o| (&*o.topic, o.partition, o.committed))
        .collect();
    assert_eq!(offsets, [(&*source, 2, Some(Position::offset(42)))]);
    assert_eq!(group.members.len(), 1);
    let owned: Vec<u32> = group.members[0].owned.iter().map(|place| place.1).collect();
    assert_eq!(owned, [0, 2], "other tools see who has what");
}

#[tokio::test(flavor = "multi_thread")]
async fn commits_of_somebody_else_are_not_taken_for_progress() {
    let Some(world) = World::new("foreign", 1, 1).await else {
        return;
    };
    let commit = (world.job.name.clone(), world.topic.clone(), 0, 0);
    let history = History {
        commits: vec![commit],
        ..History::default()
    };
    world.broker.load_history(&history).await.unwrap();
    let mut sink = world.host("one").await;
    let error = sink.share().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Damaged, "{error}");
    let error = sink.recover(error).await.unwrap_err();
    assert!(error.message.contains("not written by evtap"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_no_other_try_mends_is_given_back() {
    let Some(world) = World::new("given-back", 1, 1).await else {
        return;
    };
    let small = NewTopic {
        name: unique("small"),
        partitions: 1,
        config: vec![("max.message.bytes".into(), "2000".into())],
    };
    world.broker.create_topic(&small).await.unwrap();
    let mut job = world.job.clone();
    job.target.topic = small.name.as_str().into();
    let mut sink = world.broker.exact_sink(&job).await.unwrap().unwrap();
    share(&mut *sink).await;
    // It does not compress.
    let mut state = 7u64;
    let noise: String = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'!' + (state % 90) as u8)
    })
    .take(8000)
    .collect();
    let error = match sink.send(&batch(0, &[&noise])).await {
        Ok(()) => fails(&mut *sink, &[(0, at(1, ""))]).await,
        Err(error) => error,
    };
    assert!(
        error.hint.as_ref().unwrap().contains("max.message.bytes"),
        "{error}"
    );
    sink.recover(error).await.unwrap_err();

    job.target.topic = unique("never-made").as_str().into();
    let error = world.broker.exact_sink(&job).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::MissingTopic);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_host_without_kafkas_own_protocol_is_fenced_by_a_second() {
    let Some(mut world) = World::new("alone", 2, 3).await else {
        return;
    };
    world.broker = open(&format!(
        "kafka://{}?{QUICK}&evtap.reader=rdkafka",
        world.host
    ));
    let mut one = world.host("one").await;
    assert_eq!(share(&mut *one).await.mine, [0, 1, 2]);
    one.send(&batch(0, &["a"])).await.unwrap();
    one.commit(&[(0, at(3, "n"))]).await.unwrap();
    one.send(&batch(0, &["lost"])).await.unwrap();
    let mut two = world.host("two").await;
    let got = share(&mut *two).await;
    assert_eq!(got.progress, [Some(at(3, "n")), None, None]);
    let error = fails(&mut *one, &[(0, at(50, ""))]).await;
    let error = one.recover(error).await.unwrap_err();
    assert!(error.message.contains("another process"), "{error}");
    two.send(&batch(0, &["b"])).await.unwrap();
    two.commit(&[(0, at(4, ""))]).await.unwrap();
    world.sees(&["a", "b"]).await;
    // Members would not know of it.
    let own = open(&format!("kafka://{}?{QUICK}", world.host));
    let mut three = own.exact_sink(&world.job).await.unwrap().unwrap();
    share(&mut *three).await;
    let mut four = world.host("four").await;
    let error = four.share().await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::Refused, "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_divided_has_one_host_until_it_is_gone() {
    let Some(mut world) = World::new("whole", 2, 2).await else {
        return;
    };
    world.job.undivided = true;
    let mut one = world.host("one").await;
    share(&mut *one).await;
    let mut two = world.host("two").await;
    let waits = tokio::spawn(async move { share(&mut *two).await });
    stale(&*one).await;
    assert_eq!(share(&mut *one).await.mine, [0, 1], "it keeps all of it");
    one.commit(&[(0, at(5, ""))]).await.unwrap();
    assert!(!waits.is_finished());
    drop(one);
    let got = waits.await.unwrap();
    assert_eq!(got.mine, [0, 1]);
    assert_eq!(got.progress, [Some(at(5, "")), None]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_target_that_is_deleted_meanwhile_is_told_even_when_it_is_made_anew() {
    let Some(world) = World::new("deleted", 1, 1).await else {
        return;
    };
    let mut sink = world.host("one").await;
    share(&mut *sink).await;
    sink.send(&batch(0, &["gone"])).await.unwrap();
    sink.commit(&[(0, at(1, ""))]).await.unwrap();
    world.sees(&["gone"]).await;
    let admin: rdkafka::admin::AdminClient<_> = rdkafka::ClientConfig::new()
        .set("bootstrap.servers", &world.host)
        .create()
        .unwrap();
    let options = rdkafka::admin::AdminOptions::new();
    let deleted = admin
        .delete_topics(&[&world.topic], &options)
        .await
        .unwrap();
    deleted[0].as_ref().unwrap();
    // This cluster makes topics by itself.
    let error = loop {
        let next = at(2, "");
        let done = match sink.send(&batch(0, &["more"])).await {
            Ok(()) => sink.commit(&[(0, next)]).await.map(drop),
            Err(error) => Err(error),
        };
        match done {
            Ok(()) => tokio::time::sleep(Duration::from_millis(300)).await,
            Err(error) => break error,
        }
    };
    let error = sink.recover(error).await.unwrap_err();
    assert_eq!(error.kind, ErrorKind::MissingTopic, "{error}");
    assert!(error.message.contains("deleted"), "{error}");
}
