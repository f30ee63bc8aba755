//! Compiles a schema with the `jsonschema` crate, so that it fetches nothing and no pattern can
//! run away.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use jsonschema::error::ValidationErrorKind;
use jsonschema::{PatternOptions, ReferencingError, ValidationError};

use super::documents::{Documents, Given};
use super::faults::shortened;
use super::view::Taped;
use crate::schema::SchemaError;

/// Bytes of a compiled pattern. The slow way through an automaton of this size takes some 50 ms
/// for 10 KB of text; ordinary patterns need a hundredth of it.
const PATTERN_SIZE: usize = 1 << 18;
/// Bytes that the fast way through a pattern may keep.
const PATTERN_CACHE: usize = 1 << 20;
/// Steps back on one string, for patterns that only backtracking can match.
const STEPS_BACK: usize = 10_000;
/// Letters of an error that are shown.
const LONGEST_ERROR: usize = 300;

/// A compiled schema.
pub(super) struct Library {
    pub validator: jsonschema::Validator<Taped>,
    /// Some pattern needs backtracking, which can be given up.
    pub backtracks: bool,
}

impl Library {
    pub fn compile(documents: &Arc<Documents>, formats: bool) -> Result<Self, SchemaError> {
        let options = jsonschema::options_for::<Taped>()
            .with_retriever(Given(Arc::clone(documents)))
            .should_validate_formats(formats);
        let linear = PatternOptions::regex()
            .size_limit(PATTERN_SIZE)
            .dfa_size_limit(PATTERN_CACHE);
        let root = documents.root();
        let build = |options: jsonschema::ValidationOptions<'_, _, Taped>| {
            // Names that are no proper URIs make the library panic.
            catch_unwind(AssertUnwindSafe(|| options.build(root)))
                .map_err(|_| SchemaError("its $id or $ref are not usable as URIs".to_owned()))
        };
        match build(options.clone().with_pattern_options(linear))? {
            Ok(validator) => Ok(Self {
                validator,
                backtracks: false,
            }),
            Err(error) if is_of_a_pattern(&error) => {
                let backtracking = PatternOptions::fancy_regex()
                    .size_limit(PATTERN_SIZE)
                    .dfa_size_limit(PATTERN_CACHE)
                    .backtrack_limit(STEPS_BACK);
                let built = build(options.with_pattern_options(backtracking))?;
                built
                    .map_err(|error| refused(&error))
                    .map(|validator| Self {
                        validator,
                        backtracks: true,
                    })
            }
            Err(error) => Err(refused(&error)),
        }
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
