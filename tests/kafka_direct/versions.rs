//! Brokers of other times: what they do not know is not asked of them, and what they answer in
//! older forms reads the same.

use std::sync::Arc;

use evtap::broker::Subscription;
use evtap::query::{Query, QuerySpec};
use kafka_protocol::messages::{ApiKey, ApiVersionsResponse};

use crate::both::{BOTH, Reader, Seen, equal, read};
use crate::made::{produce, shaped};
use crate::proxy::{self, Asked, Meddle, Proxy, Then};
use crate::support::{all_of, kafka, with_topic};
use crate::transactions::interleaved;

/// The newest versions that a broker knows. Others of its requests are left as they are.
type Known = &'static [(ApiKey, i16)];

const KAFKA_2_1: Known = &[
    (ApiKey::Fetch, 10),
    (ApiKey::ListOffsets, 4),
    (ApiKey::Metadata, 7),
    (ApiKey::ApiVersions, 2),
    (ApiKey::SaslHandshake, 1),
    (ApiKey::SaslAuthenticate, 0),
    (ApiKey::FindCoordinator, 2),
    (ApiKey::OffsetForLeaderEpoch, 1),
];

const KAFKA_2_3: Known = &[
    (ApiKey::Fetch, 11),
    (ApiKey::ListOffsets, 5),
    (ApiKey::Metadata, 8),
    (ApiKey::ApiVersions, 2),
    (ApiKey::FindCoordinator, 2),
    (ApiKey::OffsetForLeaderEpoch, 3),
];

const KAFKA_2_8: Known = &[
    (ApiKey::Fetch, 12),
    (ApiKey::ListOffsets, 6),
    (ApiKey::Metadata, 11),
    (ApiKey::ApiVersions, 3),
    (ApiKey::FindCoordinator, 3),
    (ApiKey::OffsetForLeaderEpoch, 4),
];

/// The one that comes with topic ids.
const KAFKA_3_1: Known = &[
    (ApiKey::Fetch, 13),
    (ApiKey::ListOffsets, 7),
    (ApiKey::Metadata, 12),
    (ApiKey::ApiVersions, 3),
    (ApiKey::OffsetForLeaderEpoch, 4),
];

/// Makes a broker older than it is.
struct Older(Known);

impl Older {
    fn newest(&self, api: ApiKey) -> i16 {
        let known = self.0.iter().find(|(known, _)| *known == api);
        known.map_or(i16::MAX, |(_, newest)| *newest)
    }
}

impl Meddle for Older {
    fn request(&self, asked: &Asked) -> Then {
        if asked.version <= self.newest(asked.api) {
            Then::Pass
        } else if asked.api == ApiKey::ApiVersions {
            // UNSUPPORTED_VERSION, in the oldest form, and nothing more.
            Then::Answer(vec![0, 35, 0, 0, 0, 0])
        } else {
            Then::HangUp
        }
    }

    fn answer(&self, asked: &Asked, frame: &mut Vec<u8>) -> bool {
        if asked.api == ApiKey::ApiVersions && asked.version <= self.newest(asked.api) {
            proxy::change(asked, frame, |answer: &mut ApiVersionsResponse| {
                for api in &mut answer.api_keys {
                    if let Ok(key) = ApiKey::try_from(api.api_key) {
                        api.max_version = api.max_version.min(self.newest(key));
                    }
                }
                // Features came with 2.8; without them nothing of this is finalized.
                answer.supported_features.clear();
                answer.finalized_features.clear();
            });
        }
        false
    }
}

/// Reads it from a broker that is so old, with both readers; the requests must be so old too.
async fn read_from(host: &str, known: Known, properties: &str, sub: &Subscription, wanted: &Seen) {
    for reader in BOTH {
        let proxy = Proxy::start(host, Older(known));
        let got = read(&*reader.open(&proxy.address(), properties), sub).await;
        equal(&got, wanted);
        let asked = proxy.asked();
        let fetches = asked.iter().filter(|a| a.api == ApiKey::Fetch);
        let fetches: Vec<_> = fetches
            .filter(|a| a.direct == (reader == Reader::Direct))
            .collect();
        assert!(!fetches.is_empty(), "{reader:?} did not fetch: {asked:?}");
        let newest = Older(known).newest(ApiKey::Fetch);
        assert!(fetches.iter().all(|a| a.version <= newest), "{asked:?}");
        let too_new = |a: &&Asked| a.version > Older(known).newest(a.api);
        let too_new: Vec<_> = asked.iter().filter(too_new).collect();
        assert!(
            too_new.iter().all(|a| a.api == ApiKey::ApiVersions),
            "asked of a broker that does not know it: {too_new:?}"
        );
    }
}

#[tokio::test]
async fn brokers_of_each_age_are_read_alike() {
    let Some(host) = kafka() else { return };
    let (_, shapes) = with_topic(&host, "ages", 3, &[]).await;
    let how = [("linger.ms", "20"), ("compression.type", "lz4")];
    produce(&host, &shapes, &how, (0..3000).map(|n| shaped(n, 3)));
    let (_, aborts) = with_topic(&host, "ages-aborts", 1, &[]).await;
    interleaved(&host, &aborts);

    let newest: Known = &[];
    let mut some = all_of(&shapes);
    let spec = QuerySpec {
        grep: vec!["paid".to_owned()],
        ..QuerySpec::default()
    };
    some.select = Arc::new(Query::compile(&spec).unwrap());
    for (sub, properties) in [
        (all_of(&format!("{shapes},{aborts}")), ""),
        (all_of(&aborts), "isolation.level=read_uncommitted"),
        (some, ""),
    ] {
        let wanted = read(&*Reader::Rdkafka.open(&host, properties), &sub).await;
        assert!(!wanted.events.is_empty());
        for known in [KAFKA_2_1, KAFKA_2_3, KAFKA_2_8, KAFKA_3_1, newest] {
            read_from(&host, known, properties, &sub, &wanted).await;
        }
    }
}
