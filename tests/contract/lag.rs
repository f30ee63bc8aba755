//! Consumer groups: what evtap says of them is what the broker says.

use evtap::broker::{Bound, ErrorKind, Group};

use crate::data::Event;
use crate::world::{World, fresh};

async fn group(world: &World, name: &str) -> Group {
    let groups = world.broker.groups().await.unwrap();
    groups
        .into_iter()
        .find(|g| g.name == name)
        .expect("the group is listed")
}

pub(crate) async fn lag_is_the_brokers_own_figure(world: &World) {
    if !world.caps.groups {
        // A recording tells of groups where it was recorded with them: it has to be there.
        world.with_events(&Event::row(1)).await;
        world.refused(world.broker.groups().await, ErrorKind::Unsupported);
        return;
    }
    let Some(commit) = world.commit else {
        println!("does not apply: nothing else commits to {}", world.fixture);
        return;
    };
    world.with_events(&Event::row(30)).await;
    let name = fresh("g");
    let figures = tokio::task::block_in_place(|| commit(world, &name, 12));
    assert_eq!(figures.lag, 18, "what the test's own client left");
    let group = group(world, &name).await;
    let row = group
        .offsets
        .iter()
        .find(|o| *o.topic == world.topic && o.partition == 0);
    let row = row.expect("the group has a row for the topic");
    assert_eq!(row.raw_lag, Some(figures.lag));
    assert_eq!(row.pending, figures.pending);
    let all = world.read_all().await;
    assert_eq!(row.committed, Some(all[11].position.next(world.style())));
    assert_eq!(row.first, all[0].position);
    assert_eq!(row.end, all[29].position.next(world.style()));
}

pub(crate) async fn a_stored_position_is_where_a_read_begins(world: &World) {
    let Some(commit) = world.commit else {
        println!("does not apply: nothing else commits to {}", world.fixture);
        return;
    };
    world.with_events(&Event::row(30)).await;
    let name = fresh("g");
    tokio::task::block_in_place(|| commit(world, &name, 12));
    let all = world.read_all().await;
    let stored = || Bound::Group(name.clone());
    let mut rest = world.read(&world.between(stored(), Bound::End)).await;
    rest.retain(|g| g.partition == 0);
    assert_eq!(rest, all[12..]);
    let unknown = world.between(Bound::Group(fresh("nobody")), Bound::End);
    world.refused(world.broker.resolve(&unknown).await, ErrorKind::Usage);
}
