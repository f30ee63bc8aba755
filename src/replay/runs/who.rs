//! Who runs a plan, as the operating system tells. Names are data: whoever shows them goes through
//! `text`.

use std::fs;
use std::io::Write;
use std::path::Path;

use crate::broker::Result;

/// Characters of a host's name that go into a worker's.
const HOST_CHARS: usize = 40;

/// The name of this host, of letters, digits, dots and dashes; `host` where none is known.
pub(super) fn host() -> String {
    let file = |path| fs::read_to_string(path).ok();
    let var = |name| std::env::var(name).ok();
    let name = file("/proc/sys/kernel/hostname")
        .or_else(|| var("HOSTNAME"))
        .or_else(|| var("COMPUTERNAME"))
        .or_else(|| file("/etc/hostname"))
        .unwrap_or_default();
    let good = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
    let name: String = name.trim().chars().filter(good).take(HOST_CHARS).collect();
    if name.is_empty() {
        "host".to_owned()
    } else {
        name
    }
}

/// The login name, as the environment has it.
pub(super) fn user() -> Option<String> {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok())
        .filter(|name| !name.is_empty())
}

/// Tells hosts of one name apart: eight hex digits that are drawn once for a state folder.
pub(super) fn mark(root: &Path) -> Result<String> {
    let path = root.join("host");
    let read = || {
        let text = fs::read_to_string(&path).ok()?;
        let text = text.trim();
        let good = text.len() == 8 && text.bytes().all(|b| b.is_ascii_hexdigit());
        good.then(|| text.to_owned())
    };
    if let Some(mark) = read() {
        return Ok(mark);
    }
    let failed = |error: std::io::Error| super::cannot("write", &path, &error);
    let mut file = tempfile::NamedTempFile::new_in(root).map_err(failed)?;
    writeln!(file, "{:08x}", drawn()).map_err(failed)?;
    file.as_file().sync_all().map_err(failed)?;
    // Whoever was first has drawn it, unless what stands there is damaged.
    if let Err(lost) = file.persist_noclobber(&path)
        && read().is_none()
    {
        lost.file.persist(&path).map_err(|e| failed(e.error))?;
    }
    Ok(read().unwrap_or_else(|| "00000000".to_owned()))
}

/// Another number for each process, from the keys by which the standard library seeds its maps.
fn drawn() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    RandomState::new().hash_one(std::process::id()) as u32
}
