//! How the screens look: the style of each role, by themes that are one TOML file each, and the
//! glyphs. What is drawn where is the views' matter.

mod catalog;
mod color;
mod depth;
mod file;
mod glyphs;
mod role;

pub use catalog::{BUILT_IN, BuiltIn, Catalog, Listed};
pub use depth::Depth;
pub use glyphs::{Glyphs, Verdict};
pub use role::{ROLES, Role, RoleInfo};

use ratatui::style::{Modifier, Style};

/// The theme that is used when none is named.
pub const DEFAULT: &str = "default";

/// A style for each role. A style says only what its role adds: where it has no background, that
/// of the surface under it stays. The screen is filled with [`Role::Screen`] first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    pub name: String,
    /// What its file says of it, in a line.
    pub about: String,
    styles: [Style; ROLES.len()],
}

impl Theme {
    pub fn style(&self, role: Role) -> Style {
        self.styles[role as usize]
    }

    /// No colours at all, for `NO_COLOR`: what colours tell is told by bold, dim, underlined and
    /// reversed text.
    pub fn monochrome() -> Self {
        Self {
            name: "monochrome".to_owned(),
            about: "no colours".to_owned(),
            styles: ROLES.map(|info| Style::new().add_modifier(plain(info.role))),
        }
    }
}

/// What tells a role from others where there are no colours.
fn plain(role: Role) -> Modifier {
    use Modifier as M;
    match role {
        Role::Strong
        | Role::Title
        | Role::BorderFocused
        | Role::BarStrong
        | Role::EventKey
        | Role::JsonKey
        | Role::Warn
        | Role::Key
        | Role::Added => M::BOLD,
        Role::Dim
        | Role::Border
        | Role::Scrollbar
        | Role::PartitionOffset
        | Role::Time
        | Role::Info
        | Role::Removed => M::DIM,
        Role::Input | Role::CursorUnfocused | Role::Changed => M::UNDERLINED,
        Role::Accent | Role::Marked | Role::Bad | Role::Error => M::BOLD.union(M::UNDERLINED),
        Role::Cursor => M::REVERSED,
        Role::Match => M::REVERSED.union(M::UNDERLINED),
        Role::Prod => M::REVERSED.union(M::BOLD),
        Role::Screen
        | Role::Text
        | Role::Bar
        | Role::Good
        | Role::Topic
        | Role::JsonString
        | Role::JsonNumber
        | Role::JsonLiteral
        | Role::Spark => M::empty(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_colours_every_state_still_differs_from_its_neighbours() {
        use Role as R;
        let theme = Theme::monochrome();
        for info in &ROLES {
            let style = theme.style(info.role);
            assert_eq!((style.fg, style.bg), (None, None), "{}", info.name);
            let used = Modifier::BOLD | Modifier::DIM | Modifier::UNDERLINED | Modifier::REVERSED;
            assert!(used.contains(style.add_modifier), "{}", info.name);
        }
        for group in [
            &[R::Text, R::Dim, R::Strong, R::Accent][..],
            &[R::Text, R::Cursor, R::CursorUnfocused, R::Marked, R::Match],
            &[R::Good, R::Info, R::Warn, R::Bad],
            &[R::Bar, R::BarStrong, R::Prod],
            &[R::Border, R::BorderFocused],
            &[R::Text, R::Input, R::Error],
            &[R::Text, R::Key],
            &[R::Text, R::Added, R::Removed, R::Changed],
        ] {
            for (index, role) in group.iter().enumerate() {
                for other in &group[index + 1..] {
                    assert_ne!(
                        theme.style(*role),
                        theme.style(*other),
                        "{role:?} {other:?}"
                    );
                }
            }
        }
    }
}
