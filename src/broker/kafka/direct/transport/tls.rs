//! The TLS handshake, and what went wrong with it in words that say what to do.

use std::io;
use std::sync::Arc;

use rdkafka::types::RDKafkaErrorCode as Code;
use rustls::pki_types::ServerName;
use rustls::{AlertDescription, CertificateError, ClientConfig, Error, OtherError};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::super::super::error::Failure;
use super::super::settings::Host;
use super::bare;

const NO_TLS: &str =
    "the listener does not speak TLS, or not this kind: try another port or security.protocol";
const CA: &str = "give the CA that signed the broker's certificate: -X ssl.ca.location=FILE";
const CLIENT: &str =
    "give one that the broker trusts: -X ssl.certificate.location=FILE -X ssl.key.location=FILE";
const NAMES: &str = "use a name that the certificate is for, or leave names unchecked: \
                     -X ssl.endpoint.identification.algorithm=none";
const CLOCK: &str = "it has to be renewed, unless this machine's clock is wrong";
const OPENSSL: &str = "-X evtap.reader=rdkafka lets OpenSSL check it, which takes more";

pub(super) async fn shake_hands(
    config: &Arc<ClientConfig>,
    host: &Host,
    stream: TcpStream,
) -> Result<TlsStream<TcpStream>, Failure> {
    let name = ServerName::try_from(host.name.clone())
        .map_err(|_| Failure::new(Code::SSL, format!("'{}' is no name for TLS", host.name)))?;
    let shaken = TlsConnector::from(Arc::clone(config)).connect(name, stream);
    shaken.await.map_err(|error| {
        failure(&error).unwrap_or_else(|| {
            // Who meets a greeting that it does not understand hangs up.
            let said = match error.kind() {
                io::ErrorKind::UnexpectedEof => "the other side hung up".to_owned(),
                _ => bare(&error),
            };
            Failure::new(Code::SSL, format!("TLS handshake: {said}")).hint(NO_TLS)
        })
    })
}

/// The failure for an error of TLS; `None` for one of the socket.
pub(super) fn failure(error: &io::Error) -> Option<Failure> {
    let error = error.get_ref()?.downcast_ref::<Error>()?;
    let (text, hint) = match error {
        Error::InvalidCertificate(what) => certificate(what),
        Error::AlertReceived(alert) => alert_received(*alert),
        Error::InvalidMessage(_) => ("what answers is no TLS".to_owned(), NO_TLS),
        other => (format!("TLS: {other}"), NO_TLS),
    };
    Some(Failure::new(Code::SSL, text).hint(hint))
}

fn certificate(what: &CertificateError) -> (String, &'static str) {
    match what {
        CertificateError::UnknownIssuer => (
            "the broker's certificate is signed by nobody whom we trust".to_owned(),
            CA,
        ),
        // As after a test cluster made its authority anew.
        CertificateError::BadSignature => (
            "the broker's certificate is signed by another authority of the name of ours"
                .to_owned(),
            CA,
        ),
        CertificateError::NotValidForName => (
            "the broker's certificate is for another name".to_owned(),
            NAMES,
        ),
        CertificateError::NotValidForNameContext {
            expected,
            presented,
        } => {
            let ours = expected.to_str();
            if presented.is_empty() {
                let text = format!("the broker's certificate has no subjectAltName ({ours})");
                return (text, OPENSSL);
            }
            let theirs: Vec<&str> = presented.iter().map(|name| inner(name)).collect();
            let theirs = theirs.join(", ");
            (
                format!("the broker's certificate is for {theirs}, not for {ours}"),
                NAMES,
            )
        }
        CertificateError::Expired | CertificateError::ExpiredContext { .. } => {
            ("the broker's certificate has expired".to_owned(), CLOCK)
        }
        CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => (
            "the broker's certificate is not valid yet".to_owned(),
            CLOCK,
        ),
        CertificateError::Other(OtherError(other)) => {
            (format!("the broker's certificate: {other}"), OPENSSL)
        }
        other => (format!("the broker's certificate: {other}"), OPENSSL),
    }
}

/// `h` of `DnsName("h")`.
fn inner(name: &str) -> &str {
    name.split_once('(')
        .and_then(|(_, rest)| rest.strip_suffix(')'))
        .map_or(name, |rest| rest.trim_matches('"'))
}

fn alert_received(alert: AlertDescription) -> (String, &'static str) {
    match alert {
        // Old ones say of a certificate that is missing that it is bad.
        AlertDescription::CertificateRequired
        | AlertDescription::BadCertificate
        | AlertDescription::NoCertificate => (
            "the broker wants a client certificate that it trusts".to_owned(),
            CLIENT,
        ),
        AlertDescription::UnknownCA
        | AlertDescription::CertificateUnknown
        | AlertDescription::CertificateExpired
        | AlertDescription::CertificateRevoked
        | AlertDescription::UnsupportedCertificate
        | AlertDescription::DecryptError
        | AlertDescription::AccessDenied => (
            format!("the broker refuses the client certificate ({alert:?})"),
            CLIENT,
        ),
        AlertDescription::HandshakeFailure | AlertDescription::ProtocolVersion => (
            format!("the broker ends the TLS handshake ({alert:?})"),
            "it may want a client certificate (ssl.certificate.location), or speak only old TLS \
             (-X evtap.reader=rdkafka knows more of it)",
        ),
        other => (
            format!("the broker ends the connection ({other:?})"),
            NO_TLS,
        ),
    }
}
