//! TLS with certificates made for the test, and servers that speak something else.

use std::collections::BTreeMap;

use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, date_time_ymd};
use rustls::crypto::ring::default_provider;
use rustls::pki_types::PrivateKeyDer;
use rustls::server::WebPkiClientVerifier;
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedProtocolVersion};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::super::fixture::refusing;
use super::*;
use crate::broker::ErrorKind;
use crate::broker::kafka::properties::Properties;

/// An authority of this test alone.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate and its key.
struct Signed {
    pem: String,
    der: Vec<u8>,
    key: KeyPair,
}

fn authority(name: &str) -> Authority {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.distinguished_name.push(DnType::CommonName, name);
    let key = KeyPair::generate().unwrap();
    let pem = params.self_signed(&key).unwrap().pem();
    Authority {
        issuer: Issuer::new(params, key),
        pem,
    }
}

impl Authority {
    fn sign(&self, params: &CertificateParams) -> Signed {
        let key = KeyPair::generate().unwrap();
        let signed = params.signed_by(&key, &self.issuer).unwrap();
        Signed {
            pem: signed.pem(),
            der: signed.der().to_vec(),
            key,
        }
    }
}

fn names(names: &[&str]) -> CertificateParams {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    CertificateParams::new(names).unwrap()
}

/// A server that answers each byte with itself.
async fn serve(
    signed: &Signed,
    clients: Option<&Authority>,
    version: &'static SupportedProtocolVersion,
) -> u16 {
    let provider = Arc::new(default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(&[version])
        .unwrap();
    let builder = match clients {
        None => builder.with_no_client_auth(),
        Some(authority) => {
            let mut roots = RootCertStore::empty();
            roots.add(pem_der(&authority.pem)).unwrap();
            let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider);
            builder.with_client_cert_verifier(verifier.build().unwrap())
        }
    };
    let key = PrivateKeyDer::try_from(signed.key.serialize_der()).unwrap();
    let config = builder
        .with_single_cert(vec![signed.der.clone().into()], key)
        .unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            if let Ok(mut stream) = acceptor.accept(stream).await
                && let Ok(byte) = stream.read_u8().await
            {
                stream.write_u8(byte).await.unwrap();
                stream.flush().await.unwrap();
            }
        }
    });
    port
}

fn pem_der(pem: &str) -> rustls::pki_types::CertificateDer<'static> {
    rustls::pki_types::pem::PemObject::from_pem_slice(pem.as_bytes()).unwrap()
}

/// A server that speaks something else: it says these words and hangs up.
async fn serve_words(words: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut greeting = [0; 64];
        assert!(stream.read(&mut greeting).await.unwrap() > 0);
        stream.write_all(words).await.unwrap();
    });
    port
}

fn settings(pairs: &[(&str, &str)]) -> Settings {
    let mut given: BTreeMap<_, _> = pairs
        .iter()
        .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
        .collect();
    given.insert("security.protocol".into(), "ssl".into());
    match Settings::of(&Properties::new("h:1", given).unwrap()).unwrap() {
        Ok(settings) => settings,
        Err(unable) => panic!("{}", unable.0),
    }
}

/// Connects and has a byte sent back.
async fn reach(port: u16, name: &str, pairs: &[(&str, &str)]) -> Result<(), Failure> {
    let host = Host {
        name: name.to_owned(),
        port,
    };
    let mut stream = connect(&settings(pairs), &host).await?;
    let echoed = async {
        stream.write_u8(7).await?;
        stream.flush().await?;
        stream.read_u8().await
    };
    let byte = echoed.await.map_err(|e| broken(&e))?;
    assert_eq!(byte, 7);
    Ok(())
}

/// The failure, which has to say these words and to hint at those.
async fn refused(port: u16, name: &str, pairs: &[(&str, &str)], words: &str, hint: &str) {
    let failure = reach(port, name, pairs).await.unwrap_err();
    assert!(failure.text.contains(words), "{words}: {}", failure.text);
    let error = failure.into_contact_error("h:1");
    assert_eq!(error.kind, ErrorKind::Unreachable, "{error}");
    let found = error.hint.unwrap();
    assert!(found.contains(hint), "{words}: {found}");
}

#[tokio::test]
async fn a_certificate_of_the_right_authority_and_name_is_trusted() {
    let authority = authority("ours");
    let signed = authority.sign(&names(&["localhost", "127.0.0.1"]));
    let ca = ("ssl.ca.pem", authority.pem.as_str());
    for version in [&TLS12, &TLS13] {
        let port = serve(&signed, None, version).await;
        for name in ["localhost", "127.0.0.1"] {
            reach(port, name, &[ca]).await.unwrap();
        }
    }
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_told() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let ca = ("ssl.ca.pem", ours.pem.as_str());
    let good = ours.sign(&names(&["localhost"]));
    let port = serve(&good, None, &TLS13).await;
    let stranger = ("ssl.ca.pem", theirs.pem.as_str());
    refused(
        port,
        "localhost",
        &[stranger],
        "nobody whom we trust",
        "ssl.ca.location=FILE",
    )
    .await;
    refused(
        port,
        "localhost",
        &[],
        "nobody whom we trust",
        "ssl.ca.location=FILE",
    )
    .await;
    refused(
        port,
        "127.0.0.1",
        &[ca],
        "is for localhost, not for 127.0.0.1",
        "ssl.endpoint.identification.algorithm=none",
    )
    .await;

    let again = authority("ours");
    let namesake = ("ssl.ca.pem", again.pem.as_str());
    refused(
        port,
        "localhost",
        &[namesake],
        "another authority of the name",
        "ssl.ca.location=FILE",
    )
    .await;

    let nameless = serve(&ours.sign(&names(&[])), None, &TLS13).await;
    refused(
        nameless,
        "localhost",
        &[ca],
        "subjectAltName",
        "evtap.reader=rdkafka",
    )
    .await;

    let mut old = names(&["localhost"]);
    (old.not_before, old.not_after) = (date_time_ymd(2001, 1, 1), date_time_ymd(2002, 1, 1));
    let expired = serve(&ours.sign(&old), None, &TLS13).await;
    refused(expired, "localhost", &[ca], "has expired", "clock").await;

    let mut young = names(&["localhost"]);
    (young.not_before, young.not_after) = (date_time_ymd(3001, 1, 1), date_time_ymd(3002, 1, 1));
    let early = serve(&ours.sign(&young), None, &TLS13).await;
    refused(early, "localhost", &[ca], "not valid yet", "clock").await;

    // One that signed itself and says that it is an authority: OpenSSL takes it.
    let mut own = names(&["localhost"]);
    own.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let key = KeyPair::generate().unwrap();
    let cert = own.self_signed(&key).unwrap();
    let (pem, der) = (cert.pem(), cert.der().to_vec());
    let itself = ("ssl.ca.pem", pem.as_str());
    let signed = Signed {
        pem: pem.clone(),
        der,
        key,
    };
    let port = serve(&signed, None, &TLS13).await;
    refused(
        port,
        "localhost",
        &[itself],
        "certificate",
        "evtap.reader=rdkafka",
    )
    .await;
}

#[tokio::test]
async fn only_what_the_user_gives_up_is_not_checked() {
    let (ours, theirs) = (authority("ours"), authority("theirs"));
    let port = serve(&ours.sign(&names(&["elsewhere"])), None, &TLS13).await;
    let any_name = ("ssl.endpoint.identification.algorithm", "none");
    reach(port, "localhost", &[("ssl.ca.pem", &ours.pem), any_name])
        .await
        .unwrap();
    let stranger = ("ssl.ca.pem", theirs.pem.as_str());
    refused(
        port,
        "localhost",
        &[stranger, any_name],
        "nobody whom we trust",
        "ssl.ca",
    )
    .await;
    let unchecked = ("enable.ssl.certificate.verification", "false");
    reach(port, "localhost", &[unchecked]).await.unwrap();
}

#[tokio::test]
async fn a_client_certificate_is_shown_and_missed() {
    let authority = authority("ours");
    let server = authority.sign(&names(&["localhost"]));
    let client = authority.sign(&names(&["me"]));
    let stranger = self::authority("theirs").sign(&names(&["me"]));
    let ca = ("ssl.ca.pem", authority.pem.as_str());
    for version in [&TLS12, &TLS13] {
        let port = serve(&server, Some(&authority), version).await;
        let key = client.key.serialize_pem();
        let cert = ("ssl.certificate.pem", client.pem.as_str());
        reach(port, "localhost", &[ca, cert, ("ssl.key.pem", &key)])
            .await
            .unwrap();
        refused(
            port,
            "localhost",
            &[ca],
            "client certificate",
            "ssl.certificate.location",
        )
        .await;
        let key = stranger.key.serialize_pem();
        let cert = ("ssl.certificate.pem", stranger.pem.as_str());
        let unknown = [ca, cert, ("ssl.key.pem", key.as_str())];
        refused(
            port,
            "localhost",
            &unknown,
            "certificate",
            "ssl.certificate.location",
        )
        .await;
    }
}

#[tokio::test]
async fn who_speaks_no_tls_is_known_at_once() {
    for words in [
        &b""[..],
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"\0\0\0\x0a\0\0\0\x01",
    ] {
        let port = serve_words(words).await;
        refused(port, "localhost", &[], "", "does not speak TLS").await;
    }
}

#[tokio::test]
async fn a_host_without_an_address_of_the_family_is_not_resolved() {
    let v6 = ("broker.address.family", "v6");
    let failure = reach(1, "127.0.0.1", &[v6]).await.unwrap_err();
    assert_eq!(failure.code, Code::Resolve, "{}", failure.text);
    let failure = reach(1, "no-such-host.invalid", &[]).await.unwrap_err();
    assert_eq!(failure.code, Code::Resolve, "{}", failure.text);
    assert!(
        failure
            .text
            .starts_with("Failed to resolve 'no-such-host.invalid:1': ")
    );
}

#[tokio::test]
async fn the_second_address_is_tried_when_the_first_refuses() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = Host {
        name: "localhost".into(),
        port: listener.local_addr().unwrap().port(),
    };
    // On most machines the first address of localhost is ::1, where nobody listens.
    tcp::connect(Socket::default(), &host, Duration::from_secs(5))
        .await
        .unwrap();
    let (_gone, address) = refusing();
    let host = Host {
        port: address.port(),
        ..host
    };
    let failure = tcp::connect(Socket::default(), &host, Duration::from_mins(1)).await;
    let failure = failure.err().unwrap();
    assert!(
        failure.text.starts_with("Connect to ipv"),
        "{}",
        failure.text
    );
    assert!(
        failure.text.ends_with(" failed: Connection refused"),
        "{}",
        failure.text
    );
}
