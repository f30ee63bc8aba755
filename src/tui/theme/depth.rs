//! How many colours a terminal shows, and a theme drawn with fewer than it was written for.

use ratatui::style::Color;

use super::color::{self, ANSI, Rgb};
use super::{ROLES, Role, Theme};

/// How many colours a terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    True,
    Ansi256,
    Ansi16,
}

/// Terminals that show all colours and say so by their name only.
const TRUE_COLOUR: &[&str] = &[
    "alacritty",
    "contour",
    "foot",
    "ghostty",
    "kitty",
    "rio",
    "wezterm",
];

impl Depth {
    /// Reads the values of `$COLORTERM` and `$TERM`. Without either it is Windows, whose console
    /// shows all colours.
    pub fn of(colorterm: Option<&str>, term: Option<&str>) -> Self {
        if matches!(colorterm, Some("truecolor" | "24bit")) {
            return Self::True;
        }
        let Some(term) = term else {
            return if cfg!(windows) {
                Self::True
            } else {
                Self::Ansi16
            };
        };
        let named = TRUE_COLOUR
            .iter()
            .any(|name| term.split('-').any(|part| part == *name));
        if named || term.ends_with("-direct") || term.ends_with("-truecolor") {
            Self::True
        } else if term.contains("256color") {
            Self::Ansi256
        } else {
            Self::Ansi16
        }
    }
}

impl Theme {
    /// The same theme with the nearest colours that the terminal has. A foreground whose nearest
    /// colour could no longer be read on its background becomes the nearest that can.
    #[must_use]
    pub fn reduced(&self, depth: Depth) -> Self {
        let mut out = self.clone();
        if depth == Depth::True {
            return out;
        }
        let palette = palette(depth);
        for style in &mut out.styles {
            style.bg = style.bg.map(|bg| match beyond(bg, depth) {
                Some(rgb) => nearest(&palette, rgb, |_| true).unwrap_or(bg),
                None => bg,
            });
        }
        for info in &ROLES {
            let Some(fg) = self.style(info.role).fg else {
                continue;
            };
            if let Some(rgb) = beyond(fg, depth) {
                let under = out.backgrounds(info.role);
                let fg = readable(&palette, rgb, &under, info.role.contrast()).unwrap_or(fg);
                out.styles[info.role as usize].fg = Some(fg);
            }
        }
        out
    }

    /// The backgrounds that a role is drawn on, where they are known.
    pub(super) fn backgrounds(&self, role: Role) -> Vec<Rgb> {
        if let Some(bg) = self.style(role).bg {
            return color::rgb(bg).into_iter().collect();
        }
        role.surfaces()
            .iter()
            .filter_map(|surface| {
                let own = self.style(*surface).bg;
                color::rgb(own.or(self.style(Role::Screen).bg)?)
            })
            .collect()
    }
}

/// The colour's value when the terminal does not have it.
fn beyond(color: Color, depth: Depth) -> Option<Rgb> {
    match (color, depth) {
        (Color::Rgb(..), Depth::Ansi256 | Depth::Ansi16)
        | (Color::Indexed(16..), Depth::Ansi16) => color::rgb(color),
        _ => None,
    }
}

/// The colours of a terminal. Of 256 the first 16 are left out: terminals let their users change
/// those.
fn palette(depth: Depth) -> Vec<(Color, Rgb)> {
    match depth {
        Depth::Ansi16 => ANSI.iter().map(|a| (a.1, a.2)).collect(),
        Depth::Ansi256 | Depth::True => (16..=255)
            .map(|index| (Color::Indexed(index), color::indexed(index)))
            .collect(),
    }
}

fn nearest(palette: &[(Color, Rgb)], to: Rgb, fits: impl Fn(Rgb) -> bool) -> Option<Color> {
    palette
        .iter()
        .filter(|(_, rgb)| fits(*rgb))
        .min_by_key(|(_, rgb)| color::distance(*rgb, to))
        .map(|(color, _)| *color)
}

/// The nearest colour that stands out enough from all the backgrounds; where none does, the one
/// that stands out most.
fn readable(palette: &[(Color, Rgb)], to: Rgb, under: &[Rgb], least: f64) -> Option<Color> {
    let worst = |rgb: Rgb| {
        let all = under.iter().map(|bg| color::contrast(rgb, *bg));
        all.fold(f64::INFINITY, f64::min)
    };
    nearest(palette, to, |rgb| worst(rgb) >= least).or_else(|| {
        palette
            .iter()
            .max_by(|a, b| worst(a.1).total_cmp(&worst(b.1)))
            .map(|(color, _)| *color)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::theme::BUILT_IN;

    #[test]
    fn the_depth_is_told_by_the_environment() {
        for (colorterm, term, depth) in [
            (Some("truecolor"), Some("xterm"), Depth::True),
            (Some("24bit"), None, Depth::True),
            (Some("yes"), Some("xterm-256color"), Depth::Ansi256),
            (None, Some("tmux-256color"), Depth::Ansi256),
            (None, Some("xterm-kitty"), Depth::True),
            (None, Some("alacritty"), Depth::True),
            (None, Some("xterm-direct"), Depth::True),
            (None, Some("xterm"), Depth::Ansi16),
            (None, Some("linux"), Depth::Ansi16),
            (Some(""), Some(""), Depth::Ansi16),
        ] {
            assert_eq!(Depth::of(colorterm, term), depth, "{colorterm:?} {term:?}");
        }
    }

    #[test]
    fn a_reduced_theme_holds_only_colours_of_the_terminal_and_can_be_read() {
        for built_in in BUILT_IN {
            let theme = built_in.theme().unwrap();
            for depth in [Depth::Ansi256, Depth::Ansi16] {
                let reduced = theme.reduced(depth);
                for info in &ROLES {
                    let style = reduced.style(info.role);
                    let what = format!("{} {} {depth:?}", theme.name, info.name);
                    for color in style.fg.into_iter().chain(style.bg) {
                        assert_eq!(beyond(color, depth), None, "{what}");
                    }
                    let Some(fg) = style.fg.and_then(color::rgb) else {
                        continue;
                    };
                    for bg in reduced.backgrounds(info.role) {
                        let got = color::contrast(fg, bg);
                        assert!(got >= info.role.contrast(), "{what}: {got:.2}");
                    }
                }
            }
        }
    }

    #[test]
    fn colours_that_the_terminal_has_stay() {
        let text = "[roles]\ntext = '#ff0000'\ngood = 'green'\nbar = { bg = '#0000ee' }";
        let theme = Theme::parse("t", text, std::path::Path::new("t.toml")).unwrap();
        assert_eq!(theme.reduced(Depth::True), theme);
        let reduced = theme.reduced(Depth::Ansi16);
        assert_eq!(reduced.style(Role::Good).fg, Some(Color::Green));
        assert_eq!(reduced.style(Role::Bar).bg, Some(Color::Blue));
        // Red on that blue cannot be read, and plain text stands in bars too.
        assert_ne!(reduced.style(Role::Text).fg, Some(Color::LightRed));
        let alone = Theme::parse(
            "t",
            "[roles]\nborder = '#fe0000'",
            std::path::Path::new("t"),
        );
        let alone = alone.unwrap().reduced(Depth::Ansi16);
        assert_eq!(alone.style(Role::Border).fg, Some(Color::LightRed));
    }
}
