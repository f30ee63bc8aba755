//! What Redis and the way to it can answer with, in the words of the adapter layer.

use redis::{ErrorKind as Kind, RedisError, ServerErrorKind};

use super::connect::Server;
use crate::broker::{Error, ErrorKind};

/// True when the same question may be asked again on a new connection: the line broke, or the
/// server is starting.
pub(super) fn is_passing(error: &RedisError) -> bool {
    match error.kind() {
        // A reply that breaks off in the middle shows as one that does not parse.
        Kind::Io | Kind::Parse => !is_certificate(error),
        Kind::Server(kind) => matches!(
            kind,
            ServerErrorKind::BusyLoading | ServerErrorKind::MasterDown | ServerErrorKind::TryAgain
        ),
        // A blocked question is thrown out when the server becomes a replica.
        _ => error.code() == Some("UNBLOCKED"),
    }
}

fn is_certificate(error: &RedisError) -> bool {
    let text = error.to_string();
    text.contains("certificate") || text.contains("TLS") || text.contains("corrupt message")
}

/// `doing` is what failed, as a verb that takes the server's name: "list the streams of".
pub(super) fn explain(server: &Server, doing: &str, error: &RedisError) -> Error {
    let head = format!("failed to {doing} {}", server.name);
    let code = error.code().unwrap_or_default();
    let said = said(error);
    match (error.kind(), code) {
        (Kind::AuthenticationFailed, _) | (_, "WRONGPASS" | "NOAUTH") => {
            let hint = if server.login {
                "check the user name and the password (properties username and password)"
            } else {
                "it wants a login: redis://USER:PASSWORD@HOST/STREAM, or -X password=…"
            };
            Error::new(ErrorKind::Authentication, format!("{head}: {said}")).hint(hint)
        }
        (_, "NOPERM") => Error::new(ErrorKind::Authorization, format!("{head}: {said}"))
            .hint("reading needs the ACL rules +@stream +@read +scan +ping +select on the keys"),
        (_, "DENIED") => Error::new(ErrorKind::Authorization, format!("{head}: {said}"))
            .hint("the server is in protected mode: it answers only its own host"),
        (_, "WRONGTYPE") => Error::new(ErrorKind::Usage, format!("{head}: the key is no stream"))
            .hint("evtap reads streams only; `evtap topics` lists them"),
        (_, "MOVED" | "ASK" | "CROSSSLOT" | "CLUSTERDOWN") => {
            Error::new(ErrorKind::Unsupported, format!("{head}: {code} {said}"))
                .hint("this is a node of a cluster: connect to the node that holds the stream")
        }
        (_, "LOADING" | "MASTERDOWN") => {
            Error::new(ErrorKind::Unreachable, format!("{head}: {said}"))
                .hint("the server is starting: try again in a moment")
        }
        (_, "READONLY") => Error::new(ErrorKind::Authorization, format!("{head}: {said}"))
            .hint("this is a read-only replica: write to its master"),
        (Kind::Io | Kind::Parse | Kind::Client | Kind::InvalidClientConfig, _) => Error::new(
            ErrorKind::Unreachable,
            format!("{head}: {}", network(error)),
        )
        .hint(network_hint(server, error)),
        _ if said.contains("switch database") || said.contains("DB index") => {
            Error::new(ErrorKind::Usage, format!("{head}: {said}"))
                .hint("the property db names a database that the server has, from 0")
        }
        _ => Error::new(ErrorKind::Broker, format!("{head}: {code} {said}")),
    }
}

/// The server's own words where there are some.
fn said(error: &RedisError) -> String {
    match error.detail() {
        Some(detail) if error.code().is_some() => detail.to_owned(),
        _ => error.to_string(),
    }
}

fn network(error: &RedisError) -> String {
    if error.is_timeout() {
        "no answer in time".to_owned()
    } else if error.is_connection_refusal() {
        "nobody listens there (connection refused)".to_owned()
    } else if error.kind() == Kind::Parse {
        "the answer is not Redis's protocol, or broke off".to_owned()
    } else {
        error.to_string()
    }
}

fn network_hint(server: &Server, error: &RedisError) -> &'static str {
    if server.tls && is_certificate(error) {
        "TLS failed: name the authority with -X tls.ca=FILE, or use redis:// if the port has no TLS"
    } else if server.tls {
        "is the server up, and does this port speak TLS (rediss://)? a plain one is redis://"
    } else if error.is_connection_refusal() {
        "is the server up, and is the port right? Redis's own is 6379"
    } else {
        "is the host right, and the port one of Redis? a port with TLS is rediss://"
    }
}
