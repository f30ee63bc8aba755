//! Tokens that nobody signed, made here from `sasl.oauthbearer.config`: for clusters of
//! developers, whose brokers believe anything.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value, json};

use super::oauth::is_extension;
use crate::event::Timestamp;

/// What such a token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Unsecured {
    principal_claim: String,
    principal: String,
    scope_claim: String,
    scope: Vec<String>,
    life_seconds: u32,
    pub(in super::super) extensions: Vec<(String, String)>,
}

impl Unsecured {
    /// Reads `principal=… scope=a,b lifeSeconds=… extension_NAME=…`; the error says what is wrong
    /// without repeating values.
    pub(in super::super) fn parse(config: &str) -> Result<Self, String> {
        let mut read = Self {
            principal_claim: "sub".into(),
            principal: String::new(),
            scope_claim: "scope".into(),
            scope: Vec::new(),
            life_seconds: 3600,
            extensions: Vec::new(),
        };
        for pair in config.split(' ').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair
                .split_once('=')
                .ok_or("it is made of NAME=VALUE with spaces between")?;
            match name {
                "principalClaimName" => value.clone_into(&mut read.principal_claim),
                "principal" => value.clone_into(&mut read.principal),
                "scopeClaimName" => value.clone_into(&mut read.scope_claim),
                "scope" => {
                    let scope = value.split(',').filter(|one| !one.is_empty());
                    read.scope = scope.map(str::to_owned).collect();
                }
                "lifeSeconds" => {
                    let seconds = value
                        .parse()
                        .ok()
                        .filter(|&s| s > 0 && i32::try_from(s).is_ok());
                    read.life_seconds = seconds.ok_or("lifeSeconds is no number above 0")?;
                }
                _ => match name.strip_prefix("extension_") {
                    Some(name) if is_extension(name, value) => {
                        read.extensions.push((name.to_owned(), value.to_owned()));
                    }
                    Some(name) => return Err(format!("the extension '{name}' cannot be sent")),
                    None => return Err(format!("it knows no '{name}'")),
                },
            }
        }
        if read.principal.is_empty() || read.principal_claim.is_empty() {
            return Err("principal= is missing".into());
        }
        Ok(read)
    }

    pub(super) fn token(&self) -> String {
        self.token_at(Timestamp::wall_clock())
    }

    fn token_at(&self, now: Timestamp) -> String {
        let seconds = now.0.div_euclid(1000);
        let mut claims = Map::new();
        claims.insert(self.principal_claim.clone(), json!(self.principal));
        claims.insert("iat".into(), json!(seconds));
        claims.insert("exp".into(), json!(seconds + i64::from(self.life_seconds)));
        if !self.scope.is_empty() {
            claims.insert(self.scope_claim.clone(), json!(self.scope));
        }
        let head = URL_SAFE_NO_PAD.encode(r#"{"alg":"none"}"#);
        let claims = URL_SAFE_NO_PAD.encode(Value::Object(claims).to_string());
        format!("{head}.{claims}.")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_says_what_the_configuration_says() {
        let read = Unsecured::parse(
            "principalClaimName=azp principal=admin  scopeClaimName=roles \
             scope=role1,,role2 lifeSeconds=600 extension_traceId=123",
        )
        .unwrap();
        assert_eq!(read.extensions, [("traceId".to_owned(), "123".to_owned())]);
        let token = read.token_at(Timestamp(1_700_000_000_999));
        let parts: Vec<&str> = token.split('.').collect();
        // The head as librdkafka writes it.
        assert_eq!(
            (parts.len(), parts[0], parts[2]),
            (3, "eyJhbGciOiJub25lIn0", "")
        );
        let claims = URL_SAFE_NO_PAD.decode(parts[1]).unwrap();
        assert_eq!(
            String::from_utf8(claims).unwrap(),
            r#"{"azp":"admin","iat":1700000000,"exp":1700000600,"roles":["role1","role2"]}"#
        );
    }

    #[test]
    fn what_makes_no_token_is_told_without_values() {
        for bad in [
            "",
            "scope=hush",
            "principal",
            "principal=",
            "principal=hush lifeSeconds=0",
            "principal=hush lifeSeconds=-1",
            "principal=hush lifeSeconds=4294967296",
            "principal=hush extension_=hush",
            "principal=hush extension_auth=hush",
            "principal=hush colour=hush",
        ] {
            let why = Unsecured::parse(bad).unwrap_err();
            assert!(!why.contains("hush"), "{bad}: {why}");
        }
    }
}
