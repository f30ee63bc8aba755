//! Puts ticks into a parsed program, so that whatever repeats can be stopped. Ticks pass their
//! input on and leave tail calls in place; the results stay the same.

use std::collections::BTreeSet;

use jaq_core::load::lex::StrPart;
use jaq_core::load::parse::{BinaryOp, Def, Pattern, Term};
use jaq_core::path::{Part, Path};

use super::natives::{CHAIN_TICK, TICK};

/// A tick stands at least every so many levels of the program, for the stack is looked at there.
const LEVELS: usize = 16;

type Expr<'s> = Term<&'s str>;

/// Which definitions get a tick.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Defs {
    /// All: the user's program.
    All,
    /// Those that call themselves: the prelude's others cannot go on for ever.
    Recursive,
}

pub(super) fn definition(def: Def<&str>, which: Defs) -> Def<&str> {
    let called = BTreeSet::new();
    Rewriter { which, called }.definition(def)
}

struct Rewriter<'s> {
    which: Defs,
    /// Names called in the definition at hand.
    called: BTreeSet<&'s str>,
}

fn after<'s>(tick: &'s str, then: Expr<'s>) -> Expr<'s> {
    pipe(Term::Call(tick, Vec::new()), then)
}

fn pipe<'s>(left: Expr<'s>, right: Expr<'s>) -> Expr<'s> {
    Term::BinOp(Box::new(left), BinaryOp::Pipe(None), Box::new(right))
}

impl<'s> Rewriter<'s> {
    fn definition(&mut self, def: Def<&'s str>) -> Def<&'s str> {
        let outside = std::mem::take(&mut self.called);
        let body = self.term(def.body, 0);
        let recursive = self.called.contains(def.name);
        self.called.extend(outside);

        let closures = def.args.iter().any(|arg| !arg.starts_with('$'));
        let body = if recursive && closures {
            after(CHAIN_TICK, body)
        } else if recursive || self.which == Defs::All {
            after(TICK, body)
        } else {
            body
        };
        Def { body, ..def }
    }

    /// Rewrites a term that stands so many levels below its definition.
    fn term(&mut self, t: Expr<'s>, level: usize) -> Expr<'s> {
        let next = level + 1;
        let mut ticks = level % LEVELS == LEVELS - 1;
        let t = match t {
            Term::Id | Term::Num(_) | Term::Break(_) | Term::Var(_) => return t,
            Term::Recurse => {
                ticks = true;
                t
            }
            Term::Str(format, parts) => Term::Str(format, self.parts(parts, next)),
            Term::Arr(t) => Term::Arr(t.map(|t| self.boxed(t, next))),
            Term::Obj(fields) => Term::Obj(
                fields
                    .into_iter()
                    .map(|(k, v)| (self.key(k, next), v.map(|v| self.term(v, next))))
                    .collect(),
            ),
            Term::Neg(t) => Term::Neg(self.boxed(t, next)),
            Term::BinOp(l, op, r) => {
                ticks |= matches!(op, BinaryOp::Comma);
                let op = match op {
                    BinaryOp::Pipe(Some(p)) => BinaryOp::Pipe(Some(self.pattern(p, next))),
                    op => op,
                };
                Term::BinOp(self.boxed(l, next), op, self.boxed(r, next))
            }
            Term::Label(x, t) => Term::Label(x, self.boxed(t, next)),
            Term::Fold(name, xs, pat, args) => {
                let xs = self.boxed(xs, next);
                let pat = self.pattern(pat, next);
                let args = args.into_iter();
                let args = args.map(|arg| after(TICK, self.term(arg, next)));
                Term::Fold(name, xs, pat, args.collect())
            }
            Term::TryCatch(t, catch) => {
                Term::TryCatch(self.boxed(t, next), catch.map(|t| self.boxed(t, next)))
            }
            Term::IfThenElse(ifs, otherwise) => Term::IfThenElse(
                ifs.into_iter()
                    .map(|(i, t)| (self.term(i, next), self.term(t, next)))
                    .collect(),
                otherwise.map(|t| self.boxed(t, next)),
            ),
            Term::Def(defs, t) => {
                let defs = defs.into_iter().map(|def| self.definition(def)).collect();
                Term::Def(defs, self.boxed(t, next))
            }
            Term::Call(name, args) => self.call(name, args, next),
            Term::Path(head, path) => {
                let each = |(part, _): &(_, _)| matches!(part, Part::Range(None, None));
                ticks |= path.0.iter().any(each);
                Term::Path(self.boxed(head, next), self.path(path, next))
            }
        };
        if ticks { after(TICK, t) } else { t }
    }

    #[expect(clippy::boxed_local, reason = "the parser's trees are made of boxes")]
    fn boxed(&mut self, t: Box<Expr<'s>>, level: usize) -> Box<Expr<'s>> {
        Box::new(self.term(*t, level))
    }

    fn call(&mut self, name: &'s str, args: Vec<Expr<'s>>, level: usize) -> Expr<'s> {
        self.called.insert(name);
        let endless = name == "range" && args.len() == 3;
        let args = args.into_iter().map(|arg| self.term(arg, level)).collect();
        let call = Term::Call(name, args);
        if endless {
            // The one function that gives values without end: each of them ticks.
            pipe(call, Term::Call(TICK, Vec::new()))
        } else {
            call
        }
    }

    fn path(&mut self, path: Path<Expr<'s>>, level: usize) -> Path<Expr<'s>> {
        let path = path.0.into_iter().map(|(part, opt)| {
            let part = match part {
                Part::Index(i) => Part::Index(self.term(i, level)),
                Part::Range(from, upto) => Part::Range(
                    from.map(|t| self.term(t, level)),
                    upto.map(|t| self.term(t, level)),
                ),
            };
            (part, opt)
        });
        Path(path.collect())
    }

    /// A key of an object: its form decides what `{$x}` and `{a}` mean, so it stays in form.
    fn key(&mut self, t: Expr<'s>, level: usize) -> Expr<'s> {
        match t {
            Term::Str(format, parts) => Term::Str(format, self.parts(parts, level)),
            other => self.term(other, level),
        }
    }

    fn parts(
        &mut self,
        parts: Vec<StrPart<&'s str, Expr<'s>>>,
        level: usize,
    ) -> Vec<StrPart<&'s str, Expr<'s>>> {
        let parts = parts.into_iter().map(|part| match part {
            StrPart::Term(t) => StrPart::Term(self.term(t, level)),
            text => text,
        });
        parts.collect()
    }

    fn pattern(&mut self, p: Pattern<&'s str>, level: usize) -> Pattern<&'s str> {
        match p {
            Pattern::Var(x) => Pattern::Var(x),
            Pattern::Arr(items) => {
                let items = items.into_iter().map(|p| self.pattern(p, level));
                Pattern::Arr(items.collect())
            }
            Pattern::Obj(fields) => {
                let fields = fields.into_iter();
                let fields = fields.map(|(k, p)| (self.key(k, level), self.pattern(p, level)));
                Pattern::Obj(fields.collect())
            }
        }
    }
}
