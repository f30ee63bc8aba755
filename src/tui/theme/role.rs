//! What can have a style of its own: the roles that a theme fills in. How each looks is not known
//! here.

/// What a piece of the screen is. Views ask a theme for the style of a role, never for a colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Role {
    Screen,
    Text,
    Dim,
    Strong,
    Accent,
    Title,
    Border,
    BorderFocused,
    Bar,
    BarStrong,
    Cursor,
    CursorUnfocused,
    Marked,
    Good,
    Warn,
    Bad,
    Info,
    Key,
    Match,
    Error,
    Input,
    Prod,
    Topic,
    PartitionOffset,
    Time,
    EventKey,
    JsonKey,
    JsonString,
    JsonNumber,
    JsonLiteral,
    Added,
    Removed,
    Changed,
    Spark,
    Scrollbar,
}

/// A role as theme files and their documentation know it.
#[derive(Debug, Clone, Copy)]
pub struct RoleInfo {
    pub role: Role,
    /// Its name in a theme file.
    pub name: &'static str,
    pub about: &'static str,
    /// Whose style it takes where a theme says nothing of it.
    pub like: Role,
}

const fn info(role: Role, name: &'static str, like: Role, about: &'static str) -> RoleInfo {
    RoleInfo {
        role,
        name,
        about,
        like,
    }
}

/// Every role, in the order of [`Role`]. A role comes after the one that it is like.
pub const ROLES: [RoleInfo; 35] = {
    use Role as R;
    [
        info(
            R::Screen,
            "screen",
            R::Screen,
            "the whole screen, under everything else",
        ),
        info(R::Text, "text", R::Text, "plain text"),
        info(
            R::Dim,
            "dim",
            R::Text,
            "what can be overlooked: labels, units, counts of counts",
        ),
        info(R::Strong, "strong", R::Text, "what matters in a line"),
        info(
            R::Accent,
            "accent",
            R::Strong,
            "the chosen tab, the active filter",
        ),
        info(R::Title, "title", R::Strong, "titles of panes and columns"),
        info(R::Border, "border", R::Dim, "lines around panes"),
        info(
            R::BorderFocused,
            "border_focused",
            R::Border,
            "lines around the pane that has the keys",
        ),
        info(R::Bar, "bar", R::Text, "the bars at the top and the bottom"),
        info(
            R::BarStrong,
            "bar_strong",
            R::Bar,
            "what matters in a bar: LIVE, FROZEN, END",
        ),
        info(R::Cursor, "cursor", R::Text, "the row that keys act on"),
        info(
            R::CursorUnfocused,
            "cursor_unfocused",
            R::Cursor,
            "that row in a pane that does not have the keys",
        ),
        info(R::Marked, "marked", R::Strong, "events that were marked"),
        info(R::Good, "good", R::Text, "valid, up to date, done"),
        info(R::Warn, "warn", R::Strong, "undecodable, late, partial"),
        info(R::Bad, "bad", R::Warn, "invalid, lost, stuck, failed"),
        info(R::Info, "info", R::Text, "notes that ask for nothing"),
        info(R::Key, "key", R::Accent, "a key that can be pressed"),
        info(
            R::Match,
            "match",
            R::Cursor,
            "what a search found, in its text",
        ),
        info(
            R::Error,
            "error",
            R::Bad,
            "a mistake in what was typed, and why",
        ),
        info(R::Input, "input", R::Text, "a field that is typed into"),
        info(R::Prod, "prod", R::Bad, "the banner of a production broker"),
        info(R::Topic, "topic", R::Text, "names of topics"),
        info(
            R::PartitionOffset,
            "partition_offset",
            R::Dim,
            "partition and offset of an event",
        ),
        info(R::Time, "time", R::Dim, "timestamps and ages"),
        info(R::EventKey, "event_key", R::Strong, "keys of events"),
        info(R::JsonKey, "json_key", R::Text, "names of JSON members"),
        info(R::JsonString, "json_string", R::Text, "JSON strings"),
        info(R::JsonNumber, "json_number", R::Text, "JSON numbers"),
        info(
            R::JsonLiteral,
            "json_literal",
            R::JsonNumber,
            "true, false and null",
        ),
        info(
            R::Added,
            "added",
            R::Good,
            "in a diff: only in the second event",
        ),
        info(
            R::Removed,
            "removed",
            R::Bad,
            "in a diff: only in the first event",
        ),
        info(
            R::Changed,
            "changed",
            R::Warn,
            "in a diff: different in both events",
        ),
        info(R::Spark, "spark", R::Accent, "bars of a histogram"),
        info(R::Scrollbar, "scrollbar", R::Border, "scrollbars"),
    ]
};

impl Role {
    /// What is known of it beside its style.
    pub fn info(self) -> &'static RoleInfo {
        &ROLES[self as usize]
    }

    /// The role of that name in a theme file.
    pub fn named(name: &str) -> Option<Self> {
        ROLES.iter().find(|info| info.name == name).map(|i| i.role)
    }

    /// The roles under it whose background shows where it has none itself.
    pub fn surfaces(self) -> &'static [Self] {
        match self {
            Self::Screen => &[],
            Self::BarStrong => &[Self::Bar],
            Self::Text
            | Self::Dim
            | Self::Strong
            | Self::Accent
            | Self::Good
            | Self::Warn
            | Self::Bad
            | Self::Info
            | Self::Key
            | Self::Error
            | Self::Topic => &[Self::Screen, Self::Bar],
            _ => &[Self::Screen],
        }
    }

    /// How much it must stand out from its background, by the measure of WCAG 2: text that is read
    /// 4.5, lines and what can be overlooked 3.
    pub fn contrast(self) -> f64 {
        match self {
            Self::Dim | Self::Border | Self::BorderFocused | Self::Spark | Self::Scrollbar => 3.0,
            _ => 4.5,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_roles_and_each_name_is_there_once() {
        for (index, info) in ROLES.iter().enumerate() {
            assert_eq!(info.role as usize, index, "{}", info.name);
            assert_eq!(Role::named(info.name), Some(info.role));
            assert!(!info.about.is_empty() && !info.about.ends_with('.'));
            let root = matches!(info.role, Role::Screen | Role::Text);
            assert_eq!(info.like == info.role, root, "{}", info.name);
            assert!(info.like as usize <= index, "{} comes too early", info.name);
        }
        assert_eq!(Role::named("Screen"), None);
    }
    #[test]
    fn the_documentation_lists_every_role_as_it_is() {
        let docs = include_str!("../../../docs/themes.md");
        let listed: Vec<&str> = docs
            .lines()
            .filter(|line| line.starts_with("| `"))
            .collect();
        let table: Vec<String> = ROLES
            .iter()
            .map(|info| {
                let like = match info.like {
                    same if same == info.role => String::new(),
                    like => format!("`{}`", like.info().name),
                };
                format!("| `{}` | {} | {like} |", info.name, info.about)
            })
            .collect();
        assert_eq!(listed, table);
    }
}
