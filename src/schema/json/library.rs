//! Compiles a schema with the `jsonschema` crate, so that it fetches nothing and no pattern can
//! run away.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ReferencingError, Retrieve, ValidationError, ValidationOptions};

use super::documents::{Documents, Given};
use super::faults::shortened;
use super::metaschemas;
use super::view::Taped;
use crate::schema::SchemaError;

/// Bytes of a compiled pattern. The slow way through an automaton of this size takes some 100 ms
/// for 10 KB of text; ordinary patterns need a hundredth of it.
const PATTERN_SIZE: usize = 1 << 18;
/// Bytes of larger patterns, such as a hundred letters of any language. What events have for them
/// is limited instead.
const LARGE_PATTERN_SIZE: usize = 1 << 23;
/// Bytes of all the compiled patterns of a schema.
const PATTERNS_SIZE: usize = 256 << 20;
/// Bytes that the fast way through a pattern may keep.
const PATTERN_CACHE: usize = 1 << 20;
/// Steps back on one string, for patterns that only backtracking can match.
const STEPS_BACK: usize = 2_000;
/// Letters of an error that are shown.
const LONGEST_ERROR: usize = 300;

/// A compiled schema.
pub(super) struct Library {
    pub validator: jsonschema::Validator<Taped>,
    pub patterns: Patterns,
}

/// How the patterns of a schema are matched: the first way of these that takes all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Patterns {
    /// In time linear in text and pattern.
    Small,
    Large,
    /// Some pattern looks around or back, which needs backtracking; it can be given up.
    Backtracking,
    LargeBacktracking,
}

impl Patterns {
    /// In the order in which they are tried.
    const ALL: [Self; 4] = [
        Self::Small,
        Self::Large,
        Self::Backtracking,
        Self::LargeBacktracking,
    ];

    /// Bytes that one of so many patterns may take.
    fn size(self, patterns: usize) -> usize {
        let most = match self {
            Self::Small | Self::Backtracking => PATTERN_SIZE,
            Self::Large | Self::LargeBacktracking => LARGE_PATTERN_SIZE,
        };
        most.min(PATTERNS_SIZE / patterns.max(1))
    }

    /// True when a match can be given up.
    pub const fn backtrack(self) -> bool {
        matches!(self, Self::Backtracking | Self::LargeBacktracking)
    }

    /// What the library may be charged for a string of so many bytes, so that all the strings of
    /// an event are matched in bounded time.
    pub const fn cost(self, bytes: u64) -> u64 {
        match self {
            Self::Small => bytes / 32,
            Self::Large => 1000 * bytes,
            Self::Backtracking => 150 + 2 * bytes,
            Self::LargeBacktracking => 150 + 1000 * bytes,
        }
    }
}

impl Library {
    /// `number` is how many different patterns there are.
    pub fn compile(
        documents: &Arc<Documents>,
        number: usize,
        formats: bool,
    ) -> Result<Self, SchemaError> {
        let metaschemas = metaschemas::referred_to(documents)?;
        let mut options = jsonschema::options_for::<Taped>()
            .with_retriever(Given(Arc::clone(documents)))
            .should_validate_formats(formats);
        if let Some(metaschemas) = &metaschemas {
            options = options.with_registry(metaschemas);
        }
        let mut last = SchemaError(String::new());
        for patterns in Patterns::ALL {
            let options = with_patterns(options.clone(), patterns, patterns.size(number));
            // Names that are no proper URIs can make the library panic.
            let built = catch_unwind(AssertUnwindSafe(|| options.build(documents.root())));
            match built {
                Ok(Ok(validator)) => {
                    return Ok(Self {
                        validator,
                        patterns,
                    });
                }
                Ok(Err(error)) => {
                    last = refused(&error);
                    if !is_of_a_pattern(&error) {
                        break;
                    }
                }
                Err(_) => {
                    let what = "its $id or $ref are not usable as URIs";
                    return Err(SchemaError(what.to_owned()));
                }
            }
        }
        Err(last)
    }
}

fn with_patterns(
    options: ValidationOptions<'_, Arc<dyn Retrieve>, Taped>,
    patterns: Patterns,
    size: usize,
) -> ValidationOptions<'_, Arc<dyn Retrieve>, Taped> {
    if patterns.backtrack() {
        options.with_pattern_options(
            PatternOptions::fancy_regex()
                .size_limit(size)
                .dfa_size_limit(PATTERN_CACHE)
                .backtrack_limit(STEPS_BACK),
        )
    } else {
        options.with_pattern_options(
            PatternOptions::regex()
                .size_limit(size)
                .dfa_size_limit(PATTERN_CACHE),
        )
    }
}

/// The first engine did not take a pattern.
fn is_of_a_pattern(error: &ValidationError<'_>) -> bool {
    matches!(error.kind(), ValidationErrorKind::Format { format } if format == "regex")
}

/// Why the library does not take a schema, and where in it.
fn refused(error: &ValidationError<'_>) -> SchemaError {
    let said = shortened(error, LONGEST_ERROR);
    if let ValidationErrorKind::Referencing(ReferencingError::Unretrievable { uri, .. }) =
        error.kind()
    {
        let uri = uri.trim_start_matches("json-schema:///");
        return SchemaError(format!(
            "it refers to {uri:?}, which is not among its references"
        ));
    }
    if is_of_a_pattern(error) {
        return SchemaError(format!(
            "{said}, or one that takes too much memory (at {})",
            error.instance_path()
        ));
    }
    let at = error.instance_path().as_str();
    if at.is_empty() {
        SchemaError(said)
    } else {
        SchemaError(format!("{said} (at {at})"))
    }
}
