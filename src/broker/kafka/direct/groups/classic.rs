//! What members of a classic group write for each other, and the broker hands on unread: the
//! consumers' own protocol. Other programs may put anything there; what makes no sense is `None`.

use std::sync::Arc;

use super::super::super::error::Failure;
use super::super::super::terms::Place;
use super::super::wire::Reader;
use super::told::partition;

/// The topics that a member wants.
pub(in super::super) fn topics(about: &[u8]) -> Option<Vec<Arc<str>>> {
    let read = || -> Result<Vec<Arc<str>>, Failure> {
        let mut reader = Reader::new(about, false);
        reader.i16()?;
        let mut topics = Vec::new();
        for _ in 0..reader.count()? {
            topics.push(reader.text()?.into());
        }
        Ok(topics)
    };
    read().ok()
}

/// The partitions that a member was given.
pub(in super::super) fn places(given: &[u8]) -> Option<Vec<Place>> {
    let read = || -> Result<Vec<Place>, Failure> {
        let mut reader = Reader::new(given, false);
        reader.i16()?;
        let mut places = Vec::new();
        for _ in 0..reader.count()? {
            let topic: Arc<str> = reader.text()?.into();
            for _ in 0..reader.count()? {
                places.push((topic.clone(), partition(&mut reader)?));
            }
        }
        places.sort_unstable();
        Ok(places)
    };
    read().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_consumers_write_is_read_and_anything_else_is_nothing() {
        let given = [
            0, 1, 0, 0, 0, 1, 0, 1, b't', 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 1, 0, 0, 0, 0,
        ];
        let found = places(&given).unwrap();
        assert_eq!(found, [("t".into(), 1), ("t".into(), 3)]);
        let about = [0, 0, 0, 0, 0, 2, 0, 1, b'a', 0, 1, b'b', 255, 255, 255, 255];
        let wanted: [Arc<str>; 2] = ["a".into(), "b".into()];
        assert_eq!(topics(&about).unwrap(), wanted);
        assert_eq!(places(b""), None);
        assert_eq!(places(b"{\"worker\":\"http://h\"}"), None);
        for end in 0..given.len() - 4 {
            assert_eq!(places(&given[..end]), None, "{end}");
        }
    }
}
