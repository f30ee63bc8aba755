//! The shortest way from one list of lines to another (Myers), bounded: texts that differ in more
//! than a thousand lines are told apart as a whole.

use std::collections::HashMap;

/// Lines that may be added and removed before the search for the shortest way is given up. The
/// memory of it grows with the square.
const MOST_EDITS: usize = 1000;

/// A line of the one, the other, or both, by its number from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edit {
    Same(usize, usize),
    Removed(usize),
    Added(usize),
}

/// The edits in the order in which they are read.
pub(super) fn edits(old: &[&str], new: &[&str]) -> Vec<Edit> {
    let head = old.iter().zip(new).take_while(|(a, b)| a == b).count();
    let (old_rest, new_rest) = (tail(old, head), tail(new, head));
    let pairs = old_rest.iter().rev().zip(new_rest.iter().rev());
    let foot = pairs.take_while(|(a, b)| a == b).count();
    let (old_middle, new_middle) = (trunk(old_rest, foot), trunk(new_rest, foot));

    let mut all: Vec<Edit> = (0..head).map(|i| Edit::Same(i, i)).collect();
    let middle = shortest(old_middle, new_middle).unwrap_or_else(|| {
        let removed = (0..old_middle.len()).map(Edit::Removed);
        removed
            .chain((0..new_middle.len()).map(Edit::Added))
            .collect()
    });
    all.extend(middle.into_iter().map(|edit| match edit {
        Edit::Same(i, j) => Edit::Same(i + head, j + head),
        Edit::Removed(i) => Edit::Removed(i + head),
        Edit::Added(j) => Edit::Added(j + head),
    }));
    let (i, j) = (head + old_middle.len(), head + new_middle.len());
    all.extend((0..foot).map(|k| Edit::Same(i + k, j + k)));
    all
}

fn tail<'a, 'b>(lines: &'a [&'b str], from: usize) -> &'a [&'b str] {
    lines.get(from..).unwrap_or_default()
}

fn trunk<'a, 'b>(lines: &'a [&'b str], foot: usize) -> &'a [&'b str] {
    lines.get(..lines.len() - foot).unwrap_or_default()
}

/// How far down the old lines each diagonal got with a number of edits.
struct Reach {
    /// The number of edits, and so the diagonal of the first entry, negated.
    edits: isize,
    /// Only every other diagonal can be reached.
    rows: Vec<isize>,
}

impl Reach {
    fn at(&self, diagonal: isize) -> Option<isize> {
        let place = diagonal + self.edits;
        let place = usize::try_from(place).ok()? / 2;
        self.rows.get(place).copied()
    }
}

/// `None` when it takes too many edits.
fn shortest(old: &[&str], new: &[&str]) -> Option<Vec<Edit>> {
    let mut names = HashMap::new();
    let old = numbered(&mut names, old);
    let new = numbered(&mut names, new);
    let (rows, columns) = (old.len().cast_signed(), new.len().cast_signed());
    let most = (old.len() + new.len()).min(MOST_EDITS).cast_signed();

    let mut steps: Vec<Reach> = Vec::new();
    for count in 0..=most {
        let mut reach = Reach {
            edits: count,
            rows: Vec::new(),
        };
        for diagonal in (-count..=count).step_by(2) {
            let mut row = steps.last().map_or(0, |last| begin(last, diagonal, count));
            while matches!(
                (get(&old, row), get(&new, row - diagonal)),
                (Some(a), Some(b)) if a == b
            ) {
                row += 1;
            }
            reach.rows.push(row);
            if row >= rows && row - diagonal >= columns {
                steps.push(reach);
                return Some(walk_back(&steps, rows, columns));
            }
        }
        steps.push(reach);
    }
    None
}

/// A number for each line, the same for the same text.
fn numbered<'a>(names: &mut HashMap<&'a str, u32>, lines: &[&'a str]) -> Vec<u32> {
    let mut number = |line: &'a str| {
        let next = names.len() as u32;
        *names.entry(line).or_insert(next)
    };
    lines.iter().map(|line| number(line)).collect()
}

fn get(lines: &[u32], at: isize) -> Option<u32> {
    lines.get(usize::try_from(at).ok()?).copied()
}

/// Whether the last edit of the way to a diagonal added a line.
fn added(last: &Reach, diagonal: isize, count: isize) -> bool {
    diagonal == -count || (diagonal != count && last.at(diagonal - 1) < last.at(diagonal + 1))
}

/// Where a diagonal begins after the edit that leads to it.
fn begin(last: &Reach, diagonal: isize, count: isize) -> isize {
    if added(last, diagonal, count) {
        last.at(diagonal + 1).unwrap_or(0)
    } else {
        last.at(diagonal - 1).unwrap_or(0) + 1
    }
}

fn walk_back(steps: &[Reach], rows: isize, columns: isize) -> Vec<Edit> {
    let mut edits = Vec::new();
    let (mut row, mut column) = (rows, columns);
    let number = isize::cast_unsigned;
    for step in (0..steps.len()).rev() {
        let diagonal = row - column;
        let last = step.checked_sub(1).and_then(|before| steps.get(before));
        let start = last.map_or(0, |last| begin(last, diagonal, step.cast_signed()));
        while row > start {
            row -= 1;
            column -= 1;
            edits.push(Edit::Same(number(row), number(column)));
        }
        if let Some(last) = last {
            if added(last, diagonal, step.cast_signed()) {
                column -= 1;
                edits.push(Edit::Added(number(column)));
            } else {
                row -= 1;
                edits.push(Edit::Removed(number(row)));
            }
        }
    }
    edits.reverse();
    edits
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn told(old: &str, new: &str) -> String {
        let old: Vec<&str> = old.split(' ').collect();
        let new: Vec<&str> = new.split(' ').collect();
        let told = edits(&old, &new).into_iter().map(|edit| match edit {
            Edit::Same(i, _) => format!(" {}", old[i]),
            Edit::Removed(i) => format!("-{}", old[i]),
            Edit::Added(j) => format!("+{}", new[j]),
        });
        told.collect()
    }

    #[test]
    fn few_lines_are_told_apart_one_by_one() {
        for (old, new, all) in [
            ("a b c", "a b c", " a b c"),
            ("a b c", "a c", " a-b c"),
            ("a c", "a b c", " a+b c"),
            ("a b c", "a x c", " a-b+x c"),
            ("a b c a b b a", "c b a b a c", "-a-b c+b a b-b a+c"),
        ] {
            assert_eq!(told(old, new), all);
        }
    }

    #[test]
    fn texts_that_have_nothing_in_common_are_told_apart_as_a_whole() {
        let old: Vec<String> = (0..5000).map(|i| format!("old {i}")).collect();
        let new: Vec<String> = (0..5000).map(|i| format!("new {i}")).collect();
        let old: Vec<&str> = old.iter().map(String::as_str).collect();
        let new: Vec<&str> = new.iter().map(String::as_str).collect();
        let all = edits(&old, &new);
        assert_eq!(all.len(), 10_000);
        assert_eq!((all[0], all[9999]), (Edit::Removed(0), Edit::Added(4999)));
    }

    /// The length of the longest common subsequence, by the book.
    fn common(old: &[&str], new: &[&str]) -> usize {
        let mut table = vec![vec![0; new.len() + 1]; old.len() + 1];
        for (i, a) in old.iter().enumerate() {
            for (j, b) in new.iter().enumerate() {
                table[i + 1][j + 1] = if a == b {
                    table[i][j] + 1
                } else {
                    table[i][j + 1].max(table[i + 1][j])
                };
            }
        }
        table[old.len()][new.len()]
    }

    proptest! {
        #[test]
        fn the_edits_lead_from_the_one_to_the_other_and_are_the_fewest(
            old in prop::collection::vec("[a-d]", 0..14),
            new in prop::collection::vec("[a-d]", 0..14),
        ) {
            let old: Vec<&str> = old.iter().map(String::as_str).collect();
            let new: Vec<&str> = new.iter().map(String::as_str).collect();
            let (mut i, mut j, mut same) = (0, 0, 0);
            for edit in edits(&old, &new) {
                match edit {
                    Edit::Same(a, b) => {
                        prop_assert_eq!((a, b), (i, j));
                        prop_assert_eq!(old[a], new[b]);
                        (i, j, same) = (i + 1, j + 1, same + 1);
                    }
                    Edit::Removed(a) => {
                        prop_assert_eq!(a, i);
                        i += 1;
                    }
                    Edit::Added(b) => {
                        prop_assert_eq!(b, j);
                        j += 1;
                    }
                }
            }
            prop_assert_eq!((i, j), (old.len(), new.len()));
            prop_assert_eq!(same, common(&old, &new));
        }
    }
}
