//! evtap's own properties of a Kafka cluster (`evtap.…`), taken out before librdkafka sees the
//! rest.

use std::collections::BTreeMap;
use std::path::PathBuf;

use secrecy::SecretString;

use crate::broker::{Error, ErrorKind, Result};

const PREFIX: &str = "evtap.";
const READER: &str = "evtap.reader";
pub(super) const TOKEN: &str = "evtap.sasl.oauthbearer.token";

/// Who reads, where the user says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ReaderChoice {
    Direct,
    Rdkafka,
}

/// Where a ready token comes from.
#[derive(Clone)]
pub(super) enum TokenSource {
    Text(SecretString),
    /// Read again for every login: whoever renews the token writes it there.
    File(PathBuf),
}

#[derive(Clone, Default)]
pub(super) struct Own {
    pub(super) reader: Option<ReaderChoice>,
    pub(super) token: Option<TokenSource>,
}

impl Own {
    /// Takes the properties that are ours.
    pub(super) fn take(given: &mut BTreeMap<String, String>) -> Result<Self> {
        let mut own = Self::default();
        let ours: Vec<String> = given
            .keys()
            .filter(|key| key.starts_with(PREFIX))
            .cloned()
            .collect();
        for key in ours {
            let Some(value) = given.remove(&key) else {
                continue;
            };
            match key.as_str() {
                READER => own.reader = Some(reader(&value)?),
                TOKEN => own.token = Some(token(value)?),
                _ => {
                    let message = format!("kafka has no property '{key}'");
                    return Err(Error::new(ErrorKind::Usage, message)
                        .hint(format!("evtap's own are {READER} and {TOKEN}")));
                }
            }
        }
        Ok(own)
    }
}

fn reader(value: &str) -> Result<ReaderChoice> {
    match value {
        "direct" => Ok(ReaderChoice::Direct),
        "rdkafka" => Ok(ReaderChoice::Rdkafka),
        _ => Err(Error::new(
            ErrorKind::Usage,
            format!("the property '{READER}' is neither direct nor rdkafka"),
        )
        .hint("-X evtap.reader=direct speaks Kafka itself, -X evtap.reader=rdkafka goes through librdkafka")),
    }
}

fn token(value: String) -> Result<TokenSource> {
    let Some(path) = value.strip_prefix('@') else {
        return Ok(TokenSource::Text(value.into()));
    };
    let path = PathBuf::from(path);
    if path.is_file() {
        return Ok(TokenSource::File(path));
    }
    let message = format!(
        "the property '{TOKEN}': there is no file {}",
        path.display()
    );
    Err(Error::new(ErrorKind::Usage, message).hint("check the path behind the @"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(pairs: &[(&str, &str)]) -> Result<(Own, usize)> {
        let mut given = pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect();
        let own = Own::take(&mut given)?;
        Ok((own, given.len()))
    }

    #[test]
    fn what_is_ours_is_taken_out() {
        let pairs = [
            ("evtap.reader", "direct"),
            (TOKEN, "abc"),
            ("client.id", "x"),
        ];
        let (own, left) = take(&pairs).unwrap();
        assert_eq!(own.reader, Some(ReaderChoice::Direct));
        assert!(matches!(own.token, Some(TokenSource::Text(_))));
        assert_eq!(left, 1);
        assert_eq!(take(&[]).unwrap().0.reader, None);
    }

    #[test]
    fn mistakes_name_the_property_and_never_its_value() {
        for (key, value) in [
            ("evtap.reader", "hush"),
            ("evtap.raeder", "hush"),
            (TOKEN, "@/no/such/file"),
        ] {
            let error = take(&[(key, value)]).err().unwrap();
            assert_eq!(error.kind, ErrorKind::Usage);
            assert!(error.message.contains(key), "{error}");
            assert!(!error.message.contains("hush"), "{error}");
            assert!(error.hint.is_some());
        }
    }
}
