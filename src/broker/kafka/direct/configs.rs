//! How topics keep their events. Of topics that one may not ask about nothing is told, which is no
//! failure.

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::{ApiKey, DescribeConfigsRequest};
use kafka_protocol::protocol::StrBytes;

use super::super::error::Failure;
use super::super::topic_settings::{NAMES, take};
use super::cluster::Cluster;
use super::wire::{Reader, text};
use crate::broker::TopicSettings;

/// The number of topics among the kinds of things that have a configuration.
const TOPIC: i8 = 2;
const VERSIONS: (i16, i16) = (1, 4);

/// Of these topics, by any node of the cluster.
pub(super) async fn of_topics(
    cluster: &Cluster,
    node: i32,
    topics: &[&str],
) -> Result<Vec<TopicSettings>, Failure> {
    let (host, mut connection) = cluster.connect(node).await?;
    let version = connection.version(ApiKey::DescribeConfigs, VERSIONS)?;
    let keys = NAMES.map(StrBytes::from_static_str);
    let resource = |name: &&str| {
        DescribeConfigsResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(text(name))
            .with_configuration_keys(Some(keys.to_vec()))
    };
    let request =
        DescribeConfigsRequest::default().with_resources(topics.iter().map(resource).collect());
    let answer = connection
        .call(ApiKey::DescribeConfigs, version, &request)
        .await?;
    cluster.keep(host, connection);
    read(&answer, version)
}

fn read(answer: &[u8], version: i16) -> Result<Vec<TopicSettings>, Failure> {
    let mut reader = Reader::new(answer, version >= 4);
    let r = &mut reader;
    r.i32()?;
    let mut found = Vec::new();
    for _ in 0..r.count()? {
        let refused = r.i16()? != 0;
        r.string()?;
        r.u8()?;
        let mut settings = TopicSettings::of(r.text()?.into());
        for _ in 0..r.count()? {
            let key = r.text()?;
            let value = r.string()?.unwrap_or_default();
            take(&mut settings, key, value);
            entry_rest(r, version)?;
        }
        r.tags()?;
        if !refused {
            found.push(settings);
        }
    }
    Ok(found)
}

fn entry_rest(r: &mut Reader<'_>, version: i16) -> Result<(), Failure> {
    // Read-only, source, sensitive.
    for _ in 0..3 {
        r.u8()?;
    }
    for _ in 0..r.count()? {
        r.text()?;
        r.string()?;
        r.u8()?;
        r.tags()?;
    }
    if version >= 3 {
        r.u8()?;
        r.string()?;
    }
    r.tags()
}

#[cfg(test)]
mod tests {
    use super::*;
    use kafka_protocol::messages::DescribeConfigsResponse;
    use kafka_protocol::messages::describe_configs_response::{
        DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
    };

    use super::super::fixture::encoded;

    #[test]
    fn each_topic_has_what_is_set_for_it() {
        let entry = |name, value| {
            let synonym = DescribeConfigsSynonym::default()
                .with_name(text("log.x"))
                .with_value(Some(text("1")));
            DescribeConfigsResourceResult::default()
                .with_name(text(name))
                .with_value(Some(text(value)))
                .with_synonyms(vec![synonym])
        };
        let topic = |name, age, policy| {
            DescribeConfigsResult::default()
                .with_resource_type(TOPIC)
                .with_resource_name(text(name))
                .with_configs(vec![
                    entry("retention.ms", age),
                    entry("cleanup.policy", policy),
                    entry("message.timestamp.type", "LogAppendTime"),
                    entry("message.timestamp.before.max.ms", "9223372036854775807"),
                ])
        };
        let answer = DescribeConfigsResponse::default().with_results(vec![
            topic("a", "604800000", "delete"),
            topic("b", "-1", "delete"),
            topic("c", "5", "compact"),
            topic("d", "7", "compact,delete"),
            DescribeConfigsResult::default()
                .with_error_code(29)
                .with_resource_type(TOPIC)
                .with_resource_name(text("secret")),
        ]);
        for version in VERSIONS.0..=VERSIONS.1 {
            let bytes = encoded(&answer, version);
            let found = read(&bytes, version).unwrap();
            let told: Vec<_> = found
                .iter()
                .map(|t| (&*t.topic, t.retention_ms, t.compacts, t.deletes))
                .collect();
            let expected = [
                ("a", Some(604_800_000), Some(false), Some(true)),
                ("b", None, Some(false), Some(true)),
                ("c", Some(5), Some(true), Some(false)),
                ("d", Some(7), Some(true), Some(true)),
            ];
            assert_eq!(told, expected, "v{version}");
            assert_eq!(
                (found[0].append_time, found[0].oldest_ms),
                (Some(true), None)
            );
            for end in 0..bytes.len() {
                drop(read(&bytes[..end], version));
            }
        }
    }
}
