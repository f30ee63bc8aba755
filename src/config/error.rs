//! What is wrong with a config, and what to try. Also the one place that guesses what was meant.

/// What failed, on what, and what to try. Free of secrets; it may quote names from the file, so
/// whoever prints it passes it through `text`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct ConfigError {
    pub message: String,
    pub hint: Option<String>,
}

impl ConfigError {
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hint: None,
        }
    }

    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

/// Below this likeness a guess confuses more than it helps.
const ALIKE: f64 = 0.6;

/// The known word that is most like the given one, when one is alike at all.
pub fn did_you_mean<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let word = word.to_lowercase();
    known
        .into_iter()
        .map(|k| {
            let likeness = strsim::normalized_damerau_levenshtein(&word, &k.to_lowercase());
            (likeness, k)
        })
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let known = ["prod", "staging", "local"];
        assert_eq!(did_you_mean("porod", known), Some("prod"));
        assert_eq!(did_you_mean("Stagin", known), Some("staging"));
        assert_eq!(did_you_mean("kafka", known), None);
        assert_eq!(did_you_mean("x", []), None);
    }
}
