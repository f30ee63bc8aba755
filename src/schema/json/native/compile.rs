//! Makes rules of a schema, if all of it can be judged by rules.

use std::collections::HashMap;

use jsonschema::Draft;
use serde_json::{Map, Value};

use super::super::index::{Index, Scope, address};
use super::decimal::Decimal;
use super::{
    ANYTHING, Arrays, Choice, Condition, Group, HowMany, Member, NOTHING, Numbers, Objects,
    Program, Rule, RuleId, Scalar, Types,
};

/// Members of one object: each has a bit.
const MOST_MEMBERS: usize = 64;

/// Keywords that demand something which rules cannot express.
const BEYOND: &[&str] = &[
    "$anchor",
    "$dynamicAnchor",
    "$dynamicRef",
    "$recursiveAnchor",
    "$recursiveRef",
    "$vocabulary",
    "additionalItems",
    "contains",
    "contentEncoding",
    "contentMediaType",
    "contentSchema",
    "dependencies",
    "dependentRequired",
    "dependentSchemas",
    "id",
    "maxContains",
    "maxProperties",
    "minContains",
    "minProperties",
    "multipleOf",
    "pattern",
    "patternProperties",
    "prefixItems",
    "propertyNames",
    "unevaluatedItems",
    "unevaluatedProperties",
    "uniqueItems",
];

impl Program {
    /// `None` when there is something in the schema that only the library can judge by.
    ///
    /// The schema must be one that the library took, and no schema may apply to a value because
    /// of itself.
    pub fn compile(index: &Index<'_>, formats: bool) -> Option<Self> {
        let (scope, root) = index.root();
        let draft = Draft::default().detect(root);
        let drafts = [Draft::Draft7, Draft::Draft201909, Draft::Draft202012];
        let same = |other: &Value| other.get("$schema").is_none() || draft.detect(other) == draft;
        if !drafts.contains(&draft)
            || index.has_inner_names()
            || !index.roots().iter().all(|(_, other)| same(other))
        {
            return None;
        }
        let mut compiler = Compiler {
            index,
            draft,
            formats,
            rules: vec![Rule::of(Types::ALL), Rule::of(Types::NONE)],
            known: HashMap::new(),
            pending: Vec::new(),
        };
        let root = compiler.rule(scope, root);
        while let Some((id, scope, schema)) = compiler.pending.pop() {
            let rule = compiler.object(scope, schema)?;
            *compiler.rules.get_mut(id as usize)? = rule.simplified();
        }
        Some(Self {
            rules: compiler.rules,
            root,
        })
    }
}

struct Compiler<'i, 'a> {
    index: &'i Index<'a>,
    draft: Draft,
    formats: bool,
    rules: Vec<Rule>,
    /// Rules of schemas, by their address.
    known: HashMap<usize, RuleId>,
    /// Rules that are still to be made: schemas may be nested and refer as they like.
    pending: Vec<(RuleId, Scope, &'a Map<String, Value>)>,
}

impl<'a> Compiler<'_, 'a> {
    /// The rule of a schema, made sooner or later.
    fn rule(&mut self, scope: Scope, schema: &'a Value) -> RuleId {
        match schema {
            Value::Object(members) if members.is_empty() => ANYTHING,
            Value::Object(members) => {
                let id = self.rules.len() as RuleId;
                let known = *self.known.entry(address(schema)).or_insert(id);
                if known == id {
                    self.rules.push(Rule::of(Types::ALL));
                    let scope = self.index.enter(scope, schema);
                    self.pending.push((id, scope, members));
                }
                known
            }
            Value::Bool(true) => ANYTHING,
            _ => NOTHING,
        }
    }

    fn rules(&mut self, scope: Scope, schemas: &'a Value) -> Option<Vec<RuleId>> {
        let schemas = schemas.as_array()?.iter();
        Some(schemas.map(|schema| self.rule(scope, schema)).collect())
    }

    fn reference(&mut self, scope: Scope, reference: &Value) -> Option<RuleId> {
        let (scope, schema) = self.index.resolve(scope, reference.as_str()?)?;
        Some(self.rule(scope, schema))
    }

    fn object(&mut self, scope: Scope, schema: &'a Map<String, Value>) -> Option<Rule> {
        let mut rule = Rule::of(Types::ALL);
        if let (Draft::Draft7, Some(reference)) = (self.draft, schema.get("$ref")) {
            // What stands beside it is ignored.
            rule.also = [self.reference(scope, reference)?].into();
            return Some(rule);
        }
        let (mut also, mut groups) = (Vec::new(), Vec::new());
        for (keyword, value) in schema {
            let how_many = match keyword.as_str() {
                "$ref" => {
                    also.push(self.reference(scope, value)?);
                    continue;
                }
                "allOf" => {
                    also.extend(self.rules(scope, value)?);
                    continue;
                }
                "not" => {
                    let rules = [self.rule(scope, value)].into();
                    let how_many = HowMany::None;
                    groups.push(Group { how_many, rules });
                    continue;
                }
                "anyOf" => HowMany::Any,
                "oneOf" => HowMany::One,
                "format" if self.formats => return None,
                known if BEYOND.contains(&known) => return None,
                _ => continue,
            };
            let rules = self.rules(scope, value)?.into();
            groups.push(Group { how_many, rules });
        }
        self.plain(scope, schema, &mut rule)?;
        if let Some(condition) = schema.get("if") {
            rule.choices = [self.choice(scope, schema, condition)].into();
        }
        rule.also = also.into();
        rule.groups = groups.into();
        Some(self.join(rule, scope, schema))
    }

    /// Takes the choices of `allOf` into the rule itself, so that those by one member, which
    /// stand in a row there, are made together.
    fn join(&mut self, mut rule: Rule, scope: Scope, schema: &'a Map<String, Value>) -> Rule {
        let Some(schemas) = schema.get("allOf").and_then(Value::as_array) else {
            return rule;
        };
        let mut choices = std::mem::take(&mut rule.choices).into_vec();
        for inner in schemas {
            let only = ["if", "then", "else"];
            let Some(members) = inner.as_object() else {
                continue;
            };
            let Some(condition) = members.get("if") else {
                continue;
            };
            if members
                .keys()
                .all(|keyword| only.contains(&keyword.as_str()))
            {
                choices.push(self.choice(scope, members, condition));
                let id = self.rule(scope, inner);
                rule.also = rule
                    .also
                    .iter()
                    .copied()
                    .filter(|also| *also != id)
                    .collect();
            }
        }
        rule.choices = choices.into();
        rule
    }

    fn plain(
        &mut self,
        scope: Scope,
        schema: &'a Map<String, Value>,
        rule: &mut Rule,
    ) -> Option<()> {
        if let Some(types) = schema.get("type") {
            rule.types = types_of(types)?;
        }
        rule.values = values(schema)?;
        rule.numbers = numbers(schema)?;
        rule.lengths = span(schema, "minLength", "maxLength")?;
        let span = span(schema, "minItems", "maxItems")?;
        let items = match schema.get("items") {
            Some(Value::Array(_)) => return None,
            Some(items) => self.rule(scope, items),
            None => ANYTHING,
        };
        if span.is_some() || items != ANYTHING {
            let (least, most) = span.unwrap_or((0, u64::MAX));
            rule.arrays = Some(Arrays { items, least, most });
        }
        rule.objects = self.objects(scope, schema)?.map(Box::new);
        Some(())
    }

    /// `None`: cannot be made; `Some(None)`: there is nothing to make.
    #[expect(
        clippy::option_option,
        reason = "the outer one is that of all functions here"
    )]
    fn objects(&mut self, scope: Scope, schema: &'a Map<String, Value>) -> Option<Option<Objects>> {
        let mut members: Vec<Member> = Vec::new();
        let properties = schema.get("properties").into_iter();
        for (name, schema) in properties.filter_map(Value::as_object).flatten() {
            members.push(Member {
                name: name.as_str().into(),
                rule: self.rule(scope, schema),
            });
        }
        let additional = match schema.get("additionalProperties") {
            Some(schema) => self.rule(scope, schema),
            None => ANYTHING,
        };
        let mut required = 0;
        let names = schema.get("required").into_iter();
        for name in names.filter_map(Value::as_array).flatten() {
            let name = name.as_str()?;
            let known = members.iter().position(|member| *member.name.text == *name);
            let index = known.unwrap_or(members.len());
            if known.is_none() {
                members.push(Member {
                    name: name.into(),
                    rule: additional,
                });
            }
            if index >= MOST_MEMBERS {
                return None;
            }
            required |= 1u64 << index;
        }
        if members.len() > MOST_MEMBERS {
            return None;
        }
        let anything = members.is_empty() && additional == ANYTHING;
        Some((!anything).then(|| Objects {
            members: members.into(),
            required,
            additional,
        }))
    }

    fn choice(
        &mut self,
        scope: Scope,
        schema: &'a Map<String, Value>,
        condition: &'a Value,
    ) -> Choice {
        let condition = match self.by_member(scope, condition) {
            Some(condition) => condition,
            None => Condition::Rule(self.rule(scope, condition)),
        };
        let mut branch = |name| {
            schema
                .get(name)
                .map_or(ANYTHING, |schema| self.rule(scope, schema))
        };
        Choice {
            condition,
            then: branch("then"),
            otherwise: branch("else"),
        }
    }

    /// The condition that one member is one of some scalars, if that is all it is.
    fn by_member(&mut self, scope: Scope, condition: &'a Value) -> Option<Condition> {
        let condition = condition.as_object()?;
        let mut keywords = condition.keys();
        if !keywords.all(|keyword| matches!(keyword.as_str(), "properties" | "required")) {
            return None;
        }
        let mut members = condition.get("properties")?.as_object()?.iter();
        let ((name, schema), None) = (members.next()?, members.next()) else {
            return None;
        };
        let absent = match condition.get("required").map(Value::as_array) {
            None => true,
            Some(required) => match &required?[..] {
                [] => true,
                [Value::String(only)] if only == name => false,
                _ => return None,
            },
        };
        Some(Condition::Member {
            name: name.as_str().into(),
            rule: self.rule(scope, schema),
            absent,
        })
    }
}

impl Rule {
    fn simplified(mut self) -> Self {
        self.is_alone = self.also.is_empty() && self.groups.is_empty() && self.choices.is_empty();
        self.is_simple = self.is_alone
            && self.values.is_none()
            && self.numbers.is_none()
            && self.lengths.is_none()
            && self.arrays.is_none()
            && self.objects.is_none();
        self
    }
}

fn types_of(types: &Value) -> Option<Types> {
    let one = |name: &Value| match name.as_str()? {
        "null" => Some(Types::NULL),
        "boolean" => Some(Types::BOOLEAN),
        "number" => Some(Types::NUMBER),
        "integer" => Some(Types::INTEGER),
        "string" => Some(Types::STRING),
        "array" => Some(Types::ARRAY),
        "object" => Some(Types::OBJECT),
        _ => None,
    };
    match types {
        Value::Array(names) => {
            let mut names = names.iter();
            names.try_fold(Types::NONE, |types, name| Some(types.with(one(name)?)))
        }
        name => one(name),
    }
}

#[expect(
    clippy::option_option,
    reason = "the outer one is that of all functions here"
)]
fn values(schema: &Map<String, Value>) -> Option<Option<Box<[Scalar]>>> {
    let scalar = |value: &Value| {
        Some(match value {
            Value::Null => Scalar::Null,
            Value::Bool(value) => Scalar::Boolean(*value),
            Value::Number(number) => Scalar::Number(Decimal::parse(number.as_str().as_bytes())?),
            Value::String(text) => Scalar::Text(text.as_str().into()),
            Value::Array(_) | Value::Object(_) => return None,
        })
    };
    match (schema.get("const"), schema.get("enum")) {
        (None, None) => Some(None),
        (Some(value), None) => Some(Some([scalar(value)?].into())),
        (None, Some(values)) => {
            let values = values.as_array()?.iter().map(scalar);
            Some(Some(values.collect::<Option<_>>()?))
        }
        (Some(_), Some(_)) => None,
    }
}

#[expect(
    clippy::option_option,
    reason = "the outer one is that of all functions here"
)]
fn numbers(schema: &Map<String, Value>) -> Option<Option<Box<Numbers>>> {
    let mut numbers = Numbers::default();
    for (keyword, least, itself) in [
        ("minimum", true, true),
        ("exclusiveMinimum", true, false),
        ("maximum", false, true),
        ("exclusiveMaximum", false, false),
    ] {
        let Some(bound) = schema.get(keyword) else {
            continue;
        };
        let bound = Decimal::parse(bound.as_number()?.as_str().as_bytes())?;
        let bounds = if least {
            &mut numbers.least
        } else {
            &mut numbers.most
        };
        bounds.push((bound, itself));
    }
    let any = !numbers.least.is_empty() || !numbers.most.is_empty();
    Some(any.then(|| Box::new(numbers)))
}

/// Least and most of a size.
#[expect(
    clippy::option_option,
    reason = "the outer one is that of all functions here"
)]
fn span(schema: &Map<String, Value>, least: &str, most: &str) -> Option<Option<(u64, u64)>> {
    let (least, most) = (schema.get(least), schema.get(most));
    if least.is_none() && most.is_none() {
        return Some(None);
    }
    let least = least.map_or(Some(0), Value::as_u64)?;
    let most = most.map_or(Some(u64::MAX), Value::as_u64)?;
    Some(Some((least, most)))
}
