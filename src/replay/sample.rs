//! A few events as a person sees them before saying yes: decoded, as they will be written, with
//! personal data put out of sight.

use std::collections::VecDeque;

use crate::event::{Batch, Decoded, EventRef, Streams, Timestamp, object};
use crate::inspect::payload::hide_personal;
use crate::schema::{Decoder, Reader};

/// Samples from each end.
const SAMPLES: usize = 3;
/// Bytes of a sample's key and value that are kept.
const SAMPLE_BYTES: usize = 1024;

/// A small copy of an event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// `orders/0@15`
    pub at: String,
    pub time: Option<Timestamp>,
    pub key: Option<Vec<u8>>,
    /// The beginning of it; `None` is a tombstone.
    pub value: Option<Vec<u8>>,
    /// The whole value's length.
    pub value_bytes: usize,
}

/// Collects the first and the last.
pub(super) struct Sampler {
    reader: Reader,
    first: Vec<Sample>,
    last: VecDeque<Sample>,
    /// The last copies of the batch that is filled, with the time that they had.
    tail: VecDeque<(usize, Option<Timestamp>)>,
}

impl Sampler {
    pub(super) fn new(decoder: &Decoder) -> Self {
        Self {
            reader: decoder.looker(),
            first: Vec::new(),
            last: VecDeque::new(),
            tail: VecDeque::new(),
        }
    }

    /// The copy that was just put into the batch is of an event of this time.
    pub(super) fn note(&mut self, out: &Batch, table: &Streams, time: Option<Timestamp>) {
        let Some(index) = out.len().checked_sub(1) else {
            return;
        };
        if self.first.len() < SAMPLES {
            let sample = self.sample(&out.get(index), table, time);
            self.first.extend(sample);
        }
        if self.tail.len() == SAMPLES {
            self.tail.pop_front();
        }
        self.tail.push_back((index, time));
    }

    /// Before the batch goes: keeps what may be the last. `table` is that of the originals.
    pub(super) fn settle(&mut self, out: &Batch, table: &Streams) {
        while let Some((index, time)) = self.tail.pop_front() {
            if self.last.len() == SAMPLES {
                self.last.pop_front();
            }
            let sample = self.sample(&out.get(index), table, time);
            self.last.extend(sample);
        }
    }

    pub(super) fn finish(self) -> (Vec<Sample>, Vec<Sample>) {
        (self.first, self.last.into())
    }
}

impl Sampler {
    /// The copy, told by where its original stands.
    fn sample(
        &mut self,
        copy: &EventRef<'_>,
        table: &Streams,
        time: Option<Timestamp>,
    ) -> Option<Sample> {
        let stream = table.get(copy.stream_index as usize)?;
        let seen = self.reader.see(&EventRef { stream, ..*copy });
        let position = copy.position.display(stream.style);
        let present = |bytes: Option<&[u8]>, data| bytes.map(|_| shown(data));
        Some(Sample {
            at: format!("{}/{}@{position}", stream.topic, stream.partition),
            time,
            key: present(copy.key, seen.key.data),
            value: present(copy.value, seen.value.data),
            value_bytes: copy.value.map_or(0, <[u8]>::len),
        })
    }
}

/// The beginning of it as text.
fn shown(data: Decoded<'_>) -> Vec<u8> {
    let mut made = Vec::new();
    let text = match data {
        Decoded::Text(text) => text,
        other => {
            object::write_data(&mut made, other);
            str::from_utf8(&made).unwrap_or_default()
        }
    };
    // What stands at the cut could be half of something personal.
    let hidden = hide_personal(beginning(text, 2 * SAMPLE_BYTES));
    beginning(&hidden, SAMPLE_BYTES).as_bytes().to_vec()
}

fn beginning(text: &str, bytes: usize) -> &str {
    text.get(..text.floor_char_boundary(bytes)).unwrap_or(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::replay::fake::{batch, event, streams};

    fn samples(values: &[&'static [u8]]) -> Vec<Sample> {
        let table = streams();
        let events = values.iter().zip(0..).map(|(value, offset)| {
            let mut event = event(0, offset);
            event.value = Some(value);
            event
        });
        let out = batch(&table, &events.collect::<Vec<_>>());
        let mut sampler = Sampler::new(&Decoder::default());
        sampler
            .tail
            .extend((0..out.len()).map(|index| (index, None)));
        sampler.settle(&out, &table);
        sampler.finish().1
    }

    #[test]
    fn personal_data_is_put_out_of_sight() {
        let seen =
            samples(&[br#"{"note":"call +1 415 555 0132, ada@example.com, 4111111111111111"}"#]);
        let value = String::from_utf8(seen[0].value.clone().unwrap()).unwrap();
        for secret in ["ada@", "415 555", "4111111111111111"] {
            assert!(!value.contains(secret), "{value}");
        }
        assert!(value.starts_with("{\"note\":\"call +1 *"), "{value}");
    }

    #[test]
    fn only_the_last_are_kept() {
        let seen = samples(&[b"1", b"2", b"3", b"\xff"]);
        let values: Vec<_> = seen.iter().map(|s| s.value.clone().unwrap()).collect();
        assert_eq!(values, [&b"2"[..], b"3", br#"{"base64":"/w=="}"#]);
    }
}
