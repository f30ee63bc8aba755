//! What `--version` says: the version, the commit and the adapters of this build.

use std::sync::OnceLock;

pub const SHORT: &str = env!("CARGO_PKG_VERSION");

/// The commit that the build script found; a build from a source archive has none.
const COMMIT: Option<&str> = option_env!("EVTAP_COMMIT");

pub fn long() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let adapters: Vec<&str> = crate::broker::ADAPTERS.iter().map(|a| a.name).collect();
        let commit = COMMIT.map_or_else(String::new, |c| format!(" ({c})"));
        format!("{SHORT}{commit}\nadapters: {}", adapters.join(", "))
    })
}
