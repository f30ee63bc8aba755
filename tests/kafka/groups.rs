//! Consumer groups: listed with their lag, used as bounds, never joined.

use evtap::broker::{Bound, ErrorKind, History};

use crate::support::{between, kafka, produce_at, read, values, with_topic};

#[tokio::test]
async fn a_group_is_listed_and_a_read_can_begin_and_end_at_its_commits() {
    let Some(host) = kafka() else { return };
    let (broker, topic) = with_topic(&host, "group", 2, &[]).await;
    produce_at(&host, &topic, &[1, 2, 3, 4]);
    let group = format!("{topic}-g");
    let commits = History {
        commits: vec![(group.clone(), topic.clone(), 0, 3)],
        ..History::default()
    };
    broker.load_history(&commits).await.unwrap();

    let stored = || Bound::Group(group.clone());
    let rest = read(&*broker, &between(&topic, stored(), Bound::End)).await;
    assert_eq!(values(&rest), ["3"]);
    let done = read(&*broker, &between(&topic, Bound::Start, stored())).await;
    assert_eq!(values(&done), ["0", "1", "2"]);

    let groups = broker.groups().await.unwrap();
    let found = groups.iter().find(|g| g.name == group).unwrap();
    assert_eq!(
        (found.state.as_str(), found.kind.as_str()),
        ("Empty", "classic")
    );
    assert!(found.members.is_empty(), "looking joins nothing");
    assert_eq!(found.offsets.len(), 1);
    assert_eq!(found.offsets[0].raw_lag, Some(1));
    assert_eq!(found.offsets[0].committed.unwrap().major, 3);
    // Replays have groups; what only reads has a name that none of them has.
    let of_a_reader = |name: &str| name.starts_with("evtap") && !name.starts_with("evtap-");
    assert!(
        !groups.iter().any(|g| of_a_reader(&g.name)),
        "reading leaves no group behind"
    );

    let nobody = between(&topic, Bound::Group(format!("{topic}-none")), Bound::End);
    let error = broker.source(&nobody).await.err().unwrap();
    assert_eq!(error.kind, ErrorKind::Usage);
    assert!(error.message.contains("-none"), "{error}");
}
