//! From jq's tree to what can be evaluated on the event as it lies in memory. Whatever is not
//! known to mean the same stays with jq, the whole expression.

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Term};
use jaq_core::ops;
use jaq_core::path::{Opt, Part};

use super::operand::Constant;
use super::pattern;
use super::pick::{Places, Step};
use super::{Check, Expr, Field, Native};

/// Nested deeper, an expression is left to jq.
const MAX_LEVELS: usize = 32;

/// Compiles an expression, or says what is left to jq.
pub(super) fn compile(term: &Term<&str>) -> Result<Native> {
    let mut compiler = Compiler {
        places: Places::default(),
        levels: 0,
        headers: false,
        verdict: false,
    };
    let expr = compiler.result(term, &Place::default())?;
    Ok(Native {
        expr,
        places: compiler.places,
        reads_headers: compiler.headers,
        reads_verdict: compiler.verdict,
    })
}

type Result<T> = std::result::Result<T, String>;

/// The steps from the event object to the input of a term.
#[derive(Debug, Clone, Default)]
struct Place(Vec<Step>);

struct Compiler {
    places: Places,
    levels: usize,
    /// A path led to a header.
    headers: bool,
    verdict: bool,
}

/// Why a term is left to jq.
fn left<T>(what: &str) -> Result<T> {
    Err(what.to_owned())
}

impl Compiler {
    /// A term whose first output decides: here, and behind a pipe, `select` may stand.
    fn result(&mut self, term: &Term<&str>, at: &Place) -> Result<Expr> {
        match term {
            Term::BinOp(l, BinaryOp::Pipe(None), r) => match place(l, at) {
                Some(inner) => {
                    // The path is looked at even where the rest does not: it may fail.
                    let rest = self.result(r, &inner)?;
                    self.after(&inner, rest)
                }
                None => match (&**l, &**r) {
                    (l, Term::Call("not", args)) if args.is_empty() => {
                        Ok(Expr::Not(Box::new(self.boolean(l, at)?)))
                    }
                    (Term::Call("select", args), r) if args.len() == 1 => {
                        let condition = self.boolean(&args[0], at)?;
                        Ok(Expr::And(vec![condition, self.result(r, at)?]))
                    }
                    _ => left("a pipe that is not behind a path"),
                },
            },
            Term::Call("select", args) if args.len() == 1 => {
                let condition = self.boolean(&args[0], at)?;
                let kept = self.truthy(at)?;
                Ok(Expr::And(vec![condition, kept]))
            }
            other => self.boolean(other, at),
        }
    }

    /// Makes sure that a path is looked at before what comes behind it.
    fn after(&mut self, at: &Place, rest: Expr) -> Result<Expr> {
        if at.0.len() < 2 || rest.looks() {
            return Ok(rest);
        }
        let path = self.path(at)?;
        Ok(Expr::And(vec![Expr::Check(path, Check::Any), rest]))
    }

    /// A term with one output, of which only the truth counts.
    fn boolean(&mut self, term: &Term<&str>, at: &Place) -> Result<Expr> {
        self.levels += 1;
        if self.levels > MAX_LEVELS {
            return left("deep nesting");
        }
        let expr = self.boolean_inside(term, at);
        self.levels -= 1;
        expr
    }

    fn boolean_inside(&mut self, term: &Term<&str>, at: &Place) -> Result<Expr> {
        if let Some(place) = place(term, at) {
            return self.truthy(&place);
        }
        match term {
            Term::Call(name, args) => self.call(name, args, at),
            Term::BinOp(..) => self.operation(term, at),
            Term::Num(_) | Term::Str(..) if constant(term).is_some() => Ok(Expr::Const(true)),
            _ => left(kind(term)),
        }
    }

    fn operation(&mut self, term: &Term<&str>, at: &Place) -> Result<Expr> {
        let Term::BinOp(l, op, r) = term else {
            return left(kind(term));
        };
        match op {
            BinaryOp::And => Ok(Expr::And(self.chain(term, at, true)?)),
            BinaryOp::Or => Ok(Expr::Or(self.chain(term, at, false)?)),
            BinaryOp::Cmp(cmp) => self.comparison(l, *cmp, r, at),
            BinaryOp::Pipe(None) => match (place(l, at), &**r) {
                (Some(inner), r) => {
                    let rest = self.boolean(r, &inner)?;
                    self.after(&inner, rest)
                }
                (None, Term::Call("not", args)) if args.is_empty() => {
                    Ok(Expr::Not(Box::new(self.boolean(l, at)?)))
                }
                _ => left("a pipe that is not behind a path"),
            },
            _ => left(kind(term)),
        }
    }

    /// The operands of `and`s, or of `or`s, in a row.
    fn chain(&mut self, term: &Term<&str>, at: &Place, and: bool) -> Result<Vec<Expr>> {
        let mut operands = Vec::new();
        let mut rest = term;
        // The operators bind to the left.
        while let Term::BinOp(l, op, r) = rest
            && matches!((op, and), (BinaryOp::And, true) | (BinaryOp::Or, false))
        {
            operands.push(&**r);
            rest = l;
        }
        operands.push(rest);
        let operands = operands.into_iter().rev();
        operands.map(|term| self.boolean(term, at)).collect()
    }

    fn comparison(
        &mut self,
        l: &Term<&str>,
        cmp: ops::Cmp,
        r: &Term<&str>,
        at: &Place,
    ) -> Result<Expr> {
        let (place, cmp, constant) = match (place(l, at), constant(r)) {
            (Some(place), Some(constant)) => (place, cmp, constant),
            _ => match (constant(l), place(r, at)) {
                (Some(constant), Some(place)) => (place, flipped(cmp), constant),
                _ => return left("a comparison of other things than a path and a constant"),
            },
        };
        Ok(Expr::Check(
            self.path(&place)?,
            Check::Compare(cmp, constant),
        ))
    }

    fn call(&mut self, name: &str, args: &[Term<&str>], at: &Place) -> Result<Expr> {
        let text = |i: usize| match args.get(i).and_then(constant) {
            Some(Constant::Text(text)) => Ok(text),
            _ => left(&format!("{name} of what is not a constant text")),
        };
        let check = match (name, args.len()) {
            ("true", 0) => return Ok(Expr::Const(true)),
            ("false" | "null", 0) => return Ok(Expr::Const(false)),
            ("not", 0) => return Ok(Expr::Not(Box::new(self.truthy(at)?))),
            ("startswith", 1) => Check::StartsWith(text(0)?),
            ("endswith", 1) => Check::EndsWith(text(0)?),
            ("contains", 1) => Check::Contains(text(0)?),
            ("has", 1) => {
                let mut inner = at.clone();
                inner.0.push(Step::Name(text(0)?));
                return Ok(Expr::Check(self.path(&inner)?, Check::Has));
            }
            ("IN", 1) => Check::In(constants(&args[0]).ok_or("IN of what is not constant")?),
            ("test", 1 | 2) => {
                let flags = if args.len() == 2 {
                    text(1)?
                } else {
                    Vec::new()
                };
                let ignore_case = match flags.as_slice() {
                    b"" => false,
                    b"i" => true,
                    _ => return left("test with these flags"),
                };
                let re = text(0)?;
                let re = str::from_utf8(&re).ok();
                let regex = re.and_then(|re| pattern::compile(re, ignore_case));
                Check::Test(regex.ok_or("a regular expression that jq's engine must judge")?)
            }
            _ => return left(&format!("the function {name}")),
        };
        Ok(Expr::Check(self.path(at)?, check))
    }

    fn truthy(&mut self, at: &Place) -> Result<Expr> {
        Ok(match at.0.len() {
            // The event itself.
            0 => Expr::Const(true),
            _ => Expr::Check(self.path(at)?, Check::Truthy),
        })
    }

    /// Finds out what part of an event a path leads to.
    fn path(&mut self, at: &Place) -> Result<Field> {
        let Some((Step::Name(root), rest)) = at.0.split_first() else {
            return left("the whole event");
        };
        Ok(match (root.as_slice(), rest) {
            (b"topic", []) => Field::Topic,
            (b"partition", []) => Field::Partition,
            (b"offset", []) => Field::Offset,
            (b"timestamp", []) => Field::Timestamp,
            (b"time", []) => Field::Time,
            (b"timestamp_type", []) => Field::TimestampType,
            (b"key", []) => Field::Key,
            (b"headers", [Step::Name(name)]) => {
                self.headers = true;
                Field::Header(name.clone())
            }
            (b"schema", [Step::Name(name)]) if name == b"verdict" => {
                self.verdict = true;
                Field::Verdict
            }
            (b"value", steps) => Field::Value(self.places.add(steps)),
            _ => {
                let name = String::from_utf8_lossy(root);
                return left(&format!("a path that begins with .{name}"));
            }
        })
    }
}

/// The place that a term means, where it is a path and nothing else.
fn place(term: &Term<&str>, at: &Place) -> Option<Place> {
    match term {
        Term::Id => Some(at.clone()),
        Term::Path(head, path) => {
            let mut place = place(head, at)?;
            for (part, opt) in &path.0 {
                let (Part::Index(index), Opt::Essential) = (part, opt) else {
                    return None;
                };
                place.0.push(match constant(index)? {
                    Constant::Text(name) => Step::Name(name),
                    Constant::Int(i) => Step::Index(usize::try_from(i).ok()?),
                    _ => return None,
                });
            }
            Some(place)
        }
        Term::BinOp(l, BinaryOp::Pipe(None), r) => place(r, &place(l, at)?),
        _ => None,
    }
}

/// The constant that a term is.
pub(in crate::query) fn constant(term: &Term<&str>) -> Option<Constant> {
    match term {
        Term::Call("null", args) if args.is_empty() => Some(Constant::Null),
        Term::Call("true", args) if args.is_empty() => Some(Constant::Bool(true)),
        Term::Call("false", args) if args.is_empty() => Some(Constant::Bool(false)),
        Term::Num(n) => number(n),
        Term::Neg(t) => match (&**t, constant(t)?) {
            (Term::Num(_), Constant::Int(i)) => Some(Constant::Int(i.checked_neg()?)),
            (Term::Num(_), Constant::Float(f)) => Some(Constant::Float(-f)),
            _ => None,
        },
        Term::Str(None, parts) => {
            let mut text = String::new();
            for part in parts {
                match part {
                    StrPart::Str(s) => text.push_str(s),
                    StrPart::Char(c) => text.push(*c),
                    StrPart::Term(_) => return None,
                }
            }
            Some(Constant::Text(text.into_bytes()))
        }
        _ => None,
    }
}

fn number(digits: &str) -> Option<Constant> {
    if digits.bytes().all(|b| b.is_ascii_digit()) {
        // Larger integers are exact in jq.
        digits.parse().ok().map(Constant::Int)
    } else {
        digits.parse().ok().map(Constant::Float)
    }
}

/// The constants that stand between commas.
pub(in crate::query) fn constants(term: &Term<&str>) -> Option<Vec<Constant>> {
    let mut found = Vec::new();
    let mut rest = term;
    while let Term::BinOp(l, BinaryOp::Comma, r) = rest {
        found.push(constant(r)?);
        rest = l;
    }
    found.push(constant(rest)?);
    Some(found)
}

const fn flipped(cmp: ops::Cmp) -> ops::Cmp {
    match cmp {
        ops::Cmp::Lt => ops::Cmp::Gt,
        ops::Cmp::Le => ops::Cmp::Ge,
        ops::Cmp::Gt => ops::Cmp::Lt,
        ops::Cmp::Ge => ops::Cmp::Le,
        other => other,
    }
}

/// What a term is, for people who wonder why jq must do it.
const fn kind(term: &Term<&str>) -> &'static str {
    match term {
        Term::Recurse => "`..`",
        Term::Arr(_) => "an array",
        Term::Obj(_) => "an object",
        Term::Neg(_) | Term::BinOp(_, BinaryOp::Math(_), _) => "arithmetic",
        Term::BinOp(_, BinaryOp::Comma, _) => "several outputs",
        Term::BinOp(_, BinaryOp::Alt, _) => "`//`",
        Term::BinOp(_, BinaryOp::Pipe(_), _) | Term::Var(_) => "a variable",
        Term::BinOp(..) => "an assignment",
        Term::Label(..) | Term::Break(_) | Term::Fold(..) => "a loop",
        Term::TryCatch(..) => "`try` or `?`",
        Term::IfThenElse(..) => "`if`",
        Term::Def(..) => "a definition",
        Term::Path(..) => "a path with more than names and numbers",
        Term::Str(..) => "a text with expressions in it",
        _ => "an expression of this kind",
    }
}
