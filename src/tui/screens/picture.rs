//! A buffer as text, and as a map of its styles.

use ratatui::buffer::{Buffer, Cell};

/// The lines of the screen, blanks at their ends cut.
pub fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        text.push_str(row(buffer, y).trim_end());
        text.push('\n');
    }
    text
}

/// The same under its size.
pub fn titled(buffer: &Buffer) -> String {
    let area = buffer.area;
    format!("{}x{}\n{}\n", area.width, area.height, text(buffer))
}

fn row(buffer: &Buffer, y: u16) -> String {
    let mut row = String::new();
    let mut x = buffer.area.left();
    while x < buffer.area.right() {
        let symbol = buffer[(x, y)].symbol();
        row.push_str(symbol);
        // What is two cells wide has a blank one after it.
        x += crate::text::width::width(symbol).max(1) as u16;
    }
    row
}

/// The same with a letter for the style of each cell below each line, and what the letters mean.
/// The style that most cells have is a blank.
pub fn styles(buffer: &Buffer) -> String {
    const LETTERS: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
    let mut seen: Vec<(String, usize)> = Vec::new();
    for cell in &buffer.content {
        let style = style(cell);
        match seen.iter_mut().find(|(s, _)| *s == style) {
            Some((_, count)) => *count += 1,
            None => seen.push((style, 1)),
        }
    }
    let most = seen.iter().max_by_key(|(_, n)| *n).map(|(s, _)| s.clone());
    let names: Vec<&String> = seen.iter().map(|(s, _)| s).collect();
    let letter = |cell: &Cell| {
        let style = style(cell);
        if Some(&style) == most.as_ref() {
            return ' ';
        }
        let at = names.iter().position(|s| **s == style).unwrap();
        char::from(*LETTERS.get(at).unwrap())
    };
    let mut out = String::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let map: String = (buffer.area.left()..buffer.area.right())
            .map(|x| letter(&buffer[(x, y)]))
            .collect();
        out.extend(["  ", row(buffer, y).trim_end(), "\n"]);
        if !map.trim().is_empty() {
            out.extend(["= ", map.trim_end(), "\n"]);
        }
    }
    out.push('\n');
    for (name, letter) in names.iter().zip(LETTERS) {
        let letter = if Some(*name) == most.as_ref() {
            ' '
        } else {
            char::from(*letter)
        };
        out.push(letter);
        out.extend([": ", name, "\n"]);
    }
    out
}

fn style(cell: &Cell) -> String {
    format!("{:?} on {:?} {:?}", cell.fg, cell.bg, cell.modifier)
}
