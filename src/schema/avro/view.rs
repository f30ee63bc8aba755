//! What a schema has, field by field, for people.

use super::Avro;
use super::node::{Field, Id, Node, Shape, Table};
use crate::schema::DEEPEST;

/// Rows of a view, and bytes of their texts: records in records multiply.
const MOST_ROWS: usize = 10_000;
const MOST_BYTES: usize = 16 * 1024 * 1024;
/// Symbols of an enum that its type's text tells.
const SYMBOLS: usize = 20;

/// One field of a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// `.items[].sku`; `[]` are an array's items, `{}` a map's values. Names as the schema has
    /// them: not yet safe to show.
    pub path: String,
    /// The type in Avro's words: `null | long timestamp-millis`, `array of record ns.Item`.
    pub kind: String,
    pub doc: Option<String>,
    /// As JSON text.
    pub default: Option<String>,
}

/// The path and the type of every field; of a schema that has none, its own.
pub fn describe(avro: &Avro) -> Vec<(String, String)> {
    let fields = view_or_root(&avro.table);
    fields
        .into_iter()
        .map(|field| (field.path, field.kind))
        .collect()
}

fn view_or_root(table: &Table) -> Vec<Described> {
    let mut rows = fields(table);
    if rows.is_empty() {
        rows.push(Described {
            path: ".".to_owned(),
            kind: kind(table, table.root),
            doc: None,
            default: None,
        });
    }
    rows
}

pub(super) fn fields(table: &Table) -> Vec<Described> {
    let mut view = View {
        table,
        rows: Vec::new(),
        bytes: 0,
        open: Vec::new(),
    };
    view.inside(table.root, &mut String::new(), 0);
    view.rows
}

struct View<'a> {
    table: &'a Table,
    rows: Vec<Described>,
    bytes: usize,
    /// The records around: one that holds itself is not told again.
    open: Vec<Id>,
}

impl View<'_> {
    /// The fields of the records in a type, which stands below `depth` others.
    fn inside(&mut self, id: Id, path: &mut String, depth: usize) {
        if depth >= DEEPEST {
            return;
        }
        let len = path.len();
        match &self.table.node(id).shape {
            Shape::Array(item) => {
                path.push_str("[]");
                self.inside(*item, path, depth + 1);
            }
            Shape::Map(value) => {
                path.push_str("{}");
                self.inside(*value, path, depth + 1);
            }
            Shape::Union(branches) => {
                for branch in branches {
                    self.inside(*branch, path, depth + 1);
                }
            }
            Shape::Record(record) if !self.open.contains(&id) => {
                self.open.push(id);
                for field in &record.fields {
                    if self.rows.len() >= MOST_ROWS || self.bytes > MOST_BYTES {
                        break;
                    }
                    path.push('.');
                    path.push_str(&field.name);
                    self.row(field, path);
                    self.inside(field.id, path, depth + 1);
                    path.truncate(len);
                }
                self.open.pop();
            }
            _ => {}
        }
        path.truncate(len);
    }

    fn row(&mut self, field: &Field, path: &str) {
        let row = Described {
            path: path.to_owned(),
            kind: kind(self.table, field.id),
            doc: field.doc.clone(),
            default: field.default.clone(),
        };
        let said = |text: &Option<String>| text.as_ref().map_or(0, String::len);
        self.bytes += row.path.len() + row.kind.len() + said(&row.doc) + said(&row.default);
        self.rows.push(row);
    }
}

/// A type in Avro's words.
fn kind(table: &Table, id: Id) -> String {
    let mut text = String::new();
    push_kind(table, id, &mut text);
    text
}

/// Recurses as deep as types without a name are nested, which a schema's text bounds.
fn push_kind(table: &Table, id: Id, text: &mut String) {
    let Node { shape, logical } = table.node(id);
    match shape {
        Shape::Array(item) => {
            text.push_str("array of ");
            push_operand(table, *item, text);
        }
        Shape::Map(value) => {
            text.push_str("map of ");
            push_operand(table, *value, text);
        }
        Shape::Union(branches) => {
            for (at, branch) in branches.iter().enumerate() {
                text.push_str(if at > 0 { " | " } else { "" });
                push_kind(table, *branch, text);
            }
        }
        plain => text.push_str(plain.word()),
    }
    if let Some(named) = shape.named() {
        text.push(' ');
        text.push_str(&named.full);
    }
    let more = match shape {
        Shape::Enum(one) => {
            let names = one.symbols.iter().map(|symbol| symbol.name.as_str());
            let names: Vec<&str> = names.take(SYMBOLS).collect();
            let more = if one.symbols.len() > SYMBOLS {
                ", …"
            } else {
                ""
            };
            format!(" ({}{more})", names.join(", "))
        }
        Shape::Fixed(fixed) => format!(" ({} bytes)", fixed.size),
        _ => String::new(),
    };
    text.push_str(&more);
    if let Some(logical) = logical {
        text.push(' ');
        text.push_str(&logical.to_string());
    }
}

fn push_operand(table: &Table, id: Id, text: &mut String) {
    if matches!(table.node(id).shape, Shape::Union(_)) {
        text.push('(');
        push_kind(table, id, text);
        text.push(')');
    } else {
        push_kind(table, id, text);
    }
}
