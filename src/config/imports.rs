//! Contexts from other tools' files: kcat's and librdkafka's `key=value`, and Java's
//! `client.properties`. What does not carry over is told, never dropped in silence.

use super::{ConfigError, is_secret_name, java};

/// A context as it was found in another tool's file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// `kafka://h1:9092,h2:9092`; `None` when the file names no servers.
    pub url: Option<String>,
    /// Our names, in the file's order.
    properties: Vec<(String, String)>,
    /// What was left out, each with its reason.
    pub left_out: Vec<String>,
}

/// What becomes of passwords in the text of an imported context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImportedSecrets {
    /// A variable's name is written in their place; nothing secret leaves the other file.
    FromEnvironment,
    Literal,
}

/// Reads `kcat.conf` or any file of librdkafka properties.
pub fn import_kcat(text: &str) -> Result<Imported, ConfigError> {
    let mut out = Imported::default();
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') {
            continue;
        }
        let Some((name, value)) = line.split_once('=') else {
            return Err(ConfigError::new(format!(
                "line {number} has no = after the property's name"
            ))
            .hint("each line of a kcat file is key=value"));
        };
        let (name, value) = (name.trim(), value.trim());
        match name {
            "bootstrap.servers" | "metadata.broker.list" => out.servers(value),
            // Reading joins no group, and writing has its own guarantees.
            "group.id" | "auto.offset.reset" | "enable.auto.commit" | "acks"
            | "enable.idempotence" | "transactional.id" => {
                out.leave_out(name, "evtap decides this itself");
            }
            _ => out.put(name, value),
        }
    }
    Ok(out)
}

/// Reads the `client.properties` of Kafka's own tools and of Java programs.
pub fn import_java(text: &str) -> Result<Imported, ConfigError> {
    let mut out = Imported::default();
    java::translate(&java::parse(text)?, &mut out)?;
    Ok(out)
}

impl Imported {
    pub(super) fn servers(&mut self, list: &str) {
        let hosts: Vec<&str> = list
            .split(',')
            .map(|host| host.trim().rsplit("://").next().unwrap_or_default())
            .filter(|host| !host.is_empty())
            .collect();
        if !hosts.is_empty() {
            self.url = Some(format!("kafka://{}", hosts.join(",")));
        }
    }

    pub(super) fn put(&mut self, name: &str, value: &str) {
        self.properties.retain(|(known, _)| known != name);
        self.properties.push((name.to_owned(), value.to_owned()));
    }

    pub(super) fn leave_out(&mut self, name: &str, why: &str) {
        self.left_out.push(format!("{name}: {why}"));
    }

    /// The TOML of a context with that name.
    pub fn to_toml(&self, name: &str, secrets: ImportedSecrets) -> String {
        let url = self.url.as_deref().unwrap_or("kafka://localhost:9092");
        let mut lines = vec![
            format!("[contexts.{}]", quoted(name)),
            format!("url = {}", quoted(url)),
        ];
        if !self.properties.is_empty() {
            lines.push(String::new());
            lines.push(format!("[contexts.{}.properties]", quoted(name)));
        }
        lines.extend(self.properties.iter().map(|(key, value)| {
            let value = if is_secret_name(key) && secrets == ImportedSecrets::FromEnvironment {
                format!("{{ env = {} }}", quoted(&variable(name, key)))
            } else {
                quoted(value)
            };
            format!("{} = {value}", quoted(key))
        }));
        lines.push(String::new());
        lines.join("\n")
    }

    /// The variables that [`ImportedSecrets::FromEnvironment`] asks for.
    pub fn variables(&self, name: &str) -> Vec<String> {
        self.properties
            .iter()
            .filter(|(key, _)| is_secret_name(key))
            .map(|(key, _)| variable(name, key))
            .collect()
    }
}

/// `EVTAP_PROD_SASL_PASSWORD`
fn variable(context: &str, key: &str) -> String {
    format!("EVTAP_{context}_{key}")
        .chars()
        .map(|c| match c {
            c if c.is_ascii_alphanumeric() => c.to_ascii_uppercase(),
            _ => '_',
        })
        .collect()
}

/// A TOML string, with every character that TOML wants escaped.
fn quoted(text: &str) -> String {
    toml::Value::from(text).to_string()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::Config;

    const KCAT: &str = "# prod\nbootstrap.servers = h1:9092, SASL_SSL://h2:9092\n\
        security.protocol=SASL_SSL\n\n sasl.mechanisms=SCRAM-SHA-512\nsasl.username=reader\n\
        sasl.password=a=b\"c\\\ngroup.id=mine\n";

    #[test]
    fn a_kcat_file_becomes_a_context_that_reads_back() {
        let got = import_kcat(KCAT).unwrap();
        assert_eq!(got.url.as_deref(), Some("kafka://h1:9092,h2:9092"));
        assert_eq!(got.left_out, ["group.id: evtap decides this itself"]);
        let toml = got.to_toml("my prod", ImportedSecrets::Literal);
        let config = Config::parse(&toml, Path::new("c")).unwrap();
        let context = config.context("my prod").unwrap();
        assert_eq!(context.url, "kafka://h1:9092,h2:9092");
        let properties = context.resolve_properties().unwrap();
        assert_eq!(properties["sasl.password"], "a=b\"c\\");
        assert_eq!(properties["sasl.mechanisms"], "SCRAM-SHA-512");
        assert_eq!(properties.len(), 4);
    }

    #[test]
    fn secrets_stay_behind_unless_they_are_asked_for() {
        let got = import_kcat(KCAT).unwrap();
        let toml = got.to_toml("prod", ImportedSecrets::FromEnvironment);
        assert!(!toml.contains("a=b"), "{toml}");
        assert!(
            toml.contains("{ env = \"EVTAP_PROD_SASL_PASSWORD\" }"),
            "{toml}"
        );
        assert_eq!(got.variables("prod"), ["EVTAP_PROD_SASL_PASSWORD"]);
        Config::parse(&toml, Path::new("c")).unwrap();
    }

    #[test]
    fn a_line_without_a_value_is_told_by_its_number() {
        let error = import_kcat("a=1\nnonsense\n").unwrap_err();
        assert!(error.message.starts_with("line 2"), "{error}");
    }
}
