//! TLS as the properties ask for it: whom to trust, and who we are. Files are read here; nothing
//! is connected to.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::ClientConfig;
use rustls::InconsistentKeys;
use rustls::RootCertStore;
use rustls::client::ResolvesClientCert;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring::default_provider;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::sign::{CertifiedKey, SingleCertAndKey};

use super::super::transport::Lenient;
use super::{Unable, Values};
use crate::broker::{Error, ErrorKind, Result};

/// For connections to brokers.
pub(super) fn of_brokers(values: &Values<'_>) -> Result<Result<Arc<ClientConfig>, Unable>> {
    let identity = match identity(values)? {
        Ok(identity) => identity,
        Err(unable) => return Ok(Err(unable)),
    };
    let trust = if values.flag("enable.ssl.certificate.verification")? {
        let roots = roots(values, "ssl.ca.location", "ssl.ca.pem")?;
        match values
            .text("ssl.endpoint.identification.algorithm")?
            .as_str()
        {
            "none" => Trust::AnyName(roots),
            _ => Trust::Roots(roots),
        }
    } else {
        Trust::Everybody
    };
    config(trust, identity).map(Ok)
}

/// For a token endpoint.
pub(super) fn of_endpoint(values: &Values<'_>) -> Result<Arc<ClientConfig>> {
    let roots = roots(values, "https.ca.location", "https.ca.pem")?;
    config(Trust::Roots(roots), None)
}

/// Whose word is taken for who the other side is.
enum Trust {
    Roots(RootCertStore),
    /// Signed by one of these, whatever the name.
    AnyName(RootCertStore),
    /// The user wants no check at all.
    Everybody,
}

/// Our own certificate with those that sign it, and its key.
type Identity = (Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

fn config(trust: Trust, identity: Option<Identity>) -> Result<Arc<ClientConfig>> {
    let provider = Arc::new(default_provider());
    let builder = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()
        .map_err(|e| Error::new(ErrorKind::Usage, format!("TLS: {e}")))?;
    let builder = match trust {
        Trust::Roots(roots) => builder.with_root_certificates(roots),
        Trust::AnyName(roots) => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Lenient::any_name(roots, &provider))),
        Trust::Everybody => builder
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(Lenient::everybody(&provider))),
    };
    let config = match identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder.with_client_cert_resolver(resolver(identity, &provider)?),
    };
    Ok(Arc::new(config))
}

/// rustls's own would read our certificate, and refuse the first version of X.509, which
/// `openssl x509 -req` still makes and brokers still take.
fn resolver(
    (chain, key): Identity,
    provider: &CryptoProvider,
) -> Result<Arc<dyn ResolvesClientCert>> {
    let unusable = |e| {
        Error::new(
            ErrorKind::Usage,
            format!("the client's certificate and key cannot be used: {e}"),
        )
        .hint("is ssl.key.location the key of the certificate in ssl.certificate.location?")
    };
    let key = provider
        .key_provider
        .load_private_key(key)
        .map_err(unusable)?;
    let both = CertifiedKey::new(chain, key);
    if let Err(e @ rustls::Error::InconsistentKeys(InconsistentKeys::KeyMismatch)) =
        both.keys_match()
    {
        return Err(unusable(e));
    }
    Ok(Arc::new(SingleCertAndKey::from(both)))
}

/// The authorities of a file, a directory or a text; else the system's.
fn roots(values: &Values<'_>, location: &str, pem: &str) -> Result<RootCertStore> {
    let mut found = Vec::new();
    match (values.given(location), values.given(pem)) {
        (None | Some("probe"), None) => {
            found = rustls_native_certs::load_native_certs().certs;
        }
        (path, text) => {
            if let Some(text) = text {
                found.extend(certificates(pem, text.as_bytes())?);
            }
            if let Some(path) = path.filter(|path| *path != "probe") {
                found.extend(at_location(location, Path::new(path))?);
            }
        }
    }
    let mut roots = RootCertStore::empty();
    // The system's store may hold old ones that cannot be read: the rest still counts.
    roots.add_parsable_certificates(found);
    Ok(roots)
}

fn at_location(property: &str, path: &Path) -> Result<Vec<CertificateDer<'static>>> {
    if !path.is_dir() {
        return certificates(property, &read(property, path)?);
    }
    let mut found = Vec::new();
    let unreadable = |e| unreadable(property, path, &e);
    for entry in fs::read_dir(path).map_err(unreadable)? {
        let file = entry.map_err(unreadable)?.path();
        // Such directories hold other files too, and each certificate under two names.
        if let Ok(bytes) = fs::read(&file)
            && let Ok(some) = certificates(property, &bytes)
        {
            found.extend(
                some.into_iter()
                    .filter(|one| !found.contains(one))
                    .collect::<Vec<_>>(),
            );
        }
    }
    if found.is_empty() {
        return Err(nothing_in(property, "certificate"));
    }
    Ok(found)
}

fn certificates(property: &str, pem: &[u8]) -> Result<Vec<CertificateDer<'static>>> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<std::result::Result<_, _>>()
        .map_err(|_| nothing_in(property, "readable certificate"))?;
    if found.is_empty() {
        return Err(nothing_in(property, "certificate"));
    }
    Ok(found)
}

fn identity(values: &Values<'_>) -> Result<Result<Option<Identity>, Unable>> {
    let chain = pem(values, "ssl.certificate.location", "ssl.certificate.pem")?;
    let key = pem(values, "ssl.key.location", "ssl.key.pem")?;
    let ((cert_property, chain), (key_property, key)) = match (chain, key) {
        (None, None) => return Ok(Ok(None)),
        (Some(chain), Some(key)) => (chain, key),
        _ => {
            return Err(Error::new(
                ErrorKind::Usage,
                "of the client's certificate and key only one is given",
            )
            .hint("give both: -X ssl.certificate.location=FILE -X ssl.key.location=FILE"));
        }
    };
    let chain = certificates(cert_property, &chain)?;
    if memchr::memmem::find(&key, b"ENCRYPTED").is_some() {
        return Ok(Err(Unable::value(key_property)));
    }
    let key = PrivateKeyDer::from_pem_slice(&key).map_err(|_| nothing_in(key_property, "key"))?;
    Ok(Ok(Some((chain, key))))
}

/// The PEM text of a file or of a property, with the property that names it.
fn pem<'n>(
    values: &Values<'_>,
    location: &'n str,
    text: &'n str,
) -> Result<Option<(&'n str, Vec<u8>)>> {
    if let Some(text_of) = values.given(text) {
        return Ok(Some((text, text_of.as_bytes().to_vec())));
    }
    match values.given(location) {
        Some(path) => Ok(Some((location, read(location, Path::new(path))?))),
        None => Ok(None),
    }
}

fn read(property: &str, path: &Path) -> Result<Vec<u8>> {
    fs::read(path).map_err(|e| unreadable(property, path, &e))
}

fn unreadable(property: &str, path: &Path, error: &std::io::Error) -> Error {
    let message = format!("{property}: cannot read {}: {error}", path.display());
    Error::new(ErrorKind::Usage, message).hint("it names a PEM file")
}

fn nothing_in(property: &str, what: &str) -> Error {
    let message = format!("the property '{property}' gives no {what}");
    Error::new(ErrorKind::Usage, message)
        .hint("PEM is wanted: -----BEGIN CERTIFICATE----- or -----BEGIN PRIVATE KEY-----")
}
