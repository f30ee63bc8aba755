//! That nothing came is not known while the broker does not answer.

use std::process::Stdio;
use std::time::Duration;

use crate::server::Own;
use crate::support::with_topic;

pub async fn a_broker_that_went_away_leaves_the_answer_open(server: &Own) {
    let (_, topic) = with_topic(&server.plain(), "expect-none", 1, &[]).await;
    let source = format!("kafka://{}/{topic}", server.plain());
    let child = crate::shared::evtap()
        .args(["expect", &source, "-k", "a", "--none", "--within", "100ms"])
        .args(["--", "sleep", "3"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    server.kill();
    let output = child.wait_with_output().unwrap();
    server.revive();
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(3), "{said}");
    assert!(said.contains("INCONCLUSIVE"), "{said}");
}
