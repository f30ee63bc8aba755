//! What an authorizer refuses is told as such, not as a missing topic.

use evtap::broker::{Error, ErrorKind, NewTopic, Target, TopicSelector};

use crate::server::Own;
use crate::support::{all_of, open, with_topic};

fn is_refused(error: &Error) {
    assert_eq!(error.kind, ErrorKind::Authorization, "{error}");
    assert!(error.hint.as_ref().unwrap().contains("ACL"), "{error}");
}

pub async fn a_user_without_permission_is_told_so(server: &Own) {
    let (_, topic) = with_topic(&server.plain(), "acl", 1, &[]).await;
    let broker = open(&format!(
        "kafka://{}?ssl.ca.location={}&security.protocol=SASL_SSL&sasl.mechanism=PLAIN\
         &sasl.username=alice&sasl.password=alice-secret",
        server.sasl_ssl(),
        server.ca()
    ));
    let named = TopicSelector::one(&topic);
    is_refused(&broker.topics(&named).await.unwrap_err());
    is_refused(&broker.source(&all_of(&topic)).await.err().unwrap());
    let target = Target {
        topic: topic.as_str().into(),
        overwrite: false,
    };
    is_refused(&broker.sink(&target).await.err().unwrap());
    let new = NewTopic {
        name: format!("{topic}-new"),
        partitions: 1,
        config: Vec::new(),
    };
    is_refused(&broker.create_topic(&new).await.unwrap_err());
    // A listing holds what the user may see: nothing.
    assert_eq!(broker.topics(&TopicSelector::all()).await.unwrap(), []);
    assert_eq!(broker.groups().await.unwrap(), []);
}
