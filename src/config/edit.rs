//! Adding a context to the config file. The file is replaced in one step and never left half
//! written; what stands in it is kept byte for byte.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::Path;

use super::{Config, ConfigError};

/// Appends the TOML of one context, creating the file when there is none. A context of that name
/// that is there already is an error, and so is a file that would not be read again.
pub fn add_context(path: &Path, name: &str, toml: &str) -> Result<(), ConfigError> {
    let failed = |what: &str, error: &std::io::Error| {
        ConfigError::new(format!("cannot {what} {}: {error}", path.display()))
    };
    let old = match fs::read_to_string(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => String::new(),
        other => other.map_err(|e| failed("read", &e))?,
    };
    if Config::parse(&old, path)?.contexts.contains_key(name) {
        return Err(
            ConfigError::new(format!("{} has a context '{name}' already", path.display()))
                .hint("choose another name"),
        );
    }
    let gap = match old.as_str() {
        "" => "",
        text if text.ends_with('\n') => "\n",
        _ => "\n\n",
    };
    let new = format!("{old}{gap}{toml}");
    Config::parse(&new, path)?;
    // A link is followed, so that a file kept elsewhere stays there.
    let place = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let directory = place.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory).map_err(|e| failed("create the folder of", &e))?;
    replace(&place, new.as_bytes()).map_err(|e| failed("write", &e))
}

fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut temporary = path.as_os_str().to_owned();
    temporary.push(format!(".{}.new", std::process::id()));
    let temporary = Path::new(&temporary);
    let written = write_private(temporary, bytes).and_then(|()| {
        if let Ok(old) = fs::metadata(path) {
            fs::set_permissions(temporary, old.permissions())?;
        }
        fs::rename(temporary, path)
    });
    if written.is_err() {
        // The first error is the one to tell; a file that is left over is harmless.
        drop(fs::remove_file(temporary));
    }
    written
}

/// A new file that only its owner can read.
fn write_private(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file: File = options.open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_context_is_added_after_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deep/config.toml");
        add_context(&path, "a", "[contexts.a]\nurl = 'kafka://a'\n").unwrap();
        add_context(&path, "b", "[contexts.b]\nurl = 'kafka://b'\n").unwrap();
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("[contexts.a]\nurl = 'kafka://a'\n\n[contexts.b]"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            assert_eq!(
                fs::metadata(&path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
        assert_eq!(fs::read_dir(path.parent().unwrap()).unwrap().count(), 1);
    }

    #[test]
    fn what_would_break_the_file_is_refused_and_the_file_stays() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let first = "# mine\n[contexts.a]\nurl = 'kafka://a'";
        fs::write(&path, first).unwrap();
        assert!(add_context(&path, "a", "[contexts.a]\nurl='x'\n").is_err());
        assert!(add_context(&path, "b", "[contexts.b]\nurl=\n").is_err());
        assert_eq!(fs::read_to_string(&path).unwrap(), first);
    }
}
