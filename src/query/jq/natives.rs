//! The functions that jq programs call by name and that are not written in jq: jaq's standard
//! ones without those that look outside the event, jaq-json's on our values, and the ticks.

use jaq_core::box_iter::box_once;
use jaq_core::data::JustLut;
use jaq_core::native::{Filter, Fun, bome, run, unary, v};
use jaq_core::{Error, Exn, Native, RunPtr};
use jaq_json::{Num, Val, read, write};
use jaq_std::ValT as _;

use super::limits::{self, MAX_CHAIN, Stop};
use super::value::{Result, Value, halted};
use crate::query::json;

/// What jaq's programs are generic over.
pub(super) type Data = JustLut<Value>;

/// Put in front of what can repeat; see `rewrite`.
pub(super) const TICK: &str = "__tick";
/// The same, in front of tail calls that pass closures on.
pub(super) const CHAIN_TICK: &str = "__chain_tick";

/// All functions, none of which sees files, variables of the environment or other events.
pub(super) fn all() -> impl Iterator<Item = Fun<Data>> {
    let std = jaq_std::funs().filter(|(name, ..)| *name != "env");
    jaq_core::funs()
        .chain(std)
        .chain(own().into_vec().into_iter().map(|f| run::<Data>(f)))
        .chain([
            (TICK, v(0), ticking::<false>()),
            (CHAIN_TICK, v(0), ticking::<true>()),
        ])
}

/// Passes its input on, or ends the run in a way that no `try` catches.
fn ticking<const CHAIN: bool>() -> Native<Data> {
    Native::new(|cv| box_once(step::<CHAIN>().map(|()| cv.1)))
        .with_paths(|cv| {
            if cv.1.1.get(MAX_CHAIN as usize).is_some() {
                limits::stop(Stop::Stack);
            }
            box_once(step::<CHAIN>().map(|()| cv.1))
        })
        .with_update(|cv, f| match step::<CHAIN>() {
            Ok(()) => f(cv.1),
            Err(e) => box_once(Err(e)),
        })
}

fn step<'a, const CHAIN: bool>() -> std::result::Result<(), Exn<'a, Value>> {
    let tick = if CHAIN {
        limits::chain_tick()
    } else {
        limits::tick()
    };
    // The exit code is never seen: who runs the program asks the limits why it ended.
    tick.map_err(|_| Exn::halt(1))
}

/// The functions of jaq-json, which has them for its own values only.
fn own() -> Box<[Filter<RunPtr<Data>>]> {
    Box::new([
        ("fromjson", v(0), |cv| match from_json(&cv.1) {
            Ok(values) => Box::new(values.into_iter().map(|v| v.map_err(Exn::from))),
            Err(e) => box_once(Err(Exn::from(e))),
        }),
        ("tojson", v(0), |cv| bome(to_json(&cv.1))),
        ("tobytes", v(0), |cv| bome(to_bytes(&cv.1))),
        ("length", v(0), |cv| bome(length(&cv.1))),
        ("contains", v(1), |cv| {
            unary(cv, |x, y| contains(x.val(), y.val()).map(Value::from))
        }),
        ("has", v(1), |cv| {
            unary(cv, |x, key| Ok(x.index_opt(&key)?.is_some().into()))
        }),
        ("indices", v(1), |cv| unary(cv, |x, y| indices(&x, &y))),
        ("bsearch", v(1), |cv| {
            unary(cv, |x, y| {
                let Val::Arr(items) = x.val() else {
                    return Err(Error::typ(x, "array"));
                };
                let at = items.binary_search(y.val());
                let at = at.map_or_else(|i| -1 - i.cast_signed(), usize::cast_signed);
                Ok(at.into())
            })
        }),
    ])
}

fn from_json(text: &Value) -> Result<Vec<Result<Value>>> {
    let fail =
        |e: &dyn std::fmt::Display| Error::str(format_args!("cannot parse {text} as JSON: {e}"));
    let bytes = text.try_as_utf8_bytes()?;
    if json::too_deep(bytes) {
        return Err(fail(&"nested too deeply"));
    }
    limits::spend(text.weight()).map_err(halted)?;
    let bytes = json::with_short_integers(bytes);
    let read = read::parse_many(&bytes);
    let read = read.map(|v| v.map(|v| Value::read(v, bytes.len())).map_err(|e| fail(&e)));
    let mut values = Vec::new();
    for value in read {
        let failed = value.is_err();
        values.push(value);
        if failed {
            break;
        }
    }
    Ok(values)
}

fn to_json(value: &Value) -> Result<Value> {
    limits::string(value.weight() as usize).map_err(halted)?;
    let mut text = Vec::new();
    write::write(&mut text, &write::Pp::default(), 0, value.val()).map_err(Error::str)?;
    Ok(Value::leaf(Val::utf8_str(text)))
}

fn to_bytes(value: &Value) -> Result<Value> {
    fn collect(val: &Val, out: &mut Vec<u8>) -> Option<()> {
        match val {
            Val::Num(n) => out.push(u8::try_from(n.as_isize()?).ok()?),
            Val::BStr(_) | Val::TStr(_) => out.extend_from_slice(val.as_bytes()?),
            Val::Arr(items) => items.iter().try_for_each(|item| collect(item, out))?,
            _ => return None,
        }
        Some(())
    }
    limits::string(value.weight() as usize).map_err(halted)?;
    let mut bytes = Vec::new();
    collect(value.val(), &mut bytes)
        .ok_or_else(|| Error::str(format_args!("cannot convert {value} to bytes")))?;
    Ok(Value::leaf(Val::byte_str(bytes)))
}

fn length(value: &Value) -> Result<Value> {
    let len = match value.val() {
        Val::Null => 0,
        Val::Bool(_) => return Err(Error::str(format_args!("{value} has no length"))),
        Val::Num(Num::Float(f)) => return Ok(f.abs().into()),
        Val::Num(Num::Dec(text)) => {
            return Ok(text.parse::<f64>().unwrap_or(f64::NAN).abs().into());
        }
        Val::Num(_) if value.val() < &Val::from(0isize) => return -value.clone(),
        Val::Num(_) => return Ok(value.clone()),
        Val::TStr(_) => characters(value.as_bytes().unwrap_or_default()).count(),
        Val::BStr(text) => text.len(),
        Val::Arr(items) => items.len(),
        Val::Obj(fields) => fields.len(),
    };
    Ok(len.into())
}

/// Where the characters of a text begin; what is not UTF-8 counts as one for each bad sequence.
fn characters(text: &[u8]) -> impl Iterator<Item = usize> + '_ {
    let mut start = 0;
    text.utf8_chunks().flat_map(move |chunk| {
        let (valid, invalid) = (chunk.valid(), chunk.invalid());
        let base = start;
        start += valid.len() + invalid.len();
        let bad = (!invalid.is_empty()).then_some(base + valid.len());
        valid.char_indices().map(move |(i, _)| base + i).chain(bad)
    })
}

fn contains(left: &Val, right: &Val) -> Result<bool> {
    limits::spend(16).map_err(halted)?;
    match (left, right) {
        (Val::BStr(_), Val::BStr(_)) | (Val::TStr(_), Val::TStr(_)) => {
            let (l, r) = (left.as_bytes(), right.as_bytes());
            let (l, r) = (l.unwrap_or_default(), r.unwrap_or_default());
            Ok(memchr::memmem::find(l, r).is_some())
        }
        (Val::Arr(left), Val::Arr(right)) => {
            for r in right.iter() {
                let mut found = false;
                for l in left.iter() {
                    found = contains(l, r)?;
                    if found {
                        break;
                    }
                }
                if !found {
                    return Ok(false);
                }
            }
            Ok(true)
        }
        (Val::Obj(left), Val::Obj(right)) => {
            for (key, r) in right.iter() {
                match left.get(key) {
                    Some(l) if contains(l, r)? => {}
                    _ => return Ok(false),
                }
            }
            Ok(true)
        }
        _ => Ok(left == right),
    }
}

fn indices(text: &Value, part: &Value) -> Result<Value> {
    let at = |found: &[usize]| found.iter().map(|&i| Value::from(i)).collect();
    let (bytes, sought) = (text.as_bytes(), part.as_bytes());
    match (text.val(), part.val()) {
        (Val::TStr(_), Val::TStr(_)) | (Val::BStr(_), Val::BStr(_)) => {
            let (bytes, sought) = (bytes.unwrap_or_default(), sought.unwrap_or_default());
            if sought.is_empty() {
                return Ok(at(&[]));
            }
            limits::spend(text.weight()).map_err(halted)?;
            let hit = |&(_, start): &(usize, usize)| bytes[start..].starts_with(sought);
            let starts: Box<dyn Iterator<Item = usize>> = match text.val() {
                Val::TStr(_) => Box::new(characters(bytes)),
                _ => Box::new(0..bytes.len()),
            };
            let found: Vec<_> = starts.enumerate().filter(hit).map(|(i, _)| i).collect();
            Ok(at(&found))
        }
        (Val::Arr(items), Val::Arr(sought)) => {
            let mut found = Vec::new();
            if !sought.is_empty() {
                for (i, window) in items.windows(sought.len()).enumerate() {
                    limits::spend(16).map_err(halted)?;
                    if window == sought.as_slice() {
                        found.push(i);
                    }
                }
            }
            Ok(at(&found))
        }
        (Val::Arr(items), sought) => {
            let hits = items.iter().enumerate().filter(|(_, item)| *item == sought);
            Ok(at(&hits.map(|(i, _)| i).collect::<Vec<_>>()))
        }
        _ => Err(Error::index(text.clone(), part.clone())),
    }
}
