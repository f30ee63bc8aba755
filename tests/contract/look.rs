//! Looking: topics and groups, what is missing, what is refused. Nothing changes by it.

use std::time::{Duration, Instant};

use evtap::broker::{Error, ErrorKind, NewTopic, Settings, Subscription, Target, TopicSelector};

use crate::data::Event;
use crate::world::{World, fresh};

pub(crate) async fn topics_tell_the_range(world: &World) {
    let events = Event::row(12);
    world.with_events(&events).await;
    let topics = world.broker.topics(&world.sub().topics).await.unwrap();
    assert_eq!(topics.len(), 1);
    let topic = &topics[0];
    assert_eq!(&*topic.name, world.topic);
    assert!(!topic.internal);
    assert_eq!(topic.style, world.style());
    let first = &topic.partitions[0];
    let got = world.read_all().await;
    assert_eq!(first.partition, 0);
    assert_eq!(first.first, got[0].position);
    assert_eq!(first.end, got[11].position.next(world.style()));
    if let Some(count) = first.events {
        assert_eq!(count, 12);
    }
}

pub(crate) async fn looking_twice_changes_nothing(world: &World) {
    world.with_events(&Event::row(50)).await;
    let which = world.sub().topics;
    let topics = async || world.broker.topics(&which).await.unwrap();
    let groups = async || {
        if !world.caps.groups {
            return Vec::new();
        }
        let mut groups = world.broker.groups().await.unwrap();
        // Other tests of the same server come and go.
        for group in &mut groups {
            group.offsets.retain(|o| *o.topic == world.topic);
        }
        groups.retain(|g| !g.offsets.is_empty());
        groups
    };
    let before = (topics().await, groups().await);
    let first = world.read_all().await;
    let second = world.read_all().await;
    assert_eq!(first, second);
    assert_eq!((topics().await, groups().await), before);
}

fn assert_missing(world: &World, result: Result<(), Error>, name: &str) {
    let error = world.refused(result, ErrorKind::MissingTopic);
    assert!(error.message.contains(name), "{error} does not name {name}");
    assert!(error.hint.is_some(), "{error} has no hint");
}

pub(crate) async fn an_unknown_topic_is_missing(world: &World) {
    world.with_events(&Event::row(1)).await;
    let begun = Instant::now();
    let name = format!("{}x", world.topic);
    let which = TopicSelector::one(&name);
    let sub = Subscription {
        topics: which.clone(),
        ..world.sub()
    };
    assert_missing(world, world.broker.topics(&which).await.map(drop), &name);
    assert_missing(world, world.broker.resolve(&sub).await.map(drop), &name);
    assert_missing(world, world.broker.source(&sub).await.map(drop), &name);
    if world.has(world.grows, "takes every topic") {
        let target = Target {
            topic: name.as_str().into(),
            overwrite: false,
        };
        assert_missing(world, world.broker.sink(&target).await.map(drop), &name);
        // Looking for it has not made it.
        assert_missing(world, world.broker.topics(&which).await.map(drop), &name);
    }
    assert!(
        begun.elapsed() < Duration::from_secs(10),
        "{:?}",
        begun.elapsed()
    );
    let none = TopicSelector::parse(&format!("{name}*")).unwrap();
    assert_eq!(
        world.broker.topics(&none).await.unwrap(),
        [],
        "a glob may match nothing"
    );
}

pub(crate) async fn an_existing_topic_is_not_created_again(world: &World) {
    if !world.has(world.caps.create_topics && world.grows, "makes no topics") {
        return;
    }
    let events = Event::row(3);
    world.with_events(&events).await;
    let again = NewTopic {
        name: world.topic.clone(),
        partitions: 1,
        config: Vec::new(),
    };
    let error = world.broker.create_topic(&again).await.unwrap_err();
    assert!(error.message.contains(&world.topic), "{error}");
    assert_eq!(
        world.read_all().await.len(),
        3,
        "and its events are still there"
    );
}

pub(crate) async fn a_glob_takes_the_topics_that_match(world: &World) {
    if !world.has(world.caps.create_topics && world.grows, "makes no topics") {
        return;
    }
    let stem = fresh("glob");
    let names = [
        format!("{stem}-a"),
        format!("{stem}-b"),
        format!("{stem}.c"),
    ];
    for name in &names {
        world.create_named(name).await;
        world.produce_to(name, &Event::row(4)).await;
    }
    let topics = async |pattern: &str| {
        let which = TopicSelector::parse(pattern).unwrap();
        let found = world.broker.topics(&which).await.unwrap();
        found.iter().map(|t| t.name.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(topics(&format!("{stem}-?")).await, names[..2]);
    assert_eq!(topics(&format!("{stem}*")).await, names);
    assert_eq!(
        topics(&format!("{stem}-a,{stem}.*")).await,
        [&*names[0], &*names[2]]
    );
    let sub = Subscription {
        topics: TopicSelector::parse(&format!("{stem}-*")).unwrap(),
        ..world.sub()
    };
    let got = world.read(&sub).await;
    assert_eq!(got.len(), 8);
    for name in &names[..2] {
        assert_eq!(got.iter().filter(|g| g.topic == *name).count(), 4);
    }
}

pub(crate) async fn a_read_only_context_refuses_to_write(world: &World) {
    if !world.has(world.grows, "is no context: a command guards its own files") {
        return;
    }
    let settings = Settings {
        read_only: true,
        ..Settings::default()
    };
    let broker = world.again(settings);
    let topic = NewTopic {
        name: world.topic.clone(),
        partitions: 1,
        config: Vec::new(),
    };
    world.refused(broker.create_topic(&topic).await, ErrorKind::Refused);
    let target = Target {
        topic: world.topic.as_str().into(),
        overwrite: false,
    };
    world.refused(broker.sink(&target).await, ErrorKind::Refused);
}
