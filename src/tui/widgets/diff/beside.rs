//! Two texts beside each other, line by line: what is the same stands on one row, what was changed
//! on the row of what it was.

use super::lines::{Edit, edits};

/// A row of two columns: the numbers of its lines, from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    pub old: Option<usize>,
    pub new: Option<usize>,
    pub same: bool,
}

/// The rows of two lists of lines. It takes as long as their difference is large, up to a bound
/// beyond which they are told apart as a whole.
pub fn beside(old: &[&str], new: &[&str]) -> Vec<Beside> {
    let mut rows = Vec::with_capacity(old.len().max(new.len()));
    let (mut removed, mut added) = (Vec::new(), Vec::new());
    for edit in edits(old, new) {
        match edit {
            Edit::Removed(at) => removed.push(at),
            Edit::Added(at) => added.push(at),
            Edit::Same(old, new) => {
                pair(&mut rows, &mut removed, &mut added);
                rows.push(Beside {
                    old: Some(old),
                    new: Some(new),
                    same: true,
                });
            }
        }
    }
    pair(&mut rows, &mut removed, &mut added);
    rows
}

/// Puts what was removed and added between two lines that are the same beside each other.
fn pair(rows: &mut Vec<Beside>, removed: &mut Vec<usize>, added: &mut Vec<usize>) {
    for at in 0..removed.len().max(added.len()) {
        rows.push(Beside {
            old: removed.get(at).copied(),
            new: added.get(at).copied(),
            same: false,
        });
    }
    removed.clear();
    added.clear();
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(old: &str, new: &str) -> Vec<String> {
        let old: Vec<&str> = old.split(' ').collect();
        let new: Vec<&str> = new.split(' ').collect();
        let line = |of: &[&str], at: Option<usize>| at.map_or("", |at| of[at]).to_owned();
        let row = |row: &Beside| {
            let sign = if row.same { '=' } else { '!' };
            format!("{}{sign}{}", line(&old, row.old), line(&new, row.new))
        };
        beside(&old, &new).iter().map(row).collect()
    }

    #[test]
    fn what_is_the_same_and_what_was_changed_stand_on_one_row() {
        assert_eq!(told("a b c", "a x c"), ["a=a", "b!x", "c=c"]);
        assert_eq!(told("a c", "a b b2 c"), ["a=a", "!b", "!b2", "c=c"]);
        assert_eq!(told("a b c", "c"), ["a!", "b!", "c=c"]);
        assert_eq!(told("a", "b"), ["a!b"]);
    }
}
