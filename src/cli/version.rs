//! What `--version` says: the version, the commit, the adapters and the features of this build.

use std::sync::OnceLock;

pub const SHORT: &str = env!("CARGO_PKG_VERSION");

/// What can be left out of a build, beside the adapters.
const FEATURES: &[(&str, bool)] = &[
    ("zstd", cfg!(feature = "zstd")),
    ("ssl-vendored", cfg!(feature = "ssl-vendored")),
    ("system-openssl", cfg!(feature = "system-openssl")),
];

/// The commit that the build script found; a build from a source archive has none.
const COMMIT: Option<&str> = option_env!("EVTAP_COMMIT");

pub fn long() -> &'static str {
    static TEXT: OnceLock<String> = OnceLock::new();
    TEXT.get_or_init(|| {
        let adapters: Vec<&str> = crate::broker::ADAPTERS.iter().map(|a| a.name).collect();
        let commit = COMMIT.map_or_else(String::new, |c| format!(" ({c})"));
        let features: Vec<&str> = FEATURES
            .iter()
            .filter(|(_, on)| *on)
            .map(|(name, _)| *name)
            .collect();
        let features = if features.is_empty() {
            "none".to_owned()
        } else {
            features.join(", ")
        };
        format!(
            "{SHORT}{commit}\nadapters: {}\nfeatures: {features}",
            adapters.join(", ")
        )
    })
}
