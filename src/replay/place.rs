//! The two sides of a replay: which broker it is, by whatever address it was reached, and the
//! short name by which provenance headers call it.

use std::path::{Path, PathBuf};

use crate::broker::{Address, TopicSelector};

/// One side.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Without topics and secrets.
    pub address: Address,
    /// The server's own name for its cluster, where it has one.
    pub cluster: Option<String>,
}

impl Place {
    pub fn new(address: Address, cluster: Option<String>) -> Self {
        let address = address.with_topics(TopicSelector::all()).without_secrets();
        Self { address, cluster }
    }

    /// The cluster, else the address without user, password and properties.
    pub fn name(&self) -> String {
        self.cluster
            .clone()
            .unwrap_or_else(|| self.address_name(false))
    }

    /// For people: the address, and the cluster when it has a name.
    pub fn shown(&self) -> String {
        let address = self.address_name(true);
        match &self.cluster {
            Some(cluster) => format!("{address} (cluster {cluster})"),
            None => address,
        }
    }

    /// As [`Place::name`], for files with the whole path: two files can have one name.
    pub(super) fn long_name(&self) -> String {
        self.cluster
            .clone()
            .unwrap_or_else(|| self.address_name(true))
    }

    /// Every name that an earlier replay may have called this place by.
    pub(super) fn names(&self) -> impl Iterator<Item = String> + '_ {
        self.cluster
            .clone()
            .into_iter()
            .chain([self.address_name(false), self.address_name(true)])
    }

    fn address_name(&self, whole_path: bool) -> String {
        match &self.address {
            Address::Url {
                scheme, authority, ..
            } => {
                let hosts = authority
                    .rsplit_once('@')
                    .map_or(authority.as_str(), |(_, hosts)| hosts);
                format!("{scheme}://{hosts}")
            }
            Address::File { path } if whole_path => path.display().to_string(),
            Address::File { path } => path.file_name().map_or_else(
                || path.display().to_string(),
                |name| name.to_string_lossy().into_owned(),
            ),
            Address::Stdin => "stdin".to_owned(),
            Address::Demo { .. } => "demo:".to_owned(),
            Address::Context { name, .. } => name.clone(),
        }
    }

    /// True when both are known to be one broker or file. Another name for the same host can hide
    /// it; the cluster's own name cannot.
    pub fn is_same(&self, other: &Self) -> bool {
        if let (Some(one), Some(two)) = (&self.cluster, &other.cluster)
            && one == two
        {
            return true;
        }
        match (&self.address, &other.address) {
            (
                Address::Url {
                    scheme, authority, ..
                },
                Address::Url {
                    scheme: scheme_2,
                    authority: authority_2,
                    ..
                },
            ) => {
                let others = hosts(scheme_2, authority_2);
                hosts(scheme, authority).iter().any(|h| others.contains(h))
            }
            (Address::File { path }, Address::File { path: path_2 }) => real(path) == real(path_2),
            (Address::Demo { .. }, Address::Demo { .. }) => true,
            (Address::Context { name, .. }, Address::Context { name: name_2, .. }) => {
                name == name_2
            }
            _ => false,
        }
    }

    pub fn is_file(&self) -> bool {
        matches!(self.address, Address::File { .. } | Address::Stdin)
    }
}

/// The servers of a URL in one spelling: `host:port`, lower case, this machine as `localhost`.
fn hosts(scheme: &str, authority: &str) -> Vec<String> {
    let port = match scheme {
        "kafka" => "9092",
        "redis" | "rediss" => "6379",
        "nats" => "4222",
        "amqp" | "rabbitmq" => "5672",
        _ => "",
    };
    let hosts = authority
        .rsplit_once('@')
        .map_or(authority, |(_, hosts)| hosts);
    hosts
        .split(',')
        .map(|host| {
            let host = host.trim().to_lowercase();
            let (name, port) = match host.rsplit_once(':') {
                // The last colon of a bare IPv6 address is no port's.
                Some((name, given)) if !given.contains(']') => (name, given),
                _ => (host.as_str(), port),
            };
            let name = match name.trim_end_matches('.') {
                "127.0.0.1" | "[::1]" => "localhost",
                name => name,
            };
            format!("{name}:{port}")
        })
        .collect()
}

/// The file itself, through links; a file that does not exist yet by its folder.
fn real(path: &Path) -> PathBuf {
    if let Ok(real) = path.canonicalize() {
        return real;
    }
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    match (folder.canonicalize(), path.file_name()) {
        (Ok(folder), Some(name)) => folder.join(name),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(address: &str) -> Place {
        Place::new(Address::parse(address).unwrap(), None)
    }

    #[test]
    fn one_broker_is_recognised_by_any_of_its_hosts() {
        for (one, two) in [
            ("kafka://h1:9092,h2:9092/a", "kafka://H2:9092/b"),
            ("kafka://h1/a", "kafka://h1:9092/a"),
            ("kafka://localhost:9092", "kafka://127.0.0.1:9092/x"),
            ("redis://me:pw@h/a", "redis://h:6379/a"),
            ("kafka://[::1]:1/a", "kafka://localhost:1/a"),
            ("demo:orders", "demo:"),
        ] {
            assert!(place(one).is_same(&place(two)), "{one} {two}");
        }
        for (one, two) in [
            ("kafka://h1:9092", "kafka://h1:9093"),
            ("kafka://h1:9092", "kafka://h2:9092"),
            ("demo:", "kafka://h1"),
            ("-", "-"),
        ] {
            assert!(!place(one).is_same(&place(two)), "{one} {two}");
        }
    }

    #[test]
    fn one_cluster_is_recognised_behind_other_addresses() {
        let mut one = place("kafka://h1/a");
        let mut two = place("kafka://proxy/a");
        one.cluster = Some("c".into());
        assert!(!one.is_same(&two));
        two.cluster = Some("c".into());
        assert!(one.is_same(&two));
    }

    #[test]
    fn one_file_is_recognised_behind_other_paths() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("a.mcap");
        let roundabout = dir.path().join(".").join("a.mcap");
        let (one, two) = (file.to_str().unwrap(), roundabout.to_str().unwrap());
        assert!(place(one).is_same(&place(two)));
        std::fs::write(&file, "").unwrap();
        assert!(place(one).is_same(&place(two)));
        assert!(!place(one).is_same(&place("/tmp/other.mcap")));
    }

    #[test]
    fn names_hold_no_user_and_no_password() {
        assert_eq!(place("redis://me:pw@h:1/t").name(), "redis://h:1");
        assert_eq!(place("kafka://a:1,b:2/t?x=1").name(), "kafka://a:1,b:2");
        assert_eq!(place("/home/me/a.mcap").name(), "a.mcap");
        assert_eq!(place("/home/me/a.mcap").long_name(), "/home/me/a.mcap");
    }
}
