//! Java's `.properties` syntax, and the names by which Kafka's Java client calls what librdkafka
//! calls otherwise.

use super::{ConfigError, Imported};

/// The pairs of a `.properties` file, as `java.util.Properties` reads them.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, ConfigError> {
    let mut pairs = Vec::new();
    let mut lines = (1..).zip(text.lines());
    while let Some((number, line)) = lines.next() {
        let line = line.trim_start();
        if line.is_empty() || line.starts_with(['#', '!']) {
            continue;
        }
        let mut logical = line.to_owned();
        // An odd number of backslashes at the end joins the next line.
        while logical.bytes().rev().take_while(|&b| b == b'\\').count() % 2 == 1 {
            logical.pop();
            match lines.next() {
                Some((_, more)) => logical.push_str(more.trim_start()),
                None => break,
            }
        }
        let (key, value) = split(&logical);
        let unescaped = |text| {
            unescape(text)
                .ok_or_else(|| ConfigError::new(format!("line {number} has a broken \\u escape")))
        };
        pairs.push((unescaped(key)?, unescaped(value)?));
    }
    Ok(pairs)
}

/// The key ends at the first `=`, `:` or white space that is not escaped.
fn split(line: &str) -> (&str, &str) {
    let mut escaped = false;
    for (at, c) in line.char_indices() {
        if escaped {
            escaped = false;
        } else if c == '\\' {
            escaped = true;
        } else if c == '=' || c == ':' || c.is_whitespace() {
            let rest = line[at..].trim_start();
            let value = rest.strip_prefix(['=', ':']).unwrap_or(rest);
            return (&line[..at], value.trim_start());
        }
    }
    (line, "")
}

fn unescape(text: &str) -> Option<String> {
    let mut out = String::with_capacity(text.len());
    let mut units = Vec::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        let plain = if c == '\\' {
            match chars.next() {
                Some('u') => {
                    units.push(utf16_unit(&mut chars)?);
                    None
                }
                Some('n') => Some('\n'),
                Some('t') => Some('\t'),
                Some('r') => Some('\r'),
                Some('f') => Some('\u{c}'),
                other => other,
            }
        } else {
            Some(c)
        };
        if let Some(c) = plain {
            flush(&mut out, &mut units);
            out.push(c);
        }
    }
    flush(&mut out, &mut units);
    Some(out)
}

fn utf16_unit(chars: &mut std::str::Chars<'_>) -> Option<u16> {
    let mut unit = 0;
    for _ in 0..4 {
        unit = unit * 16 + chars.next()?.to_digit(16)?;
    }
    Some(unit as u16)
}

/// Escapes are UTF-16 units: two of them can be one character.
fn flush(out: &mut String, units: &mut Vec<u16>) {
    out.push_str(&String::from_utf16_lossy(units));
    units.clear();
}

/// Properties that both clients call the same and mean the same by.
const SAME: &[&str] = &[
    "client.dns.lookup",
    "client.id",
    "client.rack",
    "connections.max.idle.ms",
    "isolation.level",
    "metadata.max.age.ms",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "sasl.kerberos.service.name",
    "security.protocol",
    "ssl.key.password",
];

/// Java's inline PEM texts.
const INLINE_PEM: &[(&str, &str)] = &[
    ("ssl.truststore.certificates", "ssl.ca.pem"),
    ("ssl.keystore.certificate.chain", "ssl.certificate.pem"),
    ("ssl.keystore.key", "ssl.key.pem"),
];

pub(super) fn translate(pairs: &[(String, String)], out: &mut Imported) -> Result<(), ConfigError> {
    let find = |name: &str| {
        let last = pairs.iter().rev().find(|(key, _)| key == name);
        last.map(|(_, value)| value.trim())
    };
    for (name, value) in pairs {
        let value = value.trim();
        match name.as_str() {
            "bootstrap.servers" => out.servers(value),
            "sasl.mechanism" => out.put("sasl.mechanism", value),
            "sasl.jaas.config" => jaas(value, find("sasl.mechanism"), out)?,
            "ssl.endpoint.identification.algorithm" => {
                let way = if value.is_empty() { "none" } else { "https" };
                out.put(name, way);
            }
            "ssl.truststore.location" => match find("ssl.truststore.type") {
                Some("PEM") => out.put("ssl.ca.location", value),
                _ => out.leave_out(
                    name,
                    "a Java key store; export its certificates as PEM and set ssl.ca.location",
                ),
            },
            "ssl.keystore.location" => match find("ssl.keystore.type") {
                Some("PEM") => {
                    out.put("ssl.certificate.location", value);
                    out.put("ssl.key.location", value);
                }
                Some("PKCS12") => {
                    out.put(name, value);
                    if let Some(password) = find("ssl.keystore.password") {
                        out.put("ssl.keystore.password", password);
                    }
                }
                _ => out.leave_out(
                    name,
                    "a Java key store; convert it to PKCS12 (keytool -importkeystore) and set \
                     ssl.keystore.location",
                ),
            },
            // Read along with their stores.
            "ssl.truststore.type"
            | "ssl.keystore.type"
            | "ssl.keystore.password"
            | "ssl.truststore.password" => {}
            same if SAME.contains(&same) => out.put(name, value),
            other => match INLINE_PEM.iter().find(|(java, _)| *java == other) {
                Some((_, ours)) => out.put(ours, value),
                None => out.leave_out(name, "of no use here, or only Java knows it"),
            },
        }
    }
    Ok(())
}

/// `org.apache…ScramLoginModule required username="x" password="y";`
fn jaas(text: &str, mechanism: Option<&str>, out: &mut Imported) -> Result<(), ConfigError> {
    let known = mechanism.is_none_or(|m| m == "PLAIN" || m.starts_with("SCRAM-"));
    if !known {
        out.leave_out(
            "sasl.jaas.config",
            "only the PLAIN and SCRAM login modules carry over",
        );
        return Ok(());
    }
    for (name, ours) in [("username", "sasl.username"), ("password", "sasl.password")] {
        let Some(value) = jaas_option(text, name) else {
            return Err(ConfigError::new(format!(
                "sasl.jaas.config has no {name} that can be read"
            ))
            .hint("it ends in: required username=\"…\" password=\"…\";"));
        };
        out.put(ours, &value);
    }
    Ok(())
}

/// The value of `name=…`, quoted (with backslash escapes) or a bare word.
fn jaas_option(text: &str, name: &str) -> Option<String> {
    let mut rest = text;
    loop {
        rest = rest.trim_start();
        let end = rest.find(|c: char| c == '=' || c == ';' || c.is_whitespace())?;
        let word = &rest[..end];
        rest = rest[end..].trim_start();
        let Some(after) = rest.strip_prefix('=') else {
            rest = rest.strip_prefix(';').unwrap_or(rest);
            continue;
        };
        let (value, left) = jaas_value(after.trim_start())?;
        if word == name {
            return Some(value);
        }
        rest = left;
    }
}

fn jaas_value(text: &str) -> Option<(String, &str)> {
    let Some(quote @ ('"' | '\'')) = text.chars().next() else {
        let end = text
            .find(|c: char| c == ';' || c.is_whitespace())
            .unwrap_or(text.len());
        return Some((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = text.char_indices().skip(1);
    while let Some((at, c)) = chars.next() {
        match c {
            '\\' => value.push(chars.next()?.1),
            c if c == quote => return Some((value, &text[at + c.len_utf8()..])),
            c => value.push(c),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::config::{Config, ImportedSecrets, import_java};

    fn properties(text: &str) -> BTreeMap<String, String> {
        let imported = import_java(text).unwrap();
        let toml = imported.to_toml("a", ImportedSecrets::Literal);
        let config = Config::parse(&toml, Path::new("c")).unwrap();
        config.context("a").unwrap().resolve_properties().unwrap()
    }

    #[test]
    fn the_syntax_of_java_properties_is_read() {
        let text = "! note\na = 1\nb:2\nc 3\nd\\=e=f\\u00e9\\ud83d\\ude00\\tg\nh=x\\\n   y\ni\n";
        let got = parse(text).unwrap();
        let got: Vec<_> = got.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let smile = "fé😀\tg";
        assert_eq!(
            got,
            [
                ("a", "1"),
                ("b", "2"),
                ("c", "3"),
                ("d=e", smile),
                ("h", "xy"),
                ("i", "")
            ]
        );
        assert!(parse("a=\\u12").is_err());
    }

    #[test]
    fn a_scram_login_becomes_user_and_password() {
        let got = properties(
            "bootstrap.servers=h:9092\nsecurity.protocol=SASL_SSL\nsasl.mechanism=SCRAM-SHA-512\n\
             sasl.jaas.config=org.apache.kafka.common.security.scram.ScramLoginModule required \\\n\
             \x20 username=\"alice\" \\\n  password=\"a\\\\\"b;c=d\";\n",
        );
        assert_eq!(got["sasl.username"], "alice");
        assert_eq!(got["sasl.password"], "a\"b;c=d");
        assert_eq!(got["sasl.mechanism"], "SCRAM-SHA-512");
    }

    #[test]
    fn stores_carry_over_where_librdkafka_reads_them() {
        let got = properties(
            "ssl.truststore.type=PEM\nssl.truststore.location=/ca.pem\n\
             ssl.keystore.type=PKCS12\nssl.keystore.location=/k.p12\nssl.keystore.password=pw\n\
             ssl.endpoint.identification.algorithm=\n",
        );
        assert_eq!(got["ssl.ca.location"], "/ca.pem");
        assert_eq!(got["ssl.keystore.location"], "/k.p12");
        assert_eq!(got["ssl.keystore.password"], "pw");
        assert_eq!(got["ssl.endpoint.identification.algorithm"], "none");
        let jks = import_java("ssl.truststore.location=/ca.jks\nkey.serializer=x\n").unwrap();
        assert_eq!(jks.left_out.len(), 2);
    }

    #[test]
    fn a_login_that_cannot_be_read_is_an_error() {
        for text in [
            "sasl.jaas.config=x required;",
            "sasl.jaas.config=x required username=\"a",
            "sasl.jaas.config=",
        ] {
            assert!(import_java(text).is_err(), "{text}");
        }
        let oauth = "sasl.mechanism=OAUTHBEARER\nsasl.jaas.config=x required;";
        assert_eq!(import_java(oauth).unwrap().left_out.len(), 1);
    }
}
