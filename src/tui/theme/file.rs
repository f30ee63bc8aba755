//! A theme file: a palette, and a style for each role. What is wrong in it is told with line and
//! column, and with what to write instead.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;

use ratatui::style::{Color, Modifier, Style};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::color::ANSI;
use super::{ROLES, Role, Theme};
use crate::config::{ConfigError, did_you_mean, line_and_column};

/// What a style can say beside its colours.
const MODIFIERS: [(&str, Modifier); 5] = [
    ("bold", Modifier::BOLD),
    ("dim", Modifier::DIM),
    ("italic", Modifier::ITALIC),
    ("underlined", Modifier::UNDERLINED),
    ("reversed", Modifier::REVERSED),
];

/// The name of the terminal's own foreground or background.
const OWN: &str = "default";

type Result<T> = std::result::Result<T, ConfigError>;

impl Theme {
    /// Reads the text of a theme file; `path` names it in errors.
    pub fn parse(name: &str, text: &str, path: &Path) -> Result<Self> {
        let file = File { text, path };
        let table = DeTable::parse(text).map_err(|error| {
            let at = error.span().unwrap_or(0..0);
            let message = error.message().replace('\n', ", ");
            file.wrong(&at, &message, "correct that line; themes are TOML")
        })?;
        file.theme(name, table.get_ref())
    }
}

/// The file that is read, for its errors.
struct File<'a> {
    text: &'a str,
    path: &'a Path,
}

impl File<'_> {
    fn theme(&self, name: &str, table: &DeTable<'_>) -> Result<Theme> {
        let mut about = String::new();
        let mut palette = BTreeMap::new();
        let mut roles = None;
        for (key, value) in table {
            match &**key.get_ref() {
                "about" => self.string(value)?.clone_into(&mut about),
                "palette" => palette = self.palette(self.table(value)?)?,
                "roles" => roles = Some(self.table(value)?),
                other => {
                    let known = ["about", "palette", "roles"];
                    let message = format!("a theme has no '{other}'");
                    return Err(self.wrong(&key.span(), &message, &guess(other, &known)));
                }
            }
        }
        let mut said = [None; ROLES.len()];
        for (key, value) in roles.into_iter().flatten() {
            let role = Role::named(key.get_ref()).ok_or_else(|| {
                let known = ROLES.map(|info| info.name);
                let message = format!("unknown role '{}'", key.get_ref());
                self.wrong(&key.span(), &message, &guess(key.get_ref(), &known))
            })?;
            said[role as usize] = Some(self.style(value, &palette)?);
        }
        // A role comes after the one that it is like, so that one is settled already.
        let mut styles = [Style::new(); ROLES.len()];
        for (index, info) in ROLES.iter().enumerate() {
            styles[index] = said[index].unwrap_or(styles[info.like as usize]);
        }
        Ok(Theme {
            name: name.to_owned(),
            about,
            styles,
        })
    }

    fn palette(&self, table: &DeTable<'_>) -> Result<BTreeMap<String, Color>> {
        let none = BTreeMap::new();
        table
            .iter()
            .map(|(key, value)| {
                let color = self.color(value, &none)?;
                Ok((key.get_ref().clone().into_owned(), color))
            })
            .collect()
    }

    /// A colour alone is the foreground.
    fn style(
        &self,
        value: &Spanned<DeValue<'_>>,
        palette: &BTreeMap<String, Color>,
    ) -> Result<Style> {
        if let DeValue::String(_) = value.get_ref() {
            return Ok(Style::new().fg(self.color(value, palette)?));
        }
        let mut style = Style::new();
        for (key, value) in self.table(value)? {
            let name = &**key.get_ref();
            if name == "fg" {
                style.fg = Some(self.color(value, palette)?);
            } else if name == "bg" {
                style.bg = Some(self.color(value, palette)?);
            } else if let Some((_, modifier)) = MODIFIERS.iter().find(|m| m.0 == name) {
                if self.boolean(value)? {
                    style = style.add_modifier(*modifier);
                }
            } else {
                let known: Vec<&str> = ["fg", "bg"]
                    .into_iter()
                    .chain(MODIFIERS.map(|m| m.0))
                    .collect();
                let message = format!("a style has no '{name}'");
                return Err(self.wrong(&key.span(), &message, &guess(name, &known)));
            }
        }
        Ok(style)
    }

    fn color(
        &self,
        value: &Spanned<DeValue<'_>>,
        palette: &BTreeMap<String, Color>,
    ) -> Result<Color> {
        let text = self.string(value)?;
        if let Some(color) = palette.get(text) {
            return Ok(*color);
        }
        if text == OWN {
            return Ok(Color::Reset);
        }
        if let Some(digits) = text.strip_prefix('#') {
            let all = digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_hexdigit());
            if let (true, Ok(number)) = (all, u32::from_str_radix(digits, 16)) {
                return Ok(Color::from_u32(number));
            }
            let message = format!("'{text}' is no colour");
            let hint = "write six digits, for example \"#1e1e2e\"";
            return Err(self.wrong(&value.span(), &message, hint));
        }
        if let Some((_, color, _)) = ANSI.iter().find(|a| a.0 == text) {
            return Ok(*color);
        }
        let known = palette.keys().map(String::as_str);
        let known: Vec<&str> = known.chain(ANSI.map(|a| a.0)).chain([OWN]).collect();
        let message = format!("'{text}' is no colour");
        let hint = match did_you_mean(text, known.iter().copied()) {
            Some(guess) => format!("did you mean \"{guess}\"?"),
            None => format!(
                "write \"#rrggbb\", a name of [palette], or one of {OWN}, {}",
                ANSI.map(|a| a.0).join(", ")
            ),
        };
        Err(self.wrong(&value.span(), &message, &hint))
    }

    fn table<'v, 'i>(&self, value: &'v Spanned<DeValue<'i>>) -> Result<&'v DeTable<'i>> {
        value.get_ref().as_table().ok_or_else(|| {
            let hint = "write { fg = \"…\", bg = \"…\", bold = true }, or a colour alone";
            self.kind(value, "a table", hint)
        })
    }

    fn string<'v>(&self, value: &'v Spanned<DeValue<'_>>) -> Result<&'v str> {
        value.get_ref().as_str().ok_or_else(|| {
            let hint = "write it in quotes, for example \"#1e1e2e\" or \"cyan\"";
            self.kind(value, "a string", hint)
        })
    }

    fn boolean(&self, value: &Spanned<DeValue<'_>>) -> Result<bool> {
        value
            .get_ref()
            .as_bool()
            .ok_or_else(|| self.kind(value, "true or false", "write true, or leave it out"))
    }

    fn kind(&self, value: &Spanned<DeValue<'_>>, expected: &str, hint: &str) -> ConfigError {
        let found = value.get_ref().type_str();
        let message = format!("found {found}, expected {expected}");
        self.wrong(&value.span(), &message, hint)
    }

    fn wrong(&self, at: &Range<usize>, message: &str, hint: &str) -> ConfigError {
        let (line, column) = line_and_column(self.text, at.start);
        let path = self.path.display();
        ConfigError::new(format!("{path}:{line}:{column}: {message}")).hint(hint)
    }
}

/// The known word that was meant, or all of them.
fn guess(word: &str, known: &[&str]) -> String {
    match did_you_mean(word, known.iter().copied()) {
        Some(guess) => format!("did you mean {guess}?"),
        None => format!("known are {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Theme> {
        Theme::parse("mine", text, Path::new("mine.toml"))
    }

    fn said(text: &str) -> String {
        let error = parse(text).unwrap_err();
        format!("{} | {}", error.message, error.hint.unwrap_or_default())
    }

    #[test]
    fn colours_come_from_the_palette_from_names_and_from_digits() {
        let theme = parse(
            "about = 'My own'\n[palette]\nred = '#f38ba8'\nbase = 'black'\n[roles]\n\
             screen = { fg = '#CDD6f4', bg = 'base' }\ntext = 'default'\n\
             bad = { fg = 'red', bold = true, underlined = true, dim = false }\n\
             good = 'green'\n",
        )
        .unwrap();
        assert_eq!((&*theme.name, &*theme.about), ("mine", "My own"));
        let screen = Style::new()
            .fg(Color::Rgb(0xcd, 0xd6, 0xf4))
            .bg(Color::Black);
        assert_eq!(theme.style(Role::Screen), screen);
        assert_eq!(theme.style(Role::Text), Style::new().fg(Color::Reset));
        let bad = Style::new()
            .fg(Color::Rgb(0xf3, 0x8b, 0xa8))
            .add_modifier(Modifier::BOLD | Modifier::UNDERLINED);
        assert_eq!(theme.style(Role::Bad), bad);
        assert_eq!(theme.style(Role::Good), Style::new().fg(Color::Green));
    }

    #[test]
    fn a_role_that_is_left_out_looks_like_its_nearest() {
        let theme = parse("[roles]\nstrong = 'red'\ntext = 'blue'\nbar = { bg = 'gray' }").unwrap();
        let red = Style::new().fg(Color::Red);
        for role in [Role::Accent, Role::Title, Role::Key, Role::Bad, Role::Prod] {
            assert_eq!(theme.style(role), red, "{role:?}");
        }
        assert_eq!(theme.style(Role::JsonLiteral).fg, Some(Color::Blue));
        assert_eq!(theme.style(Role::BarStrong).bg, Some(Color::Gray));
        assert_eq!(theme.style(Role::Screen), Style::new());
        assert!(parse("").is_ok());
    }

    #[test]
    fn mistakes_are_told_with_their_place_and_what_to_write() {
        for (text, message, hint) in [
            (
                "[roles]\ncursr = 'red'",
                "mine.toml:2:1: unknown role 'cursr'",
                "did you mean cursor?",
            ),
            (
                "[roles]\nzzz = 'red'",
                "2:1: unknown role 'zzz'",
                "known are screen, text, dim",
            ),
            (
                "[role]",
                "1:2: a theme has no 'role'",
                "did you mean roles?",
            ),
            (
                "[roles]\ntext = 'rde'",
                "2:8: 'rde' is no colour",
                "did you mean \"red\"?",
            ),
            (
                "[roles]\ntext = '??'",
                "2:8: '??' is no colour",
                "default, black, red",
            ),
            (
                "[palette]\nmauve = '#cba6f7'\n[roles]\nkey = 'mauv'",
                "4:7: 'mauv'",
                "\"mauve\"?",
            ),
            (
                "[palette]\na = 'b'\nb = '#000000'",
                "2:5: 'b' is no colour",
                "#rrggbb",
            ),
            (
                "[roles]\ntext = '#12345'",
                "2:8: '#12345' is no colour",
                "six digits",
            ),
            ("[roles]\ntext = '#+12345'", "2:8: '#+12345'", "six digits"),
            ("[roles]\ntext = '#żó34'", "2:8: '#żó34'", "six digits"),
            (
                "[roles]\ntext = 7",
                "2:8: found integer, expected a table",
                "a colour alone",
            ),
            (
                "[roles]\ntext = { fg = 7 }",
                "2:15: found integer, expected a string",
                "quotes",
            ),
            (
                "[roles]\ntext = { gf = 'red' }",
                "2:10: a style has no 'gf'",
                "known are fg, bg, bold",
            ),
            (
                "[roles]\ntext = { blod = true }",
                "2:10: a style has no 'blod'",
                "did you mean bold?",
            ),
            (
                "[roles]\ntext = { bold = 'yes' }",
                "2:17: found string, expected true",
                "leave it out",
            ),
            (
                "roles = 'x'",
                "1:9: found string, expected a table",
                "a colour alone",
            ),
            (
                "about = 1",
                "1:9: found integer, expected a string",
                "quotes",
            ),
            ("[roles]\ntext = ", "mine.toml:2:", "themes are TOML"),
            (
                "[roles]\ntext = 'red'\ntext = 'red'",
                "mine.toml:3:1: duplicate key",
                "TOML",
            ),
        ] {
            let said = said(text);
            assert!(said.contains(message), "{text}\n{said}");
            assert!(said.contains(hint), "{text}\n{said}");
        }
    }
}
