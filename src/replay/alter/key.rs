//! The key of the pseudonyms: where it is kept, and how it is known again. Its bytes are never
//! printed; what tells one key from another is a check value that says nothing of it.

use std::fmt;
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::hmac::Hmac;
use crate::broker::{Error, ErrorKind, Result};
use crate::text::push_hex;

/// Bytes of a key that is made here.
const RANDOM: usize = 32;
/// A shorter key can be guessed.
const SHORTEST: usize = 16;
/// A key file that is larger is something else.
const LONGEST: u64 = 64 * 1024;
/// What stands for a variable of the environment.
const ENV: &str = "env:";

/// The key of a plan's masks, by where it is kept.
#[derive(Clone)]
pub struct MaskKey {
    kept: Kept,
    /// Tells whether a key is this one.
    check: String,
}

#[derive(Clone)]
enum Kept {
    /// In the plan itself, in base64.
    Plan(SecretString),
    File(PathBuf),
    Env(String),
}

fn wrong(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Usage, message)
}

impl MaskKey {
    /// A new key, kept with the plan.
    pub fn random() -> Result<Self> {
        let mut key = [0; RANDOM];
        getrandom::fill(&mut key).map_err(|e| {
            wrong(format!("the system gives no random numbers: {e}"))
                .hint("give a key of your own: --mask-key FILE, or --mask-key env:NAME")
        })?;
        Ok(Self {
            kept: Kept::Plan(STANDARD.encode(key).into()),
            check: check_of(&Hmac::new(&key)),
        })
    }

    /// The one in a file, or with `env:NAME` in a variable of the environment; it must be there.
    pub fn at(place: &str) -> Result<Self> {
        let kept = match place.strip_prefix(ENV) {
            Some(name) => Kept::Env(name.to_owned()),
            // Found again from another folder.
            None => Kept::File(std::path::absolute(place).unwrap_or_else(|_| place.into())),
        };
        let check = check_of(&Hmac::new(kept.read()?.expose_secret().as_bytes()));
        Ok(Self { kept, check })
    }

    /// Fetches it, and makes sure that it is the one that the plan was made with.
    pub(super) fn load(&self) -> Result<Hmac> {
        let key = self.kept.read()?;
        let hmac = match &self.kept {
            Kept::Plan(_) => {
                let bytes = STANDARD.decode(key.expose_secret());
                Hmac::new(&bytes.map_err(|_| wrong("the mask key of the plan is no base64"))?)
            }
            Kept::File(_) | Kept::Env(_) => Hmac::new(key.expose_secret().as_bytes()),
        };
        if check_of(&hmac) == self.check {
            return Ok(hmac);
        }
        Err(wrong(format!(
            "the mask key {self} is another one than the plan was made with: its pseudonyms would not join"
        ))
        .hint("give the key that was there then, or make a new plan"))
    }

    /// Says nothing of the key, and differs with it.
    pub fn check(&self) -> &str {
        &self.check
    }

    /// Whether who has the plan has the key.
    pub const fn is_in_plan(&self) -> bool {
        matches!(self.kept, Kept::Plan(_))
    }

    /// As `--mask-key` takes it; `None` for one that is kept in the plan.
    pub fn place(&self) -> Option<String> {
        match &self.kept {
            Kept::Plan(_) => None,
            Kept::File(path) => Some(path.display().to_string()),
            Kept::Env(name) => Some(format!("{ENV}{name}")),
        }
    }
}

impl Kept {
    /// The key as text; for [`Kept::Plan`] that is base64.
    fn read(&self) -> Result<SecretString> {
        let key = match self {
            Self::Plan(key) => return Ok(key.clone()),
            Self::File(path) => read_file(path)?,
            Self::Env(name) => std::env::var(name).map_err(|_| {
                wrong(format!(
                    "the mask key: {name} is not in the environment, or no text"
                ))
                .hint(format!(
                    "export {name}=\"$(head -c 32 /dev/urandom | base64)\""
                ))
            })?,
        };
        // Editors and `echo` end a file so.
        let key = SecretString::from(key.trim_end_matches(['\r', '\n']));
        if key.expose_secret().len() < SHORTEST {
            return Err(wrong(format!(
                "the mask key {self} is too short: whoever guesses it undoes the masks"
            ))
            .hint(format!(
                "at least {SHORTEST} bytes: head -c 32 /dev/urandom | base64"
            )));
        }
        Ok(key)
    }
}

fn read_file(path: &Path) -> Result<String> {
    let failed = |why: &dyn fmt::Display| {
        Error::new(
            ErrorKind::File,
            format!("cannot read the mask key {}: {why}", path.display()),
        )
        .hint("make one: head -c 32 /dev/urandom | base64 > mask.key; chmod 600 mask.key")
    };
    let length = std::fs::metadata(path).map_err(|e| failed(&e))?.len();
    if length > LONGEST {
        return Err(failed(&"it is too large to be a key"));
    }
    std::fs::read_to_string(path).map_err(|e| failed(&e))
}

fn check_of(key: &Hmac) -> String {
    let mut hex = Vec::new();
    push_hex(&mut hex, &key.of(&[b"evtap mask key check"])[..8]);
    String::from_utf8_lossy(&hex).into_owned()
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Plan(_) => f.write_str("in the plan"),
            Self::File(path) => write!(f, "in the file {}", path.display()),
            Self::Env(name) => write!(f, "in the environment's {name}"),
        }
    }
}

/// Where it is kept.
impl fmt::Display for MaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kept.fmt(f)
    }
}

impl fmt::Debug for MaskKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "MaskKey({self}, check {})", self.check)
    }
}

/// The same key; it may be kept elsewhere.
impl PartialEq for MaskKey {
    fn eq(&self, other: &Self) -> bool {
        self.check == other.check
    }
}

/// As it stands in the file of a plan.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    secret: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file: Option<PathBuf>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    env: Option<String>,
    check: String,
}

impl Serialize for MaskKey {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut form = Form {
            secret: None,
            file: None,
            env: None,
            check: self.check.clone(),
        };
        match &self.kept {
            Kept::Plan(key) => form.secret = Some(key.expose_secret().to_owned()),
            Kept::File(path) => form.file = Some(path.clone()),
            Kept::Env(name) => form.env = Some(name.clone()),
        }
        form.serialize(to)
    }
}

impl<'de> Deserialize<'de> for MaskKey {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let form = Form::deserialize(from)?;
        let kept = match (form.secret, form.file, form.env) {
            (Some(key), None, None) => Kept::Plan(key.into()),
            (None, Some(path), None) => Kept::File(path),
            (None, None, Some(name)) => Kept::Env(name),
            _ => {
                return Err(serde::de::Error::custom(
                    "a mask key is kept in one place: secret, file or env",
                ));
            }
        };
        Ok(Self {
            kept,
            check: form.check,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(text: &str) -> (tempfile::TempDir, String) {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("mask.key");
        std::fs::write(&path, text).unwrap();
        let path = path.to_str().unwrap().to_owned();
        (dir, path)
    }

    #[test]
    fn a_key_from_a_file_is_the_same_with_and_without_its_line_end() {
        let (_a, one) = file("0123456789abcdef0123");
        let (_b, two) = file("0123456789abcdef0123\n");
        let (one, two) = (MaskKey::at(&one).unwrap(), MaskKey::at(&two).unwrap());
        assert_eq!(one, two);
        assert_eq!(
            one.load().unwrap().of(&[b"x"]),
            Hmac::new(b"0123456789abcdef0123").of(&[b"x"])
        );
    }

    #[test]
    fn another_key_in_its_place_is_noticed() {
        let (_dir, path) = file("0123456789abcdef0123");
        let key = MaskKey::at(&path).unwrap();
        std::fs::write(&path, "another key of good length").unwrap();
        let error = key.load().err().unwrap();
        assert!(error.message.contains("another one"), "{error}");
    }

    #[test]
    fn a_short_or_missing_key_says_how_to_make_one() {
        let (_dir, path) = file("secret\n");
        for place in [path.as_str(), "/nowhere/at/all", "env:EVTAP_NO_SUCH_KEY"] {
            let error = MaskKey::at(place).unwrap_err();
            assert!(error.hint.unwrap().contains("urandom"), "{place}");
        }
    }

    #[test]
    fn nothing_prints_a_key_but_the_plans_own_file() {
        let (_dir, path) = file("0123456789abcdef0123");
        let random = MaskKey::random().unwrap();
        let Kept::Plan(secret) = &random.kept else {
            panic!("a random key is kept in the plan");
        };
        assert!(!format!("{random:?} {random}").contains(secret.expose_secret()));
        let plan = toml::to_string(&random).unwrap();
        assert!(plan.contains(secret.expose_secret()));
        let again: MaskKey = toml::from_str(&plan).unwrap();
        assert_eq!(
            again.load().unwrap().of(&[b"a"]),
            random.load().unwrap().of(&[b"a"])
        );
        assert_ne!(random, MaskKey::random().unwrap());
        let kept = toml::to_string(&MaskKey::at(&path).unwrap()).unwrap();
        assert!(!kept.contains("0123456789abcdef0123"), "{kept}");
    }
}
