//! jq programs: compiled once, run on events, never out of hand. The only folder that names jaq.

mod arith;
mod limits;
mod natives;
mod print;
mod rewrite;
mod size;
mod syntax;
mod update;
mod value;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

use jaq_core::load::parse::{Def, Term};
use jaq_core::load::{Arena, File, Loader};
use jaq_core::{Compiler, Ctx, Vars, compile};
use jaq_json::{Val, read};
use jaq_std::ValT as _;

use limits::Run;
pub(crate) use limits::Stop;
use natives::Data;
use rewrite::Defs;
pub(crate) use syntax::Fault;
use value::Value;

use super::{escape, json};
use crate::event::SelectError;

/// The longest that a program may take over one event.
pub(crate) const TIME: Duration = Duration::from_secs(1);
/// Stack to compile on: so much, and so much for each word, which may be a level of the tree.
/// It is address space only until it is used.
const COMPILE_STACK: usize = 2 << 20;
const COMPILE_STACK_OF_A_WORD: usize = 20 << 10;
/// The definition that holds the user's program.
const MAIN: &str = "__main";

/// A compiled program; threads share it.
pub(crate) struct Program {
    filter: jaq_core::Filter<Data>,
    pub(crate) time: Duration,
}

/// How a run ended without being stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum End {
    Done,
    /// The program failed on this input: `error`, or a step that its values do not allow.
    Failed(String),
}

/// Why a run did not come to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Broken {
    Stopped(Stop),
    /// A defect of the interpreter.
    Panicked,
}

impl Broken {
    /// The error that ends a command, with what it was working on.
    pub(crate) fn of(self, flag: &str, text: &str, program: &Program, place: &str) -> SelectError {
        let what = match self {
            Self::Stopped(Stop::Time) => {
                format!("did not end within {} s", program.time.as_secs_f64())
            }
            Self::Stopped(Stop::Stack) => "recurses too deeply".to_owned(),
            Self::Stopped(Stop::Depth) => "builds a value that is nested too deeply".to_owned(),
            Self::Stopped(Stop::Memory) => "builds a value that is too large".to_owned(),
            Self::Panicked => "met a defect of the jq interpreter".to_owned(),
        };
        SelectError {
            message: format!("{flag} '{text}' {what} on {place}"),
        }
    }
}

/// An output of a program.
pub(crate) struct Output<'a>(&'a Val);

impl Output<'_> {
    pub(crate) fn is_truthy(&self) -> bool {
        !matches!(self.0, Val::Null | Val::Bool(false))
    }

    /// Appends it as compact JSON that is safe to print.
    pub(crate) fn write_json(&self, out: &mut Vec<u8>) {
        print::value(out, self.0);
    }

    /// The bytes of a string.
    pub(crate) fn as_bytes(&self) -> Option<&[u8]> {
        self.0.as_bytes()
    }
}

/// Go on with the next output, or leave it at that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    More,
    Enough,
}

/// Text that was read for programs to run on.
pub(crate) struct Input(Value);

impl Input {
    /// Reads JSON that is nested no deeper than `nesting` allows, a level more for the object.
    pub(crate) fn read(json: &[u8]) -> Result<Self, String> {
        let json = json::with_short_integers(json);
        let val = read::parse_single(&json)
            .or_else(|_| read::parse_single(&escape::whole(&json)))
            .map_err(|e| e.to_string())?;
        Ok(Self(Value::read(val, json.len())))
    }

    /// Where the event object that was read stands, or the one in its member `event`:
    /// `topic/partition@offset`.
    pub(crate) fn place(&self) -> String {
        let Val::Obj(fields) = self.0.val() else {
            return "the event".to_owned();
        };
        let fields = match fields.get(&Val::utf8_str("event".to_owned())) {
            Some(Val::Obj(event)) => event,
            _ => fields,
        };
        let text = |name: &str| {
            let found = fields.get(&Val::utf8_str(name.to_owned()));
            found.map_or_else(String::new, |v| match v.as_bytes() {
                Some(text) => String::from_utf8_lossy(text).into_owned(),
                None => v.to_string(),
            })
        };
        format!("{}/{}@{}", text("topic"), text("partition"), text("offset"))
    }
}

/// Calls `f` where what parses and compiles this text has room to recurse.
fn on_a_large_stack<T: Send>(text: &str, f: impl FnOnce() -> T + Send) -> Option<T> {
    let words = text.len().min(syntax::MAX_TOKENS);
    std::thread::scope(|scope| {
        std::thread::Builder::new()
            .name("evtap-jq-compile".to_owned())
            .stack_size(COMPILE_STACK + words * COMPILE_STACK_OF_A_WORD)
            .spawn_scoped(scope, f)
            .ok()?
            .join()
            .ok()
    })
}

impl Program {
    pub(crate) fn compile(text: &str) -> Result<Self, Fault> {
        Ok(Self::compile_and(text, |_| ())?.0)
    }

    /// Compiles a condition, and shows its tree to `see`, as it was before anything was done to it.
    pub(crate) fn condition<T: Send>(
        text: &str,
        see: impl FnOnce(&Term<&str>) -> T + Send,
    ) -> Result<(Self, T), Fault> {
        let look = |term: &Term<&str>| (syntax::assignment(text, term), see(term));
        match Self::compile_and(text, look)? {
            (_, (Some(sign), _)) => Err(Fault {
                message: "`=` assigns, and what that gives is always true".to_owned(),
                span: Some(sign),
                hint: Some("compare with ==".to_owned()),
            }),
            (program, (None, seen)) => Ok((program, seen)),
        }
    }

    /// Compiles a program, and shows its tree to `see`.
    fn compile_and<T: Send>(
        text: &str,
        see: impl FnOnce(&Term<&str>) -> T + Send,
    ) -> Result<(Self, T), Fault> {
        let compiled = on_a_large_stack(text, || {
            let body = syntax::parse(text)?;
            let seen = see(&body);
            Ok((compile(text, body)?, seen))
        });
        let (filter, seen) = compiled.unwrap_or_else(|| {
            Err(Fault {
                message: "the expression could not be compiled".to_owned(),
                span: None,
                hint: None,
            })
        })?;
        Ok((Self { filter, time: TIME }, seen))
    }

    /// Runs the program on a value and hands its outputs to `each`.
    pub(crate) fn run(
        &self,
        input: &Input,
        mut each: impl FnMut(Output<'_>) -> Next,
    ) -> Result<End, Broken> {
        let run = Run::start(self.time);
        // A panic of the interpreter must not take a terminal or a thread of a source with it.
        let end = catch_unwind(AssertUnwindSafe(|| {
            let ctx = Ctx::<Data>::new(&self.filter.lut, Vars::new([]));
            for output in self.filter.id.run((ctx, input.0.clone())) {
                if limits::stopped().is_some() {
                    break;
                }
                match output {
                    Ok(value) => {
                        if limits::pause(|| each(Output(value.val()))) == Next::Enough {
                            break;
                        }
                    }
                    Err(e) => return End::Failed(failure(e)),
                }
            }
            End::Done
        }));
        let stopped = limits::stopped();
        drop(run);
        match (stopped, end) {
            (Some(stop), _) => Err(Broken::Stopped(stop)),
            (None, Ok(end)) => Ok(end),
            (None, Err(_)) => Err(Broken::Panicked),
        }
    }
}

/// What a failed program says, cut short: it may quote the whole event.
fn failure(e: jaq_core::Exn<'_, Value>) -> String {
    const SHOWN: usize = 200;
    struct Short(String);
    impl std::fmt::Write for Short {
        fn write_str(&mut self, s: &str) -> std::fmt::Result {
            let room = SHOWN - self.0.chars().count();
            self.0.extend(s.chars().take(room));
            // An error ends the printing.
            let fits = s.chars().nth(room).is_none();
            if fits { Ok(()) } else { Err(std::fmt::Error) }
        }
    }
    let Ok(error) = e.get_err() else {
        return "halted".to_owned();
    };
    let mut text = Short(String::new());
    let value = error.into_val();
    let printed = match value.val().as_bytes() {
        Some(bytes) => {
            let bytes = &bytes[..bytes.len().min(4 * SHOWN + 4)];
            std::fmt::write(
                &mut text,
                format_args!("{}", String::from_utf8_lossy(bytes)),
            )
        }
        None => std::fmt::write(&mut text, format_args!("{value}")),
    };
    if printed.is_err() {
        text.0.push('…');
    }
    text.0
}

/// The definitions that every program may use.
fn prelude<'s>() -> impl Iterator<Item = Def<&'s str>> {
    let own = jaq_core::load::parse(include_str!("prelude.jq"), |p| p.defs());
    jaq_core::defs()
        .chain(jaq_std::defs())
        .chain(jaq_json::defs())
        .chain(own.unwrap_or_default())
        .map(|def| rewrite::definition(def, Defs::Recursive))
}

fn compile<'s>(text: &'s str, body: Term<&'s str>) -> Result<jaq_core::Filter<Data>, Fault> {
    let main = Def {
        name: MAIN,
        args: Vec::new(),
        body,
    };
    let main = rewrite::definition(main, Defs::All);
    let arena = Arena::default();
    let file = File {
        code: MAIN,
        path: (),
    };
    let modules = Loader::new(prelude().chain([main]))
        .load(&arena, file)
        .map_err(|_| unknown(text, "", ""))?;
    Compiler::default()
        .with_funs(natives::all())
        .compile(modules)
        .map_err(|errors| undefined(text, errors))
}

fn undefined(text: &str, errors: compile::Errors<&str, ()>) -> Fault {
    let Some((name, kind)) = errors.into_iter().flat_map(|(_, e)| e).next() else {
        return unknown(text, "", "");
    };
    let mut fault = match &kind {
        compile::Undefined::Filter(arity) => {
            unknown(text, name, &format!("function {name}/{arity}"))
        }
        other => unknown(text, name, &format!("{} {name}", other.as_str())),
    };
    fault.hint = hint(name, &kind);
    fault
}

fn unknown(text: &str, name: &str, what: &str) -> Fault {
    Fault {
        message: format!("unknown {what}"),
        span: syntax::span(text, name),
        hint: None,
    }
}

fn hint(name: &str, kind: &compile::Undefined) -> Option<String> {
    if matches!(name, "env" | "$ENV" | "$__prog_args") {
        return Some("an expression sees the event only, not the environment".to_owned());
    }
    if matches!(name, "input" | "inputs" | "input_line_number") {
        return Some("an expression sees one event at a time, as its input `.`".to_owned());
    }
    if !matches!(kind, compile::Undefined::Filter(_)) {
        return None;
    }
    let mut near: Vec<&str> = Vec::new();
    let mut arities = BTreeSet::new();
    let functions = natives::all().map(|(name, args, _)| (name, args.len()));
    for (known, arity) in prelude()
        .map(|def| (def.name, def.args.len()))
        .chain(functions)
    {
        let shown = known.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if known == name {
            arities.insert(arity);
        } else if shown && !known.starts_with('_') && strsim::jaro_winkler(known, name) > 0.85 {
            near.push(known);
        }
    }
    if !arities.is_empty() {
        let arities: Vec<_> = arities.iter().map(usize::to_string).collect();
        let (arities, plural) = (
            arities.join(" or "),
            if arities == ["1"] { "" } else { "s" },
        );
        return Some(format!(
            "{name} takes {arities} argument{plural}, joined by `;`"
        ));
    }
    near.sort_by(|a, b| strsim::jaro_winkler(b, name).total_cmp(&strsim::jaro_winkler(a, name)));
    match near.first() {
        Some(known) => Some(format!("did you mean {known}?")),
        None => Some(format!("a field is written .{name}, a text \"{name}\"")),
    }
}

#[cfg(test)]
mod tests;
