//! Addresses: the text by which a user names a source or a target. Parsing only, no I/O.

use std::fmt;
use std::path::{Path, PathBuf};

use super::{Error, ErrorKind, Result, TopicSelector};

/// A source or target, as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// `kafka://h1:9092,h2:9092/orders?security.protocol=SSL`
    Url {
        scheme: String,
        /// Between `//` and the next `/`: hosts, maybe with `user:password@`.
        authority: String,
        topics: TopicSelector,
        /// Client properties after `?`, percent-decoded.
        properties: Vec<(String, String)>,
    },
    /// `incident.mcap`, `events.jsonl`, `events.jsonl.zst`
    File { path: PathBuf },
    /// `-`
    Stdin,
    /// `demo:` or `demo:orders?isolation.level=read_uncommitted`
    Demo {
        topics: TopicSelector,
        /// Client properties after `?`, percent-decoded.
        properties: Vec<(String, String)>,
    },
    /// `prod/orders`: a context of the config file.
    Context { name: String, topics: TopicSelector },
}

impl Address {
    pub fn parse(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(Error::new(ErrorKind::Usage, "an empty address")
                .hint("try demo:orders, kafka://localhost:9092/orders or a file"));
        }
        if text == "-" {
            return Ok(Self::Stdin);
        }
        if is_file(text) {
            return Ok(Self::File {
                path: PathBuf::from(text),
            });
        }
        if let Some((scheme, rest)) = split_scheme(text) {
            return Self::parse_url(text, scheme, rest);
        }
        let (name, topics) = text.split_once('/').unwrap_or((text, ""));
        if name.is_empty() {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("no context name in '{text}'"),
            ));
        }
        Ok(Self::Context {
            name: name.to_owned(),
            topics: TopicSelector::parse(topics)?,
        })
    }

    fn parse_url(text: &str, scheme: &str, rest: &str) -> Result<Self> {
        let shown = redact(text);
        let usage = |what: &str| {
            Err(
                Error::new(ErrorKind::Usage, format!("{what} in the address '{shown}'")).hint(
                    "write SCHEME://HOST:PORT/TOPIC, for example kafka://localhost:9092/orders",
                ),
            )
        };
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, topics) = if scheme == "demo" {
            ("", rest.trim_start_matches('/'))
        } else {
            let Some(rest) = rest.strip_prefix("//") else {
                return usage("no // after the scheme");
            };
            rest.split_once('/').unwrap_or((rest, ""))
        };
        if authority.is_empty() && scheme != "demo" {
            return usage("no host");
        }
        let mut properties = Vec::new();
        for pair in query.split('&').filter(|p| !p.is_empty()) {
            let Some((key, value)) = pair.split_once('=') else {
                return usage(&format!("the property '{}' has no value", redact(pair)));
            };
            let (Some(key), Some(value)) = (percent_decode(key), percent_decode(value)) else {
                return usage("a percent sign that is no escape");
            };
            properties.push((key, value));
        }
        let Some(topics) = percent_decode(topics) else {
            return usage("a percent sign that is no escape");
        };
        let topics = TopicSelector::parse(&topics)?;
        if scheme == "demo" {
            return Ok(Self::Demo { topics, properties });
        }
        Ok(Self::Url {
            scheme: scheme.to_owned(),
            authority: authority.to_owned(),
            topics,
            properties,
        })
    }

    /// The topic part; files and standard input have none: all that they hold.
    pub fn topics(&self) -> TopicSelector {
        match self {
            Self::Url { topics, .. } | Self::Demo { topics, .. } | Self::Context { topics, .. } => {
                topics.clone()
            }
            Self::File { .. } | Self::Stdin => TopicSelector::all(),
        }
    }

    /// Without password and properties, and without topics that its text could not say: what
    /// [`Address::parse`] reads back from its text is the same.
    #[must_use]
    pub fn without_secrets(mut self) -> Self {
        match &mut self {
            Self::Url {
                authority,
                properties,
                ..
            } => {
                if let Some((login, hosts)) = authority.rsplit_once('@') {
                    *authority = format!("{}@{hosts}", user_of(login));
                }
                properties.clear();
            }
            Self::Demo { properties, .. } => properties.clear(),
            Self::File { .. } | Self::Stdin | Self::Context { .. } => {}
        }
        if Self::parse(&self.to_string()).is_ok_and(|again| again == self) {
            return self;
        }
        self.with_topics(TopicSelector::all())
    }

    /// The same broker, other topics. Files keep what they hold.
    #[must_use]
    pub fn with_topics(mut self, new: TopicSelector) -> Self {
        match &mut self {
            Self::Url { topics, .. } | Self::Demo { topics, .. } | Self::Context { topics, .. } => {
                *topics = new;
            }
            Self::File { .. } | Self::Stdin => {}
        }
        self
    }
}

/// Without its secrets: a password in the authority and the values of properties are hidden.
impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = |topics: &TopicSelector| {
            if topics.is_all() {
                String::new()
            } else {
                format!("/{topics}")
            }
        };
        match self {
            Self::Url {
                scheme,
                authority,
                topics,
                ..
            } => write!(
                f,
                "{scheme}://{}{}",
                hide_password(authority),
                slash(topics)
            ),
            Self::File { path } => write!(f, "{}", path.display()),
            Self::Stdin => f.write_str("-"),
            Self::Demo { topics, .. } if topics.is_all() => f.write_str("demo:"),
            Self::Demo { topics, .. } => write!(f, "demo:{topics}"),
            Self::Context { name, topics } => write!(f, "{name}{}", slash(topics)),
        }
    }
}

fn is_file(text: &str) -> bool {
    let ending = [".mcap", ".jsonl", ".jsonl.zst"]
        .iter()
        .any(|end| text.ends_with(end));
    (ending && split_scheme(text).is_none())
        || text.starts_with("./")
        || text.starts_with("../")
        || Path::new(text).is_absolute()
}

/// `scheme:rest`, where the scheme is a letter and then letters, digits, `+`, `-` or `.`.
fn split_scheme(text: &str) -> Option<(&str, &str)> {
    let (scheme, rest) = text.split_once(':')?;
    let mut bytes = scheme.bytes();
    let good = bytes.next().is_some_and(|b| b.is_ascii_alphabetic())
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    good.then_some((scheme, rest))
}

/// The user of `user:password`.
fn user_of(login: &str) -> &str {
    login.split_once(':').map_or(login, |(user, _)| user)
}

fn hide_password(authority: &str) -> String {
    match authority.rsplit_once('@') {
        Some((user, host)) => match user.split_once(':') {
            Some((name, _)) => format!("{name}:***@{host}"),
            None => format!("{user}@{host}"),
        },
        None => authority.to_owned(),
    }
}

/// An address as typed, for an error message: everything that could be a secret is cut.
fn redact(text: &str) -> String {
    let (head, query) = match text.split_once('?') {
        Some((head, _)) => (head, "?…"),
        None => (text, ""),
    };
    let head = match head.split_once("//") {
        Some((scheme, rest)) => {
            let (authority, topics) = rest.split_once('/').unwrap_or((rest, ""));
            let slash = if topics.is_empty() { "" } else { "/" };
            format!("{scheme}//{}{slash}{topics}", hide_password(authority))
        }
        None => head.to_owned(),
    };
    format!("{head}{query}")
}

/// A URL, or what is none, without the password that it may hold before its host.
pub fn without_password(text: &str) -> String {
    let Some((scheme, rest)) = text.split_once("://") else {
        return text.to_owned();
    };
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    match authority.rsplit_once('@') {
        Some((login, host)) => {
            format!("{scheme}://{}@{host}{path}", user_of(login))
        }
        None => text.to_owned(),
    }
}

/// `%41` becomes `A`; `None` when a percent sign begins no escape or the bytes are no UTF-8.
pub fn percent_decode(text: &str) -> Option<String> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        if byte == b'%' {
            let high = char::from(bytes.next()?).to_digit(16)?;
            let low = char::from(bytes.next()?).to_digit(16)?;
            out.push((high * 16 + low) as u8);
        } else {
            out.push(byte);
        }
    }
    String::from_utf8(out).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(text: &str) -> String {
        Address::parse(text).unwrap().to_string()
    }

    #[test]
    fn each_form_is_told_apart() {
        assert!(matches!(Address::parse("-").unwrap(), Address::Stdin));
        for file in [
            "a.mcap",
            "a.jsonl",
            "x/a.jsonl.zst",
            "./orders",
            "/tmp/orders",
        ] {
            assert!(
                matches!(Address::parse(file).unwrap(), Address::File { .. }),
                "{file}"
            );
        }
        for url in [
            "kafka://h:9092/orders",
            "redis://h:6379",
            "kafka://h:1/x.jsonl",
        ] {
            assert!(
                matches!(Address::parse(url).unwrap(), Address::Url { .. }),
                "{url}"
            );
        }
        assert!(matches!(
            Address::parse("demo:").unwrap(),
            Address::Demo { .. }
        ));
        assert_eq!(shown("demo:orders,pay*"), "demo:orders,pay*");
        assert!(matches!(
            Address::parse("prod/orders").unwrap(),
            Address::Context { .. }
        ));
        assert!(matches!(
            Address::parse("prod").unwrap(),
            Address::Context { .. }
        ));
    }

    #[test]
    fn properties_are_percent_decoded() {
        let Address::Url { properties, .. } =
            Address::parse("kafka://h:9092/t?sasl.password=a%26b&x=1").unwrap()
        else {
            panic!("not a URL");
        };
        assert_eq!(properties[0], ("sasl.password".into(), "a&b".into()));
        assert_eq!(properties[1], ("x".into(), "1".into()));
        let Address::Demo { topics, properties } = Address::parse("demo:orders?x=1").unwrap()
        else {
            panic!("not the demo");
        };
        assert_eq!(topics.to_string(), "orders");
        assert_eq!(properties, [("x".into(), "1".into())]);
    }

    #[test]
    fn secrets_are_not_shown() {
        assert_eq!(shown("redis://me:hush@h:1/t"), "redis://me:***@h:1/t");
        assert_eq!(shown("kafka://h:1/t?sasl.password=hush"), "kafka://h:1/t");
        for bad in ["redis:hush", "redis://u:hush@h/t?x", "redis://u:hush@h/%zz"] {
            let error = Address::parse(bad).unwrap_err();
            assert!(
                bad == "redis:hush" || !error.message.contains("hush"),
                "{error}"
            );
        }
    }

    #[test]
    fn what_is_left_without_secrets_is_read_back() {
        for (typed, left) in [
            ("redis://me:hush@h:1/t", "redis://me@h:1/t"),
            ("kafka://h:1/a,b*?sasl.password=hush", "kafka://h:1/a,b*"),
            ("redis://h/100%25%3Fx", "redis://h"),
            ("demo:orders?x=1", "demo:orders"),
            ("prod/orders", "prod/orders"),
            ("./a/b.mcap", "./a/b.mcap"),
        ] {
            let address = Address::parse(typed).unwrap().without_secrets();
            assert_eq!(address.to_string(), left);
            assert_eq!(Address::parse(left).unwrap(), address, "{typed}");
        }
    }

    #[test]
    fn bad_addresses_say_what_is_wrong() {
        for bad in [
            "",
            "kafka:host",
            "kafka://",
            "kafka:///t",
            "kafka://h/a,,b",
            "/x,".trim_start_matches('/'),
        ] {
            assert!(Address::parse(bad).is_err() || bad == "x,", "{bad}");
        }
    }
}
