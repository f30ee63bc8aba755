//! What members of a group tell each other through the broker, in the consumers' own form: other
//! tools can read which topics and partitions it is about. Behind that stands what only we read.

use super::super::super::error::Failure;
use super::super::super::terms::Place;
use super::super::wire::Reader;

/// What a member says when it joins: its topics, and our own part.
pub(in crate::broker::kafka) fn about(topics: &[&str], own: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    put_count(&mut bytes, topics.len());
    for topic in topics {
        put_text(&mut bytes, topic);
    }
    put_blob(&mut bytes, own);
    bytes
}

/// What a member is given: its partitions, which are ordered by topic, and our own part.
pub(in crate::broker::kafka) fn given(places: &[&Place], own: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0, 0];
    let topics: Vec<&[&Place]> = places.chunk_by(|a, b| a.0 == b.0).collect();
    put_count(&mut bytes, topics.len());
    for places in topics {
        put_text(&mut bytes, &places[0].0);
        put_count(&mut bytes, places.len());
        for (_, partition) in places {
            bytes.extend_from_slice(&partition.to_be_bytes());
        }
    }
    put_blob(&mut bytes, own);
    bytes
}

/// Our own part of what a member was given.
pub(in crate::broker::kafka) fn own_given(given: &[u8]) -> Result<&[u8], Failure> {
    let mut reader = Reader::new(given, false);
    reader.i16()?;
    for _ in 0..reader.count()? {
        reader.text()?;
        for _ in 0..reader.count()? {
            reader.i32()?;
        }
    }
    reader.blob()
}

fn put_count(bytes: &mut Vec<u8>, count: usize) {
    bytes.extend_from_slice(&(count as u32).to_be_bytes());
}

/// Names of topics are short.
fn put_text(bytes: &mut Vec<u8>, text: &str) {
    bytes.extend_from_slice(&(text.len() as u16).to_be_bytes());
    bytes.extend_from_slice(text.as_bytes());
}

fn put_blob(bytes: &mut Vec<u8>, blob: &[u8]) {
    put_count(bytes, blob.len());
    bytes.extend_from_slice(blob);
}

/// The topics of these partitions, each once.
pub(in crate::broker::kafka) fn topics<'a>(
    places: impl IntoIterator<Item = &'a Place>,
) -> Vec<&'a str> {
    let mut topics: Vec<&str> = places.into_iter().map(|(topic, _)| &**topic).collect();
    topics.sort_unstable();
    topics.dedup();
    topics
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::super::groups::classic;
    use super::*;

    #[test]
    fn other_tools_can_read_what_members_say() {
        let about = about(&["a", "b"], b"own");
        let told: Vec<Arc<str>> = vec!["a".into(), "b".into()];
        assert_eq!(classic::topics(&about), Some(told));
        assert!(about.ends_with(b"own"));
        let places: Vec<Place> = vec![("a".into(), 0), ("a".into(), 7), ("b".into(), 1)];
        let given = given(&places.iter().collect::<Vec<_>>(), b"");
        assert_eq!(classic::places(&given), Some(places));
        assert_eq!(own_given(&given).unwrap(), b"");
    }

    #[test]
    fn what_is_cut_is_an_error() {
        let places: Vec<Place> = vec![("a".into(), 0), ("b".into(), 7)];
        let given = given(&places.iter().collect::<Vec<_>>(), b"own");
        for end in 0..given.len() {
            assert!(own_given(&given[..end]).is_err(), "{end}");
        }
    }
}
