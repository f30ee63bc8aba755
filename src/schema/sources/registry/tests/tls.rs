//! https with certificates made for the test: whom we trust, and who we are.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::thread;

use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::{RootCertStore, ServerConfig, ServerConnection, StreamOwned};

use super::super::*;

const LONG: Duration = Duration::from_secs(20);

/// An authority, with a certificate for localhost that it signed.
struct Made {
    folder: tempfile::TempDir,
}

impl Made {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let write =
            |name: &str, text: String| std::fs::write(folder.path().join(name), text).unwrap();
        write("ca.pem", params.self_signed(&key).unwrap().pem());
        let issuer = Issuer::new(params, key);
        let own = KeyPair::generate().unwrap();
        let params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        write("own.pem", params.signed_by(&own, &issuer).unwrap().pem());
        write("own.key", own.serialize_pem());
        Self { folder }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn chain(&self, name: &str) -> Vec<CertificateDer<'static>> {
        CertificateDer::pem_file_iter(self.path(name))
            .unwrap()
            .map(Result::unwrap)
            .collect()
    }
}

/// Answers each connection with one schema; clients have to show a certificate of that authority.
fn serve(made: &Made, clients: Option<&Made>) -> String {
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(clients) => {
            let mut roots = RootCertStore::empty();
            roots.add_parsable_certificates(clients.chain("ca.pem"));
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::from_pem_file(made.path("own.key")).unwrap();
    let config = Arc::new(
        builder
            .with_single_cert(made.chain("own.pem"), key)
            .unwrap(),
    );
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let serve = move || {
        for stream in listener.incoming().flatten() {
            let connection = ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut tls = StreamOwned::new(connection, stream);
            let mut head = [0; 4096];
            // A handshake that fails is the client's to tell.
            if tls.read(&mut head).is_ok_and(|n| n > 0) {
                let body = r#"{"schema":"\"int\"","subject":"s","version":1}"#;
                let length = body.len();
                let head = format!("HTTP/1.1 200 X\r\nContent-Length: {length}\r\n\r\n");
                drop(tls.write_all(format!("{head}{body}").as_bytes()));
                drop(tls.flush());
            }
        }
    };
    thread::Builder::new().spawn(serve).unwrap();
    format!("https://localhost:{port}")
}

fn settings(ca: Option<&Made>, identity: Option<(&Path, &Path)>) -> Settings {
    Settings {
        ca: ca.map(|made| made.path("ca.pem")),
        certificate: identity.map(|(certificate, _)| certificate.to_owned()),
        key: identity.map(|(_, key)| key.to_owned()),
        ..Settings::default()
    }
}

fn ask(url: &str, settings: &Settings) -> Answer {
    Registry::open(url, settings)
        .unwrap()
        .wait(&SchemaId::Number(1), LONG)
}

#[test]
fn only_the_given_authority_is_trusted() {
    let (ours, theirs) = (Made::new(), Made::new());
    let url = serve(&ours, None);
    assert!(ask(&url, &settings(Some(&ours), None)).known().is_some());
    for wrong in [settings(Some(&theirs), None), settings(None, None)] {
        let answer = ask(&url, &wrong);
        let Answer::Unavailable(why) = answer else {
            panic!("{answer:?}");
        };
        assert!(why.contains("schema.registry.ssl.ca.location"), "{why}");
    }
    // The certificate is for another name.
    let by_number = url.replace("localhost", "127.0.0.1");
    assert!(matches!(
        ask(&by_number, &settings(Some(&ours), None)),
        Answer::Unavailable(_)
    ));
}

#[test]
fn who_has_to_show_a_certificate_does() {
    let (ours, theirs) = (Made::new(), Made::new());
    let url = serve(&ours, Some(&ours));
    let (certificate, key) = (ours.path("own.pem"), ours.path("own.key"));
    let with = settings(Some(&ours), Some((&certificate, &key)));
    assert!(ask(&url, &with).known().is_some());
    let without = settings(Some(&ours), None);
    assert!(matches!(ask(&url, &without), Answer::Unavailable(_)));
    let (certificate, key) = (theirs.path("own.pem"), theirs.path("own.key"));
    let stranger = settings(Some(&ours), Some((&certificate, &key)));
    assert!(matches!(ask(&url, &stranger), Answer::Unavailable(_)));
}

#[test]
fn files_that_are_of_no_use_are_named_before_anything_is_asked() {
    let (ours, theirs) = (Made::new(), Made::new());
    let own = |name: &str| ours.path(name);
    for (settings, said) in [
        (
            settings(None, Some((&own("own.pem"), &theirs.path("own.key")))),
            "own.key",
        ),
        (
            settings(None, Some((&own("own.pem"), &own("own.pem")))),
            "no readable private key",
        ),
        (
            settings(None, Some((&own("own.key"), &own("own.key")))),
            "no readable certificate",
        ),
        (
            settings(None, Some((&own("gone.pem"), &own("own.key")))),
            "gone.pem",
        ),
    ] {
        let error = Registry::open("https://localhost:1", &settings).unwrap_err();
        assert!(error.0.contains(said), "{error}");
        assert!(!error.0.contains("BEGIN"), "{error}");
    }
}
