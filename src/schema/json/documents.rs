//! The texts of a schema as JSON: the root and what it names. Where a `$ref` leads is found out
//! in `index`.

use std::error::Error;
use std::sync::Arc;

use jsonschema::{Retrieve, Uri, uri};
use serde_json::Value;

use crate::schema::{SchemaError, Source};
use crate::text::JsonText;

/// Longer texts of schemas are refused, in bytes.
const LONGEST: usize = 32 << 20;

/// What a document is called that names itself nothing.
const UNNAMED: &str = "json-schema:///";

/// The root comes first, then the references in their order.
#[derive(Debug)]
pub(crate) struct Documents(Vec<Document>);

#[derive(Debug)]
pub(crate) struct Document {
    /// What the source calls it; nothing for the root.
    name: String,
    /// The name as a URI, resolved against the root's; the root's own `$id` for the root.
    pub uri: Uri<String>,
    /// Its own `$id`, resolved against `uri`.
    pub id: Option<Uri<String>>,
    pub value: Value,
}

impl Documents {
    /// Errors: what is no JSON, longer than 32 MiB or nested deeper than 127 levels, by name.
    pub fn read(source: &Source) -> Result<Self, SchemaError> {
        let base = uri::from_str(UNNAMED).map_err(|error| SchemaError(error.to_string()))?;
        let root = Document::read("", &base, &source.text)?;
        let base = root.id.clone().unwrap_or(base);
        let mut documents = vec![root];
        for reference in &source.references {
            documents.push(Document::read(&reference.name, &base, &reference.text)?);
        }
        Ok(Self(documents))
    }

    pub fn root(&self) -> &Value {
        self.0.first().map_or(&Value::Null, |root| &root.value)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Document> {
        self.0.iter()
    }

    /// The reference that a URI without fragment means: by its name, by its name resolved against
    /// the root's URI, by its own `$id`, or, failing all that, by the end of the URI's path.
    pub fn find(&self, wanted: &str) -> Option<&Document> {
        let wanted = wanted.trim_end_matches('#');
        let references = self.0.get(1..).unwrap_or_default();
        let exact = |document: &&Document| {
            let own = document.id.as_ref().map(|id| bare(id.as_str()));
            document.name == wanted || bare(document.uri.as_str()) == wanted || own == Some(wanted)
        };
        let ending = |document: &&Document| {
            let before = wanted.strip_suffix(document.name.as_str());
            before.is_some_and(|before| before.ends_with('/'))
        };
        let found = references.iter().find(exact);
        found.or_else(|| references.iter().find(ending))
    }
}

impl Document {
    fn read(name: &str, base: &Uri<String>, text: &str) -> Result<Self, SchemaError> {
        let what = if name.is_empty() {
            "the schema".to_owned()
        } else {
            format!("the referenced schema {name:?}")
        };
        if text.len() > LONGEST {
            return Err(SchemaError(format!("{what} is longer than 32 MiB")));
        }
        // Told apart before anything recurses; 127 levels is where the parser stops.
        JsonText::parse(text.as_bytes())
            .map_err(|fault| SchemaError(format!("{what} is not JSON: {fault}")))?;
        let value: Value = serde_json::from_str(text)
            .map_err(|error| SchemaError(format!("{what} cannot be read: {error}")))?;
        let uri = uri::resolve_against(&base.borrow(), name).unwrap_or_else(|_| base.clone());
        let id = value.get("$id").or_else(|| value.get("id"));
        let id = id.and_then(Value::as_str).filter(|id| !id.starts_with('#'));
        let id = id.and_then(|id| uri::resolve_against(&uri.borrow(), id).ok());
        Ok(Self {
            name: name.to_owned(),
            uri,
            id,
            value,
        })
    }
}

/// A URI without its fragment.
pub(crate) fn bare(uri: &str) -> &str {
    uri.split_once('#').map_or(uri, |(before, _)| before)
}

/// Gives the library what it asks for from the documents alone: no network, no files.
pub(super) struct Given(pub Arc<Documents>);

impl Retrieve for Given {
    fn retrieve(&self, uri: &Uri<String>) -> Result<Value, Box<dyn Error + Send + Sync>> {
        match self.0.find(bare(uri.as_str())) {
            Some(document) => Ok(document.value.clone()),
            None => Err("no schema of this name is among the references".into()),
        }
    }
}
