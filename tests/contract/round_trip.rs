//! What is written is read back, byte for byte.

use evtap::event::TimestampType;

use crate::data::{EPOCH, Event, assert_payloads};
use crate::world::World;

pub(crate) async fn bytes_survive(world: &World) {
    let all: Vec<u8> = (0..=255).collect();
    let events: Vec<Event> = [
        Event::of(None, None, &[]),
        Event::of(None, Some(b""), &[]),
        Event::of(Some(b""), None, &[]),
        Event::of(Some(b""), Some(b""), &[(b"", Some(b""))]),
        Event::of(Some(&all), Some(&all), &[(b"all", Some(&all))]),
        Event::of(
            Some(b"\r\n"),
            Some(b"\0\0\0"),
            &[(b"a b", Some(b"\xff\xfe"))],
        ),
        Event::of(
            Some("ключ-鍵-🔑".as_bytes()),
            Some("значение \u{202e}rtl \u{0} e\u{301}".as_bytes()),
            &[("имя".as_bytes(), Some("✓".as_bytes()))],
        ),
        Event::of(
            Some(b"k"),
            Some(b"null"),
            &[(b"h", None), (b"h", Some(b""))],
        ),
        // Names and values that an adapter could take for words of its own.
        Event::of(
            Some(b"key"),
            Some(b"value"),
            &[
                (b"value", Some(b"1")),
                (b"key", Some(b"2")),
                (b"evtap-null", Some(b"1")),
            ],
        ),
        Event::of(
            None,
            None,
            &[(b"value", Some(b"not the value")), (b"key", None)],
        ),
        Event::of(Some(b"k"), Some(br#"{"n":1e400,"s":"\u0000"}"#), &[]),
        Event::of(Some(b"k"), Some(br#""a string""#), &[]),
    ]
    .into_iter()
    .map(|event| event.within(&world.caps))
    .collect();
    world.with_events(&events).await;
    assert_payloads(&world.read_all().await, &events);
}

pub(crate) async fn a_value_of_one_mebibyte_survives(world: &World) {
    // Just below: Kafka's own limit of one mebibyte counts the record's framing too.
    let size = (1 << 20) - 1024;
    let big: Vec<u8> = (0..size)
        .map(|i: u32| (i.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect();
    let events: Vec<Event> = [
        Event::of(Some(b"small"), Some(b"1"), &[]),
        Event::of(Some(b"big"), Some(&big), &[]),
        Event::of(Some(b"big again"), Some(&big), &[]),
        Event::of(Some(b"small again"), Some(b"2"), &[]),
    ]
    .into_iter()
    .map(|event| event.within(&world.caps))
    .collect();
    world.with_events(&events).await;
    assert_payloads(&world.read_all().await, &events);
}

pub(crate) async fn many_headers_survive(world: &World) {
    if !world.has(world.caps.headers, "has no headers") {
        return;
    }
    let names: Vec<Vec<u8>> = (0..200)
        .map(|i| format!("h{}", i % 7).into_bytes())
        .collect();
    let values: Vec<Vec<u8>> = (0..200_u32).map(|i| vec![b'x'; i as usize]).collect();
    let headers: Vec<(&[u8], Option<&[u8]>)> = names
        .iter()
        .zip(&values)
        .map(|(name, value)| (name.as_slice(), Some(value.as_slice())))
        .collect();
    let mut events = [Event::of(Some(b"k"), Some(b"v"), &headers).within(&world.caps)];
    world.with_events(&events).await;
    if !world.header_order {
        // Where the first of each name stood.
        let mut gathered = Vec::new();
        for name in &names[..7] {
            let of_name = events[0].headers.iter().filter(|h| h.0 == *name);
            gathered.extend(of_name.cloned());
        }
        events[0].headers = gathered;
    }
    assert_payloads(&world.read_all().await, &events);
}

pub(crate) async fn timestamps_are_kept_or_given(world: &World) {
    let before = evtap::event::Timestamp::wall_clock().0;
    world.with_events(&Event::row(3)).await;
    let got = world.read_all().await;
    assert_eq!(got.len(), 3);
    for (i, event) in got.iter().enumerate() {
        if world.caps.keeps_timestamp {
            assert_eq!(event.timestamp, EPOCH + i64::try_from(i).unwrap() * 1000);
            assert_eq!(event.timestamp_type, TimestampType::Create);
        } else if event.timestamp_type != TimestampType::None {
            let age = event.timestamp - before;
            assert!(
                (-60_000..60_000).contains(&age),
                "{age} ms after it was written"
            );
            assert_eq!(event.timestamp_type, TimestampType::Append);
        }
    }
}
