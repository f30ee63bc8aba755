//! `evtap themes`, `--theme` and what the config says of the look.

use std::path::Path;

use super::{Ran, evtap, out, support};

/// A run with a config file of that text, and a folder of config that holds the user's themes.
fn with_home(home: &Path, config: &str, args: &[&str]) -> Ran {
    let file = home.join("config.toml");
    std::fs::write(&file, config).unwrap();
    let mut command = support::evtap();
    command.env("XDG_CONFIG_HOME", home);
    Ran::of(command.args(args).env("EVTAP_CONFIG", file))
}

fn home_with(name: &str, text: &str) -> tempfile::TempDir {
    let home = tempfile::tempdir().unwrap();
    let themes = home.path().join("evtap/themes");
    std::fs::create_dir_all(&themes).unwrap();
    std::fs::write(themes.join(name), text).unwrap();
    home
}

#[test]
fn the_themes_are_listed_with_where_each_comes_from() {
    let list = out(&["themes"]);
    let names: Vec<&str> = list
        .lines()
        .skip(1)
        .filter_map(|line| line.trim_start_matches('*').split_whitespace().next())
        .collect();
    assert!(names.len() >= 8, "{list}");
    assert!(list.lines().skip(1).all(|line| line.contains("built in")));
    assert!(
        list.lines().nth(1).unwrap().starts_with("*  default"),
        "{list}"
    );
    assert!(names.contains(&"high-contrast"), "{list}");
}

#[test]
fn a_theme_that_is_printed_and_saved_is_a_theme() {
    let text = out(&["themes", "nord"]);
    let home = home_with("mine.toml", &text.replace("After Nord", "Mine"));
    let ran = with_home(home.path(), "theme = 'mine'", &["themes", "-o", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let themes = json["themes"].as_array().unwrap();
    let mine = themes.iter().find(|t| t["theme"] == "mine").unwrap();
    assert_eq!(mine["used"], true);
    assert!(mine["about"].as_str().unwrap().starts_with("Mine"));
    assert!(
        mine["file"]
            .as_str()
            .unwrap()
            .ends_with("evtap/themes/mine.toml")
    );
    assert_eq!(mine["error"], serde_json::Value::Null);
    let used = themes.iter().filter(|t| t["used"] == true).count();
    assert_eq!(used, 1);
    let again = with_home(home.path(), "", &["themes", "mine"]);
    assert_eq!(again.out, text.replace("After Nord", "Mine"));
}

#[test]
fn a_mistake_in_a_theme_is_told_and_leaves_the_list() {
    let home = home_with("mine.toml", "[roles]\ncursr = 'red'\n");
    let ran = with_home(home.path(), "", &["themes"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(
        ran.out.contains("mine.toml:2:1: unknown role 'cursr'"),
        "{}",
        ran.out
    );
    assert_eq!(ran.err, "hint: mine: did you mean cursor?\n");
    let ran = with_home(home.path(), "", &["themes", "mine"]);
    assert_eq!(ran.code, Some(2));
    assert!(
        ran.err.ends_with("hint: did you mean cursor?\n"),
        "{}",
        ran.err
    );
}

#[test]
fn an_unknown_theme_is_a_usage_error_with_the_names() {
    let home = tempfile::tempdir().unwrap();
    for (config, args) in [
        ("", &["themes", "nrod"][..]),
        ("", &["themes", "--theme", "nrod"]),
        ("", &["read", "demo:orders", "-n", "1", "--theme", "nrod"]),
        ("theme = 'nrod'", &["config", "check"]),
    ] {
        let ran = with_home(home.path(), config, args);
        assert_eq!(ran.code, Some(2), "{args:?}");
        assert_eq!(ran.out, "", "{args:?}");
        let hint = "evtap: unknown theme 'nrod'\nhint: did you mean nord? known themes: default, ";
        assert!(ran.err.starts_with(hint), "{args:?}: {}", ran.err);
    }
    // What draws nothing does not care, and the list is what helps.
    let ran = with_home(
        home.path(),
        "theme = 'nrod'",
        &["read", "demo:orders", "-q"],
    );
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let ran = with_home(home.path(), "theme = 'nrod'", &["themes"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(
        ran.err,
        "warning: the config names an unknown theme 'nrod'\n"
    );
    assert_eq!(evtap(&["themes", "nord", "-o", "json"]).code, Some(2));
}

#[test]
fn ascii_can_be_set_in_the_config() {
    let home = tempfile::tempdir().unwrap();
    for (config, ascii) in [("ascii = true", true), ("ascii = false", false)] {
        let ran = with_home(home.path(), config, &["read", "demo:orders"]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert_eq!(ran.err.is_ascii(), ascii, "{}", ran.err);
    }
    let ran = with_home(home.path(), "asci = true", &["themes"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.err.contains("did you mean ascii?"), "{}", ran.err);
}
