//! Avro: can data written by one schema be read by another, by the rules of the specification
//! ("Schema Resolution") as Java's `SchemaCompatibility` reads them?
//!
//! Every pair of a reader's and a writer's type that is met is worked out once. Types that hold
//! themselves make circles of such pairs: a circle holds unless a member is broken, so all pairs
//! begin as good, and what breaks is carried to those that depend on it.
//!
//! One rule is the specification's and not Java's: decimals of different scales do not match.
//! Registries let that pass, and every amount is then read as a multiple of itself.

use std::collections::{HashMap, HashSet};

use super::Reason;
use crate::schema::SchemaError;
use crate::schema::avro::node::{Enum, Id, Logical, Named, Node, Record, Shape};
use crate::schema::avro::{Avro, quoted};

/// Pairs of types that are compared; a union of a thousand against another makes a million.
const MOST_PAIRS: usize = 300_000;
const MOST_REASONS: usize = 1_000;
/// Bytes of a reason's path.
const LONGEST_PATH: usize = 4_096;
/// Symbols or branches that a reason lists.
const LISTED: usize = 10;

/// Why data that is written by `writer` cannot be read by `reader`; empty when all of it can.
///
/// # Errors
/// When the schemas are too large to compare.
pub fn reasons(reader: &Avro, writer: &Avro) -> Result<Vec<Reason>, SchemaError> {
    let mut check = Check {
        reader,
        writer,
        known: HashMap::new(),
        pairs: Vec::new(),
    };
    let root = check.number((reader.table.root, writer.table.root))?;
    check.spread()?;
    let good = check.settle();
    Ok(check.explain(root, &good))
}

/// A reader's type and a writer's.
type Pair = (Id, Id);

/// When the reader's type takes the writer's. Pairs by their number.
#[derive(Debug)]
enum Rule {
    Never,
    /// When all of these hold; also with none.
    All(Vec<usize>),
    /// When one of these holds.
    Any(Vec<usize>),
}

struct Check<'a> {
    reader: &'a Avro,
    writer: &'a Avro,
    known: HashMap<Pair, usize>,
    pairs: Vec<(Pair, Rule)>,
}

impl<'a> Check<'a> {
    fn number(&mut self, pair: Pair) -> Result<usize, SchemaError> {
        let next = self.pairs.len();
        let number = *self.known.entry(pair).or_insert(next);
        if number == next {
            if next >= MOST_PAIRS {
                return Err(SchemaError(format!(
                    "the schemas have more than {MOST_PAIRS} pairs of types to compare"
                )));
            }
            self.pairs.push((pair, Rule::Never));
        }
        Ok(number)
    }

    fn numbers(
        &mut self,
        pairs: impl IntoIterator<Item = Pair>,
    ) -> Result<Vec<usize>, SchemaError> {
        pairs.into_iter().map(|pair| self.number(pair)).collect()
    }

    fn nodes(&self, (reader, writer): Pair) -> (&'a Node, &'a Node) {
        (
            self.reader.table.node(reader),
            self.writer.table.node(writer),
        )
    }

    /// Finds the rule of every pair that is met; the list grows while it is walked.
    fn spread(&mut self) -> Result<(), SchemaError> {
        let mut at = 0;
        while let Some((pair, _)) = self.pairs.get(at) {
            let rule = self.rule(*pair)?;
            if let Some((_, place)) = self.pairs.get_mut(at) {
                *place = rule;
            }
            at += 1;
        }
        Ok(())
    }

    fn rule(&mut self, pair: Pair) -> Result<Rule, SchemaError> {
        let (reader, writer) = self.nodes(pair);
        Ok(match (&reader.shape, &writer.shape) {
            (_, Shape::Union(branches)) => {
                Rule::All(self.numbers(branches.iter().map(|branch| (pair.0, *branch)))?)
            }
            (Shape::Union(branches), _) => {
                Rule::Any(self.numbers(branches.iter().map(|branch| (*branch, pair.1)))?)
            }
            (Shape::Array(reader), Shape::Array(writer))
            | (Shape::Map(reader), Shape::Map(writer)) => {
                Rule::All(vec![self.number((*reader, *writer))?])
            }
            (Shape::Record(wants), Shape::Record(has)) if same_name(&wants.named, &has.named) => {
                let (fields, missing) = paired(wants, has);
                let needs = self.numbers(fields.into_iter().map(|(_, pair)| pair))?;
                if missing.is_empty() {
                    Rule::All(needs)
                } else {
                    Rule::Never
                }
            }
            _ if mismatch(reader, writer).is_none() => Rule::All(Vec::new()),
            _ => Rule::Never,
        })
    }

    /// Which pairs hold: what never does breaks those that need it, and so on.
    fn settle(&self) -> Vec<bool> {
        let mut good = vec![true; self.pairs.len()];
        let mut needed_by: Vec<Vec<usize>> = vec![Vec::new(); self.pairs.len()];
        let mut choices = vec![0_usize; self.pairs.len()];
        let mut broken = Vec::new();
        for (at, (_, rule)) in self.pairs.iter().enumerate() {
            let (Rule::All(needs) | Rule::Any(needs)) = rule else {
                broken.push(at);
                continue;
            };
            for need in needs {
                if let Some(list) = needed_by.get_mut(*need) {
                    list.push(at);
                }
            }
            if let (Rule::Any(_), Some(left)) = (rule, choices.get_mut(at)) {
                *left = needs.len();
                if needs.is_empty() {
                    broken.push(at);
                }
            }
        }
        while let Some(at) = broken.pop() {
            if !good.get_mut(at).is_some_and(std::mem::take) {
                continue;
            }
            for above in needed_by.get(at).into_iter().flatten() {
                let last = choices.get_mut(*above).is_none_or(|left| {
                    *left = left.saturating_sub(1);
                    *left == 0
                });
                if last {
                    broken.push(*above);
                }
            }
        }
        good
    }

    /// Follows what does not hold down to where it comes from, each pair once.
    fn explain(&self, root: usize, good: &[bool]) -> Vec<Reason> {
        let is_good = |at: usize| good.get(at).copied().unwrap_or(true);
        let mut reasons = Vec::new();
        let mut seen = HashSet::new();
        let mut stack = vec![(root, String::new())];
        while let Some((at, path)) = stack.pop() {
            let fresh = !is_good(at) && seen.insert(at) && reasons.len() < MOST_REASONS;
            let Some((pair, rule)) = self.pairs.get(at).filter(|_| fresh) else {
                continue;
            };
            let before = stack.len();
            let (reader, writer) = self.nodes(*pair);
            match (&reader.shape, &writer.shape, rule) {
                (_, Shape::Union(_), Rule::All(needs)) => {
                    stack.extend(needs.iter().map(|need| (*need, path.clone())));
                }
                (Shape::Union(branches), _, _) => match self.like(branches, pair.1) {
                    Some(need) => stack.push((need, path)),
                    None => reasons.push(Reason {
                        path,
                        what: self.no_branch(branches, writer),
                    }),
                },
                (Shape::Array(_), Shape::Array(_), Rule::All(needs)) => {
                    stack.extend(needs.iter().map(|need| (*need, below(&path, "items"))));
                }
                (Shape::Map(_), Shape::Map(_), Rule::All(needs)) => {
                    stack.extend(needs.iter().map(|need| (*need, below(&path, "values"))));
                }
                (Shape::Record(wants), Shape::Record(has), _)
                    if same_name(&wants.named, &has.named) =>
                {
                    let path = below(&path, "fields");
                    let (fields, missing) = paired(wants, has);
                    for name in missing {
                        reasons.push(Reason {
                            path: below(&path, name),
                            what: format!(
                                "the reader wants {}, which the writer does not write, and it has no default",
                                quoted(name)
                            ),
                        });
                    }
                    for (name, pair) in fields {
                        let need = self.known.get(&pair).copied();
                        stack.extend(need.map(|need| (need, below(&path, name))));
                    }
                }
                _ => reasons.extend(mismatch(reader, writer).map(|what| Reason { path, what })),
            }
            // The first shall be explained first.
            if let Some(new) = stack.get_mut(before..) {
                new.reverse();
            }
        }
        reasons
    }

    /// The branch of a reader's union that the writer's type is a version of: of the same shape
    /// and, where it has one, name. `None` when there is none, or it takes what is written.
    fn like(&self, branches: &[Id], writer: Id) -> Option<usize> {
        let wrote = &self.writer.table.node(writer).shape;
        let alike = |branch: &&Id| {
            let wants = &self.reader.table.node(**branch).shape;
            wants.word() == wrote.word()
                && match (wants.named(), wrote.named()) {
                    (Some(wants), Some(wrote)) => same_name(wants, wrote),
                    _ => true,
                }
        };
        let branch = branches.iter().find(alike)?;
        self.known.get(&(*branch, writer)).copied()
    }

    fn no_branch(&self, branches: &[Id], writer: &Node) -> String {
        let names = branches
            .iter()
            .map(|branch| called(self.reader.table.node(*branch)));
        format!(
            "the writer may write {}, for which the reader's union ({}) has no branch",
            called(writer),
            listed(names)
        )
    }
}

/// A step down in a path, escaped as JSON pointers are.
fn below(path: &str, step: &str) -> String {
    if path.len() > LONGEST_PATH {
        return path.to_owned();
    }
    format!("{path}/{}", step.replace('~', "~0").replace('/', "~1"))
}

/// As the specification says and Java does: the names without namespaces, or the writer's full
/// name among the reader's aliases.
fn same_name(reader: &Named, writer: &Named) -> bool {
    reader.short() == writer.short() || reader.aliases.contains(&writer.full)
}

/// The reader's fields with the types to compare, and those that the writer does not write and
/// that have no default.
fn paired<'a>(reader: &'a Record, writer: &Record) -> (Vec<(&'a str, Pair)>, Vec<&'a str>) {
    let written: HashMap<&str, Id> = writer
        .fields
        .iter()
        .map(|field| (field.name.as_str(), field.id))
        .collect();
    let (mut fields, mut missing) = (Vec::new(), Vec::new());
    for field in &reader.fields {
        let mut names = std::iter::once(&field.name).chain(&field.aliases);
        match names.find_map(|name| written.get(name.as_str())) {
            Some(id) => fields.push((field.name.as_str(), (field.id, *id))),
            None if field.default.is_none() => missing.push(field.name.as_str()),
            None => {}
        }
    }
    (fields, missing)
}

/// Why a reader's type, looked at without the types in it, does not take a writer's.
fn mismatch(reader: &Node, writer: &Node) -> Option<String> {
    let promoted = matches!(
        (&reader.shape, &writer.shape),
        (Shape::Long, Shape::Int)
            | (Shape::Float, Shape::Int | Shape::Long)
            | (Shape::Double, Shape::Int | Shape::Long | Shape::Float)
            | (Shape::Bytes, Shape::String)
            | (Shape::String, Shape::Bytes)
    );
    if promoted {
        return None;
    }
    if reader.shape.word() != writer.shape.word() {
        let (wrote, wants) = (called(writer), called(reader));
        return Some(format!(
            "the writer writes {wrote}, the reader wants {wants}"
        ));
    }
    if let (Some(wants), Some(wrote)) = (reader.shape.named(), writer.shape.named())
        && !same_name(wants, wrote)
    {
        let (wants, wrote) = (quoted(&wants.full), quoted(&wrote.full));
        return Some(format!(
            "the writer's {} is {wrote}, the reader's is {wants} and has no such alias",
            writer.shape.word()
        ));
    }
    match (&reader.shape, &writer.shape) {
        (Shape::Fixed(wants), Shape::Fixed(wrote)) if wants.size != wrote.size => {
            return Some(format!(
                "the writer's {} has {} bytes, the reader's {}",
                quoted(&wrote.named.full),
                wrote.size,
                wants.size
            ));
        }
        (Shape::Enum(wants), Shape::Enum(wrote)) => return lacking(wants, wrote),
        _ => {}
    }
    match (reader.logical, writer.logical) {
        (
            Some(Logical::Decimal { scale: wants, .. }),
            Some(Logical::Decimal { scale: wrote, .. }),
        ) if wants != wrote => Some(format!(
            "the writer's decimal has the scale {wrote}, the reader's {wants}: it would read every \
             number wrong (registries do not look at this)"
        )),
        _ => None,
    }
}

fn lacking(reader: &Enum, writer: &Enum) -> Option<String> {
    if reader.default.is_some() {
        return None;
    }
    let has: HashSet<&str> = reader
        .symbols
        .iter()
        .map(|symbol| symbol.name.as_str())
        .collect();
    let lacks = writer
        .symbols
        .iter()
        .filter(|symbol| !has.contains(symbol.name.as_str()));
    let mut lacks = lacks.map(|symbol| quoted(&symbol.name)).peekable();
    lacks.peek()?;
    let lacks = listed(lacks);
    Some(format!(
        "the writer may write {lacks}, which the reader's enum does not have, and it has no default"
    ))
}

/// A type as a reason speaks of it.
fn called(node: &Node) -> String {
    let word = node.shape.word();
    match node.shape.named() {
        Some(named) => format!("the {word} {}", quoted(&named.full)),
        None => format!("`{word}`"),
    }
}

fn listed(names: impl Iterator<Item = String>) -> String {
    let mut names = names;
    let mut text: Vec<String> = names.by_ref().take(LISTED).collect();
    if names.next().is_some() {
        text.push("…".to_owned());
    }
    text.join(", ")
}

#[cfg(test)]
mod tests;
