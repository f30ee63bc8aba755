//! Updates of values: what `|=` and its kin do to what a path leads to. As jaq does them.

use std::sync::Arc;

use jaq_core::path::Opt;
use jaq_core::val::Range;
use jaq_core::{Error, Exn, ValT as _, ValX};
use jaq_json::{Map, Num, Val};
use jaq_std::ValT as _;

use super::limits;
use super::size::{NODE, Size};
use super::value::{Result, Value, halted, lift, unshare, wrap};

/// `.[] |= f`.
pub(super) fn values<'a, I: Iterator<Item = ValX<'a, Value>>>(
    this: Value,
    opt: Opt,
    f: impl Fn(Value) -> I,
) -> ValX<'a, Value> {
    limits::spend(NODE).map_err(halted)?;
    let size = this.size;
    match this.val {
        Val::Arr(items) => unshare(items)
            .into_iter()
            .flat_map(|item| f(Value::inner(size, item)))
            .collect(),
        Val::Obj(fields) => {
            let mut kept = Map::default();
            let mut total = Size::EMPTY;
            for (key, item) in unshare(fields) {
                if let Some(item) = f(Value::inner(size, item)).next() {
                    let item = item?;
                    total = total
                        .and(Size::leaf(&key).wrapped())
                        .and(item.size.wrapped());
                    kept.insert(key, item.val);
                }
            }
            Ok(Value::made(Val::obj(kept), total))
        }
        val => opt.fail(Value { val, size }, |v| {
            Exn::from(Error::typ(v, "iterable (array or object)"))
        }),
    }
}

/// `.[k] |= f`.
pub(super) fn index<'a, I: Iterator<Item = ValX<'a, Value>>>(
    this: Value,
    index: &Value,
    opt: Opt,
    f: impl Fn(Value) -> I,
) -> ValX<'a, Value> {
    limits::spend(NODE).map_err(halted)?;
    let size = this.size;
    if let (Val::BStr(_) | Val::TStr(_) | Val::Arr(_), Val::Obj(range)) = (&this.val, &index.val) {
        let bound = |name: &str| range.get(&Val::utf8_str(name.to_owned())).cloned();
        let (start, end) = (bound("start"), bound("end"));
        let (start, end) = (start.map(Value::leaf), end.map(Value::leaf));
        return self::range(this, start.as_ref()..end.as_ref(), opt, f);
    }
    match this.val {
        Val::Obj(mut fields) => {
            let old = Arc::make_mut(&mut fields)
                .get_mut(&index.val)
                .map(std::mem::take);
            let found = old.is_some();
            let new = f(Value::inner(size, old.unwrap_or_default())).next();
            let fields_mut = Arc::make_mut(&mut fields);
            let mut grown = size;
            match new.transpose()? {
                Some(new) => {
                    grown = grown.and(index.size.wrapped()).and(new.size.wrapped());
                    fields_mut.insert(index.val.clone(), new.val);
                }
                None if found => {
                    fields_mut.swap_remove(&index.val);
                }
                None => {}
            }
            Ok(Value::made(Val::Obj(fields), grown))
        }
        Val::Arr(mut items) => {
            let at = match place(index, items.len()) {
                Ok(at) => at,
                Err(e) => {
                    let val = Val::Arr(items);
                    return opt.fail(Value { val, size }, |_| Exn::from(e));
                }
            };
            let old = std::mem::take(&mut Arc::make_mut(&mut items)[at]);
            let new = f(Value::inner(size, old)).next().transpose()?;
            let mut grown = size;
            if let Some(new) = new {
                grown = grown.and(new.size.wrapped());
                Arc::make_mut(&mut items)[at] = new.val;
            } else {
                Arc::make_mut(&mut items).remove(at);
            }
            Ok(Value::made(Val::Arr(items), grown))
        }
        val => opt.fail(Value { val, size }, |v| {
            Exn::from(Error::typ(v, "iterable (array or object)"))
        }),
    }
}

/// `.[s:e] |= f`.
pub(super) fn range<'a, I: Iterator<Item = ValX<'a, Value>>>(
    this: Value,
    range: Range<&Value>,
    opt: Opt,
    f: impl Fn(Value) -> I,
) -> ValX<'a, Value> {
    limits::spend(NODE).map_err(halted)?;
    if !matches!(this.val, Val::Arr(_) | Val::BStr(_) | Val::TStr(_)) {
        return opt.fail(this, |v| Exn::from(Error::typ(v, "array")));
    }
    let (skip, take) = match extent(&this, range.clone()) {
        Ok(extent) => extent,
        Err(e) => return opt.fail(this, |_| Exn::from(e)),
    };
    let new = f(this.clone().range(range)?).next().transpose()?;
    let size = this.size;
    match (this.val, new.map(|new| (new.val, new.size))) {
        (Val::Arr(mut items), new) => {
            let (new, new_size) = match new {
                None => (Arc::default(), Size::EMPTY),
                Some((Val::Arr(new), new_size)) => (new, new_size),
                Some((val, size)) => {
                    return Err(Exn::from(Error::typ(Value { val, size }, "array")));
                }
            };
            let new = new.iter().cloned();
            Arc::make_mut(&mut items).splice(skip..skip + take, new);
            Ok(Value::made(Val::Arr(items), size.and(new_size)))
        }
        (old, new) => {
            let bytes = match (&old, &new) {
                (_, None) => &[],
                (Val::TStr(_), Some((new @ Val::TStr(_), _)))
                | (Val::BStr(_), Some((new @ Val::BStr(_), _))) => {
                    new.as_bytes().unwrap_or_default()
                }
                (_, Some((new, _))) => {
                    return Err(Exn::from(Error::typ(Value::leaf(new.clone()), "string")));
                }
            };
            let mut text = old.as_bytes().unwrap_or_default().to_vec();
            text.splice(skip..skip + take, bytes.iter().copied());
            Ok(Value::leaf(match old {
                Val::TStr(_) => Val::utf8_str(text),
                _ => Val::byte_str(text),
            }))
        }
    }
}

/// Where a range begins in an array or string, and how long it is there.
fn extent(of: &Value, range: Range<&Value>) -> Result<(usize, usize)> {
    let len = |range| {
        let part = jaq_core::ValT::range(of.val.clone(), range).map_err(lift)?;
        Ok(match &part {
            Val::Arr(items) => items.len(),
            other => other.as_bytes().map_or(0, <[u8]>::len),
        })
    };
    let (start, end) = (range.start.map(|v| &v.val), range.end.map(|v| &v.val));
    let skip = match start {
        None | Some(Val::Null) => 0,
        Some(start) => len(None..Some(start))?,
    };
    Ok((skip, len(start..end)?))
}

/// The place in an array that an index means, for writing.
fn place(index: &Value, len: usize) -> Result<usize> {
    let Val::Num(at @ (Num::Int(_) | Num::BigInt(_))) = &index.val else {
        return Err(Error::typ(index.clone(), "integer"));
    };
    wrap(at, len)
        .filter(|at| *at < len)
        .ok_or_else(|| Error::str(format_args!("index {index} out of bounds")))
}
