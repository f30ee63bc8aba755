//! Property values that can be secrets: written out, or fetched from a command, the environment
//! or a file when they are needed. None of them is ever shown.

use std::fmt;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use secrecy::{ExposeSecret, SecretString};
use serde::de::{self, Deserializer, MapAccess, Visitor};

use super::ConfigError;

/// A password manager may ask its user first.
const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);
/// A secret is a line or a key file; more is a mistake.
const SECRET_BYTES: u64 = 64 * 1024;
/// How often a running command is looked at.
const POLL: Duration = Duration::from_millis(10);

/// The value of a client property, as the config file gives it.
#[derive(Debug, Clone)]
pub enum PropertyValue {
    Literal(SecretString),
    /// What this program prints; run without a shell.
    Command(Vec<String>),
    /// An environment variable.
    Env(String),
    File(PathBuf),
}

impl PropertyValue {
    /// The value itself. `what` names the property in errors.
    pub(super) fn resolve(&self, what: &str) -> Result<String, ConfigError> {
        match self {
            Self::Literal(text) => Ok(text.expose_secret().to_owned()),
            Self::Command(words) => run(words, what, COMMAND_TIMEOUT),
            Self::Env(name) => std::env::var(name).map_err(|_| {
                ConfigError::new(format!("{what}: the variable {name} is not set"))
                    .hint(format!("set it: export {name}=…"))
            }),
            Self::File(path) => read_file(path, what),
        }
    }

    /// Where it comes from; the value only when it cannot be a secret. The arguments of a command
    /// can be secrets too.
    pub(super) fn shown(&self, secret: bool) -> String {
        match self {
            Self::Literal(_) if secret => "***".to_owned(),
            Self::Literal(text) => text.expose_secret().to_owned(),
            Self::Command(words) => {
                let program = words.first().map_or("", String::as_str);
                format!("from the command {program}")
            }
            Self::Env(name) => format!("from the variable {name}"),
            Self::File(path) => format!("from the file {}", path.display()),
        }
    }

    pub(super) const fn is_literal(&self) -> bool {
        matches!(self, Self::Literal(_))
    }
}

/// True when a property of this name holds something that must not be shown.
pub fn is_secret_name(name: &str) -> bool {
    let name = name.to_lowercase();
    let last = name.rsplit('.').next().unwrap_or_default();
    let telling = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "jaas",
    ]
    .iter()
    .any(|word| name.contains(word));
    (telling && last != "url")
        || name.ends_with("key.pem")
        || name == "sasl.oauthbearer.config"
        || last == "pass"
}

/// A URL without the password before its host, and without the values of secret properties.
pub(super) fn hide_in_url(url: &str) -> String {
    let (head, query) = url
        .split_once('?')
        .map_or((url, None), |(head, query)| (head, Some(query)));
    let head = match head.split_once("//") {
        Some((scheme, rest)) => {
            let (authority, path) = rest
                .split_once('/')
                .map_or((rest, None), |(authority, path)| (authority, Some(path)));
            let authority = match authority.rsplit_once('@') {
                Some((user, host)) => match user.split_once(':') {
                    Some((name, _)) => format!("{name}:***@{host}"),
                    None => authority.to_owned(),
                },
                None => authority.to_owned(),
            };
            let path = path.map_or_else(String::new, |path| format!("/{path}"));
            format!("{scheme}//{authority}{path}")
        }
        None => head.to_owned(),
    };
    let Some(query) = query else { return head };
    let pairs: Vec<String> = query
        .split('&')
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if is_secret_name(name) => format!("{name}=***"),
            _ => pair.to_owned(),
        })
        .collect();
    format!("{head}?{}", pairs.join("&"))
}

fn read_file(path: &Path, what: &str) -> Result<String, ConfigError> {
    let failed = |why: String| {
        ConfigError::new(format!(
            "{what}: cannot read the file {}: {why}",
            path.display()
        ))
    };
    let file = std::fs::File::open(path).map_err(|e| failed(e.to_string()))?;
    let mut bytes = Vec::new();
    file.take(SECRET_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| failed(e.to_string()))?;
    as_secret(bytes).map_err(|why| failed(why.to_owned()))
}

/// Text without the line end that editors and commands put after it.
fn as_secret(bytes: Vec<u8>) -> Result<String, &'static str> {
    if bytes.len() as u64 > SECRET_BYTES {
        return Err("it is larger than 64 KiB");
    }
    let mut text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8")?;
    text.truncate(text.trim_end_matches(['\r', '\n']).len());
    if text.is_empty() {
        return Err("it is empty");
    }
    Ok(text)
}

/// Runs a program without a shell and takes what it prints. Its input is closed: standard input
/// may be the events.
fn run(words: &[String], what: &str, timeout: Duration) -> Result<String, ConfigError> {
    let Some((program, args)) = words.split_first() else {
        return Err(ConfigError::new(format!("{what}: the command is empty")));
    };
    let failed = |why: String| {
        ConfigError::new(format!("{what}: the command {program} {why}"))
            .hint("run it by hand: it must print the secret and end with status 0")
    };
    let deadline = Instant::now() + timeout;
    let mut child = Command::new(program)
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|e| failed(format!("cannot be started: {e}")))?;
    let out = collect(child.stdout.take()).map_err(|e| failed(e.to_string()))?;
    let err = collect(child.stderr.take()).map_err(|e| failed(e.to_string()))?;
    let late = || failed(format!("did not end within {} s", timeout.as_secs_f64()));
    let status = wait(&mut child, deadline)
        .map_err(|e| failed(e.to_string()))?
        .ok_or_else(late)?;
    let left = || deadline.saturating_duration_since(Instant::now());
    let no_secret = |why: &str| failed(format!("printed no secret: {why}"));
    if !status.success() {
        // Reading ends when it is too much; a program that still prints then fails by that.
        if let Ok(bytes) = out.recv_timeout(left())
            && bytes.len() as u64 > SECRET_BYTES
        {
            return as_secret(bytes).map_err(no_secret);
        }
        let said = err.recv_timeout(left()).unwrap_or_default();
        let said = String::from_utf8_lossy(&said);
        let last = said.lines().rev().find(|l| !l.trim().is_empty());
        let said = last.map_or_else(String::new, |line| format!(": {}", line.trim()));
        return Err(failed(format!("failed ({status}){said}")));
    }
    // A program can leave a child behind that keeps the pipe open.
    let bytes = out.recv_timeout(left()).map_err(|_| late())?;
    as_secret(bytes).map_err(no_secret)
}

/// Reads a pipe on a thread of its own, so that a full pipe cannot stop the program.
fn collect<R: Read + Send + 'static>(pipe: Option<R>) -> std::io::Result<Receiver<Vec<u8>>> {
    let (tx, rx) = sync_channel(1);
    thread::Builder::new()
        .name("secret-command".into())
        .spawn(move || {
            let mut bytes = Vec::new();
            if let Some(pipe) = pipe {
                // What came before an error is all there is; the exit status tells the rest.
                drop(pipe.take(SECRET_BYTES + 1).read_to_end(&mut bytes));
            }
            // The receiver is gone when the command was given up.
            drop(tx.send(bytes));
        })?;
    Ok(rx)
}

/// `None` when the deadline passed; the program is then ended.
fn wait(child: &mut Child, deadline: Instant) -> std::io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() >= deadline {
            child.kill()?;
            child.wait()?;
            return Ok(None);
        }
        thread::sleep(POLL);
    }
}

impl<'de> serde::Deserialize<'de> for PropertyValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PropertyVisitor)
    }
}

struct PropertyVisitor;

impl<'de> Visitor<'de> for PropertyVisitor {
    type Value = PropertyValue;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a text, a number, true or false, \
             or one of { command = [\"…\"] }, { env = \"…\" }, { file = \"…\" }",
        )
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PropertyValue, E> {
        Ok(PropertyValue::Literal(text.into()))
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<PropertyValue, E> {
        Ok(PropertyValue::Literal(value.to_string().into()))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<PropertyValue, E> {
        Ok(PropertyValue::Literal(value.to_string().into()))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<PropertyValue, E> {
        Ok(PropertyValue::Literal(value.to_string().into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PropertyValue, A::Error> {
        let Some(origin) = map.next_key::<String>()? else {
            return Err(de::Error::custom("an empty table where a property is"));
        };
        let value = match origin.as_str() {
            "command" => PropertyValue::Command(map.next_value()?),
            "env" => PropertyValue::Env(map.next_value()?),
            "file" => PropertyValue::File(map.next_value()?),
            other => {
                return Err(de::Error::custom(format!(
                    "a property cannot come from '{other}', only from command, env or file; \
                     a name with dots stands in quotes: \"sasl.password\" = …"
                )));
            }
        };
        if matches!(&value, PropertyValue::Command(words) if words.is_empty()) {
            return Err(de::Error::custom("the command is empty"));
        }
        if let Some(more) = map.next_key::<String>()? {
            return Err(de::Error::custom(format!(
                "a property comes from one place, not from '{origin}' and '{more}'"
            )));
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn command(words: &[&str], timeout: Duration) -> Result<String, ConfigError> {
        let words: Vec<String> = words.iter().map(|&w| w.to_owned()).collect();
        run(&words, "the property p", timeout)
    }

    const SOON: Duration = Duration::from_secs(20);

    #[test]
    fn a_command_gives_what_it_prints_and_no_shell_touches_it() {
        let text = command(&["printf", "%s\n", "$HOME `id`"], SOON).unwrap();
        assert_eq!(text, "$HOME `id`");
    }

    #[test]
    fn a_command_that_fails_is_named_with_what_it_said() {
        let error = command(&["sh", "-c", "echo no key >&2; exit 3"], SOON).unwrap_err();
        assert!(error.message.contains("the command sh failed"), "{error}");
        assert!(error.message.ends_with(": no key"), "{error}");
        let error = command(&["/no/such/program"], SOON).unwrap_err();
        assert!(error.message.contains("cannot be started"), "{error}");
    }

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let started = Instant::now();
        let error = command(&["sleep", "60"], Duration::from_millis(100)).unwrap_err();
        assert!(error.message.contains("did not end within"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_command_that_prints_without_end_is_no_secret() {
        // The second is always cut off while it prints.
        for bytes in ["70000", "9000000"] {
            let endless = ["head", "-c", bytes, "/dev/zero"];
            let error = command(&endless, SOON).unwrap_err();
            assert!(error.message.contains("larger than"), "{error}");
        }
        let error = command(&["true"], SOON).unwrap_err();
        assert!(error.message.contains("it is empty"), "{error}");
    }

    #[test]
    fn a_secret_keeps_its_inner_lines_and_loses_the_last_line_end() {
        assert_eq!(as_secret(b"a\nb\r\n".to_vec()).unwrap(), "a\nb");
        assert_eq!(as_secret(b"  a ".to_vec()).unwrap(), "  a ");
        assert!(as_secret(b"\n".to_vec()).is_err());
        assert!(as_secret(vec![0xff]).is_err());
    }

    #[test]
    fn debug_hides_a_literal() {
        let value = PropertyValue::Literal("hush".into());
        assert!(!format!("{value:?}").contains("hush"));
        assert_eq!(value.shown(true), "***");
    }

    #[test]
    fn secret_names_are_told_from_plain_ones() {
        for name in [
            "sasl.password",
            "SSL.Key.Password",
            "ssl.keystore.password",
            "ssl.key.pem",
            "sasl.oauthbearer.client.secret",
            "sasl.jaas.config",
            "aws.session.token",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "sasl.username",
            "security.protocol",
            "ssl.ca.pem",
            "ssl.key.location",
            "sasl.oauthbearer.token.endpoint.url",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn a_url_is_shown_without_its_secrets() {
        assert_eq!(
            hide_in_url("redis://me:hush@h:1/t?x=1&sasl.password=hush"),
            "redis://me:***@h:1/t?x=1&sasl.password=***"
        );
        for plain in [
            "kafka://h:1,h:2/",
            "kafka://h",
            "demo:orders",
            "redis://me@h",
        ] {
            assert_eq!(hide_in_url(plain), plain);
        }
    }
}
