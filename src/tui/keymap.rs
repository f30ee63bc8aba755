//! The keys in force: those of the table, with the user's own in their place. Two actions never
//! share a key where both mean something.

use std::collections::BTreeMap;
use std::fmt;

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};

use super::actions::{ACTIONS, Action, Scope};

/// One key with its modifiers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Chord {
    pub code: KeyCode,
    pub modifiers: KeyModifiers,
}

impl Chord {
    /// What a terminal sent. A letter carries its case itself; terminals differ in whether they
    /// say shift, too.
    pub fn of(event: &KeyEvent) -> Self {
        let mut modifiers = event.modifiers & (KeyModifiers::CONTROL | KeyModifiers::ALT);
        if !matches!(event.code, KeyCode::Char(_) | KeyCode::BackTab) {
            modifiers |= event.modifiers & KeyModifiers::SHIFT;
        }
        let code = match event.code {
            // Control with a letter has no case.
            KeyCode::Char(c) if modifiers.contains(KeyModifiers::CONTROL) => {
                KeyCode::Char(c.to_ascii_lowercase())
            }
            code => code,
        };
        Self { code, modifiers }
    }

    pub fn parse(text: &str) -> Option<Self> {
        let mut modifiers = KeyModifiers::NONE;
        let mut rest = text;
        loop {
            let (modifier, after) = if let Some(after) = rest.strip_prefix("ctrl-") {
                (KeyModifiers::CONTROL, after)
            } else if let Some(after) = rest.strip_prefix("alt-") {
                (KeyModifiers::ALT, after)
            } else if let Some(after) = rest.strip_prefix("shift-") {
                (KeyModifiers::SHIFT, after)
            } else {
                break;
            };
            if after.is_empty() {
                break;
            }
            modifiers |= modifier;
            rest = after;
        }
        let code = code(rest)?;
        let upper = matches!(code, KeyCode::Char(c) if c.is_ascii_uppercase());
        let shifted_letter = modifiers.contains(KeyModifiers::SHIFT) && rest.chars().count() == 1;
        if shifted_letter || (upper && modifiers.contains(KeyModifiers::CONTROL)) {
            return None;
        }
        Some(Self { code, modifiers })
    }
}

const NAMED: &[(&str, KeyCode)] = &[
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("space", KeyCode::Char(' ')),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pageup", KeyCode::PageUp),
    ("pagedown", KeyCode::PageDown),
];

fn code(name: &str) -> Option<KeyCode> {
    if let Some((_, code)) = NAMED.iter().find(|(known, _)| *known == name) {
        return Some(*code);
    }
    let mut chars = name.chars();
    match (chars.next()?, chars.as_str()) {
        (c, "") if !c.is_control() => Some(KeyCode::Char(c)),
        ('f', number) => match number.parse() {
            Ok(n @ 1..=24) => Some(KeyCode::F(n)),
            _ => None,
        },
        _ => None,
    }
}

impl fmt::Display for Chord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (flag, name) in [
            (KeyModifiers::CONTROL, "ctrl-"),
            (KeyModifiers::ALT, "alt-"),
            (KeyModifiers::SHIFT, "shift-"),
        ] {
            if self.modifiers.contains(flag) {
                f.write_str(name)?;
            }
        }
        if let Some((name, _)) = NAMED.iter().find(|(_, code)| *code == self.code) {
            return f.write_str(name);
        }
        match self.code {
            KeyCode::Char(c) => write!(f, "{c}"),
            KeyCode::F(n) => write!(f, "f{n}"),
            _ => f.write_str("?"),
        }
    }
}

/// One key, or two after each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Keys {
    pub first: Chord,
    pub second: Option<Chord>,
}

impl Keys {
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let first = Chord::parse(parts.next()?)?;
        let second = parts.next().map(Chord::parse);
        if parts.next().is_some() || second == Some(None) {
            return None;
        }
        Some(Self {
            first,
            second: second.flatten(),
        })
    }

    /// One of them would keep the other from being typed.
    fn hides(&self, other: &Self) -> bool {
        self.first == other.first
            && (self.second.is_none() || other.second.is_none() || self == other)
    }
}

impl fmt::Display for Keys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.second {
            Some(second) => write!(f, "{} {second}", self.first),
            None => self.first.fmt(f),
        }
    }
}

/// What is wrong with a user's key map.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    #[error("[keys]: no action is called '{0}'; `evtap keys` lists them")]
    Unknown(String),
    #[error(
        "[keys] {action}: '{key}' is no key; write for example j, G, space, ctrl-d, f5, or two after each other: \"y v\""
    )]
    NoKey { action: String, key: String },
    #[error(
        "[keys]: '{key}' is both {one} and {two}; give one of them another key, or [] for none"
    )]
    Clash {
        key: String,
        one: &'static str,
        two: &'static str,
    },
    #[error(
        "[keys] {of}: '{key}' hides '{hidden}' of {action}; give one of them another key, or [] for none"
    )]
    Hides {
        key: String,
        of: &'static str,
        hidden: String,
        action: &'static str,
    },
}

/// Why two actions cannot both have their keys.
fn between((one, of): (&Keys, Action), (two, action): (&Keys, Action)) -> KeyError {
    let (of, action) = (of.spec().id, action.spec().id);
    if one == two {
        return KeyError::Clash {
            key: one.to_string(),
            one: of,
            two: action,
        };
    }
    // The shorter one would be meant before the longer one could be typed.
    let ((short, of), (long, action)) = if one.second.is_none() {
        ((one, of), (two, action))
    } else {
        ((two, action), (one, of))
    };
    KeyError::Hides {
        key: short.to_string(),
        of,
        hidden: long.to_string(),
        action,
    }
}

/// What a key means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Meaning {
    Action(Action),
    /// The first of a sequence.
    Prefix,
    Nothing,
}

/// The keys in force.
#[derive(Debug, Clone)]
pub struct Keymap {
    bound: Vec<(Keys, Action)>,
}

impl Keymap {
    /// The table's keys, with those of the user in the place of all keys of an action.
    pub fn new(user: &BTreeMap<String, Vec<String>>) -> Result<Self, KeyError> {
        if let Some(unknown) = user.keys().find(|id| Action::by_id(id).is_none()) {
            return Err(KeyError::Unknown(unknown.clone()));
        }
        let mut bound: Vec<(Keys, Action)> = Vec::new();
        for spec in ACTIONS {
            let own = user.get(spec.id);
            let texts: Vec<&str> = match own {
                Some(keys) => keys.iter().map(String::as_str).collect(),
                None => spec.keys.to_vec(),
            };
            for text in texts {
                let keys = Keys::parse(text).ok_or_else(|| KeyError::NoKey {
                    action: spec.id.to_owned(),
                    key: text.to_owned(),
                })?;
                bound.push((keys, spec.action));
            }
        }
        let map = Self { bound };
        map.clash().map_or(Ok(map), Err)
    }

    fn clash(&self) -> Option<KeyError> {
        for (i, (keys, action)) in self.bound.iter().enumerate() {
            for (other, of) in &self.bound[..i] {
                if action != of
                    && keys.hides(other)
                    && action.spec().scope.overlaps(of.spec().scope)
                {
                    return Some(between((other, *of), (keys, *action)));
                }
            }
        }
        None
    }

    /// What a key means in these scopes, of which an earlier one wins.
    pub fn meaning(&self, before: Option<Chord>, chord: Chord, scopes: &[Scope]) -> Meaning {
        for scope in scopes {
            for (keys, action) in &self.bound {
                if action.spec().scope != *scope {
                    continue;
                }
                match (before, keys.second) {
                    (None, None) if keys.first == chord => return Meaning::Action(*action),
                    (None, Some(_)) if keys.first == chord => return Meaning::Prefix,
                    (Some(first), Some(second)) if first == keys.first && second == chord => {
                        return Meaning::Action(*action);
                    }
                    _ => {}
                }
            }
        }
        Meaning::Nothing
    }

    /// The keys of an action, for hints and help.
    pub fn keys(&self, action: Action) -> impl Iterator<Item = Keys> + '_ {
        let of = move |(_, a): &&(Keys, Action)| *a == action;
        self.bound.iter().filter(of).map(|(keys, _)| *keys)
    }

    /// The first key of an action; empty when the user took them all.
    pub fn hint(&self, action: Action) -> String {
        self.keys(action)
            .next()
            .map_or_else(String::new, |k| k.to_string())
    }

    /// What may follow a first key: `v copy the value`.
    pub fn after(&self, first: Chord, scopes: &[Scope]) -> Vec<(Chord, Action)> {
        let follows = |(keys, action): &(Keys, Action)| {
            let here = scopes.contains(&action.spec().scope) && keys.first == first;
            here.then_some(keys.second?).map(|second| (second, *action))
        };
        self.bound.iter().filter_map(follows).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(pairs: &[(&str, &[&str])]) -> BTreeMap<String, Vec<String>> {
        let owned = |(id, keys): &(&str, &[&str])| {
            let keys = keys.iter().map(|k| (*k).to_owned()).collect();
            ((*id).to_owned(), keys)
        };
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn the_keys_of_the_table_do_not_clash() {
        Keymap::new(&BTreeMap::new()).unwrap();
    }

    #[test]
    fn every_key_reads_back_as_it_is_written() {
        for spec in ACTIONS {
            for key in spec.keys {
                assert_eq!(Keys::parse(key).unwrap().to_string(), *key);
            }
        }
    }

    #[test]
    fn what_is_no_key_is_no_key() {
        for text in [
            "", "ctrl-", "f99", "jj", "y v v", "shift-a", "ctrl-A", "y  v",
        ] {
            assert_eq!(Keys::parse(text), None, "{text}");
        }
        assert!(Keys::parse("-").is_some());
    }

    #[test]
    fn a_user_moves_keys_and_is_told_of_a_clash() {
        let map = Keymap::new(&user(&[("quit", &["ctrl-q"])])).unwrap();
        assert_eq!(map.hint(Action::Quit), "ctrl-q");
        let error = Keymap::new(&user(&[("quit", &["j"])])).unwrap_err();
        assert!(matches!(error, KeyError::Clash { .. }), "{error}");
        let error = Keymap::new(&user(&[("help", &["y"])])).unwrap_err();
        assert!(matches!(error, KeyError::Hides { .. }), "{error}");
        let error = Keymap::new(&user(&[("help", &["q x"])])).unwrap_err();
        let told = error.to_string();
        assert!(told.contains("quit: 'q' hides 'q x' of help"), "{told}");
        let error = Keymap::new(&user(&[("nope", &["j"])])).unwrap_err();
        assert_eq!(error, KeyError::Unknown("nope".to_owned()));
    }

    #[test]
    fn the_nearer_scope_wins_and_a_sequence_is_waited_for() {
        let map = Keymap::new(&BTreeMap::new()).unwrap();
        let chord = |text| Chord::parse(text).unwrap();
        let scopes = [Scope::Stream, Scope::Everywhere];
        assert_eq!(map.meaning(None, chord("y"), &scopes), Meaning::Prefix);
        assert_eq!(
            map.meaning(Some(chord("y")), chord("v"), &scopes),
            Meaning::Action(Action::CopyValue)
        );
        assert_eq!(
            map.meaning(None, chord("space"), &[Scope::Replay, Scope::Everywhere]),
            Meaning::Action(Action::PauseRun)
        );
        assert_eq!(map.meaning(None, chord("f12"), &scopes), Meaning::Nothing);
    }
}
