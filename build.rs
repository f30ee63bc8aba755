//! Tells the build which commit it is made from. Nothing else happens at build time.

use std::process::Command;

fn main() {
    println!("cargo:rerun-if-changed=build.rs");
    // Git tells where they are: in a linked work tree, not under `.git`. Only what exists: a
    // missing path would rerun this at every build.
    for file in ["HEAD", "logs/HEAD"] {
        if let Some(path) = git(&["rev-parse", "--git-path", file])
            && std::path::Path::new(&path).exists()
        {
            println!("cargo:rerun-if-changed={path}");
        }
    }
    if let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) {
        println!("cargo:rustc-env=EVTAP_COMMIT={commit}");
    }
}

fn git(args: &[&str]) -> Option<String> {
    let out = Command::new("git").args(args).output().ok()?;
    let text = out.status.success().then_some(out.stdout)?;
    Some(String::from_utf8(text).ok()?.trim().to_owned())
}
