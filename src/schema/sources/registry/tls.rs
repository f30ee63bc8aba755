//! TLS for registries: whom to trust, and who we are. Files are read here; nothing is connected to.

use ureq::config::ConfigBuilder;
use ureq::typestate::AgentScope;

use super::super::Settings;
use crate::schema::SchemaError;

#[cfg(not(feature = "https"))]
pub(super) fn apply(
    _: ConfigBuilder<AgentScope>,
    _: &Settings,
) -> Result<ConfigBuilder<AgentScope>, SchemaError> {
    Err(SchemaError(
        "this build of evtap has no https for schema registries: build it with the feature https, \
         or give an http:// URL"
            .to_owned(),
    ))
}

#[cfg(feature = "https")]
pub(super) fn apply(
    config: ConfigBuilder<AgentScope>,
    settings: &Settings,
) -> Result<ConfigBuilder<AgentScope>, SchemaError> {
    Ok(config.tls_config(with::config(settings)?))
}

#[cfg(feature = "https")]
mod with {
    use std::path::Path;
    use std::sync::Arc;

    use rustls::crypto::ring::default_provider;
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    use ureq::tls::{Certificate, ClientCert, PrivateKey, RootCerts, TlsConfig, TlsProvider};

    use super::{SchemaError, Settings};

    pub(super) fn config(settings: &Settings) -> Result<TlsConfig, SchemaError> {
        let authorities = match &settings.ca {
            Some(path) => certificates("ssl.ca.location", path)?,
            None => rustls_native_certs::load_native_certs().certs,
        };
        let authorities: Vec<_> = authorities
            .iter()
            .map(|der| Certificate::from_der(der).to_owned())
            .collect();
        let own = match (&settings.certificate, &settings.key) {
            (Some(chain), Some(key)) => Some(identity(chain, key)?),
            _ => None,
        };
        Ok(TlsConfig::builder()
            .provider(TlsProvider::Rustls)
            .unversioned_rustls_crypto_provider(Arc::new(default_provider()))
            .root_certs(RootCerts::new_with_certs(&authorities))
            .client_cert(own)
            .build())
    }

    /// Checked as rustls checks it: ureq takes it for granted, and panics.
    fn identity(chain_path: &Path, key_path: &Path) -> Result<ClientCert, SchemaError> {
        let chain = certificates("ssl.certificate.location", chain_path)?;
        let pem = read("ssl.key.location", key_path)?;
        let key = PrivateKeyDer::from_pem_slice(&pem).map_err(|_| {
            let why = "it holds no readable private key (encrypted ones are not read)";
            about("ssl.key.location", key_path, why)
        })?;
        rustls::ClientConfig::builder_with_provider(Arc::new(default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder
                    .with_root_certificates(rustls::RootCertStore::empty())
                    .with_client_auth_cert(chain.clone(), key.clone_key())
            })
            .map_err(|error| {
                let why = format!("the client's certificate and this key cannot be used: {error}");
                about("ssl.key.location", key_path, &why)
            })?;
        let chain: Vec<_> = chain
            .iter()
            .map(|der| Certificate::from_der(der).to_owned())
            .collect();
        let key = PrivateKey::from_pem(&pem)
            .map_err(|_| about("ssl.key.location", key_path, "it holds no private key"))?;
        Ok(ClientCert::new_with_certs(&chain, key))
    }

    fn certificates(
        property: &str,
        path: &Path,
    ) -> Result<Vec<CertificateDer<'static>>, SchemaError> {
        let pem = read(property, path)?;
        let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
        match found {
            Ok(found) if !found.is_empty() => Ok(found),
            _ => Err(about(property, path, "it holds no readable certificate")),
        }
    }

    fn read(property: &str, path: &Path) -> Result<Vec<u8>, SchemaError> {
        std::fs::read(path)
            .map_err(|error| about(property, path, &format!("it cannot be read: {error}")))
    }

    fn about(property: &str, path: &Path, why: &str) -> SchemaError {
        let path = path.display();
        SchemaError(format!(
            "schema.registry.{property}, {path}: {why}; it names a PEM file"
        ))
    }
}
