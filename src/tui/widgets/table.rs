//! Lays out the columns of a list: which are shown, how wide, where; and fits text into a cell.
//! What stands in the rows is the view's.

use super::line::{clip, visible};
use crate::text::width;

/// On which side a column's texts line up. What is too long loses its end on the left, and its
/// beginning on the right: of two offsets the last digits differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    Left,
    Right,
}

/// What a column asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Column {
    /// Below this it is not worth showing. At least 1.
    pub min: usize,
    /// More than this is not needed, unless it is the one that takes the rest.
    pub ideal: usize,
    /// Those of the lowest number are hidden first, of equal ones the last.
    pub priority: u8,
    /// Takes what is left. Where several do, the first one shown does.
    pub flex: bool,
}

/// A [`Column`], for tables of them.
pub const fn column(min: usize, ideal: usize, priority: u8, flex: bool) -> Column {
    Column {
        min,
        ideal,
        priority,
        flex,
    }
}

/// A column that is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// Its index among those that asked.
    pub column: usize,
    pub x: usize,
    pub width: usize,
}

/// Places columns in their order, `gap` blank columns between them. Together they never take more
/// than `width`. While there is any room, the most important column has a part of it.
pub fn layout(columns: &[Column], width: usize, gap: usize) -> Vec<Placed> {
    let shown = choose(columns, width, gap);
    let gaps = gap.saturating_mul(shown.len().saturating_sub(1));
    let mut left = width.saturating_sub(gaps);
    let mut widths: Vec<usize> = shown.iter().map(|(_, c)| c.min.max(1).min(left)).collect();
    left = left.saturating_sub(widths.iter().sum());

    let mut by_priority: Vec<usize> = (0..shown.len()).collect();
    by_priority.sort_by_key(|&i| std::cmp::Reverse(shown.get(i).map_or(0, |(_, c)| c.priority)));
    for i in by_priority {
        if let (Some((_, column)), Some(wide)) = (shown.get(i), widths.get_mut(i)) {
            let more = column.ideal.saturating_sub(*wide).min(left);
            *wide += more;
            left -= more;
        }
    }
    let flex = shown.iter().position(|(_, column)| column.flex);
    if let Some(wide) = flex.and_then(|i| widths.get_mut(i)) {
        *wide += left;
    }

    let mut x = 0;
    let some = shown.iter().zip(widths).filter(|(_, wide)| *wide > 0);
    some.map(|(&(column, _), width)| {
        let placed = Placed { column, x, width };
        x += width + gap;
        placed
    })
    .collect()
}

/// The columns whose least widths fit, least important ones left out.
fn choose(columns: &[Column], width: usize, gap: usize) -> Vec<(usize, Column)> {
    let mut shown: Vec<(usize, Column)> = columns.iter().copied().enumerate().collect();
    let least = |column: &Column| column.min.max(1).saturating_add(gap);
    // One gap too many is counted, and so there is one more column of room.
    let room = width.saturating_add(gap);
    let mut needed = columns
        .iter()
        .fold(0usize, |n, c| n.saturating_add(least(c)));
    while needed > room && shown.len() > 1 {
        let lowest = shown.iter().map(|(_, c)| c.priority).min();
        let Some(at) = shown.iter().rposition(|(_, c)| Some(c.priority) == lowest) else {
            break;
        };
        shown.remove(at);
        needed = shown.iter().fold(0, |n, (_, c)| n.saturating_add(least(c)));
    }
    shown
}

/// The text made visible, cut and padded: exactly `columns` wide.
pub fn cell(text: &str, columns: usize, align: Align, ellipsis: &str) -> String {
    match align {
        Align::Left => {
            let text = visible(clip(text.as_bytes(), columns));
            let mut cell = width::truncate(&text, columns, ellipsis).into_owned();
            let pad = columns.saturating_sub(width::width(&cell));
            cell.extend(std::iter::repeat_n(' ', pad));
            cell
        }
        Align::Right => {
            let text = visible(text);
            let kept = last_part(&text, columns, ellipsis);
            let pad = columns.saturating_sub(width::width(&kept));
            format!("{}{kept}", " ".repeat(pad))
        }
    }
}

/// The end of a text that fits, with a mark in front when something was cut.
fn last_part(text: &str, columns: usize, ellipsis: &str) -> String {
    if width::width(text) <= columns {
        return text.to_owned();
    }
    let mark = if width::width(ellipsis) <= columns {
        ellipsis
    } else {
        ""
    };
    let room = columns - width::width(mark);
    let mut start = text.len();
    for (at, c) in text.char_indices().rev() {
        let tail = text.get(at..).unwrap_or_default();
        if width::width(tail) > room {
            break;
        }
        // A mark belongs to the letter before it: a part does not begin with one.
        if width::width(c.encode_utf8(&mut [0; 4])) > 0 {
            start = at;
        }
    }
    format!("{mark}{}", text.get(start..).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::super::line::tests::{POISON, nasty};
    use super::*;
    use crate::text::is_hostile;
    use proptest::prelude::*;

    const STREAM: &[Column] = &[
        column(8, 12, 5, false),
        column(10, 24, 9, false),
        column(4, 16, 6, false),
        column(2, 2, 8, false),
        column(12, 12, 7, true),
    ];

    fn widths(width: usize) -> Vec<(usize, usize)> {
        let placed = layout(STREAM, width, 1);
        placed.iter().map(|p| (p.column, p.width)).collect()
    }

    #[test]
    fn the_flexible_column_takes_what_the_ideal_ones_leave() {
        assert_eq!(
            widths(120),
            [(0, 12), (1, 24), (2, 16), (3, 2), (4, 120 - 54 - 4)]
        );
    }

    #[test]
    fn room_goes_to_the_important_columns_first() {
        assert_eq!(widths(46), [(0, 8), (1, 16), (2, 4), (3, 2), (4, 12)]);
    }

    #[test]
    fn the_least_important_columns_are_hidden_first() {
        assert_eq!(widths(32), [(1, 11), (2, 4), (3, 2), (4, 12)]);
        assert_eq!(widths(26), [(1, 10), (3, 2), (4, 12)]);
        assert_eq!(widths(13), [(1, 10), (3, 2)]);
        assert_eq!(widths(5), [(1, 5)]);
        assert_eq!(widths(0), []);
    }

    #[test]
    fn cells_are_cut_where_it_hurts_least() {
        for (text, columns, align, shown) in [
            ("order.created", 8, Align::Left, "order.c…"),
            ("order", 8, Align::Left, "order   "),
            ("1234567", 5, Align::Right, "…4567"),
            ("42", 5, Align::Right, "   42"),
            ("漢字漢", 4, Align::Left, "漢… "),
            ("漢字漢", 4, Align::Right, " …漢"),
            ("ae\u{301}e\u{301}", 2, Align::Right, "…e\u{301}"),
            ("x", 0, Align::Left, ""),
            ("xy", 1, Align::Right, "…"),
        ] {
            assert_eq!(cell(text, columns, align, "…"), shown, "{text} {columns}");
        }
        assert!(!cell(POISON, 200, Align::Left, "…").contains(is_hostile));
    }

    #[test]
    fn a_cell_of_a_huge_text_is_made_of_its_beginning() {
        let text = "x".repeat(10 << 20);
        assert_eq!(cell(&text, 4, Align::Left, "…"), "xxx…");
    }

    fn any_column() -> impl Strategy<Value = Column> {
        (0..20usize, 0..40usize, 0..4u8, any::<bool>())
            .prop_map(|(min, ideal, priority, flex)| column(min, ideal, priority, flex))
    }

    proptest! {
        #[test]
        fn columns_keep_their_order_and_never_take_more_than_there_is(
            columns in prop::collection::vec(any_column(), 0..12),
            width in 0..200usize,
            gap in 0..4usize,
        ) {
            let placed = layout(&columns, width, gap);
            let mut free = 0;
            for (i, p) in placed.iter().enumerate() {
                prop_assert!(p.width > 0);
                prop_assert_eq!(p.x, free);
                prop_assert!(i == 0 || placed[i - 1].column < p.column);
                prop_assert!(p.width >= columns[p.column].min || placed.len() == 1);
                free = p.x + p.width + gap;
            }
            if let Some(last) = placed.last() {
                prop_assert!(last.x + last.width <= width);
            }
            prop_assert_eq!(placed.is_empty(), columns.is_empty() || width == 0);
            // Nothing that is hidden matters more than something that is shown.
            let least = placed.iter().map(|p| columns[p.column].priority).min();
            for (i, column) in columns.iter().enumerate() {
                if !placed.iter().any(|p| p.column == i) && width > 0 {
                    prop_assert!(Some(column.priority) <= least);
                }
            }
        }

        #[test]
        fn a_cell_is_exactly_as_wide_as_asked(
            text in nasty(),
            columns in 0..40usize,
            right in any::<bool>(),
        ) {
            let align = if right { Align::Right } else { Align::Left };
            let cell = cell(&text, columns, align, "…");
            prop_assert_eq!(width::width(&cell), columns, "{:?}", cell);
            prop_assert!(!cell.contains(is_hostile));
        }
    }
}
