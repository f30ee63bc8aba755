//! Permission that is taken away in the middle of a replay: a clean end, and it goes on once the
//! permission is back.

use std::process::Command;
use std::time::{Duration, Instant};

use crate::program::Desk;
use crate::server::Own;
use crate::shared;
use crate::support::{all_of, open, produce_at, read, with_topic};

const EVENTS: usize = 3_000;
const PATIENCE: Duration = Duration::from_mins(2);

/// `allow` or `revoke`: what Alice needs for a replay, and what of it is writing.
const ACLS: &str = r#"
import sys
from confluent_kafka.admin import *
what, host, source, target = sys.argv[1:]
admin = AdminClient({"bootstrap.servers": host})
kinds, ops = ResourceType, AclOperation
def rule(maker, kind, name, pattern, op):
    args = (kind, name, pattern, "User:alice", "*", op, AclPermissionType.ALLOW)
    return maker(*args)
write = (kinds.TOPIC, target, ResourcePatternType.LITERAL, ops.WRITE)
rest = [
    (kinds.TOPIC, source, ResourcePatternType.LITERAL, ops.READ),
    (kinds.TOPIC, source, ResourcePatternType.LITERAL, ops.DESCRIBE),
    (kinds.TOPIC, target, ResourcePatternType.LITERAL, ops.READ),
    (kinds.TOPIC, target, ResourcePatternType.LITERAL, ops.DESCRIBE),
    (kinds.TOPIC, target, ResourcePatternType.LITERAL, ops.DESCRIBE_CONFIGS),
    (kinds.GROUP, "evtap-", ResourcePatternType.PREFIXED, ops.READ),
    (kinds.GROUP, "evtap-", ResourcePatternType.PREFIXED, ops.DESCRIBE),
    (kinds.TRANSACTIONAL_ID, "evtap-", ResourcePatternType.PREFIXED, ops.WRITE),
    (kinds.TRANSACTIONAL_ID, "evtap-", ResourcePatternType.PREFIXED, ops.DESCRIBE),
    (kinds.BROKER, "kafka-cluster", ResourcePatternType.LITERAL, ops.IDEMPOTENT_WRITE),
    (kinds.BROKER, "kafka-cluster", ResourcePatternType.LITERAL, ops.DESCRIBE),
]
if what == "revoke":
    done = admin.delete_acls([rule(AclBindingFilter, *write)])
elif what == "write":
    done = admin.create_acls([rule(AclBinding, *write)])
else:
    done = admin.create_acls([rule(AclBinding, *r) for r in rest + [write]])
for one in done.values():
    one.result(30)
"#;

fn acls(python: &str, what: &[&str]) {
    let ran = Command::new(python).args(["-c", ACLS]).args(what).output();
    let ran = ran.unwrap();
    let told = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{what:?}: {told}");
}

pub async fn a_replay_that_loses_its_permission_goes_on_when_it_is_back(server: &Own) {
    let Some(python) = shared::server("EVTAP_TEST_PYTHON") else {
        return;
    };
    let host = server.plain();
    let (_, source) = with_topic(&host, "allowed", 1, &[]).await;
    let (_, target) = with_topic(&host, "allowed-copy", 1, &[]).await;
    let times: Vec<i64> = (1_700_000_000_000..).take(EVENTS).collect();
    produce_at(&host, &source, &times);
    acls(&python, &["allow", &host, &source, &target]);

    // A plan holds neither secrets nor client properties: they are given each time.
    let ca = format!("ssl.ca.location={}", server.ca());
    let login = [
        ca.as_str(),
        "security.protocol=SASL_SSL",
        "sasl.mechanism=PLAIN",
        "sasl.username=alice",
        "sasl.password=alice-secret",
    ];
    let login: Vec<&str> = login.iter().flat_map(|pair| ["-X", pair]).collect();
    let url = |topic: &str| format!("kafka://{}/{topic}", server.sasl_ssl());
    let desk = Desk::new();
    let plan = desk.path("plan.toml").display().to_string();
    let (from, to) = (url(&source), url(&target));
    let what = ["replay", &from, "--to", &to, "--rate", "500"];
    let planned = desk.run(&[&what[..], &["--plan-out", &plan], &login].concat());
    assert_eq!(planned.code, Some(0), "{}", planned.told);
    let text = std::fs::read_to_string(&plan).unwrap();
    assert!(!text.contains("alice-secret"), "no secret in a plan");

    let apply = [&["apply", &plan, "--yes"], &login[..]].concat();
    let count = async || {
        read(&*open(&format!("kafka://{host}")), &all_of(&target))
            .await
            .len()
    };
    let mut run = desk.begin("state", &apply);
    let began = Instant::now();
    while count().await == 0 {
        let waits = !run.is_over() && began.elapsed() < PATIENCE;
        assert!(waits, "nothing is written");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    acls(&python, &["revoke", &host, &source, &target]);
    let ended = run.end(PATIENCE);
    assert_eq!(ended.code, Some(6), "{}", ended.told);
    assert!(
        ended.told.contains("evtap apply"),
        "how to go on: {}",
        ended.told
    );
    assert!(ended.told.contains("ACL"), "what it lacks: {}", ended.told);
    assert!(!ended.told.contains("alice-secret"), "{}", ended.told);
    let part = count().await;
    assert!((1..EVENTS).contains(&part), "{part}");

    // Still without it: nothing is written, and it is told as what it is.
    let refused = desk.begin("refused", &apply).end(PATIENCE);
    assert!(matches!(refused.code, Some(4 | 6)), "{}", refused.told);
    assert_eq!(count().await, part);

    acls(&python, &["write", &host, &source, &target]);
    let done = desk.begin("state", &apply).end(PATIENCE);
    assert_eq!(done.code, Some(0), "{}", done.told);
    assert!(
        done.told.contains("3,000 selected, 3,000 in the target"),
        "{}",
        done.told
    );
    assert_eq!(count().await, EVENTS);
}
