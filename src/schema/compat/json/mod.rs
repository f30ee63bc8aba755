//! JSON Schema: can everything that is valid by the writer's schema be read by the reader's? The
//! rules are those of Confluent's registry (its `SchemaDiff`): an object is open where nothing is
//! said of further members, closed where they are forbidden, and a member that the reader adds to
//! an open object is refused, because writers may have put anything there under that name.
//!
//! Conditions, `contains`, `propertyNames` and what is unevaluated are taken as they are written:
//! changed is refused, removed is fine. `format` and what only describes are not looked at.

mod arrays;
mod objects;
mod scalars;
#[cfg(test)]
mod tests;

use std::collections::HashSet;

use serde_json::Value;

use self::scalars::Types;
use super::Reason;
use crate::schema::json::documents::Documents;
use crate::schema::json::index::{Index, Scope, address};
use crate::schema::{SchemaError, Source};

/// Pairs of demands of subschemas that are compared at most: some seconds.
const MOST_WORK: usize = 500_000;
/// How deep comparing goes into schemas.
const DEEPEST: usize = 100;
/// Reasons that are given at most.
const MOST_REASONS: usize = 100;

/// Why what `writer` allows cannot all be read by `reader`; empty when it can. At most 100.
///
/// A path leads into the reader's schema, or the writer's for what the reader does not have:
/// `#/properties/amount`. Errors: a schema that cannot be read, or two so large that comparing
/// them would take long.
pub fn reasons(reader: &Source, writer: &Source) -> Result<Vec<Reason>, SchemaError> {
    let (reader, writer) = (Documents::read(reader)?, Documents::read(writer)?);
    let (reader, writer) = (Index::new(&reader), Index::new(&writer));
    let mut comparison = Comparison {
        reader: &reader,
        writer: &writer,
        open: HashSet::new(),
        work: MOST_WORK,
        levels: 0,
    };
    let mut found = Vec::new();
    comparison.schemas(reader.root().into(), writer.root().into(), "#", &mut found);
    if comparison.work == 0 {
        let what = "the schemas are too large to be compared";
        return Err(SchemaError(what.to_owned()));
    }
    let mut seen = HashSet::new();
    found.retain(|reason| seen.insert((reason.path.clone(), reason.what.clone())));
    found.truncate(MOST_REASONS);
    Ok(found)
}

fn reason(path: &str, what: impl Into<String>) -> Reason {
    Reason {
        path: path.to_owned(),
        what: what.into(),
    }
}

/// The path of a member or an element.
fn below(path: &str, keyword: &str, name: &str) -> String {
    let name = name.replace('~', "~0").replace('/', "~1");
    format!("{path}/{keyword}/{name}")
}

/// A subschema and where its references start from.
#[derive(Clone, Copy)]
struct Place<'a> {
    scope: Scope,
    schema: &'a Value,
    /// Of the types that the schema allows only these are meant.
    only: Types,
}

impl<'a> From<(Scope, &'a Value)> for Place<'a> {
    fn from((scope, schema): (Scope, &'a Value)) -> Self {
        Self {
            scope,
            schema,
            only: Types::ALL,
        }
    }
}

impl<'a> Place<'a> {
    fn to(self, schema: &'a Value) -> Self {
        (self.scope, schema).into()
    }

    fn get(self, keyword: &str) -> Option<Self> {
        self.schema.get(keyword).map(|schema| self.to(schema))
    }

    fn list(self, keyword: &str) -> Option<&'a [Value]> {
        let list = self.schema.get(keyword)?.as_array()?;
        Some(list)
    }

    /// True when everything is allowed: nothing is said but what describes.
    fn is_anything(self) -> bool {
        match self.schema {
            Value::Object(members) => members.keys().all(|keyword| {
                matches!(
                    keyword.as_str(),
                    "title"
                        | "description"
                        | "default"
                        | "examples"
                        | "$comment"
                        | "$schema"
                        | "$id"
                )
            }),
            other => *other == Value::Bool(true),
        }
    }

    fn is_nothing(self) -> bool {
        *self.schema == Value::Bool(false)
    }
}

/// One of the demands that a schema makes; all of them hold.
#[derive(Clone, Copy)]
enum Demand<'a> {
    /// The keywords that stand in one object, but for those below.
    Plain(Place<'a>),
    /// At least one of the schemas.
    Any(Place<'a>, &'a [Value]),
    /// Not the schema.
    Not(Place<'a>),
}

/// What a schema refers to, if that is all it does: so that circles are seen where they close.
fn followed<'a>(index: &Index<'a>, mut place: Place<'a>) -> Place<'a> {
    for _ in 0..DEEPEST {
        place.scope = index.enter(place.scope, place.schema);
        let Value::Object(members) = place.schema else {
            break;
        };
        let mut others = members.keys().filter(|keyword| {
            !matches!(
                keyword.as_str(),
                "$ref" | "$defs" | "definitions" | "$schema" | "$id" | "title" | "description"
            )
        });
        let reference = members.get("$ref").and_then(Value::as_str);
        let (Some(reference), None) = (reference, others.next()) else {
            break;
        };
        let Some((scope, schema)) = index.resolve(place.scope, reference) else {
            break;
        };
        place = Place {
            scope,
            schema,
            ..place
        };
    }
    place
}

/// All demands of a schema, those that it refers to included.
fn demands<'a>(index: &Index<'a>, place: Place<'a>) -> Vec<Demand<'a>> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    let mut pending = vec![place];
    while let Some(place) = pending.pop() {
        let place = Place {
            scope: index.enter(place.scope, place.schema),
            ..place
        };
        if !seen.insert(address(place.schema)) {
            continue;
        }
        found.push(Demand::Plain(place));
        let inner = |schema| Place {
            only: place.only,
            ..place.to(schema)
        };
        pending.extend(place.list("allOf").into_iter().flatten().map(inner));
        for keyword in ["anyOf", "oneOf"] {
            found.extend(place.list(keyword).map(|list| Demand::Any(place, list)));
        }
        found.extend(place.get("not").map(Demand::Not));
        let reference = place.schema.get("$ref").and_then(Value::as_str);
        let target = reference.and_then(|reference| index.resolve(place.scope, reference));
        pending.extend(target.map(|target| Place {
            only: place.only,
            ..target.into()
        }));
    }
    found
}

struct Comparison<'i, 'a> {
    reader: &'i Index<'a>,
    writer: &'i Index<'a>,
    /// Pairs that are being compared: to meet one again tells nothing new.
    open: HashSet<(usize, usize, Types)>,
    work: usize,
    levels: usize,
}

impl<'a> Comparison<'_, 'a> {
    /// Adds why `reader` does not take all that `writer` allows.
    fn schemas(
        &mut self,
        reader: Place<'a>,
        writer: Place<'a>,
        path: &str,
        found: &mut Vec<Reason>,
    ) {
        if writer.is_nothing() || reader.is_anything() {
            return;
        }
        if reader.is_nothing() {
            found.push(reason(path, "the reader allows nothing here"));
            return;
        }
        let reader = followed(self.reader, reader);
        let writer = followed(self.writer, writer);
        let pair = (address(reader.schema), address(writer.schema), writer.only);
        if self.work == 0 || self.levels >= DEEPEST || found.len() >= MOST_REASONS {
            return;
        }
        if !self.open.insert(pair) {
            return;
        }
        self.levels += 1;
        let given = demands(self.writer, writer);
        let wanted = demands(self.reader, reader);
        self.spend(given.len() * wanted.len());
        for wanted in wanted {
            self.demand(wanted, writer, &given, path, found);
        }
        self.levels -= 1;
        self.open.remove(&pair);
    }

    fn spend(&mut self, pairs: usize) {
        self.work = self.work.saturating_sub(pairs);
    }

    /// True when there is no reason why not.
    fn takes(&mut self, reader: Place<'a>, writer: Place<'a>) -> bool {
        let mut found = Vec::new();
        self.schemas(reader, writer, "", &mut found);
        found.is_empty()
    }

    /// Adds why a demand of the reader does not follow from those of the writer.
    fn demand(
        &mut self,
        wanted: Demand<'a>,
        writer: Place<'a>,
        given: &[Demand<'a>],
        path: &str,
        found: &mut Vec<Reason>,
    ) {
        if self.work == 0 || self.some_sum_meets(wanted, given) {
            return;
        }
        match wanted {
            Demand::Plain(reader) => {
                let plain = given.iter().filter_map(|given| match given {
                    Demand::Plain(place) => Some(*place),
                    _ => None,
                });
                let plain: Vec<_> = plain.collect();
                self.plain(reader, &plain, path, found);
            }
            Demand::Any(reader, branches) => {
                if !self.some_takes(reader, branches, writer) {
                    let what = "none of the reader's alternatives takes all that the writer allows";
                    found.push(reason(path, what));
                }
            }
            Demand::Not(reader) => {
                let mut given = given.iter();
                let refused = given.any(|given| match given {
                    Demand::Not(writer) => self.takes_turned(*writer, reader),
                    _ => false,
                });
                if !refused {
                    let what = "the reader refuses (not) something that the writer may write";
                    found.push(reason(path, what));
                }
            }
        }
    }

    /// As [`Comparison::takes`] with the parts exchanged: what the reader refuses the writer must
    /// refuse.
    fn takes_turned(&mut self, writer: Place<'a>, reader: Place<'a>) -> bool {
        let mut turned = Comparison {
            reader: self.writer,
            writer: self.reader,
            open: HashSet::new(),
            work: self.work,
            levels: self.levels + 1,
        };
        let takes = turned.takes(writer, reader);
        self.work = turned.work;
        takes
    }

    /// Whether one of the writer's choices meets a demand whatever is chosen.
    fn some_sum_meets(&mut self, wanted: Demand<'a>, given: &[Demand<'a>]) -> bool {
        given.iter().any(|given| {
            let Demand::Any(place, branches) = *given else {
                return false;
            };
            branches.iter().all(|branch| {
                if self.work == 0 || self.levels >= DEEPEST {
                    return true;
                }
                self.levels += 1;
                let (branch, mut found) = (place.to(branch), Vec::new());
                let given = demands(self.writer, branch);
                self.spend(given.len());
                if !branch.is_nothing() {
                    self.demand(wanted, branch, &given, "", &mut found);
                }
                self.levels -= 1;
                found.is_empty()
            })
        })
    }

    /// Whether one of the reader's choices takes all that the writer allows, or for each type
    /// that it allows there is one.
    fn some_takes(&mut self, reader: Place<'a>, branches: &'a [Value], writer: Place<'a>) -> bool {
        let some = |this: &mut Self, writer| {
            let mut branches = branches.iter();
            branches.any(|branch| this.takes(reader.to(branch), writer))
        };
        if some(self, writer) {
            return true;
        }
        let types = Types::of(writer).each();
        types.len() > 1
            && types
                .into_iter()
                .all(|only| some(self, Place { only, ..writer }))
    }

    /// Adds why the keywords of the reader's schema do not follow from those of the writer's, which
    /// all hold: each kind of keyword from the one of them that says most.
    fn plain(
        &mut self,
        reader: Place<'a>,
        writers: &[Place<'a>],
        path: &str,
        found: &mut Vec<Reason>,
    ) {
        type Kind<'i, 'a> =
            fn(&mut Comparison<'i, 'a>, Place<'a>, Place<'a>, &str, &mut Vec<Reason>);
        let types = writers
            .iter()
            .fold(Types::ALL, |types, writer| types.and(Types::of(*writer)));
        let before = found.len();
        scalars::types(reader, types, path, found);
        if found.len() > before {
            return;
        }
        let mut kinds: Vec<Kind<'_, 'a>> = vec![
            |_, r, w, path, found| scalars::values(r, w, path, found),
            |_, r, w, path, found| scalars::unread(r, w, path, found),
        ];
        if types.has(Types::NUMBER) || types.has(Types::INTEGER) {
            kinds.push(|_, r, w, path, found| scalars::numbers(r, w, path, found));
        }
        if types.has(Types::STRING) {
            kinds.push(|_, r, w, path, found| scalars::strings(r, w, path, found));
        }
        if types.has(Types::ARRAY) {
            kinds.push(Comparison::arrays);
        }
        if types.has(Types::OBJECT) {
            kinds.push(Comparison::objects);
        }
        for kind in kinds {
            let mut best: Option<Vec<Reason>> = None;
            for writer in writers {
                let mut reasons = Vec::new();
                kind(self, reader, *writer, path, &mut reasons);
                if best.as_ref().is_none_or(|best| reasons.len() < best.len()) {
                    best = Some(reasons);
                }
            }
            found.extend(best.unwrap_or_default());
        }
    }
}
