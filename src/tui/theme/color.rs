//! Colours as numbers: what a terminal is likely to show, how far two are apart, and how well one
//! can be read on the other.

use ratatui::style::Color;

/// Red, green, blue.
pub type Rgb = [u8; 3];

/// The 16 colours by name, with what xterm shows for them. A terminal's own palette can differ.
pub const ANSI: [(&str, Color, Rgb); 16] = [
    ("black", Color::Black, [0, 0, 0]),
    ("red", Color::Red, [205, 0, 0]),
    ("green", Color::Green, [0, 205, 0]),
    ("yellow", Color::Yellow, [205, 205, 0]),
    ("blue", Color::Blue, [0, 0, 238]),
    ("magenta", Color::Magenta, [205, 0, 205]),
    ("cyan", Color::Cyan, [0, 205, 205]),
    ("gray", Color::Gray, [229, 229, 229]),
    ("dark-gray", Color::DarkGray, [127, 127, 127]),
    ("light-red", Color::LightRed, [255, 0, 0]),
    ("light-green", Color::LightGreen, [0, 255, 0]),
    ("light-yellow", Color::LightYellow, [255, 255, 0]),
    ("light-blue", Color::LightBlue, [92, 92, 255]),
    ("light-magenta", Color::LightMagenta, [255, 0, 255]),
    ("light-cyan", Color::LightCyan, [0, 255, 255]),
    ("white", Color::White, [255, 255, 255]),
];

/// Levels of the 6×6×6 cube that begins at index 16.
const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// What xterm shows; `None` for the terminal's own foreground or background.
pub fn rgb(color: Color) -> Option<Rgb> {
    match color {
        Color::Rgb(r, g, b) => Some([r, g, b]),
        Color::Indexed(index) => Some(indexed(index)),
        Color::Reset => None,
        named => ANSI.iter().find(|a| a.1 == named).map(|a| a.2),
    }
}

/// What the index of a palette of 256 shows.
pub fn indexed(index: u8) -> Rgb {
    match index {
        0..16 => ANSI[usize::from(index)].2,
        16..232 => {
            let index = usize::from(index - 16);
            [CUBE[index / 36], CUBE[index / 6 % 6], CUBE[index % 6]]
        }
        232.. => [8 + (index - 232) * 10; 3],
    }
}

/// How well one can be read on the other, from 1 to 21: the contrast ratio of WCAG 2.
pub fn contrast(a: Rgb, b: Rgb) -> f64 {
    let (a, b) = (luminance(a), luminance(b));
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

fn luminance([r, g, b]: Rgb) -> f64 {
    let linear = |channel: u8| {
        let c = f64::from(channel) / 255.0;
        if c <= 0.04045 {
            c / 12.92
        } else {
            ((c + 0.055) / 1.055).powf(2.4)
        }
    };
    0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
}

/// How different two look, for choosing the nearest ("redmean": differences in red, green and blue
/// weighted as the eye does).
pub fn distance(a: Rgb, b: Rgb) -> i32 {
    let [r, g, b_] = [0, 1, 2].map(|i| i32::from(a[i]) - i32::from(b[i]));
    let red = i32::midpoint(i32::from(a[0]), i32::from(b[0]));
    (((512 + red) * r * r) >> 8) + 4 * g * g + (((767 - red) * b_ * b_) >> 8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        let close = |a: Rgb, b: Rgb, expected: f64| {
            let got = contrast(a, b);
            assert!((got - expected).abs() < 0.01, "{a:?} {b:?}: {got}");
        };
        close([0; 3], [255; 3], 21.0);
        close([255; 3], [255; 3], 1.0);
        close([0x77; 3], [255; 3], 4.48);
        close([255, 0, 0], [255; 3], 4.0);
    }

    #[test]
    fn the_palette_of_256_is_xterms() {
        assert_eq!(indexed(9), [255, 0, 0]);
        assert_eq!(indexed(16), [0, 0, 0]);
        assert_eq!(indexed(208), [255, 135, 0]);
        assert_eq!(indexed(231), [255, 255, 255]);
        assert_eq!(indexed(232), [8, 8, 8]);
        assert_eq!(indexed(255), [238, 238, 238]);
    }

    #[test]
    fn every_named_colour_is_known_and_the_terminals_own_is_not() {
        for (index, (name, color, shown)) in ANSI.iter().enumerate() {
            assert_eq!(rgb(*color), Some(*shown), "{name}");
            assert_eq!(indexed(u8::try_from(index).unwrap()), *shown);
        }
        assert_eq!(rgb(Color::Reset), None);
        assert_eq!(rgb(Color::Rgb(1, 2, 3)), Some([1, 2, 3]));
    }

    #[test]
    fn the_distance_is_none_to_itself_and_the_same_both_ways() {
        let all: Vec<Rgb> = (0..=255).map(indexed).collect();
        for a in &all {
            for b in &all {
                assert_eq!(distance(*a, *b), distance(*b, *a));
                assert_eq!(distance(*a, *b) == 0, a == b);
            }
        }
    }
}
