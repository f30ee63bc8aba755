//! The address of a registry, split into what may be shown and what may not.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};

use super::super::{Settings, uri};
use crate::schema::SchemaError;

/// A registry's URL without its login, and the login.
pub(super) struct Base {
    /// `http://host:port/path`, without a slash at the end.
    pub(super) url: String,
    /// `scheme://host:port`
    pub(super) root: String,
    /// The value of the header `Authorization`.
    pub(super) authorization: Option<SecretString>,
    /// Texts that must never be shown, also not where the registry says them.
    secrets: Vec<SecretString>,
}

impl Base {
    /// Reads the URL. A login in it wins over the settings' own.
    pub(super) fn parse(text: &str, settings: &Settings) -> Result<Self, SchemaError> {
        let (scheme, rest) = text.split_once("://").unwrap_or(("", text));
        if !matches!(scheme, "http" | "https") {
            return Err(refused("it begins with neither http:// nor https://"));
        }
        if rest.contains(['?', '#']) {
            return Err(refused("it has a ? or #, which no registry's URL has"));
        }
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let (login, host) = match authority.rsplit_once('@') {
            Some((login, host)) => (Some(login), host),
            None => (None, authority),
        };
        if host.is_empty()
            || host.contains(|c: char| c.is_whitespace() || c == ',' || c.is_control())
        {
            return Err(refused("it names no host, or more than one"));
        }
        if path.contains(|c: char| c.is_whitespace() || c.is_control()) {
            return Err(refused("its path has white space"));
        }
        let root = format!("{scheme}://{host}");
        let mut base = Self {
            url: format!("{root}{}", path.trim_end_matches('/')),
            root,
            authorization: None,
            secrets: Vec::new(),
        };
        let decode = |login| {
            uri::percent_decode(login).ok_or_else(|| refused("its login has a % that is no escape"))
        };
        let login = login.map(decode).transpose()?;
        let basic = login
            .as_deref()
            .or(settings.basic.as_ref().map(ExposeSecret::expose_secret));
        if let Some(basic) = basic {
            base.log_in("Basic", &STANDARD.encode(basic));
            let password = basic.split_once(':').map_or("", |(_, password)| password);
            base.hide(password);
            base.hide(basic);
        } else if let Some(token) = &settings.bearer {
            base.log_in("Bearer", token.expose_secret().trim());
        }
        Ok(base)
    }

    fn log_in(&mut self, scheme: &str, value: &str) {
        self.authorization = Some(format!("{scheme} {value}").into());
        self.hide(value);
    }

    fn hide(&mut self, secret: &str) {
        // What is shorter hides nothing and would tear words apart.
        if secret.len() >= 4 {
            self.secrets.push(secret.into());
        }
    }

    /// A text from outside without our secrets.
    pub(super) fn redact(&self, text: &str) -> String {
        let mut text = text.to_owned();
        for secret in &self.secrets {
            text = text.replace(secret.expose_secret(), "***");
        }
        text
    }

    pub(super) fn is_https(&self) -> bool {
        self.root.starts_with("https:")
    }

    /// True where the registry is on this machine: made and thrown away from day to day, with the
    /// same numbers for other schemas.
    pub(super) fn is_local(&self) -> bool {
        let host = self.root.split_once("://").map_or("", |(_, host)| host);
        let name = match host.strip_prefix('[') {
            Some(v6) => v6.split(']').next().unwrap_or(v6),
            None => host.split(':').next().unwrap_or(host),
        };
        name == "localhost" || name == "::1" || name.starts_with("127.")
    }

    /// Where Apicurio's own API is, if this is its Confluent one.
    pub(super) fn apicurio(&self) -> Option<String> {
        let at = self.url.find("/apis/ccompat/")?;
        Some(format!("{}/apis/registry/v3", &self.url[..at]))
    }
}

fn refused(why: &str) -> SchemaError {
    SchemaError(format!(
        "this is no URL of a schema registry: {why}; write http://HOST:PORT, with a path where it has one"
    ))
}

/// A subject or id as one segment of a path.
pub(super) fn segment(text: &str) -> String {
    let out = uri::percent_encode(text, "-._~");
    // Dots alone would be taken as a way through the path.
    if out.bytes().all(|b| b == b'.') {
        return out.replace('.', "%2E");
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(url: &str) -> Result<Base, SchemaError> {
        Base::parse(url, &Settings::default())
    }

    #[test]
    fn the_login_is_taken_out_and_decoded() {
        let base = parse("https://me:c%40nary@h:1/apis/ccompat/v7/").unwrap();
        assert_eq!(base.url, "https://h:1/apis/ccompat/v7");
        assert_eq!(base.root, "https://h:1");
        let header = base.authorization.as_ref().unwrap().expose_secret();
        assert_eq!(header, format!("Basic {}", STANDARD.encode("me:c@nary")));
        assert_eq!(base.redact("no c@nary here"), "no *** here");
        assert_eq!(base.apicurio().unwrap(), "https://h:1/apis/registry/v3");
        assert!(base.is_https() && !base.is_local());
        assert!(parse("http://localhost:8081").unwrap().is_local());
        assert!(parse("http://[::1]:8081").unwrap().is_local());
    }

    #[test]
    fn what_is_no_url_is_refused_without_showing_it() {
        for bad in [
            "ftp://me:canary@h",
            "http://me:canary@",
            "http://me:canary@h?x=y",
            "http://a:1,b:canary",
            "http://me:canary%zz@h",
            "http://h/canary canary",
        ] {
            let error = parse(bad).err().unwrap();
            assert!(!error.0.contains("canary"), "{error}");
        }
    }

    #[test]
    fn a_subject_is_one_segment() {
        for (subject, path) in [
            ("orders-value", "orders-value"),
            (":.ctx:a/b", "%3A.ctx%3Aa%2Fb"),
            ("..", "%2E%2E"),
            ("é", "%C3%A9"),
        ] {
            assert_eq!(segment(subject), path);
        }
    }
}
