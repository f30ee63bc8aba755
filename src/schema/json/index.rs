//! Where references lead within the documents of a schema: by URI, by anchor, by JSON pointer.

use std::collections::HashMap;

use jsonschema::{Uri, uri};
use serde_json::Value;

use super::documents::{Documents, bare};

/// A document or a part of one with an `$id` of its own: what relative references start from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Scope(u32);

/// All that can be referred to.
pub(crate) struct Index<'a> {
    documents: &'a Documents,
    resources: Vec<(Uri<String>, &'a Value)>,
    by_uri: HashMap<String, Scope>,
    /// Which resource begins at an object, by the object's address.
    by_address: HashMap<usize, Scope>,
    anchors: HashMap<(Scope, &'a str), &'a Value>,
}

/// Values that hold data, not schemas.
fn holds_data(keyword: &str) -> bool {
    matches!(keyword, "const" | "enum" | "default" | "examples")
}

pub(crate) fn address(value: &Value) -> usize {
    std::ptr::from_ref(value).addr()
}

impl<'a> Index<'a> {
    pub fn new(documents: &'a Documents) -> Self {
        let mut index = Self {
            documents,
            resources: Vec::new(),
            by_uri: HashMap::new(),
            by_address: HashMap::new(),
            anchors: HashMap::new(),
        };
        for document in documents.iter() {
            let own = document.id.as_ref().unwrap_or(&document.uri);
            let scope = index.add(own.clone(), &document.value);
            index
                .by_uri
                .entry(bare(document.uri.as_str()).to_owned())
                .or_insert(scope);
            index.descend(scope, &document.value);
        }
        index
    }

    fn add(&mut self, uri: Uri<String>, value: &'a Value) -> Scope {
        let scope = Scope(self.resources.len() as u32);
        self.by_uri
            .entry(bare(uri.as_str()).to_owned())
            .or_insert(scope);
        self.by_address.insert(address(value), scope);
        self.resources.push((uri, value));
        scope
    }

    /// Notes the resources and anchors inside a document.
    fn descend(&mut self, scope: Scope, root: &'a Value) {
        let mut pending = vec![(scope, root)];
        while let Some((outer, value)) = pending.pop() {
            match value {
                Value::Array(items) => pending.extend(items.iter().map(|item| (outer, item))),
                Value::Object(members) => {
                    let scope = self.note(outer, value);
                    let schemas = members.iter().filter(|(name, _)| !holds_data(name));
                    pending.extend(schemas.map(|(_, value)| (scope, value)));
                }
                _ => {}
            }
        }
    }

    /// Notes what an object is called.
    fn note(&mut self, outer: Scope, value: &'a Value) -> Scope {
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        let id = text("$id").or_else(|| text("id"));
        let mut scope = self.enter(outer, value);
        if let Some(anchor) = id.and_then(|id| id.strip_prefix('#')) {
            self.anchors.insert((scope, anchor), value);
        } else if let Some(id) = id.filter(|_| scope == outer && !self.is_resource(value)) {
            let base = self.resources.get(outer.0 as usize).map(|(uri, _)| uri);
            let uri = base.and_then(|base| uri::resolve_against(&base.borrow(), id).ok());
            scope = uri.map_or(scope, |uri| self.add(uri, value));
        }
        for name in ["$anchor", "$dynamicAnchor"] {
            if let Some(anchor) = text(name) {
                self.anchors.insert((scope, anchor), value);
            }
        }
        scope
    }

    fn is_resource(&self, value: &Value) -> bool {
        self.by_address.contains_key(&address(value))
    }

    /// The root with its scope.
    pub fn root(&self) -> (Scope, &'a Value) {
        (Scope(0), self.documents.root())
    }

    /// The root of every document, with its scope.
    pub fn roots(&self) -> Vec<(Scope, &'a Value)> {
        let roots = self.documents.iter().map(|document| &document.value);
        roots
            .map(|root| (self.enter(Scope(0), root), root))
            .collect()
    }

    /// The scope inside a schema that is reached in `scope`.
    pub fn enter(&self, scope: Scope, schema: &Value) -> Scope {
        self.by_address
            .get(&address(schema))
            .copied()
            .unwrap_or(scope)
    }

    /// True when some part of a document, not its root, has a name of its own.
    pub fn has_inner_names(&self) -> bool {
        self.resources.len() > self.documents.iter().count() || !self.anchors.is_empty()
    }

    /// What a reference leads to; `None` when it is not among the documents.
    pub fn resolve(&self, scope: Scope, reference: &str) -> Option<(Scope, &'a Value)> {
        let (uri, fragment) = reference.split_once('#').unwrap_or((reference, ""));
        let scope = if uri.is_empty() {
            scope
        } else {
            let (base, _) = self.resources.get(scope.0 as usize)?;
            let uri = uri::resolve_against(&base.borrow(), uri).ok()?;
            self.scope_of(bare(uri.as_str()))?
        };
        let (_, resource) = self.resources.get(scope.0 as usize)?;
        if fragment.is_empty() {
            Some((scope, resource))
        } else if fragment.starts_with('/') {
            self.follow(scope, resource, fragment)
        } else {
            let found = self.anchors.get(&(scope, fragment))?;
            Some((self.enter(scope, found), found))
        }
    }

    fn scope_of(&self, uri: &str) -> Option<Scope> {
        self.by_uri.get(uri).copied().or_else(|| {
            let document = self.documents.find(uri)?;
            self.by_address.get(&address(&document.value)).copied()
        })
    }

    fn follow(
        &self,
        mut scope: Scope,
        from: &'a Value,
        pointer: &str,
    ) -> Option<(Scope, &'a Value)> {
        let mut at = from;
        for token in pointer.split('/').skip(1) {
            let token = percent_decoded(token)?
                .replace("~1", "/")
                .replace("~0", "~");
            at = match at {
                Value::Object(members) => members.get(&token)?,
                Value::Array(items) => items.get(token.parse::<usize>().ok()?)?,
                _ => return None,
            };
            scope = self.enter(scope, at);
        }
        Some((scope, at))
    }
}

fn percent_decoded(token: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(token.len());
    let mut rest = token.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (digits, after) = after.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}
