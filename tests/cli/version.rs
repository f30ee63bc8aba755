//! What the program says of itself.

use super::out;

#[test]
fn the_version_names_its_adapters_and_features() {
    let version = out(&["--version"]);
    let lines: Vec<&str> = version.lines().collect();
    assert!(lines[0].starts_with(concat!("evtap ", env!("CARGO_PKG_VERSION"))));
    assert!(lines[1].starts_with("adapters: "), "{version}");
    assert!(lines[1].ends_with("capture, demo"), "{version}");
    assert!(lines[2].starts_with("features: "), "{version}");
}

#[test]
fn every_help_ends_in_two_examples() {
    for command in ["read", "replay", "config", "config import", "config check"] {
        let args: Vec<&str> = command.split(' ').chain(["--help"]).collect();
        let help = out(&args);
        let examples = help.split("Examples:\n").nth(1).unwrap();
        assert_eq!(examples.lines().count(), 2, "{command}: {examples}");
    }
}
