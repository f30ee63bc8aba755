//! `evtap keys`, `[keys]` in the config, and `docs/keys.md`, which is written from the same table.

use std::fmt::Write as _;

use evtap::tui::actions::{ACTIONS, Scope};

use super::{Ran, out, support};

fn with_config(config: &str, args: &[&str]) -> Ran {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("config.toml");
    std::fs::write(&file, config).unwrap();
    Ran::of(support::evtap().args(args).env("EVTAP_CONFIG", file))
}

/// A key as Markdown: in a table a bar must be escaped, and a backtick needs two around it.
fn code(key: &str) -> String {
    let key = key.replace('|', "\\|");
    if key.contains('`') {
        format!("`` {key} ``")
    } else {
        format!("`{key}`")
    }
}

fn documented() -> String {
    let mut text = String::from(
        "# Keys\n\n\
         The keys of the screen by default; `?` shows those that hold in the view one is in, and \
         `evtap keys` those that are in force. A view's own keys go before those of everywhere. \
         The name of an action is what `[keys]` in the [config](config.md#keys) calls it by; the \
         palette (`:`) finds it by its words.\n\n\
         While something is typed (filter, prompt, list) keys are text: `enter` takes it, `esc` \
         leaves, `up` and `down` choose, `ctrl-a` `ctrl-e` `ctrl-w` `ctrl-u` `ctrl-k` `alt-b` \
         `alt-f` edit as in a shell.\n",
    );
    for scope in Scope::ALL {
        let specs: Vec<_> = ACTIONS.iter().filter(|s| s.scope == *scope).collect();
        if specs.is_empty() {
            continue;
        }
        write!(
            text,
            "\n## {}\n\n| keys | what | action |\n|---|---|---|\n",
            scope.name()
        )
        .unwrap();
        for spec in specs {
            let keys: Vec<String> = spec.keys.iter().map(|k| code(k)).collect();
            let about = spec.help.replace('|', "\\|");
            writeln!(text, "| {} | {about} | `{}` |", keys.join(" "), spec.id).unwrap();
        }
    }
    text
}

#[test]
fn the_documentation_lists_every_key_as_it_is() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/keys.md");
    let wanted = documented();
    if std::env::var_os("EVTAP_WRITE_DOCS").is_some() {
        std::fs::write(path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(path).unwrap().replace("\r\n", "\n");
    assert_eq!(
        found, wanted,
        "docs/keys.md is not of this table: EVTAP_WRITE_DOCS=1 cargo test --test cli keys"
    );
}

#[test]
fn every_action_is_listed_with_its_keys() {
    let text = out(&["keys"]);
    for spec in ACTIONS {
        let line = text
            .lines()
            .find(|l| l.contains(&format!("  {} ", spec.id)))
            .unwrap_or_else(|| panic!("{} is missing", spec.id));
        assert!(line.ends_with(spec.help), "{line}");
        assert!(spec.keys.iter().all(|k| line.contains(k)), "{line}");
    }
    let json: serde_json::Value = serde_json::from_str(&out(&["keys", "-o", "json"])).unwrap();
    let rows = json["keys"].as_array().unwrap();
    assert_eq!(rows.len(), ACTIONS.len());
    let quit = rows.iter().find(|r| r["action"] == "quit").unwrap();
    assert_eq!(quit["keys"], serde_json::json!(["q", "ctrl-c"]));
    assert_eq!(quit["where"], "everywhere");
}

#[test]
fn keys_of_the_config_take_the_place_of_all_keys_of_an_action() {
    let config = "[keys]\nquit = ['ctrl-q', 'Q']\n'filter.clear' = []\n'copy.value' = ['y y']\n";
    let ran = with_config(config, &["keys", "-o", "json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let json: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let keys = |action: &str| {
        let rows = json["keys"].as_array().unwrap();
        rows.iter().find(|r| r["action"] == action).unwrap()["keys"].clone()
    };
    assert_eq!(keys("quit"), serde_json::json!(["ctrl-q", "Q"]));
    assert_eq!(keys("filter.clear"), serde_json::json!([]));
    assert_eq!(keys("copy.value"), serde_json::json!(["y y"]));
    assert_eq!(keys("help"), serde_json::json!(["?", "f1"]));
}

#[test]
fn a_mistake_in_the_keys_is_told() {
    for (config, told) in [
        ("[keys]\nqiut = ['x']", "no action is called 'qiut'"),
        ("[keys]\nquit = ['ctrl-']", "'ctrl-' is no key"),
        ("[keys]\nquit = ['j']", "'j' is both move.down and quit"),
        ("[keys]\nhelp = ['y']", "'y' hides 'y c' of copy.command"),
        ("[keys]\nquit = ['']", "'' is no key"),
        ("[keys]\nquit = 'q'", "config.toml:2:8: "),
    ] {
        let ran = with_config(config, &["keys"]);
        assert_eq!(ran.code, Some(2), "{config}: {}", ran.err);
        assert_eq!(ran.out, "", "{config}");
        assert!(ran.err.starts_with("evtap: "), "{}", ran.err);
        assert!(ran.err.contains(told), "{config}: {}", ran.err);
    }
}

#[test]
fn the_screen_needs_a_terminal() {
    let ran = super::evtap(&["open", "demo:"]);
    assert_eq!(ran.code, Some(2));
    assert_eq!(ran.out, "");
    assert_eq!(
        ran.err,
        "evtap: the screen needs a terminal, and standard output is none\n\
         hint: `evtap read` and `evtap tail` print events to a pipe\n"
    );
    // Without a command it is the help that helps.
    let ran = super::evtap(&[]);
    assert_eq!((ran.code, &*ran.out), (Some(2), ""));
    assert!(ran.err.contains("Usage: evtap"), "{}", ran.err);
}
