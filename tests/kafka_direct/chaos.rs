//! Bad networks: connections that die in the middle of anything, answers that come late, and
//! connections that take everything and say nothing. What is read is complete all the same.

use std::time::Duration;

use crate::both::{Reader, Taken, read, same_events};
use crate::made::{Dice, numbered, produce};
use crate::proxy::{Asked, Meddle, Proxy, Weather};
use crate::support::{all_of, kafka, with_topic};

const EVENTS: u64 = 50_000;
const PARTITIONS: u64 = 6;
/// What is always done, and takes seconds.
const RUNS: u64 = 4;

struct Chaos {
    seed: u64,
}

impl Chaos {
    fn dice(&self, what: usize) -> Dice {
        Dice(self.seed << 32 ^ what as u64)
    }
}

impl Meddle for Chaos {
    fn weather(&self, connection: usize) -> Weather {
        let mut dice = self.dice(connection);
        Weather {
            life: Some(Duration::from_millis(500 + dice.below(1000))),
            silence: match dice.below(6) {
                0 => Duration::from_millis(1000 + dice.below(2000)),
                _ => Duration::ZERO,
            },
            rate: Some(6_000_000),
        }
    }

    fn delay(&self, asked: &Asked) -> Duration {
        let mut dice = self.dice(asked.connection << 16 ^ asked.id.cast_unsigned() as usize);
        match dice.below(8) {
            0 => Duration::from_millis(200),
            _ => Duration::ZERO,
        }
    }
}

#[tokio::test]
async fn what_is_read_over_connections_that_die_is_complete() {
    let Some(host) = kafka() else { return };
    let runs = std::env::var("EVTAP_TEST_CHAOS").map_or(RUNS, |runs| runs.parse().unwrap());
    let (_, topic) = with_topic(&host, "chaos", PARTITIONS as u32, &[]).await;
    let how = [("linger.ms", "20"), ("batch.size", "100000")];
    let events = (0..EVENTS).map(|n| numbered(n, PARTITIONS, 300));
    produce(&host, &topic, &how, events);
    let wanted = read(&*Reader::Rdkafka.open(&host, ""), &all_of(&topic)).await;
    assert_eq!(wanted.events.len() as u64, EVENTS);

    let mut died = 0;
    for seed in 0..runs {
        let proxy = Proxy::start(&host, Chaos { seed });
        let broker = Reader::Direct.open(&proxy.address(), "");
        let mut source = broker.source(&all_of(&topic)).await.unwrap();
        let mut taken = Taken::default();
        taken.until(&mut *source, usize::MAX).await;
        assert_eq!(taken.scanned, wanted.scanned, "run {seed}");
        same_events(&taken.ordered(), &wanted.events);
        let fetched = proxy.asked().into_iter().filter(|asked| asked.direct);
        assert!(fetched.count() > 0, "run {seed} was not read directly");
        died += proxy.died();
    }
    assert!(died as u64 > runs, "{died} connections died");
}
