//! The flat table that a schema is lowered to. Nodes name each other by index, so a type that
//! holds itself costs nothing. Parsed in `parse`, run by `decode`, compared in `compat`.

use std::fmt;

/// A node's place in its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(in crate::schema) struct Id(pub(super) u32);

/// A compiled schema: every name in it is resolved.
#[derive(Debug)]
pub(in crate::schema) struct Table {
    pub(super) nodes: Vec<Node>,
    pub(in crate::schema) root: Id,
}

impl Table {
    /// Ids come from the same table only, so the fallback is never taken.
    #[inline]
    pub(in crate::schema) fn node(&self, id: Id) -> &Node {
        const NULL: &Node = &Node::plain(Shape::Null);
        self.nodes.get(id.0 as usize).unwrap_or(NULL)
    }
}

/// A type: how its bytes are laid out, and what they mean.
#[derive(Debug)]
pub(in crate::schema) struct Node {
    pub(in crate::schema) shape: Shape,
    /// Only what fits the shape: the parser passes over the rest, as the specification says.
    pub(in crate::schema) logical: Option<Logical>,
}

impl Node {
    pub(super) const fn plain(shape: Shape) -> Self {
        Self {
            shape,
            logical: None,
        }
    }
}

#[derive(Debug)]
pub(in crate::schema) enum Shape {
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    Bytes,
    String,
    Array(Id),
    Map(Id),
    Union(Vec<Id>),
    Record(Record),
    Enum(Enum),
    Fixed(Fixed),
}

impl Shape {
    /// The specification's word for it.
    pub(in crate::schema) const fn word(&self) -> &'static str {
        match self {
            Self::Null => "null",
            Self::Boolean => "boolean",
            Self::Int => "int",
            Self::Long => "long",
            Self::Float => "float",
            Self::Double => "double",
            Self::Bytes => "bytes",
            Self::String => "string",
            Self::Array(_) => "array",
            Self::Map(_) => "map",
            Self::Union(_) => "union",
            Self::Record(_) => "record",
            Self::Enum(_) => "enum",
            Self::Fixed(_) => "fixed",
        }
    }

    pub(in crate::schema) const fn named(&self) -> Option<&Named> {
        match self {
            Self::Record(record) => Some(&record.named),
            Self::Enum(one) => Some(&one.named),
            Self::Fixed(fixed) => Some(&fixed.named),
            _ => None,
        }
    }
}

/// What a record, an enum and a fixed have in common.
#[derive(Debug)]
pub(in crate::schema) struct Named {
    /// With its namespace.
    pub(in crate::schema) full: String,
    /// Full names too.
    pub(in crate::schema) aliases: Vec<String>,
    pub(in crate::schema) doc: Option<String>,
}

impl Named {
    /// The name without its namespace.
    pub(in crate::schema) fn short(&self) -> &str {
        self.full.rsplit('.').next().unwrap_or(&self.full)
    }
}

#[derive(Debug)]
pub(in crate::schema) struct Record {
    pub(in crate::schema) named: Named,
    pub(in crate::schema) fields: Vec<Field>,
}

#[derive(Debug)]
pub(in crate::schema) struct Field {
    pub(in crate::schema) name: String,
    /// What stands in front of the value in JSON: `{"name":` of the first field, `,"name":` of
    /// the others.
    pub(super) lead: Box<[u8]>,
    pub(in crate::schema) id: Id,
    pub(in crate::schema) aliases: Vec<String>,
    pub(in crate::schema) doc: Option<String>,
    /// As JSON text.
    pub(in crate::schema) default: Option<String>,
}

#[derive(Debug)]
pub(in crate::schema) struct Enum {
    pub(in crate::schema) named: Named,
    pub(in crate::schema) symbols: Vec<Symbol>,
    pub(in crate::schema) default: Option<String>,
}

#[derive(Debug)]
pub(in crate::schema) struct Symbol {
    pub(in crate::schema) name: String,
    /// With its quotes.
    pub(super) json: Box<[u8]>,
}

#[derive(Debug)]
pub(in crate::schema) struct Fixed {
    pub(in crate::schema) named: Named,
    pub(in crate::schema) size: usize,
}

/// What the bytes of a simpler type mean.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema) enum Logical {
    /// Of `int`: days since 1970-01-01.
    Date,
    /// Of `int`: milliseconds since midnight.
    TimeMillis,
    /// Of `long`: microseconds since midnight.
    TimeMicros,
    /// Of `long`: since 1970-01-01T00:00:00.
    Timestamp { unit: Unit, local: bool },
    /// Of `bytes` and `fixed`: a whole number, big end first, over ten to the power of `scale`.
    Decimal { precision: usize, scale: usize },
    /// Of `string`, and of `fixed` with 16 bytes.
    Uuid,
    /// Of `fixed` with 12 bytes.
    Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::schema) enum Unit {
    Millis,
    Micros,
    Nanos,
}

impl fmt::Display for Logical {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = |unit| match unit {
            Unit::Millis => "millis",
            Unit::Micros => "micros",
            Unit::Nanos => "nanos",
        };
        match *self {
            Self::Date => f.write_str("date"),
            Self::TimeMillis => f.write_str("time-millis"),
            Self::TimeMicros => f.write_str("time-micros"),
            Self::Timestamp { unit: of, local } => {
                let local = if local { "local-" } else { "" };
                write!(f, "{local}timestamp-{}", unit(of))
            }
            Self::Decimal { precision, scale } => write!(f, "decimal {precision},{scale}"),
            Self::Uuid => f.write_str("uuid"),
            Self::Duration => f.write_str("duration"),
        }
    }
}
