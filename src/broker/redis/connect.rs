//! The server that an address names, and connections to it. No stream is looked at here.

use std::collections::BTreeMap;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{
    AsyncConnectionConfig, Client, ClientTlsConfig, ConnectionAddr, IntoConnectionInfo,
    ProtocolVersion, RedisConnectionInfo, RedisError, TlsCertificates,
};

use super::fault;
use crate::broker::address::percent_decode;
use crate::broker::{Address, Error, ErrorKind, Result, Settings};

/// An answer that takes longer than this counts as a lost connection.
pub(super) const ANSWER: Duration = Duration::from_secs(8);
/// The same where an answer can be a page of large events over a slow line.
pub(super) const LONG_ANSWER: Duration = Duration::from_secs(30);
/// Name look-up, TCP, TLS and login together.
const CONNECT: Duration = Duration::from_secs(8);

const PROPERTIES: &[&str] = &[
    "db", "username", "password", "tls.ca", "tls.cert", "tls.key",
];

/// One Redis server and how to log in to it.
pub(super) struct Server {
    client: Client,
    /// `redis://host:6379`, for messages: without secrets.
    pub(super) name: String,
    pub(super) tls: bool,
    pub(super) login: bool,
}

impl Server {
    pub(super) fn new(address: &Address, settings: &Settings) -> Result<Self> {
        let Address::Url {
            scheme,
            authority,
            properties,
            ..
        } = address
        else {
            return Err(Error::new(
                ErrorKind::Usage,
                format!("'{address}' is no redis:// address"),
            ));
        };
        for (key, _) in properties {
            known_property(key)?;
        }
        // The settings' values came later (a flag), and may be meant for another broker of the
        // same command: names that are not ours are left to it.
        let mut all: BTreeMap<&str, &str> = properties
            .iter()
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        all.extend(
            settings
                .properties
                .iter()
                .map(|(key, value)| (key.as_str(), value.as_str())),
        );
        let place = Authority::parse(authority)?;
        let tls = scheme == "rediss";
        let name = format!("{scheme}://{}", place.shown());
        let (login, info) = identity(&place, &all)?;
        let client = client(tls, &place, info, &all)?;
        Ok(Self {
            client,
            name,
            tls,
            login,
        })
    }

    /// A new connection, logged in and on its database.
    pub(super) async fn connect(
        &self,
        answer: Duration,
    ) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT))
            .set_response_timeout(Some(answer));
        let connecting = self
            .client
            .get_multiplexed_async_connection_with_config(&config);
        match tokio::time::timeout(CONNECT, connecting).await {
            Ok(connected) => connected,
            Err(_) => Err(std::io::Error::from(std::io::ErrorKind::TimedOut).into()),
        }
    }

    /// Like [`Server::connect`], for the first question: failures are told in full.
    pub(super) async fn connect_first(&self, answer: Duration) -> Result<MultiplexedConnection> {
        self.connect(answer)
            .await
            .map_err(|error| fault::explain(self, "connect to", &error))
    }
}

fn known_property(key: &str) -> Result<()> {
    if PROPERTIES.contains(&key) {
        return Ok(());
    }
    Err(
        Error::new(ErrorKind::Usage, format!("redis has no property '{key}'"))
            .hint(format!("it knows: {}", PROPERTIES.join(", "))),
    )
}

/// What stands between `//` and the next slash.
struct Authority {
    user: Option<String>,
    password: Option<String>,
    host: String,
    port: u16,
}

impl Authority {
    fn parse(text: &str) -> Result<Self> {
        let (login, place) = match text.rsplit_once('@') {
            Some((login, place)) => (Some(login), place),
            None => (None, text),
        };
        let usage = |what: &str| {
            Error::new(
                ErrorKind::Usage,
                format!("{what} in the address of '{place}'"),
            )
            .hint("write redis://HOST:6379/STREAM or rediss://USER:PASSWORD@HOST:6379/STREAM")
        };
        if place.contains(',') {
            return Err(usage("several hosts").hint("redis takes one host: one node, no cluster"));
        }
        let (host, port) = split_port(place);
        if host.is_empty() {
            return Err(usage("no host"));
        }
        let port = match port {
            None => 6379,
            Some(port) => port
                .parse()
                .ok()
                .filter(|&p| p != 0)
                .ok_or_else(|| usage("a port that is no number from 1 to 65535"))?,
        };
        let decode = |part: &str| {
            percent_decode(part).ok_or_else(|| usage("a percent sign that is no escape"))
        };
        let (user, password) = match login.map(|l| l.split_once(':').unwrap_or((l, ""))) {
            None => (None, None),
            Some((user, password)) => (Some(decode(user)?), Some(decode(password)?)),
        };
        Ok(Self {
            user: user.filter(|u| !u.is_empty()),
            password: password.filter(|p| !p.is_empty()),
            host: host.to_owned(),
            port,
        })
    }

    fn shown(&self) -> String {
        if self.host.contains(':') {
            format!("[{}]:{}", self.host, self.port)
        } else {
            format!("{}:{}", self.host, self.port)
        }
    }
}

/// `host:port`, `host`, `[::1]:port`, `[::1]`.
fn split_port(place: &str) -> (&str, Option<&str>) {
    if let Some((host, rest)) = place.strip_prefix('[').and_then(|r| r.split_once(']')) {
        return (host, rest.strip_prefix(':'));
    }
    match place.split_once(':') {
        Some((host, port)) => (host, Some(port)),
        None => (place, None),
    }
}

fn identity(place: &Authority, all: &BTreeMap<&str, &str>) -> Result<(bool, RedisConnectionInfo)> {
    // The library's name would show up in CLIENT LIST: looking leaves no mark.
    let mut info = RedisConnectionInfo::default()
        .set_protocol(ProtocolVersion::RESP2)
        .set_skip_set_lib_name();
    let own = |key: &str, from_address: &Option<String>| {
        all.get(key)
            .map(|v| (*v).to_owned())
            .or_else(|| from_address.clone())
    };
    if let Some(user) = own("username", &place.user) {
        info = info.set_username(user);
    }
    let password = own("password", &place.password);
    let login = password.is_some();
    if let Some(password) = password {
        info = info.set_password(password);
    }
    if let Some(db) = all.get("db") {
        let db = db.parse::<u32>().map_err(|_| {
            Error::new(
                ErrorKind::Usage,
                format!("db is '{db}', not a database number"),
            )
            .hint("Redis numbers its databases from 0: db=2")
        })?;
        info = info.set_db(i64::from(db));
    }
    Ok((login, info))
}

fn client(
    tls: bool,
    place: &Authority,
    info: RedisConnectionInfo,
    all: &BTreeMap<&str, &str>,
) -> Result<Client> {
    let bad = |error: &RedisError| {
        Error::new(ErrorKind::Usage, format!("bad settings for redis: {error}"))
    };
    let address = if tls {
        ConnectionAddr::TcpTls {
            host: place.host.clone(),
            port: place.port,
            insecure: false,
            tls_params: None,
        }
    } else {
        ConnectionAddr::Tcp(place.host.clone(), place.port)
    };
    let full = address
        .into_connection_info()
        .map_err(|e| bad(&e))?
        .set_redis_settings(info);
    if !tls {
        return Client::open(full).map_err(|e| bad(&e));
    }
    // rustls asks the process for its cryptography. Whoever was first decides; either will do.
    drop(rustls::crypto::ring::default_provider().install_default());
    let pem = |key: &str| all.get(key).map(|path| read_pem(key, path)).transpose();
    let client_tls = match (pem("tls.cert")?, pem("tls.key")?) {
        (Some(client_cert), Some(client_key)) => Some(ClientTlsConfig {
            client_cert,
            client_key,
        }),
        (None, None) => None,
        _ => {
            return Err(Error::new(
                ErrorKind::Usage,
                "of tls.cert and tls.key only one is given",
            )
            .hint("a client certificate needs both, or neither"));
        }
    };
    let certificates = TlsCertificates {
        client_tls,
        root_cert: pem("tls.ca")?,
    };
    Client::build_with_tls(full, certificates).map_err(|e| bad(&e))
}

fn read_pem(key: &str, path: &str) -> Result<Vec<u8>> {
    std::fs::read(path).map_err(|error| {
        Error::new(
            ErrorKind::File,
            format!("{key}: cannot read '{path}': {error}"),
        )
        .hint("it names a PEM file")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(text: &str) -> Result<Server> {
        Server::new(&Address::parse(text).unwrap(), &Settings::default())
    }

    #[test]
    fn the_name_holds_no_secret() {
        assert_eq!(server("redis://me:hush@h:1/t").unwrap().name, "redis://h:1");
        assert_eq!(server("rediss://h/t").unwrap().name, "rediss://h:6379");
        assert_eq!(server("redis://[::1]:7/t").unwrap().name, "redis://[::1]:7");
    }

    #[test]
    fn bad_addresses_are_usage_errors() {
        for bad in [
            "redis://h:0/t",
            "redis://h:99999/t",
            "redis://h:x/t",
            "redis://:1/t",
            "redis://a:1,b:2/t",
            "redis://h/t?db=x",
            "redis://h/t?db=-1",
            "redis://h/t?pasword=x",
            "redis://u:%zz@h/t",
            "rediss://h/t?tls.cert=/dev/null",
        ] {
            let error = server(bad)
                .err()
                .unwrap_or_else(|| panic!("{bad} is taken"));
            assert_eq!(error.kind, ErrorKind::Usage, "{bad}: {error}");
        }
        let missing = server("rediss://h/t?tls.ca=/no/such/file").err().unwrap();
        assert_eq!(missing.kind, ErrorKind::File);
    }

    #[test]
    fn properties_override_the_authority() {
        let mut settings = Settings::default();
        settings.properties.insert("password".into(), "b".into());
        settings.properties.insert("linger.ms".into(), "5".into());
        let address = Address::parse("redis://me:a@h/t?db=3&username=you").unwrap();
        let server = Server::new(&address, &settings).unwrap();
        let info = server.client.get_connection_info().redis_settings();
        assert_eq!(info.username(), Some("you"));
        assert_eq!(info.password(), Some("b"));
        assert_eq!(info.db(), 3);
    }
}
