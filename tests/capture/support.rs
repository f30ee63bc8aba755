//! Events that own their bytes, and the short ways to write and to read files of them.

use std::path::Path;
use std::sync::{Arc, Mutex};

use evtap::broker::{
    Address, Bound, Broker, Error, Notices, Range, Settings, Sink, Subscription, Target,
    TopicSelector, registry,
};
use evtap::event::{
    Batch, BatchMeta, EventRef, HeaderBuf, Position, PositionStyle, Stream, Streams, Timestamp,
    TimestampType,
};

/// An event that owns what it is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Owned {
    pub(crate) stream: Stream,
    pub(crate) position: Position,
    pub(crate) timestamp: i64,
    pub(crate) timestamp_type: TimestampType,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: Vec<(Vec<u8>, Option<Vec<u8>>)>,
}

pub(crate) fn stream(topic: &str, partition: u32, style: PositionStyle) -> Stream {
    Stream {
        topic: topic.into(),
        partition,
        style,
    }
}

/// An event of `orders/0` with a value.
pub(crate) fn event(offset: u64, timestamp: i64, value: &str) -> Owned {
    Owned {
        stream: stream("orders", 0, PositionStyle::Offset),
        position: Position::offset(offset),
        timestamp,
        timestamp_type: TimestampType::Create,
        key: Some(format!("key-{offset}").into_bytes()),
        value: Some(value.as_bytes().to_vec()),
        headers: Vec::new(),
    }
}

impl Owned {
    pub(crate) fn of(event: &EventRef<'_>) -> Self {
        let headers = event.headers.iter();
        Self {
            stream: event.stream.clone(),
            position: event.position,
            timestamp: event.time().map_or(-1, |t| t.0),
            timestamp_type: event.timestamp_type,
            key: event.key.map(<[u8]>::to_vec),
            value: event.value.map(<[u8]>::to_vec),
            headers: headers
                .map(|(k, v)| (k.to_vec(), v.map(<[u8]>::to_vec)))
                .collect(),
        }
    }
}

/// One batch of these events, in this order.
pub(crate) fn batch(events: &[Owned]) -> Batch {
    let mut streams: Vec<Stream> = Vec::new();
    for event in events {
        if !streams.contains(&event.stream) {
            streams.push(event.stream.clone());
        }
    }
    let streams: Streams = streams.into();
    let mut batch = Batch::new(streams.clone());
    for event in events {
        push(&mut batch, event, None);
    }
    batch
}

/// Adds an event whose stream the batch knows, of the meta with that number.
pub(crate) fn push(batch: &mut Batch, event: &Owned, meta: Option<u32>) {
    let mut headers = HeaderBuf::default();
    for (key, value) in &event.headers {
        headers.push(key, value.as_deref());
    }
    let streams = batch.streams().clone();
    let index = streams.iter().position(|s| *s == event.stream).unwrap();
    let event = EventRef {
        stream: &streams[index],
        stream_index: index as u32,
        position: event.position,
        timestamp: Timestamp(event.timestamp),
        timestamp_type: event.timestamp_type,
        key: event.key.as_deref(),
        value: event.value.as_deref(),
        headers: headers.as_headers(),
        meta: None,
    };
    match meta {
        Some(meta) => batch.push_of_meta(&event, Some(meta)).unwrap(),
        None => batch.push(&event).unwrap(),
    }
}

pub(crate) fn wait<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
        .block_on(future)
}

pub(crate) fn open(path: &Path) -> Arc<dyn Broker> {
    let address = Address::parse(path.to_str().unwrap()).unwrap();
    registry::open(&address, &Settings::default()).unwrap()
}

pub(crate) fn sink(path: &Path) -> Box<dyn Sink> {
    let target = Target {
        topic: "ignored".into(),
        overwrite: false,
    };
    wait(open(path).sink(&target)).unwrap()
}

/// Writes a whole file.
pub(crate) fn record(path: &Path, batches: &[Batch]) {
    let mut sink = sink(path);
    wait(async {
        for batch in batches {
            sink.send(batch).await.unwrap();
        }
        let events: usize = batches.iter().map(Batch::len).sum();
        assert_eq!(sink.flush().await.unwrap().events, events as u64);
        sink.finish().await.unwrap();
    });
}

pub(crate) fn subscription(from: Bound, until: Bound) -> Subscription {
    Subscription {
        range: Range::Bounds { from, until },
        ..Subscription::all_of(TopicSelector::all(), 16 << 20)
    }
}

/// What came of reading a file.
#[derive(Default)]
pub(crate) struct Read {
    pub(crate) events: Vec<Owned>,
    pub(crate) metas: Vec<BatchMeta>,
    pub(crate) scanned: u64,
    pub(crate) failed: u64,
    pub(crate) error: Option<Error>,
    pub(crate) notices: Vec<String>,
}

pub(crate) fn read_as(path: &Path, mut sub: Subscription) -> Read {
    let told = Arc::new(Mutex::new(Vec::new()));
    let tell = told.clone();
    sub.notices = Notices::new(move |text| tell.lock().unwrap().push(text.to_owned()));
    let mut read = Read::default();
    wait(async {
        let mut source = match open(path).source(&sub).await {
            Ok(source) => source,
            Err(error) => {
                read.error = Some(error);
                return;
            }
        };
        loop {
            match source.next_batch().await {
                Ok(Some(batch)) => {
                    read.scanned += batch.scanned.events;
                    read.failed += batch.scanned.failed;
                    read.metas.extend_from_slice(batch.metas());
                    for event in batch.iter() {
                        if let Some(meta) = event.meta {
                            assert_eq!(meta.stream, event.stream_index);
                            assert!(meta.base_offset <= event.position.major);
                            assert!(event.position.major < meta.next_offset());
                        }
                        read.events.push(Owned::of(&event));
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    read.error = Some(error);
                    break;
                }
            }
        }
        assert!(
            matches!(source.next_batch().await, Ok(None)),
            "the end stays the end"
        );
    });
    read.notices.clone_from(&told.lock().unwrap());
    read
}

pub(crate) fn read(path: &Path) -> Read {
    read_as(path, subscription(Bound::Start, Bound::End))
}

/// What is read of a file that must be whole.
pub(crate) fn events(path: &Path) -> Vec<Owned> {
    let read = read(path);
    assert!(read.error.is_none(), "{:?}", read.error);
    read.events
}
