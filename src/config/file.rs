//! Finding and reading the config file. What is wrong in it is told with line and column, and
//! without quoting values: they can be secrets.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use super::mistake::describe;
use super::model::Document;
use super::secret::PropertyValue;
use super::{ConfigError, Context, TopicConfig, did_you_mean};

/// A config is a page of text; more is the wrong file.
const CONFIG_BYTES: u64 = 1024 * 1024;

/// The contexts and topics that the user named. Empty when there is no file.
#[derive(Debug, Default)]
pub struct Config {
    /// The file that was read.
    pub path: Option<PathBuf>,
    pub default: Option<String>,
    /// The theme of the screens.
    pub theme: Option<String>,
    /// Where the audit log of replays is, unless it is in the state folder.
    pub audit: Option<PathBuf>,
    /// Draw with ASCII only.
    pub ascii: bool,
    /// Keys of the screens, by the name of the action.
    pub keys: BTreeMap<String, Vec<String>>,
    /// By name.
    pub contexts: BTreeMap<String, Context>,
    /// By name or glob.
    pub topics: BTreeMap<String, TopicConfig>,
    /// What the user should know, each a sentence fragment.
    pub warnings: Vec<String>,
}

/// Where the config file is, and whether it was asked for by name: `--config`, then
/// `$EVTAP_CONFIG`, then the usual place. `None` when there is no home to look in.
pub fn config_path(
    explicit: Option<&Path>,
    env: &dyn Fn(&str) -> Option<String>,
) -> Option<(PathBuf, bool)> {
    let var = |name| env(name).filter(|value| !value.is_empty());
    if let Some(path) = explicit {
        return Some((path.to_owned(), true));
    }
    if let Some(path) = var("EVTAP_CONFIG") {
        return Some((PathBuf::from(path), true));
    }
    Some((config_folder(env)?.join("config.toml"), false))
}

/// The folder of what a user sets up for evtap: the config file, unless it was named, and
/// `themes/`. `None` when there is no home to look in.
pub fn config_folder(env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    // The XDG specification: a relative path is invalid and is to be ignored.
    let base = env("XDG_CONFIG_HOME")
        .map(PathBuf::from)
        .filter(|p| p.is_absolute())
        .or_else(|| Some(home(env)?.join(".config")))?;
    Some(base.join("evtap"))
}

fn home(env: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    env("HOME")
        .or_else(|| env("USERPROFILE"))
        .filter(|home| !home.is_empty())
        .map(PathBuf::from)
}

impl Config {
    /// Reads the config file. A missing file is an empty config, unless it was named.
    pub fn load(
        explicit: Option<&Path>,
        env: &dyn Fn(&str) -> Option<String>,
    ) -> Result<Self, ConfigError> {
        let Some((path, named)) = config_path(explicit, env) else {
            return Ok(Self::default());
        };
        let file = match File::open(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !named => {
                return Ok(Self::default());
            }
            other => other.map_err(|e| unreadable(&path, &e.to_string()))?,
        };
        let text = read(&file).map_err(|why| unreadable(&path, &why))?;
        let mut config = Self::parse(&text, &path)?;
        config.settle_paths(home(env).as_deref());
        if readable_by_others(&file) && config.contexts.values().any(Context::holds_secret) {
            config.warnings.push(format!(
                "{} holds a password and others can read it: chmod 600 it, or fetch the password \
                 by {{ command = […] }}",
                path.display()
            ));
        }
        config.path = Some(path);
        Ok(config)
    }

    /// Reads the text of a config file; `path` names it in errors.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let document: Document =
            toml::from_str(text).map_err(|error| describe(&error, text, path))?;
        let mut contexts = document.contexts;
        for (name, context) in &mut contexts {
            check_name(name, path)?;
            context.name.clone_from(name);
        }
        Ok(Self {
            path: Some(path.to_owned()),
            default: document.default,
            theme: document.theme,
            audit: document.audit,
            ascii: document.ascii,
            keys: document.keys,
            contexts,
            topics: document.topics,
            warnings: Vec::new(),
        })
    }

    /// The context of that name.
    pub fn context(&self, name: &str) -> Result<&Context, ConfigError> {
        self.contexts
            .get(name)
            .ok_or_else(|| self.unknown(name, "unknown context"))
    }

    /// The context to use when none is named, if one is set.
    pub fn default_context(&self) -> Result<Option<&Context>, ConfigError> {
        let Some(name) = &self.default else {
            return Ok(None);
        };
        match self.contexts.get(name) {
            Some(context) => Ok(Some(context)),
            None => Err(self.unknown(name, "default names an unknown context")),
        }
    }

    fn unknown(&self, name: &str, what: &str) -> ConfigError {
        let error = ConfigError::new(format!("{what} '{name}'"));
        if self.contexts.is_empty() {
            let place = self.path.as_ref().map_or_else(
                || "~/.config/evtap/config.toml".to_owned(),
                |p| p.display().to_string(),
            );
            return error.hint(format!(
                "no context is configured; add [contexts.{name}] to {place}, or write a URL such \
                 as kafka://localhost:9092/orders"
            ));
        }
        let known: Vec<&str> = self.contexts.keys().map(String::as_str).collect();
        let list = known.join(", ");
        error.hint(match did_you_mean(name, known.iter().copied()) {
            Some(guess) => format!("did you mean {guess}? known contexts: {list}"),
            None => format!("known contexts: {list}"),
        })
    }

    /// Relative paths are relative to the config file, and `~/` is the home.
    fn settle_paths(&mut self, home: Option<&Path>) {
        let base = self
            .path
            .as_deref()
            .and_then(Path::parent)
            .unwrap_or(Path::new(""))
            .to_owned();
        let settle = |path: &mut PathBuf| {
            *path = match (path.strip_prefix("~"), home) {
                (Ok(rest), Some(home)) => home.join(rest),
                _ => base.join(&*path),
            };
        };
        self.audit.iter_mut().for_each(settle);
        for context in self.contexts.values_mut() {
            for value in context.properties.values_mut() {
                if let PropertyValue::File(path) = value {
                    settle(path);
                }
            }
            context.saga.iter_mut().for_each(settle);
            if let Some(schemas) = &mut context.schemas {
                let paths = [&mut schemas.files, &mut schemas.asyncapi];
                paths.into_iter().flatten().for_each(settle);
            }
        }
    }
}

/// A context is written before a slash or alone, where it must not look like a URL or a file.
fn check_name(name: &str, path: &Path) -> Result<(), ConfigError> {
    let good = !name.is_empty()
        && name != "-"
        && !name.starts_with('.')
        && !name.contains(['/', ':', '?', ','])
        && ![".mcap", ".jsonl", ".jsonl.zst"]
            .iter()
            .any(|end| name.ends_with(end));
    if good {
        return Ok(());
    }
    Err(ConfigError::new(format!(
        "{}: '{name}' cannot be the name of a context",
        path.display()
    ))
    .hint("a name holds none of / : ? , and does not look like a file"))
}

/// A small file beside the config; `what` says in errors what it is. `None` when it is not there.
pub fn read_page(path: &Path, what: &str) -> Result<Option<String>, ConfigError> {
    let text = match File::open(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => Err(error.to_string()),
        Ok(file) => read(&file),
    };
    text.map(Some)
        .map_err(|why| ConfigError::new(format!("cannot read {what} {}: {why}", path.display())))
}

fn read(file: &File) -> Result<String, String> {
    let mut bytes = Vec::new();
    file.take(CONFIG_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|e| e.to_string())?;
    if bytes.len() as u64 > CONFIG_BYTES {
        return Err("it is larger than 1 MiB".to_owned());
    }
    String::from_utf8(bytes).map_err(|_| "it is not UTF-8".to_owned())
}

fn unreadable(path: &Path, why: &str) -> ConfigError {
    ConfigError::new(format!(
        "cannot read the config file {}: {why}",
        path.display()
    ))
    .hint("`evtap config path` shows which file is read, --config names another")
}

#[cfg(unix)]
fn readable_by_others(file: &File) -> bool {
    use std::os::unix::fs::MetadataExt;
    file.metadata().is_ok_and(|m| m.mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn readable_by_others(_file: &File) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Decode;

    const FULL: &str = r#"
default = "local"
theme = "nord"
ascii = true
[contexts.local]
url = "kafka://localhost:9092"
schemas = { registry = "http://localhost:8081" }
[contexts.prod]
url = "kafka://broker-1:9093,broker-2:9093"
env = "prod"
read_only = true
allow_replay_to = ["*.replay"]
[contexts.prod.properties]
"security.protocol" = "SASL_SSL"
"socket.timeout.ms" = 5000
"enable.ssl.certificate.verification" = true
"sasl.password" = { file = "secret" }
[topics."orders"]
decode = { value = "json" }
event_id = ["header:ce_id", "value:.eventId"]
correlation = ["header:correlation-id", "key"]
mask = [".value.customer.email"]
"#;

    fn parse(text: &str) -> Result<Config, ConfigError> {
        Config::parse(text, Path::new("c.toml"))
    }

    #[test]
    fn everything_of_the_contract_is_read() {
        let config = parse(FULL).unwrap();
        assert_eq!(config.default_context().unwrap().unwrap().name, "local");
        assert_eq!(
            (config.theme.as_deref(), config.ascii),
            (Some("nord"), true)
        );
        let prod = config.context("prod").unwrap();
        assert_eq!(prod.env.as_deref(), Some("prod"));
        assert!(prod.read_only && !prod.holds_secret());
        assert_eq!(prod.allow_replay_to, ["*.replay"]);
        let shown: Vec<_> = prod.shown_properties().map(|(_, v)| v).collect();
        assert_eq!(shown, ["true", "from the file secret", "SASL_SSL", "5000"]);
        let orders = &config.topics["orders"];
        assert_eq!(orders.event_id.len() + orders.correlation.len(), 4);
        assert_eq!(
            orders.decode,
            Decode {
                key: None,
                value: Some("json".into())
            }
        );
    }

    #[test]
    fn an_unknown_context_names_the_known_ones() {
        let config = parse(FULL).unwrap();
        let error = config.context("prdo").unwrap_err();
        assert_eq!(error.message, "unknown context 'prdo'");
        assert_eq!(
            error.hint.unwrap(),
            "did you mean prod? known contexts: local, prod"
        );
        let config = parse("default = 'x'").unwrap();
        let error = config.default_context().unwrap_err();
        assert!(error.hint.unwrap().contains("[contexts.x]"));
    }

    fn load(dir: &Path, vars: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let vars: Vec<(String, String)> = vars
            .iter()
            .map(|(k, v)| {
                (
                    (*k).to_owned(),
                    v.replace("DIR", &dir.display().to_string()),
                )
            })
            .collect();
        Config::load(None, &|name| {
            vars.iter().find(|(k, _)| k == name).map(|(_, v)| v.clone())
        })
    }

    #[test]
    fn the_file_is_looked_for_in_the_contracts_order() {
        let dir = tempfile::tempdir().unwrap();
        for (sub, name) in [(".config/evtap", "home"), ("xdg/evtap", "xdg")] {
            std::fs::create_dir_all(dir.path().join(sub)).unwrap();
            let text = format!("[contexts.{name}]\nurl = 'kafka://h'\n");
            std::fs::write(dir.path().join(sub).join("config.toml"), text).unwrap();
        }
        std::fs::write(dir.path().join("mine"), "[contexts.mine]\nurl='kafka://h'").unwrap();
        let all = [
            ("EVTAP_CONFIG", "DIR/mine"),
            ("XDG_CONFIG_HOME", "DIR/xdg"),
            ("HOME", "DIR"),
        ];
        for (i, name) in ["mine", "xdg", "home"].iter().enumerate() {
            let config = load(dir.path(), &all[i..]).unwrap();
            assert!(config.contexts.contains_key(*name), "{name}");
        }
        let relative = load(dir.path(), &[("XDG_CONFIG_HOME", "xdg"), ("HOME", "DIR")]);
        assert!(relative.unwrap().contexts.contains_key("home"));
    }

    #[test]
    fn only_a_file_that_was_named_must_be_there() {
        let dir = tempfile::tempdir().unwrap();
        let empty = load(dir.path(), &[("HOME", "DIR")]).unwrap();
        assert!(empty.contexts.is_empty() && empty.path.is_none());
        assert!(load(dir.path(), &[]).unwrap().contexts.is_empty());
        let error = load(dir.path(), &[("EVTAP_CONFIG", "DIR/none")]).unwrap_err();
        assert!(error.message.contains("/none: "), "{error}");
        let error = load(dir.path(), &[("EVTAP_CONFIG", "DIR")]).unwrap_err();
        assert!(error.message.contains("cannot read"), "{error}");
        let error = load(dir.path(), &[("EVTAP_CONFIG", "/dev/zero")]).unwrap_err();
        assert!(error.message.contains("larger than"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_password_that_others_can_read_is_warned_about() {
        use std::os::unix::fs::PermissionsExt;
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("c.toml");
        let warned = |properties: &str, mode: u32| {
            let text = format!("[contexts.a]\nurl='kafka://h'\nproperties = {{ {properties} }}");
            std::fs::write(&path, text).unwrap();
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
            !Config::load(Some(&path), &|_| None)
                .unwrap()
                .warnings
                .is_empty()
        };
        assert!(warned("'sasl.password' = 'hush'", 0o644));
        assert!(!warned("'sasl.password' = 'hush'", 0o600));
        assert!(!warned("'sasl.password' = { env = 'P' }", 0o644));
        assert!(!warned("'security.protocol' = 'SSL'", 0o644));
    }

    #[test]
    fn secrets_are_fetched_when_asked_for_and_relative_to_the_file() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("pw"), "hush\n").unwrap();
        let path = dir.path().join("c.toml");
        std::fs::write(
            &path,
            "[contexts.a]\nurl='kafka://h'\n[contexts.a.properties]\n\
             'a' = { file = 'pw' }\n'b' = { command = ['printf', 'x y'] }\n'c' = 1\n",
        )
        .unwrap();
        let config = Config::load(Some(&path), &|_| None).unwrap();
        let got = config.context("a").unwrap().resolve_properties().unwrap();
        let got: Vec<_> = got.values().map(String::as_str).collect();
        assert_eq!(got, ["hush", "x y", "1"]);
        std::fs::remove_file(dir.path().join("pw")).unwrap();
        let error = config
            .context("a")
            .unwrap()
            .resolve_properties()
            .unwrap_err();
        assert!(
            error
                .message
                .starts_with("the property a of the context 'a'"),
            "{error}"
        );
    }
}
