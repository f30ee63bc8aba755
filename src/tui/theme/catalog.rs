//! The themes that there are: those of this build, and the user's own files.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use super::{DEFAULT, Theme};
use crate::config::{ConfigError, did_you_mean, read_page};

/// A theme of this build.
#[derive(Debug, Clone, Copy)]
pub struct BuiltIn {
    pub name: &'static str,
    pub toml: &'static str,
}

/// One line for each file of `themes/`, in the order in which they are shown.
pub const BUILT_IN: &[BuiltIn] = &[
    built_in(DEFAULT, include_str!("../../../themes/default.toml")),
    built_in("dark", include_str!("../../../themes/dark.toml")),
    built_in("light", include_str!("../../../themes/light.toml")),
    built_in(
        "high-contrast",
        include_str!("../../../themes/high-contrast.toml"),
    ),
    built_in(
        "catppuccin-mocha",
        include_str!("../../../themes/catppuccin-mocha.toml"),
    ),
    built_in(
        "gruvbox-dark",
        include_str!("../../../themes/gruvbox-dark.toml"),
    ),
    built_in(
        "solarized-light",
        include_str!("../../../themes/solarized-light.toml"),
    ),
    built_in("nord", include_str!("../../../themes/nord.toml")),
];

const fn built_in(name: &'static str, toml: &'static str) -> BuiltIn {
    BuiltIn { name, toml }
}

impl BuiltIn {
    pub fn theme(&self) -> Result<Theme, ConfigError> {
        let path = format!("themes/{}.toml", self.name);
        Theme::parse(self.name, self.toml, Path::new(&path))
    }
}

/// Where themes are looked for: the user's folder first, then this build.
#[derive(Debug, Clone, Default)]
pub struct Catalog {
    folder: Option<PathBuf>,
}

/// A theme that can be named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    pub name: String,
    /// The user's file; `None` for a theme of this build.
    pub file: Option<PathBuf>,
}

impl Catalog {
    /// `folder` holds the user's `NAME.toml`; it need not be there.
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self { folder }
    }

    /// Every theme once: those of this build, then the user's others by name.
    pub fn list(&self) -> Result<Vec<Listed>, ConfigError> {
        let mut own = self.own_files()?;
        own.sort_by(|a, b| a.name.cmp(&b.name));
        let mut listed: Vec<Listed> = BUILT_IN
            .iter()
            .map(|built_in| {
                let file = own.iter().find(|o| o.name == built_in.name);
                Listed {
                    name: built_in.name.to_owned(),
                    file: file.and_then(|o| o.file.clone()),
                }
            })
            .collect();
        own.retain(|o| find(&o.name).is_none());
        listed.append(&mut own);
        Ok(listed)
    }

    fn own_files(&self) -> Result<Vec<Listed>, ConfigError> {
        let Some(folder) = &self.folder else {
            return Ok(Vec::new());
        };
        let unreadable = |error: std::io::Error| {
            ConfigError::new(format!(
                "cannot read the folder of themes {}: {error}",
                folder.display()
            ))
            .hint("make it readable, or remove it: the themes of evtap itself need no file")
        };
        let entries = match std::fs::read_dir(folder) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            other => other.map_err(unreadable)?,
        };
        let mut own = Vec::new();
        for entry in entries {
            let path = entry.map_err(unreadable)?.path();
            let stem = path.file_stem().and_then(|stem| stem.to_str());
            let toml = path.extension().is_some_and(|e| e == "toml");
            if let Some(name) = stem.filter(|stem| toml && is_name(stem)) {
                own.push(Listed {
                    name: name.to_owned(),
                    file: Some(path),
                });
            }
        }
        Ok(own)
    }

    /// The theme of that name, and the text of its file.
    pub fn load(&self, name: &str) -> Result<(Theme, String), ConfigError> {
        if !is_name(name) {
            return Err(self.unknown(name));
        }
        if let Some(folder) = &self.folder {
            let path = folder.join(format!("{name}.toml"));
            if let Some(text) = read_page(&path, "the theme")? {
                return Ok((Theme::parse(name, &text, &path)?, text));
            }
        }
        let built_in = find(name).ok_or_else(|| self.unknown(name))?;
        Ok((built_in.theme()?, built_in.toml.to_owned()))
    }

    fn unknown(&self, name: &str) -> ConfigError {
        let own = self.own_files().unwrap_or_default();
        let mut known: Vec<&str> = BUILT_IN.iter().map(|b| b.name).collect();
        known.extend(own.iter().map(|o| &*o.name).filter(|o| find(o).is_none()));
        let list = known.join(", ");
        ConfigError::new(format!("unknown theme '{name}'")).hint(
            match did_you_mean(name, known.iter().copied()) {
                Some(guess) => format!("did you mean {guess}? known themes: {list}"),
                None => format!("known themes: {list}"),
            },
        )
    }
}

fn find(name: &str) -> Option<&'static BuiltIn> {
    BUILT_IN.iter().find(|built_in| built_in.name == name)
}

/// A name is the stem of a file and leads nowhere else.
fn is_name(name: &str) -> bool {
    !name.is_empty()
        && !name.starts_with('.')
        && name
            .chars()
            .all(|c| c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::color::{self, contrast};
    use crate::tui::theme::{ROLES, Role};

    fn hint(error: &ConfigError) -> &str {
        error.hint.as_deref().unwrap_or_default()
    }

    #[test]
    fn every_theme_reads_says_what_it_is_and_defines_every_role() {
        for built_in in BUILT_IN {
            let theme = built_in.theme().unwrap();
            assert!(!theme.about.is_empty(), "{}", theme.name);
            let table: toml::Table = built_in.toml.parse().unwrap();
            let roles = table["roles"].as_table().unwrap();
            for info in &ROLES {
                assert!(
                    roles.contains_key(info.name),
                    "{} {}",
                    theme.name,
                    info.name
                );
            }
        }
    }

    #[test]
    fn every_file_of_the_folder_is_in_the_table() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("themes");
        let mut files: Vec<String> = std::fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        let mut table: Vec<String> = BUILT_IN
            .iter()
            .map(|b| format!("{}.toml", b.name))
            .collect();
        files.sort();
        table.sort();
        assert_eq!(files, table);
    }

    #[test]
    fn whatever_is_coloured_can_be_read_on_its_background() {
        let mut faults = Vec::new();
        for built_in in BUILT_IN {
            let theme = built_in.theme().unwrap();
            let mut pairs = 0;
            for info in &ROLES {
                let style = theme.style(info.role);
                let screen = theme.style(Role::Screen);
                let fg = style.fg.or(screen.fg).and_then(color::rgb);
                let least = match info.role.contrast() {
                    text if text > 4.0 && theme.name == "high-contrast" => 7.0,
                    other => other,
                };
                for bg in theme.backgrounds(info.role) {
                    let Some(fg) = fg else {
                        faults.push(format!("{} {}: no fg", theme.name, info.name));
                        continue;
                    };
                    pairs += 1;
                    let got = contrast(fg, bg);
                    if got < least {
                        faults.push(format!("{} {}: {got:.2} < {least}", theme.name, info.name));
                    }
                }
            }
            // The terminal's own background is not known; only what sets both is judged.
            let expected = if theme.name == DEFAULT {
                4
            } else {
                ROLES.len()
            };
            assert!(pairs >= expected, "{}: {pairs}", theme.name);
        }
        assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
    }

    #[test]
    fn the_default_theme_leaves_the_background_to_the_terminal() {
        let (theme, _) = Catalog::default().load(DEFAULT).unwrap();
        assert_eq!(theme.style(Role::Screen).bg, None);
        for info in &ROLES {
            let style = theme.style(info.role);
            let named = |c: ratatui::style::Color| color::ANSI.iter().any(|a| a.1 == c);
            assert!(style.fg.is_none_or(named), "{}", info.name);
            // A background without a foreground is read in dark or in light terminals, not both.
            assert!(style.bg.is_none_or(named) && style.bg.is_some() <= style.fg.is_some());
        }
    }

    #[test]
    fn states_that_stand_side_by_side_differ_in_every_theme() {
        use Role as R;
        for built_in in BUILT_IN {
            let theme = built_in.theme().unwrap();
            for group in [
                &[R::Text, R::Dim, R::Strong, R::Accent][..],
                &[R::Text, R::Cursor, R::CursorUnfocused, R::Marked, R::Match],
                &[R::Good, R::Warn, R::Bad],
                &[R::Bar, R::BarStrong, R::Prod],
                &[R::Border, R::BorderFocused],
                &[R::Text, R::Added, R::Removed, R::Changed],
                &[R::JsonKey, R::JsonString, R::JsonNumber],
            ] {
                for (index, role) in group.iter().enumerate() {
                    for other in &group[index + 1..] {
                        let (one, two) = (theme.style(*role), theme.style(*other));
                        assert_ne!(one, two, "{} {role:?} {other:?}", theme.name);
                    }
                }
            }
        }
    }

    #[test]
    fn a_file_of_the_user_adds_a_theme_or_takes_the_place_of_one() {
        let dir = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| std::fs::write(dir.path().join(name), text).unwrap();
        write("mine.toml", "about = 'My own'\n[roles]\ntext = 'red'");
        write("nord.toml", "about = 'Not so blue'");
        write("notes.txt", "x");
        write(".hidden.toml", "x");
        let catalog = Catalog::new(Some(dir.path().to_owned()));
        let listed = catalog.list().unwrap();
        let names: Vec<&str> = listed.iter().map(|l| &*l.name).collect();
        assert_eq!(names[0], DEFAULT);
        assert_eq!(names[BUILT_IN.len()..], ["mine"]);
        let own: Vec<&str> = listed
            .iter()
            .filter(|l| l.file.is_some())
            .map(|l| &*l.name)
            .collect();
        assert_eq!(own, ["nord", "mine"]);
        assert_eq!(catalog.load("nord").unwrap().0.about, "Not so blue");
        let (mine, text) = catalog.load("mine").unwrap();
        assert_eq!(mine.style(Role::Text).fg, Some(ratatui::style::Color::Red));
        assert!(text.starts_with("about = 'My own'"));
        assert_ne!(catalog.load("dark").unwrap().0.about, "");
    }

    #[test]
    fn a_name_that_is_not_known_is_an_error_with_the_names() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("mine.toml"), "[roles]\nx = 1").unwrap();
        std::fs::write(dir.path().join("binary.toml"), [0xff]).unwrap();
        std::fs::create_dir(dir.path().join("folder.toml")).unwrap();
        let catalog = Catalog::new(Some(dir.path().to_owned()));
        let error = catalog.load("nrod").unwrap_err();
        assert_eq!(error.message, "unknown theme 'nrod'");
        assert!(hint(&error).starts_with("did you mean nord? known themes: default, dark"));
        assert!(hint(&error).contains("mine"));
        for name in ["", "../mine", "/etc/passwd", ".hidden", "a\u{1b}b"] {
            let error = catalog.load(name).unwrap_err();
            assert!(error.message.starts_with("unknown theme"), "{error}");
        }
        let error = catalog.load("mine").unwrap_err();
        assert!(
            error.message.contains("mine.toml:2:1: unknown role 'x'"),
            "{error}"
        );
        let error = catalog.load("binary").unwrap_err();
        assert!(error.message.ends_with("it is not UTF-8"), "{error}");
        assert!(catalog.load("folder").is_err());
        let missing = Catalog::new(Some(dir.path().join("none")));
        assert_eq!(missing.list().unwrap().len(), BUILT_IN.len());
    }
}
