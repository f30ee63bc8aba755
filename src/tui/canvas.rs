//! The one way from a view to the cells of the screen: text is made safe, cut to its place and
//! given the theme's style here.

use std::borrow::Cow;

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::{Modifier, Style};

use super::theme::{Glyphs, Role, Theme};
use crate::text::{self, Visible};

/// A frame being drawn.
pub struct Canvas<'a> {
    buffer: &'a mut Buffer,
    pub theme: &'a Theme,
    pub glyphs: &'static Glyphs,
}

/// The text with everything hostile made visible; as it is where nothing is.
pub fn safe(text: &str) -> Cow<'_, str> {
    if text.chars().any(text::is_hostile) {
        Cow::Owned(Visible(text).to_string())
    } else {
        Cow::Borrowed(text)
    }
}

/// A style as it is laid over others: what is to be seen does not stay dim because what lay there
/// was.
fn over(style: Style) -> Style {
    let seen = style.fg.is_some() || style.add_modifier.contains(Modifier::BOLD);
    if seen && !style.add_modifier.contains(Modifier::DIM) {
        style.remove_modifier(Modifier::DIM)
    } else {
        style
    }
}

impl<'a> Canvas<'a> {
    pub fn new(buffer: &'a mut Buffer, theme: &'a Theme, glyphs: &'static Glyphs) -> Self {
        Self {
            buffer,
            theme,
            glyphs,
        }
    }

    pub fn area(&self) -> Rect {
        self.buffer.area
    }

    /// Writes one line at the top left of an area, cut with an ellipsis to its width. Gives the
    /// columns that it took.
    pub fn put(&mut self, area: Rect, text: &str, role: Role) -> u16 {
        self.put_styled(area, text, self.theme.style(role))
    }

    pub fn put_styled(&mut self, area: Rect, text: &str, style: Style) -> u16 {
        let area = area.intersection(self.buffer.area);
        if area.is_empty() {
            return 0;
        }
        let style = over(style);
        // No more of a long text is looked at than can stand there.
        let most = usize::from(area.width);
        let cut = text
            .char_indices()
            .nth(most * 4 + 4)
            .map_or(text.len(), |(at, _)| at);
        let safe = safe(&text[..cut]);
        let (kept, mark) = text::width::fit(&safe, most, self.glyphs.ellipsis);
        let (x, y) = self.buffer.set_stringn(area.x, area.y, kept, most, style);
        let room = usize::from(area.right().saturating_sub(x));
        let (x, _) = self.buffer.set_stringn(x, y, mark, room, style);
        x - area.x
    }

    /// Writes parts after each other, as far as they fit.
    pub fn parts(&mut self, area: Rect, parts: &[(Role, &str)]) -> u16 {
        let mut used = 0;
        for (role, text) in parts {
            let rest = rest_of(area, used);
            if rest.width == 0 {
                break;
            }
            used += self.put(rest, text, *role);
        }
        used
    }

    /// The same at the right end of the area; what does not fit is left out as a whole.
    pub fn parts_right(&mut self, area: Rect, parts: &[(Role, &str)]) -> u16 {
        let width: usize = parts
            .iter()
            .map(|(_, t)| text::width::width(&safe(t)))
            .sum();
        let Ok(width) = u16::try_from(width) else {
            return 0;
        };
        if width > area.width {
            return 0;
        }
        let at = Rect {
            x: area.right() - width,
            width,
            ..area
        };
        self.parts(at, parts)
    }

    /// Gives all cells of an area a style; what stands there stays.
    pub fn paint(&mut self, area: Rect, role: Role) {
        let area = area.intersection(self.buffer.area);
        self.buffer.set_style(area, over(self.theme.style(role)));
    }

    /// Empties an area, for what lies over others.
    pub fn clear(&mut self, area: Rect, role: Role) {
        let area = area.intersection(self.buffer.area);
        for y in area.top()..area.bottom() {
            for x in area.left()..area.right() {
                if let Some(cell) = self.buffer.cell_mut((x, y)) {
                    cell.reset();
                }
            }
        }
        self.buffer.set_style(area, self.theme.style(role));
    }

    /// A line across, with a title in it.
    pub fn rule(&mut self, area: Rect, title: &str, focused: bool) {
        let border = if focused {
            Role::BorderFocused
        } else {
            Role::Border
        };
        let line = self.glyphs.horizontal;
        for x in area.left()..area.right() {
            self.put(Rect::new(x, area.y, 1, 1), line, border);
        }
        if !title.is_empty() && area.width > 6 {
            let at = Rect::new(area.x + 2, area.y, area.width - 4, 1);
            self.parts(at, &[(border, " "), (Role::Title, title), (border, " ")]);
        }
    }

    /// A box with a title, emptied. Gives what is inside.
    pub fn panel(&mut self, area: Rect, title: &str) -> Rect {
        let area = area.intersection(self.buffer.area);
        self.clear(area, Role::Text);
        if area.width < 4 || area.height < 3 {
            return area;
        }
        let set = &self.glyphs.borders_focused;
        let (left, right) = (area.left(), area.right() - 1);
        let (top, bottom) = (area.top(), area.bottom() - 1);
        let role = Role::BorderFocused;
        for x in left..=right {
            self.put(Rect::new(x, top, 1, 1), set.horizontal_top, role);
            self.put(Rect::new(x, bottom, 1, 1), set.horizontal_bottom, role);
        }
        for y in top..=bottom {
            self.put(Rect::new(left, y, 1, 1), set.vertical_left, role);
            self.put(Rect::new(right, y, 1, 1), set.vertical_right, role);
        }
        for (x, y, corner) in [
            (left, top, set.top_left),
            (right, top, set.top_right),
            (left, bottom, set.bottom_left),
            (right, bottom, set.bottom_right),
        ] {
            self.put(Rect::new(x, y, 1, 1), corner, role);
        }
        let title_at = Rect::new(left + 2, top, area.width.saturating_sub(4), 1);
        self.parts(title_at, &[(role, " "), (Role::Title, title), (role, " ")]);
        Rect::new(left + 2, top + 1, area.width - 4, area.height - 2)
    }

    /// Shows where typing goes on. Terminals' own cursors are hidden.
    pub fn caret(&mut self, x: u16, y: u16) {
        self.paint(Rect::new(x, y, 1, 1), Role::Cursor);
    }
}

/// What of a line is left after some columns.
pub fn rest_of(area: Rect, used: u16) -> Rect {
    let used = used.min(area.width);
    Rect {
        x: area.x + used,
        width: area.width - used,
        ..area
    }
}

/// One line of an area.
pub fn line_of(area: Rect, line: usize) -> Rect {
    let line = u16::try_from(line).unwrap_or(u16::MAX);
    if line >= area.height {
        return Rect::new(area.x, area.y, 0, 0);
    }
    Rect::new(area.x, area.y + line, area.width, 1)
}

/// What of an area is left below some lines.
pub fn below(area: Rect, lines: u16) -> Rect {
    let lines = lines.min(area.height);
    Rect {
        y: area.y + lines,
        height: area.height - lines,
        ..area
    }
}

/// A box of this size in the middle of an area, as far as it fits.
pub fn middle_of(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect {
        x: area.x + (area.width - width) / 2,
        y: area.y + (area.height - height) / 2,
        width,
        height,
    }
}
