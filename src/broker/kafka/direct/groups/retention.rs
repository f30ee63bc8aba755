//! How long topics keep events by their age. Whoever may not ask is told nothing, which is no
//! failure.

use std::collections::HashMap;

use kafka_protocol::messages::describe_configs_request::DescribeConfigsResource;
use kafka_protocol::messages::{ApiKey, DescribeConfigsRequest};
use kafka_protocol::protocol::StrBytes;

use super::super::super::error::Failure;
use super::super::cluster::Cluster;
use super::super::wire::Reader;

/// The number of topics among the kinds of things that have a configuration.
const TOPIC: i8 = 2;
const AGE: &str = "retention.ms";
const POLICY: &str = "cleanup.policy";
const VERSIONS: (i16, i16) = (1, 4);

/// In milliseconds, of those of these topics that delete events by their age.
pub(super) async fn of_topics(
    cluster: &Cluster,
    node: i32,
    topics: &[&str],
) -> Result<HashMap<String, u64>, Failure> {
    let (host, mut connection) = cluster.connect(node).await?;
    let version = connection.version(ApiKey::DescribeConfigs, VERSIONS)?;
    let keys = [AGE, POLICY].map(StrBytes::from_static_str);
    let resource = |name: &&str| {
        DescribeConfigsResource::default()
            .with_resource_type(TOPIC)
            .with_resource_name(StrBytes::from_string((*name).to_owned()))
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

fn read(answer: &[u8], version: i16) -> Result<HashMap<String, u64>, Failure> {
    let mut reader = Reader::new(answer, version >= 4);
    let r = &mut reader;
    r.i32()?;
    let mut found = HashMap::new();
    for _ in 0..r.count()? {
        r.i16()?;
        r.string()?;
        r.u8()?;
        let name = r.text()?.to_owned();
        let (mut age, mut deletes) = (None, true);
        for _ in 0..r.count()? {
            let key = r.text()?;
            let value = r.string()?.unwrap_or_default();
            match key {
                AGE => age = value.parse::<u64>().ok(),
                POLICY => deletes = value.split(',').any(|policy| policy.trim() == "delete"),
                _ => {}
            }
            entry_rest(r, version)?;
        }
        r.tags()?;
        // Below 0 is for ever.
        if let Some(age) = age.filter(|_| deletes) {
            found.insert(name, age);
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
    use bytes::BytesMut;
    use kafka_protocol::messages::DescribeConfigsResponse;
    use kafka_protocol::messages::describe_configs_response::{
        DescribeConfigsResourceResult, DescribeConfigsResult, DescribeConfigsSynonym,
    };
    use kafka_protocol::protocol::Encodable as _;

    fn text(text: &'static str) -> StrBytes {
        StrBytes::from_static_str(text)
    }

    #[test]
    fn only_what_is_deleted_by_age_has_a_retention() {
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
                .with_configs(vec![entry(AGE, age), entry(POLICY, policy)])
        };
        let answer = DescribeConfigsResponse::default().with_results(vec![
            topic("a", "604800000", "delete"),
            topic("b", "-1", "delete"),
            topic("c", "5", "compact"),
            topic("d", "7", "compact,delete"),
        ]);
        for version in VERSIONS.0..=VERSIONS.1 {
            let mut bytes = BytesMut::new();
            answer.encode(&mut bytes, version).unwrap();
            let found = read(&bytes, version).unwrap();
            let expected = [("a".to_owned(), 604_800_000), ("d".to_owned(), 7)];
            assert_eq!(found, HashMap::from(expected), "v{version}");
            for end in 0..bytes.len() {
                drop(read(&bytes[..end], version));
            }
        }
    }
}
