//! The Kafka adapter against a real broker: `EVTAP_TEST_KAFKA=host:port cargo test --test kafka`.
#![cfg(feature = "kafka")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use evtap::broker::{
    Address, Bound, Broker, Notices, Range, Settings, Subscription, TopicSelector, registry,
};
use evtap::event::SelectAll;

fn server(var: &str) -> Option<String> {
    match std::env::var(var) {
        Ok(value) => Some(value),
        Err(_) if std::env::var_os("EVTAP_TEST_REQUIRE").is_some() => panic!("{var} is not set"),
        Err(_) => {
            println!("skipped: {var} is not set");
            None
        }
    }
}

fn open(url: &str) -> Arc<dyn Broker> {
    registry::open(&Address::parse(url).unwrap(), &Settings::default()).unwrap()
}

fn all_of(topic: &str) -> Subscription {
    Subscription {
        topics: TopicSelector::parse(topic).unwrap(),
        partitions: Vec::new(),
        range: Range::Bounds {
            from: Bound::Start,
            until: Bound::End,
        },
        follow: false,
        select: Arc::new(SelectAll),
        memory: 64 << 20,
        notices: Notices::new(|text| println!("notice: {text}")),
    }
}

#[tokio::test]
async fn smoke() {
    let Some(host) = server("EVTAP_TEST_KAFKA") else {
        return;
    };
    if std::env::var_os("D").is_some() {
        tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .init();
    }
    let topic = std::env::var("T").unwrap_or_else(|_| "kafka-smoke".into());
    let started = Instant::now();
    let broker = open(&format!("kafka://{host}/{topic}"));
    let topic = topic.split('?').next().unwrap().to_owned();
    println!("open {:?}", started.elapsed());
    println!(
        "{:?} {:?}",
        broker
            .topics(&TopicSelector::parse(&topic).unwrap())
            .await
            .unwrap(),
        started.elapsed()
    );
    let mut source = broker.source(&all_of(&topic)).await.unwrap();
    println!("source {:?}", started.elapsed());
    let mut count = 0;
    while let Some(batch) = source.next_batch().await.unwrap() {
        if count == 0 {
            println!("first {:?}", started.elapsed());
        }
        count += batch.len();
        if batch.len() < 5 {
            for event in batch.iter() {
                println!("{:?}", event);
            }
        }
    }
    println!(
        "{count} events {:?} {:?}",
        started.elapsed(),
        source.progress()
    );
    drop(source);
    println!("source dropped {:?}", started.elapsed());
    drop(broker);
    println!("broker dropped {:?}", started.elapsed());
    tokio::time::sleep(Duration::from_millis(10)).await;
}
