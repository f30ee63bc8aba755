//! What lies over a view and takes the keys: the filter bar, prompts, lists to choose from, help,
//! questions.

use crate::query::QueryError;
use crate::tui::actions::Action;
use crate::tui::widgets::input::Input;

/// One layer.
pub enum Overlay {
    Filter(FilterBar),
    Prompt(Prompt),
    Pick(Picker),
    Help(Help),
    Question(Question),
}

/// The filter bar, parsed at each key.
pub struct FilterBar {
    pub input: Input,
    /// What is wrong with it as it stands.
    pub error: Option<QueryError>,
    /// The filter before, for `Back`.
    pub before: Option<String>,
}

/// One line to be typed.
pub struct Prompt {
    pub kind: PromptKind,
    pub title: &'static str,
    pub help: &'static str,
    pub input: Input,
    pub error: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PromptKind {
    GoTo,
    Note,
    Export,
    SaveFilter,
    DetailFind,
    Column,
    TraceId,
    StateKey,
    ReplayTarget,
    /// The name of the production topic, typed.
    ReplayConfirm,
    /// The file that a plan is written to.
    PlanFile,
    Connect,
}

/// A list that narrows as one types.
pub struct Picker {
    pub kind: PickKind,
    pub title: &'static str,
    pub items: Vec<Item>,
    pub input: Input,
    /// Among those that the input leaves.
    pub at: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PickKind {
    Palette,
    Theme,
    Source,
    SavedFilter,
    Columns,
}

/// One line of a picker. Texts are safe to show.
#[derive(Debug, Clone, Default)]
pub struct Item {
    pub label: String,
    pub detail: String,
    /// Right-aligned: a key, a state.
    pub hint: String,
    /// What else it is found by.
    pub words: String,
    pub value: Value,
}

/// What choosing an item means.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Value {
    #[default]
    Nothing,
    Action(Action),
    Text(String),
    Index(usize),
}

impl Picker {
    pub fn new(kind: PickKind, title: &'static str, items: Vec<Item>) -> Self {
        Self {
            kind,
            title,
            items,
            input: Input::default(),
            at: 0,
        }
    }

    /// The items that hold every word that was typed, best first.
    pub fn left(&self) -> Vec<&Item> {
        let typed = self.input.text().to_lowercase();
        let words: Vec<&str> = typed.split_whitespace().collect();
        let mut left: Vec<(u32, &Item)> = self
            .items
            .iter()
            .filter_map(|item| Some((rank(item, &words)?, item)))
            .collect();
        left.sort_by_key(|(rank, _)| *rank);
        left.into_iter().map(|(_, item)| item).collect()
    }

    pub fn chosen(&self) -> Option<&Item> {
        self.left().get(self.at).copied()
    }
}

/// How well an item fits: lower is better, `None` not at all. The letters of a word may stand
/// apart in the label, as one types `gst` for "go to stream".
fn rank(item: &Item, words: &[&str]) -> Option<u32> {
    let label = item.label.to_lowercase();
    let rest = format!("{} {}", item.words, item.detail).to_lowercase();
    let mut sum = 0;
    for word in words {
        sum += if label.starts_with(word) {
            0
        } else if label.contains(word) {
            1
        } else if rest.contains(word) {
            2
        } else if is_spread(word, &label) {
            4
        } else {
            return None;
        };
    }
    Some(sum)
}

fn is_spread(word: &str, text: &str) -> bool {
    let mut chars = text.chars();
    word.chars().all(|c| chars.any(|t| t == c))
}

/// The keys of a view.
pub struct Help {
    pub input: Input,
    pub top: usize,
}

/// Yes or no; what yes means stands with it.
pub struct Question {
    pub text: Vec<String>,
    pub yes: Answer,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Answer {
    Quit,
    RunReplay,
    Overwrite,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picker_narrows_to_what_was_typed_best_first() {
        let item = |label: &str, words: &str| Item {
            label: label.to_owned(),
            words: words.to_owned(),
            ..Item::default()
        };
        let mut picker = Picker::new(
            PickKind::Palette,
            "",
            vec![
                item("Drop the filter", "reset"),
                item("Filter", "search"),
                item("Follow", "tail"),
            ],
        );
        let labels = |picker: &Picker| -> Vec<String> {
            picker.left().iter().map(|i| i.label.clone()).collect()
        };
        picker.input = Input::new("fil");
        assert_eq!(labels(&picker), ["Filter", "Drop the filter"]);
        picker.input = Input::new("tail");
        assert_eq!(labels(&picker), ["Follow"]);
        picker.input = Input::new("flw");
        assert_eq!(labels(&picker), ["Follow"]);
        picker.input = Input::new("zzz");
        assert!(picker.chosen().is_none());
    }
}
