//! The printer on threads gives what it gives without them.

use std::io::{self, ErrorKind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::{sleep, timeout};

use super::*;
use crate::event::{
    EventRef, HeaderBuf, Position, PositionStyle, Stream, Streams, Timestamp, TimestampType,
};
use crate::output::sample::{Failing, Pieces};
use crate::output::{Look, mapped_writer, writer};

/// xorshift64*: the same sizes in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % n
    }
}

fn streams() -> Streams {
    (0..3)
        .map(|partition| Stream {
            topic: "orders".into(),
            partition,
            style: PositionStyle::Offset,
        })
        .collect()
}

/// A batch of so many events from offset `first` on, with nulls, repeats and hostile bytes.
fn batch(table: &Streams, first: u64, count: u64, size: usize) -> Batch {
    let mut batch = Batch::new(table.clone());
    let pad = "x".repeat(size);
    for offset in first..first + count {
        let value = match offset % 7 {
            0 => None,
            1 => Some(format!("\x1b[2J{pad}")),
            2 => Some(String::new()),
            _ => Some(format!(r#"{{"n":{offset},"pad":"{pad}","q":"a\"b"}}"#)),
        };
        let key = (offset % 5 != 0).then(|| format!("key-{offset}"));
        let mut headers = HeaderBuf::default();
        for _ in 0..offset % 3 {
            headers.push(b"h", Some(offset.to_string().as_bytes()));
        }
        let index = (offset % 3) as u32;
        let event = EventRef {
            stream: &table[index as usize],
            stream_index: index,
            position: Position::offset(offset),
            timestamp: Timestamp(1_723_717_843_000 + offset.cast_signed()),
            timestamp_type: TimestampType::Create,
            key: key.as_deref().map(str::as_bytes),
            value: value.as_deref().map(str::as_bytes),
            headers: headers.as_headers(),
            meta: None,
        };
        batch.push(&event).unwrap();
    }
    batch
}

/// Sizes from one small event to more than a piece, the large ones in rows.
fn shapes(count: usize, seed: u64) -> Vec<(u64, usize)> {
    let mut random = Random(seed);
    let mut bulk = 0;
    (0..count)
        .map(|_| {
            if bulk == 0 && random.below(4) == 0 {
                bulk = random.below(12);
            }
            if bulk > 0 {
                bulk -= 1;
                (1024 + random.below(512), random.below(400) as usize)
            } else {
                (1 + random.below(40), random.below(3000) as usize)
            }
        })
        .collect()
}

const FORMATS: &[&str] = &[
    "text",
    "jsonl",
    "json",
    "csv",
    "raw",
    "template={offset} {key} {value}",
];

fn look() -> Look {
    Look {
        color: true,
        ..Look::default()
    }
}

fn events(format: &str, sink: &Pieces) -> Printer {
    Printer::events(writer(format, &look()).unwrap(), Box::new(sink.clone()))
}

fn mapped(format: &str, program: &str, sink: &Pieces) -> Printer {
    let writer = mapped_writer(format, &look()).unwrap();
    let map = JqMap::compile("--map", program).unwrap();
    Printer::mapped(writer, map, &Decoder::default(), Box::new(sink.clone()))
}

/// Prints all the batches, with a rest now and then, and gives the failures of `--map`.
async fn print(mut printer: Printer, shapes: &[(u64, usize)]) -> u64 {
    let table = streams();
    let mut first = 0;
    for (i, &(count, size)) in shapes.iter().enumerate() {
        printer
            .batch(batch(&table, first, count, size))
            .await
            .unwrap();
        first += count;
        if i % 17 == 16 {
            printer.rest().await.unwrap();
        }
    }
    printer.rest().await.unwrap();
    let failed = printer.failed();
    printer.finish().unwrap();
    failed
}

#[tokio::test]
async fn threads_print_the_same_bytes_in_the_same_order() {
    for (seed, format) in (1..).zip(FORMATS) {
        let shapes = shapes(30, seed);
        let expected = Pieces::default();
        print(events(format, &expected).threads(0), &shapes).await;
        let expected = expected.all();
        assert!(expected.len() > 1 << 20, "{format}");
        for (threads, at_once) in [(1, false), (2, true), (4, false)] {
            let got = Pieces::default();
            let printer = events(format, &got).threads(threads).at_once(at_once);
            print(printer, &shapes).await;
            assert!(got.all() == expected, "{format} on {threads}");
        }
    }
}

#[tokio::test]
async fn mapped_texts_keep_their_order_and_failures_are_counted() {
    let program =
        "if .offset % 10 == 3 then error(\"three\") else .offset, (.headers | keys[]) end";
    let shapes = shapes(15, 99);
    for format in ["jsonl", "json", "raw"] {
        let expected = Pieces::default();
        let printer = mapped(format, program, &expected).threads(0);
        let failed = print(printer, &shapes).await;
        assert!(failed > 100);
        let got = Pieces::default();
        let printer = mapped(format, program, &got).threads(3);
        assert_eq!(print(printer, &shapes).await, failed);
        assert!(got.all() == expected.all(), "{format}");
    }
}

/// Batches that are large enough for the threads.
const BULK: (u64, usize) = (1024, 200);

#[tokio::test]
async fn a_program_that_cannot_go_on_stops_there_and_not_earlier() {
    let program = "def f: 1 + f; if .offset == 9000 then f else .offset end";
    for threads in [0, 1, 3] {
        let sink = Pieces::default();
        let mut printer = mapped("json", program, &sink).threads(threads);
        let table = streams();
        let mut fault = None;
        for i in 0..40 {
            if let Err(error) = printer.batch(batch(&table, i * BULK.0, BULK.0, 1)).await {
                fault = Some(error);
                break;
            }
        }
        let fault = fault.expect("an error before the 40th batch");
        assert!(fault.to_string().contains("orders/0@9000"), "{fault}");
        printer.rest().await.unwrap();
        printer.finish().unwrap();
        let offsets: Vec<u64> = serde_json::from_slice(&sink.all()).unwrap();
        assert!(offsets.into_iter().eq(0..9000), "on {threads}");
    }
}

#[tokio::test]
async fn a_closed_pipe_ends_it_and_is_told_once() {
    for (kind, closed) in [
        (ErrorKind::BrokenPipe, true),
        (ErrorKind::StorageFull, false),
    ] {
        for threads in [0, 2] {
            let writer = writer("jsonl", &look()).unwrap();
            let mut printer = Printer::events(writer, Box::new(Failing(kind))).threads(threads);
            printer.crew = (threads > 0)
                .then(|| Crew::start(&printer.renderer, &printer.out, threads, false).unwrap());
            let table = streams();
            let printing = async {
                for i in 0.. {
                    printer
                        .batch(batch(&table, i * BULK.0, BULK.0, BULK.1))
                        .await?;
                }
                Ok::<(), PrintError>(())
            };
            let ended = timeout(Duration::from_secs(30), printing).await;
            let error = ended.expect("it ends by itself").unwrap_err();
            assert_eq!(matches!(error, PrintError::Closed), closed, "{error}");
            printer.rest().await.unwrap();
            printer.finish().unwrap();
        }
    }
}

/// Nobody reads on the other side until it is let go.
struct Stuck(Arc<AtomicBool>, Arc<AtomicU64>);

impl Write for Stuck {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        while self.0.load(Ordering::Relaxed) {
            std::thread::sleep(Duration::from_millis(1));
        }
        self.1.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_reader_that_stops_makes_the_source_wait_and_nothing_is_lost() {
    let (shut, written) = (Arc::new(AtomicBool::new(true)), Arc::new(AtomicU64::new(0)));
    let sink = Box::new(Stuck(shut.clone(), written.clone()));
    let mut printer = Printer::events(writer("raw", &look()).unwrap(), sink).threads(2);
    printer.full = BEFORE_THREADS;
    let table = streams();
    let mut taken = 0;
    loop {
        let batch = batch(&table, taken * BULK.0, BULK.0, BULK.1);
        let took = timeout(Duration::from_millis(300), printer.batch(batch)).await;
        taken += 1;
        if took.is_err() {
            break;
        }
        assert!(taken < 20, "the batches pile up");
    }
    shut.store(false, Ordering::Relaxed);
    printer.rest().await.unwrap();
    printer.finish().unwrap();
    let expected = Pieces::default();
    let inline = events("raw", &expected).threads(0);
    print(inline, &vec![BULK; taken as usize]).await;
    assert_eq!(written.load(Ordering::Relaxed), expected.all().len() as u64);
}

#[tokio::test]
async fn few_events_start_no_thread() {
    let sink = Pieces::default();
    let mut printer = events("jsonl", &sink).threads(2);
    let table = streams();
    for i in 0..50 {
        printer.batch(batch(&table, i, 1, 10)).await.unwrap();
    }
    for i in 0..2 {
        printer
            .batch(batch(&table, i, BULK.0, BULK.1))
            .await
            .unwrap();
    }
    assert!(printer.crew.is_none());
    printer
        .batch(batch(&table, 0, BULK.0, BULK.1))
        .await
        .unwrap();
    assert!(printer.crew.is_some());
}

#[tokio::test]
async fn who_watches_sees_an_event_at_once_also_behind_a_flood() {
    let sink = Pieces::default();
    let mut printer = events("template={offset}", &sink).threads(2).at_once(true);
    let table = streams();
    for i in 0..20 {
        printer
            .batch(batch(&table, i * BULK.0, BULK.0, BULK.1))
            .await
            .unwrap();
    }
    let last = 20 * BULK.0;
    printer.batch(batch(&table, last, 1, 10)).await.unwrap();
    let line = format!("\n{last}\n").into_bytes();
    let began = Instant::now();
    // No rest is asked for: nothing but the batch itself may bring it out.
    while !sink.all().ends_with(&line) {
        assert!(began.elapsed() < Duration::from_secs(10), "it is not shown");
        sleep(Duration::from_millis(1)).await;
    }
    while !printer.crew.as_ref().unwrap().is_idle() {
        sleep(Duration::from_millis(1)).await;
    }
    printer.batch(batch(&table, last + 1, 1, 10)).await.unwrap();
    assert!(sink.all().ends_with(format!("\n{}\n", last + 1).as_bytes()));
}

#[tokio::test]
async fn a_huge_event_leaves_no_huge_buffer_behind() {
    let mut printer = events("raw", &Pieces::default());
    printer
        .batch(batch(&streams(), 3, 1, 8 << 20))
        .await
        .unwrap();
    assert!(printer.piece.capacity() <= PIECE_KEPT);
}

#[tokio::test]
async fn an_array_is_closed_at_the_end_also_when_it_is_empty() {
    for (program, expected) in [("1, 2", "[\n1,\n2\n]\n"), ("empty", "[]\n")] {
        let sink = Pieces::default();
        let mut printer = mapped("json", program, &sink);
        printer.batch(batch(&streams(), 0, 1, 1)).await.unwrap();
        printer.finish().unwrap();
        assert_eq!(String::from_utf8(sink.all()).unwrap(), expected);
    }
}
