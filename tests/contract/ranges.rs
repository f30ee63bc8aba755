//! Ranges: frozen ends, seeking by position, by time, from the end.

use evtap::broker::{Bound, ErrorKind, Range, Subscription};
use evtap::event::{Position, Timestamp};

use crate::data::{Event, Got, assert_payloads};
use crate::world::{World, drain};

pub(crate) async fn frozen_end(world: &World) {
    if !world.has(world.grows, "cannot be written to while it is read") {
        return;
    }
    let first = Event::row(40);
    world.with_events(&first).await;
    let sub = world.sub();
    let ranges = world.broker.resolve(&sub).await.unwrap();
    let mut source = world.source(&sub).await;
    world.produce(&Event::row(25)).await;
    assert_payloads(&drain(source.as_mut()).await, &first);
    let frozen = Subscription {
        range: Range::Frozen(ranges),
        ..world.sub()
    };
    assert_payloads(&world.read(&frozen).await, &first);
    assert_eq!(
        world.read_all().await.len(),
        65,
        "a new read sees the new events"
    );
}

pub(crate) async fn an_empty_topic_ends_at_once(world: &World) {
    if !world.has(
        world.caps.create_topics && world.grows,
        "makes no empty topics",
    ) {
        return;
    }
    world.create().await;
    assert_eq!(world.read_all().await, []);
    let topics = world.broker.topics(&world.sub().topics).await.unwrap();
    assert_eq!(topics.len(), 1);
    for partition in &topics[0].partitions {
        assert_eq!(partition.first, partition.end);
    }
    let none = world.between(Bound::Last(5), Bound::End);
    assert_eq!(world.read(&none).await, []);
}

pub(crate) async fn seek_by_position(world: &World) {
    if !world.has(world.caps.positions.is_some(), "has no positions") {
        return;
    }
    let events = Event::row(50);
    world.with_events(&events).await;
    let all = world.read_all().await;
    let at = |i: usize| Bound::At(all[i].position);
    let read = async |from, until| world.read(&world.between(from, until)).await;
    assert_eq!(read(at(20), Bound::End).await, all[20..]);
    assert_eq!(
        read(Bound::Start, at(20)).await,
        all[..20],
        "until is exclusive"
    );
    assert_eq!(read(at(20), at(21)).await, all[20..21]);
    assert_eq!(read(at(20), at(20)).await, []);
    assert_eq!(
        read(at(30), at(10)).await,
        [],
        "a range the wrong way round is empty"
    );
    assert_eq!(read(Bound::At(Position::ZERO), Bound::End).await, all);
    assert_eq!(read(Bound::At(Position::MAX), Bound::End).await, []);
    assert_eq!(read(Bound::Start, Bound::At(Position::MAX)).await, all);
    let after = all[49].position.next(world.style());
    assert_eq!(read(Bound::At(after), Bound::End).await, []);
}

pub(crate) async fn last_n(world: &World) {
    let partitions = world.partitions();
    let events: Vec<Event> = Event::row(300)
        .into_iter()
        .enumerate()
        .map(|(i, event)| event.on(i as u32 % partitions))
        .collect();
    world.with_events(&events).await;
    for n in [0, 1, 7, 60, 100, 5000] {
        let got = world.read(&world.between(Bound::Last(n), Bound::End)).await;
        for partition in 0..partitions {
            let sent: Vec<Event> = events
                .iter()
                .filter(|e| e.partition == partition)
                .cloned()
                .collect();
            let tail = sent.len().saturating_sub(n as usize);
            let came: Vec<&Got> = got.iter().filter(|g| g.partition == partition).collect();
            assert_payloads(came.iter().copied(), &sent[tail..]);
        }
    }
}

pub(crate) async fn seek_by_time(world: &World) {
    if !world.has(
        world.caps.seek_by_time && world.grows,
        "does not seek by time",
    ) {
        return;
    }
    world.create().await;
    // Brokers that give the time themselves need it to pass between the three.
    for part in 0..3 {
        let events: Vec<Event> = (part * 10..part * 10 + 10).map(Event::numbered).collect();
        world.produce(&events).await;
        tokio::time::sleep(std::time::Duration::from_millis(15)).await;
    }
    let all = world.read_all().await;
    assert_eq!(all.len(), 30);
    let time = |i: usize| Bound::Time(Timestamp(all[i].timestamp));
    let after = |t: i64| all.iter().filter(|g| g.timestamp >= t).count();
    for i in [0, 10, 20] {
        let got = world.read(&world.between(time(i), Bound::End)).await;
        assert_eq!(
            got.len(),
            after(all[i].timestamp),
            "from the time of event {i}"
        );
        assert_eq!(got, all[30 - got.len()..]);
    }
    let middle = world.read(&world.between(time(10), time(20))).await;
    assert_eq!(
        middle.len(),
        after(all[10].timestamp) - after(all[20].timestamp)
    );
    let read = async |from: i64| {
        world
            .read(&world.between(Bound::Time(Timestamp(from)), Bound::End))
            .await
            .len()
    };
    assert_eq!(read(i64::MIN).await, 30);
    assert_eq!(read(0).await, 30);
    assert_eq!(
        read(all[29].timestamp + 1).await,
        0,
        "a time after the last event"
    );
    assert_eq!(read(i64::MAX).await, 0);
}

pub(crate) async fn frozen_ranges_are_read_as_resolved(world: &World) {
    let partitions = world.partitions();
    let events: Vec<Event> = Event::row(90)
        .into_iter()
        .enumerate()
        .map(|(i, event)| event.on(i as u32 % partitions))
        .collect();
    world.with_events(&events).await;
    let sub = world.between(Bound::Last(5), Bound::End);
    let ranges = world.broker.resolve(&sub).await.unwrap();
    assert_eq!(ranges.len(), partitions as usize, "one row a partition");
    assert!(ranges.is_sorted_by_key(|r| (r.topic.clone(), r.partition)));
    assert!(
        ranges
            .iter()
            .all(|r| r.start < r.end && r.style == world.style())
    );
    let frozen = Subscription {
        range: Range::Frozen(ranges.clone()),
        ..world.sub()
    };
    assert_eq!(
        world.broker.resolve(&frozen).await.unwrap(),
        ranges,
        "frozen stays frozen"
    );
    assert_eq!(world.read(&frozen).await.len(), 5 * partitions as usize);
    let one = Subscription {
        range: Range::Frozen(ranges[..1].to_vec()),
        ..world.sub()
    };
    let got = world.read(&one).await;
    assert_eq!(got.len(), 5, "a partition that is not listed is not read");
    assert!(got.iter().all(|g| g.partition == ranges[0].partition));
}

pub(crate) async fn only_the_partitions_asked_for(world: &World) {
    if !world.has(world.caps.partitions, "has no partitions") {
        return;
    }
    let events: Vec<Event> = Event::row(30)
        .into_iter()
        .enumerate()
        .map(|(i, event)| event.on(i as u32 % 3))
        .collect();
    world.with_events(&events).await;
    let sub = Subscription {
        partitions: vec![2, 0],
        ..world.sub()
    };
    let got = world.read(&sub).await;
    assert_eq!(got.len(), 20);
    assert!(got.iter().all(|g| g.partition != 1));
}

pub(crate) async fn an_unknown_partition_is_a_usage_error(world: &World) {
    world.with_events(&Event::row(1)).await;
    let sub = Subscription {
        partitions: vec![0, 77],
        ..world.sub()
    };
    let error = world.refused(world.broker.resolve(&sub).await, ErrorKind::Usage);
    assert!(error.message.contains("77"), "{error}");
    world.refused(world.broker.source(&sub).await, ErrorKind::Usage);
}
