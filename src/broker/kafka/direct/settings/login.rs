//! The login as the properties ask for it.

use std::sync::Arc;

use super::super::sasl::{Account, Endpoint, Hash, Login, Source, Tokens, Unsecured, is_extension};
use super::{Unable, Values, tls};
use crate::broker::kafka::own::TOKEN;
use crate::broker::{Error, ErrorKind, Result};

const MECHANISM: &str = "sasl.mechanism";

pub(super) fn of(values: &Values<'_>) -> Result<Result<Login, Unable>> {
    Ok(Ok(match values.text("sasl.mechanisms")?.as_str() {
        "PLAIN" => Login::Plain(account(values)?),
        "SCRAM-SHA-256" => Login::Scram(Hash::Sha256, account(values)?),
        "SCRAM-SHA-512" => Login::Scram(Hash::Sha512, account(values)?),
        "OAUTHBEARER" => Login::OAuth(Arc::new(tokens(values)?)),
        // Nobody asked for it by name: Kerberos is what librdkafka takes where nothing is said.
        _ if values
            .given(MECHANISM)
            .or(values.given("sasl.mechanisms"))
            .is_none() =>
        {
            return Err(missing(MECHANISM)
                .hint("say how to log in: -X sasl.mechanism=PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"));
        }
        _ => return Ok(Err(Unable::value(MECHANISM))),
    }))
}

fn account(values: &Values<'_>) -> Result<Account> {
    let need = |name| {
        let found = values.given(name).map(str::to_owned);
        found.ok_or_else(|| {
            missing(name)
                .hint("give both: -X sasl.username=… -X sasl.password=…, or a context's properties")
        })
    };
    Ok(Account {
        user: need("sasl.username")?,
        password: need("sasl.password")?.into(),
    })
}

fn tokens(values: &Values<'_>) -> Result<Tokens> {
    let mut extensions = extensions(values)?;
    let oidc = values
        .given("sasl.oauthbearer.method")
        .is_some_and(|method| method.eq_ignore_ascii_case("oidc"));
    let unsecured = values.flag("enable.sasl.oauthbearer.unsecure.jwt")?;
    if unsecured && (oidc || values.properties.token().is_some()) {
        return Err(wrong(
            "enable.sasl.oauthbearer.unsecure.jwt",
            "another property gives a token of its own",
        ));
    }
    let source = if let Some(ready) = values.properties.token() {
        Source::Ready(ready.clone())
    } else if oidc {
        Source::Endpoint(Box::new(endpoint(values)?))
    } else if unsecured {
        let config = values.given("sasl.oauthbearer.config").unwrap_or_default();
        let claims =
            Unsecured::parse(config).map_err(|why| wrong("sasl.oauthbearer.config", &why))?;
        extensions.extend(claims.extensions.iter().cloned());
        Source::Unsecured(claims)
    } else {
        return Err(Error::new(
            ErrorKind::Usage,
            "OAUTHBEARER needs a token, and no property says where it comes from",
        )
        .hint(format!(
            "give one, -X {TOKEN}=@FILE, or -X sasl.oauthbearer.method=oidc and what goes with it"
        )));
    };
    Ok(Tokens::new(source, extensions))
}

fn endpoint(values: &Values<'_>) -> Result<Endpoint> {
    let need = |names: [&'static str; 2]| {
        let found = names.iter().find_map(|name| values.given(name));
        found.ok_or_else(|| {
            missing(names[0]).hint(
                "oidc needs sasl.oauthbearer.token.endpoint.url, sasl.oauthbearer.client.id and \
                 sasl.oauthbearer.client.secret",
            )
        })
    };
    let url_name = "sasl.oauthbearer.token.endpoint.url";
    let url = need([url_name, url_name])?;
    let client = need([
        "sasl.oauthbearer.client.id",
        "sasl.oauthbearer.client.credentials.client.id",
    ])?;
    let secret = need([
        "sasl.oauthbearer.client.secret",
        "sasl.oauthbearer.client.credentials.client.secret",
    ])?;
    let scope = values.given("sasl.oauthbearer.scope");
    Endpoint::new(
        url,
        || tls::of_endpoint(values).map_err(Wrong::Elsewhere),
        (client, secret.to_owned().into()),
        scope,
    )
    .map_err(|why| match why {
        Wrong::Url(why) => wrong(url_name, why),
        Wrong::Elsewhere(error) => error,
    })
}

enum Wrong {
    Url(&'static str),
    Elsewhere(Error),
}

impl From<&'static str> for Wrong {
    fn from(why: &'static str) -> Self {
        Self::Url(why)
    }
}

/// `a=b,c=d`
fn extensions(values: &Values<'_>) -> Result<Vec<(String, String)>> {
    let name = "sasl.oauthbearer.extensions";
    let text = values.given(name).unwrap_or_default();
    text.split(',')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((key, value)) if is_extension(key, value) => {
                Ok((key.to_owned(), value.to_owned()))
            }
            _ => Err(wrong(
                name,
                "it is NAME=VALUE,NAME=VALUE with names of letters",
            )),
        })
        .collect()
}

fn missing(name: &str) -> Error {
    Error::new(
        ErrorKind::Usage,
        format!("the property '{name}' is missing"),
    )
}

fn wrong(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::Usage, format!("the property '{name}': {why}"))
        .hint("librdkafka's CONFIGURATION.md describes it")
}
